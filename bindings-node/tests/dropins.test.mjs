// Programs written for the AWS SDKs work after changing one line.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Signer } from 'rdsign'
import AWS, { Signer as SignerV2 } from 'rdsign/aws-sdk-v2.js'
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
