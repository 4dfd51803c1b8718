package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.Serializable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The Signer in Java. VectorsTest checks the tokens. */
class SignerTest {
    static final String HOST = "mydb.abc123.eu-central-1.rds.amazonaws.com";
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.678Z");

    static Signer.Builder builder() {
        return Signer.builder().hostname(HOST).username("iam_user");
    }

    private static Signer.Builder withKeys() {
        return builder().accessKeyId("AKIDEXAMPLE").secretAccessKey("verysecret");
    }

    private static String codeOf(Signer.Builder builder) {
        return assertThrows(RdsignException.class, builder::build).code();
    }

    @Test
    void aTokenExpiresAfterItsLifetimeOrWithItsCredentials() {
        try (Signer signer = withKeys().expiresIn(Duration.ofSeconds(60)).build()) {
            assertEquals(Instant.parse("2026-01-02T03:05:05Z"), signer.token(TIME).expiresAt());
        }
        Instant soon = Instant.parse("2026-01-02T03:06:00.123Z");
        Credentials credentials =
                Credentials.builder()
                        .accessKeyId("ASIAEXAMPLE")
                        .secretAccessKey("verysecret")
                        .sessionToken("session")
                        .expiration(soon)
                        .build();
        try (Signer signer = builder().credentials(() -> credentials).build()) {
            assertEquals(soon, signer.token(TIME).expiresAt());
        }
    }

    @Test
    void noTokenIsReturnedAfterItsOwnExpiry() {
        Instant second = TIME.truncatedTo(ChronoUnit.SECONDS);
        for (long nanoseconds : new long[] {0, 1, 500_000_000, 999_999_999}) {
            Instant end = second.plusNanos(nanoseconds);
            Credentials credentials =
                    Credentials.builder()
                            .accessKeyId("ASIAEXAMPLE")
                            .secretAccessKey("verysecret")
                            .expiration(end)
                            .build();
            try (Signer signer = builder().credentials(() -> credentials).build()) {
                Instant before = second.minusSeconds(1);
                Instant reported = signer.token(before).expiresAt();
                assertTrue(reported.isAfter(before) && !reported.isAfter(end), reported::toString);
                for (Instant time : new Instant[] {second, end}) {
                    RdsignException expired =
                            assertThrows(RdsignException.class, () -> signer.token(time));
                    assertEquals("CREDENTIALS_EXPIRED", expired.code());
                }
            }
        }
    }

    @Test
    void aTokenSignedNowIsValidForFifteenMinutes() {
        try (Signer signer = withKeys().build()) {
            Instant before = Instant.now();
            Instant expiry = signer.token().expiresAt();
            assertFalse(expiry.isBefore(before.plusSeconds(899)), expiry::toString);
            assertFalse(expiry.isAfter(Instant.now().plusSeconds(900)), expiry::toString);
            assertTrue(
                    signer.password().startsWith(HOST + ":5432/?Action=connect&DBUser=iam_user&"));
        }
    }

    @Test
    void aClockSetsTheTimeThatEachTokenIsSignedAt() {
        Instant[] now = {TIME};
        Clock clock =
                new Clock() {
                    @Override
                    public Instant instant() {
                        return now[0];
                    }

                    @Override
                    public ZoneId getZone() {
                        return ZoneOffset.UTC;
                    }

                    @Override
                    public Clock withZone(ZoneId zone) {
                        throw new UnsupportedOperationException();
                    }
                };
        try (Signer signer = withKeys().clock(clock).build()) {
            assertTrue(signer.password().contains("&X-Amz-Date=20260102T030405Z&"));
            now[0] = TIME.plus(16, ChronoUnit.MINUTES);
            assertTrue(signer.token().value().contains("&X-Amz-Date=20260102T032005Z&"));
            assertTrue(
                    signer.tokenAsync().join().value().contains("&X-Amz-Date=20260102T032005Z&"));
        }
    }

    @Test
    void toStringShowsNoSecrets() {
        Credentials.Builder credentials =
                Credentials.builder()
                        .accessKeyId("AKIDEXAMPLE")
                        .secretAccessKey("verysecret")
                        .sessionToken("session");
        Signer.Builder builder = withKeys().sessionToken("session");
        try (Signer signer = builder.build()) {
            Token token = signer.token(TIME);
            assertEquals(
                    "Token[value=** redacted **, expiresAt=2026-01-02T03:19:05Z]",
                    token.toString());
            assertEquals(
                    "Signer[hostname="
                            + HOST
                            + ", port=5432, username=iam_user,"
                            + " region=eu-central-1]",
                    signer.toString());
            for (Object shown : List.of(builder, signer, token, credentials, credentials.build())) {
                String text = shown.toString();
                for (String secret : List.of("AKIDEXAMPLE", "verysecret", "session", "Signature")) {
                    assertFalse(text.contains(secret), text);
                }
                assertFalse(shown instanceof Serializable, text);
            }
        }
    }

