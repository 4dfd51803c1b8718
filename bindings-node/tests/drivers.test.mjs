// Each driver logs in to a local RDS with its line in docs/node.md.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import knexOf from 'knex'
import pg from 'pg'
import ConnectionParameters from 'pg/lib/connection-parameters.js'
import postgres from 'postgres'
import { Signer } from 'rdsign'
import { pgOptions } from 'rdsign/pg.js'
import { verifyFull } from 'rdsign/tls.js'
import { Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'
import { refusalsDuring, startLocal } from './support.mjs'

const RDS = 'mydb.abc123.ap-northeast-1.rds.amazonaws.com'
const CLUSTER = '4abcdefghijklmnopqrstuvwxy.dsql.ap-northeast-1.on.aws'
const local = await startLocal(after, RDS, CLUSTER)
const { hostname, port, credentials: keys, ca } = local
const signer = new Signer({ hostname, port, username: 'iam_user', ...keys })
// The endpoint's name does not resolve. Tokens are signed and TLS is verified for it; 127.0.0.1 is dialed.
const dial = { host: '127.0.0.1' }
const database = 'testdb'
const USER = 'select current_user as name, (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as ssl'
const LOGGED_IN = { name: 'iam_user', ssl: true }

test('a pg Client logs in over verified TLS', async () => {
  const client = new pg.Client(pgOptions(signer, { database, dial, ssl: { ca } }))
  await client.connect()
  assert.deepEqual((await client.query(USER)).rows, [LOGGED_IN])
  await client.end()
})

test('a pg Client logs in at an endpoint of Aurora DSQL, only as a role that is granted', async () => {
  const who = async (username) => {
    const own = new Signer({ hostname: CLUSTER, port, username, ...keys })
    const client = new pg.Client(pgOptions(own, { dial, ssl: { ca } }))
    await client.connect()
    const { rows } = await client.query('select current_user as name, current_database() as database')
    await client.end()
    return rows
  }
  assert.deepEqual(await who('iam_user'), [{ name: 'iam_user', database: 'postgres' }])
  const denied = { code: '28000', message: 'unable to accept connection, access denied' }
  const refused = () => assert.rejects(who('testuser'), denied)
  assert.deepEqual(await refusalsDuring(local, refused), ['not-granted'])
})

test('a pg Pool gets a new password for each connection', async () => {
  let asked = 0
  const counting = { ...pgOptions(signer, { database, dial, max: 3, ssl: { ca } }) }
  counting.password = () => (asked++, signer.password())
  const pool = new pg.Pool(counting)
  const clients = await Promise.all([1, 2, 3].map(() => pool.connect()))
  for (const client of clients) assert.deepEqual((await client.query(USER)).rows, [LOGGED_IN])
  for (const client of clients) client.release()
  await pool.end()
  assert.equal(asked, 3)
})

test('a Pool still logs in after 15 minutes, and an old token does not', async () => {
  const old = (await signer.token()).value
  const pool = new pg.Pool(pgOptions(signer, { database, dial, max: 2, ssl: { ca } }))
  assert.deepEqual((await pool.query(USER)).rows, [LOGGED_IN])
  await local.clock.advance({ minutes: 16 })
  const stale = new pg.Client({ ...pgOptions(signer, { database, dial, ssl: { ca } }), password: old })
  const refused = async () => assert.rejects(stale.connect(), /PAM authentication failed for user "iam_user"/)
  assert.deepEqual(await refusalsDuring(local, refused), ['expired'])
  // It accepts a token that is signed 16 minutes ahead.
  const ahead = async () => (await signer.token({ signingTime: new Date(Date.now() + 16 * 60_000) })).value
  const replaced = new pg.Pool({
    ...pgOptions(signer, { database, dial, max: 2, maxLifetimeSeconds: 1, ssl: { ca } }),
    password: ahead
  })
  const pid = async () => (await replaced.query('select pg_backend_pid() as pid')).rows[0].pid
  const removed = once(replaced, 'remove')
  const first = await pid()
  await removed
  assert.notEqual(await pid(), first)
  await local.clock.reset()
  // The first connection stays open, as on RDS.
  assert.deepEqual((await pool.query(USER)).rows, [LOGGED_IN])
  await Promise.all([pool.end(), replaced.end()])
})

test('verify-full rejects a server with another name before it sends a token', async () => {
  const other = new Signer({
    hostname: 'other.abc123.ap-northeast-1.rds.amazonaws.com',
    port,
    username: 'iam_user',
    ...keys
  })
  const client = new pg.Client(pgOptions(other, { database, dial, ssl: { ca } }))
  const refused = async () => assert.rejects(client.connect(), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  assert.deepEqual(await refusalsDuring(local, refused), [])
})

test('without ca, only certificates of RDS are trusted', async () => {
  const client = new pg.Client(pgOptions(signer, { database, dial }))
  await assert.rejects(client.connect(), /certificate/)
})

test('a user without permission is refused, and only the log has the reason', async () => {
  const other = new Signer({ hostname, port, username: 'testuser', ...keys })
  const client = new pg.Client(pgOptions(other, { database, dial, ssl: { ca } }))
  const refused = async () =>
    assert.rejects(client.connect(), /PAM authentication failed for user "testuser"/)
  assert.deepEqual(await refusalsDuring(local, refused), ['not-allowed'])
})

test('postgres.js logs in', async () => {
  const sql = postgres({
    host: dial.host, // a program would use signer.hostname
    port: signer.port,
    username: signer.username,
    password: signer.password,
    database,
    ssl: verifyFull(signer, { ca })
  })
  assert.deepEqual([...(await sql.unsafe(USER))], [LOGGED_IN])
  await sql.end()
})

test('postgres.js rejects a server with another name', async () => {
  const other = new Signer({
    hostname: 'other.abc123.ap-northeast-1.rds.amazonaws.com',
    port,
    username: 'iam_user',
    ...keys
  })
  const { username, password } = other
  const sql = postgres({
    host: dial.host,
    port,
    username,
    password,
    database,
    ssl: verifyFull(other, { ca })
  })
  await assert.rejects(async () => await sql.unsafe(USER), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  await sql.end()
})

test('knex logs in', async () => {
  const knex = knexOf({ client: 'pg', connection: pgOptions(signer, { database, dial, ssl: { ca } }) })
  assert.deepEqual((await knex.raw(USER)).rows, [LOGGED_IN])
  await knex.destroy()
})

test('TypeORM logs in', async () => {
  const { host, port, user, password, ssl, ...extra } = pgOptions(signer, { dial, ssl: { ca } })
  const source = new DataSource({
    type: 'postgres',
    host,
    port,
    username: user,
    password,
    database,
    ssl,
    extra
  })
  await source.initialize()
  assert.deepEqual(await source.query(USER), [LOGGED_IN])
  await source.destroy()
})

test('Sequelize logs in, with a new password for each connection', async () => {
  const { host, port, user, ssl, ...more } = pgOptions(signer, { dial, ssl: { ca } })
  let asked = 0
  const sequelize = new Sequelize({
    dialect: 'postgres',
    host,
    port,
    username: user,
    database,
    dialectOptions: { ssl, stream: more.stream },
    hooks: {
      async beforeConnect(config) {
        asked++
        config.password = await signer.password()
      }
    },
    logging: false
  })
  const [rows] = await sequelize.query(USER)
  assert.deepEqual(rows, [LOGGED_IN])
  assert.equal(asked > 0, true)
  await sequelize.close()
})

test('connectionString is rejected, because pg would drop the password function', () => {
  const connectionString = 'postgres://iam_user@mydb/testdb'
  const dropped = new ConnectionParameters({ ...pgOptions(signer), connectionString })
  assert.notEqual(typeof dropped.password, 'function')
  assert.throws(() => pgOptions(signer, { connectionString }), {
    name: 'TypeError',
    message: /^connectionString: /
  })
})

test('pg.native is rejected, because it would convert the password function to a string', () => {
  const parameters = new ConnectionParameters(pgOptions(signer, { database }))
  assert.throws(() => parameters.getLibpqConnectionString(() => {}), {
    name: 'TypeError',
    message: /pg\.native/
  })
  process.env.NODE_PG_FORCE_NATIVE = '1'
  try {
    assert.throws(() => pgOptions(signer), { name: 'TypeError', message: /^NODE_PG_FORCE_NATIVE: / })
  } finally {
    delete process.env.NODE_PG_FORCE_NATIVE
  }
})

test('options that the signer or verify-full sets are rejected', () => {
  for (const name of ['host', 'port', 'user', 'password']) {
    for (const value of ['x', '', null, 1, true, { length: 1 }]) {
      assert.throws(() => pgOptions(signer, { [name]: value }), {
        name: 'TypeError',
        message: new RegExp(`^${name}: `)
      })
    }
  }
  for (const ssl of [false, 'true', 'no-verify', null, { rejectUnauthorized: false }]) {
    assert.throws(() => pgOptions(signer, { ssl }), { name: 'TypeError', message: /^ssl: / })
  }
})

test('only an address can be dialed', () => {
  for (const dial of [
    '127.0.0.1:15432',
    15432,
    {},
    [],
    { host: '' },
    { host: 1 },
    { port: 15432 },
    { hostname: '127.0.0.1', port: 15432 },
    { host: '127.0.0.1', hostname: 'x' },
    { host: '127.0.0.1', port: 0 },
    { host: '127.0.0.1', port: 65536 },
    { host: '127.0.0.1', port: null },
    { host: '127.0.0.1', port: 'abc' },
    { host: '127.0.0.1', port: '' }
  ]) {
    assert.throws(() => pgOptions(signer, { dial }), {
      name: 'TypeError',
      message: /^dial: is not an address; /
    })
  }
  for (const dial of [
    { host: '127.0.0.1' },
    { host: 'localhost', port: '15432' },
    { host: '::1', port: undefined }
  ]) {
    assert.equal(typeof pgOptions(signer, { dial }).stream, 'function')
  }
})

test('options that change nothing are accepted', () => {
  const { password: _, ssl, ...plain } = pgOptions(signer, { database })
  for (const same of [
    { ssl: true },
    { ssl: undefined, connectionString: undefined, password: undefined, host: undefined, dial: undefined },
    { dial: null },
    { ssl: { servername: undefined, checkServerIdentity: undefined, ca: undefined } },
    { host: hostname, port, user: 'iam_user' },
    { host: undefined, port: String(port) }
  ]) {
    const { password, ssl: given, connectionString, ...others } = pgOptions(signer, { database, ...same })
    assert.deepEqual([others, typeof password, connectionString], [plain, 'function', undefined])
    assert.deepEqual([given.ca, given.servername], [ssl.ca, hostname])
    assert.equal(typeof given.checkServerIdentity, 'function')
  }
})

test('an empty ca means the authorities of RDS, and not all public ones', () => {
  const { ca } = verifyFull(signer)
  assert.deepEqual(
    [verifyFull(signer, { ca: '' }).ca, pgOptions(signer, { ssl: { ca: '' } }).ssl.ca],
    [ca, ca]
  )
})

test('pgOptions and verifyFull refuse everything but a Signer', () => {
  const options = { hostname, port, username: 'iam_user', ...keys }
  for (const given of [undefined, null, hostname, {}, options, { ...options, password: 'x' }, Signer]) {
    for (const body of [() => pgOptions(given, { database }), () => verifyFull(given)]) {
      assert.throws(body, { name: 'TypeError', message: /^signer: is .*; accepted: a Signer of rdsign$/ })
    }
  }
})
