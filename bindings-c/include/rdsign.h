/**
 * rdsign: signs IAM database authentication tokens for Amazon RDS, Aurora and Aurora DSQL.
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
 * Then, for each new connection:
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
 * - A function that can fail returns a rdsign_status. It writes its outputs only on success.
 * - Such a function writes an error object to its last argument, error, but only on failure. Pass
 *   NULL if you do not need it; otherwise free it with rdsign_error_free(). The function overwrites
 *   an older error and does not free it.
 * - A pointer is valid or NULL. A NULL that is not allowed returns RDSIGN_NULL_ARGUMENT. Every
 *   function that frees accepts NULL. Do not use an object after you freed it.
 * - Strings are UTF-8 and end with a NUL. The library copies the strings that you pass, and wipes
 *   its copies of keys and tokens. The only pointer of yours that it keeps is user_data.
 * - Free an object of the library with its own free function, never with free().
 * - Times are whole seconds since 1970-01-01T00:00:00Z.
 * - Different threads may use different objects at the same time. Any number of threads may share a
 *   signer, a token or an error until one of them frees it.
 * - A bug inside the library returns RDSIGN_INTERNAL and does not end the process. Running out of
 *   memory does.
 */


#ifndef RDSIGN_H
#define RDSIGN_H

#include <stdint.h>

/**
 * The version of this header. rdsign_version() returns that of the loaded library.
 */
#define RDSIGN_VERSION "0.1.0"
#define RDSIGN_VERSION_MAJOR 0
#define RDSIGN_VERSION_MINOR 1
#define RDSIGN_VERSION_PATCH 0

/**
 * The result of a function: RDSIGN_OK, or why it failed.
 *
 * Numbers are never reused, and later versions may add more. If several options are invalid, the
 * lowest number wins; RDSIGN_NULL_ARGUMENT and RDSIGN_INVALID_UTF8 come before all others.
 */
enum rdsign_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Success.
     */
    RDSIGN_OK = 0,
    /**
     * The host name is missing, empty or longer than 253 characters, or contains a scheme, a port, a
     * path, a space, or a control or non-ASCII character.
     */
    RDSIGN_INVALID_HOSTNAME = 1,
    /**
     * The port is not 1 to 65535.
     */
    RDSIGN_INVALID_PORT = 2,
    /**
     * The user name is missing, empty, a token, or contains a control character or U+FFFD.
     */
    RDSIGN_INVALID_USERNAME = 3,
    /**
     * The region has characters other than lower-case letters, digits and '-'.
     */
    RDSIGN_INVALID_REGION = 4,
    /**
     * No region was given, and none is in the host name, the environment or the profile.
     */
    RDSIGN_REGION_REQUIRED = 5,
    /**
     * The given region differs from the one in the host name.
     */
    RDSIGN_REGION_MISMATCH = 6,
    /**
     * The access key ID or the secret access key is missing or empty, one of the keys contains a
     * control character, or more than one source of credentials was given.
     */
    RDSIGN_INVALID_CREDENTIALS = 7,
    /**
     * The lifetime is not 1 to 900 seconds, or for DSQL 1 to 604800.
     */
    RDSIGN_INVALID_EXPIRES_IN = 8,
    /**
     * The signing time is before 1970 or after 9999.
     */
    RDSIGN_INVALID_SIGNING_TIME = 9,
    /**
     * The service is neither "rds" nor "dsql", or differs from the one in the host name.
     */
    RDSIGN_SERVICE_MISMATCH = 10,
    /**
     * No source had credentials. The message lists the sources, and why each had none.
     */
    RDSIGN_CREDENTIALS_NOT_FOUND = 20,
    /**
     * The credentials have expired, and their source has no newer ones.
     */
    RDSIGN_CREDENTIALS_EXPIRED = 21,
    /**
     * A source that should have worked failed, such as the credentials callback. The message says
     * which one and why.
     */
    RDSIGN_CREDENTIALS_FAILED = 22,
    /**
     * Credentials did not arrive within the credentials timeout.
     */
    RDSIGN_CREDENTIALS_TIMEOUT = 23,
    /**
     * An argument is NULL that must not be NULL.
     */
    RDSIGN_NULL_ARGUMENT = 100,
    /**
     * A string is not UTF-8.
     */
    RDSIGN_INVALID_UTF8 = 101,
    /**
     * A bug in rdsign, or options that two threads used at the same time.
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
 * The credentials that a credentials callback sets. The library owns them; they are valid until the
 * callback returns.
 */
typedef struct rdsign_credentials rdsign_credentials;

/**
 * Why a function failed: a status and a message.
 *
 * A function that fails writes one if you passed a place for it. Free it with rdsign_error_free().
 * The message names the field and says what is accepted. It never contains a secret access key, a
 * session token, a signature or a token, so it is safe to log.
 */
