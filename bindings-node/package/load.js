'use strict'
// Loads the native half for this machine: one file in this folder, named after the platform, the
// architecture and, on Linux, the libc. This is part of a Lambda's cold start, so it starts no
// process, lists no folder and does not detect the libc: it tries glibc, the common one, first. A
// library does not load with the other libc.

const { platform, arch } = process
const machine = `${platform}-${arch}`

function load() {
  const reasons = []
  for (const target of platform === 'linux' ? [`${machine}-gnu`, `${machine}-musl`] : [machine]) {
    try {
      // Bundlers recognize this form, and copy the files that match it.
      return require(`./rdsign.${target}.node`)
    } catch (cause) {
      const isMissing = cause.code === 'MODULE_NOT_FOUND'
      reasons.push(
        `rdsign.${target}.node ${isMissing ? 'is not in this package' : `cannot be loaded: ${cause.message}`}`
      )
    }
  }
  throw new Error(
    `rdsign: no library for platform ${platform}, architecture ${arch} in ${__dirname}: ${reasons.join('; ')}`
  )
}

module.exports = load()
