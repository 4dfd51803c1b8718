// Arguments: which values are accepted, and the errors for the others.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { RdsignError, Signer, Token } from 'rdsign'
import { endpoint, keys, repository } from './support.mjs'

const make = (options) => () => new Signer({ ...endpoint, ...keys, ...options })
const signer = make({})()

/** Checks that core rejects options with a code, in a message that starts with the field's name. */
function refused(options, code, field) {
  assert.throws(make(options), (error) => {
    assert(error instanceof RdsignError && error instanceof Error)
    assert.deepEqual([error.name, error.code], ['RdsignError', code])
    assert(error.message.startsWith(`${field}: `), error.message)
    return true
  })
}

/** Checks that a call throws a TypeError that starts with the field's name. */
function mistyped(body, field) {
  assert.throws(body, (error) => {
    assert.equal(error.constructor, TypeError)
    assert(error.message.startsWith(`${field}: `), error.message)
    return true
  })
}

test('a missing field is named', () => {
  for (const [name, code] of [
    ['hostname', 'INVALID_HOSTNAME'],
    ['username', 'INVALID_USERNAME'],
    ['secretAccessKey', 'INVALID_CREDENTIALS']
  ]) {
    refused(
      { [name]: undefined },
      code,
      name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    )
  }
})

test('a number that is not an integer in range is rejected, and not truncated', () => {
  for (const port of [0, -0, -1, 65536, 5432.7, NaN, Infinity, -Infinity, 2 ** 32 + 5432, 1e300])
    refused({ port }, 'INVALID_PORT', 'port')
  for (const expiresIn of [0, -0, 901, 0.5, 900.0001, NaN, Infinity])
    refused({ expiresIn }, 'INVALID_EXPIRES_IN', 'expires in')
  for (const credentialsTimeout of [0, -0, -5])
    refused({ credentialsTimeout }, 'INVALID_CREDENTIALS', 'credentials timeout')
  assert.equal(make({ port: 65535, expiresIn: 1, credentialsTimeout: 0.5 })().port, 65535)
})

test('a port may be text, as a variable of the environment is', () => {
  assert.equal(make({ port: '3306' })().port, 3306)
  for (const port of ['', 'x', '5432.0', ' 5432', '0x10', '1e3', '0', '65536', '-1', '9'.repeat(30)])
    refused({ port }, 'INVALID_PORT', 'port')
  assert.throws(make({ port: 'fünf' }), { message: 'port: "fünf" is not a port; accepted: 1 to 65535' })
  refused({ port: 'x', hostname: '' }, 'INVALID_HOSTNAME', 'hostname')
})

test('a lone surrogate or NUL is rejected, and not replaced', () => {
  for (const username of ['a\ud800', '\udc00a', 'a\ud800b', 'nul\0', '\ufffd'])
    refused({ username }, 'INVALID_USERNAME', 'username')
  for (const hostname of ['my\ud800db', 'mydb\0.example'])
    refused({ hostname }, 'INVALID_HOSTNAME', 'hostname')
  for (const name of ['accessKeyId', 'secretAccessKey', 'sessionToken']) {
    const field = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    for (const value of ['a\ud800', 'a\0']) refused({ [name]: value }, 'INVALID_CREDENTIALS', field)
  }
  // A pair of surrogates is one character.
  assert.match(make({ username: '\u{1f600}' })().tokenSync().value, /DBUser=%F0%9F%98%80&/)
})

test('a value of the wrong type throws a TypeError that names the field', () => {
  const wrong = {
    string: [1, null, {}, [], true, Symbol('x'), 1n, () => {}, new String('x')],
    number: ['5432', '', null, {}, true, 1n, new Number(1)],
    'number or string': [null, {}, [], true, 1n, new Number(1), new String('1')],
    function: ['sha256', 1, null, {}, true]
  }
  const fields = {
    string: [
      'hostname',
      'username',
      'region',
      'accessKeyId',
      'secretAccessKey',
      'sessionToken',
      'profile',
      'roleArn',
      'externalId',
      'roleSessionName'
    ],
    number: ['expiresIn', 'credentialsTimeout'],
    'number or string': ['port'],
    function: ['sha256']
  }
  for (const [type, names] of Object.entries(fields)) {
    for (const name of names) for (const value of wrong[type]) mistyped(make({ [name]: value }), name)
  }
  for (const credentialsTimeout of [NaN, Infinity])
    mistyped(make({ credentialsTimeout }), 'credentialsTimeout')
  for (const options of [undefined, null, 'mydb', 5]) mistyped(() => new Signer(options), 'options')
  for (const options of [
    null,
    new Date(),
    'now',
    { signingTime: 0 },
    { signingTime: '2026' },
    { at: new Date() }
  ]) {
    const given = Object(options)
    const field = ['signingTime', 'at'].find((name) => Object.hasOwn(given, name)) ?? 'options'
    mistyped(() => signer.tokenSync(options), field)
  }
})

test('an unknown option throws a TypeError that lists the known ones', () => {
  for (const name of ['host', 'user', 'hostName', 'secretaccesskey', '__proto_', 'toString']) {
    mistyped(make({ [name]: 'x' }), name)
  }
  assert.throws(make({ host: 'x' }), /accepted: hostname, port, username, region,/)
})

