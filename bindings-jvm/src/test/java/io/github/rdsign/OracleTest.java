package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.rds.RdsUtilities;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Compares tokens with those of the AWS SDK for Java v2, whose parameters have another order. */
class OracleTest {
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final String[] REGIONS = {
        "eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1"
    };
    private static final int[] NAME_CHARACTERS =
            " !\"#$%&'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~éß漢字🙂𝒳".codePoints().toArray();
    private static final int[] KEY_CHARACTERS = "ABCXYZabcxyz0189+/=".codePoints().toArray();

    private final Random random = new Random(20261122);

    @Test
    void aThousandRandomInputsHaveTheSameSignature() {
        for (int i = 0; i < 1000; i++) {
            String region = REGIONS[random.nextInt(REGIONS.length)];
            String hostname =
                    text("abcxyz0189".codePoints().toArray(), 1, 40)
                            + ".abc123."
                            + region
                            + ".rds.amazonaws.com"
                            + (region.startsWith("cn-") ? ".cn" : "");
            int port = 1 + random.nextInt(65535);
            String username = text(NAME_CHARACTERS, 1, 63);
            String id = text(KEY_CHARACTERS, 16, 24);
            String secret = text(KEY_CHARACTERS, 1, 100);
            String session = random.nextBoolean() ? text(KEY_CHARACTERS, 1, 2000) : null;

            AwsCredentials keys =
                    session == null
                            ? AwsBasicCredentials.create(id, secret)
                            : AwsSessionCredentials.create(id, secret, session);
            String theirs =
                    RdsUtilities.builder()
                            .region(Region.of(region))
                            .credentialsProvider(StaticCredentialsProvider.create(keys))
                            .build()
                            .generateAuthenticationToken(
                                    request ->
                                            request.hostname(hostname)
                                                    .port(port)
                                                    .username(username));

            Signer.Builder builder =
                    Signer.builder()
                            .hostname(hostname)
                            .port(port)
                            .username(username)
                            .accessKeyId(id)
                            .secretAccessKey(secret)
                            // 899 if a second passes while the SDK reads the clock twice.
                            .expiresIn(
                                    Duration.ofSeconds(Long.parseLong(value(theirs, "Expires"))));
            if (session != null) {
                builder.sessionToken(session);
            }
            try (Signer signer = builder.build()) {
                String ours = signer.token(signingTime(theirs)).value();
                assertEquals(parameters(theirs), parameters(ours));
                assertEquals(endpoint(theirs), endpoint(ours));
            }
        }
    }

    private static Instant signingTime(String token) {
        return Instant.from(DATE.parse(value(token, "Date")));
    }

    private static String value(String token, String parameter) {
        return token.split("X-Amz-" + parameter + "=")[1].split("&")[0];
    }

    private static String endpoint(String token) {
        return token.substring(0, token.indexOf('?'));
    }

    private static Set<String> parameters(String token) {
        return List.of(token.substring(token.indexOf('?') + 1).split("&")).stream()
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private String text(int[] characters, int shortest, int longest) {
        int length = shortest + random.nextInt(longest - shortest + 1);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(characters[random.nextInt(characters.length)]);
        }
        return text.toString();
    }
}
