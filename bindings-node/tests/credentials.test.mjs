// Sources of credentials, and waiting for them.
import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { fromContainerMetadata, fromNodeProviderChain } from '@aws-sdk/credential-providers'
import { RdsignError, Signer } from 'rdsign'
import { credentialsTimeout, endpoint, here, keys, output, PATIENCE, startAws, until } from './support.mjs'

const aws = await startAws(after)
const ROLE = 'arn:aws:iam::123456789012:role/app'

/** The variables that a test has set; they are removed after it. */
const set = {}
function env(variables) {
  Object.assign(set, variables)
  Object.assign(process.env, variables)
}
afterEach(async () => {
  for (const name of Object.keys(set)) delete process.env[name]
  for (const route of ['container', 'sts'])
    await aws.set(route, { requests: [], handed_out: [], lifetime: 3600 })
})

const make = (options) => new Signer({ ...endpoint, credentialsTimeout, ...options })
const inAnHour = () => new Date(Date.now() + 3600_000)
const keyId = (token) => new URL(`https://${token.value}`).searchParams.get('X-Amz-Credential').split('/')[0]
const failure = (code, message) => (error) => {
  assert(error instanceof RdsignError)
  assert.equal(error.code, code)
  assert.match(error.message, message)
  return true
}
/** Uses libuv's pool, which has four threads: reads a file and resolves a name. */
const usesThePool = async () => (await readFile(join(here, 'package.json')), await lookup('localhost'))

test('a failure shows no secret', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rdsign-'))
  const [jwt, password] = ['eyJhbGciOi.a-marked/JWT+.sig', 'a-marked%2Fpassword']
  await writeFile(join(folder, 'jwt'), jwt)
  const identity = { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'jwt'), AWS_ROLE_ARN: ROLE }
  const variables = { ...identity, AWS_MAX_ATTEMPTS: '1', AWS_REGION: 'eu-west-1', RUST_LOG: 'trace' }
  const program = `const { Signer } = require('rdsign')
    const { inspect } = require('node:util')
    const failed = require('node:diagnostics_channel').channel('rdsign:credentials:fetch-failed')
    let event
    failed.subscribe((message) => (event = message))
    new Signer(${JSON.stringify({ ...endpoint, credentialsTimeout })}).token()
      .catch((error) => console.log(error.code, inspect(error), event.message, inspect(event, { depth: 9 })))`
  for (const failing of [
    { HTTPS_PROXY: `http://user:${password}@127.0.0.1:1` },
    { HTTPS_PROXY: `socks5://user:${password}@127.0.0.1:1` },
    { AWS_ENDPOINT_URL_STS: 'sts.example:8443' },
    { AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' }
  ]) {
    const options = { env: { ...variables, ...failing } }
    const said = await output(['--input-type=commonjs', '-e', program], options)
    assert.match(said, /^CREDENTIALS_FAILED .*credentials: /)
    assert.match(said, /credentials not fetched: CREDENTIALS_FAILED: /)
    assert.doesNotMatch(said, /a-marked/)
  }
  await rm(folder, { recursive: true })
})

test('credentials as an object sign at once, and the token expires with them', async () => {
  const expiration = new Date(Math.floor(Date.now() / 1000) * 1000 + PATIENCE)
  const signer = make({ credentials: { ...keys, sessionToken: 'a/token', expiration } })
  assert.deepEqual(signer.tokenSync().expiresAt, expiration)
  assert.match((await signer.token()).value, /&X-Amz-Security-Token=a%2Ftoken&/)
  const expired = make({ credentials: { ...keys, expiration: new Date(Date.now() - 1000) } })
  assert.throws(() => expired.tokenSync(), failure('CREDENTIALS_EXPIRED', /AKIDEXAMPLE expired/))
  await assert.rejects(expired.token(), failure('CREDENTIALS_EXPIRED', /AKIDEXAMPLE expired/))
  for (const missing of [null, undefined]) {
    assert.equal(
      keyId(make({ credentials: { ...keys, sessionToken: missing, expiration: missing } }).tokenSync()),
      keys.accessKeyId
    )
  }
})

