import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.rds.RdsUtilities;
import software.amazon.awssdk.services.rds.model.GenerateAuthenticationTokenRequest;

/** A process that gets one token from the AWS SDK. */
public class FirstOfTheSdk {
    public static void main(String[] arguments) {
        RdsUtilities utilities =
                RdsUtilities.builder()
                        .region(Region.EU_CENTRAL_1)
                        .credentialsProvider(DefaultCredentialsProvider.builder().build())
                        .build();
        String token =
                utilities.generateAuthenticationToken(
                        GenerateAuthenticationTokenRequest.builder()
                                .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
                                .port(5432)
                                .username("iam_user")
                                .build());
        if (token.length() < 300) {
            throw new AssertionError();
        }
    }
}
