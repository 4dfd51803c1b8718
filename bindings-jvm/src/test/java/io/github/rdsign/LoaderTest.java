package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Loading the native library. */
class LoaderTest {
    @TempDir Path folder;

    private static Child withKeys() {
        return new Child()
                .environment("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
                .environment("AWS_SECRET_ACCESS_KEY", "verysecret");
    }

    private Path library() throws Exception {
        Path library = folder.resolve("a library.so");
        try (JarFile jar = new JarFile(Child.jar().toFile())) {
            var entry = jar.stream().filter(it -> it.getName().endsWith(".so")).findFirst();
            try (InputStream input = jar.getInputStream(entry.orElseThrow())) {
                Files.copy(input, library, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return library;
    }

    private static List<Path> list(Path folder) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static List<Path> leftovers(Path in) throws Exception {
        return list(in).stream()
                .filter(file -> file.getFileName().toString().startsWith("rdsign"))
                .toList();
    }

    @Test
    void theCopyOfTheLibraryIsDeleted() throws Exception {
        Child.Ended ended =
                withKeys().option("-Djava.io.tmpdir=" + folder).run(Workout.class, "first").well();
        assertEquals("true\n", ended.output());
        assertEquals(List.of(), leftovers(folder));
    }

    @Test
    void theCopyIsInANewFolderForItsOwnerOnly() throws Exception {
        Path traces = Files.createDirectory(folder.resolve("traces"));
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        Process strace;
        try {
            // One trace file for each thread: in a common file, strace splits a call ("<unfinished
            // ...>") if another thread makes one meanwhile.
            strace =
                    new ProcessBuilder(
                                    "strace",
                                    "-ff",
                                    "-qq",
                                    "-o",
                                    traces.resolve("of").toString(),
                                    "-e",
                                    "trace=mkdir,unlink,rmdir,openat",
                                    Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    "-Djava.io.tmpdir=" + temporary,
                                    Workout.class.getName(),
                                    "threads")
                            .inheritIO()
                            .start();
        } catch (IOException noStrace) {
            throw new TestAbortedException("strace is not installed");
        }
        assertTrue(strace.waitFor(Child.PATIENCE, TimeUnit.SECONDS));
        assertEquals(0, strace.exitValue());
        List<List<String>> threads = new ArrayList<>();
        for (Path trace : list(traces)) {
            List<String> calls =
                    Files.readAllLines(trace).stream()
                            .filter(line -> line.contains(temporary + "/rdsign-"))
                            .map(line -> line.replaceAll("rdsign-\\w+", "F"))
                            .map(line -> line.replace(temporary.toString(), ""))
                            .toList();
            if (!calls.isEmpty()) {
                threads.add(calls);
            }
        }
        assertEquals(1, threads.size(), threads::toString);
        List<String> calls = threads.get(0);
        assertEquals("mkdir(\"/F\", 0700) = 0", calls.get(0).replaceAll(" +", " "));
        assertTrue(calls.get(1).contains("O_CREAT"), () -> calls.toString());
        assertTrue(calls.get(calls.size() - 2).startsWith("unlink(\"/F/"), () -> calls.toString());
        assertTrue(calls.get(calls.size() - 1).startsWith("rmdir(\"/F\")"), () -> calls.toString());
    }

    @Test
    void thePropertyIsTriedFirst() throws Exception {
        Path library = library();
        // A copy would fail: its folder does not exist.
        Child.Ended ended =
                withKeys()
                        .option("-Drdsign.library=" + library)
                        .option("-Djava.io.tmpdir=" + folder.resolve("missing"))
                        .run(Workout.class, "first")
                        .well();
        assertEquals("true\n", ended.output());
    }

    @Test
    void theLibraryPathIsTriedSecond() throws Exception {
        Files.copy(library(), folder.resolve("librdsign_jvm.so"));
        Child.Ended ended =
                withKeys()
                        .option("-Djava.library.path=" + folder)
                        .option("-Djava.io.tmpdir=" + folder.resolve("missing"))
                        .run(Workout.class, "first")
                        .well();
        assertEquals("true\n", ended.output());
    }

    @Test
    void aFailureNamesThePlatformThePathAndTheProperty() throws Exception {
        Path missing = folder.resolve("missing.so");
        String property =
                new Child()
                        .option("-Drdsign.library=" + missing)
                        .run(Workout.class, "twice")
                        .well()
                        .output();
        String temporary =
                new Child()
                        .option("-Djava.io.tmpdir=" + folder.resolve("missing"))
                        .run(Workout.class, "twice")
                        .well()
                        .output();
        String unknown =
                new Child().option("-Dos.arch=riscv64").run(Workout.class, "twice").well().output();
        String architecture = System.getProperty("os.arch").replace("amd64", "x86_64");
        for (String message : List.of(property, temporary)) {
            String platform = "OS linux, architecture " + architecture + ", libc glibc";
            assertTrue(message.contains(platform), message);
            assertTrue(message.contains("the system property rdsign.library"), message);
        }
        assertTrue(property.contains("tried: " + missing + ": "), property);
        assertTrue(
                temporary.contains("tried: a copy in " + folder.resolve("missing") + ": "),
                temporary);
        // An unknown architecture keeps its name.
        assertTrue(unknown.contains("architecture riscv64"), unknown);
        assertTrue(
                unknown.contains("linux/riscv64/glibc/librdsign_jvm.so in the JARs: missing"),
                unknown);
    }

    @Test
    void otherSystemsLoadTheLibraryOfTheirFolder() throws Exception {
        for (String[] other :
                new String[][] {
                    {"Mac OS X", "aarch64", "macos/aarch64/librdsign_jvm.dylib"},
                    {"Windows Server 2025", "amd64", "windows/x86_64/rdsign_jvm.dll"},
                }) {
            Path packed = folder.resolve("META-INF/rdsign").resolve(other[2]);
            Files.createDirectories(packed.getParent());
            Files.copy(library(), packed);
            Child.Ended ended =
                    withKeys()
                            .option("-Dos.name=" + other[0])
                            .option("-Dos.arch=" + other[1])
                            .classPath(
                                    System.getProperty("java.class.path")
                                            + File.pathSeparator
                                            + folder)
                            .run(Workout.class, "first")
                            .well();
            assertEquals("true\n", ended.output(), other[2]);
        }
    }

    @Test
    void onlyOldCopiesOfOtherJvmsAreDeleted() throws Exception {
        long before = 1_000_000;
        for (String name : List.of("rdsign-1a", "rdsign-1b", "rdsign-docs", "other")) {
            Path copy = Files.createDirectory(folder.resolve(name)).resolve("librdsign_jvm.so");
            Files.createFile(copy);
            boolean isNew = name.equals("rdsign-1b");
            assertTrue(copy.getParent().toFile().setLastModified(isNew ? before : before - 1000));
        }
        Loader.deleteLeftovers(folder, before);
        assertEquals(
                Set.of("rdsign-1b", "rdsign-docs", "other"),
                list(folder).stream()
                        .map(path -> path.getFileName().toString())
                        .collect(Collectors.toSet()));
    }

    @Test
    void anErrorNamesATemporaryFolderThatIsMountedNoexec() throws Exception {
        Process mount =
                new ProcessBuilder(
                                "mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", folder.toString())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(mount.getInputStream().readAllBytes());
        assumeTrue(mount.waitFor() == 0, () -> "mounting needs root: " + output);
        try {
            String message =
                    new Child()
                            .option("-Djava.io.tmpdir=" + folder)
                            .run(Workout.class, "twice")
                            .well()
                            .output();
            assertTrue(message.contains("tried: a copy in " + folder + ": "), message);
            assertTrue(message.contains("failed to map segment from shared object"), message);
            assertTrue(
                    message.contains("java.io.tmpdir to a folder that is not mounted noexec"),
                    message);
            assertEquals(List.of(), leftovers(folder));
        } finally {
            assertEquals(0, new ProcessBuilder("umount", folder.toString()).start().waitFor());
        }
    }

    @Test
    void aTemporaryFolderInWhichOthersCanReplaceTheCopyIsRefused() throws Exception {
        for (String mode : List.of("777", "770", "1777", "755", "700")) {
            Path temporary = Files.createDirectory(folder.resolve(mode));
            Path link = Files.createSymbolicLink(folder.resolve("link" + mode), temporary);
            run("chmod", mode, temporary.toString());
            for (Path one : List.of(temporary, link)) {
                if (mode.startsWith("77")) {
                    refuses(one, "java.io.tmpdir is writable by others, and is not sticky");
                } else {
                    signsIn(one);
                }
            }
        }
    }

    @Test
    void aTemporaryFolderOfAnotherUserIsRefused() throws Exception {
        // Root could change everything anyway, but here it stands for a user.
        run("chown", "65534", folder.toString());
        run("chmod", "1777", folder.toString());
        refuses(folder, "java.io.tmpdir belongs to another user");
    }

    private static void refuses(Path temporary, String reason) throws Exception {
        String option = "-Djava.io.tmpdir=" + temporary;
        String message = new Child().option(option).run(Workout.class, "twice").well().output();
        assertTrue(message.contains("tried: a copy in " + temporary + ": " + reason), message);
        assertTrue(message.contains("the system property rdsign.library"), message);
        assertEquals(List.of(), leftovers(temporary));
    }

    private static void signsIn(Path temporary) throws Exception {
        String option = "-Djava.io.tmpdir=" + temporary;
        assertEquals(
                "true\n", withKeys().option(option).run(Workout.class, "first").well().output());
        assertEquals(List.of(), leftovers(temporary));
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        assumeTrue(process.waitFor() == 0, () -> String.join(" ", command) + ": " + output);
    }

    @Test
    void twoClassLoadersBothWork() throws Exception {
        twoClassLoaders();
        System.setProperty("rdsign.library", library().toString());
        try {
            twoClassLoaders();
        } finally {
            System.clearProperty("rdsign.library");
        }
    }

    /** In a JAR within a JAR, the classes do not come from a file. */
    @Test
    void aClassLoaderWithoutAFileWorks() throws Exception {
        URL[] jar = {Child.jar().toUri().toURL()};
        try (URLClassLoader files = new URLClassLoader(jar, null)) {
            signsAndRefuses(
                    new ClassLoader(null) {
                        @Override
                        protected Class<?> findClass(String name) throws ClassNotFoundException {
                            String file = name.replace('.', '/') + ".class";
                            try (InputStream input = files.getResourceAsStream(file)) {
                                byte[] bytes = input.readAllBytes();
                                return defineClass(name, bytes, 0, bytes.length);
                            } catch (IOException failure) {
                                throw new ClassNotFoundException(name, failure);
                            }
                        }

                        @Override
                        protected URL findResource(String name) {
                            return files.getResource(name);
                        }
                    });
        }
    }

    private static void twoClassLoaders() throws Exception {
        URL[] jar = {Child.jar().toUri().toURL()};
        try (URLClassLoader one = new URLClassLoader(jar, null);
                URLClassLoader two = new URLClassLoader(jar, null)) {
            assertNotSame(one.loadClass(Signer.class.getName()), Signer.class);
            signsAndRefuses(one);
            signsAndRefuses(two);
        }
    }

    private static void signsAndRefuses(ClassLoader loader) throws Exception {
        Class<?> signer = loader.loadClass(Signer.class.getName());
        Object builder = signer.getMethod("builder").invoke(null);
        set(builder, "hostname", SignerTest.HOST);
        set(builder, "username", "iam_user");
        set(builder, "accessKeyId", "AKIDEXAMPLE");
        set(builder, "secretAccessKey", "verysecret");
        Object made = builder.getClass().getMethod("build").invoke(builder);
        String password = (String) signer.getMethod("password").invoke(made);
        assertTrue(password.startsWith(SignerTest.HOST), password);
        // The exception's class comes from the same loader.
        set(builder, "username", "");
        Throwable refused =
                assertThrows(
                                InvocationTargetException.class,
                                () -> builder.getClass().getMethod("build").invoke(builder))
                        .getCause();
        assertEquals(loader.loadClass(RdsignException.class.getName()), refused.getClass());
    }

    private static void set(Object builder, String option, String value) throws Exception {
        builder.getClass().getMethod(option, String.class).invoke(builder, value);
    }

    /** Each of these slows the start of a JVM by tens of milliseconds. */
    @Test
    void theFirstTokenNeedsNoSecureRandomAndNoInvokedynamic() throws Exception {
        Path program = folder.resolve("First.java");
        Files.writeString(
                program,
                """
                public class First {
                    public static void main(String[] arguments) {
                        if (arguments.length == 0) {
                            return;
                        }
                        System.out.println(io.github.rdsign.Signer.builder()
                                .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
                                .username("iam_user").build().password().length() > 300);
                    }
                }
                """);
        int compiled =
                javax.tools.ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                null,
                                null,
                                "--release",
                                "8",
                                "-Xlint:-options",
                                "-cp",
                                Child.jar().toString(),
                                program.toString());
        assertEquals(0, compiled);
        // Ignores classes that this JVM loads for every program.
        Set<String> added = loadedBy("sign");
        added.removeAll(loadedBy());
        assertTrue(added.contains("io.github.rdsign.Signer"), "the classes are listed");
        for (String name :
                List.of(
                        "java.security.SecureRandom",
                        "java.lang.invoke.StringConcatFactory",
                        "java.lang.invoke.InnerClassLambdaMetafactory",
                        "java.lang.invoke.LambdaMetafactory",
                        "java.lang.invoke.LambdaForm$MH")) {
            assertFalse(added.contains(name), name);
        }
    }

    private Set<String> loadedBy(String... arguments) throws Exception {
        String output =
                withKeys()
                        .option("-Xlog:class+load")
                        .classPath(Child.jar() + File.pathSeparator + folder)
                        .run("First", arguments)
                        .well()
                        .output();
        assertEquals(arguments.length == 1, output.contains("\ntrue\n"));
        return Pattern.compile("\\] (\\S+) source: ")
                .matcher(output)
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toSet());
    }
}
