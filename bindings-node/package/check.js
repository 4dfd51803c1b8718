'use strict'
// The types of arguments. What a value must be beyond its type is core's to say; only where a value
// could not be handed over at all, or would be handed over as another, is it refused here.

const OPTIONS = {
  hostname: 'string',
  port: 'number',
  username: 'string',
  region: 'string',
  expiresIn: 'number',
  accessKeyId: 'string',
  secretAccessKey: 'string',
  sessionToken: 'string',
  credentials: 'credentials',
  profile: 'string',
  roleArn: 'string',
  externalId: 'string',
  roleSessionName: 'string',
  credentialsTimeout: 'finite number'
}

/** What setTimeout can count: 24 days. */
const LONGEST = 2 ** 31 - 1

const isA = (type, value) => Object.prototype.toString.call(value) === `[object ${type}]`

/** What a value is, without showing it: it may be a secret in the wrong place. */
function kind(value) {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object'
    ? 'an object'
    : typeof value === 'undefined'
      ? 'undefined'
      : `a ${typeof value}`
}

function refuse(name, value, accepted) {
  throw new TypeError(`${name}: ${kind(value)} is given; accepted: ${accepted}`)
}

function known(object, names, what) {
  for (const name of Object.keys(object)) {
    if (!names.includes(name)) {
      throw new TypeError(`${name}: is no ${what}; accepted: ${names.join(', ')}`)
    }
  }
}

/** Options for the native half; a provider of credentials stays here. */
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
    } else if (type === 'finite number' ? !Number.isFinite(value) : typeof value !== type) {
      refuse(name, value, `a ${type}`)
    } else {
      checked[name] = value
    }
  }
  return checked
}

/** Credentials of the AWS SDK's form, with the names and types that the native half takes. */
function keys(credentials) {
  if (!isA('Object', credentials)) {
    refuse(
      'credentials',
      credentials,
      '{ accessKeyId, secretAccessKey, sessionToken, expiration }, or a function that returns it or a promise of it'
    )
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials
  if (typeof accessKeyId !== 'string') refuse('credentials.accessKeyId', accessKeyId, 'a string')
  if (typeof secretAccessKey !== 'string') refuse('credentials.secretAccessKey', secretAccessKey, 'a string')
  const given = { accessKeyId, secretAccessKey }
  // Sources write null or undefined for what long-lived keys do not have.
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

/** What a provider brings, for the native half: credentials, or why there are none. */
async function credentialsOf(provider, timeout) {
  let timer
  const bound = new Promise((resolve) => {
    const failure = `it had no answer within ${timeout / 1000} s`
    timer = setTimeout(resolve, Math.min(timeout, LONGEST), { failure, timedOut: true })
  })
  const answer = (async () => ({ credentials: keys(await provider()), timedOut: false }))()
  try {
    return await Promise.race([answer, bound])
  } catch (error) {
    return { failure: error instanceof Error ? error.message : `it threw ${kind(error)}`, timedOut: false }
  } finally {
    clearTimeout(timer)
  }
}

/** The signing time in whole seconds since 1970. */
function signingTimeOf(options) {
  if (!isA('Object', options)) refuse('options', options, 'an object')
  known(options, ['signingTime'], 'option of a token')
  const { signingTime } = options
  if (signingTime === undefined) return undefined
  if (!isA('Date', signingTime)) refuse('signingTime', signingTime, 'a Date')
  return Math.floor(signingTime.getTime() / 1000)
}

module.exports = { signerOptions, signingTimeOf, credentialsOf, keys, kind }
