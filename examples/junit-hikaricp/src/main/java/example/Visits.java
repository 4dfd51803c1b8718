package example;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

import javax.sql.DataSource;

/**
 * Counts visits of pages in PostgreSQL. The caller makes the data source: in production with a
 * {@code Signer}, and in tests from RDS on this machine.
 */
final class Visits {
    private static final String VISIT =
            "insert into visits values (?, 1)"
                    + " on conflict (page) do update set count = visits.count + 1 returning count";

    private final DataSource source;

    Visits(DataSource source) {
        this.source = source;
    }

    void createTables() throws SQLException {
        try (Connection connection = source.getConnection()) {
            connection
                    .createStatement()
                    .execute("create table visits (page text primary key, count int not null)");
        }
    }

    /** Counts a visit. Returns the number of visits of the page so far. */
    int visit(String page) throws SQLException {
        try (Connection connection = source.getConnection();
                PreparedStatement statement = connection.prepareStatement(VISIT)) {
            statement.setString(1, page);
            ResultSet row = statement.executeQuery();
            row.next();
            return row.getInt(1);
        }
    }
}