typedef struct rdsign_error rdsign_error;

/**
 * What came of a fetch of credentials. The library owns it; it is valid until the callback returns.
 */
typedef struct rdsign_event rdsign_event;

/**
 * The options of a signer. Each setter names the default of its option.
 *
 * Setters copy their arguments. They return RDSIGN_OK, RDSIGN_NULL_ARGUMENT, RDSIGN_INVALID_UTF8 or
 * RDSIGN_INTERNAL. You need not check each status: rdsign_signer_new() returns the first failure, and
 * checks everything else about the values. Setting an option again replaces its value.
 *
 * One thread at a time may set options; another may go on when it has finished. A setter that finds
 * another setter or rdsign_signer_new() running sets nothing and returns RDSIGN_INTERNAL, and
 * rdsign_signer_new() then fails for these options. Free them and make new ones.
 */
typedef struct rdsign_options rdsign_options;

/**
 * Signs tokens for one database user at one endpoint.
 *
 * Any number of threads may share a signer, and a child of fork() may keep using its parent's. It
 * caches credentials and signing keys, so keep it instead of making one for each token. It starts no
 * thread and no timer.
 */
typedef struct rdsign_signer rdsign_signer;

/**
 * A token: the password to send, and when it expires. It stays valid after its signer is freed.
 */
typedef struct rdsign_token rdsign_token;

/**
 * Gets credentials from a source of yours: see rdsign_options_set_credentials_callback().
 *
 * user_data is the pointer that you set with the callback. To succeed, set the access key ID and the
 * secret access key, for temporary credentials also the session token and the expiry, and return 0.
 * To fail, return any other number; you may set a reason before.
 *
 * The callback must return: do not leave it with longjmp() or a C++ exception. The credentials
 * timeout does not interrupt it, so limit its own waiting. Do not use the signer that called it: that
 * would deadlock.
 */
typedef int (*rdsign_credentials_callback)(void *user_data, rdsign_credentials *credentials);

/**
 * Frees the user_data of a callback.
 */
typedef void (*rdsign_free_callback)(void *user_data);

/**
 * Is told what comes of each fetch of credentials: see rdsign_options_set_event_callback().
 *
 * user_data is the pointer that you set with the callback. The callback must return: do not leave it
 * with longjmp() or a C++ exception. It may use the signer, but events that this causes on the same
 * thread are dropped.
 */
typedef void (*rdsign_event_callback)(void *user_data, const rdsign_event *event);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the version of the loaded library, such as "1.2.3". The string is static.
 */
const char *rdsign_version(void);

/**
 * Returns the certificate authorities of RDS, Aurora and RDS Proxy, as text in PEM. The string is
 * static.
 *
 * pkg-config --variable=cafile rdsign names a file with the same text, for drivers that need one, such
 * as libpq for its sslrootcert.
 */
const char *rdsign_ca_bundle(void);

/**
 * Returns the name of a status, the same as in every language, such as "INVALID_PORT". Returns "OK"
 * for RDSIGN_OK, and "UNKNOWN" for a number that this version does not know. The string is static.
 */
const char *rdsign_status_name(rdsign_status status);

/**
 * Returns the same status as the function that failed. For NULL, returns RDSIGN_NULL_ARGUMENT.
 */
rdsign_status rdsign_error_status(const rdsign_error *error);

/**
 * Returns the message, in UTF-8. It is valid until rdsign_error_free(). For NULL, returns an empty
 * string, so the result can always be printed.
 */
const char *rdsign_error_message(const rdsign_error *error);

/**
 * Frees an error. Accepts NULL.
 */
void rdsign_error_free(rdsign_error *error);

/**
 * Makes options with nothing set. Free them with rdsign_options_free(). Never returns NULL.
 */
rdsign_options *rdsign_options_new(void);

/**
 * Frees options and wipes the keys in them. Accepts NULL.
 */
void rdsign_options_free(rdsign_options *options);

/**
 * Sets the endpoint's host name as RDS or DSQL shows it, not the name or address of a tunnel to it.
 * Required.
 */
rdsign_status rdsign_options_set_hostname(rdsign_options *options, const char *hostname);

/**
 * Sets the endpoint's port, 1 to 65535. Default: 5432.
 */
rdsign_status rdsign_options_set_port(rdsign_options *options, int64_t port);

/**
 * Sets the database user to log in as, exactly as the database spells it. Required.
 */
rdsign_status rdsign_options_set_username(rdsign_options *options, const char *username);

/**
 * Sets the endpoint's region, such as "eu-central-1". Default: the region in the host name, else
 * AWS_REGION, else AWS_DEFAULT_REGION, else the profile's region.
 */
