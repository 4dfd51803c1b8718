'use strict'
// The JavaScript half of the package. The native half has all rules about tokens; this half checks
// types of arguments, makes promises, and wraps tokens in objects that do not show them.
//
// package.json has no "exports": resolving a name in it takes about 3 ms of CPU at the start of a
// process, longer than loading this package. So the other entries are imported by file name, such as
// rdsign/pg.js; ES modules and TypeScript do not find them without the extension.

const { NativeSigner, DEFAULT_CREDENTIALS_TIMEOUT, DEFAULT_EXPIRES_IN } = require('./load.js')
const { signerOptions, signingTimeOf, credentialsOf, requirePort } = require('./check.js')
const { publish } = require('./events.js')

// The native half writes here when a token expires, in milliseconds since 1970, and 1 if events wait.
const expiry = new Float64Array(2)
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

/** Converts an error of the native half. One without core's code is a bug in rdsign. */
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
  /** The port as it was given. */
  #port
  #provider
  #hasRole
  #timeout
  /** The lifetime of a token, in milliseconds. */
  #lifetime
  /** The promise of the current wait for credentials, which all callers share. */
  #wait = null

  constructor(options) {
    const { provider, ...checked } = signerOptions(options)
    try {
      this.#native = new NativeSigner(checked)
    } catch (error) {
      throw ours(error)
    }
    this.#port = checked.port
    this.#provider = provider
    this.#hasRole = checked.roleArn !== undefined
    this.#timeout = checked.credentialsTimeout ?? DEFAULT_CREDENTIALS_TIMEOUT
    this.#lifetime = (checked.expiresIn ?? DEFAULT_EXPIRES_IN) * 1000
    const password = async () => (await this.token()).value
    // A driver that converts the function to a string would send its source code as the password.
    password[Symbol.toPrimitive] = () => {
      throw new TypeError(
        'password: is an async function, and this driver does not call it; accepted: drivers that call a password function, such as pg without pg.native'
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

  get service() {
    return this.#native.service
  }

  get defaultDatabase() {
    return this.#native.defaultDatabase ?? undefined
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
      // The process may have been frozen during the wait, and the token may have expired: try again.
      if (token.expiresAt > Date.now()) return this.#ready() ?? token
    }
  }

  tokenSync(options) {
    return this.#now(options === undefined ? undefined : signingTimeOf(options))
  }

  async getAuthToken() {
    requirePort(this.#port)
    return this.password()
  }

  [INSPECT]() {
    return `Signer { ${this.username} at ${this.hostname}:${this.port}, ${this.region} }`
  }

  #ready() {
    try {
      const value = this.#native.readyToken(expiry)
      return value === null ? null : this.#tokenOf(value)
    } catch (error) {
      throw this.#failed(error)
    }
  }

  #now(signingTime, provided) {
    try {
      return this.#tokenOf(this.#native.token(expiry, signingTime, provided))
    } catch (error) {
      throw this.#failed(error)
    }
  }

  #tokenOf(value) {
    const token = new Token(value, expiry[0])
    if (expiry[1] !== 0) this.#publish()
    return token
  }

  #failed(error) {
    this.#publish()
    return ours(error)
  }

  /** Publishes the events that wait. */
  #publish() {
    expiry[1] = 0
    const events = this.#native.takeEvents()
    if (events.length !== 0) {
      publish(this, events, (code, message) => new RdsignError(code, message))
    }
  }

  /** Returns a token, after a wait for credentials if needed. */
  async #later(signingTime) {
    let provided
    if (this.#provider) {
      const signedAt = signingTime === undefined ? Date.now() : signingTime * 1000
      provided = await credentialsOf(this.#provider, this.#timeout, signedAt + this.#lifetime)
      // Core need not wait for anything else, unless it has to assume a role.
      if (!this.#hasRole) return this.#now(signingTime, provided)
    }
    return new Promise((resolve, reject) => {
      const settle = (code, message, value, expiresAt) => {
        this.#publish()
        if (code) reject(new RdsignError(code, message))
        else resolve(new Token(value, expiresAt))
      }
      try {
        this.#native.fetch(settle, signingTime, provided)
      } catch (error) {
        reject(ours(error))
      }
    })
  }
}

// Both modules are loaded at the first call: with the certificate authorities, they are larger than the
// rest of the package.
function pgOptions(signer, options) {
  return require('./pg.js').pgOptions(signer, options)
}

function verifyFull(signer, options) {
  return require('./tls.js').verifyFull(signer, options)
}

// Only shorthand names: for ES modules, Node finds the names of exports by reading this line.
module.exports = { Signer, Token, RdsignError, pgOptions, verifyFull }
