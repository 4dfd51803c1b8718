'use strict'
// DsqlSigner of @aws-sdk/dsql-signer. A program changes one line: it requires this module instead.

const { Signer } = require('./index.js')
const { kind } = require('./refuse.js')

/** The options of the SDK's signer. */
const OPTIONS = ['credentials', 'hostname', 'region', 'sha256', 'expiresIn', 'profile']

class DsqlSigner {
  #admin
  #others

  constructor(options) {
    for (const name of Object.keys(Object(options))) {
      if (!OPTIONS.includes(name)) {
        throw new TypeError(`${name}: is not an option of a DsqlSigner; accepted: ${OPTIONS.join(', ')}`)
      }
    }
    if (typeof options !== 'object' || options === null) {
      throw new TypeError(`options: is ${kind(options)}; accepted: an object`)
    }
    this.#admin = new Signer({ ...options, service: 'dsql', username: 'admin' })
    // Any user but admin: the token does not name it.
    this.#others = new Signer({ ...options, service: 'dsql', username: 'user' })
  }

  async getDbConnectAuthToken() {
    return this.#others.password()
  }

  async getDbConnectAdminAuthToken() {
    return this.#admin.password()
  }
}

module.exports = { DsqlSigner }
