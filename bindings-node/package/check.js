'use strict'
// Checks the types of arguments, and rejects unknown names. All rules about values are core's; this
// module rejects only values that could not be passed to the native half unchanged.

const { kind, refuse, requirePort } = require('./refuse.js')

const OPTIONS = {
  hostname: 'string',
  port: 'number or string',
  username: 'string',
  region: 'string',
  expiresIn: 'number',
  service: 'string',
  accessKeyId: 'string',
  secretAccessKey: 'string',
  sessionToken: 'string',
  credentials: 'credentials',
  profile: 'string',
  roleArn: 'string',
  externalId: 'string',
  roleSessionName: 'string',
  credentialsTimeout: 'finite number',
  sha256: 'function'
}

/** The longest delay of setTimeout, in milliseconds: 24 days. */
const LONGEST = 2 ** 31 - 1

const isA = (type, value) => Object.prototype.toString.call(value) === `[object ${type}]`

function known(object, names, what) {
  for (const name of Object.keys(object)) {
    if (!names.includes(name)) {
      throw new TypeError(`${name}: is not an ${what}; accepted: ${names.join(', ')}`)
    }
  }
}

const has = (value, type) =>
  type === 'finite number' ? Number.isFinite(value) : type.split(' or ').includes(typeof value)

/** Checks the options of a Signer. Returns those for the native half, and the provider. */
function signerOptions(options) {
  if (!isA('Object', options)) refuse('options', options, 'an object')
  known(options, Object.keys(OPTIONS), 'option of a Signer')
  const checked = { hasProvider: false }
  for (const [name, type] of Object.entries(OPTIONS)) {
    const value = options[name]
    if (value === undefined) continue
    if (name === 'credentials') {
      if (typeof value === 'function') {
        checked.provider = value
        checked.hasProvider = true
      } else {
        checked.credentials = keys(value)
      }
    } else if (!has(value, type)) {
      refuse(name, value, `a ${type}`)
    } else if (name !== 'sha256') {
      // The AWS SDK's signer has the option sha256, its implementation of SHA-256. rdsign uses its own.
      checked[name] = value
    }
  }
  return checked
}

/** Checks credentials in the AWS SDK's form. Converts them for the native half. */
function keys(credentials) {
  if (!isA('Object', credentials)) {
    refuse(
      'credentials',
      credentials,
      '{ accessKeyId, secretAccessKey, sessionToken, expiration }, or a function that returns that or a promise of that'
    )
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials
  if (typeof accessKeyId !== 'string') refuse('credentials.accessKeyId', accessKeyId, 'a string')
  if (typeof secretAccessKey !== 'string') refuse('credentials.secretAccessKey', secretAccessKey, 'a string')
  const given = { accessKeyId, secretAccessKey }
  // Some sources set these to null or undefined for long-lived keys.
  if (sessionToken != null) {
    if (typeof sessionToken !== 'string') refuse('credentials.sessionToken', sessionToken, 'a string')
    given.sessionToken = sessionToken
  }
  if (expiration != null) {
    const milliseconds = isA('Date', expiration) ? expiration.getTime() : NaN
    if (Number.isNaN(milliseconds)) refuse('credentials.expiration', expiration, 'a valid Date')
    given.expiration = milliseconds
  }
  return given
}

/**
 * Calls a provider. Returns its credentials for the native half, or why it failed.
 *
 * A provider of the AWS SDK may have cached keys that expire before the token would, at `tokenEnd`. It is then called once
 * more with `forceRefresh`, as the SDK's own signer does; the first keys are kept if that gives no later ones.
 */
async function credentialsOf(provider, timeout, tokenEnd) {
  const started = performance.now()
  let timer
  let found
  const bound = new Promise((resolve) => {
    timer = setTimeout(resolve, Math.min(timeout, LONGEST))
  })
  const answer = (outcome) => ({ timedOut: false, milliseconds: performance.now() - started, ...outcome })
  const ask = async () => {
    found = keys(await provider())
    if (found.expiration === undefined || found.expiration >= tokenEnd) return
    const newer = await (async () => keys(await provider({ forceRefresh: true })))().catch(() => found)
    if (newer.expiration === undefined || newer.expiration > found.expiration) found = newer
  }
  try {
    await Promise.race([ask(), bound])
    if (found) return answer({ credentials: found })
    return answer({ failure: `it gave no answer within ${timeout / 1000} s`, timedOut: true })
  } catch (error) {
    return answer({ failure: error instanceof Error ? error.message : `it threw ${kind(error)}` })
  } finally {
    clearTimeout(timer)
  }
}

/** Returns the signing time in whole seconds since 1970, or undefined. */
function signingTimeOf(options) {
  if (!isA('Object', options)) refuse('options', options, 'an object')
  known(options, ['signingTime'], 'option of a token')
  const { signingTime } = options
  if (signingTime === undefined) return undefined
  if (!isA('Date', signingTime)) refuse('signingTime', signingTime, 'a Date')
  return Math.floor(signingTime.getTime() / 1000)
}

module.exports = { signerOptions, signingTimeOf, credentialsOf, requirePort }
