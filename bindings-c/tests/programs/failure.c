/*
 * Asks for a token with what the environment gives, and prints how that fails, and the event.
 */
#include "support.h"

static char told[4096];

static void hear(void *user_data, const rdsign_event *event) {
    (void)user_data;
    CHECK(!*told);
    snprintf(told, sizeof told, "%s", rdsign_event_message(event));
}

int main(void) {
    rdsign_options *options = endpoint_options();
    CHECK_STATUS(RDSIGN_OK, rdsign_options_set_event_callback(options, hear, NULL, NULL));
    rdsign_signer *signer = signer_of(options);
    rdsign_token *token = NULL;
    rdsign_error *error = NULL;
    rdsign_status status = rdsign_signer_token(signer, &token, &error);
    CHECK(status != RDSIGN_OK && token == NULL && error != NULL);
    printf("%s: %s\n", rdsign_status_name(status), rdsign_error_message(error));
    printf("%s\n", told);
    rdsign_error_free(error);
    rdsign_signer_free(signer);
    return 0;
}
