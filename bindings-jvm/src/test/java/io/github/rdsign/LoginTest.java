package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rdsign.postgresql.RdsignAuthenticationPlugin;
import io.github.rdsign.postgresql.RdsignDataSource;

import org.junit.jupiter.api.Test;
import org.postgresql.plugin.AuthenticationRequestType;
import org.postgresql.util.PSQLException;

import java.net.ServerSocket;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/** Logins with pgjdbc: with the data source, and with the plugin in a URL. */
class LoginTest {
    private static final String PLUGIN =
            "&authenticationPluginClassName="
                    + "io.github.rdsign.postgresql.RdsignAuthenticationPlugin";

    private final Server server = Server.shared();

    @Test
    void aDataSourceLogsInAgainAndAgain() throws Exception {
        try (Signer signer = server.signer().build()) {
            RdsignDataSource source = server.source(signer).build();
            assertEquals(Server.USER, Server.userOf(source.getConnection()));
            assertEquals(Server.USER, Server.userOf(source.getConnection()));
        }
    }

    @Test
    void aDataSourceLogsInWithTemporaryKeys() throws Exception {
        try (Signer signer = server.signer("ASIALOCALSESSION0001").build()) {
            assertEquals(Server.USER, Server.userOf(server.source(signer).build().getConnection()));
        }
    }

    @Test
    void aKeyWithoutThePermissionIsRefused() throws Exception {
        try (Signer signer = server.signer("AKIALOCALNOTHING0001").build()) {
            RdsignDataSource source = server.source(signer).build();
            server.refused("not-allowed", () -> source.getConnection().close());
        }
        try (Signer signer = server.signer().build()) {
            server.source(signer).build().getConnection().close();
        }
    }

    @Test
    void anEndpointOfDsqlLetsAKeyInOnlyAsAGrantedRole() throws Exception {
        try (Signer signer = server.signer().hostname(Server.CLUSTER).build()) {
            RdsignDataSource source = server.source(signer).database("postgres").build();
            assertEquals(Server.USER, Server.userOf(source.getConnection()));
        }
        Signer.Builder other = server.signer().hostname(Server.CLUSTER).username("testuser");
        try (Signer signer = other.build()) {
            RdsignDataSource source = server.source(signer).database("postgres").build();
            server.refusedWith(
                    "FATAL: unable to accept connection, access denied",
                    "not-granted",
                    () -> source.getConnection().close());
        }
    }

    @Test
    void aTokenForAnotherPortIsRefused() throws Exception {
        try (Signer signer = server.signer().port(5433).build()) {
            // The dialed server accepts only tokens that are signed for its own port.
            RdsignDataSource source = server.source(signer).build();
            server.refused("wrong-endpoint", () -> source.getConnection().close());
        }
    }

    @Test
    void theServersNameIsVerifiedUnlessToldOtherwise() throws Exception {
        try (Signer other = server.signer().hostname("other" + server.host).build()) {
            SQLException wrongName =
                    assertThrows(
                            SQLException.class, () -> server.source(other).build().getConnection());
            assertTrue(
                    wrongName.getMessage().contains("could not be verified"), wrongName::toString);
            RdsignDataSource told = server.source(other).property("sslmode", "verify-ca").build();
            server.refused("wrong-endpoint", () -> told.getConnection().close());
        }
    }

    @Test
    void withoutARootCertificateOnlyTheAuthoritiesOfRdsAreTrusted() throws Exception {
        try (Signer signer = server.signer().build()) {
            RdsignDataSource source =
                    RdsignDataSource.builder()
                            .signer(signer)
                            .database(server.database)
                            .dial(server.address())
                            .build();
            SQLException stranger = assertThrows(SQLException.class, source::getConnection);
            assertTrue(
                    stranger.getMessage().contains("unable to find valid certification path"),
                    stranger::toString);
            assertEquals(Server.USER, Server.userOf(server.source(signer).build().getConnection()));
        }
    }

    @Test
    void theUrlIsEnoughToLogIn() throws Exception {
        Child child = new Child();
        server.exports.forEach(
                (name, value) -> {
                    if (name.startsWith("AWS_")) {
                        child.environment(name, value);
                    }
                });
        String url = server.url(PLUGIN, "&sslmode=verify-full&user=iam_user");
        assertEquals("iam_user\n", child.run(UrlLogin.class, url).well().output());
    }

