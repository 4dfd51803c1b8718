package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Starts another JVM, for tests that need its own options, environment or folders. */
final class Child {
    /** Seconds to wait for something that takes far less. Only a failure waits this long. */
    static final int PATIENCE = 600;

    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin/java").toString();

    private final List<String> options = new ArrayList<>();
    private final Map<String, String> environment;
    private final ProcessBuilder builder = new ProcessBuilder();
    private String java = JAVA;
    private String classPath = System.getProperty("java.class.path");

    /** The exit status and the output of a program. */
    record Ended(int status, String output, String error) {
        Ended well() {
            assertEquals(0, status, () -> output + error);
            return this;
        }
    }

    Child() {
        environment = builder.environment();
        clean(environment);
    }

    /** Removes variables that change the behavior of rdsign. */
    static void clean(Map<String, String> environment) {
        environment.keySet().removeIf(name -> name.matches("(AWS_|PG|RDSIGN_).*"));
        environment.put("AWS_EC2_METADATA_DISABLED", "true");
        environment.put("AWS_CONFIG_FILE", "/dev/null");
        environment.put("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    }

    Child option(String option) {
        options.add(option);
        return this;
    }

    Child environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    Child classPath(String path) {
        classPath = path;
        return this;
    }

    /** Sets the java program, such as another JDK's. */
    Child java(Path java) {
        this.java = java.toString();
        return this;
    }

    Ended run(Class<?> main, String... arguments) throws Exception {
        return run(main.getName(), arguments);
    }

    Ended run(String main, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(java));
        command.addAll(options);
        if (classPath != null) {
            command.addAll(List.of("-cp", classPath));
        }
        command.add(main);
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile("rdsign-test", ".out");
        Path error = Files.createTempFile("rdsign-test", ".err");
        try {
            Process process =
                    builder.command(command)
                            .redirectOutput(output.toFile())
                            .redirectError(error.toFile())
                            .start();
            boolean ended = process.waitFor(PATIENCE, TimeUnit.SECONDS);
            process.destroyForcibly();
            assertTrue(ended, () -> "still running: " + command);
            return new Ended(process.waitFor(), Files.readString(output), Files.readString(error));
        } finally {
            Files.delete(output);
            Files.delete(error);
        }
    }

    /** Returns the path of the JAR under test. */
    static Path jar() {
        return Path.of(System.getProperty("rdsign.test.jar"));
    }
}