test('concurrent calls share one call of the provider, and its credentials are cached', async () => {
  let asked = 0
  const expiration = inAnHour()
  const signer = make({ credentials: async () => (asked++, await usesThePool(), { ...keys, expiration }) })
  const tokens = await Promise.all(Array.from({ length: 100 }, () => signer.token()))
  for (const token of tokens) assert.equal(keyId(token), keys.accessKeyId)
  await signer.token()
  assert.equal(keyId(signer.tokenSync()), keys.accessKeyId)
  assert.equal(asked, 1)
})

test('a provider whose credentials expire soon is asked to refresh them once', async () => {
  const signingTime = new Date('2024-08-26T22:00:00Z')
  const inMinutes = (minutes) => new Date(signingTime.getTime() + minutes * 60_000)
  const calls = []
  const signedBy = async (answers, options = {}) => {
    calls.length = 0
    const provider = async (options) => {
      const answer = answers[calls.push(options) - 1]
      if (answer instanceof Error) throw answer
      return { ...keys, accessKeyId: `KEY${answer}`, expiration: inMinutes(answer) }
    }
    return keyId(await make({ credentials: provider, ...options }).token({ signingTime }))
  }
  assert.equal(await signedBy([10, 60]), 'KEY60')
  assert.deepEqual(calls, [undefined, { forceRefresh: true }])
  assert.equal(await signedBy([10, 5]), 'KEY10')
  assert.equal(await signedBy([10, new Error('no')]), 'KEY10')
  assert.equal(await signedBy([15]), 'KEY15')
  assert.deepEqual(calls, [undefined])
  assert.equal(await signedBy([2], { expiresIn: 60 }), 'KEY2')
  assert.deepEqual(calls, [undefined])
})

test('a refresh that hangs does not lose the credentials that are there', async () => {
  const expiration = new Date(Date.now() + 600_000)
  const provider = (options) => (options ? new Promise(() => {}) : { ...keys, expiration })
  const signer = make({ credentials: provider, credentialsTimeout: 50 })
  assert.equal(keyId(await signer.token()), keys.accessKeyId)
})

test('no token is returned after its own expiry', async () => {
  const noon = Date.UTC(2026, 0, 2, 12)
  for (const milliseconds of [0, 1, 500, 999]) {
    const expiration = new Date(noon + milliseconds)
    for (const credentials of [{ ...keys, expiration }, () => ({ ...keys, expiration })]) {
      const signer = make({ credentials })
      const { expiresAt } = await signer.token({ signingTime: new Date(noon - 1000) })
      assert.deepEqual(expiresAt, expiration)
      for (const time of [noon, expiration])
        await assert.rejects(signer.token({ signingTime: new Date(time) }), {
          code: 'CREDENTIALS_EXPIRED'
        })
    }
  }
})

test('a provider is called again when its credentials have expired', async () => {
  const start = new Date('2024-08-26T22:00:00Z')
  const expiries = [1, 2].map((hours) => new Date(start.getTime() + hours * 3600_000))
  let asked = 0
  const signer = make({
    credentials: () => ({ ...keys, accessKeyId: `KEY${asked}`, expiration: expiries[asked++] })
  })
  assert.equal(keyId(await signer.token({ signingTime: start })), 'KEY0')
  const later = { signingTime: expiries[0] }
  assert.throws(() => signer.tokenSync(later), failure('CREDENTIALS_FAILED', /tokenSync\(\) cannot wait/))
  assert.equal(keyId(await signer.token(later)), 'KEY1')
  assert.equal(asked, 2)
})

test('expired credentials of a provider are rejected', async () => {
  const signer = make({ credentials: async () => ({ ...keys, expiration: new Date(0) }) })
  await assert.rejects(signer.token(), failure('CREDENTIALS_EXPIRED', /provider/))
})

