// A user's program, compiled with `tsc --strict`. Lines that must not compile say why.

import type { DsqlSignerConfig } from '@aws-sdk/dsql-signer'
import type { SignerConfig } from '@aws-sdk/rds-signer'
import type { AwsCredentialIdentityProvider } from '@aws-sdk/types'
import { Client, Pool } from 'pg'
import { type ErrorCode, pgOptions, RdsignError, Signer, type SignerOptions, Token, verifyFull } from 'rdsign'
import { RDS, Signer as SignerV2 } from 'rdsign/aws-sdk-v2.js'
import { DsqlSigner } from 'rdsign/dsql-signer.js'
import { pgOptions as pgOptionsOfPg } from 'rdsign/pg.js'
import { type RdsDatabase, RdsLocal, RdsLocalError } from 'rdsign/testing.js'
import { verifyFull as verifyFullOfTls } from 'rdsign/tls.js'

declare const provider: AwsCredentialIdentityProvider
declare const config: SignerConfig
declare const dsql: DsqlSignerConfig
const options: SignerOptions = {
  hostname: 'h',
  port: 5432,
  username: 'u',
  credentials: provider,
  expiresIn: 60
}
const signer = new Signer(options)
new Signer(config)
new Signer({ ...options, port: '5432' })
new Signer({
  ...options,
  credentials: { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c', expiration: new Date() }
})

export async function all(): Promise<void> {
  const token: Token = await signer.token({ signingTime: new Date() })
  const expiresAt: Date = signer.tokenSync().expiresAt
  const text: string = await signer.password()
  const same: string = await signer.getAuthToken()
  const { ca }: { ca: string | string[] } = verifyFull(signer)
  new Pool(pgOptions(signer, { database: 'app', max: 5, dial: { host: '127.0.0.1' }, ssl: { ca } }))
  new Client(pgOptions(signer))
  new Client(pgOptions(signer, { ssl: true, host: signer.hostname, password: undefined }))
  new Client(pgOptionsOfPg(signer, { ssl: { ca: verifyFullOfTls(signer).ca } }))
  const v2: string = new RDS.Signer({ hostname: 'h' }).getAuthToken({ port: 5432 })
  new SignerV2().getAuthToken({}, (error: Error | null, value: string) => [error, value])
  const admin: string = await new DsqlSigner(dsql).getDbConnectAdminAuthToken()
  const service: 'rds' | 'dsql' = new Signer({ ...options, service: 'dsql' }).service
  console.log(token.value, expiresAt, text, same, v2, admin, service, signer.defaultDatabase)
}

export async function tests(): Promise<void> {
  const server: RdsLocal = await RdsLocal.start({ endpoints: ['h'], version: 16 })
  const rds: RdsDatabase = await server.createDatabase({ template: 'template1' })
  new Pool(rds.pgOptions({ max: 5 }))
  new Client({ ...rds.pgOptions(), password: await rds.signer({ expiresIn: 60 }).password() })
  const later: Date = await rds.clock.advance({ minutes: 16 })
  await rds.policy.deny()
  await rds.keys.expire()
  const ids: string[] = (await rds.refusals()).map(({ id }) => id)
  const rows: Record<string, string | null>[] = await rds.sql('select 1')
  console.log(later, ids, rows, rds.env.PGHOST, new Signer({ ...options, credentials: rds.credentials }))
  await rds.drop()
  await server.stop()
}

export function codeOf(error: unknown): ErrorCode | undefined {
  if (error instanceof RdsLocalError) console.log(error.code?.length)
  return error instanceof RdsignError ? error.code : undefined
}

// @ts-expect-error a username is required
new Signer({ hostname: 'h' })
// @ts-expect-error the token does not name a user
new DsqlSigner({ hostname: 'h', username: 'u' })
// @ts-expect-error a port is a number or text
new Signer({ ...options, port: true })
// @ts-expect-error the name is hostname
new Signer({ host: 'h', username: 'u' })
// @ts-expect-error a signing time is a Date
signer.tokenSync({ signingTime: 0 })
// @ts-expect-error only a Signer makes a Token
new Token()
// @ts-expect-error pg would drop the password
pgOptions(signer, { connectionString: 'postgres://' })
// @ts-expect-error the option is endpoints
RdsLocal.start({ endpoint: 'h' })
// @ts-expect-error only RdsLocal.start makes one
new RdsLocal()
// @ts-expect-error this code does not exist
export const none: ErrorCode = 'NONE'
