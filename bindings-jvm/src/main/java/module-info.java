/** Signs Amazon RDS and Aurora IAM database authentication tokens. */
module io.github.rdsign {
    exports io.github.rdsign;
    exports io.github.rdsign.awssdk;
    exports io.github.rdsign.compat.v1;
    exports io.github.rdsign.compat.v2;
    exports io.github.rdsign.hikari;
    exports io.github.rdsign.postgresql;

    // Who uses a package that needs one of these requires it as well. None is transitive: javac
    // would
    // ask everyone for it.
    requires static com.zaxxer.hikari;
    requires static java.sql;
    requires static org.postgresql.jdbc;
    requires static software.amazon.awssdk.auth;
}
