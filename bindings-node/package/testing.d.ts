/**
 * RDS on this machine, for tests: a PostgreSQL that checks tokens as RDS does, with a fresh database and user
 * for each test, and with verbs that change what it accepts. It needs Linux, the program `rdsign` and a
 * PostgreSQL from 14 to 18. It works in every test framework.
 *
 * @example
 * const server = await RdsLocal.start()
 * const rds = await server.createDatabase()
 * const client = new pg.Client(rds.pgOptions())
 */

import type { Credentials, Signer, SignerOptions } from './index.js'
import type { PgOptions, RdsignPgOptions } from './pg.js'

/** The options of RdsLocal.start, as those of `rdsign local`. */
export interface RdsLocalOptions {
  /**
   * The endpoints to accept tokens for, each as `host` or `host:port`, of RDS or Aurora DSQL, all in one
   * region. Default: one instance of RDS.
   */
  endpoints?: string[]
  /** Files of SQL to run as `postgres` before the server is ready. */
  init?: string[]
  /** The port of 127.0.0.1 to listen on. Default: a free one. */
  port?: number
  /** The major version of PostgreSQL, 14 to 18. Default: the newest that is found. */
  version?: number
  /** The folder of PostgreSQL's programs. Default: `RDSIGN_LOCAL_POSTGRES`, else the usual places. */
  postgres?: string
  /** The configuration file to use. Default: a new one. */
  config?: string
  /** The folder that keeps the database for the next start. Default: a temporary one. */
  data?: string
}

/** The options of a new database. */
export interface CreateDatabaseOptions {
  /** The name of the database. Default: a new one. */
  database?: string
  /** The user that logs in, who is created if there is none of that name. Default: a new one. */
  username?: string
  /** The database to copy. No one may be connected to it. Default: the server's first database. */
  template?: string
}

/** A login that the server refused. */
export interface Refusal {
  /** The number of the login, which grows by one with each login to the server. */
  readonly number: number
  /** The ID of the reason, such as `expired` or `not-allowed`: docs/errors.md lists all. */
  readonly id: string
  /** What was wrong, for people. */
  readonly reason: string
  /** The user that tried to log in. */
  readonly username: string
  /** When, as the server's log has it. */
  readonly time: string
}

/**
 * The server's clock. Time passes for the tokens of `signer()` and `pgOptions()` too, so new ones are valid.
 * Tokens of other signers are signed by this machine's clock.
 */
export interface Clock {
  /** Sets the clock ahead, or back with negative numbers, and resolves to its time. */
  advance(by: { days?: number; hours?: number; minutes?: number; seconds?: number }): Promise<Date>
  /** Sets the clock to this machine's, and resolves to its time. */
  reset(): Promise<Date>
  /** Resolves to its time, in whole seconds. */
  now(): Promise<Date>
}

/** Who may log in. */
export interface Policy {
  /** Denies `rds-db:connect` to all access keys, for this user. Default: this database's. */
  deny(username?: string): Promise<void>
  /** Takes back what `deny` did. */
  allow(username?: string): Promise<void>
}

/** The access key that `signer()` signs with. */
export interface Keys {
  /** Lets the key expire now: the server refuses its tokens, as those of an expired session. */
  expire(): Promise<void>
  /**
   * Replaces the key with a new one that may do the same. The server refuses the tokens of the old key; a
   * later `signer()`, `credentials` and `env` have the new one.
   */
  replace(): Promise<void>
}

/** What logs in to one database as one user. */
declare abstract class Login {
  /** The endpoint's host name. It does not resolve: connect to `dial`. */
  readonly hostname: string
  /** The port, of the endpoint and of 127.0.0.1. */
  readonly port: number
  /** The address to connect to. */
  readonly dial: { host: string; port: number }
  /** The authority of the server's certificate, in PEM. */
  readonly ca: string
  /** The name of the database. */
  readonly database: string
  /** The user, who logs in with tokens. */
  readonly username: string
  /** The access key that may log in as the user. */
  readonly credentials: Credentials
  /** The path of the server's log. */
  readonly log: string
  /** The path of the server's configuration, a TOML file, which may be edited. */
  readonly config: string
  /**
   * The environment of this process, for a child process: with `PG*` and `AWS_*` that log in as the user, and
   * without variables that would select another server or other keys.
   */
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly policy: Policy
  readonly keys: Keys
  /** Returns a Signer for the user, which follows the server's clock. Options replace those of the user. */
  signer(options?: Partial<SignerOptions>): Signer
  /**
   * Returns options for a pg Client or Pool, or knex's `connection`: each connection logs in with a new token.
   * `password` may be replaced, such as by an expired token.
   */
  pgOptions<T extends object>(options?: T & RdsignPgOptions): Omit<T, keyof PgOptions | 'dial'> & PgOptions
  /**
   * Runs SQL as `postgres` in this database, who may read and write what the user creates. Resolves to the rows
   * of the last statement that has rows, with all values as text.
   *
   * @throws {RdsLocalError} with the SQLSTATE as its `code`
   */
  sql(text: string): Promise<Record<string, string | null>[]>
}

/** A database with a user of its own, who logs in with tokens. Others with the same server share its clock. */
export class RdsDatabase extends Login {
  private constructor()
  /**
   * Resolves to the refused logins of this user, the oldest first.
   *
   * @param since the number of a login, to get only later ones. Default: all since the database was created
   */
  refusals(since?: number): Promise<Refusal[]>
  /**
   * Ends its sessions, and removes the database, the user and the access key. Takes back what its `policy` denied,
   * and leaves the clock as it is.
   */
  drop(): Promise<void>
  /** The same as `drop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A running server, and the database and user that it has from the start. It stops when this process ends, even
 * without `stop()`, and does not keep the process alive.
 */
export class RdsLocal extends Login {
  private constructor()
  /**
   * Starts a server, and resolves when it accepts logins.
   *
   * The program is that of `RDSIGN_BIN`, else `rdsign` in `PATH`.
   *
   * @throws {RdsLocalError} `no-program` without the program, `no-postgres` without a PostgreSQL, `needs-linux`,
   * or `other`
   * @throws {TypeError} if an option is unknown
   */
  static start(options?: RdsLocalOptions): Promise<RdsLocal>
  /** The user with the rights of RDS's master user, and the password. */
  readonly administrator: { username: string; password: string }
  /**
   * Creates a database as a copy of a template, a user for it, and an access key that may log in as that user
   * only.
   *
   * @throws {RdsLocalError} if there is a database of that name, or if the template is in use
   */
  createDatabase(options?: CreateDatabaseOptions): Promise<RdsDatabase>
  /**
   * Resolves to the refused logins of all users, the oldest first.
   *
   * @param since the number of a login, to get only later ones. Default: 0, which is all
   */
  refusals(since?: number): Promise<Refusal[]>
  /** Stops the server. Resolves when its files are removed. */
  stop(): Promise<void>
  /** The same as `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** An error of RDS on this machine. */
export class RdsLocalError extends Error {
  /** Why the server did not start, or the SQLSTATE of an error of SQL. */
  readonly code?: string
}
