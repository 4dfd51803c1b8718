import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import type { Signer } from './index.js'

/** The options of pgOptions, in addition to pg's own. */
export interface RdsignPgOptions {
  /**
   * The address to connect to, if it is not the endpoint: a tunnel, or an alias. The token and the
   * TLS check still use the endpoint. Default of `port`: the endpoint's. `null` and `undefined`: none.
   */
  dial?: { host: string; port?: number | string } | null
  /** More TLS options, such as `ca`: authorities to trust instead of those of RDS. `true`: none. */
  ssl?: true | (ConnectionOptions & { servername?: never; checkServerIdentity?: never })
  /** Rejected: pg would use its password, or no password, instead of a token. */
  connectionString?: never
  /** Rejected unless it is the signer's. */
  host?: string
  /** Rejected unless it is the signer's. */
  port?: number | string
  /** Rejected unless it is the signer's. */
  user?: string
  /** Rejected: set by the signer. */
  password?: never
}

/** The options that pgOptions sets. */
export interface PgOptions {
  host: string
  port: number
  user: string
  /** Gives a token only to a Client of pg that is connected to the endpoint over verified TLS. */
  password: () => Promise<string>
  ssl: ConnectionOptions
  stream?: () => Duplex
}

/**
 * Returns options for a pg Client or Pool, or knex's `connection`. Each connection logs in with a new
 * token, over TLS, and only to a server whose certificate is the endpoint's. That holds even if the
 * program replaces some of the options later, such as `host` or `ssl`.
 *
 * @example
 * const pool = new pg.Pool(pgOptions(signer, { database: 'app', max: 5 }))
 *
 * @throws {TypeError} if `signer` is not a Signer, or if an option or variable would make pg ignore the
 * password function (`connectionString`, `NODE_PG_FORCE_NATIVE`), is not the signer's (`host`, `port`,
 * `user`, `password`), or turns off verification (`ssl`). A value of `undefined` is not given.
 */
export function pgOptions<T extends object>(
  signer: Signer,
  options?: T & RdsignPgOptions
): Omit<T, keyof PgOptions | 'dial'> & PgOptions