    @Test
    void aSignerHasTheFieldsThatItSignsFor() {
        try (Signer signer = withKeys().port(6543).username("größe 🙂").build()) {
            assertEquals(HOST, signer.hostname());
            assertEquals(6543, signer.port());
            assertEquals("größe 🙂", signer.username());
            assertEquals("eu-central-1", signer.region());
        }
    }

    @Test
    void nullThrowsANullPointerExceptionThatNamesTheOption() throws Exception {
        List<Object> builders = List.of(Signer.builder(), Credentials.builder());
        int setters = 0;
        for (Object builder : builders) {
            for (Method setter : builder.getClass().getDeclaredMethods()) {
                boolean acceptsAnObject =
                        Modifier.isPublic(setter.getModifiers())
                                && setter.getParameterCount() == 1
                                && !setter.getParameterTypes()[0].isPrimitive();
                if (acceptsAnObject) {
                    setters++;
                    Throwable refused =
                            assertThrows(
                                            InvocationTargetException.class,
                                            () -> setter.invoke(builder, (Object) null))
                                    .getCause();
                    assertEquals(NullPointerException.class, refused.getClass());
                    assertEquals(setter.getName() + " is null", refused.getMessage());
                }
            }
        }
        assertEquals(20, setters);
        try (Signer signer = withKeys().build()) {
            assertThrows(NullPointerException.class, () -> signer.token(null));
            assertThrows(NullPointerException.class, () -> signer.tokenAsync(null));
        }
    }

    @Test
    void aRejectedNullDoesNotChangeTheBuilder() {
        Signer.Builder builder = withKeys();
        assertThrows(NullPointerException.class, () -> builder.username(null));
        try (Signer signer = builder.build()) {
            assertEquals("iam_user", signer.username());
        }
    }

    @Test
    void damagedTextIsRejected() {
        for (String name :
                List.of("a\ud800b", "a\udc00", "\udc00\ud800", "a\ufffdb", "a\0b", "\0")) {
            assertEquals("INVALID_USERNAME", codeOf(withKeys().username(name)));
        }
        assertEquals("INVALID_HOSTNAME", codeOf(withKeys().hostname("a\ud800b")));
        assertEquals("INVALID_CREDENTIALS", codeOf(withKeys().accessKeyId("a\0b")));
        String token;
        try (Signer signer = withKeys().username("\ud83d\ude42").build()) {
            token = signer.token(TIME).value();
        }
        assertTrue(token.contains("&DBUser=%F0%9F%99%82&"), token);
    }

    @Test
    void coreRejectsMissingAndInvalidOptions() {
        assertEquals("INVALID_HOSTNAME", codeOf(Signer.builder()));
        assertEquals("INVALID_USERNAME", codeOf(Signer.builder().hostname(HOST)));
        assertEquals("INVALID_PORT", codeOf(withKeys().port(0).username("")));
        assertEquals("INVALID_PORT", codeOf(withKeys().port((1L << 32) + 5432)));
        assertEquals("REGION_REQUIRED", codeOf(withKeys().hostname("localhost")));
        assertEquals("REGION_MISMATCH", codeOf(withKeys().region("us-east-1")));
        assertEquals("INVALID_CREDENTIALS", codeOf(withKeys().secretAccessKey("")));
        assertEquals("INVALID_CREDENTIALS", codeOf(withKeys().profile("a")));
        assertEquals("INVALID_CREDENTIALS", codeOf(withKeys().credentialsTimeout(Duration.ZERO)));
        assertEquals(
                "INVALID_CREDENTIALS",
                codeOf(withKeys().credentialsTimeout(Duration.ofSeconds(Long.MIN_VALUE))));
        for (Duration life :
                List.of(
                        Duration.ZERO,
                        Duration.ofSeconds(901),
                        Duration.ofSeconds(-1),
                        Duration.ofMillis(1500),
                        Duration.ofSeconds(Long.MAX_VALUE))) {
            assertEquals("INVALID_EXPIRES_IN", codeOf(withKeys().expiresIn(life)));
        }
        RdsignException fraction =
                assertThrows(
                        RdsignException.class,
                        () -> withKeys().expiresIn(Duration.ofMillis(1500)).build());
        assertEquals(
                "expires in: 1.5 is not a valid lifetime; accepted: 1 to 900 seconds",
                fraction.getMessage());
        assertEquals(
                "io.github.rdsign.RdsignException: INVALID_EXPIRES_IN: " + fraction.getMessage(),
                fraction.toString());
        withKeys().credentialsTimeout(Duration.ofSeconds(Long.MAX_VALUE)).build().close();
    }

