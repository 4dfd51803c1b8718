package io.github.rdsign.postgresql;

import io.github.rdsign.RdsignException;

import org.postgresql.plugin.AuthenticationPlugin;
import org.postgresql.plugin.AuthenticationRequestType;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;

import java.util.Properties;

/**
 * Gives pgjdbc a token for each connection, by the JDBC URL alone:
 *
 * <pre>
 * jdbc:postgresql://mydb.abc123.eu-central-1.rds.amazonaws.com/postgres?user=iam_user
 *     &amp;authenticationPluginClassName=io.github.rdsign.postgresql.RdsignAuthenticationPlugin
 *     &amp;sslmode=verify-full&amp;sslfactory=io.github.rdsign.postgresql.RdsSslSocketFactory
 * </pre>
 *
 * <p>The token is for the URL's host, port and user, unless these parameters say otherwise: {@code
 * rdsignHostname}, {@code rdsignPort}, {@code rdsignRegion}, {@code rdsignProfile}, {@code
 * rdsignRoleArn}, {@code rdsignExternalId} and {@code rdsignRoleSessionName}; each is what the
 * setter of its name on {@code Signer.Builder} takes. Where the database is reached by a tunnel,
 * rather give the URL the endpoint's own name, and say where to dial: see {@link
 * DialSocketFactory}.
 *
 * <p>By the time pgjdbc asks for a password, TLS is settled. So the plugin gives none where the URL
 * names no {@code sslmode}, which would be pgjdbc's {@code prefer}: a token is sent to a server
 * that was verified, or to one that you said need not be.
 */
public final class RdsignAuthenticationPlugin implements AuthenticationPlugin {
    private final Properties info;

    /**
     * Made by pgjdbc, anew for each connection.
     *
     * @param info the host, the port, the user and the parameters of the URL
     */
    public RdsignAuthenticationPlugin(Properties info) {
        this.info = info;
    }

    /** A new array each time, for pgjdbc wipes it. */
    @Override
    public char[] getPassword(AuthenticationRequestType type) throws PSQLException {
        if (type != AuthenticationRequestType.CLEARTEXT_PASSWORD) {
            throw refused(
                    "the server asks for a password ("
                            + type
                            + ") and not for a token; accepted: a user who is a member of rds_iam,"
                            + " on a server with IAM authentication",
                    null);
        }
        if (info.getProperty("sslmode") == null && !isTrue(info.getProperty("ssl"))) {
            throw refused(
                    "sslmode: none is given, and pgjdbc's default does not verify the server;"
                            + " accepted: sslmode=verify-full in the URL, or any other that you"
                            + " choose",
                    null);
        }
        try {
            return UrlSigner.of(info).password().toCharArray();
        } catch (RdsignException | IllegalArgumentException | UnsatisfiedLinkError failure) {
            throw refused(failure.getMessage(), failure);
        }
    }

    /** As pgjdbc reads it, where it means verify-full. */
    private static boolean isTrue(String ssl) {
        return ssl != null && (ssl.isEmpty() || Boolean.parseBoolean(ssl));
    }

    private static PSQLException refused(String message, Throwable cause) {
        return new PSQLException(message, PSQLState.CONNECTION_REJECTED, cause);
    }
}