test('tokenSync() does not wait for a provider, and the error says so', async () => {
  let provide
  const signer = make({ credentials: () => new Promise((resolve) => (provide = resolve)) })
  const cannot = failure('CREDENTIALS_FAILED', /tokenSync\(\) cannot wait for it; accepted: await token\(\)/)
  assert.throws(() => signer.tokenSync(), cannot)
  const waiting = signer.token()
  await until(() => provide, 'the call of the provider')
  assert.throws(() => signer.tokenSync(), cannot)
  provide(keys)
  assert.equal(keyId(await waiting), keys.accessKeyId)
  assert.equal(keyId(signer.tokenSync()), keys.accessKeyId)
})

test("a provider's failure is quoted, and the next call calls it again", async () => {
  const secret = 'a secret in a wrong place'
  const answers = [
    [
      () => {
        throw new Error('no network')
      },
      /failed: no network$/
    ],
    [() => Promise.reject(new Error('denied')), /failed: denied$/],
    [() => Promise.reject(secret), /failed: it threw a string$/],
    [() => undefined, /failed: credentials: is undefined/],
    [() => secret, /failed: credentials: is a string/],
    [() => ({ accessKeyId: 'a' }), /failed: credentials\.secretAccessKey: is undefined/],
    [() => ({ ...keys, expiration: secret }), /failed: credentials\.expiration: is a string/]
  ]
  const all = answers.map(([, message]) => message)
  const signer = make({ credentials: () => (answers.length ? answers.shift()[0]() : keys) })
  for (const message of all) {
    await assert.rejects(
      signer.token(),
      (error) => failure('CREDENTIALS_FAILED', message)(error) && !error.stack.includes(secret)
    )
  }
  assert.equal(keyId(await signer.token()), keys.accessKeyId)
})

test('invalid credentials of a provider give INVALID_CREDENTIALS', async () => {
  const signer = make({ credentials: async () => ({ accessKeyId: '', secretAccessKey: 'x' }) })
  await assert.rejects(signer.token(), failure('INVALID_CREDENTIALS', /^access key id: is empty/))
})

test('the credentials timeout ends a wait for a provider', async () => {
  let asked = 0
  const signer = make({ credentials: () => (asked++ ? keys : new Promise(() => {})), credentialsTimeout: 50 })
  await assert.rejects(signer.token(), failure('CREDENTIALS_TIMEOUT', /no answer within 0\.05 s/))
  assert.equal(keyId(await signer.token()), keys.accessKeyId)
})

test('a provider works with a signing time', async () => {
  const signer = make({ credentials: async () => keys })
  const token = await signer.token({ signingTime: new Date(0) })
  assert.match(token.value, /X-Amz-Date=19700101T000000Z/)
})

test('providers of the AWS SDK for JavaScript v3 work', async () => {
  env(aws.container)
  for (const provider of [fromContainerMetadata(), fromNodeProviderChain()]) {
    const token = await make({ credentials: provider }).token()
    const { keys: handedOut } = await aws.look('container')
    assert.equal(keyId(token), handedOut.at(-1).access_key_id)
  }
})

test('the default chain finds keys in the environment without a request', async () => {
  env({ AWS_ACCESS_KEY_ID: 'AKIDENVIRONMENT', AWS_SECRET_ACCESS_KEY: 'secret', ...aws.container })
  const signer = make({})
  assert.equal(keyId(signer.tokenSync()), 'AKIDENVIRONMENT')
  assert.equal(keyId(await signer.token()), 'AKIDENVIRONMENT')
  assert.deepEqual((await aws.look('container')).requests, [])
})

test('the error of a search that finds nothing names the sources', async () => {
  await assert.rejects(
    make({}).token(),
    failure('CREDENTIALS_NOT_FOUND', /environment: .* profile: .* instance metadata: /)
  )
})

