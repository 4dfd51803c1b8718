// Bundles a program with each setting in the table of docs/node.md, and logs in with the bundle. Settings
// that lose the library end with a message that says what to configure, or do not build.
//
// esbuild's are tested always, and the others by `make test-bundlers`, which sets RDSIGN_BUNDLERS.
import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { here, repository, run, startLocal } from './support.mjs'

const local = await startLocal(after)
const all = process.env.RDSIGN_BUNDLERS !== undefined
const env = {
  AWS_ACCESS_KEY_ID: local.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: local.credentials.secretAccessKey,
  DB_HOSTNAME: local.hostname,
  DB_PORT: String(local.port),
  DB_CA: local.ca,
  NEXT_TELEMETRY_DISABLED: '1'
}
const LOGIN = `
async function login() {
  const { DB_HOSTNAME: hostname, DB_PORT: port, DB_CA: ca } = process.env
  const signer = new Signer({ hostname, port, username: 'iam_user' })
  const options = pgOptions(signer, { database: 'testdb', dial: { host: '127.0.0.1' }, ssl: { ca } })
  const client = new pg.Client(options)
  await client.connect()
  const { rows } = await client.query('select current_user as name')
  await client.end()
  return rows[0].name
}
`
const IMPORTS = `import pg from 'pg'\nimport { pgOptions, Signer } from 'rdsign'\n${LOGIN}`
const PROGRAM = `${IMPORTS}\nlogin().then((name) => console.log(name))\n`

/** Returns the settings of a bundler in docs/node.md, in the order of its row. */
function settings(bundler) {
  const page = readFileSync(join(repository, 'docs/node.md'), 'utf8')
  const row = page.split('\n').find((line) => line.startsWith(`| ${bundler} | `))
  return [...row.matchAll(/`([^`]+)`/g)].map(([, code]) => code)
}

/** Splits arguments as a shell does. */
const words = (text) => text.match(/(?:[^\s"]|"[^"]*")+/g).map((word) => word.replaceAll('"', ''))

/** Calls `body` with a folder in which `program.mjs` can be bundled, and removes the folder. */
async function inFolder(files, body) {
  const work = mkdtempSync(join(here, 'bundle-'))
  try {
    for (const [name, text] of Object.entries({ 'program.mjs': PROGRAM, ...files })) {
      mkdirSync(join(work, name, '..'), { recursive: true })
      writeFileSync(join(work, name), text)
    }
    await body(work)
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** Runs a command line tool of the installed packages. */
async function tool(path, args, cwd) {
  const { status, stdout, stderr } = await run(args, { command: join(here, 'node_modules', path), cwd, env })
  assert.equal(status, 0, `${stdout}${stderr}`)
}

/** Checks that a tool does not bundle the library, and names it. */
async function refuses(path, args, cwd) {
  const { status, stdout, stderr } = await run(args, { command: join(here, 'node_modules', path), cwd, env })
  assert.notEqual(status, 0)
  assert.match(stdout + stderr, /@rdsign\/[\w-]+\/rdsign\.node/)
}

/** Runs the bundle in `dist`, moved to a folder without packages, or with only rdsign's packages if they were left out. */
async function deployed(work, { leftOut = false, lost = false } = {}) {
  const place = mkdtempSync(join(tmpdir(), 'rdsign-bundle-'))
  try {
    cpSync(join(work, 'dist'), place, { recursive: true })
    const names = readdirSync(place)
    const libraries = names.filter((name) => name.endsWith('.node'))
    if (leftOut) {
      assert.deepEqual(libraries, [])
      for (const name of ['node_modules/rdsign', 'node_modules/@rdsign']) {
        cpSync(join(here, name), join(place, name), { recursive: true })
      }
    }
    if (lost) for (const name of libraries) rmSync(join(place, name))
    return await run(
      [
        join(
          place,
          names.find((name) => /^program\.[cm]?js$/.test(name))
        )
      ],
      { cwd: place, env }
    )
  } finally {
    rmSync(place, { recursive: true })
  }
}

/** Checks that the bundle logs in. */
async function logsIn(work, options) {
  const { status, stdout, stderr } = await deployed(work, options)
  assert.deepEqual([status, stdout], [0, 'iam_user\n'], stderr)
}

/** Checks that the bundle says what to configure, and hides no reason. */
async function advises(work, options) {
  const { status, stderr } = await deployed(work, options)
  assert.equal(status, 1)
  assert.match(
    stderr,
    /a bundler must leave the package rdsign out, or copy the \.node file next to the bundle/
  )
  assert.doesNotMatch(stderr, /__dirname is not defined|is not a constructor/)
}

const ESBUILD = [
  'program.mjs',
  '--bundle',
  '--platform=node',
  '--external:pg-native',
  '--log-level=warning',
  '--outdir=dist'
]
const esbuild = (work, ...args) => tool('esbuild/bin/esbuild', [...ESBUILD, ...args], work)
const ESM = ['--format=esm', '--out-extension:.js=.mjs']

test('esbuild: the bundle logs in, and says what to configure without the library', () =>
  inFolder({}, async (work) => {
    await esbuild(work, ...settings('esbuild'))
    await logsIn(work)
    await advises(work, { lost: true })
  }))

test('esbuild, ES modules: the bundle logs in, and says what to configure without the library', () =>
  inFolder({}, async (work) => {
    await esbuild(work, ...ESM, ...words(settings('esbuild, ES modules')[0]))
    await logsIn(work)
    await advises(work, { lost: true })
  }))

for (const loader of ['file', 'empty']) {
  for (const format of ['cjs', 'esm']) {
    test(`esbuild's loader ${loader} loses the library, and the bundle says what to configure (${format})`, () =>
      inFolder({}, async (work) => {
        const banner = words(settings('esbuild, ES modules')[0])[1]
        await esbuild(work, `--loader:.node=${loader}`, ...(format === 'esm' ? [...ESM, banner] : []))
        await advises(work)
      }))
  }
}

