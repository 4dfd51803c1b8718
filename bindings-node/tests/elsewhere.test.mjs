// No token reaches another server than the one it is signed for, whatever the environment and later
// changes of a driver's options say.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import knexOf from 'knex'
import pg from 'pg'
import postgres from 'postgres'
import { Signer } from 'rdsign'
import { pgOptions } from 'rdsign/pg.js'
import { verifyFull } from 'rdsign/tls.js'
import { Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'
import { keys, refusalsDuring, startLocal } from './support.mjs'

const SSL_REQUEST = 80877103
const local = await startLocal(after)
const folder = mkdtempSync(join(tmpdir(), 'rdsign-elsewhere-'))
const socket = join(folder, '.s.PGSQL.5432')
after(() => rmSync(folder, { recursive: true }))

/** Everything that was sent to a server without TLS, which asks for the password in clear text. */
let received = ''
const connections = new Set()
const recording = (connection) => {
  connections.add(connection)
  connection.on('error', () => {})
  connection.on('data', (data) => {
    received += data.toString('latin1')
    const isFirst = data.length >= 8 && data.readInt32BE(0) === data.length
    if (isFirst && data.readInt32BE(4) === SSL_REQUEST) connection.write('N')
    else if (isFirst) connection.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
    else connection.end()
  })
}
const recorder = createServer(recording)
const recorderInFolder = createServer(recording)
before(async () => {
  await new Promise((resolve) => recorder.listen(0, '127.0.0.1', resolve))
  await new Promise((resolve) => recorderInFolder.listen(socket, resolve))
  const { port } = recorder.address()
  const passfile = join(folder, 'pgpass')
  writeFileSync(passfile, `*:*:*:*:from a file\n`, { mode: 0o600 })
  Object.assign(process.env, {
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: 'another',
    PGPASSWORD: 'from the environment',
    PGPASSFILE: passfile,
    PGSSLMODE: 'disable',
    PGSERVICE: 'another',
    NODE_TLS_REJECT_UNAUTHORIZED: '0'
  })
})
after(() => {
  recorder.close()
  recorderInFolder.close()
  for (const connection of connections) connection.destroy()
})

const signer = new Signer({
  hostname: 'other.abc123.eu-central-1.rds.amazonaws.com',
  username: 'iam_user',
  ...keys
})
const database = 'testdb'
const UNVERIFIED =
  /^TypeError: ssl: no token was sent, because TLS does not verify that the server is other\./
const WITHOUT_TLS = /does not support SSL/

/** Connects with a Client and with a Pool. Both must fail, and the recorder must not get a token. */
async function refused(options, reason) {
  received = ''
  const client = new pg.Client(options)
  await assert.rejects(client.connect(), reason)
  const pool = new pg.Pool(options)
  await assert.rejects(pool.query('select 1'), reason)
  await pool.end()
  assert.doesNotMatch(received, /X-Amz-/)
}

const here = () => ({ host: '127.0.0.1', port: recorder.address().port })

test('the recorder gets a token that is sent without verified TLS', async () => {
  received = ''
  const client = new pg.Client({ ...here(), user: 'iam_user', password: signer.password, ssl: false })
  await assert.rejects(client.connect())
  assert.match(received, /X-Amz-Signature=/)
})

test('pgOptions ignores the variables of libpq', async () => {
  await refused(pgOptions(signer), { code: /^(ENOTFOUND|EAI_AGAIN)$/ })
  await refused(pgOptions(signer, { database, dial: here() }), WITHOUT_TLS)
  assert.doesNotMatch(received, /another|from/)
})

for (const [changed, changes, reason = UNVERIFIED] of [
  ['ssl: false', () => ({ ssl: false })],
  ['ssl: undefined', () => ({ ssl: undefined })],
  ['ssl: true', () => ({ ssl: true }), WITHOUT_TLS],
  ['no-verify', () => ({ ssl: 'no-verify' }), WITHOUT_TLS],
  ['host and port', () => ({ ...here(), stream: undefined }), WITHOUT_TLS],
  ['host, port and ssl', () => ({ ...here(), stream: undefined, ssl: false })],
  ['no host, for PGHOST', () => ({ host: undefined, port: undefined, stream: undefined, ssl: undefined })],
  ['a socket in a folder', () => ({ host: folder, port: 5432, stream: undefined, ssl: false })],
  [
    'connectionString of a socket',
    () => ({ connectionString: `${folder} db`, port: 5432, stream: undefined, ssl: false }),
    /./
  ],
  [
    'connectionString',
    () => ({ connectionString: `postgres://127.0.0.1:${here().port}/x?sslmode=disable` }),
    /./
  ],
  ['replication', () => ({ replication: 'database', ssl: false })],
  [
    'stream',
    () => ({ stream: () => Object.assign(new Socket(), { encrypted: true }).connect(here()), ssl: false }),
    /./
  ]
]) {
  test(`a change of pgOptions' result sends no token to a server without TLS: ${changed}`, async () => {
    await refused({ ...pgOptions(signer, { database, dial: here() }), ...changes() }, reason)
  })
}

test('knex and TypeORM send no token without TLS, as they use pg', async () => {
  received = ''
  const options = pgOptions(signer, { database, dial: here() })
  const knex = knexOf({ client: 'pg', connection: { ...options, ssl: false } })
  await assert.rejects(knex.raw('select 1'), UNVERIFIED)
  await knex.destroy()
  const { user: username, stream, ...others } = options
  const source = new DataSource({ type: 'postgres', ...others, username, ssl: false, extra: { stream } })
  await assert.rejects(source.initialize(), UNVERIFIED)
  assert.doesNotMatch(received, /X-Amz-/)
})

test("pgOptions' password function refuses other callers than pg", async () => {
  const { password } = pgOptions(signer)
  await assert.rejects(password(), { name: 'TypeError', message: /^password: .*accepted: signer\.password/ })
})

// From here on, the server is RDS on this machine, whose certificate is for another endpoint.
const dial = { host: '127.0.0.1', port: local.port }
const { ca, hostname } = local
const ANOTHER_NAME = { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }

test("a change of pgOptions' result sends no token to a server with another name", async () => {
  const options = pgOptions(signer, { database, dial, ssl: { ca } })
  const attempts = async () => {
    await refused(options, ANOTHER_NAME)
    // pg takes the name for TLS from host.
    await refused({ ...options, host: hostname }, ANOTHER_NAME)
    await refused({ ...options, host: hostname, ssl: { ca } }, UNVERIFIED)
    await refused({ ...options, ssl: { rejectUnauthorized: false } }, UNVERIFIED)
    await refused({ ...options, ssl: { ...options.ssl, checkServerIdentity: () => undefined } }, UNVERIFIED)
  }
  assert.deepEqual(await refusalsDuring(local, attempts), [])
})

test('verifyFull holds for the drivers that replace the name for TLS', async () => {
  const { username, password } = signer
  const ssl = verifyFull(signer, { ca })
  const attempts = async () => {
    const sql = postgres({ host: dial.host, port: dial.port, username, password, database, ssl })
    await assert.rejects(async () => await sql.unsafe('select 1'), ANOTHER_NAME)
    await sql.end()
    const { stream } = pgOptions(signer, { dial })
    const named = { host: hostname, port: dial.port, username, password, database }
    const source = new DataSource({ type: 'postgres', ...named, ssl, extra: { stream } })
    await assert.rejects(source.initialize(), ANOTHER_NAME)
    const sequelize = new Sequelize({
      dialect: 'postgres',
      ...named,
      dialectOptions: { ssl, stream },
      hooks: {
        async beforeConnect(config) {
          config.password = await password()
        }
      },
      logging: false
    })
    await assert.rejects(sequelize.query('select 1'), /Hostname\/IP does not match certificate's altnames/)
    await sequelize.close()
  }
  assert.deepEqual(await refusalsDuring(local, attempts), [])
})

test('pgOptions refuses TLS options that would verify another name', () => {
  for (const [name, value] of [
    ['servername', hostname],
    ['checkServerIdentity', () => undefined]
  ]) {
    assert.throws(() => pgOptions(signer, { ssl: { [name]: value } }), {
      name: 'TypeError',
      message: new RegExp(`^ssl\\.${name}: is set by the signer; accepted: `)
    })
  }
})
