package io.github.rdsign;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.CodeSource;
import java.util.Locale;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Loads the native library: the file that the system property {@value #PROPERTY} names, else one on
 * the library path (a Lambda layer's is in /opt/lib), else the copy in the JAR.
 *
 * <p>That copy goes through a fresh folder that only its owner may enter, and is gone from it
 * before the first signature. All of this is a part of a program's first token, so there is no
 * SecureRandom on the way, which {@code Files.createTempFile} would start, and no lambda.
 */
final class Loader {
    static final String PROPERTY = "rdsign.library";

    private static final String NAME = "rdsign_jvm";
    private static final int ATTEMPTS = 100;

    private static boolean loaded;
    private static UnsatisfiedLinkError failure;

    private Loader() {}

    /** Loads the library, once. Each call after a failure fails with the same words. */
    static synchronized void load() {
        if (loaded) {
            return;
        }
        if (failure != null) {
            throw failed(failure.getMessage(), failure);
        }
        try {
            find();
            loaded = true;
        } catch (UnsatisfiedLinkError error) {
            failure = error;
            throw error;
        }
    }

    private static void find() {
        String given = System.getProperty(PROPERTY);
        if (given != null) {
            try {
                loadGiven(Paths.get(given).toAbsolutePath());
            } catch (UnsatisfiedLinkError | IOException | IllegalArgumentException error) {
                throw failed(sentence(given, error), error);
            }
            return;
        }
        String onPath;
        try {
            System.loadLibrary(NAME);
            return;
        } catch (UnsatisfiedLinkError error) {
            onPath = error.getMessage();
        }
        String name = resource();
        String folder = System.getProperty("java.io.tmpdir");
        boolean found;
        try {
            found = loadPacked(name, Paths.get(folder));
        } catch (UnsatisfiedLinkError | IOException | IllegalArgumentException error) {
            throw failed(sentence("a copy in " + folder, error), error);
        }
        if (!found) {
            throw failed(sentence("the JAR's " + name, "there is none; " + onPath), null);
        }
    }

    /** Whether the JAR has one. The JAR itself is read, if it is a file: resources take longer. */
    private static boolean loadPacked(String name, Path folder) throws IOException {
        File jar = jar();
        if (jar != null && jar.isFile()) {
            try (ZipFile zip = new ZipFile(jar)) {
                ZipEntry entry = zip.getEntry(name);
                if (entry != null) {
                    loadCopy(zip.getInputStream(entry), folder);
                    return true;
                }
            }
        }
        try (InputStream packed = Loader.class.getResourceAsStream("/" + name)) {
            if (packed != null) {
                loadCopy(packed, folder);
            }
            return packed != null;
        }
    }

    private static File jar() {
        CodeSource source = Loader.class.getProtectionDomain().getCodeSource();
        URL location = source == null ? null : source.getLocation();
        if (location == null || !location.getProtocol().equals("file")) {
            return null;
        }
        try {
            return new File(location.toURI());
        } catch (URISyntaxException | IllegalArgumentException elsewhere) {
            return null;
        }
    }

    private static void loadGiven(Path path) throws IOException {
        try {
            System.load(path.toString());
        } catch (UnsatisfiedLinkError error) {
            // The JVM gives one file to one class loader only: another gets a copy.
            String message = error.getMessage();
            if (message == null || !message.contains("already loaded in another classloader")) {
                throw error;
            }
            try (InputStream input = Files.newInputStream(path)) {
                loadCopy(input, Paths.get(System.getProperty("java.io.tmpdir")));
            }
        }
    }

    private static void loadCopy(InputStream library, Path parent) throws IOException {
        Path folder = freshFolder(parent);
        Path copy = folder.resolve(System.mapLibraryName(NAME));
        try {
            write(library, copy);
            System.load(copy.toString());
        } finally {
            delete(copy);
            delete(folder);
        }
    }

    /** In large pieces, and by a stream: channels are 30 classes more. */
    private static void write(InputStream library, Path copy) throws IOException {
        try (FileOutputStream output = new FileOutputStream(copy.toFile())) {
            byte[] piece = new byte[1 << 17];
            for (int size = library.read(piece); size >= 0; size = library.read(piece)) {
                output.write(piece, 0, size);
            }
        }
    }

    /** The name need not be a secret: a folder that is there already is never used. */
    private static Path freshFolder(Path parent) throws IOException {
        for (int attempt = 1; ; attempt++) {
            Path folder = parent.resolve("rdsign-" + Long.toHexString(System.nanoTime()));
            try {
                if (File.separatorChar == '\\') {
                    return Files.createDirectory(folder);
                }
                return Files.createDirectory(
                        folder,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            } catch (FileAlreadyExistsException taken) {
                if (attempt == ATTEMPTS) {
                    throw taken;
                }
            }
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException inUse) {
            // As on Windows, where a library stays while it is loaded.
            path.toFile().deleteOnExit();
        }
    }

    private static UnsatisfiedLinkError failed(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }

    private static String sentence(String tried, Throwable error) {
        return sentence(tried, String.valueOf(error.getMessage()));
    }

    private static String sentence(String tried, String reason) {
        return "rdsign's native library for OS "
                + os()
                + ", architecture "
                + architecture()
                + ", libc "
                + libc()
                + " cannot be loaded; tried: "
                + tried
                + ": "
                + reason
                + "; the system property "
                + PROPERTY
                + " may name a file to load instead, and"
                + " java.io.tmpdir a folder that is not mounted noexec";
    }

    private static String resource() {
        String platform = os() + "/" + architecture();
        String libc = libc();
        return "META-INF/rdsign/"
                + platform
                + (libc.equals("none") ? "" : "/" + libc)
                + "/"
                + System.mapLibraryName(NAME);
    }

    private static String os() {
        String name = System.getProperty("os.name");
        if (name.startsWith("Mac")) {
            return "macos";
        }
        return name.startsWith("Windows") ? "windows" : name.toLowerCase(Locale.ROOT);
    }

    /** One that is not known keeps its name: it must not pass for another. */
    private static String architecture() {
        String name = System.getProperty("os.arch");
        switch (name) {
            case "amd64":
            case "x86_64":
                return "x86_64";
            case "aarch64":
            case "arm64":
                return "aarch64";
            default:
                return name;
        }
    }

    private static String libc() {
        return os().equals("linux") ? (isMusl() ? "musl" : "glibc") : "none";
    }

    /** Where both are installed, the one that this process has loaded counts. */
    private static boolean isMusl() {
        if (!new File("/lib/ld-musl-" + architecture() + ".so.1").exists()) {
            return false;
        }
        try {
            byte[] maps = Files.readAllBytes(Paths.get("/proc/self/maps"));
            return new String(maps, StandardCharsets.ISO_8859_1).contains("/ld-musl-");
        } catch (IOException noProc) {
            return true;
        }
    }
}
