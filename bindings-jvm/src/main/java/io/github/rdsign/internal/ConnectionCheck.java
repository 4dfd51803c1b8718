package io.github.rdsign.internal;

import java.io.UnsupportedEncodingException;
import java.net.URLEncoder;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/**
 * Refuses parameters of pgjdbc that could send a token to another server than its own, and unknown
 * parameters of rdsign. Messages do not repeat unknown values: a value in the wrong place may be a
 * secret.
 *
 * <p>pgjdbc merges the URL, service files and {@code driverconfig.properties}, and does not say
 * where a parameter comes from. So a weak {@code sslmode} or an unknown {@code sslfactory} needs a
 * second parameter, which only rdsign reads: a file that is meant for other programs cannot set it.
 */
public final class ConnectionCheck {
    /** The address to dial. */
    public static final String DIAL = "rdsignDial";

    /** Repeats an {@code sslmode} below verify-full. */
    public static final String AGREED = "rdsignSslmode";

    /** Repeats an {@code sslfactory} that rdsign does not know. */
    public static final String AGREED_FACTORY = "rdsignSslfactory";

    private static final String PREFIX = "rdsign";
    private static final String PACKAGE = "io.github.rdsign.postgresql.";
    private static final String OURS = PACKAGE + "RdsSslSocketFactory";

    private static final List<String> WEAK_MODES =
            Collections.unmodifiableList(
                    Arrays.asList("disable", "allow", "prefer", "require", "verify-ca"));

    /** The factories that verify the server's certificate. pgjdbc's default is the second. */
    private static final List<String> FACTORIES =
            Collections.unmodifiableList(
                    Arrays.asList(
                            OURS,
                            "org.postgresql.ssl.LibPQFactory",
                            "org.postgresql.ssl.jdbc4.LibPQFactory",
                            "org.postgresql.ssl.DefaultJavaSSLFactory",
                            "org.postgresql.ssl.SingleCertValidatingFactory"));

    private ConnectionCheck() {}

    /** Encodes the database or the value of a parameter for a URL of pgjdbc. */
    public static String encoded(String value) {
        try {
            return URLEncoder.encode(value, "UTF-8");
        } catch (UnsupportedEncodingException never) {
            throw new AssertionError(never);
        }
    }

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
                    "sslmode: "
                            + (WEAK_MODES.contains(mode) ? '"' + mode + '"' : "an unknown mode")
                            + " would send the token to a server that is not verified; accepted:"
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
        String factory = info.getProperty("sslfactory");
        if (factory != null
                && !FACTORIES.contains(factory)
                && !factory.equals(info.getProperty(AGREED_FACTORY))) {
            throw new IllegalArgumentException(
                    "sslfactory: may not verify the server; accepted: "
                            + OURS
                            + ", a factory of pgjdbc that verifies, or another that "
                            + AGREED_FACTORY
                            + " repeats");
        }
        return true;
    }

    /**
     * Compares host names as core does. Make a {@link io.github.rdsign.Signer} first: it loads the
     * native library.
     */
    public static boolean isSameHost(String one, String other) {
        return isSameHost(one.toCharArray(), other.toCharArray());
    }

    private static native boolean isSameHost(char[] one, char[] other);

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
                name + ": " + reason + "; accepted: " + String.join(", ", accepted));
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
