import org.apache.maven.eventspy.AbstractEventSpy;
import org.eclipse.aether.RepositoryEvent;
import org.eclipse.aether.RepositoryEvent.EventType;
import org.eclipse.aether.artifact.Artifact;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Ends Maven when it has resolved a file whose hash is not in the lock, before it uses the file.
 * That includes its plugins, and files that it had downloaded earlier. tools/mvn passes the
 * properties.
 *
 * <p>Maven 3.9 can check hashes itself, but Debian 12 has 3.8.
 */
public final class ArtifactLock extends AbstractEventSpy {
    private static final String OWN = "io.github.rdsign";

    private final Path lock = Paths.get(System.getProperty("artifacts.lock"));
    private final boolean isRecording = Boolean.getBoolean("artifacts.record");
    private final Map<String, String> hashes = new TreeMap<>();
    private final Set<String> checked = new HashSet<>();

    @Override
    public void init(Context context) throws IOException {
        for (String line : Files.readAllLines(lock)) {
            String[] parts = line.split(" ");
            hashes.put(parts[0], parts[1]);
        }
    }

    @Override
    public synchronized void onEvent(Object event) {
        if (!(event instanceof RepositoryEvent)) {
            return;
        }
        RepositoryEvent resolved = (RepositoryEvent) event;
        Artifact artifact = resolved.getArtifact();
        if (resolved.getType() != EventType.ARTIFACT_RESOLVED
                || artifact.getFile() == null
                || artifact.getGroupId().equals(OWN)
                || !checked.add(artifact + " " + artifact.getFile())) {
            return;
        }
        String hash = hash(artifact.getFile().toPath());
        String wanted = hashes.get(artifact.toString());
        if (wanted == null && isRecording) {
            hashes.put(artifact.toString(), hash);
        } else if (!hash.equals(wanted)) {
            String problem = wanted == null ? "it is not in" : "its hash differs from that in";
            end(artifact.getFile() + " is not used: " + problem + " " + lock + "; see tools/lock");
        }
    }

    @Override
    public synchronized void close() throws IOException {
        if (isRecording) {
            Files.write(
                    lock,
                    hashes.entrySet().stream()
                            .map(entry -> entry.getKey() + " " + entry.getValue())
                            .collect(Collectors.toList()));
        }
    }

    private static String hash(Path file) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
            StringBuilder digits = new StringBuilder();
            for (byte part : digest) {
                digits.append(String.format("%02x", part));
            }
            return digits.toString();
        } catch (IOException | NoSuchAlgorithmException problem) {
            return end(file + ": " + problem);
        }
    }

    /** Maven only logs an exception, and goes on. */
    private static String end(String problem) {
        System.err.println("tools/mvn: " + problem);
        Runtime.getRuntime().halt(1);
        return problem;
    }
}
