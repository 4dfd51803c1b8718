// What a Signer publishes on diagnostics_channel, and that no subscriber changes the outcome.
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { after, afterEach, beforeEach, test } from 'node:test'
import { inspect } from 'node:util'
import { RdsignError, Signer } from 'rdsign'
import { credentialsTimeout, endpoint, keys, output, run, startAws } from './support.mjs'

const aws = await startAws(after)
const NAMES = ['fetched', 'refresh-failed', 'fetch-failed', 'expiring']
const NOON = Date.UTC(2024, 7, 26, 12)
const HOUR = 3600_000

/** The events that were published, each with its name. */
let heard = []
const subscribers = NAMES.map((name) => [name, (event) => heard.push({ name, ...event })])
beforeEach(() => {
  heard = []
  for (const [name, subscriber] of subscribers) channel(`rdsign:credentials:${name}`).subscribe(subscriber)
})
const unsubscribe = () => {
  for (const [name, subscriber] of subscribers) channel(`rdsign:credentials:${name}`).unsubscribe(subscriber)
}
afterEach(() => {
  unsubscribe()
  const shown = inspect(heard, { depth: 9, showHidden: true })
  for (const secret of [keys.secretAccessKey, 'ASIA', 'AKID']) assert(!shown.includes(secret), shown)
})

const make = (options) => new Signer({ ...endpoint, credentialsTimeout, ...options })
/** Returns a signer whose provider returns keys that expire then, or throws the error, one answer for each call. */
const answering = (...answers) =>
  make({
    credentials: async () => {
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      return { ...keys, accessKeyId: `ASIA${answers.length}`, expiration: new Date(answer) }
    }
  })
const at = (time) => ({ signingTime: new Date(time) })
/** Returns the events since the last call. */
const latest = () => heard.splice(0)

test('a fetch is published with its source, its duration and the expiry', async () => {
  const signer = answering(NOON + HOUR)
  await signer.token(at(NOON))
  for (let n = 0; n < 3; n++) signer.tokenSync(at(NOON))
  const [{ message, duration, ...event }, ...others] = latest()
  assert.deepEqual(others, [])
  assert.match(
    message,
    /^credentials fetched from provider in \d+\.\d{3} s; they expire at 2024-08-26T13:00:00Z$/
  )
  assert(duration >= 0)
  assert.deepEqual(event, {
    name: 'fetched',
    signer,
    isWarning: false,
    source: 'provider',
    expiresAt: new Date(NOON + HOUR)
  })
  assert.equal(event.signer, signer)
})

test('the duration has the time that a provider took', async () => {
  const milliseconds = 20
  const signer = make({
    credentials: () => new Promise((resolve) => setTimeout(resolve, milliseconds, keys))
  })
  await signer.token()
  // A timer may be a millisecond early.
  assert(latest()[0].duration >= milliseconds - 1)
})

test('a refresh that fails is published with its error, and until when the old keys sign', async () => {
  const signer = answering(NOON + HOUR, new Error('the vault is sealed'), NOON + 2 * HOUR)
  await signer.token(at(NOON))
  await signer.token(at(NOON + HOUR - 600_000))
  const [, { message, error, ...event }, ...others] = latest()
  assert.deepEqual(others, [])
  const said = 'credentials: the provider given to the signer failed: the vault is sealed'
  assert.equal(
    message,
    `credentials not refreshed; those in use expire at 2024-08-26T13:00:00Z: CREDENTIALS_FAILED: ${said}`
  )
  assert(error instanceof RdsignError)
  assert.deepEqual([error.code, error.message], ['CREDENTIALS_FAILED', said])
  assert.deepEqual([event.name, event.isWarning, event.source], ['refresh-failed', true, undefined])
  assert.deepEqual(event.expiresAt, new Date(NOON + HOUR))
})

test('a fetch that fails is published, and rejects as before', async () => {
  const signer = answering(new Error('the vault is sealed'))
  await assert.rejects(signer.token(), { code: 'CREDENTIALS_FAILED' })
  const [{ name, message, error, expiresAt }, ...others] = latest()
  assert.deepEqual([name, expiresAt, others], ['fetch-failed', undefined, []])
  assert.match(message, /^credentials not fetched: CREDENTIALS_FAILED: .* the vault is sealed$/)
  assert.equal(error.code, 'CREDENTIALS_FAILED')
})

