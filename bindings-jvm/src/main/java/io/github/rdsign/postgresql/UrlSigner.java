package io.github.rdsign.postgresql;

import io.github.rdsign.Signer;
import io.github.rdsign.internal.SignerCache;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;

/**
 * Returns the signer for the parameters of a JDBC URL. Connections with the same parameters share a
 * signer and its cached credentials.
 */
final class UrlSigner {
    private static final SignerCache SIGNERS = new SignerCache();
    private static final String PREFIX = "rdsign";

    private static final List<String> PARAMETERS =
            Arrays.asList(
                    "rdsignHostname",
                    "rdsignPort",
                    "rdsignRegion",
                    "rdsignProfile",
                    "rdsignRoleArn",
                    "rdsignExternalId",
                    "rdsignRoleSessionName");

    private UrlSigner() {}

    static Signer of(Properties info) {
        List<Object> key = new ArrayList<>();
        key.add(info.getProperty("PGHOST"));
        key.add(info.getProperty("PGPORT"));
        key.add(info.getProperty("user"));
        for (String parameter : PARAMETERS) {
            key.add(info.getProperty(parameter));
        }
        return SIGNERS.get(key, () -> make(info));
    }

    private static Signer make(Properties info) {
        for (String name : info.stringPropertyNames()) {
            boolean isOurs = PARAMETERS.contains(name) || name.equals(DialSocketFactory.PARAMETER);
            if (name.startsWith(PREFIX) && !isOurs) {
                throw new IllegalArgumentException(
                        name
                                + ": unknown parameter; accepted: "
                                + String.join(", ", PARAMETERS)
                                + ", "
                                + DialSocketFactory.PARAMETER);
            }
        }
        Signer.Builder builder = Signer.builder();
        String hostname = info.getProperty("rdsignHostname", info.getProperty("PGHOST"));
        if (hostname != null) {
            builder.hostname(hostname);
        }
        String port = info.getProperty("rdsignPort", info.getProperty("PGPORT"));
        if (port != null) {
            builder.port(number(port));
        }
        String username = info.getProperty("user");
        if (username != null) {
            builder.username(username);
        }
        String region = info.getProperty("rdsignRegion");
        if (region != null) {
            builder.region(region);
        }
        String profile = info.getProperty("rdsignProfile");
        if (profile != null) {
            builder.profile(profile);
        }
        String roleArn = info.getProperty("rdsignRoleArn");
        if (roleArn != null) {
            builder.roleArn(roleArn);
        }
        String externalId = info.getProperty("rdsignExternalId");
        if (externalId != null) {
            builder.externalId(externalId);
        }
        String roleSessionName = info.getProperty("rdsignRoleSessionName");
        if (roleSessionName != null) {
            builder.roleSessionName(roleSessionName);
        }
        return builder.build();
    }

    private static long number(String port) {
        try {
            return Long.parseLong(port);
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException(
                    "rdsignPort: " + port + " is not a number; accepted: 1 to 65535", notANumber);
        }
    }
}