    @Test
    void theUrlCanSetTheEndpointAndItsRegion() throws Exception {
        Child child = new Child();
        child.environment("AWS_ACCESS_KEY_ID", server.exports.get("AWS_ACCESS_KEY_ID"));
        child.environment("AWS_SECRET_ACCESS_KEY", server.exports.get("AWS_SECRET_ACCESS_KEY"));
        String url =
                "jdbc:postgresql://127.0.0.1:"
                        + server.port
                        + "/"
                        + server.database
                        + "?user=iam_user&sslmode=verify-ca&rdsignSslmode=verify-ca&sslrootcert="
                        + server.rootCertificate
                        + PLUGIN;
        String endpoint = "&rdsignHostname=" + server.host + "&rdsignPort=" + server.port;
        String region = "&rdsignRegion=" + server.exports.get("AWS_REGION");
        assertEquals(
                "iam_user\n", child.run(UrlLogin.class, url + endpoint + region).well().output());

        String mismatch =
                child.run(UrlLogin.class, url + endpoint + "&rdsignRegion=us-east-1").error();
        assertTrue(mismatch.contains("REGION_MISMATCH"), mismatch);
        String unknown =
                child.run(UrlLogin.class, url + endpoint + "&rdsignRegoin=us-east-1").error();
        assertTrue(
                unknown.contains("rdsignRegoin: unknown parameter; accepted: rdsignHostname"),
                unknown);
    }

    @Test
    void thePluginRequiresAnSslmode() throws Exception {
        SQLException refused =
                assertThrows(
                        SQLException.class,
                        () -> DriverManager.getConnection(server.url(PLUGIN, "&user=iam_user")));
        assertTrue(refused.getMessage().contains("sslmode: missing, "), refused::toString);
    }

    @Test
    void thePluginSendsNoTokenToAServerThatAsksForAPassword() {
        String url = server.url(PLUGIN, "&sslmode=verify-full&user=postgres");
        SQLException refused =
                assertThrows(SQLException.class, () -> DriverManager.getConnection(url));
        assertTrue(refused.getMessage().contains("asks for a password (SASL)"), refused::toString);
        RdsignAuthenticationPlugin plugin = new RdsignAuthenticationPlugin(new Properties());
        for (AuthenticationRequestType type : AuthenticationRequestType.values()) {
            if (type != AuthenticationRequestType.CLEARTEXT_PASSWORD) {
                assertThrows(PSQLException.class, () -> plugin.getPassword(type));
            }
        }
    }

    @Test
    void anErrorOfThePluginHasTheRdsignExceptionAsItsCause() {
        // The tests have no credentials in their environment.
        String url = server.url(PLUGIN, "&sslmode=verify-full&user=iam_user");
        SQLException refused =
                assertThrows(SQLException.class, () -> DriverManager.getConnection(url));
        RdsignException cause = (RdsignException) refused.getCause();
        assertEquals("CREDENTIALS_NOT_FOUND", cause.code());
        assertEquals(cause.getMessage(), refused.getMessage());
    }

    @Test
    void aDataSourceRejectsAnotherUserAPasswordAndAMissingSigner() throws Exception {
        try (Signer signer = server.signer().build()) {
            RdsignDataSource source = server.source(signer).build();
            for (String[] refused : new String[][] {{"a", null}, {null, ""}, {Server.USER, "b"}}) {
                assertThrows(
                        SQLFeatureNotSupportedException.class,
                        () -> source.getConnection(refused[0], refused[1]));
            }
            assertEquals(Server.USER, Server.userOf(source.getConnection(Server.USER, null)));
            assertTrue(source.isWrapperFor(RdsignDataSource.class));
            assertEquals(source, source.unwrap(RdsignDataSource.class));
            source.setLoginTimeout(Child.PATIENCE);
            assertEquals(Child.PATIENCE, source.getLoginTimeout());
            assertEquals(Server.USER, Server.userOf(source.getConnection()));
        }
        Signer closed = server.signer().build();
        closed.close();
        RdsignDataSource late = server.source(closed).build();
        assertEquals(
                "the signer is closed",
                assertThrows(SQLException.class, late::getConnection).getMessage());
        RdsignDataSource.Builder empty = RdsignDataSource.builder();
        NullPointerException missing = assertThrows(NullPointerException.class, empty::build);
        assertEquals("signer is null", missing.getMessage());
    }

    @Test
    void anInvalidDialAddressIsRejected() throws Exception {
        try (Signer signer = server.signer().build()) {
            for (String address : List.of("", "localhost", ":5432", "localhost:0", "localhost:x")) {
                RdsignDataSource source = server.source(signer).dial(address).build();
                SQLException refused = assertThrows(SQLException.class, source::getConnection);
                StringBuilder messages = new StringBuilder();
                for (Throwable cause = refused; cause != null; cause = cause.getCause()) {
                    messages.append(cause).append('\n');
                }
                assertTrue(messages.toString().contains("rdsignDial"), messages::toString);
            }
        }
    }

    @Test
    void dialingAClosedPortFails() throws Exception {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        try (Signer signer = server.signer().build()) {
            RdsignDataSource source = server.source(signer).dial("127.0.0.1:" + free).build();
            assertThrows(SQLException.class, source::getConnection);
        }
    }

    @Test
    void thirtyTwoThreadsLogInAtOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(32);
        try (Signer signer = server.signer().build()) {
            RdsignDataSource source = server.source(signer).build();
            Callable<String> login = () -> Server.userOf(source.getConnection());
            for (Future<String> user :
                    threads.invokeAll(IntStream.range(0, 64).mapToObj(i -> login).toList())) {
                assertEquals(Server.USER, user.get());
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
