package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The parameters of a JDBC URL, and versions of pgjdbc that do not know the plugin. */
class UrlTest {
    private static final String OURS =
            "&sslfactory=io.github.rdsign.postgresql.RdsSslSocketFactory";

    private final Server server = Server.shared();
    private final String url =
            server.url(
                    "&sslmode=verify-full&user=iam_user&authenticationPluginClassName="
                            + "io.github.rdsign.postgresql.RdsignAuthenticationPlugin");

    private Child child() {
        Child child = new Child();
        for (String name : new String[] {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) {
            child.environment(name, server.exports.get(name));
        }
        return child;
    }

    private String[] results(String... urls) throws Exception {
        String[] results = child().run(UrlLogin.class, urls).well().output().split("\n");
        assertEquals(urls.length, results.length);
        return results;
    }

    @Test
    void aMistypedParameterIsRefusedEveryTime() throws Exception {
        String role = "=arn:aws:iam::123456789012:role/a-role";
        String[] results =
                results(
                        url + "&rdsignRolearn" + role,
                        url,
                        url + "&rdsignRolearn" + role,
                        url + "&RdsignRoleArn" + role,
                        url.replace("&rdsignDial=", "&rdsigndial="));
        for (int i : new int[] {0, 2}) {
            assertTrue(results[i].startsWith("rdsignRolearn: unknown parameter; "), results[i]);
        }
        assertEquals("iam_user", results[1]);
        assertTrue(results[3].startsWith("RdsignRoleArn: unknown parameter; "), results[3]);
        assertTrue(results[4].contains("could not be instantiated"), results[4]);
        String withoutFactory = url.replaceFirst("socketFactory=[^&]*&", "");
        String direct = "rdsignDial: nothing reads it; accepted: rdsignDial together with";
        // The endpoint's name does not resolve here, so a server on this machine stands for it.
        String here = withoutFactory.replaceFirst("//[^/]*/", "//" + server.address() + "/");
        String agreed = here.replace("=verify-full", "=verify-ca&rdsignSslmode=verify-ca");
        assertTrue(results(agreed)[0].startsWith(direct));
    }

    @Test
    void theSslSocketFactoryObeysSslrootcert(@TempDir Path folder) throws Exception {
        Path text = Files.writeString(folder.resolve("text"), "not a certificate\n");
        Path empty = Files.writeString(folder.resolve("empty"), "");
        Path missing = folder.resolve("missing");
        String[] results =
                results(
                        url + OURS,
                        url.replaceFirst("&sslrootcert=[^&]*", OURS),
                        url + OURS + "&sslrootcert=" + text,
                        url + OURS + "&sslrootcert=" + empty,
                        url + OURS + "&sslrootcert=" + missing);
        assertEquals("iam_user", results[0]);
        assertTrue(results[1].contains("unable to find valid certification path"), results[1]);
        Path[] files = {text, empty, missing};
        for (int i = 0; i < files.length; i++) {
            String message = results[i + 2];
            assertTrue(message.contains("sslrootcert: cannot read " + files[i] + " ("), message);
            assertTrue(message.contains("; accepted: a PEM file with certificates"), message);
        }
    }

    @Test
    void theEventsOfAUrlAreLogged(@TempDir Path folder) throws Exception {
        String[] urls = {url, url + "&rdsignProfile=missing"};
        Child.Ended quiet = child().run(UrlLogin.class, urls).well();
        assertFalse(quiet.error().contains("credentials fetched"), quiet.error());
        String properties =
                "handlers=java.util.logging.ConsoleHandler\n"
                        + "java.util.logging.ConsoleHandler.level=FINE\n"
                        + "java.util.logging.SimpleFormatter.format=%4$s %3$s %5$s%n\n"
                        + "io.github.rdsign.level=FINE\n";
        Path file = Files.writeString(folder.resolve("logging.properties"), properties);
        String option = "-Djava.util.logging.config.file=" + file;
        String said = child().option(option).run(UrlLogin.class, urls).well().error();
        for (String line :
                new String[] {
                    "FINE io.github.rdsign credentials fetched from environment in ",
                    "WARNING io.github.rdsign credentials not fetched: CREDENTIALS_"
                }) {
            assertEquals(2, (said + " ").split(line).length, said);
        }
    }

    @Test
    void aVersionOfPgjdbcWithoutPluginsIsRefused() throws Exception {
        String old = System.getProperty("rdsign.test.old");
        String classPath =
                Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                        .filter(path -> !path.contains("/postgresql-"))
                        .collect(Collectors.joining(File.pathSeparator));
        try (Stream<Path> drivers = Files.list(Path.of(old))) {
            for (Path driver : drivers.toList()) {
                String both = classPath + File.pathSeparator + driver;
                String output =
                        child().classPath(both).run(UrlLogin.class, url + OURS).well().output();
                assertTrue(output.contains("this version of pgjdbc ignores it"), output);
                output =
                        child().classPath(both)
                                .run(
                                        ElsewhereTest.Sources.class,
                                        server.host,
                                        Integer.toString(server.port),
                                        server.address(),
                                        server.rootCertificate,
                                        server.address())
                                .output();
                assertTrue(output.startsWith("iam_user\n"), output);
                // With RdsSslSocketFactory, which does not trust this server.
                assertTrue(
                        output.split("\n")[1].contains("unable to find valid certification"),
                        output);
            }
        }
    }

    @Test
    void theAuthoritiesOfRdsAreAFile() throws Exception {
        try (var pem = Authorities.pem().openStream()) {
            byte[] bundle = Files.readAllBytes(Path.of("../ca-bundle/rds.pem"));
            assertEquals(new String(bundle), new String(pem.readAllBytes()));
        }
    }
}
