package io.github.rdsign.awssdk;

import io.github.rdsign.Credentials;

import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;

import java.util.Objects;
import java.util.function.Supplier;

/**
 * Credentials of a provider of the AWS SDK for Java v2, for programs that have one:
 *
 * <pre>{@code
 * Signer.builder().credentials(AwsSdkCredentials.from(provider))
 * }</pre>
 *
 * <p>The provider stays the caller's, who closes it. This class alone needs the SDK, and only where
 * it is used.
 */
public final class AwsSdkCredentials {
    private AwsSdkCredentials() {}

    /**
     * Adapts a provider.
     *
     * @param provider of the SDK's
     * @return what {@code Signer.Builder.credentials} takes
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
