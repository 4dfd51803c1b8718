// The installed packages: their entries, types and dependencies, and the errors if the library is missing.
import assert from 'node:assert/strict'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as esm from 'rdsign'
import { endpoint, here, keys, output, repository, run } from './support.mjs'

const installed = join(here, 'node_modules/rdsign')
const require = createRequire(import.meta.url)
const libc = process.platform === 'linux' ? '-gnu' : ''
const LIBRARY = `@rdsign/${process.platform}-${process.arch}${libc}`
const ENTRIES = ['index', 'pg', 'tls', 'aws-sdk-v2', 'dsql-signer', 'testing']

test('ESM and CommonJS get the same objects', async () => {
  const cjs = require('rdsign')
  const { Signer, Token, RdsignError } = esm
  assert.deepEqual([Signer, Token, RdsignError], [cjs.Signer, cjs.Token, cjs.RdsignError])
  assert.equal(esm.default, cjs)
  for (const entry of ENTRIES) {
    const required = require(`rdsign/${entry}`)
    const imported = await import(`rdsign/${entry}.js`)
    assert.equal(imported.default, required)
    for (const [name, value] of Object.entries(required))
      assert.equal(imported[name], value, `${entry}: ${name}`)
  }
})

test('pgOptions and verifyFull of the main entry load their modules when they are called first', async () => {
  const loaded = `Object.keys(require.cache).map((path) => require('path').basename(path)).filter((name) => /^(ca|pg|tls)\\.js$/.test(name)).sort().join()`
  const program = (start) => `${start}
    console.log(${loaded})
    const signer = new Signer(${JSON.stringify({ ...endpoint, ...keys })})
    verifyFull(signer)
    console.log(${loaded})
    console.log(pgOptions(signer).host, verifyFull(signer).servername)`
  const { hostname } = endpoint
  const shown = `\nca.js,tls.js\n${hostname} ${hostname}\n`
  const names = '{ Signer, pgOptions, verifyFull }'
  assert.equal(await output(['-e', program(`const ${names} = require('rdsign')`)]), shown)
  const module = program(`import ${names} from 'rdsign'; import { createRequire } from 'node:module'
    const require = createRequire(process.cwd() + '/x.js')`)
  assert.equal(await output(['--input-type=module', '-e', module]), shown)
})

test('a strict TypeScript program compiles with every resolution of modules', async () => {
  const common = ['--noEmit', '--strict', '--types', 'node', '--target', 'es2022']
  const as = join(here, 'consumer.mts')
  cpSync(join(here, 'consumer.ts'), as)
  try {
    for (const [version, module, resolution, ...more] of [
      ['typescript', 'nodenext', 'nodenext'],
      ['typescript', 'esnext', 'bundler'],
      ['typescript', 'commonjs', 'bundler'],
      // Newer versions do not have this one. This version takes long to check the types of all packages.
      ['typescript-5', 'commonjs', 'node10', '--skipLibCheck']
    ]) {
      const tsc = join(here, 'node_modules', version, 'bin/tsc')
      const modules = ['--module', module, '--moduleResolution', resolution]
      const args = [tsc, ...common, ...modules, ...more, 'consumer.ts', as]
      const { stdout } = await run(args)
      assert.equal(stdout, '', `${version}, ${module}, ${resolution}`)
    }
  } finally {
    rmSync(as)
  }
})

/** Returns the public names of a class and its instances. */
function members(Class, instance) {
  const names = [...Object.getOwnPropertyNames(Class.prototype), ...Object.getOwnPropertyNames(instance)]
  return [...new Set(names)]
    .filter((name) => name !== 'constructor' && name !== 'stack' && name !== 'message')
    .sort()
}

/** Returns the names that a class in a .d.ts file declares. */
function declared(types, name) {
  const body = new RegExp(`^export class ${name} .*?\\{\\n(.*?)^\\}`, 'ms').exec(types)[1]
  const names = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:?]/gm)].map(([, member]) => member)
  return [...new Set(names)].filter((member) => member !== 'constructor').sort()
}