    @Test
    void aSigningTimeOutOfRangeIsRejected() {
        try (Signer signer = withKeys().build()) {
            for (Instant time : List.of(Instant.MIN, Instant.ofEpochSecond(-1), Instant.MAX)) {
                RdsignException refused =
                        assertThrows(RdsignException.class, () -> signer.token(time));
                assertEquals("INVALID_SIGNING_TIME", refused.code());
            }
        }
    }

    @Test
    void theLaterValueOfAnOptionCounts() {
        try (Signer signer = withKeys().username("other").username("iam_user").build()) {
            assertEquals("iam_user", signer.username());
        }
    }

    @Test
    void aFutureCompletesWithATokenOrTheException() throws Exception {
        ExecutorService executor =
                Executors.newSingleThreadExecutor(body -> new Thread(body, "the caller's"));
        List<String> threads = new ArrayList<>();
        Credentials keys =
                Credentials.builder().accessKeyId("AKIDEXAMPLE").secretAccessKey("s").build();
        try (Signer signer =
                builder()
                        .credentials(
                                () -> {
                                    threads.add(Thread.currentThread().getName());
                                    return keys;
                                })
                        .build()) {
            String value =
                    signer.tokenAsync(executor).get(Child.PATIENCE, TimeUnit.SECONDS).value();
            assertTrue(value.startsWith(HOST), value);
            assertEquals(List.of("the caller's"), threads);
            assertTrue(
                    signer.tokenAsync()
                            .get(Child.PATIENCE, TimeUnit.SECONDS)
                            .value()
                            .startsWith(HOST));
        } finally {
            executor.shutdown();
        }
        try (Signer signer = builder().profile("missing").build()) {
            CompletionException failed =
                    assertThrows(CompletionException.class, () -> signer.tokenAsync().join());
            assertEquals(RdsignException.class, failed.getCause().getClass());
        }
    }

    @Test
    void anExceptionOfTheSupplierIsTheCause() {
        IllegalArgumentException thrown = new IllegalArgumentException("the vault is closed");
        AtomicInteger calls = new AtomicInteger();
        try (Signer signer =
                builder()
                        .credentials(
                                () -> {
                                    if (calls.incrementAndGet() == 1) {
                                        throw thrown;
                                    }
                                    return null;
                                })
                        .build()) {
            RdsignException first = assertThrows(RdsignException.class, signer::token);
            assertEquals("CREDENTIALS_FAILED", first.code());
            assertSame(thrown, first.getCause());
            assertTrue(first.getMessage().contains("the vault is closed"), first::getMessage);
            RdsignException second = assertThrows(RdsignException.class, signer::token);
            assertEquals(null, second.getCause());
            assertTrue(second.getMessage().contains("returned null"), second::getMessage);
        }
    }

    @Test
    void aSupplierIsCalledOnceForKeysWithoutAnExpiry() {
        AtomicInteger calls = new AtomicInteger();
        try (Signer signer =
                builder()
                        .credentials(
                                () -> {
                                    calls.incrementAndGet();
                                    return Credentials.builder()
                                            .accessKeyId("AKIDEXAMPLE")
                                            .secretAccessKey("verysecret")
                                            .build();
                                })
                        .build()) {
            for (int i = 0; i < 100; i++) {
                signer.token();
            }
            assertEquals(1, calls.get());
        }
    }

    @Test
    void aSupplierCanUseAnotherSigner() {
        Credentials keys =
                Credentials.builder().accessKeyId("INNER").secretAccessKey("inner").build();
        try (Signer inner = builder().credentials(() -> keys).build();
                Signer outer =
                        builder()
                                .credentials(
                                        () -> {
                                            assertTrue(inner.password().contains("INNER"));
                                            return Credentials.builder()
                                                    .accessKeyId("OUTER")
                                                    .secretAccessKey("outer")
                                                    .build();
                                        })
                                .build()) {
            assertTrue(outer.password().contains("OUTER"));
        }
    }

    @Test
    void invalidAndExpiredKeysOfASupplierAreRejected() {
        Credentials bad = Credentials.builder().accessKeyId("a\0b").secretAccessKey("s").build();
        try (Signer signer = builder().credentials(() -> bad).build()) {
            RdsignException refused = assertThrows(RdsignException.class, signer::token);
            assertEquals("INVALID_CREDENTIALS", refused.code());
        }
        Credentials empty = Credentials.builder().build();
        try (Signer signer = builder().credentials(() -> empty).build()) {
            assertEquals(
                    "INVALID_CREDENTIALS",
                    assertThrows(RdsignException.class, signer::token).code());
        }
        Credentials expired =
                Credentials.builder()
                        .accessKeyId("AKID")
                        .secretAccessKey("s")
                        .expiration(Instant.MIN)
                        .build();
        try (Signer signer = builder().credentials(() -> expired).build()) {
            assertEquals(
                    "CREDENTIALS_EXPIRED",
                    assertThrows(RdsignException.class, signer::token).code());
        }
    }

