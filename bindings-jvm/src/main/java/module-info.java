/** Signs IAM database authentication tokens for Amazon RDS, Aurora and Aurora DSQL. */
module io.github.rdsign {
    exports io.github.rdsign;
    exports io.github.rdsign.awssdk;
    exports io.github.rdsign.compat.v1;
    exports io.github.rdsign.compat.v2;
    exports io.github.rdsign.hikari;
    exports io.github.rdsign.postgresql;
    exports io.github.rdsign.testing;

    // If you use a package that needs one of these modules, require that module too. They are not
    // transitive, because javac would then require them of all users.
    requires static aws.java.sdk.core;
    requires static com.zaxxer.hikari;
    requires static java.sql;
    requires static org.junit.jupiter.api;
    requires static org.postgresql.jdbc;
    requires static software.amazon.awssdk.auth;
}
