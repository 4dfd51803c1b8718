import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import io.github.rdsign.RdsignException;
import io.github.rdsign.Signer;
import io.github.rdsign.postgresql.RdsignDataSource;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.Locale;

import javax.sql.DataSource;

/**
 * Logs in with a HikariCP pool and next to it until the file STOP exists: Pool EVENTS STOP. Each
 * connection is used once. A third thread only makes tokens.
 */
class Pool {
    static OutputStream events;
    static Path stop;

    public static void main(String[] arguments) throws Exception {
        events = new FileOutputStream(arguments[0], true);
        stop = Path.of(arguments[1]);
        String port = System.getenv("PGPORT");
        Signer signer =
                Signer.builder()
                        .hostname(System.getenv("PGHOST"))
                        .port(Long.parseLong(port))
                        .username("iam_user")
                        .build();
        DataSource timed =
                timed(
                        RdsignDataSource.builder()
                                .signer(signer)
                                .database("testdb")
                                .dial("127.0.0.1:" + port)
                                .property("sslrootcert", System.getenv("PGSSLROOTCERT"))
                                .build());
        HikariConfig config = new HikariConfig();
        config.setDataSource(timed);
        config.setMaximumPoolSize(3);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(120_000);
        config.setInitializationFailTimeout(-1);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            Thread[] threads = {
                new Thread(() -> logIn(pool, pool)),
                new Thread(() -> logIn(timed, null)),
                new Thread(() -> sign(signer)),
                new Thread(Pool::collect)
            };
            for (Thread thread : threads) {
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
        signer.close();
    }

    static double now() {
        return System.nanoTime() / 1e9;
    }

    static void pause(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException never) {
            throw new AssertionError(never);
        }
    }

    static synchronized void event(String what, double began, String outcome, String text) {
        String shown = text.substring(0, Math.min(300, text.length()));
        shown = shown.replaceAll("[\"\\\\\\p{Cntrl}]", " ");
        String line =
                String.format(
                        Locale.ROOT,
                        "{\"what\": \"%s\", \"began\": %.6f, \"ended\": %.6f, \"outcome\": \"%s\","
                                + " \"text\": \"%s\"}%n",
                        what,
                        began,
                        now(),
                        outcome,
                        shown);
        try {
            events.write(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    /** Writes an event for each connection that a data source makes. */
    static DataSource timed(DataSource real) {
        return (DataSource)
                Proxy.newProxyInstance(
                        Pool.class.getClassLoader(),
                        new Class<?>[] {DataSource.class},
                        (proxy, method, arguments) -> {
                            double began = now();
                            boolean connects = method.getName().equals("getConnection");
                            try {
                                Object made = method.invoke(real, arguments);
                                if (connects) {
                                    event("login", began, "ok", "");
                                }
                                return made;
                            } catch (InvocationTargetException failure) {
                                failed(began, failure.getCause());
                                throw failure.getCause();
                            }
                        });
    }

    /** Signing comes before the connection, so its error has the time of the signing alone. */
    static void failed(double began, Throwable failure) {
        String text = String.valueOf(failure.getMessage());
        if (failure.getCause() instanceof RdsignException) {
            event("token", began, ((RdsignException) failure.getCause()).code(), text);
        } else {
            boolean refused = text.contains("PAM authentication failed");
            event("login", began, refused ? "refused" : "failed", text);
        }
    }

    static void logIn(DataSource source, HikariDataSource pool) {
        while (!Files.exists(stop)) {
            try (Connection connection = source.getConnection()) {
                connection.createStatement().executeQuery("select current_user").next();
                if (pool != null) {
                    pool.evictConnection(connection);
                }
            } catch (SQLTransientConnectionException poolTimeout) {
                // The failed logins behind it are counted by themselves.
            } catch (SQLException counted) {
                pause(20);
            }
            pause(20);
        }
    }

    static void sign(Signer signer) {
        while (!Files.exists(stop)) {
            double began = now();
            try {
                signer.token();
                event("token", began, "ok", "");
            } catch (RdsignException failure) {
                event("token", began, failure.code(), failure.getMessage());
            }
            pause(50);
        }
    }

    /** A heap that is collected at a steady pace shows a leak in the resident memory. */
    static void collect() {
        while (!Files.exists(stop)) {
            System.gc();
            for (int i = 0; i < 50 && !Files.exists(stop); i++) {
                pause(100);
            }
        }
    }
}
