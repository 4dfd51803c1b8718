package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import io.github.rdsign.testing.RdsDatabase;
import io.github.rdsign.testing.RdsLocal;
import io.github.rdsign.testing.RdsLocalException;
import io.github.rdsign.testing.RdsLocalExtension;
import io.github.rdsign.testing.Refusal;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import javax.sql.DataSource;

/** RDS on this machine as users of the JAR start it, with and without JUnit. */
class RdsLocalTest {
    @RegisterExtension static final RdsLocalExtension EXTENSION = new RdsLocalExtension();

    private RdsDatabase before;

    @BeforeEach
    void remembers(RdsDatabase rds) {
        before = rds;
    }

    /** Logs in, which the server must refuse. Returns why. */
    private static String refused(RdsDatabase rds, DataSource source) {
        long last = rds.refusals().stream().mapToLong(Refusal::number).max().orElse(0);
        SQLException error = assertThrows(SQLException.class, source::getConnection);
        assertTrue(error.getMessage().contains("PAM authentication failed"), error::toString);
        List<Refusal> refusals = rds.refusals(last);
        assertEquals(1, refusals.size(), refusals::toString);
        assertEquals(rds.username(), refusals.get(0).username());
        assertFalse(refusals.get(0).reason().isEmpty());
        return refusals.get(0).id();
    }

    private static void execute(DataSource source, String sql) throws SQLException {
        try (Connection connection = source.getConnection()) {
            connection.createStatement().execute(sql);
        }
    }

    @Test
    void aTestAndItsPreparationGetOneDatabaseAndTheServer(RdsDatabase rds, RdsLocal server)
            throws SQLException {
        assertSame(before, rds);
        assertSame(RdsLocal.shared(), server);
        assertEquals(rds.username(), Server.userOf(rds.dataSource().getConnection()));
        execute(rds.dataSource(), "create table t (a int)");
        execute(rds.dataSource(server.database()), "select 1");
        assertEquals(Server.USER, Server.userOf(server.dataSource().getConnection()));
    }

    @Nested
    class OfANestedClass {
        @Test
        void aTestHasADatabaseOfItsOwn(RdsDatabase rds, RdsLocal server) {
            List<Map<String, String>> own =
                    server.sql("select datname from pg_database where datname like 'test\\_%'");
            assertEquals(List.of(Map.of("datname", rds.database())), own);
        }
    }

    @Test
    void aCopyHasTheTablesOfItsTemplateAndAnotherUser(RdsDatabase rds, RdsLocal server) {
        rds.sql("create table t as select 'copied' as a, null as b");
        try (RdsDatabase copy = server.createDatabase(rds.database())) {
            assertNotEquals(rds.username(), copy.username());
            Map<String, String> row = copy.sql("select a, b, current_user as c from t").get(0);
            assertEquals("[a, b, c]", row.keySet().toString());
            assertEquals(Arrays.asList("copied", null, "postgres"), new ArrayList<>(row.values()));
        }
    }

    @Test
    void afterTheClockWasAdvancedAnOldTokenHasExpiredAndANewOneLogsIn(RdsDatabase rds)
            throws SQLException {
        String old = rds.signer().password();
        DataSource fresh = rds.dataSource();
        Instant early = rds.clock().instant();
        rds.clock().advance(Duration.ofMinutes(16));
        assertFalse(rds.clock().instant().isBefore(early.plus(Duration.ofMinutes(16))));
        assertThrows(SQLException.class, () -> withPassword(rds, old));
        assertEquals("[expired]", rds.refusals().stream().map(Refusal::id).toList().toString());
        assertEquals(rds.username(), Server.userOf(fresh.getConnection()));
        rds.clock().reset();
        assertEquals(rds.username(), Server.userOf(withPassword(rds, old)));
    }

    private static Connection withPassword(RdsDatabase rds, String password) throws SQLException {
        return DriverManager.getConnection(rds.jdbcUrl(), rds.username(), password);
    }

    @Test
    void aDeniedUserIsRefusedUntilItIsAllowedAgain(RdsDatabase rds, RdsLocal server)
            throws SQLException {
        rds.policy().deny();
        assertEquals("not-allowed", refused(rds, rds.dataSource()));
        rds.policy().allow();
        execute(rds.dataSource(), "select 1");
        server.policy().deny(rds.username());
        assertEquals("not-allowed", refused(rds, rds.dataSource()));
        assertTrue(server.refusals().stream().anyMatch(it -> it.id().equals("not-allowed")));
    }

    @Test
    void whatADatabaseDeniedToAnotherUserIsTakenBackWhenItIsClosed(RdsLocal server)
            throws Exception {
        try (RdsDatabase rds = server.createDatabase()) {
            rds.policy().deny(server.username());
            rds.policy().deny();
            assertThrows(SQLException.class, server.dataSource()::getConnection);
            List<Refusal> refusals = server.refusals();
            assertEquals("not-allowed", refusals.get(refusals.size() - 1).id());
        }
        execute(server.dataSource(), "select 1");
    }

