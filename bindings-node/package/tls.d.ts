import type { PeerCertificate } from 'node:tls'
import type { Signer } from './index.js'

/** Options of `tls.connect()`. Drivers accept them as `ssl`. */
export interface VerifyFull {
  ca: string | string[]
  rejectUnauthorized: true
  servername?: string
  /** Compares the certificate with the endpoint, even if a driver replaces `servername`. */
  checkServerIdentity: (hostname: string, certificate: PeerCertificate) => Error | undefined
}

/**
 * Returns TLS options that accept only the signer's endpoint, like libpq's `verify-full`: the
 * certificate must match the endpoint's host name.
 *
 * @param options `ca`: the authorities to trust, in PEM. Default: those of RDS in the signer's
 * region, and those of RDS Proxy.
 * @throws {TypeError} if `signer` is not a Signer
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export function verifyFull(signer: Signer, options?: { ca?: string | string[] }): VerifyFull
