'use strict'
// Loads the native half for this machine. Each platform's is a package of its own, such as
// @rdsign/linux-x64-gnu: npm installs the one whose `os`, `cpu` and `libc` are the machine's.
//
// This is part of a Lambda's cold start, so it starts no process, lists no folder and does not detect
// the libc: it tries glibc, the common one, first. A library does not load with the other libc.

const { version } = require('./package.json')
const { platform, arch } = process
const machine = `${platform}-${arch}`
// An ES module has no __dirname, so a bundle may have none.
const place = typeof __dirname === 'string' ? ` in ${__dirname}` : ''
const INSTALL =
  'install without --omit=optional, or for another machine with its --os, --cpu and --libc; if npm still leaves it out, delete node_modules and package-lock.json first'
const BUNDLE =
  "a bundler must leave the package rdsign out, or copy the .node file next to the bundle: see rdsign's docs/node.md"

/** Returns whether a package is for the libc of this process. Takes milliseconds: only for an error. */
function fits(name) {
  const header = process.report?.getReport?.()?.header
  return name.endsWith(header && !header.glibcVersionRuntime ? '-musl' : '-gnu')
}

function load() {
  const missing = []
  const reasons = []
  for (const target of platform === 'linux' ? [`${machine}-gnu`, `${machine}-musl`] : [machine]) {
    const name = `@rdsign/${target}`
    let loaded
    try {
      // Bundlers recognize only a literal name. Within `try`, they accept one that is not installed.
      // Each name must be published: yarn 1 fails if it does not find an optional package.
      switch (target) {
        case 'linux-x64-gnu':
          loaded = require('@rdsign/linux-x64-gnu')
          break
        case 'linux-arm64-gnu':
          loaded = require('@rdsign/linux-arm64-gnu')
          break
        case 'linux-x64-musl':
          loaded = require('@rdsign/linux-x64-musl')
          break
        case 'linux-arm64-musl':
          loaded = require('@rdsign/linux-arm64-musl')
          break
        default:
          reasons.push(`there is no package ${name}`)
          continue
      }
    } catch (cause) {
      if (cause.code === 'MODULE_NOT_FOUND') missing.push(name)
      else reasons.push(`${name} cannot be loaded: ${cause.message}`)
      continue
    }
    if (typeof loaded?.NativeSigner !== 'function') {
      throw new Error(`rdsign: a bundler put something else in the place of ${name}; ${BUNDLE}`)
    }
    if (loaded.VERSION !== version) {
      const versions = `${name} has version ${loaded.VERSION}, and rdsign ${version}`
      throw new Error(`rdsign: ${versions}${place}; install both in the same version`)
    }
    return loaded
  }
  for (const name of missing.filter(fits)) reasons.unshift(`${name} is not installed; ${INSTALL}`)
  throw new Error(
    `rdsign: no library for platform ${platform}, architecture ${arch}${place}: ${reasons.join('; ')}; ${BUNDLE}`
  )
}

module.exports = load()
