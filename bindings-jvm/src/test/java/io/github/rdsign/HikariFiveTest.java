package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import org.junit.jupiter.api.Test;

/** Tests with HikariCP 5. They run separately, with another class path. */
class HikariFiveTest {
    private final Server server = Server.shared();

    @Test
    void thisIsHikariFive() {
        String jar = HikariDataSource.class.getProtectionDomain().getCodeSource().toString();
        assertTrue(jar.contains("HikariCP-5."), jar);
    }

    @Test
    void hikariFiveAcceptsTheDataSource() throws Exception {
        HikariConfig config = new HikariConfig();
        try (Signer signer = server.signer().build()) {
            config.setDataSource(server.source(signer).build());
            Pools.reconnects(server, config);
        }
    }

    /** Version 6 no longer calls getPassword(). */
    @Test
    void hikariFiveCallsGetPasswordForEachConnection() throws Exception {
        try (Signer signer = server.signer().build()) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(server.url("&sslmode=verify-full"));
            config.setUsername(signer.username());
            int[] asked = new int[1];
            try (HikariDataSource pool =
                    new HikariDataSource(Pools.lazy(config)) {
                        @Override
                        public String getPassword() {
                            asked[0]++;
                            return signer.password();
                        }
                    }) {
                Pools.reconnects(pool);
            }
            assertTrue(asked[0] >= 3, () -> "asked " + asked[0] + " times");
        }
    }

    @Test
    void hikariFiveNeedsOnlyTheUrl() throws Exception {
        Child child = new Child();
        child.environment("AWS_ACCESS_KEY_ID", server.exports.get("AWS_ACCESS_KEY_ID"));
        child.environment("AWS_SECRET_ACCESS_KEY", server.exports.get("AWS_SECRET_ACCESS_KEY"));
        String url =
                server.url(
                        "&sslmode=verify-full&user=iam_user&authenticationPluginClassName="
                                + "io.github.rdsign.postgresql.RdsignAuthenticationPlugin");
        assertEquals("iam_user\n", child.run(PooledUrl.class, url).well().output());
    }

    /** A program whose pool is configured only by a URL. */
    static final class PooledUrl {
        private PooledUrl() {}

        public static void main(String[] arguments) throws Exception {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(arguments[0]);
            try (HikariDataSource pool = Pools.start(config)) {
                System.out.println(Server.userOf(pool.getConnection()));
            }
        }
    }
}
