package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.auth.BasicSessionCredentials;

import io.github.rdsign.compat.v1.GetIamAuthTokenRequest;
import io.github.rdsign.compat.v1.RdsIamAuthTokenGenerator;
import io.github.rdsign.compat.v2.DefaultCredentialsProvider;
import io.github.rdsign.compat.v2.GenerateAuthenticationTokenRequest;
import io.github.rdsign.compat.v2.RdsUtilities;
import io.github.rdsign.compat.v2.Region;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

import javax.tools.ToolProvider;

/** The SDKs' own credentials in the replacements, and programs that have no SDK. */
class SdkProviderTest {
    private static final GetIamAuthTokenRequest ONE =
            GetIamAuthTokenRequest.builder()
                    .hostname(SignerTest.HOST)
                    .port(5432)
                    .userName("a")
                    .build();
    private static final GenerateAuthenticationTokenRequest TWO =
            GenerateAuthenticationTokenRequest.builder()
                    .hostname(SignerTest.HOST)
                    .port(5432)
                    .username("a")
                    .build();

    private static RdsIamAuthTokenGenerator generator(Object provider) {
        return RdsIamAuthTokenGenerator.builder()
                .credentials(provider)
                .region("eu-central-1")
                .build();
    }

    private static void has(String keyId, boolean session, String token) {
        assertTrue(token.contains("Credential=" + keyId + "%2F"), token);
        assertEquals(session, token.contains("X-Amz-Security-Token=a%20session"), token);
    }

    @Test
    void theGeneratorAcceptsAProviderOfVersionOne() {
        has(
                "AKIDONE",
                false,
                generator(
                                new AWSStaticCredentialsProvider(
                                        new BasicAWSCredentials("AKIDONE", "secret")))
                        .getAuthToken(ONE));
        has(
                "ASIAONE",
                true,
                generator(
                                new AWSStaticCredentialsProvider(
                                        new BasicSessionCredentials(
                                                "ASIAONE", "secret", "a session")))
                        .getAuthToken(ONE));
    }

    @Test
    void credentialsWithoutAProviderAreAccepted() {
        has(
                "AKIDONE",
                false,
                generator(new BasicAWSCredentials("AKIDONE", "secret")).getAuthToken(ONE));
        RdsUtilities utilities =
                RdsUtilities.builder()
                        .credentialsProvider(AwsBasicCredentials.create("AKIDTWO", "secret"))
                        .build();
        has("AKIDTWO", false, utilities.generateAuthenticationToken(TWO));
    }

    @Test
    void thePortIsRequired() {
        AwsCredentialsProvider keys =
                StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIDTWO", "secret"));
        RdsUtilities utilities = RdsUtilities.builder().credentialsProvider(keys).build();
        RdsignException refused =
                assertThrows(
                        RdsignException.class,
                        () ->
                                utilities.generateAuthenticationToken(
                                        it -> it.hostname(SignerTest.HOST).username("a")));
        assertEquals("INVALID_PORT", refused.code());
    }

    @Test
    void theUtilitiesAcceptAProviderOfVersionTwo() {
        AwsCredentialsProvider keys =
                StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIDTWO", "secret"));
        AwsCredentialsProvider session =
                StaticCredentialsProvider.create(
                        AwsSessionCredentials.create("ASIATWO", "secret", "a session"));
        RdsUtilities utilities =
                RdsUtilities.builder()
                        .credentialsProvider(keys)
                        .region(Region.EU_CENTRAL_1)
                        .build();
        has("AKIDTWO", false, utilities.generateAuthenticationToken(TWO));
        GenerateAuthenticationTokenRequest changed =
                TWO.toBuilder().username("b").credentialsProvider(session).build();
        String token = utilities.generateAuthenticationToken(changed);
        has("ASIATWO", true, token);
        assertTrue(token.contains("DBUser=b&"), token);
        assertEquals("a", TWO.username());
        assertEquals(SignerTest.HOST, changed.hostname());
        assertEquals(5432, changed.port());
        assertEquals(
                Region.EU_WEST_1,
                TWO.toBuilder().region(Region.EU_WEST_1).build().toBuilder().build().region());
        has(
                "AKIDTWO",
                false,
                utilities.generateAuthenticationToken(
                        it -> it.hostname(SignerTest.HOST).port(1).username("a")));
    }

    @Test
    void aProviderIsAskedForEachToken() {
        AtomicInteger calls = new AtomicInteger();
        AwsCredentialsProvider rotating =
                () -> AwsBasicCredentials.create("AKID" + calls.incrementAndGet(), "secret");
        RdsUtilities utilities = RdsUtilities.builder().credentialsProvider(rotating).build();
        has("AKID1", false, utilities.generateAuthenticationToken(TWO));
        has("AKID2", false, utilities.generateAuthenticationToken(TWO));
    }

