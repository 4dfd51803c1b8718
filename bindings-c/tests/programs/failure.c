/*
 * Asks for a token with what the environment gives, and prints the event, and how that fails.
 */
#include "support.h"

static void log_event(void *log, const rdsign_event *event) {
    const char *level = rdsign_event_is_warning(event) ? "warning" : "info";
    fprintf(log, "%s: %s\n", level, rdsign_event_message(event));
}

static void log_events(rdsign_options *options, FILE *log) {
    rdsign_options_set_event_callback(options, log_event, log, NULL);
}

int main(void) {
    rdsign_options *options = endpoint_options();
    log_events(options, stdout);
    rdsign_signer *signer = signer_of(options);
    rdsign_token *token = NULL;
    rdsign_error *error = NULL;
    rdsign_status status = rdsign_signer_token(signer, &token, &error);
    CHECK(status != RDSIGN_OK && token == NULL && error != NULL);
    printf("%s: %s\n", rdsign_status_name(status), rdsign_error_message(error));
    rdsign_error_free(error);
    rdsign_signer_free(signer);
    return 0;
}
