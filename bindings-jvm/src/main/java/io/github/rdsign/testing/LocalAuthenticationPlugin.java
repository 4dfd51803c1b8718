package io.github.rdsign.testing;

import io.github.rdsign.Signer;

import org.postgresql.plugin.AuthenticationPlugin;
import org.postgresql.plugin.AuthenticationRequestType;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;

import java.util.Properties;

/**
 * Signs a token for each connection of {@link RdsLogin#jdbcUrl} that has no password. Such a URL
 * names this class, and works only in the JVM that started the server.
 */
public final class LocalAuthenticationPlugin implements AuthenticationPlugin {
    private final Properties info;

    /**
     * Makes a plugin. pgjdbc calls this constructor for each connection.
     *
     * @param info the parameters of the URL, with its port and user
     */
    public LocalAuthenticationPlugin(Properties info) {
        this.info = info;
    }

    /**
     * Returns the connection's password, such as an old token, or else the text of a new token.
     *
     * @throws PSQLException if no server of this JVM has the user
     */
    @Override
    public char[] getPassword(AuthenticationRequestType type) throws PSQLException {
        String password = info.getProperty("password", "");
        if (!password.isEmpty()) {
            return password.toCharArray();
        }
        String user = info.getProperty("user");
        RdsLogin found = RdsLogin.LOGINS.get(info.getProperty("PGPORT") + " " + user);
        if (found == null) {
            throw new PSQLException(
                    "user: no server that this JVM started and not yet stopped has "
                            + user
                            + "; accepted: a URL of RdsLogin.jdbcUrl()",
                    PSQLState.CONNECTION_REJECTED);
        }
        try (Signer signer = found.signer()) {
            return signer.password().toCharArray();
        }
    }
}
