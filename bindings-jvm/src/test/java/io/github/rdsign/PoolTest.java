package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import io.github.rdsign.hikari.RdsignCredentialsProvider;

import org.junit.jupiter.api.Test;

import scalikejdbc.Commons2ConnectionPool;
import scalikejdbc.ConnectionPool;
import scalikejdbc.DataSourceConnectionPool;

import java.sql.Connection;
import java.sql.SQLException;

/** HikariCP 7 and ScalikeJDBC: with the data source, the credentials provider and the URL. */
class PoolTest {
    private final Server server = Server.shared();

    private HikariConfig byUrl() {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(server.url("&sslmode=verify-full"));
        return config;
    }

    @Test
    void hikariSevenCallsTheCredentialsProviderForEachConnection() throws Exception {
        HikariConfig config = byUrl();
        try (Signer signer = server.signer().build()) {
            config.setCredentialsProvider(new RdsignCredentialsProvider(signer, config));
            Pools.reconnects(server, config);
        }
    }

    @Test
    void hikariSevenAcceptsTheDataSource() throws Throwable {
        HikariConfig config = new HikariConfig();
        try (Signer signer = server.signer().build()) {
            config.setDataSource(server.source(signer).build());
            Pools.reconnects(server, config);
        }
    }

    @Test
    void aPoolMayNameTheSignersUser() throws Exception {
        HikariConfig config = new HikariConfig();
        try (Signer signer = server.signer().build()) {
            config.setDataSource(server.source(signer).build());
            config.setUsername(Server.USER);
            Pools.reconnects(server, config);
        }
    }

    @Test
    void aPoolOutlivesTheTokenThatOpenedIt() throws Throwable {
        try (Signer signer = server.signer().clock(server.clock()).build()) {
            HikariConfig fixed = byUrl();
            fixed.setUsername(Server.USER);
            fixed.setPassword(signer.password());
            HikariConfig fresh = new HikariConfig();
            fresh.setDataSource(server.source(signer).build());
            try (HikariDataSource keepsItsToken = Pools.start(fixed);
                    HikariDataSource pool = Pools.start(fresh)) {
                assertEquals(Server.USER, Server.userOf(keepsItsToken.getConnection()));
                assertEquals(Server.USER, Server.userOf(pool.getConnection()));
                server.ahead(
                        1200,
                        () -> {
                            // Open connections stay open.
                            assertEquals(Server.USER, Server.userOf(keepsItsToken.getConnection()));
                            server.refused("expired", () -> Pools.attempt(fixed));
                            Pools.evict(pool);
                            assertEquals(Server.USER, Server.userOf(pool.getConnection()));
                        });
            }
        }
    }

    @Test
    void aPoolWithoutPermissionIsRefused() throws Exception {
        HikariConfig config = new HikariConfig();
        try (Signer signer = server.signer("AKIALOCALNOTHING0001").build()) {
            config.setDataSource(server.source(signer).build());
            server.refused("not-allowed", () -> Pools.attempt(config));
        }
    }

    @Test
    void scalikeJdbcAcceptsTheDataSource() throws SQLException {
        try (Signer signer = server.signer().build()) {
            scalikejdbc(
                    new DataSourceConnectionPool(
                            server.source(signer).build(),
                            DataSourceConnectionPool.$lessinit$greater$default$2(),
                            DataSourceConnectionPool.$lessinit$greater$default$3()));
        }
    }

    @Test
    void scalikeJdbcAcceptsAHikariPool() throws SQLException {
        HikariConfig config = byUrl();
        try (Signer signer = server.signer().build()) {
            config.setCredentialsProvider(new RdsignCredentialsProvider(signer, config));
            try (HikariDataSource pool = Pools.start(config)) {
                scalikejdbc(
                        new DataSourceConnectionPool(
                                pool,
                                DataSourceConnectionPool.$lessinit$greater$default$2(),
                                DataSourceConnectionPool.$lessinit$greater$default$3()));
            }
        }
    }

    /**
     * ScalikeJDBC's own pool, Commons DBCP2, accepts only a URL, a user and a password. The URL
     * names the plugin.
     */
    @Test
    void scalikeJdbcsOwnPoolNeedsOnlyTheUrl() throws Exception {
        Child child = new Child();
        child.environment("AWS_ACCESS_KEY_ID", server.exports.get("AWS_ACCESS_KEY_ID"));
        child.environment("AWS_SECRET_ACCESS_KEY", server.exports.get("AWS_SECRET_ACCESS_KEY"));
        String url =
                server.url(
                        "&sslmode=verify-full&authenticationPluginClassName="
                                + "io.github.rdsign.postgresql.RdsignAuthenticationPlugin");
        assertEquals("iam_user\n", child.run(ScalikeUrl.class, url).well().output());
    }

    /** A program that uses ScalikeJDBC's singleton. */
    static final class ScalikeUrl {
        private ScalikeUrl() {}

        public static void main(String[] arguments) throws Exception {
            ConnectionPool.singleton(
                    arguments[0],
                    Server.USER,
                    "",
                    ConnectionPool.singleton$default$4(),
                    ConnectionPool.DEFAULT_CONNECTION_POOL_FACTORY());
            ConnectionPool pool = ConnectionPool.get(ConnectionPool.DEFAULT_NAME());
            if (!(pool instanceof Commons2ConnectionPool)) {
                throw new AssertionError(pool);
            }
            System.out.println(Server.userOf(pool.borrow()));
            ConnectionPool.closeAll();
        }
    }

    private void scalikejdbc(DataSourceConnectionPool pool) throws SQLException {
        ConnectionPool.singleton(pool);
        try (Connection connection = ConnectionPool.get(ConnectionPool.DEFAULT_NAME()).borrow()) {
            assertEquals(Server.USER, Server.userOf(connection));
        }
    }
}
