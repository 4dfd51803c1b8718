'use strict'
// Finds the native half for this machine: one file in this folder, named after platform,
// architecture and, on Linux, libc. No process is started, no folder is searched and no libc is
// looked up: this is a part of a Lambda's cold start, so the one that nearly everybody has is tried
// first, and it does not load on another.

const { platform, arch } = process
const machine = `${platform}-${arch}`

function load() {
  const reasons = []
  for (const target of platform === 'linux' ? [`${machine}-gnu`, `${machine}-musl`] : [machine]) {
    try {
      // In this form bundlers see which files may be meant, and can copy them.
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
