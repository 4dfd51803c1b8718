// Loaded before a program of a guide, by NODE_OPTIONS. The program connects to the endpoint, or to a tunnel: it gets
// RDS on this machine at DIAL_PORT. Where it trusts the authorities of RDS, it also trusts that in DIAL_CA.
import { readFileSync } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import tls from 'node:tls'

const { DIAL_PORT, DIAL_CA } = process.env
const NAMES = new Map([
  ['mydb.abc123.eu-central-1.rds.amazonaws.com', 5432],
  ['127.0.0.1', 15432]
])

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (...args) {
  const [port, host] = args
  if (NAMES.get(host) !== Number(port)) return connect.apply(this, args)
  return connect.call(this, Number(DIAL_PORT), '127.0.0.1')
}

const [authority] = createRequire(`${process.cwd()}/`)('rdsign/ca.js').regions['eu-central-1']
const start = tls.connect
tls.connect = (options, ...more) => {
  const ofRds = Array.isArray(options?.ca) && options.ca.includes(authority)
  return start(ofRds ? { ...options, ca: [...options.ca, readFileSync(DIAL_CA, 'utf8')] } : options, ...more)
}
syncBuiltinESMExports()
