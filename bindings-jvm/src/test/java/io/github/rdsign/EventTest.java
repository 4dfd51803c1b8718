package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** What a signer tells its listener, and that no listener changes the outcome. */
class EventTest {
    private static final Instant NOON = Instant.parse("2024-08-26T12:00:00Z");
    private static final Instant END = NOON.plus(Duration.ofHours(1));
    private static final Instant REFRESH = END.minus(Duration.ofMinutes(10));
    private static final String SECRET = "a/secret+of=the/tests";

    /** Returns keys that expire then, or throws the exception: one answer for each call. */
    private static Supplier<Credentials> answering(Object... answers) {
        AtomicInteger calls = new AtomicInteger();
        return () -> {
            Object answer = answers[calls.getAndIncrement()];
            if (answer instanceof RuntimeException) {
                throw (RuntimeException) answer;
            }
            return Credentials.builder()
                    .accessKeyId("ASIA" + calls)
                    .secretAccessKey(SECRET)
                    .sessionToken(SECRET)
                    .expiration((Instant) answer)
                    .build();
        };
    }

    private static Signer signer(
            Consumer<CredentialsEvent> listener, Supplier<Credentials> credentials) {
        return SignerTest.builder().credentials(credentials).eventListener(listener).build();
    }

    private static RuntimeException sealed() {
        return new IllegalStateException("the vault is sealed");
    }

    @Test
    void aFetchIsToldWithItsSourceAndTheExpiry() {
        List<CredentialsEvent> heard = new ArrayList<>();
        try (Signer signer = signer(heard::add, answering(END))) {
            for (int i = 0; i < 3; i++) {
                signer.token(NOON);
            }
        }
        assertEquals(1, heard.size());
        CredentialsEvent event = heard.get(0);
        assertEquals("fetched", event.name());
        assertFalse(event.isWarning());
        assertEquals(Optional.of("provider"), event.source());
        assertEquals(Optional.of(END), event.expiresAt());
        assertEquals(Optional.empty(), event.code());
        assertFalse(event.duration().isNegative());
        assertTrue(
                event.message()
                        .matches(
                                "credentials fetched from provider in \\d+\\.\\d{3} s;"
                                        + " they expire at 2024-08-26T13:00:00Z"),
                event::message);
        assertEquals(event.message(), event.toString());
    }

    @Test
    void aFailedRefreshAndAFailedFetchAreWarningsWithoutASecret() {
        List<CredentialsEvent> heard = new ArrayList<>();
        try (Signer signer = signer(heard::add, answering(END, sealed(), sealed()))) {
            signer.token(NOON);
            signer.token(REFRESH);
            assertThrows(RdsignException.class, () -> signer.token(END));
        }
        assertEquals(3, heard.size());
        CredentialsEvent refresh = heard.get(1);
        String cause =
                "CREDENTIALS_FAILED: credentials: the provider given to the signer failed:"
                        + " java.lang.IllegalStateException: the vault is sealed";
        assertEquals("refresh-failed", refresh.name());
        assertEquals(
                "credentials not refreshed; those in use expire at 2024-08-26T13:00:00Z: " + cause,
                refresh.message());
        assertEquals(Optional.of(END), refresh.expiresAt());
        CredentialsEvent fetch = heard.get(2);
        assertEquals("fetch-failed", fetch.name());
        assertEquals("credentials not fetched: " + cause, fetch.message());
        assertEquals(Optional.empty(), fetch.expiresAt());
        for (CredentialsEvent event : heard.subList(1, 3)) {
            assertTrue(event.isWarning());
            assertEquals(Optional.of("CREDENTIALS_FAILED"), event.code());
            assertEquals(Optional.empty(), event.source());
        }
        for (CredentialsEvent event : heard) {
            assertFalse(event.message().contains(SECRET), event::message);
            assertFalse(event.message().contains("ASIA"), event::message);
        }
    }

    @Test
    void aFetchForATokenThatIsSignedNowIsToldToo() {
        List<CredentialsEvent> heard = new ArrayList<>();
        Instant later = Instant.now().plus(Duration.ofHours(1));
        try (Signer signer = signer(heard::add, answering(later))) {
            signer.password();
            signer.tokenAsync().join();
        }
        assertEquals(1, heard.size());
    }

