package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import javax.tools.ToolProvider;

/** Tests that need a whole JVM: its checks of JNI, its memory use, and other versions of Java. */
class JvmTest {
    @Test
    void theJvmsChecksOfJniFindNothing() throws Exception {
        Child.Ended ended = new Child().option("-Xcheck:jni").run(Workout.class, "all").well();
        assertEquals("1000\n", ended.output());
        assertEquals("", ended.error());
    }

    @Test
    void aMillionTokensDoNotIncreaseMemoryUse() throws Exception {
        String[] resident =
                new Child()
                        .option("-Xmx64m")
                        .option("-Xms64m")
                        .option("-XX:+AlwaysPreTouch")
                        .run(Workout.class, "flat", "1000000")
                        .well()
                        .output()
                        .strip()
                        .split(" ");
        long grown = Long.parseLong(resident[1]) - Long.parseLong(resident[0]);
        // Leaking the text of all tokens would take 1.8 GB.
        assertTrue(grown < 32 * 1024, () -> "grown by " + grown + " kB");
    }

    @Test
    void allOtherJdksOnThisMachineSignTokens() throws Exception {
        List<Path> others = new ArrayList<>();
        try (Stream<Path> all = Files.list(Path.of("/usr/lib/jvm"))) {
            for (Path home : all.toList()) {
                Path java = home.resolve("bin/java");
                boolean own =
                        home.toRealPath()
                                .equals(Path.of(System.getProperty("java.home")).toRealPath());
                if (!own && !Files.isSymbolicLink(home) && Files.isExecutable(java)) {
                    others.add(java);
                }
            }
        }
        assumeTrue(!others.isEmpty(), "no other Java in /usr/lib/jvm");
        for (Path java : others) {
            Child.Ended ended =
                    new Child()
                            .java(java)
                            .environment("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
                            .environment("AWS_SECRET_ACCESS_KEY", "verysecret")
                            .run(Workout.class, "first");
            if (!ended.error().contains("UnsupportedClassVersionError")) {
                assertEquals("true\n", ended.well().output(), java::toString);
            }
        }
    }

    @Test
    void aModuleCanRequireItWithoutADriver(@TempDir Path folder) throws Exception {
        Path info =
                Files.writeString(
                        folder.resolve("module-info.java"),
                        "module app { requires io.github.rdsign; }");
        Path main =
                Files.writeString(
                        folder.resolve("Main.java"),
                        """
                        package app;
                        public class Main {
                            public static void main(String[] arguments) {
                                var signer = io.github.rdsign.Signer.builder()
                                        .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
                                        .username("iam_user").accessKeyId("a").secretAccessKey("b")
                                        .build();
                                System.out.println(signer.getClass().getModule().getName()
                                        + " " + (signer.password().length() > 300));
                            }
                        }
                        """);
        String jar = Child.jar().toString();
        int compiled =
                ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                null,
                                null,
                                "-p",
                                jar,
                                "-d",
                                folder.resolve("app").toString(),
                                info.toString(),
                                main.toString());
        assertEquals(0, compiled);
        Child.Ended ended =
                new Child()
                        .classPath(null)
                        .option("-p")
                        .option(jar + File.pathSeparator + folder.resolve("app"))
                        .option("-m")
                        .run("app/app.Main")
                        .well();
        assertEquals("io.github.rdsign true\n", ended.output());
    }
}
