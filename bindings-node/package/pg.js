'use strict'
// Options of a pg Client or Pool that logs in with a signer's tokens. Some options make pg ignore the
// password function without an error, so this module rejects them. A program may replace others after
// this module has returned them, so the password function checks the connection that it is called for.

const { Socket } = require('node:net')
const { requireSigner } = require('./refuse.js')
const { verifyFull } = require('./tls.js')

const SET_BY_VERIFY_FULL = ['servername', 'checkServerIdentity']

function refuse(name, reason) {
  throw new TypeError(`${name}: ${reason}`)
}

/** Returns a password function that gives a token only to a pg Client that is connected to the endpoint. */
function guarded(signer, { checkServerIdentity }) {
  const isEndpoint = (socket) =>
    socket.encrypted === true &&
    socket.authorized === true &&
    checkServerIdentity('', socket.getPeerCertificate()) === undefined
  async function password() {
    const socket = this?.connection?.stream
    if (!socket) {
      refuse('password', 'this function is for a Client of pg; accepted: signer.password with verifyFull')
    }
    if (!isEndpoint(socket)) {
      refuse(
        'ssl',
        `no token was sent, because TLS does not verify that the server is ${signer.hostname}; accepted: the options ssl and stream of pgOptions, unchanged`
      )
    }
    return signer.password()
  }
  password[Symbol.toPrimitive] = signer.password[Symbol.toPrimitive]
  return password
}

/** Checks an address. Node would read many other values as localhost, or as a socket in a folder. */
function address(dial, own) {
  const { host, port = own, ...more } = Object(dial)
  const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port
  const isPort = Number.isInteger(number) && number >= 1 && number <= 65535
  if (typeof host !== 'string' || host === '' || !isPort || Object.keys(more).length > 0) {
    refuse(
      'dial',
      "is not an address; accepted: { host, port }, such as { host: '127.0.0.1', port: 15432 }, or undefined"
    )
  }
  return { host, port: number }
}

/** Makes sockets that connect to this address instead of pg's `host`, which pg verifies. */
function dialing({ host, port }) {
  return () => {
    const socket = new Socket()
    const connect = socket.connect
    socket.connect = () => connect.call(socket, port, host)
    return socket
  }
}

function pgOptions(signer, options = {}) {
  requireSigner(signer)
  const { dial, ssl: given, ...others } = options
  const ssl = given === undefined || given === true ? {} : given
  const { hostname: host, port, username: user } = signer
  if (others.connectionString !== undefined) {
    refuse(
      'connectionString',
      'pg would use its password, or no password, instead of a token; accepted: separate options, such as database'
    )
  }
  if (process.env.NODE_PG_FORCE_NATIVE !== undefined) {
    refuse(
      'NODE_PG_FORCE_NATIVE',
      'is set, but pg.native does not call a password function; accepted: pg without this variable'
    )
  }
  for (const [name, own] of Object.entries({ host, port, user, password: undefined })) {
    const value = others[name]
    if (value !== undefined && value !== own && !(name === 'port' && value === String(own))) {
      refuse(
        name,
        'is set by the signer; accepted: dial: { host, port }, to connect to another address than the endpoint'
      )
    }
  }
  if (typeof ssl !== 'object' || ssl === null || ssl.rejectUnauthorized === false) {
    refuse(
      'ssl',
      'a token is a password, and is sent only to a verified server; accepted: true, or an object, such as { ca }'
    )
  }
  for (const name of SET_BY_VERIFY_FULL) {
    if (ssl[name] !== undefined) {
      refuse(`ssl.${name}`, 'is set by the signer; accepted: other options, such as ca')
    }
  }
  const verified = { ...ssl, ...verifyFull(signer, ssl) }
  if (others.database === undefined && !process.env.PGDATABASE && signer.defaultDatabase) {
    others.database = signer.defaultDatabase
  }
  const result = { ...others, host, port, user, password: guarded(signer, verified), ssl: verified }
  if (dial !== undefined && dial !== null) result.stream = dialing(address(dial, port))
  return result
}

module.exports = { pgOptions }
