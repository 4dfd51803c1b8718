// rdsign/testing.js: what a database of a test can do, and that no server is left behind.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import { RdsLocal, RdsLocalError } from 'rdsign/testing.js'
import { environment, here, output, run, startLocal, until } from './support.mjs'

const server = await startLocal(after)

/** Runs `body` with a new database. */
async function withDatabase(body, options) {
  const rds = await server.createDatabase(options)
  try {
    await body(rds)
  } finally {
    await server.clock.reset()
    await rds.drop()
  }
}

async function query(options, sql = 'select current_user as name, current_database() as database') {
  const client = new pg.Client(options)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Logs in, which the server must refuse. Returns why. */
async function refused(rds, options) {
  const before = await rds.refusals()
  await assert.rejects(query(options), /PAM authentication failed/)
  const [refusal, ...more] = await rds.refusals(before.at(-1)?.number)
  assert.deepEqual(more, [])
  assert.equal(refusal.username, rds.username)
  return refusal.id
}

test('each database has a user of its own, who creates tables there and logs in as nobody else', async () => {
  await withDatabase(async (one) => {
    await withDatabase(async (two) => {
      for (const rds of [one, two]) {
        const [logged] = await query(rds.pgOptions())
        assert.deepEqual(logged, { name: rds.username, database: rds.database })
        await query(rds.pgOptions(), 'create table t (a int)')
      }
      assert.notEqual(one.username, two.username)
      const other = { username: two.username, ...one.credentials }
      const password = await one.signer(other).password()
      assert.equal(await refused(two, { ...two.pgOptions(), password }), 'not-allowed')
      assert.deepEqual(await one.refusals(), [])
    })
  })
})

test('a dropped database is gone, even with open connections', async () => {
  const rds = await server.createDatabase()
  const client = new pg.Client(rds.pgOptions())
  client.on('error', () => {})
  await client.connect()
  await rds.drop()
  await rds.drop()
  const found = `select datname from pg_database where datname = '${rds.database}'`
  const role = `select rolname from pg_roles where rolname = '${rds.username}'`
  assert.deepEqual([await server.sql(found), await server.sql(role)], [[], []])
})

test('a database is a copy of its template', async () => {
  await withDatabase(async (template) => {
    await template.sql("create table t as select 'copied' as a")
    await withDatabase(
      async (copy) => assert.deepEqual(await copy.sql('select a from t'), [{ a: 'copied' }]),
      { template: template.database }
    )
  })
})

test('after the clock was advanced, an old token has expired, and a new one logs in', async () => {
  await withDatabase(async (rds) => {
    const password = await rds.signer().password()
    const time = await rds.clock.now()
    const later = await rds.clock.advance({ minutes: 15, seconds: 60 })
    assert(later - time >= 16 * 60_000, `${later}`)
    assert.equal(await refused(rds, { ...rds.pgOptions(), password }), 'expired')
    const [{ name }] = await query(rds.pgOptions())
    assert.equal(name, rds.username)
    const { expiresAt } = rds.signer().tokenSync()
    assert(expiresAt - later >= 14 * 60_000, `${expiresAt}`)
    await rds.clock.reset()
    await query({ ...rds.pgOptions(), password })
  })
})

test('a denied user is refused until it is allowed again', async () => {
  await withDatabase(async (rds) => {
    await rds.policy.deny()
    assert.equal(await refused(rds, rds.pgOptions()), 'not-allowed')
    await rds.policy.allow()
    await query(rds.pgOptions())
    await server.policy.deny(rds.username)
    assert.equal(await refused(rds, rds.pgOptions()), 'not-allowed')
  })
})

test('what a database denied to another user is taken back when it is dropped', async () => {
  const before = readFileSync(server.config, 'utf8')
  const rds = await server.createDatabase()
  await rds.policy.deny(server.username)
  await rds.policy.deny()
  await assert.rejects(query(server.pgOptions()), /PAM authentication failed/)
  assert.equal((await server.refusals()).at(-1).id, 'not-allowed')
  await rds.drop()
  await query(server.pgOptions())
  assert.equal(readFileSync(server.config, 'utf8'), before)
})

test('tokens of an expired key and of a replaced key are refused', async () => {
  await withDatabase(async (rds) => {
    const old = rds.pgOptions()
    await rds.keys.replace()
    assert.equal(await refused(rds, old), 'unknown-access-key')
    await query(rds.pgOptions())
    const { accessKeyId } = rds.credentials
    assert.equal(rds.env.AWS_ACCESS_KEY_ID, accessKeyId)
    const valid = rds.pgOptions()
    await rds.keys.expire()
    assert.equal(rds.credentials.accessKeyId, accessKeyId)
    assert(rds.credentials.expiration <= new Date(), `${rds.credentials.expiration}`)
    assert.equal(await refused(rds, valid), 'expired')
  })
})

test('SQL runs as postgres in the database, and its error has the SQLSTATE', async () => {
  await withDatabase(async (rds) => {
    const rows = await rds.sql(
      'select current_user as a, current_database() as b, null as c; set work_mem = 64'
    )
    assert.deepEqual(rows, [{ a: 'postgres', b: rds.database, c: null }])
    await assert.rejects(rds.sql('select * from nothing'), { name: 'RdsLocalError', code: '42P01' })
  })
})

test('a child process logs in with the environment of a database', async () => {
  await withDatabase(async (rds) => {
    process.env.AWS_PROFILE = 'another'
    const { env } = rds
    delete process.env.AWS_PROFILE
    assert.equal(env.AWS_PROFILE, undefined)
    const program = `const { Signer, pgOptions } = require('rdsign')
      const { PGHOST: hostname, PGPORT: port, PGUSER: username, PGHOSTADDR: host, PGSSLROOTCERT } = process.env
      const ssl = { ca: require('fs').readFileSync(PGSSLROOTCERT) }
      const options = pgOptions(new Signer({ hostname, port, username }), { dial: { host, port }, ssl })
      const client = new (require('pg').Client)(options)
      client.connect().then(() => console.log(client.user, client.database)).finally(() => client.end())`
    assert.equal(await output(['-e', program], { env }), `${rds.username} ${rds.database}\n`)
  })
})

test('an unknown option is refused with those that are accepted', async () => {
  for (const [body, message] of [
    [
      () => RdsLocal.start({ endpoint: 'x' }),
      /^endpoint: is not an option of RdsLocal\.start; accepted: endpoints, /
    ],
    [() => RdsLocal.start({ endpoints: 'x' }), /^endpoints: is a string; accepted: an array of strings$/],
    [() => RdsLocal.start('x'), /^options: is a string; accepted: an object$/],
    [
      () => server.createDatabase({ name: 'x' }),
      /^name: is not an option of createDatabase; accepted: database, /
    ],
    [
      async () => server.clock.advance({ minute: 16 }),
      /^minute: is not an option of clock\.advance; accepted: /
    ]
  ]) {
    await assert.rejects(body, { name: 'TypeError', message })
  }
})

test('an option that the program refuses is an error with its message', async () => {
  for (const [options, message] of [
    [{ version: 3 }, /14 to 18/],
    [{ port: 0 }, /^port: "0" is not a port; accepted: 1 to 65535$/]
  ]) {
    await assert.rejects(RdsLocal.start(options), (error) => {
      assert(error instanceof RdsLocalError)
      assert.equal(error.code, 'other')
      assert.match(error.message, message)
      return true
    })
  }
})

test('without a PostgreSQL, the error says how to get one', async () => {
  const before = process.env.RDSIGN_LOCAL_POSTGRES
  process.env.RDSIGN_LOCAL_POSTGRES = dirname(process.execPath)
  try {
    await assert.rejects(RdsLocal.start(), {
      name: 'RdsLocalError',
      code: 'no-postgres',
      message: /RDSIGN_LOCAL_POSTGRES|--postgres/
    })
  } finally {
    if (before === undefined) delete process.env.RDSIGN_LOCAL_POSTGRES
    else process.env.RDSIGN_LOCAL_POSTGRES = before
  }
})

test('the program is that of RDSIGN_BIN, else in PATH', async () => {
  const folder = mkdtempSync(join(here, 'program-'))
  const fake = (path) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `#!/bin/sh\necho '{"event":"failed","kind":"other","message":"'"$0 $*"'"}'\n`)
    chmodSync(path, 0o755)
    return path
  }
  const start = `require('rdsign/testing.js').RdsLocal.start({ port: 1 }).catch((error) => console.log(error.code, error.message))`
  const message = async (env) => (await output(['-e', start], { env, command: process.execPath })).trim()
  const named = fake(join(folder, 'named'))
  const inPath = fake(join(folder, 'bin/rdsign'))
  try {
    const PATH = join(folder, 'bin')
    assert.equal(await message({ RDSIGN_BIN: named, PATH }), `other ${named} local --json --port=1`)
    assert.equal(await message({ RDSIGN_BIN: '', PATH }), `other ${inPath} local --json --port=1`)
    assert.match(
      await message({ RDSIGN_BIN: folder, PATH }),
      /^no-program RDSIGN_BIN: .* is not a program; accepted: /
    )
    const missing = await message({ RDSIGN_BIN: '', PATH: folder })
    assert.match(missing, /^no-program no program rdsign .*accepted: RDSIGN_BIN .*PATH /)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('another program of the name is refused, with what it said', async () => {
  const folder = mkdtempSync(join(here, 'program-'))
  try {
    for (const said of [
      'echo an old version >&2; exit 2',
      'echo ready',
      'echo \'{"event":"ready","protocol":0}\'; cat'
    ]) {
      const program = join(folder, 'rdsign')
      writeFileSync(program, `#!/bin/sh\n${said}\n`)
      chmodSync(program, 0o755)
      const start = `require('rdsign/testing.js').RdsLocal.start().catch((error) => console.log(error.message))`
      const message = await output(['-e', start], { env: { RDSIGN_BIN: program } })
      assert.match(message, /not the rdsign that belongs to this package; accepted: one of the same version/)
      assert.equal(message.includes('an old version'), said.includes('an old version'))
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** The start of a program that starts a server and prints its folder. */
const START = `const { RdsLocal } = require('rdsign/testing.js')
  const { dirname } = require('path')
  RdsLocal.start().then(async (rds) => { console.log(dirname(rds.log));`

test('a process that does not stop its server ends, and so does the server', async () => {
  for (const end of ['', 'process.exit()', 'await rds.stop()', 'await rds.sql("select 1")']) {
    const { status, stdout, stderr } = await run(['-e', `${START} ${end} })`])
    assert.deepEqual([status, stderr], [0, ''], end)
    await until(() => !existsSync(stdout.trim()), `the server's end after: ${end}`)
  }
  const thrown = await run(['-e', `${START} throw new Error('a bug') })`])
  assert.match(thrown.stderr, /a bug/)
  await until(() => !existsSync(thrown.stdout.trim()), "the server's end after an exception")
})

test('a process that is killed leaves no server', async () => {
  const child = spawn(process.execPath, ['-e', `${START} setInterval(() => {}, 1000) })`], {
    cwd: here,
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [folder] = await once(createInterface({ input: child.stdout }), 'line')
  assert(existsSync(folder))
  child.kill('SIGKILL')
  await until(() => !existsSync(folder), "the server's end")
})

test('a worker thread that is terminated leaves no server', async () => {
  const program = `${START.replace('console.log', "require('worker_threads').parentPort.postMessage")} setInterval(() => {}, 1000) })`
  const worker = new Worker(program, { eval: true })
  const [folder] = await once(worker, 'message')
  await worker.terminate()
  await until(() => !existsSync(folder), "the server's end")
})

test('after stop, and after the end of the program, each call is an error', async () => {
  const rds = await RdsLocal.start()
  await rds.stop()
  await rds.stop()
  await assert.rejects(rds.sql('select 1'), { name: 'RdsLocalError', message: /was stopped/ })
})

test('after the end of PostgreSQL or of the program, each call is an error, and nothing is left', async () => {
  for (const [victim, message] of [
    [(postgres) => postgres, /PostgreSQL exited unexpectedly \(signal: 9/],
    [(postgres) => /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${postgres}/status`, 'utf8'))[1], /was stopped/]
  ]) {
    const own = await RdsLocal.start()
    const rds = await own.createDatabase()
    const [postgres] = readFileSync(join(dirname(own.log), 'data/postmaster.pid'), 'utf8').split('\n')
    process.kill(Number(victim(postgres)), 'SIGKILL')
    await assert.rejects(rds.sql('select pg_sleep(600)'), { name: 'RdsLocalError' })
    await own.stop()
    await assert.rejects(rds.drop(), { name: 'RdsLocalError', message })
    await until(() => !existsSync(`/proc/${postgres}`), 'the end of PostgreSQL')
  }
})

test('databases and servers are disposed of', { skip: !Symbol.asyncDispose }, async () => {
  const own = await RdsLocal.start()
  const rds = await own.createDatabase()
  await rds[Symbol.asyncDispose]()
  assert.deepEqual(await own.sql(`select 1 from pg_database where datname = '${rds.database}'`), [])
  await own[Symbol.asyncDispose]()
  assert.equal(existsSync(own.log), false)
})

test('errors and inspection show no secret', async () => {
  await withDatabase(async (rds) => {
    const { inspect } = await import('node:util')
    const shown = inspect([rds, server, rds.signer()], { depth: 10 })
    for (const secret of [rds.credentials.secretAccessKey, server.administrator.password]) {
      assert.equal(shown.includes(secret), false)
    }
  })
})
