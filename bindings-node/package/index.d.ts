/**
 * Signs IAM database authentication tokens for Amazon RDS, Aurora and Aurora DSQL. They are byte for byte
 * those of `aws rds generate-db-auth-token` or `aws dsql generate-db-connect-auth-token`.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */

export { type PgOptions, pgOptions, type RdsignPgOptions } from './pg.js'
export { type VerifyFull, verifyFull } from './tls.js'

/** Credentials in the form of the AWS SDK for JavaScript v3 (its `AwsCredentialIdentity`). */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Required for temporary keys. An empty one is ignored. */
  readonly sessionToken?: string | null
  /** When the credentials expire. Default: never. A token expires with its credentials, or before. */
  readonly expiration?: Date | null
}

/**
 * A function that returns credentials, such as any provider of the AWS SDK for JavaScript v3.
 *
 * It is called for the first token, and again about a token's lifetime before its credentials expire. One
 * call runs at a time, and everyone who needs a token meanwhile waits for it. If its credentials expire
 * before the token would, it is called once more with `{ forceRefresh: true }`.
 */
export type CredentialsProvider = (options?: {
  readonly forceRefresh?: boolean
}) => Credentials | Promise<Credentials>

/**
 * The options of a Signer.
 *
 * Set at most one source of credentials: keys, `credentials` or `profile`. The default is
 * where the AWS CLI looks, in its order: the environment of the process (also in a worker thread), a role
 * or a web identity, the rest of the profile, the container, the instance's metadata.
 */
export interface SignerOptions {
  /** The endpoint's host name, as RDS or DSQL shows it, even if you dial another address. */
  readonly hostname: string
  /** The endpoint's port, 1 to 65535, as a number or as text. Default: 5432. */
  readonly port?: number | string
  /** The database user, exactly as the database spells it. */
  readonly username: string
  /**
   * The endpoint's region. Default: the region in the host name, else `AWS_REGION`, else
   * `AWS_DEFAULT_REGION`, else the profile's.
   */
  readonly region?: string
  /** How long a token is valid, in seconds, 1 to 900, or for DSQL 1 to 604,800. Default: 900. */
  readonly expiresIn?: number
  /**
   * The service that tokens are for, `rds` or `dsql`. Default: the host name's, else `rds`. Only a name of
   * your own, such as an alias of a DSQL endpoint, needs it.
   */
  readonly service?: string
  /** The access key ID to sign with. */
  readonly accessKeyId?: string
  /** The secret access key of the access key ID. */
  readonly secretAccessKey?: string
  /** The session token of temporary keys. An empty one is ignored. */
  readonly sessionToken?: string
  /** Credentials, or a function that returns them, instead of the three keys. */
  readonly credentials?: Credentials | CredentialsProvider
  /**
   * A profile of the AWS configuration files, as the only source of credentials. With `credentials`,
   * only its region is used, as in the AWS SDK.
   */
  readonly profile?: string
  /** The ARN of a role to assume with the credentials found, by a call to STS. */
  readonly roleArn?: string
  /** The external ID that the role requires. */
  readonly externalId?: string
  /** The name of the role's session, which CloudTrail shows. Default: `rdsign`. */
  readonly roleSessionName?: string
  /**
   * How many milliseconds all calls for one set of credentials may take together, over 0. Default:
   * 5000. A `credentials` function that never answers keeps the process alive for that long.
   */
  readonly credentialsTimeout?: number
  /** An option of the AWS SDK's signer that is accepted and not used: rdsign computes SHA-256 itself. */
  readonly sha256?: new (
    ...args: never[]
  ) => object
}

/** The options of one token. */
export interface TokenOptions {
  /** The time to sign at, from 1970 to 9999, for tests. Milliseconds are dropped. Default: now. */
  readonly signingTime?: Date
}

/**
 * A password that is valid for some minutes. Only `value` shows it: as a string, in JSON, in
 * `util.inspect` and in `console.log`, a token is redacted. JavaScript cannot wipe it from memory.
 */
export class Token {
  private constructor()
  /** The text to send as the password. */
  readonly value: string
  /**
   * When the server starts to reject the token: when its lifetime has passed or the credentials that
   * signed it expire, whichever comes first.
   */
  readonly expiresAt: Date
  /** Returns a text with the expiry and without the value. */
  toString(): string
  /** Returns the expiry, and a placeholder for the value. */
  toJSON(): { value: string; expiresAt: Date }
}

/**
 * Signs tokens for one database user at one endpoint. Create one, and get a new password from it for
 * each connection. It has no timer; it reads the clock at each call.
 *
 * @example
 * const signer = new Signer({ hostname: process.env.PGHOST, username: 'iam_user' })
 * const pool = new pg.Pool(pgOptions(signer, { database: 'app' }))
 */
