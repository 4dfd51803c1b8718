// Programs written for the AWS SDKs work after changing one line.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DsqlSigner as DsqlSignerV3 } from '@aws-sdk/dsql-signer'
import { pgOptions, Signer } from 'rdsign'
import AWS, { Signer as SignerV2 } from 'rdsign/aws-sdk-v2.js'
import { DsqlSigner } from 'rdsign/dsql-signer.js'
import { endpoint, keys } from './support.mjs'

const region = 'eu-central-1'
const keyId = (value) => new URL(`https://${value}`).searchParams.get('X-Amz-Credential').split('/')[0]
const called = (signer, ...args) =>
  new Promise((resolve, reject) =>
    signer.getAuthToken(...args, (error, value) => (error ? reject(error) : resolve(value)))
  )

/** A stand-in for aws-sdk's AWS.Credentials: `get` fetches. */
class CredentialsV2 {
  expireTime = null
  constructor(fetched) {
    this.fetched = fetched
  }
  get(callback) {
    setImmediate(() =>
      callback(this.fetched instanceof Error ? this.fetched : void Object.assign(this, this.fetched))
    )
  }
}

test('@aws-sdk/rds-signer: getAuthToken() works with credentials and with a provider', async () => {
  for (const credentials of [keys, async () => keys]) {
    const signer = new Signer({ region, ...endpoint, credentials })
    assert.equal(keyId(await signer.getAuthToken()), keys.accessKeyId)
  }
})

test('@aws-sdk/rds-signer: the seven options of its SignerConfig are known, and others are refused', async () => {
  const types = readFileSync(
    new URL('node_modules/@aws-sdk/rds-signer/dist-types/Signer.d.ts', import.meta.url),
    'utf8'
  )
  const [, config] = /interface SignerConfig \{(.*?)^\}/ms.exec(types)
  const names = [...config.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name)
  assert.equal(names.length, 7)
  const values = { region, ...endpoint, credentials: keys, sha256: class {}, profile: undefined }
  for (const name of names) assert(Object.hasOwn(values, name), name)
  const { username, ...rest } = values
  assert.equal(keyId(await new Signer(values).getAuthToken()), keys.accessKeyId)
  assert(new Signer({ ...values, sha256: undefined }))
  assert(new Signer({ username, hostname: rest.hostname, profile: 'dev' }))
  assert.throws(() => new Signer({ ...values, runtime: 'node' }), {
    name: 'TypeError',
    message: /^runtime: /
  })
})

test('@aws-sdk/rds-signer: with credentials, a profile is only for the region', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rdsign-profile-'))
  const before = process.env.AWS_CONFIG_FILE
  process.env.AWS_CONFIG_FILE = join(folder, 'config')
  try {
    writeFileSync(
      process.env.AWS_CONFIG_FILE,
      '[default]\nregion = us-east-1\n[profile dev]\nregion = eu-west-2\naws_access_key_id = other\naws_secret_access_key = other\n[profile bare]\n'
    )
    const alias = { hostname: 'mydb.example', port: 5432, username: 'iam_user' }
    for (const credentials of [keys, async () => keys]) {
      const signer = new Signer({ ...alias, credentials, profile: 'dev' })
      const value = await signer.getAuthToken()
      assert.deepEqual([signer.region, keyId(value)], ['eu-west-2', keys.accessKeyId])
      assert.equal(new Signer({ ...endpoint, credentials, profile: 'dev' }).region, region)
      assert.equal(new Signer({ ...alias, region, credentials, profile: 'missing' }).region, region)
      for (const profile of ['bare', 'missing'])
        assert.throws(() => new Signer({ ...alias, credentials, profile }), { code: 'REGION_REQUIRED' })
    }
    assert.throws(() => new Signer({ ...alias, ...keys, profile: 'dev' }), { code: 'INVALID_CREDENTIALS' })
    assert.throws(() => new Signer({ ...alias, credentials: keys, ...keys, profile: 'dev' }), {
      code: 'INVALID_CREDENTIALS'
    })
  } finally {
    if (before === undefined) delete process.env.AWS_CONFIG_FILE
    else process.env.AWS_CONFIG_FILE = before
    rmSync(folder, { recursive: true })
  }
})

const cluster = { hostname: '4abcdefghijklmnopqrstuvwxy.dsql.us-east-1.on.aws', region: 'us-east-1' }
/** The parameters of a token that do not depend on the time, in one order. */
const lasting = (value) => {
  const [host, query] = value.split('?')
  return [
    host,
    ...query
      .split('&')
      .filter((part) => !/^X-Amz-(Date|Signature)=/.test(part))
      .sort()
  ]
}

test('@aws-sdk/dsql-signer: both methods return the tokens of the SDK', async () => {
  for (const more of [{}, { expiresIn: 604800 }]) {
    for (const credentials of [keys, async () => ({ ...keys, sessionToken: 'a/token+=' })]) {
      const options = { ...cluster, ...more, credentials }
      const [ours, theirs] = [new DsqlSigner(options), new DsqlSignerV3(options)]
      for (const method of ['getDbConnectAuthToken', 'getDbConnectAdminAuthToken']) {
        assert.deepEqual(lasting(await ours[method]()), lasting(await theirs[method]()), method)
      }
    }
  }
  const { hostname } = cluster
  const signer = new DsqlSigner({ hostname, credentials: keys })
  assert.match(await signer.getDbConnectAuthToken(), /\/\?Action=DbConnect&/)
  assert.match(await signer.getDbConnectAdminAuthToken(), /\/\?Action=DbConnectAdmin&/)
})