test('CDK, NodejsFunction: the bundle logs in with both settings', () =>
  inFolder({}, async (work) => {
    const [loader, leftOut] = settings('CDK, NodejsFunction').map(
      (text) => runInNewContext(`({ ${text} })`).bundling
    )
    // CDK calls esbuild with these arguments.
    const args = ['program.mjs', '--bundle', '--target=node20', '--platform=node', '--external:@aws-sdk/*']
    args.push('--external:@smithy/*', '--external:pg-native', '--outfile=dist/program.js')
    const copied = Object.entries(loader.loader).map(([name, value]) => `--loader:${name}=${value}`)
    await tool('esbuild/bin/esbuild', [...args, ...copied], work)
    await logsIn(work)
    rmSync(join(work, 'dist'), { recursive: true })
    const external = leftOut.nodeModules.map((name) => `--external:${name}`)
    await tool('esbuild/bin/esbuild', [...args, ...external], work)
    await logsIn(work, { leftOut: true })
  }))

const more = { skip: all ? false : 'make test-bundlers runs it' }

test('webpack: the bundle logs in, and says what to configure with a path for the library', more, () => {
  const config = (setting) => `module.exports = {
    mode: 'production', target: 'node', entry: './program.mjs', ${setting},
    externals: { 'pg-native': 'commonjs pg-native' },
    optimization: { minimize: false }, output: { path: __dirname + '/dist', filename: 'program.js', publicPath: '' }
  }`
  const asPath = `module: { rules: [{ test: /\\.node$/, type: 'asset/resource' }] }`
  return inFolder(
    { 'webpack.config.cjs': config(settings('webpack')[0]), 'other.cjs': config(asPath) },
    async (work) => {
      await tool('webpack-cli/bin/cli.js', ['--config', 'webpack.config.cjs'], work)
      await logsIn(work)
      rmSync(join(work, 'dist'), { recursive: true })
      await tool('webpack-cli/bin/cli.js', ['--config', 'other.cjs'], work)
      await advises(work)
    }
  )
})

test('rollup: the bundle logs in, and without the setting the build names the library', more, () => {
  const config = (external) => `import commonjs from '@rollup/plugin-commonjs'
    import json from '@rollup/plugin-json'
    import { nodeResolve } from '@rollup/plugin-node-resolve'
    export default {
      input: 'program.mjs', ${external}, output: { file: 'dist/program.mjs', inlineDynamicImports: true },
      plugins: [commonjs({ ignore: ['pg-native', 'pg-cloudflare'] }), json(), nodeResolve({ preferBuiltins: true })]
    }`
  const files = { 'rollup.config.mjs': config(settings('rollup')[0]), 'other.mjs': config('external: []') }
  return inFolder(files, async (work) => {
    await tool('rollup/dist/bin/rollup', ['--silent', '--config', 'rollup.config.mjs'], work)
    await logsIn(work, { leftOut: true })
    await refuses('rollup/dist/bin/rollup', ['--config', 'other.mjs'], work)
  })
})

