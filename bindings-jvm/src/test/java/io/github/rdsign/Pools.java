package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;

/** Helpers that the tests with HikariCP 5 and HikariCP 7 share. */
final class Pools {
    private Pools() {}

    /** Makes a pool of one connection, which connects at the first use. */
    static HikariDataSource start(HikariConfig config) {
        return new HikariDataSource(lazy(config));
    }

    static HikariConfig lazy(HikariConfig config) {
        config.setMaximumPoolSize(1);
        config.setMinimumIdle(0);
        config.setInitializationFailTimeout(-1);
        config.setConnectionTimeout(TimeUnit.SECONDS.toMillis(Child.PATIENCE));
        return config;
    }

    /** Makes such a pool that connects at once, once, and throws if that fails. */
    static void attempt(HikariConfig config) {
        HikariConfig once = new HikariConfig();
        config.copyStateTo(once); // a pool seals its configuration
        lazy(once);
        once.setInitializationFailTimeout(1);
        new HikariDataSource(once).close();
    }

    /** Connects three times: evicts the connection after each use. */
    static void reconnects(Server server, HikariConfig config) throws SQLException {
        try (HikariDataSource pool = start(config)) {
            reconnects(pool);
        }
    }

    static void reconnects(HikariDataSource pool) throws SQLException {
        int before = 0;
        for (int i = 0; i < 3; i++) {
            int backend = backend(pool.getConnection());
            assertNotEquals(before, backend);
            before = backend;
            evict(pool);
        }
    }

    /** Closes the connections of a pool, so that the next use logs in again. */
    static void evict(HikariDataSource pool) {
        pool.getHikariPoolMXBean().softEvictConnections();
        await(() -> pool.getHikariPoolMXBean().getTotalConnections() == 0, "the eviction");
    }

    private static int backend(Connection connection) throws SQLException {
        try (connection;
                ResultSet row =
                        connection
                                .createStatement()
                                .executeQuery("select current_user, pg_backend_pid()")) {
            row.next();
            assertEquals(Server.USER, row.getString(1));
            return row.getInt(2);
        }
    }

    interface Condition {
        boolean holds();
    }

    static void await(Condition condition, String what) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Child.PATIENCE);
        while (!condition.holds()) {
            assertTrue(System.nanoTime() < deadline, () -> "timed out waiting for " + what);
            Thread.onSpinWait();
        }
    }
}
