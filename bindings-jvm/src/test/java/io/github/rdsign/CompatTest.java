package io.github.rdsign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rdsign.awssdk.AwsSdkCredentials;
import io.github.rdsign.compat.v1.DefaultAWSCredentialsProviderChain;
import io.github.rdsign.compat.v1.GetIamAuthTokenRequest;
import io.github.rdsign.compat.v1.RdsIamAuthTokenGenerator;
import io.github.rdsign.compat.v2.DefaultCredentialsProvider;
import io.github.rdsign.compat.v2.DsqlUtilities;
import io.github.rdsign.compat.v2.GenerateAuthTokenRequest;
import io.github.rdsign.compat.v2.GenerateAuthenticationTokenRequest;
import io.github.rdsign.compat.v2.RdsUtilities;
import io.github.rdsign.compat.v2.Region;
import io.github.rdsign.testing.AccessKey;

import org.junit.jupiter.api.Test;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.Instant;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The replacements for classes of the AWS SDKs for Java v1 and v2, and the SDK v2's credentials.
 */
class CompatTest {
    private final Server server = Server.shared();

    private Supplier<Credentials> keys() {
        AccessKey key = server.key("AKIALOCALIAMUSER0001");
        Credentials credentials =
                Credentials.builder().accessKeyId(key.id()).secretAccessKey(key.secret()).build();
        return () -> credentials;
    }