test('the types declare exactly the exports and members of the package', () => {
  for (const entry of ENTRIES) {
    const types = readFileSync(join(installed, `${entry}.d.ts`), 'utf8')
    const own = [...types.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, name]) => name)
    const others = [...types.matchAll(/^export \{(.*)\} from/gm)].flatMap(([, names]) =>
      names.match(/(?<!type )\b[a-z]\w+/g)
    )
    const exported = [...own, ...others.filter((name) => name !== 'type')]
    assert.deepEqual(
      Object.keys(require(entry === 'index' ? 'rdsign' : `rdsign/${entry}`)).sort(),
      exported.sort(),
      entry
    )
  }
  const types = readFileSync(join(installed, 'index.d.ts'), 'utf8')
  const signer = new esm.Signer({ ...endpoint, ...keys })
  let error
  try {
    new esm.Signer({})
  } catch (thrown) {
    error = thrown
  }
  assert.deepEqual(members(esm.Signer, signer), declared(types, 'Signer'))
  assert.deepEqual(members(esm.Token, signer.tokenSync()), declared(types, 'Token'))
  assert.deepEqual(members(esm.RdsignError, error), declared(types, 'RdsignError'))
  const options = /^export interface SignerOptions \{\n(.*?)^\}/ms.exec(types)[1]
  const names = [...options.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name]) => name)
  assert.throws(
    () => new esm.Signer({ x: 1 }),
    (thrown) => {
      assert.deepEqual(thrown.message.split('accepted: ')[1].split(', ').sort(), names.sort())
      return true
    }
  )
})