export class Signer {
  /**
   * Checks all options. Does not look for credentials yet.
   *
   * @throws {RdsignError} if an option is invalid, with the first code that applies, from
   * `INVALID_HOSTNAME` to `INVALID_EXPIRES_IN`, or else `SERVICE_MISMATCH`
   * @throws {TypeError} if an option is unknown or has the wrong type
   */
  constructor(options: SignerOptions)
  /** The host name that tokens are signed for. */
  readonly hostname: string
  /** The port that tokens are signed for. */
  readonly port: number
  /** The database user that tokens are signed for. */
  readonly username: string
  /** The region that tokens are signed for. */
  readonly region: string
  /** The service that tokens are signed for. */
  readonly service: 'rds' | 'dsql'
  /** The database to log in to if a program names none: `postgres` for DSQL, else undefined. */
  readonly defaultDatabase: string | undefined
  /**
   * Resolves to a token that is signed now, or once credentials have been fetched.
   *
   * @throws {RdsignError} `CREDENTIALS_NOT_FOUND`, `CREDENTIALS_EXPIRED`, `CREDENTIALS_FAILED`,
   * `CREDENTIALS_TIMEOUT`, `INVALID_CREDENTIALS`, `INVALID_SIGNING_TIME`
   */
  token(options?: TokenOptions): Promise<Token>
  /**
   * Returns a token that is signed now. If credentials must be fetched, it blocks the thread for at
   * most the credentials timeout. It cannot wait for a `credentials` function: it works only after
   * `token()` has called the function, and while those credentials are valid.
   *
   * @throws {RdsignError} as `token()`
   */
  tokenSync(options?: TokenOptions): Token
  /**
   * Resolves to the text of a token, for drivers that accept an async function as the password, such
   * as pg and postgres.js. It does not use `this`.
   *
   * @throws {RdsignError} as `token()`
   */
  readonly password: () => Promise<string>
  /**
   * The same, with the name of the method in `@aws-sdk/rds-signer`. That signer has no default port, so
   * this method requires the option `port`.
   *
   * @throws {TypeError} if the Signer was created without a port
   */
  getAuthToken(): Promise<string>
}

/**
 * What came of a fetch of credentials: the message that a Signer publishes on a channel of
 * `node:diagnostics_channel`. It contains no secret, so it is safe to log; an error may name an access key ID.
 *
 * - `rdsign:credentials:fetched`: a source returned new credentials.
 * - `rdsign:credentials:refresh-failed`: a refresh failed. The credentials in use are still valid and go on
 *   signing.
 * - `rdsign:credentials:fetch-failed`: a fetch failed, and no credentials are valid. The caller gets the error.
 * - `rdsign:credentials:expiring`: the credentials in use expire within a minute, and their source has no newer
 *   ones. Published once for the same credentials.
 *
 * It is published on the thread of the Signer, before the call that fetched returns or settles. What a
 * subscriber causes by using a Signer is not published. As for all channels, an exception of a subscriber
 * becomes an `uncaughtException`.
 */
export interface CredentialsEvent {
  /** The Signer that fetched. */
  readonly signer: Signer
  /** One line about it, the same in every language. */
  readonly message: string
  /** Whether it is a warning. Otherwise it is only information. */
  readonly isWarning: boolean
  /** How many milliseconds the fetch took. */
  readonly duration: number
  /** The source that answered, such as `environment` or `SSO`. Missing if the fetch failed. */
  readonly source?: string
  /** When the credentials in use expire. Missing if they do not expire, or if there are none. */
  readonly expiresAt?: Date
  /** Why the fetch failed. */
  readonly error?: RdsignError
}

/**
 * The error of a Signer or a token. The message never contains a secret, a session token or a token,
 * so it is safe to log.
 */
export class RdsignError extends Error {
  private constructor()
  readonly name: 'RdsignError'
  /** The kind of the error. Codes never change; messages may. */
  readonly code: ErrorCode
}

/** The codes of errors. They are the same in every language. */
export type ErrorCode =
  /** The host name is missing, or is not a bare host name. */
  | 'INVALID_HOSTNAME'
  /** The port is not 1 to 65535. */
  | 'INVALID_PORT'
  /** The user name is missing, empty, a token, or contains a control character or a lone surrogate. */
  | 'INVALID_USERNAME'
  /** The region has characters other than lower-case letters, digits and `-`. */
  | 'INVALID_REGION'
  /** No region was given, and the host name, the environment and the profile have none. */
  | 'REGION_REQUIRED'
  /** The given region differs from the one in the host name. */
  | 'REGION_MISMATCH'
  /** A key is missing, empty or damaged, or more than one source of credentials was given. */
  | 'INVALID_CREDENTIALS'
  /** The lifetime is not 1 to 900 seconds, or for DSQL 1 to 604,800. */
  | 'INVALID_EXPIRES_IN'
  /** The signing time is not a time from 1970 to 9999. */
  | 'INVALID_SIGNING_TIME'
  /** The service is not `rds` or `dsql`, or differs from the one in the host name. */
  | 'SERVICE_MISMATCH'
  /** No source had credentials; the message says why. */
  | 'CREDENTIALS_NOT_FOUND'
  /** The credentials have expired, and their source has no newer ones. */
  | 'CREDENTIALS_EXPIRED'
  /** A source that should have worked failed; the message says which one and why. */
  | 'CREDENTIALS_FAILED'
  /** The calls for credentials took longer than the credentials timeout. */
  | 'CREDENTIALS_TIMEOUT'
  /** A bug in rdsign; please report it. */
  | 'INTERNAL'