rdsign_status rdsign_options_set_region(rdsign_options *options, const char *region);

/**
 * Sets the service that tokens are for, "rds" or "dsql". Default: the one in the host name, else
 * "rds". Only a name of your own, such as an alias of a DSQL endpoint, needs it.
 */
rdsign_status rdsign_options_set_service(rdsign_options *options, const char *service);

/**
 * Sets the lifetime of tokens in seconds: 1 to 900, or for DSQL 1 to 604800. Default: 900.
 */
rdsign_status rdsign_options_set_expires_in(rdsign_options *options, int64_t seconds);

/**
 * Sets the access key ID to sign with. Needs the secret access key too and, for temporary
 * credentials, the session token.
 *
 * Accepts at most one of three sources of credentials: keys, a profile or a callback. Default:
 * where the AWS CLI looks, in its order: the environment, a role or a web identity, the rest of the
 * profile, the container and the instance.
 */
rdsign_status rdsign_options_set_access_key_id(rdsign_options *options, const char *access_key_id);

/**
 * Sets the secret access key that belongs to the access key ID.
 */
rdsign_status rdsign_options_set_secret_access_key(rdsign_options *options,
                                                   const char *secret_access_key);

/**
 * Sets the session token of temporary keys. An empty one is the same as omitting it.
 */
rdsign_status rdsign_options_set_session_token(rdsign_options *options, const char *session_token);

/**
 * Sets the profile of the shared AWS configuration to get credentials from, instead of keys.
 */
rdsign_status rdsign_options_set_profile(rdsign_options *options, const char *profile);

/**
 * Sets the ARN of an IAM role. The signer uses the credentials that it finds to assume the role
 * with STS, and signs with the role's credentials. Default: no role.
 */
rdsign_status rdsign_options_set_role_arn(rdsign_options *options, const char *role_arn);

/**
 * Sets the external ID that the role requires. Default: not sent.
 */
rdsign_status rdsign_options_set_external_id(rdsign_options *options, const char *external_id);

/**
 * Sets the name of the role's session, which CloudTrail shows. Default: "rdsign".
 */
rdsign_status rdsign_options_set_role_session_name(rdsign_options *options,
                                                   const char *role_session_name);

/**
 * Sets how long all calls for one set of credentials may take together, in milliseconds, at least 1.
 * Default: 5000.
 */
rdsign_status rdsign_options_set_credentials_timeout(rdsign_options *options,
                                                     int64_t milliseconds);

/**
 * Sets a function to get credentials from, instead of keys, and the pointer to pass to it.
 *
 * The thread that asks for a token calls it: for the first token, and again some minutes before the
 * credentials expire. That may be any thread, but each signer makes one call at a time.
 *
 * The library calls free_user_data(user_data) once, when these options and all signers made from
 * them no longer need it. free_user_data may be NULL. If this function fails, user_data remains
 * yours.
 */
rdsign_status rdsign_options_set_credentials_callback(rdsign_options *options,
                                                      rdsign_credentials_callback callback,
                                                      void *user_data,
                                                      rdsign_free_callback free_user_data);

/**
 * Sets a function that is told what comes of each fetch of credentials, and the pointer to pass to it.
 * Default: nobody is told.
 *
 * The thread that fetched calls it, after the fetch is over and before the call for a token returns.
 * Several threads may call it at the same time. Threads that wait for the same fetch do not wait for it.
 *
 * free_user_data is as for rdsign_options_set_credentials_callback().
 *
 * A library that was built without the default chain of credentials does not have this function.
 */
rdsign_status rdsign_options_set_event_callback(rdsign_options *options,
                                                rdsign_event_callback callback,
                                                void *user_data,
                                                rdsign_free_callback free_user_data);

/**
 * Sets the access key ID. Required. Copies the string.
 *
 * The setters of rdsign_credentials return RDSIGN_OK, RDSIGN_NULL_ARGUMENT or RDSIGN_INVALID_UTF8.
 * You need not check them: if a setter fails, the callback has failed, whatever it returns.
 */
rdsign_status rdsign_credentials_set_access_key_id(rdsign_credentials *credentials,
                                                   const char *access_key_id);

/**
 * Sets the secret access key. Required. Copies the string, and wipes the copy after use.
 */
rdsign_status rdsign_credentials_set_secret_access_key(rdsign_credentials *credentials,
                                                       const char *secret_access_key);

/**
 * Sets the session token. Required for temporary credentials; an empty one is the same as omitting
 * it. Copies the string, and wipes the copy after use.
 */
rdsign_status rdsign_credentials_set_session_token(rdsign_credentials *credentials,
                                                   const char *session_token);

/**
 * Sets when the credentials expire, in seconds since 1970-01-01T00:00:00Z. Default: never, and the
 * callback is not called again.
 *
 * Set it for all temporary credentials: a token expires with the credentials that signed it, and the
 * callback is called again some minutes before.
 */
