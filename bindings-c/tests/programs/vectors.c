/*
 * Checks every line of tests/vectors.tsv through the public header. C cannot express strings with a
 * NUL: SKIPPED lists these lines, and the program fails if the list has one too few or too many.
 */
#include "support.h"

enum { FIELDS = 13, LONGEST_LINE = 1 << 20 };

static const char *const SKIPPED[] = {
    "hostname_with_nul", "username_with_nul",      "username_of_one_nul",
    "region_with_nul",   "access_key_id_with_nul", "session_token_with_nul",
};
enum { SKIPPED_COUNT = sizeof SKIPPED / sizeof SKIPPED[0] };

static int is_listed_as_skipped(const char *name) {
    for (int i = 0; i < SKIPPED_COUNT; i++)
        if (strcmp(SKIPPED[i], name) == 0)
            return 1;
    return 0;
}

static int hex_digit(char digit) {
    static const char digits[] = "0123456789abcdef";
    const char *found = digit ? strchr(digits, digit) : NULL;
    CHECK(found != NULL);
    return (int)(found - digits);
}

/* Decodes PostgreSQL's COPY text format in place. Returns NULL for a value that is not given, and
 * sets has_nul if the text contains a NUL. */
static char *unescaped(char *field, int *has_nul) {
    if (strcmp(field, "\\N") == 0)
        return NULL;
    char *to = field;
    for (const char *from = field; *from; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        switch (*++from) {
        case '\\':
            *to++ = '\\';
            break;
        case 't':
            *to++ = '\t';
            break;
        case 'n':
            *to++ = '\n';
            break;
        case 'r':
            *to++ = '\r';
            break;
        case 'x': {
            int byte = 16 * hex_digit(from[1]) + hex_digit(from[2]);
            from += 2;
            *has_nul |= byte == 0;
            *to++ = (char)byte;
            break;
        }
        default:
            FAIL("unknown escape \\%c", *from);
        }
    }
    *to = '\0';
    return field;
}

static int64_t integer(const char *text) {
    char *end = NULL;
    int64_t number = strtoll(text, &end, 10);
    CHECK(end != text && *end == '\0');
    return number;
}

typedef rdsign_status text_setter(rdsign_options *, const char *);
typedef rdsign_status integer_setter(rdsign_options *, int64_t);

static void set_text(rdsign_options *options, text_setter *set, const char *value) {
    if (value)
        CHECK_STATUS(RDSIGN_OK, set(options, value));
}

static void set_integer(rdsign_options *options, integer_setter *set, const char *value) {
    if (value)
        CHECK_STATUS(RDSIGN_OK, set(options, integer(value)));
}

/* Returns whether the line's request results in its token or its error. */
static int holds(char **field) {
    const char *name = field[0], *want_error = field[11], *want_token = field[12];
    rdsign_options *options = rdsign_options_new();
    set_text(options, rdsign_options_set_hostname, field[1]);
    set_integer(options, rdsign_options_set_port, field[2]);
    set_text(options, rdsign_options_set_username, field[3]);
    set_text(options, rdsign_options_set_region, field[4]);
    set_text(options, rdsign_options_set_access_key_id, field[5]);
    set_text(options, rdsign_options_set_secret_access_key, field[6]);
    set_text(options, rdsign_options_set_session_token, field[7]);
    set_integer(options, rdsign_options_set_expires_in, field[9]);
    set_text(options, rdsign_options_set_service, field[10]);
    rdsign_signer *signer = NULL;
    rdsign_token *token = NULL;
    rdsign_status status = rdsign_signer_new(options, &signer, NULL);
    if (status == RDSIGN_OK)
        status = rdsign_signer_token_at(signer, integer(field[8]), &token, NULL);
    rdsign_options_free(options);
    rdsign_signer_free(signer);

    const char *error = status == RDSIGN_OK ? "none" : rdsign_status_name(status);
    const char *value = token ? rdsign_token_value(token) : "none";
    if (!want_error)
        want_error = "none";
    if (!want_token)
        want_token = "none";
    int right = strcmp(error, want_error) == 0 && strcmp(value, want_token) == 0;
    if (!right)
        fprintf(stderr, "%s\n  want %s %s\n  got  %s %s\n", name, want_error, want_token, error,
                value);
    rdsign_token_free(token);
    return right;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    CHECK(getenv("AWS_REGION") == NULL && getenv("AWS_DEFAULT_REGION") == NULL);
    FILE *file = fopen(argv[1], "r");
    if (!file)
        FAIL("cannot read %s", argv[1]);
    char *line = malloc(LONGEST_LINE);
    CHECK(line != NULL);
    int passed = 0, failed = 0, skipped = 0, header_seen = 0;
    while (fgets(line, LONGEST_LINE, file)) {
        char *end = strchr(line, '\n');
        CHECK(end != NULL);
        *end = '\0';
        if (line[0] == '#')
            continue;
        char *field[FIELDS], *rest = line;
        for (int i = 0; i < FIELDS; i++) {
            CHECK(rest != NULL);
            field[i] = rest;
            rest = strchr(rest, '\t');
            if (rest)
                *rest++ = '\0';
        }
        CHECK(rest == NULL);
        if (!header_seen) {
            CHECK(strcmp(field[0], "name") == 0 && strcmp(field[12], "token") == 0);
            header_seen = 1;
            continue;
        }
        int has_nul = 0;
        for (int i = 0; i < FIELDS; i++)
            field[i] = unescaped(field[i], &has_nul);
        if (has_nul != is_listed_as_skipped(field[0]))
            FAIL("%s: %s", field[0],
                 has_nul ? "has a NUL, but is not listed as skipped"
                         : "is listed as skipped, but has no NUL");
        if (has_nul) {
            printf("skipped: %s\n", field[0]);
            skipped++;
        } else if (holds(field)) {
            passed++;
        } else {
            failed++;
        }
    }
    CHECK(feof(file));
    fclose(file);
    free(line);
    CHECK(skipped == SKIPPED_COUNT);
    CHECK(passed >= 120);
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed != 0;
}