    private void logsIn(String token) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", Server.USER);
        properties.setProperty("password", token);
        String url = server.url("&sslmode=verify-full");
        assertEquals(Server.USER, Server.userOf(DriverManager.getConnection(url, properties)));
    }

    @Test
    void theGeneratorOfVersionOneLogsIn() throws Exception {
        RdsIamAuthTokenGenerator generator =
                RdsIamAuthTokenGenerator.builder()
                        .credentials(keys())
                        .region("ap-northeast-1")
                        .build();
        logsIn(
                generator.getAuthToken(
                        GetIamAuthTokenRequest.builder()
                                .hostname(server.host)
                                .port(server.port)
                                .userName(Server.USER)
                                .build()));
    }

    @Test
    void theUtilitiesOfVersionTwoLogIn() throws Exception {
        RdsUtilities utilities =
                RdsUtilities.builder()
                        .credentialsProvider(keys())
                        .region(Region.AP_NORTHEAST_1)
                        .build();
        logsIn(
                utilities.generateAuthenticationToken(
                        GenerateAuthenticationTokenRequest.builder()
                                .hostname(server.host)
                                .port(server.port)
                                .username(Server.USER)
                                .build()));
        logsIn(
                utilities.generateAuthenticationToken(
                        request ->
                                request.hostname(server.host)
                                        .port(server.port)
                                        .username(Server.USER)
                                        .region(Region.of("ap-northeast-1"))
                                        .credentialsProvider(keys())));
    }

    @Test
    void credentialsAreCachedBetweenCalls() {
        AtomicInteger calls = new AtomicInteger();
        Supplier<Credentials> counting =
                () -> {
                    calls.incrementAndGet();
                    return keys().get();
                };
        RdsUtilities utilities = RdsUtilities.builder().credentialsProvider(counting).build();
        RdsIamAuthTokenGenerator generator =
                RdsIamAuthTokenGenerator.builder()
                        .credentials(counting)
                        .region("eu-central-1")
                        .build();
        GetIamAuthTokenRequest request =
                GetIamAuthTokenRequest.builder()
                        .hostname(SignerTest.HOST)
                        .port(5432)
                        .userName("a")
                        .build();
        for (int i = 0; i < 10; i++) {
            utilities.generateAuthenticationToken(
                    one -> one.hostname(SignerTest.HOST).port(5432).username("a"));
            generator.getAuthToken(request);
        }
        assertEquals(2, calls.get());
    }

    @Test
    void theUtilitiesForDsqlReturnTheTokensOfASigner() {
        String host = "4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws";
        AwsCredentialsProvider provider =
                StaticCredentialsProvider.create(AwsBasicCredentials.create("akid", "secret"));
        DsqlUtilities utilities =
                DsqlUtilities.builder().credentialsProvider((Object) provider).build();
        for (Duration expiresIn : new Duration[] {null, Duration.ofDays(7)}) {
            GenerateAuthTokenRequest request =
                    GenerateAuthTokenRequest.builder()
                            .hostname(host)
                            .region(Region.US_EAST_1)
                            .expiresIn(expiresIn)
                            .build();
            String own = utilities.generateDbConnectAuthToken(request.toBuilder().build());
            assertEquals(lasting(signedFor(host, "app", expiresIn)), lasting(own));
            assertTrue(own.startsWith(host + "/?Action=DbConnect&"), own);
            own =
                    utilities.generateDbConnectAdminAuthToken(
                            admin -> admin.hostname(host).expiresIn(expiresIn));
            assertEquals(lasting(signedFor(host, "admin", expiresIn)), lasting(own));
            assertTrue(own.startsWith(host + "/?Action=DbConnectAdmin&"), own);
        }
        RdsignException refused =
                assertThrows(
                        RdsignException.class,
                        () ->
                                DsqlUtilities.builder()
                                        .credentialsProvider(keys())
                                        .build()
                                        .generateDbConnectAuthToken(
                                                request -> request.hostname(SignerTest.HOST)));
        assertEquals("SERVICE_MISMATCH", refused.code());
        assertThrows(NullPointerException.class, () -> GenerateAuthTokenRequest.builder().build());
    }

    private static String signedFor(String host, String username, Duration expiresIn) {
        Signer.Builder builder = Signer.builder().hostname(host).username(username);
        builder.accessKeyId("akid").secretAccessKey("secret");
        if (expiresIn != null) {
            builder.expiresIn(expiresIn);
        }
        try (Signer signer = builder.build()) {
            assertEquals("dsql", signer.service());
            return signer.password();
        }
    }

    /** Returns the parts of a token that do not depend on the time. */
    private static Set<String> lasting(String token) {
        return Stream.of(token.split("[?&]"))
                .filter(part -> !part.matches("X-Amz-(Date|Signature)=.*"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void theDefaultChainIsTheDefault() {
        RdsIamAuthTokenGenerator generator =
                RdsIamAuthTokenGenerator.builder()
                        .credentials(new DefaultAWSCredentialsProviderChain())
                        .region("eu-central-1")
                        .build();
        RdsUtilities utilities =
                RdsUtilities.builder()
                        .credentialsProvider(DefaultCredentialsProvider.create())
                        .region(Region.EU_CENTRAL_1)
                        .build();
        GetIamAuthTokenRequest request =
                GetIamAuthTokenRequest.builder()
                        .hostname(SignerTest.HOST)
                        .port(5432)
                        .userName("a")
                        .build();
        RdsignException one =
                assertThrows(RdsignException.class, () -> generator.getAuthToken(request));
        assertEquals("CREDENTIALS_NOT_FOUND", one.code());
        RdsignException two =
                assertThrows(
                        RdsignException.class,
                        () ->
                                utilities.generateAuthenticationToken(
                                        it -> it.hostname(SignerTest.HOST).port(1).username("a")));
        assertEquals("CREDENTIALS_NOT_FOUND", two.code());
    }

    /** A program that calls methods of the SDK's types finds them here. */
    @Test
    void theMethodsOfTheSdkExist() throws Exception {
        assertNames(software.amazon.awssdk.services.rds.RdsUtilities.class, RdsUtilities.class);
        assertNames(
                software.amazon.awssdk.services.rds.RdsUtilities.Builder.class,
                RdsUtilities.Builder.class);
        assertNames(
                software.amazon.awssdk.services.rds.model.GenerateAuthenticationTokenRequest.class,
                GenerateAuthenticationTokenRequest.class,
                "serializableBuilderClass",
                "copy",
                "credentialsIdentityProvider");
        assertNames(
                software.amazon.awssdk.services.rds.model.GenerateAuthenticationTokenRequest.Builder
                        .class,
                GenerateAuthenticationTokenRequest.Builder.class,
                "applyMutation",
                "copy");
    }

    private static void assertNames(Class<?> theirs, Class<?> ours, String... leftOut) {
        Set<String> missing = names(theirs);
        missing.removeAll(names(ours));
        missing.removeAll(Set.of(leftOut));
        assertEquals(Set.of(), missing);
    }

    private static Set<String> names(Class<?> type) {
        return Stream.of(type.getMethods())
                .filter(method -> method.getDeclaringClass() != Object.class)
                .map(Method::getName)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void theRegionsOfTheSdkExist() throws Exception {
        int regions = 0;
        for (Field field : software.amazon.awssdk.regions.Region.class.getFields()) {
            if (field.getType() == software.amazon.awssdk.regions.Region.class
                    && !field.getName().endsWith("GLOBAL")) {
                Region ours = (Region) Region.class.getField(field.getName()).get(null);
                assertEquals(field.get(null).toString(), ours.id());
                regions++;
            }
        }
        assertTrue(regions > 40, regions + " regions");
    }

    @Test
    void aProviderOfTheSdkProvidesCredentials() throws Exception {
        AccessKey key = server.key("ASIALOCALSESSION0001");
        AwsCredentialsProvider provider =
                StaticCredentialsProvider.create(
                        AwsSessionCredentials.create(key.id(), key.secret(), key.sessionToken()));
        try (Signer signer =
                Signer.builder()
                        .hostname(server.host)
                        .port(server.port)
                        .username(Server.USER)
                        .credentials(AwsSdkCredentials.from(provider))
                        .build()) {
            logsIn(signer.password());
        }
    }

    @Test
    void aTokenExpiresWithTheCredentialsOfTheSdk() {
        Instant expiry = Instant.now().plusSeconds(Child.PATIENCE);
        AwsCredentialsProvider provider =
                () ->
                        AwsSessionCredentials.builder()
                                .accessKeyId("ASIAEXAMPLE")
                                .secretAccessKey("verysecret")
                                .sessionToken("session")
                                .expirationTime(expiry)
                                .build();
        try (Signer signer =
                SignerTest.builder().credentials(AwsSdkCredentials.from(provider)).build()) {
            assertEquals(expiry.toEpochMilli(), signer.token().expiresAt().toEpochMilli());
        }
        IllegalStateException thrown = new IllegalStateException("no");
        AwsCredentialsProvider failing =
                () -> {
                    throw thrown;
                };
        try (Signer signer =
                SignerTest.builder().credentials(AwsSdkCredentials.from(failing)).build()) {
            RdsignException failed = assertThrows(RdsignException.class, signer::token);
            assertEquals(thrown, failed.getCause());
        }
        AwsCredentialsProvider keys =
                StaticCredentialsProvider.create(AwsBasicCredentials.create("AKID", "s"));
        try (Signer signer =
                SignerTest.builder().credentials(AwsSdkCredentials.from(keys)).build()) {
            assertTrue(signer.password().contains("AKID"));
        }
    }
}
