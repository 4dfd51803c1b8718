package io.github.rdsign.compat.v2;

/** Selects rdsign's default chain of credentials. */
public final class DefaultCredentialsProvider {
    private DefaultCredentialsProvider() {}

    /**
     * Returns an instance. All are equivalent.
     *
     * @return a new instance
     */
    public static DefaultCredentialsProvider create() {
        return new DefaultCredentialsProvider();
    }
}
