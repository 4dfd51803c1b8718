'use strict'
// TLS options that verify an RDS server. Its certificates come from authorities that Node does not
// include. Each connection parses all authorities it is given, a third of a millisecond each, so it
// gets only those of its region instead of all 92. packaging/pack makes ca.js.

const { isIP } = require('node:net')
const { regions, everywhere } = require('./ca.js')

function certificatesFor(region) {
  const ofRegion = regions[region]
  // The package has no authorities of a newer region: it tries all.
  return ofRegion ? [...ofRegion, ...everywhere] : [...Object.values(regions).flat(), ...everywhere]
}

function verifyFull(signer, { ca } = {}) {
  const options = { ca: ca ?? certificatesFor(signer.region), rejectUnauthorized: true }
  const name = signer.hostname.replace(/\.$/, '')
  // An IP address is not a server name (RFC 6066). Node compares it with the certificate anyway.
  return isIP(name) || name.startsWith('[') ? options : { ...options, servername: name }
}

module.exports = { verifyFull }
