package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rdsign.postgresql.RdsignDataSource;
import io.github.rdsign.testing.AccessKey;
import io.github.rdsign.testing.RdsLocal;
import io.github.rdsign.testing.Refusal;

import org.junit.jupiter.api.function.Executable;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * An RDS on this machine that all tests of this JVM share. It stops when the JVM exits.
 *
 * <p>A client gets the same error for every refusal. {@link #refused} checks the reason. Use it
 * together with a login that works.
 */
final class Server {
    static final String USER = "iam_user";

    /** An endpoint of Aurora DSQL, which this server has too. */
    static final String CLUSTER = "4abcdefghijklmnopqrstuvwxy.dsql.ap-northeast-1.on.aws";

    private static final String ENDPOINT = "mydb.abc123.ap-northeast-1.rds.amazonaws.com";

    private static Server shared;

    final String host;
    final int port;
    final String database;
    final String rootCertificate;
    final Map<String, String> exports;

    private final RdsLocal local = RdsLocal.builder().endpoint(ENDPOINT).endpoint(CLUSTER).start();

    static synchronized Server shared() {
        if (shared == null) {
            shared = new Server();
        }
        return shared;
    }

    private Server() {
        host = local.hostname();
        port = local.port();
        database = local.database();
        rootCertificate = local.authorities();
        exports = local.environment();
    }

    /** Returns the access key with this ID. */
    AccessKey key(String id) {
        return local.accessKeys().stream().filter(key -> key.id().equals(id)).findFirst().get();
    }

    /** Returns a signer for iam_user, with a key that may log in as that user. */
    Signer.Builder signer() {
        return signer("AKIALOCALIAMUSER0001");
    }

    Signer.Builder signer(String key) {
        return key(key).signs(Signer.builder().hostname(host).port(port).username(USER));
    }

    /** Returns the server's clock, for a signer that follows it. */
    Clock clock() {
        return local.clock();
    }

    /** Returns the address to dial. */
    String address() {
        return local.address();
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

    /** Checks that a login fails with RDS's error, and only for this reason. */
    void refused(String reason, Executable login) {
        refused(reason, USER, login);
    }

    void refused(String reason, String user, Executable login) {
        refusedWith("FATAL: PAM authentication failed for user \"" + user + "\"", reason, login);
    }

    /** Checks that a login fails with this message, and only for this reason. */
    void refusedWith(String message, String reason, Executable login) {
        int before = local.refusals().size();
        Throwable error = assertThrows(Throwable.class, login);
        StringBuilder messages = new StringBuilder();
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            messages.append(cause.getMessage()).append('\n');
        }
        assertTrue(messages.toString().contains(message), messages.toString());
        List<Refusal> refusals = local.refusals();
        assertEquals(
                List.of(reason),
                refusals.subList(before, refusals.size()).stream()
                        .map(Refusal::id)
                        .distinct()
                        .toList());
    }

    /** Sets the server's clock ahead while `body` runs. */
    void ahead(int seconds, Executable body) throws Throwable {
        local.clock().advance(Duration.ofSeconds(seconds));
        try {
            body.execute();
        } finally {
            local.clock().reset();
        }
    }
}
