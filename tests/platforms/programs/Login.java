import io.github.rdsign.Signer;
import io.github.rdsign.postgresql.RdsignDataSource;

import java.sql.Connection;
import java.sql.ResultSet;

/** Logs in to the database of libpq's variables, and prints the user. */
public class Login {
    public static void main(String[] arguments) throws Exception {
        Signer signer =
                Signer.builder()
                        .hostname(System.getenv("PGHOST"))
                        .port(Long.parseLong(System.getenv("PGPORT")))
                        .username(System.getenv("PGUSER"))
                        .build();
        RdsignDataSource source =
                RdsignDataSource.builder()
                        .signer(signer)
                        .database(System.getenv("PGDATABASE"))
                        .dial(System.getenv("PGHOSTADDR") + ":" + System.getenv("PGPORT"))
                        .property("sslrootcert", System.getenv("PGSSLROOTCERT"))
                        .build();
        try (Connection connection = source.getConnection();
                ResultSet row = connection.createStatement().executeQuery("select current_user")) {
            row.next();
            System.out.println(row.getString(1));
        }
    }
}
