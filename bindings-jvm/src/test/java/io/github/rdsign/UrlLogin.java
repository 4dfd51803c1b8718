package io.github.rdsign;

import java.sql.DriverManager;
import java.sql.SQLException;

/** A program that uses rdsign only through its JDBC URLs: prints the user or the error of each. */
final class UrlLogin {
    private UrlLogin() {}

    public static void main(String[] urls) {
        for (String url : urls) {
            try {
                System.out.println(Server.userOf(DriverManager.getConnection(url)));
            } catch (SQLException failure) {
                System.out.println(failure.getMessage().replace('\n', ' '));
                failure.printStackTrace();
            }
        }
    }
}
