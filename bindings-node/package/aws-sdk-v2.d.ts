import type { Credentials, CredentialsProvider } from './index.js'

/** Credentials of the AWS SDK for JavaScript v2 (its `AWS.Credentials`). */
export interface CredentialsV2 {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | null
  expireTime?: Date | null
  /** Fetches or refreshes them; called where `getAuthToken` has a callback. */
  // biome-ignore lint/suspicious/noExplicitAny: the type of AWS.Credentials.get
  get?(callback: (error?: any) => void): void
}

/** The options of v2's RDS.Signer. */
export interface SignerOptionsV2 {
  credentials?: CredentialsV2 | Credentials | CredentialsProvider | null
  hostname?: string
  port?: number
  region?: string
  username?: string
}

/** `RDS.Signer` of the AWS SDK for JavaScript v2. */
export class Signer {
  constructor(options?: SignerOptionsV2)
  options: SignerOptionsV2
  /** A token at once, with the options merged over the constructor's. */
  getAuthToken(options?: SignerOptionsV2): string
  /** A token for a callback. */
  getAuthToken(callback: (error: Error | null, token: string) => void): void
  /** The same, with the options merged over the constructor's. */
  getAuthToken(options: SignerOptionsV2, callback: (error: Error | null, token: string) => void): void
}

/** `AWS.RDS` of v2, with its Signer and nothing else. */
export const RDS: { Signer: typeof Signer }
