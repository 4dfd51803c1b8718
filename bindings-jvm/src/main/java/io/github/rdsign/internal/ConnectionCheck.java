package io.github.rdsign.internal;

import java.util.List;
import java.util.Locale;
import java.util.Properties;

/**
 * Refuses parameters of pgjdbc that could send a token to another server than its own, and unknown
 * parameters of rdsign.
 *
 * <p>pgjdbc merges the URL, service files and {@code driverconfig.properties}, and does not say
 * where a parameter comes from. So a weak {@code sslmode} needs a second parameter, which only
 * rdsign reads: a file that is meant for other programs cannot set it.
 */
public final class ConnectionCheck {
    /** The address to dial. */
    public static final String DIAL = "rdsignDial";

    /** Repeats an {@code sslmode} below verify-full. */
    public static final String AGREED = "rdsignSslmode";

    private static final String PREFIX = "rdsign";
    private static final String PACKAGE = "io.github.rdsign.postgresql.";

    private ConnectionCheck() {}

    /**
     * Checks the names of rdsign's parameters. A name that differs only in case is unknown, too.
     *
     * @throws IllegalArgumentException for a name that is not in {@code accepted}
     */
    public static void names(Properties info, List<String> accepted) {
        for (String name : info.stringPropertyNames()) {
            if (name.regionMatches(true, 0, PREFIX, 0, PREFIX.length())
                    && !accepted.contains(name)) {
                throw new IllegalArgumentException(
                        name + ": unknown parameter; accepted: " + String.join(", ", accepted));
            }
        }
        if (info.getProperty(DIAL) != null
                && !(PACKAGE + "DialSocketFactory").equals(info.getProperty("socketFactory"))) {
            throw new IllegalArgumentException(
                    DIAL
                            + ": nothing reads it; accepted: "
                            + DIAL
                            + " together with socketFactory="
                            + PACKAGE
                            + "DialSocketFactory");
        }
    }

    /**
     * Checks that pgjdbc verifies the server's certificate and name.
     *
     * @return false if the user agreed to a weaker {@code sslmode}
     * @throws IllegalArgumentException if pgjdbc does not, and the user did not agree to that
     */
    public static boolean isVerified(Properties info) {
        String mode = sslmode(info);
        if (mode == null) {
            throw new IllegalArgumentException(
                    "sslmode: missing, and pgjdbc's default does not verify the server; accepted:"
                            + " sslmode=verify-full");
        }
        if (!mode.equals("verify-full")) {
            if (mode.equals(info.getProperty(AGREED))) {
                return false;
            }
            throw new IllegalArgumentException(
                    "sslmode: \""
                            + mode
                            + "\" would send the token to a server that is not verified; accepted:"
                            + " verify-full, or another mode that "
                            + AGREED
                            + " repeats");
        }
        refuse(info, "gssEncMode", "can replace TLS", "disable", "allow");
        refuse(
                info,
                "sslhostnameverifier",
                "replaces the check of the server's name",
                "org.postgresql.ssl.PGjdbcHostnameVerifier");
        if ("org.postgresql.ssl.NonValidatingFactory".equals(info.getProperty("sslfactory"))) {
            throw new IllegalArgumentException(
                    "sslfactory: NonValidatingFactory does not verify the server; accepted: "
                            + PACKAGE
                            + "RdsSslSocketFactory");
        }
        return true;
    }

    /** Compares host names as DNS does. */
    public static boolean isSameHost(String one, String other) {
        return bare(one).equals(bare(other));
    }

    private static String bare(String host) {
        String lower = host.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    private static void refuse(Properties info, String name, String reason, String... accepted) {
        String value = info.getProperty(name);
        if (value == null) {
            return;
        }
        for (String one : accepted) {
            if (value.equalsIgnoreCase(one)) {
                return;
            }
        }
        throw new IllegalArgumentException(
                name + ": " + value + " " + reason + "; accepted: " + String.join(", ", accepted));
    }

    /** Reads {@code sslmode} and {@code ssl} as pgjdbc does. A true {@code ssl} is verify-full. */
    private static String sslmode(Properties info) {
        String mode = info.getProperty("sslmode");
        if (mode != null) {
            return mode.toLowerCase(Locale.ROOT);
        }
        String ssl = info.getProperty("ssl");
        return ssl != null && (ssl.isEmpty() || Boolean.parseBoolean(ssl)) ? "verify-full" : null;
    }
}
