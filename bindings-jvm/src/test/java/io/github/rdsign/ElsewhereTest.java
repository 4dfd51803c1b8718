package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;

import io.github.rdsign.hikari.RdsignCredentialsProvider;
import io.github.rdsign.postgresql.DialSocketFactory;
import io.github.rdsign.postgresql.RdsignDataSource;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ssl.NonValidatingFactory;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;

import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLSession;

/**
 * A token reaches no other server than the one it is signed for, whatever pgjdbc's URLs, service
 * files and properties files say.
 */
class ElsewhereTest {
    private static final String PLUGIN =
            "&authenticationPluginClassName="
                    + "io.github.rdsign.postgresql.RdsignAuthenticationPlugin"
                    + "&rdsignRegion=ap-northeast-1";
    private static final String OURS =
            "&sslfactory=io.github.rdsign.postgresql.RdsSslSocketFactory";
    private static final String VERIFIED = "&sslmode=verify-full";

    private final Server server = Server.shared();
    private final Recorder recorder;
    @TempDir private Path folder;

    ElsewhereTest() throws IOException {
        recorder = new Recorder();
    }

    @AfterEach
    void theRecorderGotNoToken() throws IOException {
        recorder.gotNoToken();
        recorder.close();
    }

    private Child child() throws IOException {
        Path services =
                Files.writeString(
                        folder.resolve("services"),
                        String.join(
                                "\n",
                                "[plain]",
                                "host=127.0.0.1",
                                "port=" + recorder.port(),
                                "[weak]",
                                "host=127.0.0.1",
                                "port=" + recorder.port(),
                                "sslmode=prefer",
                                "[here]",
                                "host=" + server.host,
                                "port=" + server.port,
                                "user=iam_user"));
        // pgjdbc reads the first; it must not read the others.
        Child child =
                new Child()
                        .environment("PGSERVICEFILE", services.toString())
                        .environment("PGSERVICE", "weak")
                        .environment("PGHOST", "127.0.0.1")
                        .environment("PGPORT", Integer.toString(recorder.port()))
                        .environment("PGUSER", "other")
                        .environment("PGSSLMODE", "disable");
        for (String name : List.of("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")) {
            child.environment(name, server.exports.get(name));
        }
        return child;
    }

    private void check(Child child, List<Case> table) throws Exception {
        String[] urls = table.stream().map(Case::given).toArray(String[]::new);
        String[] results = child.run(UrlLogin.class, urls).well().output().split("\n");
        assertEquals(urls.length, results.length);
        for (int i = 0; i < urls.length; i++) {
            String result = results[i];
            Case one = table.get(i);
            assertTrue(result.contains(one.expected()), () -> one.given() + "\n" + result);
        }
    }

    /** A URL or a file, and a part of what happens with it. */
    private record Case(String given, String expected) {}

    private static Case line(String given, String expected) {
        return new Case(given, expected);
    }

    @Test
    void theRecorderKeepsAPassword() throws SQLException {
        String url = "jdbc:postgresql://" + recorder.address() + "/x?user=a&password=hunter2";
        assertThrows(SQLException.class, () -> DriverManager.getConnection(url));
        assertTrue(recorder.received().contains("hunter2"), recorder::received);
    }

