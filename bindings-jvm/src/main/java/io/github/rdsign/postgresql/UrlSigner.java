package io.github.rdsign.postgresql;

import io.github.rdsign.CredentialsEvent;
import io.github.rdsign.Signer;
import io.github.rdsign.internal.ConnectionCheck;
import io.github.rdsign.internal.SignerCache;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Returns the signer for the parameters of a JDBC URL. Connections with the same parameters share a
 * signer and its cached credentials. The parameters are checked for each connection, because the
 * cache does not know those that a signer has no option for.
 */
final class UrlSigner {
    private static final SignerCache SIGNERS = new SignerCache();

    private static final List<String> PARAMETERS =
            Collections.unmodifiableList(
                    Arrays.asList(
                            "rdsignHostname",
                            "rdsignPort",
                            "rdsignRegion",
                            "rdsignService",
                            "rdsignProfile",
                            "rdsignRoleArn",
                            "rdsignExternalId",
                            "rdsignRoleSessionName",
                            ConnectionCheck.DIAL,
                            ConnectionCheck.AGREED,
                            ConnectionCheck.AGREED_FACTORY));

    private UrlSigner() {}

    static Signer of(Properties info) {
        ConnectionCheck.names(info, PARAMETERS);
        boolean isVerified = ConnectionCheck.isVerified(info);
        String[] dialed = RdsSslSocketFactory.dialed(info);
        String hostname = info.getProperty("rdsignHostname", dialed[0]);
        String port = info.getProperty("rdsignPort", dialed[1]);
        if (hostname != null && hostname.indexOf(',') >= 0) {
            throw new IllegalArgumentException(
                    "hostname: a list of hosts, and pgjdbc does not say which one it dialed;"
                            + " accepted: one host, or a list with sslfactory="
                            + RdsSslSocketFactory.class.getName());
        }
        String username = info.getProperty("user");
        String region = info.getProperty("rdsignRegion");
        String service = info.getProperty("rdsignService");
        String profile = info.getProperty("rdsignProfile");
        String roleArn = info.getProperty("rdsignRoleArn");
        String externalId = info.getProperty("rdsignExternalId");
        String roleSessionName = info.getProperty("rdsignRoleSessionName");
        List<Object> key =
                Arrays.asList(
                        hostname,
                        port,
                        username,
                        region,
                        service,
                        profile,
                        roleArn,
                        externalId,
                        roleSessionName);
        Signer signer =
                SIGNERS.get(
                        key,
                        () -> {
                            Signer.Builder builder = Signer.builder();
                            if (hostname != null) {
                                builder.hostname(hostname);
                            }
                            if (port != null) {
                                builder.port(number(port));
                            }
                            if (username != null) {
                                builder.username(username);
                            }
                            if (region != null) {
                                builder.region(region);
                            }
                            if (service != null) {
                                builder.service(service);
                            }
                            if (profile != null) {
                                builder.profile(profile);
                            }
                            if (roleArn != null) {
                                builder.roleArn(roleArn);
                            }
                            if (externalId != null) {
                                builder.externalId(externalId);
                            }
                            if (roleSessionName != null) {
                                builder.roleSessionName(roleSessionName);
                            }
                            return builder.eventListener(UrlSigner::log).build();
                        });
        if (isVerified
                && info.getProperty("rdsignHostname") != null
                && !ConnectionCheck.isSameHost(signer.hostname(), dialed[0])) {
            throw new IllegalArgumentException(
                    "rdsignHostname: "
                            + signer.hostname()
                            + " is not the verified host, "
                            + dialed[0]
                            + "; accepted: the endpoint as the URL's host, and "
                            + ConnectionCheck.DIAL
                            + " for another address");
        }
        return signer;
    }

    /**
     * A URL has no room for a listener. pgjdbc logs with java.util.logging, so it is loaded
     * already.
     */
    private static void log(CredentialsEvent event) {
        Level level = event.isWarning() ? Level.WARNING : Level.FINE;
        Logger.getLogger("io.github.rdsign").log(level, event.message());
    }

    private static long number(String port) {
        try {
            return Long.parseLong(port);
        } catch (NumberFormatException notANumber) {
            // Its message has the text.
            throw new IllegalArgumentException("rdsignPort: not a number; accepted: 1 to 65535");
        }
    }
}
