package io.github.rdsign.compat.v1;

/** Selects rdsign's default chain of credentials. */
public final class DefaultAWSCredentialsProviderChain {
    private static final DefaultAWSCredentialsProviderChain INSTANCE =
            new DefaultAWSCredentialsProviderChain();

    /** Makes an instance. All are equivalent. */
    public DefaultAWSCredentialsProviderChain() {}

    /**
     * Returns the shared instance.
     *
     * @return always the same object
     */
    public static DefaultAWSCredentialsProviderChain getInstance() {
        return INSTANCE;
    }
}