    @Test
    void thePluginNeedsAVerifiedServer() throws Exception {
        String url = "jdbc:postgresql://" + recorder.address() + "/x?user=iam_user" + PLUGIN;
        String service = "jdbc:postgresql:x?user=iam_user" + PLUGIN + "&service=";
        String name = server.url(PLUGIN, VERIFIED, "&user=iam_user");
        check(
                child(),
                List.of(
                        line(url, "sslmode: missing"),
                        line(url + "&ssl=false", "sslmode: missing"),
                        line(url + VERIFIED, "does not support SSL"),
                        line(url + "&ssl=true", "does not support SSL"),
                        line(url + "&sslmode=prefer", "sslmode: \"prefer\" would send"),
                        line(url + "&sslmode=disable&ssl=true", "sslmode: \"disable\" would"),
                        line(url + "&sslmode=allow&rdsignSslmode=prefer", "\"allow\" would send"),
                        line(url + "&sslmode=require&rdsignSslmode=require", "support SSL"),
                        line(service + "weak", "sslmode: \"prefer\" would send"),
                        line(service + "plain", "sslmode: missing"),
                        line(service + "plain" + VERIFIED, "does not support SSL"),
                        line(service + "plain" + VERIFIED + "&rdsignHostname=other", "support SSL"),
                        line(
                                name + "&sslhostnameverifier=" + Anyone.class.getName(),
                                "replaces the check of the server's name"),
                        line(name + "&gssEncMode=prefer", "gssEncMode: can replace TLS"),
                        line(
                                name + "&rdsignHostname=other",
                                "rdsignHostname: other is not the verified host, " + server.host),
                        line(name + "&rdsignHostname=" + server.host.toUpperCase(), "iam_user"),
                        line(name + "&rdsignHostname=" + server.host + ".", "iam_user"),
                        line(name + "&rdsignPort=hunter2", "rdsignPort: not a number")));
    }

    @Test
    void aFactoryThatMayNotVerifyTheServerIsRefused() throws Exception {
        String url = server.url(PLUGIN, VERIFIED, "&user=iam_user");
        String factory = url + "&sslfactory=";
        String agreed = "&rdsignSslfactory=" + TrustsAnything.class.getName();
        String none = "org.postgresql.ssl.NonValidatingFactory";
        String refused = "sslfactory: may not verify the server";
        check(
                child(),
                List.of(
                        line(factory + TrustsAnything.class.getName(), refused),
                        line(factory + none, refused),
                        line(factory + none + agreed, refused),
                        line(factory + TrustsAnything.class.getName() + agreed, "iam_user"),
                        line(factory + "org.postgresql.ssl.LibPQFactory", "iam_user"),
                        line(
                                factory + "org.postgresql.ssl.DefaultJavaSSLFactory",
                                "unable to find valid certification path"),
                        line(
                                factory
                                        + "org.postgresql.ssl.SingleCertValidatingFactory"
                                        + "&sslfactoryarg=file:"
                                        + server.rootCertificate,
                                "iam_user")));
    }

    /** Trusts every certificate, under another name than pgjdbc's class. */
    public static final class TrustsAnything extends NonValidatingFactory {
        public TrustsAnything(String argument) throws GeneralSecurityException {
            super(argument);
        }
    }

    @Test
    void anAddressToDialIsNotRepeated() {
        Properties info = new Properties();
        info.setProperty("rdsignDial", "hunter2");
        String message =
                assertThrows(IllegalArgumentException.class, () -> new DialSocketFactory(info))
                        .getMessage();
        assertTrue(message.startsWith("rdsignDial: not HOST:PORT; accepted: "), message);
    }

    @Test
    void aServiceFileCanNameTheEndpoint() throws Exception {
        String url =
                "jdbc:postgresql:testdb?service=here&socketFactory="
                        + "io.github.rdsign.postgresql.DialSocketFactory&rdsignDial="
                        + server.address()
                        + "&sslrootcert="
                        + server.rootCertificate
                        + VERIFIED;
        // The plugin does not use a password from such a file.
        Path passwords = Files.writeString(folder.resolve("passwords"), "*:*:*:*:hunter2\n");
        passwords.toFile().setReadable(false, false);
        passwords.toFile().setReadable(true, true);
        check(
                child().environment("PGPASSFILE", passwords.toString()),
                List.of(line(url + PLUGIN, "iam_user")));
    }

