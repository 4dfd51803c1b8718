import type { SignerOptions } from './index.js'

/** The options of `DsqlSigner` of `@aws-sdk/dsql-signer`. Only `hostname` is required. */
export type DsqlSignerConfig = Pick<
  SignerOptions,
  'credentials' | 'hostname' | 'region' | 'sha256' | 'expiresIn' | 'profile'
>

/**
 * `DsqlSigner` of `@aws-sdk/dsql-signer`. Errors are those of `Signer` in `rdsign`. New code should use that
 * `Signer`: it takes the database role as its `username`.
 */
export class DsqlSigner {
  constructor(options: DsqlSignerConfig)
  /** Resolves to a token for every database role but `admin`. */
  getDbConnectAuthToken(): Promise<string>
  /** Resolves to a token for the database role `admin`. */
  getDbConnectAdminAuthToken(): Promise<string>
}
