/*
 * No freed block contains a secret. The program replaces free() and realloc(), also for the
 * library, and searches each block before it returns to the allocator.
 *
 * With arguments, it signs, frees everything, and waits in between: another process searches its
 * memory. `wipe keys` and `wipe callback` read an access key ID, a secret access key and a session
 * token from standard input; `wipe chain [PROFILE]` uses the environment.
 *
 * The marks are made at run time, because a constant would always be found in the program. They
 * consist of characters that percent-encoding does not change.
 */
#define _GNU_SOURCE
#include "support.h"

#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

enum { MARKS = 4, MARK_LENGTH = 24 };

static const char *const NAMES[MARKS] = {"secret access key", "session token", "token",
                                         "secret access key from a callback"};
static char marks[MARKS][MARK_LENGTH + 1];
static int watching, found[MARKS], blocks;

extern void __libc_free(void *);
extern void *__libc_realloc(void *, size_t);

static void look_through(void *block) {
    if (!watching || !block)
        return;
    blocks++;
    size_t size = malloc_usable_size(block);
    for (int i = 0; i < MARKS; i++)
        if (marks[i][0] && memmem(block, size, marks[i], MARK_LENGTH))
            found[i]++;
}

void free(void *block) {
    look_through(block);
    __libc_free(block);
}

/* A block that grows may move and leave a copy behind. */
void *realloc(void *block, size_t size) {
    look_through(block);
    return __libc_realloc(block, size);
}

static void make_mark(int which) {
    for (int i = 0; i < MARK_LENGTH; i++)
        marks[which][i] = (char)('A' + (which * 7 + i * 5) % 26);
}

static void nothing_is_found(void) {
    for (int i = 0; i < MARKS; i++)
        if (found[i])
            FAIL("%d freed blocks contain the %s", found[i], NAMES[i]);
}

static int give_credentials(void *user_data, rdsign_credentials *credentials) {
    (void)user_data;
    rdsign_credentials_set_access_key_id(credentials, "akid");
    rdsign_credentials_set_secret_access_key(credentials, marks[3]);
    rdsign_credentials_set_session_token(credentials, marks[1]);
    rdsign_credentials_set_expires_at(credentials, SIGNING_TIME + 30 * 86400);
    return 0;
}

static void use(rdsign_options *options) {
    rdsign_signer *signer = signer_of(options);
    for (int i = 0; i < 3; i++) {
        rdsign_token *token = token_at(signer, SIGNING_TIME + i * 100000);
        const char *value = rdsign_token_value(token);
        CHECK(strstr(value, marks[1]) != NULL);
        /* The end of the signature: without it, the rest of a token is useless. */
        memcpy(marks[2], value + strlen(value) - MARK_LENGTH, MARK_LENGTH);
        rdsign_token_free(token);
        memset(marks[2], 0, MARK_LENGTH);
    }
    rdsign_signer_free(signer);
}

/* The program's own copies of the keys. They are not what the search is for. */
static char masked[3][4096];

static void mask(char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        text[i] = (char)~text[i];
}

/* Reads single bytes: a stream would keep its buffer. */
static void read_line(char *line, size_t room) {
    size_t length = 0;
    while (length + 1 < room && read(0, line + length, 1) == 1 && line[length] != '\n')
        length++;
    line[length] = 0;
    mask(line, length);
}

static void print_line(const char *line) {
    CHECK(write(1, line, strlen(line)) == (ssize_t)strlen(line));
}

/* Waits for one byte. */
static void wait_after(const char *line) {
    char byte;
    print_line(line);
    CHECK(read(0, &byte, 1) == 1);
}

typedef rdsign_status set_text(void *, const char *);

static void set_unmasked(set_text *set, void *object, int which) {
    mask(masked[which], strlen(masked[which]));
    CHECK_STATUS(RDSIGN_OK, set(object, masked[which]));
    mask(masked[which], strlen(masked[which]));
}

static int give_keys(void *user_data, rdsign_credentials *credentials) {
    (void)user_data;
    set_unmasked((set_text *)rdsign_credentials_set_access_key_id, credentials, 0);
    set_unmasked((set_text *)rdsign_credentials_set_secret_access_key, credentials, 1);
    set_unmasked((set_text *)rdsign_credentials_set_session_token, credentials, 2);
    return 0;
}

static void hold(const char *source, const char *profile) {
    rdsign_options *options = endpoint_options();
    if (strcmp(source, "chain") != 0)
        for (int i = 0; i < 3; i++)
            read_line(masked[i], sizeof masked[i]);
    if (strcmp(source, "keys") == 0) {
        set_unmasked((set_text *)rdsign_options_set_access_key_id, options, 0);
        set_unmasked((set_text *)rdsign_options_set_secret_access_key, options, 1);
        set_unmasked((set_text *)rdsign_options_set_session_token, options, 2);
    }
    if (strcmp(source, "callback") == 0)
        rdsign_options_set_credentials_callback(options, give_keys, NULL, NULL);
    if (profile)
        rdsign_options_set_profile(options, profile);
    rdsign_options_set_credentials_timeout(options, 60000);
    rdsign_signer *signer = signer_of(options);
    for (int i = 0; i < 3; i++) {
        rdsign_token *token = token_at(signer, SIGNING_TIME + i * 100000);
        const char *end = rdsign_token_value(token) + strlen(rdsign_token_value(token));
        char line[] = "?\n";
        /* Backwards: the output must not contain what is searched for. */
        for (int j = 1; j <= 64; j++) {
            line[0] = end[-j];
            CHECK(write(1, line, 1) == 1);
        }
        print_line("\n");
        rdsign_token_free(token);
    }
    wait_after("signed\n");
    rdsign_signer_free(signer);
    wait_after("dropped\n");
}

int main(int count, char **arguments) {
    if (count > 1) {
        hold(arguments[1], arguments[2]);
        return 0;
    }
    make_mark(0);
    make_mark(1);
    make_mark(3);
    watching = 1;

    /* The search itself works: it finds a freed block that contains a mark. */
    char *block = malloc(100);
    CHECK(block != NULL);
    strcpy(block + 30, marks[0]);
    free(block);
    CHECK(found[0] == 1);
    found[0] = 0;

    rdsign_options *options = endpoint_options();
    rdsign_options_set_access_key_id(options, "akid");
    rdsign_options_set_secret_access_key(options, marks[0]);
    rdsign_options_set_secret_access_key(options, marks[0]);
    rdsign_options_set_session_token(options, marks[1]);
    int before = blocks;
    use(options);
    CHECK(blocks > before);
    nothing_is_found();

    options = endpoint_options();
    rdsign_options_set_credentials_callback(options, give_credentials, NULL, NULL);
    use(options);
    watching = 0;
    nothing_is_found();
    return 0;
}