test('@aws-sdk/dsql-signer: the six options of its DsqlSignerConfig are known, and others are refused', () => {
  const types = readFileSync(
    new URL('node_modules/@aws-sdk/dsql-signer/dist-types/Signer.d.ts', import.meta.url),
    'utf8'
  )
  const [, config] = /interface DsqlSignerConfig \{(.*?)^\}/ms.exec(types)
  const names = [...config.matchAll(/^ {4}(\w+)\??:/gm)].map(([, name]) => name)
  const values = { ...cluster, credentials: keys, sha256: class {}, expiresIn: 60, profile: undefined }
  assert.deepEqual(names.sort(), Object.keys(values).sort())
  assert(new DsqlSigner(values))
  for (const [options, message] of [
    [{ ...values, username: 'admin' }, /^username: /],
    [undefined, /^options: /],
    [null, /^options: /]
  ]) {
    assert.throws(() => new DsqlSigner(options), { name: 'TypeError', message })
  }
  assert.throws(() => new DsqlSigner({ ...endpoint, credentials: keys, port: undefined }), TypeError)
  const { hostname } = endpoint
  assert.throws(() => new DsqlSigner({ hostname, credentials: keys }), { code: 'SERVICE_MISMATCH' })
  assert.throws(() => new DsqlSigner({ ...cluster, expiresIn: 604801 }), { code: 'INVALID_EXPIRES_IN' })
})

test('a Signer for DSQL says so, and its pgOptions log in to the database postgres', () => {
  const before = process.env.PGDATABASE
  delete process.env.PGDATABASE
  try {
    const signer = new Signer({ ...cluster, username: 'app', credentials: keys })
    assert.deepEqual([signer.service, signer.defaultDatabase, signer.port], ['dsql', 'postgres', 5432])
    const options = pgOptions(signer)
    assert.equal(options.database, 'postgres')
    assert.equal(options.ssl.servername, cluster.hostname)
    assert.equal(pgOptions(signer, { database: 'other' }).database, 'other')
    const subjects = options.ssl.ca.map((pem) => new X509Certificate(pem).subject)
    for (const number of [1, 2, 3, 4]) {
      assert(
        subjects.some((subject) => subject.includes(`CN=Amazon Root CA ${number}`)),
        String(number)
      )
    }
    const rds = new Signer({ ...endpoint, region, credentials: keys })
    assert.deepEqual([rds.service, rds.defaultDatabase], ['rds', undefined])
    assert.equal(pgOptions(rds).database, undefined)
    process.env.PGDATABASE = 'of_the_environment'
    assert.equal(pgOptions(signer).database, undefined)
  } finally {
    if (before === undefined) delete process.env.PGDATABASE
    else process.env.PGDATABASE = before
  }
})

test('getAuthToken() of both SDKs needs a port, and accepts it as text', async () => {
  const { port, ...without } = { region, ...endpoint, credentials: keys }
  const refusal = { name: 'TypeError', message: /^port: is undefined; accepted: / }
  const signer = new Signer(without)
  await assert.rejects(signer.getAuthToken(), refusal)
  // The default belongs to rdsign's own methods.
  assert.match(await signer.password(), /:5432\/\?/)
  assert.match((await signer.token()).value, /:5432\/\?/)
  const v2 = new SignerV2(without)
  assert.throws(() => v2.getAuthToken(), refusal)
  await assert.rejects(called(v2), refusal)
  for (const text of [String(port), '3306']) {
    const start = `${endpoint.hostname}:${text}/?`
    assert((await new Signer({ ...without, port: text }).getAuthToken()).startsWith(start))
    assert(v2.getAuthToken({ port: text }).startsWith(start))
    assert((await called(v2, { port: text })).startsWith(start))
  }
})

test("aws-sdk v2: a call returns a token, and its options override the constructor's", () => {
  const signer = new AWS.RDS.Signer({
    region,
    ...endpoint,
    credentials: { ...keys, sessionToken: undefined, expireTime: null }
  })
  assert.match(signer.getAuthToken(), /DBUser=iam_user&/)
  assert.match(signer.getAuthToken({ username: 'other' }), /DBUser=other&/)
  assert.equal(AWS.RDS.Signer, SignerV2)
  assert.equal(
    keyId(new SignerV2().getAuthToken({ region, ...endpoint, credentials: keys })),
    keys.accessKeyId
  )
})

test('aws-sdk v2: a callback gets a token, with credentials that are fetched', async () => {
  const signer = new SignerV2({ region, ...endpoint, credentials: new CredentialsV2(keys) })
  assert.throws(() => signer.getAuthToken(), TypeError)
  assert.equal(keyId(await called(signer)), keys.accessKeyId)
  assert.match(await called(signer, { username: 'other' }), /DBUser=other&/)
  assert.equal(
    signer.getAuthToken(() => {}),
    undefined
  )
})

test('aws-sdk v2: errors are passed to the callback, or thrown without one', async () => {
  const signer = new SignerV2({ region, ...endpoint, hostname: '', credentials: keys })
  assert.throws(() => signer.getAuthToken(), { code: 'INVALID_HOSTNAME' })
  await assert.rejects(called(signer), { code: 'INVALID_HOSTNAME' })
  const failing = new SignerV2({ region, ...endpoint, credentials: new CredentialsV2(new Error('denied')) })
  await assert.rejects(called(failing), { code: 'CREDENTIALS_FAILED', message: /denied/ })
})