    @Test
    void sixtyFourThreadsShareASigner() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(64);
        AtomicInteger calls = new AtomicInteger();
        try (Signer signer =
                builder()
                        .credentials(
                                () -> {
                                    calls.incrementAndGet();
                                    return Credentials.builder()
                                            .accessKeyId("AKIDEXAMPLE")
                                            .secretAccessKey("verysecret")
                                            .build();
                                })
                        .build()) {
            CountDownLatch start = new CountDownLatch(64);
            Callable<Set<String>> many =
                    () -> {
                        start.countDown();
                        start.await();
                        return Set.copyOf(
                                IntStream.range(0, 500)
                                        .mapToObj(i -> signer.token(TIME).value())
                                        .distinct()
                                        .toList());
                    };
            List<Future<Set<String>>> all =
                    threads.invokeAll(Stream.generate(() -> many).limit(64).toList());
            Set<String> expected = Set.of(signer.token(TIME).value());
            for (Future<Set<String>> one : all) {
                assertEquals(expected, one.get());
            }
            assertEquals(1, calls.get());
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void aClosedSignerThrowsAndItsTokensStayUsable() {
        Signer signer = withKeys().build();
        Token token = signer.token(TIME);
        signer.close();
        signer.close();
        for (int i = 0; i < 3; i++) {
            IllegalStateException closed = assertThrows(IllegalStateException.class, signer::token);
            assertEquals("the signer is closed", closed.getMessage());
            assertThrows(IllegalStateException.class, () -> signer.token(TIME));
            assertThrows(IllegalStateException.class, signer::password);
        }
        assertTrue(token.value().startsWith(HOST));
        assertEquals(HOST, signer.hostname());
    }

    @Test
    void aSignerCanBeClosedWhileOtherThreadsUseIt() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            for (int round = 0; round < 50; round++) {
                Signer signer = withKeys().build();
                CountDownLatch started = new CountDownLatch(8);
                Callable<Integer> use =
                        () -> {
                            started.countDown();
                            for (int tokens = 0; ; tokens++) {
                                try {
                                    assertTrue(signer.password().startsWith(HOST));
                                } catch (IllegalStateException closed) {
                                    return tokens;
                                }
                            }
                        };
                List<Future<Integer>> users =
                        IntStream.range(0, 8).mapToObj(i -> threads.submit(use)).toList();
                started.await();
                signer.close();
                for (Future<Integer> user : users) {
                    user.get(Child.PATIENCE, TimeUnit.SECONDS);
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aSignerThatIsClosedByItsOwnSupplierIsFreedAfterwards() {
        Signer[] itself = new Signer[1];
        itself[0] =
                builder()
                        .credentials(
                                () -> {
                                    itself[0].close();
                                    return Credentials.builder()
                                            .accessKeyId("AKIDEXAMPLE")
                                            .secretAccessKey("s")
                                            .build();
                                })
                        .build();
        assertTrue(itself[0].password().startsWith(HOST));
        assertThrows(IllegalStateException.class, itself[0]::password);
    }

    @Test
    void aSignerThatIsNotClosedIsFreed() {
        for (int i = 0; i < 1000; i++) {
            Signer[] holder = new Signer[1];
            // Also if its supplier refers to it.
            holder[0] =
                    builder()
                            .credentials(
                                    () -> {
                                        throw new IllegalStateException(holder[0].hostname());
                                    })
                            .build();
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Child.PATIENCE);
        while (Handle.count() > 100) {
            assertTrue(System.nanoTime() < deadline, () -> Handle.count() + " signers are left");
            System.gc();
            withKeys().build().close();
        }
    }

    @Test
    void theExceptionDocumentsEachCode() throws Exception {
        List<String> lines =
                Files.readString(Path.of("../tests/codes.tsv"))
                        .lines()
                        .filter(line -> !line.startsWith("#"))
                        .toList();
        assertEquals("code\tnumber\tkind", lines.get(0));
        List<String> codes =
                lines.stream()
                        .skip(1)
                        .filter(line -> !line.endsWith("\tc"))
                        .map(line -> line.split("\t")[0])
                        .toList();
        String source =
                Files.readString(Path.of("src/main/java/io/github/rdsign/RdsignException.java"));
        List<String> documented =
                Pattern.compile("\\{@code[\\s*]+([A-Z_]+)}")
                        .matcher(source)
                        .results()
                        .map(match -> match.group(1))
                        .distinct()
                        .toList();
        assertEquals(codes, documented);
    }

    @Test
    void eachCallReturnsANewToken() {
        try (Signer signer = withKeys().build()) {
            assertNotSame(signer.token(TIME), signer.token(TIME));
            assertNotEquals(signer.token(TIME).value(), signer.token(TIME.plusSeconds(1)).value());
        }
    }
}
