'use strict'
// Loads the native half for this machine: one file in this folder, named after the platform, the
// architecture and, on Linux, the libc. This is part of a Lambda's cold start, so it starts no
// process, lists no folder and does not detect the libc: it tries glibc, the common one, first. A
// library does not load with the other libc.
//
// A bundler may move this code away from the library, or replace the library with its path.

const { platform, arch } = process
const machine = `${platform}-${arch}`
// An ES module has no __dirname, so a bundle may have none.
const place = typeof __dirname === 'string' ? ` in ${__dirname}` : ''
const ADVICE =
  "a bundler must leave the package rdsign out, or copy its .node file next to the bundle: see rdsign's docs/node.md"

function load() {
  const reasons = []
  for (const target of platform === 'linux' ? [`${machine}-gnu`, `${machine}-musl`] : [machine]) {
    const file = `rdsign.${target}.node`
    let loaded
    try {
      // Bundlers recognize this form, and copy the files that match it.
      loaded = require(`./rdsign.${target}.node`)
    } catch (cause) {
      const isMissing = cause.code === 'MODULE_NOT_FOUND'
      reasons.push(`${file} ${isMissing ? 'is not in this package' : `cannot be loaded: ${cause.message}`}`)
      continue
    }
    if (typeof loaded?.NativeSigner === 'function') return loaded
    throw new Error(`rdsign: a bundler put something else in the place of ${file}; ${ADVICE}`)
  }
  throw new Error(
    `rdsign: no library for platform ${platform}, architecture ${arch}${place}: ${reasons.join('; ')}; ${ADVICE}`
  )
}

module.exports = load()
