'use strict'
// RDS.Signer of aws-sdk, the AWS SDK for JavaScript v2. A program changes one line: it requires this
// module instead of `aws-sdk` or `aws-sdk/clients/rds`. Nothing else of the SDK is here, and
// AWS.config is not read: credentials come from the options or the default chain.

const { Signer: OurSigner } = require('./index.js')
const { requirePort } = require('./refuse.js')

/** For how many combinations of options one signer caches credentials. */
const KEPT = 100

/** Renames the expiry of an AWS.Credentials of v2. */
function keysOf({ accessKeyId, secretAccessKey, sessionToken, expiration, expireTime }) {
  return { accessKeyId, secretAccessKey, sessionToken, expiration: expireTime ?? expiration }
}

/** Makes a provider of an AWS.Credentials of v2, whose get() fetches or refreshes the keys if needed. */
function refreshing(credentials) {
  return () =>
    new Promise((resolve, reject) => {
      credentials.get((error) => (error ? reject(error) : resolve(keysOf(credentials))))
    })
}

class Signer {
  #kept = new Map()

  constructor(options) {
    this.options = options || {}
  }

  getAuthToken(options, callback) {
    if (typeof options === 'function' && callback === undefined) {
      callback = options
      options = {}
    }
    const merged = { ...this.options, ...options }
    if (typeof callback !== 'function') return this.#signer(merged, false).tokenSync().value
    const token = (async () => this.#signer(merged, true).getAuthToken())()
    // nextTick leaves the promise: an exception of the callback must not become a rejection.
    token.then(
      (value) => process.nextTick(callback, null, value),
      (error) => process.nextTick(callback, error, null)
    )
  }

  #signer({ region, hostname, port, username, credentials }, mayWait) {
    requirePort(port)
    const options = { region, hostname, port, username }
    const asks = typeof credentials?.get === 'function'
    if (credentials && typeof credentials !== 'function' && !(asks && mayWait)) {
      return new OurSigner({ ...options, credentials: keysOf(credentials) })
    }
    const key = JSON.stringify(options)
    let kept = this.#kept.get(key)
    if (!kept || kept.credentials !== credentials) {
      const signer = new OurSigner({
        ...options,
        credentials: asks ? refreshing(credentials) : credentials || undefined
      })
      kept = { credentials, signer }
      if (this.#kept.size >= KEPT) this.#kept.clear()
      this.#kept.set(key, kept)
    }
    return kept.signer
  }
}

// Only shorthand names: for ES modules, Node finds the names of exports by reading this line.
const RDS = { Signer }
module.exports = { Signer, RDS }