    @Test
    void tokensOfAReplacedKeyAndOfAnExpiredKeyAreRefused(RdsDatabase rds) throws SQLException {
        DataSource old = rds.dataSource();
        rds.keys().replace();
        assertEquals("unknown-access-key", refused(rds, old));
        DataSource valid = rds.dataSource();
        execute(valid, "select 1");
        assertEquals(rds.key().id(), rds.environment().get("AWS_ACCESS_KEY_ID"));
        assertEquals(List.of(rds.username()), rds.key().users());
        rds.keys().expire();
        assertEquals("expired", refused(rds, valid));
    }

    @Test
    void springsPropertiesAreEnoughForAPool(RdsDatabase rds) throws SQLException {
        Map<String, String> properties = rds.springProperties();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(properties.get("spring.datasource.url"));
        config.setUsername(properties.get("spring.datasource.username"));
        try (HikariDataSource pool = Pools.start(config)) {
            assertEquals(rds.username(), Server.userOf(pool.getConnection()));
            // The next connection needs a new token, of the new key and at the new time.
            Pools.evict(pool);
            rds.keys().replace();
            rds.clock().advance(Duration.ofMinutes(16));
            assertEquals(rds.username(), Server.userOf(pool.getConnection()));
        }
    }

    @Test
    void aUrlLogsInWhateverTheNameOfTheFolderIs(@TempDir Path folder) throws SQLException {
        // PostgreSQL may run as another user.
        assertTrue(folder.toFile().setExecutable(true, false));
        Path data = folder.resolve("a+b%20&c d");
        try (RdsLocal server = RdsLocal.builder().data(data).start()) {
            assertTrue(server.authorities().startsWith(data.toString()), server::authorities);
            Connection connection = DriverManager.getConnection(server.jdbcUrl());
            assertEquals(server.username(), Server.userOf(connection));
        }
    }

    @Test
    void aUrlLogsInOnlyWhileItsDatabaseExists(RdsLocal server) throws SQLException {
        String url;
        try (RdsDatabase rds = server.createDatabase()) {
            url = rds.jdbcUrl();
            assertEquals(rds.username(), Server.userOf(DriverManager.getConnection(url)));
        }
        Exception gone = assertThrows(Exception.class, () -> DriverManager.getConnection(url));
        assertTrue(
                gone.toString().contains("accepted: a URL of RdsLogin.jdbcUrl()"), gone::toString);
    }

    @Test
    void anErrorOfSqlHasItsSqlstate(RdsDatabase rds) {
        RdsLocalException error =
                assertThrows(RdsLocalException.class, () -> rds.sql("select * from nothing"));
        assertEquals("42P01", error.code());
    }

    @Test
    void noSecretIsShown(RdsDatabase rds) {
        String shown = rds.key() + " " + rds.signer() + rds.jdbcUrl() + rds.springProperties();
        assertFalse(shown.contains(rds.key().secret()));
    }

    @Test
    void anOptionThatTheProgramRefusesIsAnExceptionWithItsMessage() {
        RdsLocal.Builder builder = RdsLocal.builder().version(3);
        RdsLocalException error = assertThrows(RdsLocalException.class, builder::start);
        assertEquals("other", error.code());
        assertTrue(error.getMessage().contains("14 to 18"), error::getMessage);
        RdsLocal.Builder onNoPort = RdsLocal.builder().port(0);
        error = assertThrows(RdsLocalException.class, onNoPort::start);
        assertEquals("port: \"0\" is not a port; accepted: 1 to 65535", error.getMessage());
        assertEquals("other", error.code());
    }

    @Test
    void aClosedServerRefusesEachCall() {
        RdsLocal own = RdsLocal.start();
        own.close();
        own.close();
        for (int i = 0; i < 2; i++) {
            RdsLocalException error =
                    assertThrows(RdsLocalException.class, () -> own.sql("select 1"));
            assertTrue(error.getMessage().contains("was stopped"), error::getMessage);
        }
    }

    @Test
    void afterTheEndOfPostgresqlOrOfTheProgramEachCallIsAnExceptionAndNothingIsLeft()
            throws Exception {
        for (boolean isProgram : List.of(false, true)) {
            RdsLocal own = RdsLocal.start();
            Path data = Path.of(own.authorities()).resolveSibling("data");
            String id = Files.readAllLines(data.resolve("postmaster.pid")).get(0);
            ProcessHandle postgres = ProcessHandle.of(Long.parseLong(id)).orElseThrow();
            ProcessHandle victim = isProgram ? postgres.parent().orElseThrow() : postgres;
            assertTrue(victim.destroyForcibly());
            assertThrows(RdsLocalException.class, () -> own.sql("select pg_sleep(600)"));
            own.close();
            RdsLocalException error = assertThrows(RdsLocalException.class, own::createDatabase);
            String why = isProgram ? "was stopped" : "PostgreSQL exited unexpectedly (signal: 9";
            assertTrue(error.getMessage().contains(why), error::getMessage);
            Pools.await(() -> !postgres.isAlive(), "the end of PostgreSQL");
        }
    }