    @Test
    void aListenerThatThrowsChangesNothing() {
        List<Throwable> uncaught = new ArrayList<>();
        Thread thread = Thread.currentThread();
        Thread.UncaughtExceptionHandler before = thread.getUncaughtExceptionHandler();
        RuntimeException own = new RuntimeException("the disk is full");
        Consumer<CredentialsEvent> throwing =
                event -> {
                    throw own;
                };
        thread.setUncaughtExceptionHandler(
                (one, thrown) -> {
                    uncaught.add(thrown);
                    throw own;
                });
        try (Signer signer = signer(throwing, answering(END, sealed(), sealed()))) {
            assertNotNull(signer.token(NOON));
            assertNotNull(signer.token(REFRESH));
            RdsignException failure = assertThrows(RdsignException.class, () -> signer.token(END));
            assertEquals("CREDENTIALS_FAILED", failure.code());
            assertEquals("the vault is sealed", failure.getCause().getMessage());
        } finally {
            thread.setUncaughtExceptionHandler(before);
        }
        assertEquals(Arrays.asList(own, own, own), uncaught);
    }

    @Test
    void aListenerMayUseTheSignerAndIsNotToldWhatThatCauses() {
        List<String> outcomes = new ArrayList<>();
        Signer[] itself = new Signer[1];
        Consumer<CredentialsEvent> using =
                event -> {
                    RdsignException failure =
                            assertThrows(RdsignException.class, () -> itself[0].token(NOON));
                    outcomes.add(event.name() + " " + failure.code());
                };
        try (Signer signer = signer(using, answering(sealed(), sealed(), END))) {
            itself[0] = signer;
            assertThrows(RdsignException.class, () -> signer.token(NOON));
            assertEquals(Arrays.asList("fetch-failed CREDENTIALS_FAILED"), outcomes);
        }
    }

    /**
     * Makes a signer as {@link Signer} does, to call native code between the steps of its calls.
     */
    private static long nativeSigner() {
        char[][] options =
                Stream.of("hostname", SignerTest.HOST, "username", "iam_user")
                        .map(String::toCharArray)
                        .toArray(char[][]::new);
        return Native.newSigner(options, true, true);
    }

    @Test
    void aListenerThatUsesTheSignerDropsNoEventOfAnotherThread() {
        Loader.load();
        long signer = nativeSigner();
        String[] causes = {"first", "another thread's", "the listener's"};
        Object[] failures = Stream.of(causes).map(IllegalStateException::new).toArray();
        Source source = new Source(answering(failures));
        Consumer<Boolean> fetch =
                isListener ->
                        assertThrows(
                                RdsignException.class,
                                () -> Native.tokenAt(signer, source, 0, isListener));
        List<String> heard = new ArrayList<>();
        Consumer<CredentialsEvent> using =
                event -> {
                    heard.add(event.message().replaceFirst(".*: ", ""));
                    if (heard.size() == 1) {
                        // The other thread has not told its event yet when this one's call ends.
                        fetch.accept(false);
                        fetch.accept(CredentialsEvent.isListener());
                        CredentialsEvent.tell(signer, ignored -> heard.add("nested"));
                    }
                };
        fetch.accept(false);
        CredentialsEvent.tell(signer, using);
        Native.free(signer);
        assertEquals(Arrays.asList(causes).subList(0, 2), heard);
    }

    @Test
    void aTokenSaysWhetherAnEventWaits() {
        Loader.load();
        long signer = nativeSigner();
        Source source = new Source(answering(END));
        Supplier<Boolean> sign =
                () -> {
                    byte[] signed = Native.tokenAt(signer, source, NOON.getEpochSecond(), false);
                    return signed[signed.length - 1] != 0;
                };
        assertTrue(sign.get());
        assertTrue(sign.get());
        CredentialsEvent.tell(signer, event -> {});
        assertFalse(sign.get());
        Native.free(signer);
    }
}
