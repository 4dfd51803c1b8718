package io.github.rdsign.testing;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

import java.util.Objects;

/**
 * An extension of JUnit 5 that gives each test a fresh database, as a parameter of type {@link
 * RdsDatabase}:
 *
 * <pre>{@code
 * @RegisterExtension
 * static final RdsLocalExtension server = new RdsLocalExtension();
 *
 * @Test
 * void logsIn(RdsDatabase rds) throws SQLException {
 *     rds.dataSource().getConnection().close();
 * }
 * }</pre>
 *
 * <p>{@code @ExtendWith(RdsLocalExtension.class)} does the same. Methods with {@code @BeforeEach}
 * get the same database as the test. After each test, it is removed, what it denied is allowed
 * again, and the clock is set to this machine's. A parameter of type {@link RdsLocal} is the
 * server.
 */
public final class RdsLocalExtension
        implements BeforeAllCallback, AfterAllCallback, AfterEachCallback, ParameterResolver {
    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(RdsLocalExtension.class);

    /** The options of an own server, or null for the shared one. */
    private final RdsLocal.Builder options;

    private RdsLocal own;

    /** The number of classes whose tests run: a nested class is one more. */
    private int classes;

    /** Uses the server that all tests of this JVM share: {@link RdsLocal#shared}. */
    public RdsLocalExtension() {
        options = null;
    }

    /**
     * Uses a server of its own, from the first test of the class to the last. The field of this
     * extension must be static.
     *
     * @param options the options of the server
     */
    public RdsLocalExtension(RdsLocal.Builder options) {
        this.options = Objects.requireNonNull(options, "options is null");
    }

    /**
     * Returns the server, and starts it if it does not run.
     *
     * @return the server
     * @throws RdsLocalException as {@link RdsLocal.Builder#start}
     */
    public synchronized RdsLocal server() {
        if (options == null) {
            return RdsLocal.shared();
        }
        if (own == null) {
            own = options.start();
        }
        return own;
    }

    @Override
    public synchronized void beforeAll(ExtensionContext context) {
        classes++;
        server();
    }

    @Override
    public synchronized void afterAll(ExtensionContext context) {
        classes--;
        if (classes == 0 && own != null) {
            own.close();
            own = null;
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        RdsDatabase database = store(context).remove(RdsDatabase.class, RdsDatabase.class);
        if (database != null) {
            try {
                database.clock().reset();
            } finally {
                database.close();
            }
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        Class<?> type = parameter.getParameter().getType();
        return type == RdsLocal.class
                || type == RdsDatabase.class && context.getTestMethod().isPresent();
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        if (parameter.getParameter().getType() == RdsLocal.class) {
            return server();
        }
        return store(context)
                .getOrComputeIfAbsent(
                        RdsDatabase.class, type -> server().createDatabase(), RdsDatabase.class);
    }

    private static ExtensionContext.Store store(ExtensionContext context) {
        return context.getStore(NAMESPACE);
    }
}
