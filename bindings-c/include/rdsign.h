/**
 * rdsign: signs Amazon RDS and Aurora IAM database authentication tokens.
 *
 *     rdsign_options *options = rdsign_options_new();
 *     rdsign_options_set_hostname(options, "mydb.abc123.eu-central-1.rds.amazonaws.com");
 *     rdsign_options_set_username(options, "iam_user");
 *
 *     rdsign_signer *signer = NULL;
 *     rdsign_error *error = NULL;
 *     if (rdsign_signer_new(options, &signer, &error) != RDSIGN_OK) {
 *         fprintf(stderr, "%s\n", rdsign_error_message(error));
 *         rdsign_error_free(error);
 *     }
 *     rdsign_options_free(options);
 *
 * and then, for each new connection:
 *
 *     rdsign_token *token = NULL;
 *     if (rdsign_signer_token(signer, &token, &error) == RDSIGN_OK) {
 *         const char *password = rdsign_token_value(token);
 *         ...
 *         rdsign_token_free(token);
 *     }
 *
 * These rules hold for all functions:
 *
 * - A function that can fail returns a rdsign_status. What it makes, it writes through the pointer
 *   it is given for that, when it has succeeded and only then.
 * - The last argument of such a function, error, may be NULL. If it is not, a failure writes an
 *   error object through it, to be freed with rdsign_error_free(); a success leaves it alone. An
 *   older error that is still there is written over and not freed.
 * - A pointer is valid or NULL. NULL where it does not belong is RDSIGN_NULL_ARGUMENT, and every
 *   function that frees takes NULL. Nothing is used after it was freed.
 * - Texts end with a NUL, and are UTF-8. The library keeps none of the caller's pointers but
 *   user_data: it copies what it needs, and wipes its copies of keys and tokens.
 * - What the library has made, its own free function frees, and not free().
 * - Times are whole seconds since 1970-01-01T00:00:00Z.
 * - Different objects may be used by different threads at the same time, and a signer, a token and
 *   an error each by many at once, up to the call that frees it.
 * - A fault inside the library is RDSIGN_INTERNAL, and does not end the process. Running out of
 *   memory does.
 */


#ifndef RDSIGN_H
#define RDSIGN_H

#include <stdint.h>

/**
 * What a function returns: RDSIGN_OK, or why it failed.
 *
 * A number is never used again for something else, and later versions may add more. If several
 * options are wrong, the lowest number wins; RDSIGN_NULL_ARGUMENT and RDSIGN_INVALID_UTF8 come
 * before all others.
 */
enum rdsign_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * It worked.
     */
    RDSIGN_OK = 0,
    /**
     * The host name is missing, empty, over 253 characters, or has something in it that no host
     * name has: a scheme, a port, a path, a space, a control or non-ASCII character.
     */
    RDSIGN_INVALID_HOSTNAME = 1,
    /**
     * The port is not 1 to 65535.
     */
    RDSIGN_INVALID_PORT = 2,
    /**
     * The user name is missing, empty, or has a control character or U+FFFD in it.
     */
    RDSIGN_INVALID_USERNAME = 3,
    /**
     * The region is not lower-case letters, digits and '-'.
     */
    RDSIGN_INVALID_REGION = 4,
    /**
     * No region is given, and none is in the host name, the environment or the profile.
     */
    RDSIGN_REGION_REQUIRED = 5,
    /**
     * The region given is not the one in the host name.
     */
    RDSIGN_REGION_MISMATCH = 6,
    /**
     * The access key id or the secret access key is missing or empty, one of the keys has a
     * control character in it, or two sources of credentials are given.
     */
    RDSIGN_INVALID_CREDENTIALS = 7,
    /**
     * The lifetime is not 1 to 900 seconds.
     */
    RDSIGN_INVALID_EXPIRES_IN = 8,
    /**
     * The signing time is before 1970 or after 9999.
     */
    RDSIGN_INVALID_SIGNING_TIME = 9,
    /**
     * No source had credentials: the text lists what was tried, and why each had none.
     */
    RDSIGN_CREDENTIALS_NOT_FOUND = 20,
    /**
     * The credentials have expired, and their source gives no newer ones.
     */
    RDSIGN_CREDENTIALS_EXPIRED = 21,
    /**
     * A source that should have had credentials failed, the credentials callback among them: the
     * text says which one and why.
     */
    RDSIGN_CREDENTIALS_FAILED = 22,
    /**
     * Credentials did not arrive within the credentials timeout.
     */
    RDSIGN_CREDENTIALS_TIMEOUT = 23,
    /**
     * An argument that must not be NULL is.
     */
    RDSIGN_NULL_ARGUMENT = 100,
    /**
     * A text is not UTF-8.
     */
    RDSIGN_INVALID_UTF8 = 101,
    /**
     * A fault of rdsign itself.
     */
    RDSIGN_INTERNAL = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum rdsign_status rdsign_status;
