package io.github.rdsign.compat.v2;

import io.github.rdsign.Credentials;
import io.github.rdsign.Signer;
import io.github.rdsign.internal.SdkProvider;
import io.github.rdsign.internal.SignerCache;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** The signers of one instance of {@link RdsUtilities} or {@link DsqlUtilities}. */
final class Signers {
    private final SignerCache signers = new SignerCache();

    /**
     * Signs a token with a cached signer, except with a provider of the SDK.
     *
     * @param key the options that are set in {@code builder}
     */
    String password(
            Signer.Builder builder,
            Region region,
            Supplier<Credentials> credentials,
            Object... key) {
        if (region != null) {
            builder.region(region.id());
        }
        if (credentials instanceof SdkProvider) {
            return ((SdkProvider) credentials).password(builder);
        }
        if (credentials != null && credentials != DefaultCredentialsProvider.CHAIN) {
            builder.credentials(credentials);
        }
        List<Object> all = new ArrayList<>(Arrays.asList(key));
        all.add(region);
        all.add(credentials);
        return signers.get(all, builder::build).password();
    }
}