    @Test
    void anExceptionOfAProviderStaysAsItIs() {
        IllegalStateException thrown = new IllegalStateException("no");
        AwsCredentialsProvider failing =
                () -> {
                    throw thrown;
                };
        RdsUtilities utilities = RdsUtilities.builder().credentialsProvider(failing).build();
        assertSame(
                thrown,
                assertThrows(
                        IllegalStateException.class,
                        () -> utilities.generateAuthenticationToken(TWO)));
    }

    @Test
    void otherObjectsAreRefused() {
        for (Object other : new Object[] {"keys", 5}) {
            String message =
                    assertThrows(IllegalArgumentException.class, () -> generator(other))
                            .getMessage();
            assertTrue(message.contains(" does not provide any; accepted: an AWSCred"), message);
            GenerateAuthenticationTokenRequest.Builder request = TWO.toBuilder();
            message =
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> request.credentialsProvider(other))
                            .getMessage();
            assertTrue(message.contains(" does not provide any; accepted: an AwsCred"), message);
        }
    }

    @Test
    void theDefaultChainReplacesTheUtilitiesCredentials() {
        AwsCredentialsProvider keys =
                StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIDTWO", "secret"));
        RdsUtilities utilities = RdsUtilities.builder().credentialsProvider(keys).build();
        try (DefaultCredentialsProvider chain = DefaultCredentialsProvider.builder().build()) {
            GenerateAuthenticationTokenRequest request =
                    TWO.toBuilder().credentialsProvider(chain).build();
            assertEquals(
                    "CREDENTIALS_NOT_FOUND",
                    assertThrows(
                                    RdsignException.class,
                                    () -> utilities.generateAuthenticationToken(request))
                            .code());
            assertNotEquals(null, request.credentialsProvider());
        }
    }

    /** Only the JAR is in the class path, also of the compiler. */
    @Test
    void theReplacementsWorkWithoutAnSdk(@TempDir Path folder) throws Exception {
        Path source =
                Files.writeString(
                        folder.resolve("Bare.java"),
                        """
                        import io.github.rdsign.Credentials;
                        import io.github.rdsign.compat.v1.*;
                        import io.github.rdsign.compat.v2.*;

                        public class Bare {
                            static Credentials keys() {
                                return Credentials.builder()
                                        .accessKeyId("AKID").secretAccessKey("secret").build();
                            }

                            public static void main(String[] arguments) {
                                RdsIamAuthTokenGenerator one = RdsIamAuthTokenGenerator.builder()
                                        .credentials(new DefaultAWSCredentialsProviderChain())
                                        .credentials(() -> keys())
                                        .region("eu-central-1").build();
                                System.out.println(one.getAuthToken(GetIamAuthTokenRequest.builder()
                                        .hostname("HOST").port(1).userName("a").build()).length());
                                RdsUtilities two = RdsUtilities.builder()
                                        .credentialsProvider(DefaultCredentialsProvider.create())
                                        .credentialsProvider(Bare::keys).build();
                                System.out.println(two.generateAuthenticationToken(it -> it
                                        .hostname("HOST").port(1).username("a")
                                        .credentialsProvider(null)).length());
                                for (int i = 0; i < 2; i++) {
                                    try {
                                        RdsIamAuthTokenGenerator.builder().credentials((Object) "x");
                                    } catch (IllegalArgumentException refused) {
                                        System.out.println(refused.getMessage());
                                    }
                                }
                                System.out.println(RdsUtilities.Builder.class.getMethods().length > 0);
                            }
                        }
                        """
                                .replace("HOST", SignerTest.HOST));
        String jar = Child.jar().toString();
        int compiled =
                ToolProvider.getSystemJavaCompiler()
                        .run(null, null, null, "-cp", jar, "-d", folder.toString(), "" + source);
        assertEquals(0, compiled);
        String[] lines =
                new Child()
                        .classPath(jar + File.pathSeparator + folder)
                        .run("Bare")
                        .well()
                        .output()
                        .split("\n");
        assertTrue(Integer.parseInt(lines[0]) > 300 && Integer.parseInt(lines[1]) > 300);
        String refused =
                "credentials: a java.lang.String does not provide any; accepted: an"
                        + " AWSCredentialsProvider or AWSCredentials of the SDK, or a Supplier";
        assertEquals(refused, lines[2]);
        assertEquals(refused, lines[3]);
        assertEquals("true", lines[4]);
    }
}
