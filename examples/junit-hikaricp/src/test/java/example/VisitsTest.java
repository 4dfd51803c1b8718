package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.zaxxer.hikari.HikariDataSource;

import io.github.rdsign.testing.RdsDatabase;
import io.github.rdsign.testing.RdsLocalExtension;
import io.github.rdsign.testing.Refusal;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;

import javax.sql.DataSource;

// Run it with `mvn test`: `rdsign` must be in PATH, or RDSIGN_BIN must name it.
@ExtendWith(RdsLocalExtension.class)
class VisitsTest {
    // Each test has its own database, and a user who logs in with tokens.
    @BeforeEach
    void createTables(RdsDatabase rds) throws SQLException {
        new Visits(rds.dataSource()).createTables();
    }

    private static HikariDataSource pool(DataSource source) {
        HikariDataSource pool = new HikariDataSource();
        pool.setDataSource(source);
        return pool;
    }

    /** Logs in, which must fail. Returns why, which only the server knows. */
    private static String refused(RdsDatabase rds, HikariDataSource pool) {
        assertThrows(SQLException.class, pool::getConnection);
        List<Refusal> refusals = rds.refusals();
        return refusals.get(refusals.size() - 1).id();
    }

    @Test
    void aTokenExpiresAfterFifteenMinutesAndThePoolGetsANewOne(RdsDatabase rds) throws Exception {
        HikariDataSource old = new HikariDataSource();
        old.setJdbcUrl(rds.jdbcUrl());
        old.setPassword(rds.signer().password());
        rds.clock().advance(Duration.ofMinutes(16));
        assertEquals("expired", refused(rds, old));
        try (HikariDataSource pool = pool(rds.dataSource())) {
            assertEquals(1, new Visits(pool).visit("/"));
        }
    }

    @Test
    void visitsAreCounted(RdsDatabase rds) throws SQLException {
        try (HikariDataSource pool = pool(rds.dataSource())) {
            assertEquals(1, new Visits(pool).visit("/"));
            assertEquals(2, new Visits(pool).visit("/"));
            assertEquals(1, new Visits(pool).visit("/other"));
        }
    }

    @Test
    void aUserWhoLosesThePermissionCannotLogIn(RdsDatabase rds) throws SQLException {
        rds.policy().deny();
        assertEquals("not-allowed", refused(rds, pool(rds.dataSource())));
        rds.policy().allow();
        assertEquals(1, new Visits(rds.dataSource()).visit("/"));
    }

    @Test
    void aPoolWithAReplacedKeyCannotLogIn(RdsDatabase rds) throws SQLException {
        DataSource old = rds.dataSource();
        rds.keys().replace();
        assertEquals("unknown-access-key", refused(rds, pool(old)));
        assertEquals(1, new Visits(rds.dataSource()).visit("/"));
    }
}
