package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rdsign.postgresql.RdsignDataSource;

import org.junit.jupiter.api.function.Executable;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An `rdsign local` that all tests of this JVM share. It stops when the JVM exits.
 *
 * <p>A client gets the same error for every refusal. {@link #refused} checks the reason in the
 * server's log. Use it together with a login that works.
 */
final class Server {
    static final String USER = "iam_user";

    /** An endpoint of Aurora DSQL, which this server has too. */
    static final String CLUSTER = "4abcdefghijklmnopqrstuvwxy.dsql.ap-northeast-1.on.aws";

    private static final String ENDPOINT = "mydb.abc123.ap-northeast-1.rds.amazonaws.com";

    private static final Pattern REFUSED = Pattern.compile("LOG:  rdsign: refused \\(([a-z-]+)\\)");
    private static final Pattern KEY =
            Pattern.compile(
                    "access_key_id = \"(.*)\"\nsecret_access_key = \"(.*)\"\n"
                            + "(?:session_token = \"(.*)\"\n)?");

    private static Server shared;

    final String host;
    final int port;
    final String database;
    final String rootCertificate;
    final Map<String, String> exports = new HashMap<>();
    final Map<String, String[]> keys = new HashMap<>();

    private final Process process;
    private final Path configuration;
    private final Path log;
    private final String original;

    static synchronized Server shared() {
        if (shared == null) {
            shared = new Server();
        }
        return shared;
    }

    private Server() {
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(
                            program(), "local", "--endpoint", ENDPOINT, "--endpoint", CLUSTER);
            Child.clean(builder.environment());
            Path cache = Path.of("../target/test-cache").toAbsolutePath().normalize();
            builder.environment().put("XDG_CACHE_HOME", Files.createDirectories(cache).toString());
            process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
            Runtime.getRuntime().addShutdownHook(new Thread(this::stop));
            BufferedReader notice = process.inputReader();
            for (String line = notice.readLine(); ; line = notice.readLine()) {
                assertTrue(line != null, "rdsign local ended before it was ready");
                if (line.startsWith("export ")) {
                    String[] parts = line.substring(7).split("=", 2);
                    exports.put(parts[0], parts[1].replace("'", ""));
                }
                if (line.startsWith("# Stop:")) {
                    break;
                }
            }
            host = exports.get("PGHOST");
            port = Integer.parseInt(exports.get("PGPORT"));
            database = exports.get("PGDATABASE");
            rootCertificate = exports.get("PGSSLROOTCERT");
            configuration = Path.of(exports.get("RDSIGN_LOCAL_CONFIG"));
            log = Path.of(exports.get("RDSIGN_LOCAL_LOG"));
            original = Files.readString(configuration);
            for (Matcher key = KEY.matcher(original); key.find(); ) {
                keys.put(key.group(1), new String[] {key.group(1), key.group(2), key.group(3)});
            }
        } catch (IOException failure) {
            throw new IllegalStateException(failure);
        }
    }

    static String program() {
        String program = System.getenv("RDSIGN_BIN");
        assertTrue(program != null, "RDSIGN_BIN is not set: run the tests with `make test-jvm`");
        return program;
    }

    /** Returns a signer for iam_user, with a key that may log in as that user. */
    Signer.Builder signer() {
        return signer("AKIALOCALIAMUSER0001");
    }

    Signer.Builder signer(String key) {
        Signer.Builder builder = Signer.builder().hostname(host).port(port).username(USER);
        String[] parts = keys.get(key);
        builder.accessKeyId(parts[0]).secretAccessKey(parts[1]);
        return parts[2] == null ? builder : builder.sessionToken(parts[2]);
    }

    /** Returns the address to dial. */
    String address() {
        return "127.0.0.1:" + port;
    }

    /** Returns a data source that dials this server and verifies it. */
    RdsignDataSource.Builder source(Signer signer) {
        return RdsignDataSource.builder()
                .signer(signer)
                .database(database)
                .dial(address())
                .property("sslrootcert", rootCertificate);
    }

    /** Returns a URL for the endpoint that dials this server. Each parameter starts with `&`. */
    String url(String... parameters) {
        return "jdbc:postgresql://"
                + host
                + ":"
                + port
                + "/"
                + database
                + "?socketFactory=io.github.rdsign.postgresql.DialSocketFactory&rdsignDial="
                + address()
                + "&sslrootcert="
                + rootCertificate
                + String.join("", parameters);
    }

    static String userOf(Connection connection) throws SQLException {
        try (connection;
                ResultSet row = connection.createStatement().executeQuery("select current_user")) {
            row.next();
            return row.getString(1);
        }
    }

    /** Checks that a login fails with RDS's error, and only for this reason in the log. */
    void refused(String reason, Executable login) throws IOException {
        refused(reason, USER, login);
    }

    void refused(String reason, String user, Executable login) throws IOException {
        refusedWith("FATAL: PAM authentication failed for user \"" + user + "\"", reason, login);
    }

    /** Checks that a login fails with this message, and only for this reason in the log. */
    void refusedWith(String message, String reason, Executable login) throws IOException {
        int before = Files.readString(log).length();
        Throwable error = assertThrows(Throwable.class, login);
        StringBuilder messages = new StringBuilder();
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            messages.append(cause.getMessage()).append('\n');
        }
        assertTrue(messages.toString().contains(message), messages.toString());
        List<String> reasons = new ArrayList<>();
        Matcher line = REFUSED.matcher(Files.readString(log).substring(before));
        while (line.find()) {
            reasons.add(line.group(1));
        }
        assertEquals(List.of(reason), reasons.stream().distinct().toList());
    }

    /** Sets the server's clock ahead while `body` runs. */
    void ahead(int seconds, Executable body) throws Throwable {
        String line = "clock_offset_seconds = 0";
        assertTrue(original.contains(line));
        Files.writeString(
                configuration, original.replace(line, "clock_offset_seconds = " + seconds));
        try {
            body.execute();
        } finally {
            Files.writeString(configuration, original);
        }
    }

    private void stop() {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
        }
    }
}
