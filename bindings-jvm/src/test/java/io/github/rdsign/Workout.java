package io.github.rdsign;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** The program that tests run in other JVMs: {@code Workout WHAT}. */
final class Workout {
    private Workout() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "first" ->
                    System.out.println(SignerTest.builder().build().password().length() > 300);
            case "all" -> all();
            case "threads" -> threads();
            case "flat" -> flat(Integer.parseInt(arguments[1]));
            case "twice" -> twice();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static Signer.Builder keys() {
        return SignerTest.builder().accessKeyId("AKIDEXAMPLE").secretAccessKey("verysecret");
    }

    /** Calls each native method, with valid and invalid arguments. */
    private static void all() throws Exception {
        int failures = 0;
        for (int round = 0; round < 200; round++) {
            try (Signer signer =
                    keys().port(5433)
                            .region("eu-central-1")
                            .sessionToken("session".repeat(100))
                            .expiresIn(Duration.ofSeconds(60))
                            .credentialsTimeout(Duration.ofSeconds(1))
                            .username("größe 🙂")
                            .build()) {
                signer.token();
                signer.token(Instant.EPOCH);
                signer.password();
                signer.tokenAsync().get();
            }
            for (String name : List.of("", "\0", "\ud800", "\ufffd")) {
                try {
                    keys().username(name).build();
                } catch (RdsignException refused) {
                    failures++;
                }
            }
            try (Signer signer =
                    SignerTest.builder()
                            .credentials(
                                    () -> {
                                        throw new IllegalStateException("größe 🙂 \0");
                                    })
                            .build()) {
                signer.token();
            } catch (RdsignException refused) {
                failures++;
            }
            Credentials credentials =
                    Credentials.builder()
                            .accessKeyId("ASIAEXAMPLE")
                            .secretAccessKey("verysecret")
                            .sessionToken("session")
                            .expiration(Instant.now().plusSeconds(3600))
                            .build();
            try (Signer signer = SignerTest.builder().credentials(() -> credentials).build()) {
                signer.token();
                signer.token();
            }
        }
        threads();
        System.out.println(failures);
    }

    private static void threads() throws InterruptedException {
        try (Signer signer = keys().build()) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                Thread thread =
                        new Thread(
                                () -> {
                                    for (int n = 0; n < 100; n++) {
                                        signer.token();
                                    }
                                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    /**
     * Prints the resident memory of this process in kB after a tenth of the tokens, and after all.
     */
    private static void flat(int tokens) throws Exception {
        long early = 0;
        try (Signer signer = keys().sessionToken("session".repeat(200)).build()) {
            for (int i = 0; i < tokens; i++) {
                if (signer.token().value().length() < 1000) {
                    throw new AssertionError("too short");
                }
                if (i % 1000 == 0) {
                    // Also makes signers, errors and keys of suppliers.
                    keys().build();
                    try {
                        keys().port(0).build();
                    } catch (RdsignException expected) {
                        SignerTest.builder()
                                .credentials(
                                        () ->
                                                Credentials.builder()
                                                        .accessKeyId("a")
                                                        .secretAccessKey("b")
                                                        .build())
                                .build()
                                .token();
                    }
                }
                if (i == tokens / 10) {
                    early = resident();
                }
            }
        }
        System.out.println(early + " " + resident());
    }

    private static long resident() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new AssertionError("no VmRSS");
    }

    private static void twice() {
        String message = null;
        for (int i = 0; i < 2; i++) {
            try {
                keys().build();
                throw new AssertionError("loaded");
            } catch (UnsatisfiedLinkError error) {
                if (message != null && !message.equals(error.getMessage())) {
                    throw new AssertionError(error);
                }
                message = error.getMessage();
            }
        }
        System.out.println(message);
    }
}
