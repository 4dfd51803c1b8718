package io.github.rdsign.internal;

import io.github.rdsign.Credentials;
import io.github.rdsign.Signer;

import java.util.function.Supplier;

/**
 * A credentials provider of an AWS SDK, in the classes that replace the SDK's. It is asked for each
 * token, as the SDK does: it caches by itself, and often does not say when its keys expire.
 */
public final class SdkProvider implements Supplier<Credentials> {
    private final Supplier<Credentials> provider;

    /** Wraps a supplier that asks the provider. */
    public SdkProvider(Supplier<Credentials> provider) {
        this.provider = provider;
    }

    @Override
    public Credentials get() {
        return provider.get();
    }

    /** Signs one token. Exceptions of the provider stay as they are. */
    public String password(Signer.Builder builder) {
        Credentials now = get();
        try (Signer signer = builder.credentials(() -> now).build()) {
            return signer.password();
        }
    }

    /** Returns the exception for an argument that provides no credentials. */
    public static IllegalArgumentException refused(Object given, String accepted) {
        return new IllegalArgumentException(
                "credentials: a "
                        + given.getClass().getName()
                        + " does not provide any; accepted: "
                        + accepted
                        + ", or a Supplier");
    }
}
