'use strict'
// RDS on this machine, for tests: starts `rdsign local`, makes databases in it, and changes what it accepts.
// testing.d.ts documents all of it.

const { readFileSync } = require('node:fs')
const { Signer, pgOptions } = require('./index.js')
const { refuse } = require('./refuse.js')
const { LocalProcess, RdsLocalError } = require('./testing-process.js')

const UNITS = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 }
/** The options of a start, and whether each may be repeated. */
const FLAGS = {
  endpoints: true,
  init: true,
  port: false,
  version: false,
  postgres: false,
  config: false,
  data: false
}

/** Returns the members that were given. Rejects other names than those of `accepted`. */
function known(object, accepted, what) {
  if (typeof object !== 'object' || object === null) refuse('options', object, 'an object')
  for (const name of Object.keys(object)) {
    if (!accepted.includes(name)) {
      throw new TypeError(`${name}: is not an option of ${what}; accepted: ${accepted.join(', ')}`)
    }
  }
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

/** Returns the arguments of `rdsign local`, which checks the values. */
function startArguments(options) {
  const given = Object.entries(known(options, Object.keys(FLAGS), 'RdsLocal.start'))
  return given.flatMap(([name, value]) => {
    if (FLAGS[name] && !Array.isArray(value)) refuse(name, value, 'an array of strings')
    // As one argument, a value that starts with - stays a value.
    return [value].flat().map((one) => `--${name === 'endpoints' ? 'endpoint' : name}=${one}`)
  })
}

/** A signer whose clock is the server's: after `clock.advance`, its new tokens are valid, and old ones are not. */
class LocalSigner extends Signer {
  #clock

  constructor(options, clock) {
    super(options)
    this.#clock = clock
  }

  async token(options) {
    return super.token(this.#signingTime(options))
  }

  tokenSync(options) {
    return super.tokenSync(this.#signingTime(options))
  }

  #signingTime(options) {
    const { offset } = this.#clock
    if (options?.signingTime !== undefined || offset === 0) return options
    return { ...options, signingTime: new Date(Date.now() + offset * 1000) }
  }
}

/** What all databases of a server share: the program, and the offset of the clock in seconds. */
class Server {
  clock = { offset: 0 }

  constructor(local) {
    this.local = local
    const { host: hostname, hostaddr: host, port, authorities, log, config } = local.ready
    this.shown = { hostname, port, dial: { host, port }, ca: readFileSync(authorities, 'utf8'), log, config }
  }

  async setClock(members) {
    const { offset_seconds, now } = await this.local.request('clock', members)
    this.clock.offset = offset_seconds
    return new Date(now)
  }
}

class Login {
  #server
  #key
  #environment

  constructor(server, { user, database, access_key, environment }, denied = new Set()) {
    this.#server = server
    this.#key = access_key
    this.#environment = environment
    Object.assign(this, { ...server.shown, username: user, database })
    const ask = (verb, members) => server.local.request(verb, members)
    this.clock = {
      advance: (by) => {
        const given = Object.entries(known(by, Object.keys(UNITS), 'clock.advance'))
        const seconds = given.reduce((sum, [unit, count]) => sum + count * UNITS[unit], 0)
        return server.setClock({ advance_seconds: seconds })
      },
      reset: () => server.setClock({ offset_seconds: 0 }),
      now: () => server.setClock({})
    }
    this.policy = {
      deny: async (username = user) => {
        await ask('deny', { user: username })
        denied.add(username)
      },
      allow: async (username = user) => {
        await ask('allow', { user: username })
        denied.delete(username)
      }
    }
    this.keys = {
      expire: async () => {
        this.#key = await ask('expire_key', { access_key_id: this.#key.access_key_id })
      },
      replace: async () => {
        this.#key = await ask('replace_key', { access_key_id: this.#key.access_key_id })
      }
    }
  }

  get credentials() {
    return credentialsOf(this.#key)
  }

  get env() {
    const env = { ...process.env, ...this.#environment.set }
    for (const name of this.#environment.unset) delete env[name]
    const { accessKeyId, secretAccessKey, sessionToken } = this.credentials
    Object.assign(env, { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey })
    return sessionToken ? Object.assign(env, { AWS_SESSION_TOKEN: sessionToken }) : env
  }

  signer(options = {}) {
    const { hostname, port, username } = this
    const { accessKeyId, secretAccessKey, sessionToken } = this.credentials
    const isOwn = !('credentials' in options || 'profile' in options || 'accessKeyId' in options)
    const keys = isOwn ? { accessKeyId, secretAccessKey, sessionToken } : {}
    return new LocalSigner({ hostname, port, username, ...keys, ...options }, this.#server.clock)
  }

  pgOptions(options = {}) {
    const { ssl, ...others } = options
    const { database, dial, ca } = this
    return pgOptions(this.signer(), { database, dial, ...others, ssl: { ca, ...ssl } })
  }

  async sql(text) {
    const { columns, rows } = await this.#server.local.request('sql', { sql: text, database: this.database })
    return rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])))
  }
}

class RdsDatabase extends Login {
  #server
  #mark
  #denied
  #isDropped = false

  constructor(server, made, mark) {
    const denied = new Set()
    super(server, made, denied)
    this.#server = server
    this.#mark = mark
    this.#denied = denied
  }

  async refusals(since = this.#mark) {
    const { refusals } = await this.#server.local.request('refusals', { since })
    return refusals.filter(({ user }) => user === this.username).map(refusal)
  }

  async drop() {
    if (this.#isDropped) return
    this.#isDropped = true
    const { database, username: user, credentials } = this
    const members = { database, user, access_key_id: credentials.accessKeyId }
    try {
      for (const denied of this.#denied) await this.policy.allow(denied)
    } finally {
      await this.#server.local.request('drop_database', members)
    }
  }
}

class RdsLocal extends Login {
  #server

  constructor(server, login) {
    super(server, login)
    this.#server = server
  }

  static async start(options = {}) {
    const local = await LocalProcess.start(startArguments(options))
    const { user, database, access_keys, environment } = local.ready
    return new RdsLocal(new Server(local), { user, database, access_key: access_keys[0], environment })
  }

  get administrator() {
    const { user: username, password } = this.#server.local.ready.administrator
    return { username, password }
  }

  async createDatabase(options = {}) {
    const { username: user, ...others } = known(
      options,
      ['database', 'username', 'template'],
      'createDatabase'
    )
    const { local } = this.#server
    const { mark } = await local.request('refusals')
    const made = await local.request('create_database', { user, ...others })
    return new RdsDatabase(this.#server, made, mark)
  }

  async refusals(since = 0) {
    const { refusals } = await this.#server.local.request('refusals', { since })
    return refusals.map(refusal)
  }

  async stop() {
    await this.#server.local.stop()
  }
}

/** Converts an access key to the form of the AWS SDK for JavaScript v3. */
function credentialsOf({ access_key_id, secret_access_key, session_token, expires_at }) {
  return {
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key,
    ...(session_token && { sessionToken: session_token }),
    ...(expires_at && { expiration: new Date(expires_at) })
  }
}

function refusal({ number, id, reason, user, time }) {
  return { number, id, reason, username: user, time }
}

// Not in Node before 18.18.
if (Symbol.asyncDispose) {
  const define = (prototype, dispose) =>
    Object.defineProperty(prototype, Symbol.asyncDispose, {
      value: dispose,
      configurable: true,
      writable: true
    })
  define(RdsLocal.prototype, RdsLocal.prototype.stop)
  define(RdsDatabase.prototype, RdsDatabase.prototype.drop)
}

module.exports = { RdsLocal, RdsDatabase, RdsLocalError }
