/* Prints a token for PGHOST, PGPORT and PGUSER. */
#include <rdsign.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    rdsign_signer *signer = NULL;
    rdsign_token *token = NULL;
    rdsign_error *error = NULL;
    rdsign_options *options = rdsign_options_new();

    rdsign_options_set_hostname(options, getenv("PGHOST"));
    rdsign_options_set_port(options, atoi(getenv("PGPORT")));
    rdsign_options_set_username(options, getenv("PGUSER"));
    if (rdsign_signer_new(options, &signer, &error) != RDSIGN_OK ||
        rdsign_signer_token(signer, &token, &error) != RDSIGN_OK) {
        fprintf(stderr, "%s\n", rdsign_error_message(error));
        return 1;
    }
    puts(rdsign_token_value(token));
    return 0;
}