rdsign_status rdsign_credentials_set_expires_at(rdsign_credentials *credentials,
                                                int64_t expires_at);

/**
 * Sets why the callback fails. It becomes part of the error's message, so it must not contain a
 * secret. Copies the string.
 */
rdsign_status rdsign_credentials_set_reason(rdsign_credentials *credentials, const char *reason);

/**
 * Returns what happened. Later versions may add names. The string is valid until the callback returns.
 * For NULL, returns an empty string.
 *
 * - "fetched": a source returned new credentials.
 * - "refresh-failed": a refresh failed. The credentials in use are still valid and go on signing.
 * - "fetch-failed": a fetch failed, and no credentials are valid. The caller gets the error.
 * - "expiring": the credentials in use expire within a minute, and their source has no newer ones. Occurs
 *   once for the same credentials.
 */
const char *rdsign_event_name(const rdsign_event *event);

/**
 * Returns 1 if the event is a warning, and 0 if it is only information, as "fetched" is. For NULL,
 * returns 0.
 */
int rdsign_event_is_warning(const rdsign_event *event);

/**
 * Returns one line about the event, in UTF-8, with the source, the expiry and the error. It contains no
 * secret, so it is safe to log; an error may name an access key ID. It is valid until the callback returns. For
 * NULL, returns an empty string.
 */
const char *rdsign_event_message(const rdsign_event *event);

/**
 * Returns when the credentials in use expire, in seconds since 1970-01-01T00:00:00Z. Returns 0 if they
 * do not expire, if there are none, or for NULL.
 */
int64_t rdsign_event_expires_at(const rdsign_event *event);

/**
 * Returns why the fetch failed, or NULL if it did not. The error is valid until the callback returns:
 * do not free it. For NULL, returns NULL.
 */
const rdsign_error *rdsign_event_error(const rdsign_event *event);

/**
 * Makes a signer and checks all of its options. Uses no network. Free it with rdsign_signer_free().
 *
 * The options remain yours: you may free them at once, or change them and make another signer.
 *
 * Returns RDSIGN_OK, the status of the first setter of these options that failed, any status from
 * RDSIGN_INVALID_HOSTNAME to RDSIGN_INVALID_EXPIRES_IN, RDSIGN_NULL_ARGUMENT, or RDSIGN_INTERNAL if a
 * setter is running or if two have run at the same time.
 */
rdsign_status rdsign_signer_new(const rdsign_options *options,
                                rdsign_signer **signer,
                                rdsign_error **error);

/**
 * Makes a token that is signed now. Free it with rdsign_token_free().
 *
 * With cached credentials, this takes about a microsecond. Otherwise it fetches them from their
 * source, and blocks for at most the credentials timeout; other threads wait for the same fetch.
 *
 * Returns RDSIGN_OK, RDSIGN_INVALID_CREDENTIALS if a source returned invalid keys, any status from
 * RDSIGN_CREDENTIALS_NOT_FOUND to RDSIGN_CREDENTIALS_TIMEOUT, or RDSIGN_NULL_ARGUMENT.
 */
rdsign_status rdsign_signer_token(const rdsign_signer *signer,
                                  rdsign_token **token,
                                  rdsign_error **error);

/**
 * Makes a token that is signed at another time, for tests.
 *
 * signing_time is in seconds since 1970-01-01T00:00:00Z, and before the year 10000. It also decides
 * whether credentials have expired.
 *
 * Returns the statuses of rdsign_signer_token(), or RDSIGN_INVALID_SIGNING_TIME.
 */
rdsign_status rdsign_signer_token_at(const rdsign_signer *signer,
                                     int64_t signing_time,
                                     rdsign_token **token,
                                     rdsign_error **error);

/**
 * Frees a signer. Its tokens remain valid. Accepts NULL.
 */
void rdsign_signer_free(rdsign_signer *signer);

/**
 * Returns the text of a token: pass it to the driver as the password, unchanged.
 *
 * It is ASCII, about 350 bytes long with a long-lived key, and 1,300 to 2,500 with a session token.
 * It is valid until rdsign_token_free(), which wipes it. For NULL, returns NULL.
 */
const char *rdsign_token_value(const rdsign_token *token);

/**
 * Returns when the token expires, in seconds since 1970-01-01T00:00:00Z: when its lifetime is over or
 * its credentials expire, whichever comes first. From then on the server rejects it; open connections
 * stay open. For NULL, returns 0.
 */
int64_t rdsign_token_expires_at(const rdsign_token *token);

/**
 * Wipes a token and frees it. Accepts NULL.
 */
void rdsign_token_free(rdsign_token *token);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* RDSIGN_H */