    @Test
    void aPropertiesFileInTheClassPathDoesNotWeakenTheCheck() throws Exception {
        Path file = folder.resolve("org/postgresql/driverconfig.properties");
        Files.createDirectories(file.getParent());
        String url = "jdbc:postgresql://" + recorder.address() + "/x?user=iam_user" + PLUGIN;
        for (Case one :
                List.of(
                        line("sslmode=disable", "sslmode: \"disable\" would send the token"),
                        line("gssEncMode=require\nssl=true", "does not support GSS"),
                        line("ssl=true", "does not support SSL"))) {
            Files.writeString(file, one.given());
            check(
                    child().classPath(folder + File.pathSeparator + classPath()),
                    List.of(line(url, one.expected())));
        }
        Files.writeString(
                file,
                String.join(
                        "\n",
                        "sslmode=disable",
                        "ssl=false",
                        "gssEncMode=require",
                        "sslfactory=org.postgresql.ssl.NonValidatingFactory",
                        "sslhostnameverifier=no.such.Verifier",
                        "sslrootcert=" + server.rootCertificate,
                        "authenticationPluginClassName=no.such.Plugin",
                        "PGHOST=127.0.0.1",
                        "PGPORT=" + recorder.port(),
                        "user=other"));
        String output =
                child().classPath(folder + File.pathSeparator + classPath())
                        .run(
                                Sources.class,
                                server.host,
                                Integer.toString(server.port),
                                server.address(),
                                server.rootCertificate,
                                recorder.address())
                        .well()
                        .output();
        String[] lines = output.split("\n");
        assertEquals("iam_user", lines[0]);
        assertTrue(lines[1].contains("unable to find valid certification path"), output);
        assertTrue(lines[2].contains("does not support SSL"), output);
        assertTrue(lines[3].contains("unable to find valid certification path"), output);
        assertTrue(lines[4].contains("gssEncMode: can replace TLS"), output);
    }

    /** A program that connects with data sources: HOST PORT ADDRESS ROOTCERT RECORDER. */
    static final class Sources {
        private Sources() {}

        public static void main(String[] arguments) throws Exception {
            Signer signer =
                    Signer.builder()
                            .hostname(arguments[0])
                            .port(Integer.parseInt(arguments[1]))
                            .username(Server.USER)
                            .build();
            connect(signer, arguments[2], arguments[3]);
            connect(signer, arguments[2], null);
            connect(signer, arguments[4], arguments[3]);
            connect(signer, arguments[2], "");
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl("jdbc:postgresql://" + arguments[0] + "/x?sslmode=verify-full");
            try {
                provider(signer, config).getCredentials();
            } catch (IllegalArgumentException refused) {
                System.out.println(refused.getMessage());
            }
        }

        private static void connect(Signer signer, String address, String root) {
            RdsignDataSource.Builder builder =
                    RdsignDataSource.builder().signer(signer).database("testdb").dial(address);
            if (root != null) {
                builder.property("sslrootcert", root);
            }
            try {
                System.out.println(Server.userOf(builder.build().getConnection()));
            } catch (SQLException failure) {
                System.out.println(failure.getMessage().replace('\n', ' '));
            }
        }
    }

    /** Accepts every name. */
    public static final class Anyone implements HostnameVerifier {
        @Override
        public boolean verify(String name, SSLSession session) {
            return true;
        }
    }

    private static String classPath() {
        return System.getProperty("java.class.path");
    }

