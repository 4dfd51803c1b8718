package io.github.rdsign;

import java.sql.DriverManager;

/** A program that uses rdsign only through its JDBC URL. */
final class UrlLogin {
    private UrlLogin() {}

    public static void main(String[] arguments) throws Exception {
        System.out.println(Server.userOf(DriverManager.getConnection(arguments[0])));
    }
}