test('keys that run out are published once', async () => {
  const expiration = new Date(NOON + HOUR)
  const signer = make({ credentials: () => ({ ...keys, accessKeyId: 'ASIA', expiration }) })
  await signer.token(at(NOON))
  for (const left of [50_000, 40_000, 30_000]) await signer.token(at(NOON + HOUR - left))
  assert.deepEqual(
    latest().map(({ name }) => name),
    ['fetched', 'expiring']
  )
})

test('a fetch on another thread is published before its outcome is there', async () => {
  Object.assign(process.env, aws.container)
  const signer = make()
  await Promise.all([signer.token(), signer.token()])
  assert.deepEqual(
    latest().map(({ name, source }) => [name, source]),
    [['fetched', 'container']]
  )
  await aws.set('container', { status: 403 })
  await assert.rejects(make().token(), { code: 'CREDENTIALS_FAILED' })
  assert.deepEqual(
    latest().map(({ name }) => name),
    ['fetch-failed']
  )
  await aws.set('container', { status: 200 })
  delete process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI
})

test('keys of the environment are published before tokenSync returns', () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: keys.secretAccessKey })
  const signer = make()
  signer.tokenSync()
  signer.tokenSync()
  assert.deepEqual(
    latest().map(({ name, source }) => [name, source]),
    [['fetched', 'environment']]
  )
  delete process.env.AWS_ACCESS_KEY_ID
  delete process.env.AWS_SECRET_ACCESS_KEY
})

test('a subscriber may use the signer, and what that causes is not published', async () => {
  const outcomes = []
  const use = ({ signer }) => {
    try {
      outcomes.push(signer.tokenSync())
    } catch (error) {
      outcomes.push(error.code)
    }
  }
  const failures = channel('rdsign:credentials:fetch-failed')
  failures.subscribe(use)
  await assert.rejects(answering(new Error('no')).token(), { code: 'CREDENTIALS_FAILED' })
  failures.unsubscribe(use)
  assert.deepEqual(outcomes, ['CREDENTIALS_FAILED'])
  assert.equal(latest().length, 1)
})

test('without a subscriber nothing is kept', async () => {
  unsubscribe()
  const signer = answering(NOON + HOUR, NOON + 2 * HOUR)
  await signer.token(at(NOON))
  for (const [name, subscriber] of subscribers) channel(`rdsign:credentials:${name}`).subscribe(subscriber)
  await signer.token(at(NOON + HOUR))
  assert.deepEqual(
    latest().map(({ expiresAt }) => expiresAt),
    [new Date(NOON + 2 * HOUR)]
  )
})

const PROGRAM = `const { channel } = require('node:diagnostics_channel')
  const { Signer } = require('rdsign')
  const make = (credentials) => new Signer({ ...${JSON.stringify(endpoint)}, credentials })`

test('a subscriber that throws changes nothing; Node reports its exception', async () => {
  const program = `${PROGRAM}
    process.on('uncaughtException', (error) => console.log(error.message))
    for (const name of ['fetched', 'fetch-failed'])
      channel('rdsign:credentials:' + name).subscribe(() => { throw new Error(name) })
    make(async () => (${JSON.stringify(keys)})).token()
      .then((token) => console.log(token.value.length > 300))
      .then(() => make(() => { throw new Error('no') }).token())
      .catch((error) => console.log(error.code))`
  const said = await output(['--input-type=commonjs', '-e', program])
  assert.deepEqual(said.trim().split('\n').sort(), ['CREDENTIALS_FAILED', 'fetch-failed', 'fetched', 'true'])
})

test('without an event diagnostics_channel is not loaded', async () => {
  const program = `const { Signer } = require('rdsign')
    new Signer({ ...${JSON.stringify({ ...endpoint, ...keys })} }).tokenSync()
    console.log(process.moduleLoadList.filter((name) => name.endsWith('diagnostics_channel')))`
  const { status, stdout } = await run(['--input-type=commonjs', '-e', program])
  assert.deepEqual([status, stdout], [0, '[]\n'])
})
