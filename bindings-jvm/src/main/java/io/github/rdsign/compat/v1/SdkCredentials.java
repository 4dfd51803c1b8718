package io.github.rdsign.compat.v1;

import com.amazonaws.auth.AWSCredentials;
import com.amazonaws.auth.AWSCredentialsProvider;
import com.amazonaws.auth.AWSSessionCredentials;

import io.github.rdsign.Credentials;
import io.github.rdsign.internal.SdkProvider;

import java.util.function.Supplier;

/** Adapts credentials of the AWS SDK for Java v1. It is loaded only if a program has some. */
final class SdkCredentials {
    private SdkCredentials() {}

    static SdkProvider of(Object provider) {
        try {
            return new SdkProvider(Adapter.of(provider));
        } catch (ClassCastException | NoClassDefFoundError notOfTheSdk) {
            throw SdkProvider.refused(
                    provider, "an AWSCredentialsProvider or AWSCredentials of the SDK");
        }
    }

    private static final class Adapter {
        static Supplier<Credentials> of(Object provider) {
            if (provider instanceof AWSCredentials) {
                return () -> credentials((AWSCredentials) provider);
            }
            AWSCredentialsProvider given = (AWSCredentialsProvider) provider;
            return () -> credentials(given.getCredentials());
        }

        private static Credentials credentials(AWSCredentials given) {
            Credentials.Builder builder =
                    Credentials.builder()
                            .accessKeyId(given.getAWSAccessKeyId())
                            .secretAccessKey(given.getAWSSecretKey());
            if (given instanceof AWSSessionCredentials) {
                builder.sessionToken(((AWSSessionCredentials) given).getSessionToken());
            }
            return builder.build();
        }
    }
}
