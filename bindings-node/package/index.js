'use strict'
// The package as JavaScript sees it. All rules about tokens are in the native half; here is what
// that has no words for: types of arguments, promises, and objects that do not show a token.
//
// package.json has no "exports": a name that is looked up in one costs the start of a process some
// 3 ms of CPU, which is more than all of this. So an ES module names the other entries by file.

const { NativeSigner, DEFAULT_CREDENTIALS_TIMEOUT } = require('./load.js')
const { signerOptions, signingTimeOf, credentialsOf } = require('./check.js')

// Where the native half writes when a token ends, in milliseconds since 1970.
const end = new Float64Array(1)
const INSPECT = Symbol.for('nodejs.util.inspect.custom')
const REDACTED = '** redacted **'

class RdsignError extends Error {
  constructor(code, message) {
    super(message)
    this.code = code
  }
}
Object.defineProperty(RdsignError.prototype, 'name', {
  value: 'RdsignError',
  configurable: true,
  writable: true
})

/** What the native half throws has core's code; anything else is a fault of rdsign's own. */
function ours(error) {
  return new RdsignError(/^[A-Z_]+$/.test(error.code) ? error.code : 'INTERNAL', error.message)
}

class Token {
  #value
  #expiresAt

  constructor(value, expiresAt) {
    this.#value = value
    this.#expiresAt = expiresAt
  }

  get value() {
    return this.#value
  }

  get expiresAt() {
    return new Date(this.#expiresAt)
  }

  toString() {
    return `Token { value: ${REDACTED}, expiresAt: ${this.expiresAt.toISOString()} }`
  }

  toJSON() {
    return { value: REDACTED, expiresAt: this.expiresAt }
  }

  [Symbol.toPrimitive]() {
    return this.toString()
  }

  [INSPECT]() {
    return this.toString()
  }
}

class Signer {
  #native
  #provider
  #hasRole
  #timeout
  /** The one wait for credentials that is under way. */
  #wait = null

  constructor(options) {
    const { provider, ...checked } = signerOptions(options)
    try {
      this.#native = new NativeSigner(checked)
    } catch (error) {
      throw ours(error)
    }
    this.#provider = provider
    this.#hasRole = checked.roleArn !== undefined
    this.#timeout = checked.credentialsTimeout ?? DEFAULT_CREDENTIALS_TIMEOUT
    const password = async () => (await this.token()).value
    // A driver that makes a text of a function would send its source as the password.
    password[Symbol.toPrimitive] = () => {
      throw new TypeError(
        'rdsign: password is an async function, which this driver does not call: pg.native does not'
      )
    }
    Object.defineProperty(this, 'password', { value: password, enumerable: true })
  }

  get hostname() {
    return this.#native.hostname
  }

  get port() {
    return this.#native.port
  }

  get username() {
    return this.#native.username
  }

  get region() {
    return this.#native.region
  }

  async token(options) {
    if (options !== undefined) {
      const signingTime = signingTimeOf(options)
      if (signingTime !== undefined) return this.#later(signingTime)
    }
    for (;;) {
      const ready = this.#ready()
      if (ready !== null) return ready
      this.#wait ??= this.#later().finally(() => (this.#wait = null))
      const token = await this.#wait
      // Signed before the wait: whoever was frozen in it asks again.
      if (token.expiresAt > Date.now()) return this.#ready() ?? token
    }
  }

  tokenSync(options) {
    return this.#now(options === undefined ? undefined : signingTimeOf(options))
  }

  getAuthToken() {
    return this.password()
  }

  [INSPECT]() {
    return `Signer { ${this.username} at ${this.hostname}:${this.port}, ${this.region} }`
  }

  #ready() {
    try {
      const value = this.#native.readyToken(end)
      return value === null ? null : new Token(value, end[0])
    } catch (error) {
      throw ours(error)
    }
  }

  #now(signingTime, brought) {
    try {
      return new Token(this.#native.token(end, signingTime, brought), end[0])
    } catch (error) {
      throw ours(error)
    }
  }

  /** A token for which credentials may have to be waited for. */
  async #later(signingTime) {
    let brought
    if (this.#provider) {
      brought = await credentialsOf(this.#provider, this.#timeout)
      // They are all that core waits for, unless a role is to be assumed.
      if (!this.#hasRole) return this.#now(signingTime, brought)
    }
    return new Promise((resolve, reject) => {
      const settle = (code, message, value, expiresAt) =>
        code ? reject(new RdsignError(code, message)) : resolve(new Token(value, expiresAt))
      try {
        this.#native.fetch(settle, signingTime, brought)
      } catch (error) {
        reject(ours(error))
      }
    })
  }
}

module.exports = { Signer, Token, RdsignError }
