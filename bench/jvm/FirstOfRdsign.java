import io.github.rdsign.Signer;

/** A process that gets one token from rdsign. */
public class FirstOfRdsign {
    public static void main(String[] arguments) {
        Signer signer =
                Signer.builder()
                        .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
                        .username("iam_user")
                        .build();
        if (signer.password().length() < 300) {
            throw new AssertionError();
        }
    }
}
