'use strict'
// TLS options that verify an RDS server. Its certificates come from authorities that Node does not
// include. Each connection parses all authorities it is given, a third of a millisecond each, so it
// gets only those of its region instead of all 92. packaging/pack makes ca.js.

const { isIP } = require('node:net')
const { checkServerIdentity } = require('node:tls')
const { requireSigner } = require('./refuse.js')
const { regions, everywhere } = require('./ca.js')

function certificatesFor(region) {
  const ofRegion = regions[region]
  // The package has no authorities of a newer region: it tries all.
  return ofRegion ? [...ofRegion, ...everywhere] : [...Object.values(regions).flat(), ...everywhere]
}

function verifyFull(signer, { ca } = {}) {
  requireSigner(signer)
  const name = signer.hostname.replace(/\.$/, '').replace(/^\[(.*)\]$/, '$1')
  return {
    // An empty text would make Node trust all public authorities.
    ca: ca || certificatesFor(signer.region),
    rejectUnauthorized: true,
    // An IP address is not a server name (RFC 6066).
    ...(isIP(name) ? {} : { servername: name }),
    // Drivers replace `servername` with the host that they connect to. The token is for this one.
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate)
  }
}

module.exports = { verifyFull }
