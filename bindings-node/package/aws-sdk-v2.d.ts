import type { Credentials, CredentialsProvider } from './index.js'

/** Credentials of the AWS SDK for JavaScript v2 (its `AWS.Credentials`). */
export interface CredentialsV2 {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | null
  expireTime?: Date | null
  /** Fetches or refreshes the keys. Called only if `getAuthToken` has a callback. */
  // biome-ignore lint/suspicious/noExplicitAny: the type of AWS.Credentials.get
  get?(callback: (error?: any) => void): void
}

/** The options of v2's RDS.Signer. All but `credentials` and `region` are required, here or in a call. */
export interface SignerOptionsV2 {
  credentials?: CredentialsV2 | Credentials | CredentialsProvider | null
  hostname?: string
  /** As a number, or as text. */
  port?: number | string
  region?: string
  username?: string
}

/** `RDS.Signer` of the AWS SDK for JavaScript v2. Errors are those of `Signer` in `rdsign`. */
export class Signer {
  constructor(options?: SignerOptionsV2)
  options: SignerOptionsV2
  /**
   * Returns the text of a token. The options override the constructor's. If `credentials` is a
   * function, use a callback: this form cannot wait for it.
   */
  getAuthToken(options?: SignerOptionsV2): string
  /** Passes the text of a token, or an error, to a callback. */
  getAuthToken(callback: (error: Error | null, token: string) => void): void
  /** The same. The options override the constructor's. */
  getAuthToken(options: SignerOptionsV2, callback: (error: Error | null, token: string) => void): void
}

/** `AWS.RDS` of v2, only with its Signer. */
export const RDS: { Signer: typeof Signer }
