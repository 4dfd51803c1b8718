// The installed package: its entries, its types, and its errors if the library is missing.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import * as esm from 'rdsign'
import { endpoint, here, keys, output, run } from './support.mjs'

const installed = join(here, 'node_modules/rdsign')
const require = createRequire(import.meta.url)
const ENTRIES = ['index', 'pg', 'tls', 'aws-sdk-v2', 'dsql-signer']

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

test('the package has no dependencies and no install scripts', () => {
  const about = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  assert.deepEqual(
    [about.dependencies, about.scripts, about.os, about.cpu],
    [undefined, undefined, undefined, undefined]
  )
})

test('the error for a missing or broken library names it, the platform and the architecture', async () => {
  await withCopy(async (copy, library) => {
    const { platform, arch } = process
    const place = new RegExp(
      `no library for platform ${platform}, architecture ${arch} in ${copy}: .*rdsign\\.${platform}-${arch}`
    )
    writeFileSync(library, 'not a library')
    const broken = await run(['-e', `require(${JSON.stringify(copy)})`])
    assert.match(broken.stderr, /cannot be loaded: /)
    assert.match(broken.stderr, place)
    renameSync(library, join(copy, 'rdsign.sunos-x64.node'))
    const missing = await run(['-e', `require(${JSON.stringify(copy)})`])
    assert.match(missing.stderr, /is not in this package/)
    assert.match(missing.stderr, place)
  })
})

test("if glibc's library does not load, musl's is tried", {
  skip: process.platform !== 'linux'
}, async () => {
  await withCopy(async (copy, library) => {
    renameSync(library, library.replace('-gnu.', '-musl.'))
    for (const broken of [undefined, 'not a library']) {
      if (broken) writeFileSync(library, broken)
      const { stdout, stderr } = await run([
        '-e',
        `console.log(typeof require(${JSON.stringify(copy)}).Signer)`
      ])
      assert.deepEqual([stdout, stderr], ['function\n', ''])
    }
  })
})

test('macOS and Windows load the library that has their name', async () => {
  await withCopy(async (copy, library) => {
    for (const [platform, arch] of [
      ['darwin', 'arm64'],
      ['darwin', 'x64'],
      ['win32', 'arm64'],
      ['win32', 'x64']
    ]) {
      const named = join(copy, `rdsign.${platform}-${arch}.node`)
      renameSync(library, named)
      library = named
      const machine = { platform: { value: platform }, arch: { value: arch } }
      const { stdout, stderr } = await run([
        '-e',
        `Object.defineProperties(process, ${JSON.stringify(machine)})
        console.log(typeof require(${JSON.stringify(copy)}).Signer)`
      ])
      assert.deepEqual([stdout, stderr], ['function\n', ''], named)
    }
  })
})

/** Calls `body` with a copy of the installed package, and the path of its library. */
async function withCopy(body) {
  const folder = mkdtempSync(join(here, 'broken-'))
  try {
    const copy = join(folder, 'rdsign')
    cpSync(installed, copy, { recursive: true })
    await body(
      copy,
      join(
        copy,
        readdirSync(copy).find((name) => name.endsWith('.node'))
      )
    )
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