test('Vite, SSR: the bundle logs in, and without the setting the build names the library', more, () => {
  const config = (ssr) => `export default {
    logLevel: 'error', ssr: { ${ssr} },
    build: { ssr: 'program.mjs', outDir: 'dist', commonjsOptions: { ignore: ['pg-native'] } }
  }`
  const [inside, leftOut] = settings('Vite, SSR')
  const files = {
    'vite.config.mjs': config(`${inside}, ${leftOut}`),
    'other.mjs': config(inside),
    'plain.mjs': config('')
  }
  return inFolder(files, async (work) => {
    const build = (config) => tool('vite/bin/vite.js', ['build', '--config', config], work)
    await build('vite.config.mjs')
    await logsIn(work, { leftOut: true })
    await build('plain.mjs')
    const bundled = readFileSync(join(work, 'dist', readdirSync(join(work, 'dist'))[0]), 'utf8')
    assert.match(bundled, /from ["']rdsign["']/)
    await refuses('vite/bin/vite.js', ['build', '--config', 'other.mjs'], work)
  })
})

const BUN_SQL = `import { SQL } from 'bun'
import { Signer, verifyFull } from 'rdsign'
const { DB_HOSTNAME, DB_PORT: port, DB_CA: ca } = process.env
for (const hostname of [DB_HOSTNAME, 'other.abc123.eu-central-1.rds.amazonaws.com']) {
  const signer = new Signer({ hostname, port, username: 'iam_user' })
  const { username, password } = signer
  const tls = verifyFull(signer, { ca })
  const to = { adapter: 'postgres', hostname: '127.0.0.1', port, username, password, tls, database: 'testdb' }
  const sql = new SQL(to)
  try {
    console.log((await sql.unsafe('select current_user as name'))[0].name)
  } catch (error) {
    console.log(error.code)
  }
  await sql.close()
}
process.exit()
`

test('Bun: the bundle and the program log in, and the bundle says what to configure', more, () =>
  inFolder({ 'bun-sql.mjs': BUN_SQL }, async (work) => {
    const bun = `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`
    const args = ['build', 'program.mjs', '--target=node', '--outdir=dist', '--external=pg-native']
    await tool(bun, [...args, ...settings('Bun')[0].split(' ').slice(2)], work)
    await logsIn(work, { leftOut: true })
    await tool(bun, args, work)
    await advises(work, { lost: true })
    // Bun itself runs the program without a bundle, and its own driver verifies the endpoint's name.
    for (const [program, shown] of [
      ['program.mjs', 'iam_user\n'],
      ['bun-sql.mjs', 'iam_user\nERR_TLS_CERT_ALTNAME_INVALID\n']
    ]) {
      const { stdout, stderr } = await run([program], {
        command: join(here, 'node_modules', bun),
        cwd: work,
        env
      })
      assert.equal(stdout, shown, stderr)
    }
  })
)

test('Deno: the program logs in with few permissions', more, () =>
  inFolder({}, async (work) => {
    const deno = `@deno/linux-${process.arch}-glibc/deno`
    const allowed = ['ffi', 'env', 'read', 'net', 'sys'].map((name) => `--allow-${name}`)
    const { stdout, stderr } = await run(['run', ...allowed, '--node-modules-dir=manual', 'program.mjs'], {
      command: join(here, 'node_modules', deno),
      cwd: work,
      env
    })
    assert.equal(stdout, 'iam_user\n', stderr)
  })
)

test('Next.js: a page logs in', more, () => {
  const files = {
    'next.config.mjs': `export default { ${settings('Next.js')[0]} }`,
    'package.json': '{ "name": "next-app", "private": true }',
    'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>',
    'app/page.js': `${IMPORTS}\nexport const dynamic = 'force-dynamic'\nexport default async () => <p>{await login()}</p>`
  }
  return inFolder(files, async (work) => {
    await tool('next/dist/bin/next', ['build'], work)
    assert(existsSync(join(work, '.next')))
    const program = `
      const next = require('next')
      const app = next({ dev: false, dir: ${JSON.stringify(work)} })
      app.prepare().then(() => {
        const handle = app.getRequestHandler()
        const server = require('node:http').createServer((request, response) => handle(request, response))
        server.listen(0, '127.0.0.1', async () => {
          const page = await fetch('http://127.0.0.1:' + server.address().port)
          console.log(/<p>(.*?)<\\/p>/.exec(await page.text())?.[1])
          process.exit()
        })
      })`
    const { stdout, stderr } = await run(['-e', program], { env: { ...env, NODE_ENV: 'production' } })
    assert.equal(stdout.trim().split('\n').at(-1), 'iam_user', stderr)
  })
})
