'use strict'
// The options of a pg Client or Pool that logs in with a signer's tokens. pg itself says nothing
// where it drops a password function, so what makes it do that is refused here.

const { Socket } = require('node:net')
const { verifyFull } = require('./tls.js')

const OF_THE_SIGNER = ['host', 'port', 'user', 'password']

function refuse(name, reason) {
  throw new TypeError(`${name}: ${reason}`)
}

/** A socket that goes elsewhere than where pg sends it: pg keeps to the name it verifies. */
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
      'pg would take its password, or none, in place of a token; accepted: database and the like, one by one'
    )
  }
  if (process.env.NODE_PG_FORCE_NATIVE !== undefined) {
    refuse(
      'NODE_PG_FORCE_NATIVE',
      'is set, but pg.native calls no password function; accepted: pg without it'
    )
  }
  for (const name of OF_THE_SIGNER) {
    if (name in others) {
      refuse(
        name,
        "is the signer's; accepted: dial: { host, port } to connect to another place than the one that is signed for"
      )
    }
  }
  if (typeof ssl !== 'object' || ssl === null || ssl.rejectUnauthorized === false) {
    refuse(
      'ssl',
      'a token is a password, and goes to a verified server alone; accepted: an object, such as { ca }'
    )
  }
  const { hostname: host, port, username: user, password } = signer
  const result = { ...others, host, port, user, password, ssl: { ...verifyFull(signer, ssl), ...ssl } }
  if (dial !== undefined) result.stream = dialing({ port, ...dial })
  return result
}

module.exports = { pgOptions }
