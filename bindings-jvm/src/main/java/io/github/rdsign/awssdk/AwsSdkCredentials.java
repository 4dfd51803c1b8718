package io.github.rdsign.awssdk;

import io.github.rdsign.Credentials;

import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

import java.util.Objects;
import java.util.function.Supplier;

/**
 * Adapts a credentials provider of the AWS SDK for Java v2:
 *
 * <pre>{@code
 * Signer.builder().credentials(AwsSdkCredentials.from(provider))
 * }</pre>
 *
 * <p>The caller closes the provider. Only programs that use this class need the SDK.
 */
public final class AwsSdkCredentials {
    private AwsSdkCredentials() {}

    /**
     * Returns a supplier that calls a provider.
     *
     * @param provider the SDK's provider
     * @return a supplier for {@code Signer.Builder.credentials}
     */
    public static Supplier<Credentials> from(AwsCredentialsProvider provider) {
        Objects.requireNonNull(provider, "provider is null");
        return () -> credentials(provider.resolveCredentials());
    }

    private static Credentials credentials(AwsCredentials given) {
        Credentials.Builder builder =
                Credentials.builder()
                        .accessKeyId(given.accessKeyId())
                        .secretAccessKey(given.secretAccessKey());
        if (given instanceof AwsSessionCredentials) {
            builder.sessionToken(((AwsSessionCredentials) given).sessionToken());
        }
        given.expirationTime().ifPresent(builder::expiration);
        return builder.build();
    }
}