test('the event loop runs during a fetch, which all waiting calls share', async () => {
  env(aws.container)
  await aws.set('container', { hold: true })
  const signer = make({})
  let settled = false
  const waiting = Promise.all(Array.from({ length: 50 }, () => signer.token())).finally(
    () => (settled = true)
  )
  await until(async () => (await aws.look('container')).requests.length, 'the request')
  assert.equal(settled, false)
  await aws.set('container', {})
  const [first, ...others] = await waiting
  const { requests, keys: handedOut } = await aws.look('container')
  assert.equal(requests.length, 1)
  for (const token of [first, ...others, signer.tokenSync()])
    assert.equal(keyId(token), handedOut[0].access_key_id)
  assert.equal(first.expiresAt <= new Date(handedOut[0].expires_at), true)
})

test("waiting signers do not block libuv's pool", async () => {
  env(aws.container)
  await aws.set('container', { hold: true })
  const waiting = Array.from({ length: 12 }, () => make({}).token())
  await until(async () => (await aws.look('container')).requests.length === 12, 'twelve requests')
  await usesThePool()
  const other = make({ credentials: async () => (await usesThePool(), keys) })
  assert.equal(keyId(await other.token()), keys.accessKeyId)
  await aws.set('container', {})
  assert.equal((await Promise.all(waiting)).length, 12)
})

test('the credentials timeout ends a wait for a source', async () => {
  env(aws.container)
  await aws.set('container', { hold: true })
  await assert.rejects(make({ credentialsTimeout: 200 }).token(), failure('CREDENTIALS_TIMEOUT', /0\.2 s/))
  assert.throws(() => make({ credentialsTimeout: 100 }).tokenSync(), failure('CREDENTIALS_TIMEOUT', /0\.1 s/))
})

test('tokenSync() fetches from the default chain', async () => {
  // In another process, so that the wait does not block this one.
  const script = `const { Signer } = require('rdsign'); console.log(new Signer(${JSON.stringify({ ...endpoint, credentialsTimeout })}).tokenSync().value)`
  const value = (await output(['-e', script], { env: aws.container })).trim()
  const { keys: handedOut } = await aws.look('container')
  assert(handedOut.some((one) => one.access_key_id === keyId({ value })))
})

test("a role is assumed with keys, and with a provider's credentials", async () => {
  env({ AWS_ENDPOINT_URL_STS: aws.url })
  const role = { roleArn: ROLE, externalId: 'an id', roleSessionName: 'a-session' }
  for (const source of [keys, { credentials: keys }, { credentials: async () => keys }]) {
    await aws.set('sts', { requests: [], handed_out: [] })
    const signer = make({ ...source, ...role })
    const tokens = await Promise.all([signer.token(), signer.token()])
    const { requests, keys: handedOut } = await aws.look('sts')
    assert.equal(requests.length, 1)
    const form = new URLSearchParams(requests[0].body)
    assert.deepEqual(
      [form.get('RoleArn'), form.get('ExternalId'), form.get('RoleSessionName')],
      Object.values(role)
    )
    assert.match(requests[0].headers.authorization, /Credential=AKIDEXAMPLE\//)
    for (const token of [...tokens, signer.tokenSync()])
      assert.equal(keyId(token), handedOut[0].access_key_id)
  }
})

test('a refused role gives the reason of STS', async () => {
  env({ AWS_ENDPOINT_URL_STS: aws.url })
  await aws.set('sts', {
    status: 403,
    body: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>'
  })
  const signer = make({ ...keys, roleArn: ROLE })
  await assert.rejects(signer.token(), failure('CREDENTIALS_FAILED', /not you/))
  await aws.set('sts', {})
  assert.equal(keyId(await signer.token()), (await aws.look('sts')).keys[0].access_key_id)
})

test('a profile is read from the files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rdsign-node-'))
  const { AWS_CONFIG_FILE } = process.env
  try {
    await writeFile(
      join(folder, 'config'),
      '[profile work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = secret\n'
    )
    process.env.AWS_CONFIG_FILE = join(folder, 'config')
    assert.equal(keyId(await make({ profile: 'work' }).token()), 'AKIDWORK')
    await assert.rejects(make({ profile: 'play' }).token(), failure('CREDENTIALS_FAILED', /play/))
  } finally {
    process.env.AWS_CONFIG_FILE = AWS_CONFIG_FILE
    await rm(folder, { recursive: true })
  }
})
