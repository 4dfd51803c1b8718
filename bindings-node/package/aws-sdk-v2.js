'use strict'
// RDS.Signer as aws-sdk, the AWS SDK for JavaScript v2, has it, for programs that change one line:
// this module stands for `aws-sdk` and for `aws-sdk/clients/rds`. There is nothing else of the SDK in
// it, and its AWS.config is not known here: credentials come from the options or the default chain.

const { Signer: OurSigner } = require('./index.js')

/** How many endpoints one signer keeps, with their credentials. */
const KEPT = 100

/** An AWS.Credentials of v2 names the end otherwise. */
function keysOf({ accessKeyId, secretAccessKey, sessionToken, expiration, expireTime }) {
  return { accessKeyId, secretAccessKey, sessionToken, expiration: expireTime ?? expiration }
}

/** Asks an AWS.Credentials of v2, which fetches or refreshes what it has when it must. */
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
    // Out of the promise: what a callback throws is the program's, and not a rejection.
    token.then(
      (value) => process.nextTick(callback, null, value),
      (error) => process.nextTick(callback, error, null)
    )
  }

  #signer({ region, hostname, port, username, credentials }, mayWait) {
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

// As names alone: what is written out here an ES module would not see.
const RDS = { Signer }
module.exports = { Signer, RDS }
