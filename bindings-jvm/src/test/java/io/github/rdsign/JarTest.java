package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.io.DataInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;

/** The content of the JAR. */
class JarTest {
    private interface Body {
        void with(JarFile jar, List<JarEntry> entries) throws Exception;
    }

    private static void opened(Body body) throws Exception {
        try (JarFile jar = new JarFile(Child.jar().toFile())) {
            body.with(jar, jar.stream().filter(entry -> !entry.isDirectory()).toList());
        }
    }

    @Test
    void theTestsUseTheJar() {
        String from = Signer.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        assertEquals(Child.jar().toString(), from);
    }

    @Test
    void classesAreForJavaEightAndInOurPackage() throws Exception {
        opened(
                (jar, entries) -> {
                    int classes = 0;
                    for (JarEntry entry : entries) {
                        if (!entry.getName().endsWith(".class")) {
                            continue;
                        }
                        classes++;
                        boolean isModule = entry.getName().equals("module-info.class");
                        assertTrue(isModule || entry.getName().startsWith("io/github/rdsign/"));
                        try (DataInputStream input =
                                new DataInputStream(jar.getInputStream(entry))) {
                            input.readInt();
                            input.readUnsignedShort();
                            int version = isModule ? 53 : 52;
                            assertEquals(version, input.readUnsignedShort(), entry.getName());
                        }
                    }
                    assertTrue(classes > 30, classes + " classes");
                });
    }

    @Test
    void librariesAreUncompressedAndNamedByPlatform() throws Exception {
        Pattern place =
                Pattern.compile(
                        "META-INF/rdsign/linux/(x86_64|aarch64)/(glibc|musl)/librdsign_jvm.so");
        opened(
                (jar, entries) -> {
                    List<JarEntry> libraries =
                            entries.stream().filter(it -> it.getName().endsWith(".so")).toList();
                    assertTrue(!libraries.isEmpty());
                    for (JarEntry library : libraries) {
                        assertEquals(ZipEntry.STORED, library.getMethod());
                        assertTrue(place.matcher(library.getName()).matches(), library.getName());
                    }
                });
    }

    @Test
    void theAuthoritiesAreThoseOfCaBundle() throws Exception {
        opened(
                (jar, entries) -> {
                    JarEntry bundle = jar.getJarEntry("io/github/rdsign/postgresql/rds.pem");
                    String packed =
                            new String(
                                    jar.getInputStream(bundle).readAllBytes(),
                                    StandardCharsets.US_ASCII);
                    assertEquals(Files.readString(Path.of("../ca-bundle/rds.pem")), packed);
                    assertNotNull(jar.getJarEntry("META-INF/LICENSE"));
                });
    }

    @Test
    void theVersionIsThatOfTheWorkspace() throws Exception {
        String cargo = Files.readString(Path.of("../Cargo.toml"));
        String version = first("(?m)^version = \"(.*)\"", cargo);
        assertEquals(
                version, first("<version>(.*)</version>", Files.readString(Path.of("pom.xml"))));
    }

    /** GraalVM's metadata must list the classes that native code and pgjdbc look up by name. */
    @Test
    void theNativeImageMetadataListsClassesThatAreLookedUpByName() throws Exception {
        opened(
                (jar, entries) -> {
                    String metadata = "META-INF/native-image/io.github.rdsign/rdsign/";
                    TreeSet<String> named = new TreeSet<>();
                    for (String file : List.of("jni-config.json", "reflect-config.json")) {
                        String text =
                                new String(
                                        jar.getInputStream(jar.getEntry(metadata + file))
                                                .readAllBytes(),
                                        StandardCharsets.UTF_8);
                        Pattern.compile("\"name\": \"(io\\.[^\"]*)\"")
                                .matcher(text)
                                .results()
                                .map(match -> match.group(1))
                                .forEach(named::add);
                    }
                    for (String name : named) {
                        Class.forName(name, false, getClass().getClassLoader());
                    }
                    // The class names in the native libraries are C strings.
                    TreeSet<String> needed = new TreeSet<>();
                    for (JarEntry entry : entries) {
                        if (entry.getName().endsWith(".so")) {
                            byte[] library = jar.getInputStream(entry).readAllBytes();
                            Pattern.compile("io/github/rdsign/[\\w/$]+(?=\\x00)")
                                    .matcher(new String(library, StandardCharsets.ISO_8859_1))
                                    .results()
                                    .map(match -> match.group().replace('/', '.'))
                                    .forEach(needed::add);
                        }
                    }
                    assertTrue(needed.contains(RdsignException.class.getName()));
                    needed.add(Source.class.getName());
                    for (String class_ :
                            List.of(
                                    "RdsignAuthenticationPlugin",
                                    "DialSocketFactory",
                                    "RdsSslSocketFactory")) {
                        needed.add("io.github.rdsign.postgresql." + class_);
                    }
                    assertEquals(needed, named);
                    String resources =
                            new String(
                                    jar.getInputStream(
                                                    jar.getEntry(metadata + "resource-config.json"))
                                            .readAllBytes(),
                                    StandardCharsets.UTF_8);
                    List<Pattern> patterns =
                            Pattern.compile("\"pattern\": \"([^\"]*)\"")
                                    .matcher(resources)
                                    .results()
                                    .map(match -> match.group(1).replace("\\\\", "\\"))
                                    .map(Pattern::compile)
                                    .toList();
                    for (JarEntry entry : entries) {
                        String name = entry.getName();
                        if (name.endsWith(".so") || name.endsWith(".pem")) {
                            assertTrue(
                                    patterns.stream().anyMatch(it -> it.matcher(name).matches()),
                                    name);
                        }
                    }
                });
    }

    private static String first(String pattern, String text) {
        return Pattern.compile(pattern).matcher(text).results().findFirst().orElseThrow().group(1);
    }
}
