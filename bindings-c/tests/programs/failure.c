/*
 * Asks for a token with what the environment gives, and prints how that fails.
 */
#include "support.h"

int main(void) {
    rdsign_signer *signer = signer_of(endpoint_options());
    rdsign_token *token = NULL;
    rdsign_error *error = NULL;
    rdsign_status status = rdsign_signer_token(signer, &token, &error);
    CHECK(status != RDSIGN_OK && token == NULL && error != NULL);
    printf("%s: %s\n", rdsign_status_name(status), rdsign_error_message(error));
    rdsign_error_free(error);
    rdsign_signer_free(signer);
    return 0;
}