    /** Starts a server, prints its folder, and ends as its argument says. */
    static final class Starter {
        private Starter() {}

        public static void main(String[] arguments) throws Exception {
            try {
                if (arguments[0].equals("interrupt")) {
                    Thread.currentThread().interrupt();
                }
                RdsLocal local = RdsLocal.start();
                System.out.println(Path.of(local.authorities()).getParent());
                if (arguments[0].equals("close")) {
                    local.close();
                }
                if (arguments[0].equals("halt")) {
                    Runtime.getRuntime().halt(1);
                }
                if (arguments[0].equals("kill")) {
                    String self = String.valueOf(ProcessHandle.current().pid());
                    System.out.flush();
                    new ProcessBuilder("kill", "-KILL", self).start().waitFor();
                }
            } catch (RdsLocalException failure) {
                System.out.println(failure.code() + ": " + failure.getMessage());
                Thread.interrupted();
                ProcessHandle.current().children().forEach(child -> child.onExit().join());
            }
        }
    }

    private static Child starter() {
        return new Child().environment("RDSIGN_BIN", System.getenv("RDSIGN_BIN"));
    }

    @Test
    void aJvmThatEndsOrIsKilledLeavesNoServer() throws Exception {
        for (String end : List.of("close", "return", "halt", "kill")) {
            Child.Ended ended = starter().run(Starter.class, end);
            Path folder = Path.of(ended.output().strip());
            assertTrue(folder.isAbsolute(), ended::toString);
            Pools.await(() -> !Files.exists(folder), "the server's end after " + end);
        }
    }

    @Test
    void aStartThatIsInterruptedEndsItsServer() throws Exception {
        String said = starter().run(Starter.class, "interrupt").well().output();
        assertTrue(said.contains("interrupted while RDS on this machine worked"), said);
    }

    @Test
    void aProgramNeedsNeitherJunitNorPgjdbcToStartAServer() throws Exception {
        String classes =
                RdsLocalTest.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        Child.Ended ended =
                starter().classPath(Child.jar() + ":" + classes).run(Starter.class, "close").well();
        assertTrue(Path.of(ended.output().strip()).isAbsolute(), ended::toString);
    }

    @Test
    void theProgramIsThatOfTheVariableElseInThePath(@TempDir Path folder) throws Exception {
        Path named = fake(folder.resolve("named"));
        Path inPath = fake(Files.createDirectories(folder.resolve("bin")).resolve("rdsign"));
        String path = inPath.getParent().toString();
        assertEquals("other: " + named + " local --json\n", started(named.toString(), path));
        assertEquals("other: " + inPath + " local --json\n", started("", path));
        String missing = started("", folder.toString());
        assertTrue(missing.startsWith("no-program: no program rdsign"), missing);
        assertTrue(missing.contains("accepted: RDSIGN_BIN") && missing.contains("PATH"), missing);
        String wrong = started(folder.toString(), path);
        assertTrue(wrong.contains("RDSIGN_BIN: " + folder + " is not a program"), wrong);
        Files.writeString(named, "#!/bin/sh\necho an old version >&2; exit 2\n");
        String old = started(named.toString(), path);
        assertTrue(old.contains("not the rdsign that belongs to this JAR"), old);
        assertTrue(old.contains("an old version"), old);
    }

    private static String started(String named, String path) throws Exception {
        Child child = new Child().environment("RDSIGN_BIN", named).environment("PATH", path);
        return child.run(Starter.class, "close").well().output();
    }

    private static Path fake(Path program) throws Exception {
        String answer = "{\"event\":\"failed\",\"kind\":\"other\",\"message\":\"'\"$0 $*\"'\"}";
        Files.writeString(program, "#!/bin/sh\necho '" + answer + "'\n");
        assertTrue(program.toFile().setExecutable(true));
        return program;
    }

    @Test
    void withoutAPostgresTheExceptionSaysHowToGetOne(@TempDir Path empty) throws Exception {
        Child child = starter().environment("RDSIGN_LOCAL_POSTGRES", empty.toString());
        String said = child.run(Starter.class, "close").well().output();
        assertTrue(said.startsWith("no-postgres: "), said);
        assertTrue(said.contains("RDSIGN_LOCAL_POSTGRES"), said);
    }
}