#else
typedef int32_t rdsign_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a credentials callback fills in. It belongs to the library, and is gone when the callback
 * returns.
 */
typedef struct rdsign_credentials rdsign_credentials;

/**
 * What went wrong, in words: the status and the text that belongs to it.
 *
 * Written by a function that fails, if it was given a place to write it to; to be freed with
 * rdsign_error_free(). The text names the field and says what is accepted. It never holds a
 * secret access key, a session token, a signature or a token, so it may always be logged.
 */
typedef struct rdsign_error rdsign_error;

/**
 * The options of a signer. What is not set has the default that its setter names.
 *
 * All setters copy what they are given. They return RDSIGN_OK, RDSIGN_NULL_ARGUMENT or
 * RDSIGN_INVALID_UTF8. There is no need to look at each: the first failure is kept, and
 * rdsign_signer_new() returns it. Everything else about a value is checked there too. An option that
 * is set twice has the later value.
 *
 * To be used by one thread at a time.
 */
typedef struct rdsign_options rdsign_options;

/**
 * Signs tokens for one database user at one endpoint.
 *
 * Any number of threads may use one signer at the same time, and a child of fork() may go on using
 * its parent's. It keeps credentials and signing keys from one call to the next, so it should be
 * kept, not made anew for each token. It starts no thread and no timer.
 */
typedef struct rdsign_signer rdsign_signer;

/**
 * A token: what to send as the password, and until when. It outlives its signer.
 */
typedef struct rdsign_token rdsign_token;

/**
 * Gets credentials from a place of the caller's own: see
 * rdsign_options_set_credentials_callback().
 *
 * user_data is the pointer given with the callback. To succeed, it sets the access key id and the
 * secret access key, for temporary credentials also their session token and expiry, and returns 0.
 * To fail, it may set a reason, and returns anything else. It must return: no longjmp() and no C++
 * exception may leave it. It bounds its own waiting, as the credentials timeout does not interrupt
 * it, and it must not use the signer that it works for, which would wait for itself.
 */
typedef int (*rdsign_credentials_callback)(void *user_data, rdsign_credentials *credentials);

/**
 * Frees what a callback's user_data points to.
 */