test('the page of the package on npm has a text and a link to the repository', () => {
  const about = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  assert.match(about.repository.url, /^git\+https:\/\/github\.com\//)
  assert.match(readFileSync(join(installed, 'README.md'), 'utf8'), /^# rdsign\n/)
})

test('the package depends only on its own libraries, in its version, and runs no install scripts', () => {
  const about = require('rdsign/package.json')
  const literals = readFileSync(join(installed, 'index.js'), 'utf8').matchAll(/require\('(@rdsign\/.*)'\)/g)
  const names = [...literals].map(([, name]) => [name, about.version])
  // Those that `make dist PLATFORMS=all` makes: some installers fail if a package does not exist.
  const made = /^ALL_PLATFORMS := (.*)$/m.exec(readFileSync(join(repository, 'Makefile'), 'utf8'))[1]
  assert.equal(names.length, made.split(' ').length)
  assert.deepEqual(about.optionalDependencies, Object.fromEntries(names))
  assert.equal(about.optionalDependencies[LIBRARY], about.version)
  assert.deepEqual(
    [about.dependencies, about.scripts, about.os, about.cpu],
    [undefined, undefined, undefined, undefined]
  )
})

test('the package of a library is for one platform, and has nothing but the library', () => {
  const about = require(`${LIBRARY}/package.json`)
  assert.deepEqual([about.os, about.cpu], [[process.platform], [process.arch]])
  if (process.platform === 'linux') assert.deepEqual(about.libc, ['glibc'])
  assert.equal(about.version, require('rdsign/package.json').version)
  assert.deepEqual([about.dependencies, about.scripts], [undefined, undefined])
  const files = readdirSync(join(here, 'node_modules', LIBRARY)).sort()
  assert.deepEqual(files, ['LICENSE', 'README.md', 'package.json', 'rdsign.node'])
})

test('the error for a missing package names it and the platform, and says how to install it', async () => {
  await withCopy(async ({ place, fails, rename }) => {
    const { platform, arch } = process
    const start = `Error: rdsign: no library for platform ${platform}, architecture ${arch} in ${place}/rdsign: `
    rename('@rdsign/sunos-x64')
    const missing = await fails()
    assert(
      missing.includes(`${start}${LIBRARY} is not installed; install without --omit=optional, or`),
      missing
    )
    assert.match(missing, /delete node_modules and package-lock\.json first/)
    assert.doesNotMatch(missing, /cannot be loaded|-musl/)
  })
})

test('the error for a broken library says why it does not load, and nothing about installing', async () => {
  await withCopy(async ({ place, fails }) => {
    const library = join(place, LIBRARY, 'rdsign.node')
    writeFileSync(library, 'not a library')
    const broken = await fails()
    assert(broken.includes(`: ${LIBRARY} cannot be loaded: ${library}: `), broken)
    assert.doesNotMatch(broken, /is not installed|--omit/)
  })
})

test('a machine that rdsign has no library for gets the name of its platform', async () => {
  await withCopy(async ({ fails }) => {
    for (const [platform, arch] of [
      ['freebsd', 'x64'],
      ['darwin', 'arm64'],
      ['win32', 'x64']
    ]) {
      const named = `no library for platform ${platform}, architecture ${arch} in .*: there is no package @rdsign/${platform}-${arch};`
      assert.match(await fails({ platform, arch }), new RegExp(named))
    }
  })
})

test('a library of another version is refused', async () => {
  await withCopy(async ({ place, fails }) => {
    const { version } = require('rdsign/package.json')
    const file = join(place, 'rdsign/index.js')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(`"version":"${version}"`, '"version":"9.9.9"'))
    const message = await fails()
    assert(message.includes(`${LIBRARY} has version ${version}, and rdsign 9.9.9 in ${place}`), message)
    assert.match(message, /install both in the same version/)
  })
})

test("if glibc's library is missing or does not load, musl's is tried", {
  skip: process.platform !== 'linux'
}, async () => {
  await withCopy(async ({ place, loads, rename }) => {
    rename(LIBRARY.replace('-gnu', '-musl'))
    await loads()
    mkdirSync(join(place, LIBRARY))
    writeFileSync(join(place, LIBRARY, 'index.node'), 'not a library')
    await loads()
  })
})

/** Calls `body` with a copy of the installed packages, and with functions that load it in a new process. */
async function withCopy(body) {
  // Not in the tests' folder: Node would find the packages that are installed there.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rdsign-copy-')))
  const place = join(folder, 'node_modules')
  const load = (machine) => {
    const values = Object.entries(machine).map(([name, value]) => [name, { value }])
    const properties = JSON.stringify(Object.fromEntries(values))
    const program = `console.log(typeof require(${JSON.stringify(join(place, 'rdsign'))}).Signer)`
    return run(['-e', `Object.defineProperties(process, ${properties})\n${program}`])
  }
  let library = LIBRARY
  try {
    for (const name of ['rdsign', LIBRARY]) {
      cpSync(join(here, 'node_modules', name), join(place, name), { recursive: true })
    }
    await body({
      place,
      rename(to) {
        renameSync(join(place, library), join(place, to))
        library = to
      },
      async loads(machine = {}) {
        const { stdout, stderr } = await load(machine)
        assert.deepEqual([stdout, stderr], ['function\n', ''], JSON.stringify(machine))
      },
      async fails(machine = {}) {
        const { status, stderr } = await load(machine)
        assert.equal(status, 1)
        return stderr
      }
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('verifyFull has the authorities of the region, or all for an unknown region', () => {
  const { verifyFull } = require('rdsign/tls')
  const of = (hostname, region) => verifyFull(new esm.Signer({ ...endpoint, ...keys, hostname, region }))
  const one = of(endpoint.hostname)
  const all = of('mydb.example', 'xx-none-1')
  assert(one.ca.length < 15 && all.ca.length > 80)
  assert.deepEqual(
    [one.servername, all.servername, one.rejectUnauthorized],
    [endpoint.hostname, 'mydb.example', true]
  )
  assert.equal(of('[::1]', 'us-east-1').servername, undefined)
})
