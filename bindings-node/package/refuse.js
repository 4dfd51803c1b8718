'use strict'
// The errors for arguments of the wrong type, in the same words in all files of the package.

/** Names the type of a value. Does not show the value, which may be a secret in the wrong place. */
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
  throw new TypeError(`${name}: is ${kind(value)}; accepted: ${accepted}`)
}

/** Rejects everything but a Signer. A program may have several copies of the package, each with its class. */
function requireSigner(signer) {
  if (typeof signer?.hostname !== 'string' || typeof signer.password !== 'function') {
    refuse('signer', signer, 'a Signer of rdsign')
  }
}

/** Rejects a missing port. The AWS SDKs' signers have no default: a database may not be PostgreSQL. */
function requirePort(port) {
  if (port === undefined) refuse('port', port, 'a number or string')
}

module.exports = { kind, refuse, requirePort, requireSigner }