typedef void (*rdsign_free_callback)(void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is running, such as "0.1.0". The text is static.
 */
const char *rdsign_version(void);

/**
 * A status as every language spells it, such as "INVALID_PORT"; "OK" for RDSIGN_OK, "UNKNOWN" for
 * a number that this version does not know. The text is static.
 */
const char *rdsign_status_name(rdsign_status status);

/**
 * The status that the failed function returned too. RDSIGN_NULL_ARGUMENT for NULL.
 */
rdsign_status rdsign_error_status(const rdsign_error *error);

/**
 * The text, in UTF-8. It lives until rdsign_error_free(). For NULL it is empty, so that the result
 * may always be printed.
 */
const char *rdsign_error_message(const rdsign_error *error);

/**
 * Frees an error. NULL is fine.
 */
void rdsign_error_free(rdsign_error *error);

/**
 * Makes options with nothing set. They are to be freed with rdsign_options_free(). The result is
 * never NULL; every function takes NULL for what it is, an error.
 */
rdsign_options *rdsign_options_new(void);

/**
 * Frees options, and wipes the keys in them. NULL is fine.
 */
void rdsign_options_free(rdsign_options *options);

/**
 * The endpoint's host name, as RDS shows it, and not a name or address that leads to it by way of
 * a tunnel. Required.
 */
rdsign_status rdsign_options_set_hostname(rdsign_options *options, const char *hostname);

/**
 * The endpoint's port, 1 to 65535. Default: 5432.
 */
rdsign_status rdsign_options_set_port(rdsign_options *options, int64_t port);

/**
 * The database user to log in as, exactly as the database spells it. Required.
 */
rdsign_status rdsign_options_set_username(rdsign_options *options, const char *username);

/**
 * The endpoint's region, such as "eu-central-1". Default: the one in the host name, else that of
 * the environment (AWS_REGION, AWS_DEFAULT_REGION), else the profile's.
 */
rdsign_status rdsign_options_set_region(rdsign_options *options, const char *region);

/**
 * A token's life in seconds, 1 to 900. Default: 900.
 */
rdsign_status rdsign_options_set_expires_in(rdsign_options *options, int64_t seconds);

/**
 * The access key id to sign with, together with the secret access key and, for temporary
 * credentials, the session token.
 *
 * Of the three sources of credentials (keys, a profile, a callback) at most one may be given.
 * Default: the chain of the AWS SDKs, which looks at the environment, the profile, a web identity,
 * the container and the instance, in that order.
 */
rdsign_status rdsign_options_set_access_key_id(rdsign_options *options, const char *access_key_id);

/**
 * The secret access key that goes with the access key id.
 */
rdsign_status rdsign_options_set_secret_access_key(rdsign_options *options,
                                                   const char *secret_access_key);

/**
 * The session token that goes with temporary keys; an empty one counts as none.
 */
rdsign_status rdsign_options_set_session_token(rdsign_options *options, const char *session_token);

/**
 * The profile of the shared AWS configuration to take credentials from, in place of keys.
 */
rdsign_status rdsign_options_set_profile(rdsign_options *options, const char *profile);

/**
 * The ARN of an IAM role to assume with the credentials found, by a call to STS, and to sign with.
 * Default: none.
 */
rdsign_status rdsign_options_set_role_arn(rdsign_options *options, const char *role_arn);

/**
 * The external id that the role asks for. Default: none.
 */
rdsign_status rdsign_options_set_external_id(rdsign_options *options, const char *external_id);

/**
 * The name of the role's session, which CloudTrail shows. Default: "rdsign".
 */
rdsign_status rdsign_options_set_role_session_name(rdsign_options *options,
                                                   const char *role_session_name);

/**
 * How long all the calls for one set of credentials may take together, in milliseconds, more than
 * 0. Default: 5000.
 */
rdsign_status rdsign_options_set_credentials_timeout(rdsign_options *options, int64_t milliseconds);

/**
 * A function to get credentials from, in place of keys, and a pointer that it is given.
 *
 * It is called when the first token is asked for, and again some minutes before the credentials it
 * gave end, by the thread that asks for a token: any thread, but one at a time for each signer.
 *
 * When neither the options nor any signer made from them need user_data any more, it is given to
 * free_user_data, once, which may be NULL. If this function fails, user_data stays the caller's.
 */
rdsign_status rdsign_options_set_credentials_callback(rdsign_options *options,
                                                      rdsign_credentials_callback callback,
                                                      void *user_data,
                                                      rdsign_free_callback free_user_data);

/**
 * Required. The text is copied.
 *
 * The setters of rdsign_credentials return RDSIGN_OK, RDSIGN_NULL_ARGUMENT or RDSIGN_INVALID_UTF8.
 * A callback need not look: if one of its setters has failed, it has failed too, whatever it
 * returns.
 */
rdsign_status rdsign_credentials_set_access_key_id(rdsign_credentials *credentials,
                                                   const char *access_key_id);

/**
 * Required. The text is copied, and wiped when it is no longer needed.
 */
rdsign_status rdsign_credentials_set_secret_access_key(rdsign_credentials *credentials,
                                                       const char *secret_access_key);

/**
 * Required for temporary credentials; an empty one counts as none. The text is copied, and wiped
 * when it is no longer needed.
 */
rdsign_status rdsign_credentials_set_session_token(rdsign_credentials *credentials,
                                                   const char *session_token);

/**
 * When the credentials end, in seconds since 1970-01-01T00:00:00Z. Default: never, and then the
 * callback is not called again. It should be given for all temporary credentials: a token ends with
 * the credentials that signed it, and new ones are asked for some minutes before.
 */
rdsign_status rdsign_credentials_set_expires_at(rdsign_credentials *credentials,
                                                int64_t expires_at);

/**
 * Why the callback fails: it becomes part of the error's text, so it must not hold a secret. The
 * text is copied.
 */
rdsign_status rdsign_credentials_set_reason(rdsign_credentials *credentials, const char *reason);

/**
 * Makes a signer, and checks all of its options.
 *
 * The options stay the caller's: they may be freed at once, or changed and used for another
 * signer. The signer is to be freed with rdsign_signer_free(). No network is used yet.
 *
 * Returns RDSIGN_OK, the status of the first setter of these options that failed, any status from
 * RDSIGN_INVALID_HOSTNAME to RDSIGN_INVALID_EXPIRES_IN, or RDSIGN_NULL_ARGUMENT.
 */
rdsign_status rdsign_signer_new(const rdsign_options *options,
                                rdsign_signer **signer,
                                rdsign_error **error);

/**
 * Makes a token, signed now. It is to be freed with rdsign_token_free().
 *
 * With the credentials at hand this takes about a microsecond. Otherwise it asks their source for
 * them and waits, for the credentials timeout at the most; other threads wait with it.
 *
 * Returns RDSIGN_OK, RDSIGN_INVALID_CREDENTIALS for what a source has given, any status from
 * RDSIGN_CREDENTIALS_NOT_FOUND to RDSIGN_CREDENTIALS_TIMEOUT, or RDSIGN_NULL_ARGUMENT.
 */
rdsign_status rdsign_signer_token(const rdsign_signer *signer,
                                  rdsign_token **token,
                                  rdsign_error **error);

/**
 * Makes a token as if it were signed at another time: for tests.
 *
 * signing_time is in seconds since 1970-01-01T00:00:00Z, and lies before the year 10000.
 * Credentials are judged by that time as well.
 *
 * Returns what rdsign_signer_token() does, or RDSIGN_INVALID_SIGNING_TIME.
 */
rdsign_status rdsign_signer_token_at(const rdsign_signer *signer,
                                     int64_t signing_time,
                                     rdsign_token **token,
                                     rdsign_error **error);

/**
 * Frees a signer. Its tokens stay as they are. NULL is fine.
 */
void rdsign_signer_free(rdsign_signer *signer);

/**
 * The text of a token, to be given to the driver as the password, as it is.
 *
 * It is ASCII, about 350 bytes long with a long-lived key, and 1,300 to 2,500 with a session token.
 * It lives until rdsign_token_free(), which wipes it. NULL for NULL.
 */
const char *rdsign_token_value(const rdsign_token *token);

/**
 * The moment from which the server refuses the token, in seconds since 1970-01-01T00:00:00Z: the
 * end of its lifetime or of the credentials that signed it, whichever comes first. A connection
 * that is open by then stays open. 0 for NULL.
 */
int64_t rdsign_token_expires_at(const rdsign_token *token);

/**
 * Wipes a token and frees it. NULL is fine.
 */
void rdsign_token_free(rdsign_token *token);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RDSIGN_H */
