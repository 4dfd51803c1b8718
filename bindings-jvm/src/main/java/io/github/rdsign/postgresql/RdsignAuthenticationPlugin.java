package io.github.rdsign.postgresql;

import io.github.rdsign.RdsignException;

import org.postgresql.plugin.AuthenticationPlugin;
import org.postgresql.plugin.AuthenticationRequestType;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;

import java.util.Properties;

/**
 * Signs a token for each connection of pgjdbc, configured only by the JDBC URL:
 *
 * <pre>
 * jdbc:postgresql://mydb.abc123.eu-central-1.rds.amazonaws.com/postgres?user=iam_user
 *     &amp;authenticationPluginClassName=io.github.rdsign.postgresql.RdsignAuthenticationPlugin
 *     &amp;sslmode=verify-full&amp;sslfactory=io.github.rdsign.postgresql.RdsSslSocketFactory
 * </pre>
 *
 * <p>The token is for the URL's user, host and port. These parameters set the options of {@code
 * Signer.Builder} of the same names: {@code rdsignHostname}, {@code rdsignPort}, {@code
 * rdsignRegion}, {@code rdsignService}, {@code rdsignProfile}, {@code rdsignRoleArn}, {@code
 * rdsignExternalId} and {@code rdsignRoleSessionName}. For a tunnel, use the endpoint's name in the
 * URL, and set {@code rdsignDial} to the address to dial: see {@link DialSocketFactory}. If the URL
 * lists several hosts, {@link RdsSslSocketFactory} must be its {@code sslfactory}; the token is for
 * the dialed host.
 *
 * <p>When pgjdbc asks for a password, it has already decided on TLS. So the plugin rejects every
 * {@code sslmode} but {@code verify-full}, also one from a service file or {@code
 * driverconfig.properties}, unless {@code rdsignSslmode} repeats it.
 *
 * <p>It needs pgjdbc 42.3.2 or later. Older versions ignore the URL's parameter; {@link
 * RdsSslSocketFactory} refuses them.
 */
public final class RdsignAuthenticationPlugin implements AuthenticationPlugin {
    private final Properties info;

    /**
     * Makes a plugin. pgjdbc calls this constructor for each connection.
     *
     * @param info the host, the port, the user and the parameters of the URL
     */
    public RdsignAuthenticationPlugin(Properties info) {
        this.info = info;
    }

    /**
     * Returns the text of a new token, in an array that pgjdbc wipes.
     *
     * @throws PSQLException if the server does not ask for a token, if a parameter is unknown or
     *     could send the token to another server, or if signing fails; the cause is then the
     *     RdsignException
     */
    @Override
    public char[] getPassword(AuthenticationRequestType type) throws PSQLException {
        if (type != AuthenticationRequestType.CLEARTEXT_PASSWORD) {
            throw refused(
                    "the server asks for a password ("
                            + type
                            + ") instead of a token; accepted: a user who is a member of rds_iam,"
                            + " on a server with IAM authentication",
                    null);
        }
        try {
            return UrlSigner.of(info).password().toCharArray();
        } catch (RdsignException | IllegalArgumentException | UnsatisfiedLinkError failure) {
            throw refused(failure.getMessage(), failure);
        }
    }

    private static PSQLException refused(String message, Throwable cause) {
        return new PSQLException(message, PSQLState.CONNECTION_REJECTED, cause);
    }
}
