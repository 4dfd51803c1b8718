import io.github.rdsign.Signer;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.rds.RdsUtilities;
import software.amazon.awssdk.services.rds.model.GenerateAuthenticationTokenRequest;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.function.Supplier;

/**
 * Measures a token once the JIT compiler has finished: rdsign's token() and RdsUtilities, in rounds
 * that alternate, as CPU time of the calling thread. {@code Warm [--quick]}.
 */
public class Warm {
    private static final String HOST = "mydb.abc123.eu-central-1.rds.amazonaws.com";
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    public static void main(String[] arguments) {
        boolean quick = arguments.length > 0;
        int rounds = quick ? 5 : 31;
        int size = quick ? 2_000 : 10_000;
        int warmup = quick ? 20_000 : 300_000;
        // As long as a session token from STS.
        char[] session = new char[900];
        Arrays.fill(session, 'x');
        measure("long-lived key", "", rounds, size, warmup);
        measure("STS session token", new String(session), rounds, size, warmup);
    }

    private static void measure(String what, String session, int rounds, int size, int warmup) {
        String peer = "software.amazon.awssdk:rds " + VersionInfo.SDK_VERSION;
        String id = "AKIDEXAMPLE";
        String secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        Signer signer =
                Signer.builder()
                        .hostname(HOST)
                        .username("iam_user")
                        .accessKeyId(id)
                        .secretAccessKey(secret)
                        .sessionToken(session)
                        .build();
        AwsCredentials keys =
                session.isEmpty()
                        ? AwsBasicCredentials.create(id, secret)
                        : AwsSessionCredentials.create(id, secret, session);
        RdsUtilities utilities =
                RdsUtilities.builder()
                        .region(Region.EU_CENTRAL_1)
                        .credentialsProvider(StaticCredentialsProvider.create(keys))
                        .build();
        GenerateAuthenticationTokenRequest request =
                GenerateAuthenticationTokenRequest.builder()
                        .hostname(HOST)
                        .port(5432)
                        .username("iam_user")
                        .build();
        Supplier<String> ours = () -> signer.token().value();
        Supplier<String> theirs = () -> utilities.generateAuthenticationToken(request);

        nanoseconds(ours, warmup);
        nanoseconds(theirs, warmup);
        StringJoiner ourRounds = new StringJoiner(", ");
        StringJoiner theirRounds = new StringJoiner(", ");
        for (int round = 0; round < rounds; round++) {
            ourRounds.add(nanoseconds(ours, size));
            theirRounds.add(nanoseconds(theirs, size));
        }
        System.out.printf(
                Locale.ROOT,
                "{\"language\": \"Java\", \"row\": \"one token, warm, %s\", \"unit\": \"ns of"
                    + " CPU\", \"rdsign\": [%s], \"peers\": {\"%s\": [%s]}, \"aims\": [{\"times as"
                    + " fast as\": \"%s\", \"times\": 8}]%s}%n",
                what,
                ourRounds,
                peer,
                theirRounds,
                peer,
                session.isEmpty() ? ", \"chart\": \"warm\"" : "");
    }

    private static String nanoseconds(Supplier<String> token, int size) {
        long length = 0;
        long start = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < size; i++) {
            length += token.get().length();
        }
        long spent = THREADS.getCurrentThreadCpuTime() - start;
        if (length < 300L * size) {
            throw new AssertionError("too short");
        }
        return String.format(Locale.ROOT, "%.0f", (double) spent / size);
    }
}
