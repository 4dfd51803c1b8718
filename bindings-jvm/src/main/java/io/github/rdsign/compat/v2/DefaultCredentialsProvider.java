package io.github.rdsign.compat.v2;

import io.github.rdsign.Credentials;

import java.util.Objects;
import java.util.function.Supplier;

/** Selects rdsign's default chain of credentials. */
public final class DefaultCredentialsProvider implements AutoCloseable {
    /** Stands for the chain in a request, where null stands for the utilities' credentials. */
    static final Supplier<Credentials> CHAIN =
            () -> {
                throw new IllegalStateException("the default chain returns no credentials itself");
            };

    private DefaultCredentialsProvider() {}

    /**
     * Returns an instance. All are equivalent.
     *
     * @return a new instance
     */
    public static DefaultCredentialsProvider create() {
        return new DefaultCredentialsProvider();
    }

    /**
     * Returns a builder. The chain has no options here: for a profile, use {@link
     * io.github.rdsign.Signer.Builder#profile}.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Returns the function that stands for this chain, or for a provider of the SDK. */
    static Supplier<Credentials> orSdk(Object credentialsProvider) {
        Objects.requireNonNull(credentialsProvider, "credentialsProvider is null");
        return credentialsProvider instanceof DefaultCredentialsProvider
                ? CHAIN
                : SdkCredentials.of(credentialsProvider);
    }

    /** Does nothing: there is nothing to close. */
    @Override
    public void close() {}

    /** Builds a {@link DefaultCredentialsProvider}. */
    public static final class Builder {
        private Builder() {}

        /**
         * Returns the chain.
         *
         * @return a new instance
         */
        public DefaultCredentialsProvider build() {
            return create();
        }
    }
}