test('credentials of another form throw a TypeError that does not show them', () => {
  const secret = 'a secret in a wrong place'
  const wrong = {
    credentials: [secret, 5, null, true, [], new Date()],
    'credentials.accessKeyId': [{}, { accessKeyId: 1 }],
    'credentials.secretAccessKey': [{ accessKeyId: 'a' }, { accessKeyId: 'a', secretAccessKey: [secret] }],
    'credentials.sessionToken': [{ accessKeyId: 'a', secretAccessKey: secret, sessionToken: 1 }],
    'credentials.expiration': ['soon', 5, new Date(NaN)].map((expiration) => ({
      accessKeyId: 'a',
      secretAccessKey: secret,
      expiration
    }))
  }
  for (const [field, values] of Object.entries(wrong)) {
    for (const credentials of values) {
      const body = () => new Signer({ ...endpoint, credentials })
      mistyped(body, field)
      assert.throws(body, (error) => !inspect(error).includes(secret))
    }
  }
})

test('several invalid fields give the first code, in any order', () => {
  refused({ expiresIn: 0, port: NaN, username: '' }, 'INVALID_PORT', 'port')
  refused({ region: 'X', expiresIn: 0 }, 'INVALID_REGION', 'region')
  refused({ region: 'us-east-1' }, 'REGION_MISMATCH', 'region')
  refused({ hostname: 'localhost' }, 'REGION_REQUIRED', 'region')
  refused({ profile: 'p' }, 'INVALID_CREDENTIALS', 'credentials')
})

test('a signing time is a Date from 1970 to 9999', async () => {
  for (const time of [NaN, -1, -1000, 253402300800000, 8.64e15, -8.64e15]) {
    const options = { signingTime: new Date(time) }
    const refusal = { code: 'INVALID_SIGNING_TIME', message: /^signing time: / }
    assert.throws(() => signer.tokenSync(options), refusal)
    await assert.rejects(signer.token(options), refusal)
  }
  assert.match(signer.tokenSync({ signingTime: new Date(999) }).value, /Date=19700101T000000Z/)
  assert.match(
    (await signer.token({ signingTime: new Date(253402300799999) })).value,
    /Date=99991231T235959Z/
  )
  assert.equal(signer.tokenSync({ signingTime: undefined }).value.length, signer.tokenSync({}).value.length)
})

test('a token has an expiry, and only value shows its text', async () => {
  const signingTime = new Date('2024-08-26T22:00:00.900Z')
  const token = await make({ expiresIn: 60 })().token({ signingTime })
  assert(token instanceof Token)
  assert.deepEqual(token.expiresAt, new Date('2024-08-26T22:01:00Z'))
  token.expiresAt.setTime(0)
  assert.deepEqual(token.expiresAt, new Date('2024-08-26T22:01:00Z'))
  const hidden = { token, list: [token] }
  const shown = [
    String(token),
    `${token}`,
    // biome-ignore lint/style/useTemplate: this tests the operator
    token + '',
    inspect(token),
    inspect(hidden, { showHidden: true, depth: 9 }),
    JSON.stringify(hidden)
  ]
  for (const text of shown) {
    assert.match(text, /redacted/)
    assert.doesNotMatch(text, /Signature|DBUser/)
  }
  assert.deepEqual(Object.keys(token), [])
  assert.match(token.value, /&X-Amz-Signature=[0-9a-f]{64}$/)
})

test('neither a signer nor an error shows a secret', () => {
  const shown = [inspect(signer, { showHidden: true, depth: 9 }), JSON.stringify(signer), String(signer)]
  for (const text of shown) assert(!text.includes(keys.secretAccessKey), text)
  assert.match(shown[0], /iam_user at mydb\.abc123\.eu-central-1\.rds\.amazonaws\.com:5432, eu-central-1/)
  assert.throws(make({ sessionToken: 'secret\n' }), (error) => !/secret\n/.test(inspect(error)))
})

test('a signer has the fields that it signs for', () => {
  const { hostname, port, username, region } = make({ port: undefined })()
  assert.deepEqual({ hostname, port, username, region }, { ...endpoint, port: 5432, region: 'eu-central-1' })
})

test('password works without this, and ignores arguments', async () => {
  const { password } = signer
  assert.equal((await password({ host: 'x' })).length, signer.tokenSync().value.length)
  assert.equal(await signer.getAuthToken(), await password())
})

test('index.d.ts has the codes of tests/codes.tsv', () => {
  const text = readFileSync(join(repository, 'tests/codes.tsv'), 'utf8')
  const [columns, ...lines] = text
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.split('\t'))
  assert.deepEqual(columns, ['code', 'number', 'kind'])
  const codes = lines.filter(([, , kind]) => kind !== 'c').map(([code]) => code)
  const types = readFileSync(new URL('node_modules/rdsign/index.d.ts', import.meta.url), 'utf8')
  const declared = [...types.matchAll(/^ {2}\| '([A-Z_]+)'$/gm)]
  assert.deepEqual(
    declared.map(([, code]) => code),
    codes
  )
})
