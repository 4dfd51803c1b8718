package io.github.rdsign.compat.v2;

import io.github.rdsign.Credentials;
import io.github.rdsign.awssdk.AwsSdkCredentials;
import io.github.rdsign.internal.SdkProvider;

import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;

import java.util.function.Supplier;

/** Adapts providers of the AWS SDK for Java v2. It is loaded only if a program has one. */
final class SdkCredentials {
    private SdkCredentials() {}

    static SdkProvider of(Object provider) {
        try {
            return new SdkProvider(Adapter.of(provider));
        } catch (ClassCastException | NoClassDefFoundError notOfTheSdk) {
            throw SdkProvider.refused(
                    provider, "an AwsCredentialsProvider or AwsCredentials of the SDK");
        }
    }

    private static final class Adapter {
        static Supplier<Credentials> of(Object provider) {
            if (provider instanceof AwsCredentials) {
                return AwsSdkCredentials.from(() -> (AwsCredentials) provider);
            }
            return AwsSdkCredentials.from((AwsCredentialsProvider) provider);
        }
    }
}