    @Test
    void aDataSourceRefusesParametersThatTheSignerSets() {
        RdsignDataSource.Builder builder = RdsignDataSource.builder();
        for (String name : List.of("PGHOST", "PGPORT", "PGDBNAME", "user", "password", "service")) {
            String message =
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> builder.property(name, "other"))
                            .getMessage();
            assertTrue(message.startsWith(name + ": "), message);
        }
        try (Signer signer = server.signer().build()) {
            for (String name : List.of("rdsignRegion", "rdsignDail", "rdsignDial")) {
                RdsignDataSource.Builder source =
                        RdsignDataSource.builder().signer(signer).database("x").property(name, "a");
                String message =
                        assertThrows(IllegalArgumentException.class, source::build).getMessage();
                assertTrue(message.startsWith(name + ": "), message);
            }
        }
    }

    @Test
    void theProviderOfAPoolReturnsATokenOnlyForItsUrl() throws SQLException {
        String host = "jdbc:postgresql://" + server.host + "/x";
        try (Signer signer = server.signer().build()) {
            for (Case one :
                    List.of(
                            line(host, "sslmode: missing"),
                            line(host + "?sslmode=prefer", "sslmode: \"prefer\" would send"),
                            line(host + "?sslmode=verify-full&rdsignRegion=x", "rdsignRegion: "),
                            line(host + "?sslmode=verify-full&rdsignDial=x", "rdsignDial: "),
                            line(host + "?sslmode=hunter2", "sslmode: an unknown mode would send"),
                            line(host.replace("/x", ",b/x?ssl=true"), "jdbcUrl: its host is not"),
                            line("jdbc:postgresql://a:hunter2@b:1/x?ssl=true", "jdbcUrl: its host"),
                            line("jdbc:postgresql:x?sslmode=verify-full", "jdbcUrl: its host is"),
                            line("jdbc:postgresql:x?service=missing", "jdbcUrl: missing, or"),
                            line("jdbc:other://" + server.host + "/x", "jdbcUrl: missing, or"))) {
                HikariConfig config = new HikariConfig();
                config.setJdbcUrl(one.given());
                String message = refusal(provider(signer, config));
                assertTrue(message.contains(one.expected()), message);
                assertFalse(message.contains("hunter2"), message);
            }
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(host.toUpperCase().replace("JDBC:POSTGRESQL", "jdbc:postgresql"));
            config.addDataSourceProperty("sslmode", "verify-full");
            RdsignCredentialsProvider provider = provider(signer, config);
            assertTrue(provider.getCredentials().getPassword().startsWith(server.host));
            config.setDataSource(server.source(signer).build());
            assertThrows(IllegalArgumentException.class, provider::getCredentials);
        }
    }

    @Test
    void theProviderOfAPoolReturnsNoTokenToAPoolOfAnotherConfiguration() {
        String other = "jdbc:postgresql://other/x?sslmode=verify-full";
        try (Signer signer = server.signer().build()) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl("jdbc:postgresql://" + server.host + "/x?sslmode=verify-full");
            RdsignCredentialsProvider provider = new RdsignCredentialsProvider(signer, config);
            HikariConfig another = new HikariConfig();
            another.setJdbcUrl(other);
            another.setCredentialsProvider(provider);
            String message = refusal(provider);
            assertTrue(message.startsWith("credentialsProvider: not set on "), message);
            config.setCredentialsProvider(provider);
            assertTrue(provider.getCredentials().getPassword().startsWith(server.host));
            // The next pool of a template has its own URL and its own provider.
            config.setJdbcUrl(other);
            assertTrue(refusal(provider).startsWith("jdbcUrl: its host is not the signer's"));
            RdsignCredentialsProvider next = provider(signer, config);
            assertTrue(provider.getCredentials().getPassword().startsWith(server.host));
            assertTrue(refusal(next).startsWith("jdbcUrl: its host is not the signer's"));
        }
    }

    private static RdsignCredentialsProvider provider(Signer signer, HikariConfig config) {
        RdsignCredentialsProvider provider = new RdsignCredentialsProvider(signer, config);
        config.setCredentialsProvider(provider);
        return provider;
    }

    private static String refusal(RdsignCredentialsProvider provider) {
        return assertThrows(IllegalArgumentException.class, provider::getCredentials).getMessage();
    }

    @Test
    void aListOfHostsIsSignedForTheDialedOne() throws Exception {
        String list = "jdbc:postgresql://other" + server.host + ":1," + server.host + ":";
        String parameters =
                server.url(PLUGIN, VERIFIED, "&user=iam_user").replaceFirst("^[^?]*\\?", "?");
        String url = list + server.port + "/" + server.database + parameters;
        // The first host's name fails the check, and pgjdbc tries the second.
        check(
                child(),
                List.of(
                        line(url + OURS, "iam_user"),
                        line(url + OURS + "&targetServerType=primary", "iam_user"),
                        line(url + OURS + "&rdsignHostname=" + server.host, "iam_user"),
                        line(url, "hostname: a list of hosts")));
    }
}
