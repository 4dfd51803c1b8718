/*
 * Contains one planted bug for each argument. A sanitizer or valgrind that does not report it is
 * not active.
 */
#include "support.h"

#include <limits.h>

int main(int argc, char **argv) {
    CHECK(argc == 2);
    rdsign_signer *signer = signer_of(valid_options());
    rdsign_token *token = token_at(signer, SIGNING_TIME);
    rdsign_signer_free(signer);
    if (strcmp(argv[1], "leak") == 0) {
        token = NULL;
    } else if (strcmp(argv[1], "use-after-free") == 0) {
        const char *volatile value = rdsign_token_value(token);
        rdsign_token_free(token);
        token = NULL;
        printf("%d\n", value[10] == 'x');
    } else if (strcmp(argv[1], "use-after-free-inside") == 0) {
        rdsign_token_free(token);
        printf("%p\n", (const void *)rdsign_token_value(token));
        token = NULL;
    } else if (strcmp(argv[1], "overflow") == 0) {
        volatile int largest = INT_MAX;
        largest = largest + argc;
    } else {
        CHECK(strcmp(argv[1], "none") == 0);
    }
    rdsign_token_free(token);
    return 0;
}
