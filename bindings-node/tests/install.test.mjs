// Installs the packages with npm into empty folders: from files, and from a registry that has a package for
// each platform. Programs that sign are run with what was installed.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, test } from 'node:test'
import { output, repository, run } from './support.mjs'

assert(process.env.RDSIGN_TGZ, 'RDSIGN_TGZ is not set: run the tests with `make test-node`')
const files = process.env.RDSIGN_TGZ.split(' ')
const work = mkdtempSync(join(tmpdir(), 'rdsign-install-'))
after(() => rmSync(work, { recursive: true }))
const [mine] = files.map((file) => /^rdsign-([a-z].*)-\d/.exec(basename(file))?.[1]).filter(Boolean)

// npm 9 ignores --libc, and installs the packages for both libcs.
const [major, minor] = (await output(['-v'], { command: 'npm' })).split('.').map(Number)
const choosesLibc = major > 10 || (major === 10 && minor >= 3)
const needsLibc = { skip: choosesLibc ? false : `npm ${major}.${minor} does not have --libc` }

/** Returns the description of a package in a file. */
const about = (file) =>
  JSON.parse(execFileSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8' }))
const main = files.find((file) => about(file).name === 'rdsign')
const { optionalDependencies, version } = about(main)

/** What the registry has: the files under test, and for other platforms packages with an empty library. */
const packages = new Map(files.map((file) => [about(file).name, file]))
const dist = join(work, 'dist')
mkdirSync(dist)
for (const file of files) copyFileSync(file, join(dist, basename(file)))
for (const name of Object.keys(optionalDependencies)) {
  if (packages.has(name)) continue
  const [os, cpu, libc] = name.split('/')[1].split('-')
  const folder = join(work, 'packages', name, 'package')
  const libcs = [libc === 'gnu' ? 'glibc' : libc]
  const description = { name, version, os: [os], cpu: [cpu], libc: libcs, main: './rdsign.node' }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify(description))
  writeFileSync(join(folder, 'rdsign.node'), '')
  const file = join(dist, `${name.slice(1).replace('/', '-')}-${version}.tgz`)
  execFileSync('tar', ['-czf', file, '-C', join(folder, '..'), 'package'])
  packages.set(name, file)
}

const registry = createServer((request, response) => {
  const name = decodeURIComponent(request.url.slice(1))
  const file = packages.get(name.replace(/\.tgz$/, ''))
  if (!file) {
    response.writeHead(404).end('{}')
  } else if (name.endsWith('.tgz')) {
    response.end(readFileSync(file))
  } else {
    const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
    const tarball = `http://${request.headers.host}/${name}.tgz`
    const versions = { [version]: { ...about(file), dist: { integrity, tarball } } }
    response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions }))
  }
})
await new Promise((resolve) => registry.listen(0, '127.0.0.1', resolve))
after(() => registry.close())
const address = `http://127.0.0.1:${registry.address().port}`

let folders = 0

/** Installs packages into an empty folder with dist/. Returns it, and the names of the installed libraries. */
async function install(...args) {
  const folder = join(work, `${++folders}`)
  mkdirSync(folder)
  symlinkSync(dist, join(folder, 'dist'))
  const options = ['--no-audit', '--no-fund', '--no-update-notifier', `--cache=${join(work, 'cache')}`]
  const command = ['install', ...options, `--registry=${address}`, ...args]
  const { status, stdout, stderr } = await run(command, { command: 'npm', cwd: folder })
  assert.equal(status, 0, `${stdout}${stderr}`)
  const modules = join(folder, 'node_modules')
  const scopes = readdirSync(modules).filter((name) => !name.startsWith('.'))
  assert.deepEqual(
    scopes.filter((name) => name !== '@rdsign'),
    ['rdsign']
  )
  return { folder, libraries: scopes.includes('@rdsign') ? readdirSync(join(modules, '@rdsign')) : [] }
}

const PROGRAM = `
  const { Signer } = require('rdsign')
  const signer = new Signer({ hostname: 'prod-instance.us-east-1.rds.amazonaws.com', port: 3306, username: 'peccy',
    accessKeyId: 'akid', secretAccessKey: 'secret' })
  console.log(signer.tokenSync({ signingTime: new Date(1724709600_000) }).value.slice(-64))`
const SIGNATURE = 'dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89\n'

const signs = async (folder) => assert.equal(await output(['-e', PROGRAM], { cwd: folder }), SIGNATURE)

/** The commands of the pages that install files, for this machine: they differ in the library. */
const ofFiles = new Set(
  ['README.md', 'README.ja.md', 'docs/node.md', 'docs/platforms.md'].flatMap((page) => {
    const commands = readFileSync(join(repository, page), 'utf8').matchAll(/`npm install ([^-`][^`]*)`/g)
    return [...commands].map(([, files]) => files.replace(/linux-\w+-(gnu|musl)/, mine))
  })
)
for (const command of ofFiles) {
  test(`the files install without a registry, and sign the known token: ${command}`, async () => {
    const { folder, libraries } = await install('--offline', ...command.split(' '))
    assert.deepEqual(libraries, [mine])
    await signs(folder)
  })
}

test('from a registry, npm installs the library of this machine, and locks all', needsLibc, async () => {
  const { folder, libraries } = await install('rdsign')
  assert.deepEqual(libraries, [mine])
  await signs(folder)
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'))
  const locked = Object.keys(packages).filter((path) => path.startsWith('node_modules/@rdsign/'))
  assert.deepEqual(
    locked.map((path) => path.replace('node_modules/', '')).sort(),
    Object.keys(optionalDependencies).sort()
  )
})

/** The arguments of `npm install` in a page, which the pattern finds. */
const documented = (page, pattern) =>
  pattern
    .exec(readFileSync(join(repository, page), 'utf8'))[1]
    .replaceAll('`', '')
    .split(' ')

for (const [library, ...machine] of [
  ['linux-arm64-gnu', ...documented('docs/node.md', /^```sh\nnpm install (.*)\n```$/m)],
  ['linux-x64-musl', '--os=linux', '--cpu=x64', '--libc=musl']
]) {
  test(`npm fetches the library of another machine, and no other: ${library}`, needsLibc, async () => {
    const { libraries } = await install(...machine, 'rdsign')
    assert.deepEqual(libraries, [library])
  })
}

test('on any machine, the files for a Lambda on Graviton install as docs/platforms.md says', async () => {
  const args = documented('docs/platforms.md', /^\| Lambda on Graviton, Node \| `npm install (.*)`/m)
  const { libraries } = await install('--offline', ...args)
  assert.deepEqual(libraries, ['linux-arm64-gnu'])
})

test('on a Mac, rdsign installs without a library', needsLibc, async () => {
  const { libraries } = await install('--os=darwin', '--cpu=arm64', 'rdsign')
  assert.deepEqual(libraries, [])
})

test('if npm leaves the library out, the error names its package', async () => {
  const { folder, libraries } = await install('--omit=optional', 'rdsign')
  assert.deepEqual(libraries, [])
  const { stderr, status } = await run(['-e', PROGRAM], { cwd: folder })
  assert.equal(status, 1)
  assert(stderr.includes(`: @rdsign/${mine} is not installed; install without --omit=optional`), stderr)
})
