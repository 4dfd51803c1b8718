import java.sql.DriverManager;

/** Logs in with pgjdbc by a URL, a user and a password, and prints the user. */
class Jdbc {
    public static void main(String[] arguments) throws Exception {
        try (var connection =
                        DriverManager.getConnection(arguments[0], "iam_user", "not asked for");
                var query = connection.prepareStatement("select current_user where 1 = ?")) {
            query.setInt(1, 1);
            try (var rows = query.executeQuery()) {
                rows.next();
                System.out.println(rows.getString(1));
            }
        }
    }
}
