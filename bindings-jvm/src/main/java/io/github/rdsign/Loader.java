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
 * Loads the native library: the file that the system property {@value #PROPERTY} names, else the
 * one on the library path (such as /opt/lib in a Lambda layer), else the copy in a JAR: rdsign's
 * own, or that of one platform.
 *
 * <p>The copy is written to a new folder that only its owner may enter, loaded, and deleted. If
 * others could rename that folder, they could replace the copy, so java.io.tmpdir is checked. This
 * is part of the time to a program's first token, so this class uses no lambdas and no {@code
 * Files.createTempFile}, which would initialize SecureRandom.
 */
final class Loader {
    static final String PROPERTY = "rdsign.library";

    private static final String NAME = "rdsign_jvm";
    private static final int ATTEMPTS = 100;
    private static final long MINUTE = 60_000;

    // Bits of a file's mode.
    private static final int STICKY = 01000;
    private static final int WRITABLE_BY_OTHERS = 022;

    private static boolean loaded;
    private static UnsatisfiedLinkError failure;

    private Loader() {}

    /** Loads the library once. Calls after a failure throw an error with the same message. */
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
            throw failed(sentence(name + " in the JARs", "missing; " + missing(onPath)), null);
        }
    }

    /**
     * Loads the library from a JAR, and returns whether one has it. It opens rdsign's JAR file if
     * there is one, because reading a resource takes longer.
     */
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
        try (InputStream packed = resource(name)) {
            if (packed != null) {
                loadCopy(packed, folder);
            }
            return packed != null;
        }
    }

    /** Finds a file in any JAR. A class of a module finds only those of its own module. */
    private static InputStream resource(String name) {
        ClassLoader loader = Loader.class.getClassLoader();
        return loader == null
                ? ClassLoader.getSystemResourceAsStream(name)
                : loader.getResourceAsStream(name);
    }

    private static File jar() {
        CodeSource source = Loader.class.getProtectionDomain().getCodeSource();
        URL location = source == null ? null : source.getLocation();
        if (location == null || !location.getProtocol().equals("file")) {
            return null;
        }
        try {
            return new File(location.toURI());
        } catch (URISyntaxException | IllegalArgumentException notAFile) {
            return null;
        }
    }

    private static void loadGiven(Path path) throws IOException {
        try {
            System.load(path.toString());
        } catch (UnsatisfiedLinkError error) {
            // The JVM loads a file for only one class loader. Another one needs a copy.
            String message = error.getMessage();
            if (message == null || !message.contains("already loaded in another classloader")) {
                throw error;
            }
            try (InputStream input = Files.newInputStream(path)) {
                loadCopy(input, Paths.get(System.getProperty("java.io.tmpdir")));
            }
        }
    }

    private static void loadCopy(InputStream library, Path temporary) throws IOException {
        // From here on, a link in the path cannot lead elsewhere.
        Path parent = temporary.toRealPath();
        if (File.separatorChar == '\\') {
            deleteLeftovers(parent, System.currentTimeMillis() - MINUTE);
        }
        Path folder = freshFolder(parent);
        Path copy = folder.resolve(fileName());
        try {
            checkParent(folder);
            write(library, copy);
            System.load(copy.toString());
        } finally {
            delete(copy);
            delete(folder);
        }
    }

    /** Writes in large pieces, and with a stream: a channel would load 30 more classes. */
    private static void write(InputStream library, Path copy) throws IOException {
        try (FileOutputStream output = new FileOutputStream(copy.toFile())) {
            byte[] piece = new byte[1 << 17];
            for (int size = library.read(piece); size >= 0; size = library.read(piece)) {
                output.write(piece, 0, size);
            }
        }
    }

    /** Creates a folder. Its name may be predictable, because an existing folder is never used. */
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

    /**
     * Checks that only root and the owner of a folder can rename it. Reads the attributes without a
     * lambda: see above.
     */
    private static void checkParent(Path folder) throws IOException {
        if (File.separatorChar == '\\') {
            return;
        }
        Path parent = folder.getParent();
        Object user = Files.getAttribute(folder, "unix:uid");
        Object owner = Files.getAttribute(parent, "unix:uid");
        int mode = (Integer) Files.getAttribute(parent, "unix:mode");
        boolean isSticky = (mode & STICKY) != 0;
        if (!owner.equals(user) && !owner.equals(0)) {
            throw new IOException("java.io.tmpdir belongs to another user");
        }
        if ((mode & WRITABLE_BY_OTHERS) != 0 && !isSticky) {
            throw new IOException("java.io.tmpdir is writable by others, and is not sticky");
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException inUse) {
            // Windows does not delete a library while it is loaded: a later JVM does.
        }
    }

    /**
     * Deletes the copies that other JVMs made before a time, in milliseconds since 1970. On
     * Windows, those of running JVMs stay.
     */
    static void deleteLeftovers(Path parent, long before) {
        File[] folders = parent.toFile().listFiles();
        if (folders == null) {
            return;
        }
        for (File folder : folders) {
            if (folder.getName().matches("rdsign-[0-9a-f]+") && folder.lastModified() < before) {
                delete(folder.toPath().resolve(fileName()));
                delete(folder.toPath());
            }
        }
    }

    private static UnsatisfiedLinkError failed(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }

    private static String missing(String onPath) {
        return onPath
                + "; if your JAR is the one without natives, add io.github.rdsign:rdsign with the"
                + " classifier "
                + classifier();
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
                + "; set the system property "
                + PROPERTY
                + " to the file to load, or java.io.tmpdir to a folder that is not mounted noexec"
                + " and that no other user can change";
    }

    private static String resource() {
        String platform = os() + "/" + architecture();
        String libc = libc();
        return "META-INF/rdsign/"
                + platform
                + (libc.equals("none") ? "" : "/" + libc)
                + "/"
                + fileName();
    }

    /** The classifier of the JAR that has only the library for this platform. */
    private static String classifier() {
        return os() + "-" + architecture() + (libc().equals("musl") ? "-musl" : "");
    }

    private static String fileName() {
        switch (os()) {
            case "windows":
                return NAME + ".dll";
            case "macos":
                return "lib" + NAME + ".dylib";
            default:
                return "lib" + NAME + ".so";
        }
    }

    private static String os() {
        String name = System.getProperty("os.name");
        if (name.startsWith("Mac")) {
            return "macos";
        }
        return name.startsWith("Windows") ? "windows" : name.toLowerCase(Locale.ROOT);
    }

    /** An unknown architecture keeps its name, so that no other one's library is loaded. */
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

    /** If both libcs are installed, checks which one this process has loaded. */
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
