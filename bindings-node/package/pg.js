'use strict'
// Options of a pg Client or Pool that logs in with a signer's tokens. Some options make pg ignore the
// password function without an error, so this module rejects them.

const { Socket } = require('node:net')
const { verifyFull } = require('./tls.js')

const SET_BY_SIGNER = ['host', 'port', 'user', 'password']

function refuse(name, reason) {
  throw new TypeError(`${name}: ${reason}`)
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
  const { dial, ssl = {}, ...others } = options
  if ('connectionString' in others) {
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
  for (const name of SET_BY_SIGNER) {
    if (name in others) {
      refuse(
        name,
        'is set by the signer; accepted: dial: { host, port }, to connect to another address than the endpoint'
      )
    }
  }
  if (typeof ssl !== 'object' || ssl === null || ssl.rejectUnauthorized === false) {
    refuse(
      'ssl',
      'a token is a password, and is sent only to a verified server; accepted: an object, such as { ca }'
    )
  }
  const { hostname: host, port, username: user, password } = signer
  const result = { ...others, host, port, user, password, ssl: { ...verifyFull(signer, ssl), ...ssl } }
  if (dial !== undefined) result.stream = dialing({ port, ...dial })
  return result
}

module.exports = { pgOptions }
