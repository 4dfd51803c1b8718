// Loaded before a program of a guide, by NODE_OPTIONS. The program connects to the endpoint, or to a tunnel: it gets
// RDS on this machine at DIAL_PORT, and trusts its authority, in DIAL_CA, as one of RDS.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'

const { DIAL_PORT, DIAL_CA } = process.env
const NAMES = new Map([
  ['mydb.abc123.eu-central-1.rds.amazonaws.com', 5432],
  ['db.example.com', 5432],
  ['127.0.0.1', 15432]
])

createRequire(`${process.cwd()}/`)('rdsign/ca.js').regions['eu-central-1'].push(readFileSync(DIAL_CA, 'utf8'))
const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...args) {
  const [port, host] = args
  if (NAMES.get(host) !== Number(port)) return connect.apply(this, args)
  return connect.call(this, Number(DIAL_PORT), '127.0.0.1')
}
