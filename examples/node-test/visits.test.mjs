// Run it with `npm test`: `rdsign` must be in PATH, or RDSIGN_BIN must name it.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import pg from 'pg'
import { RdsLocal } from 'rdsign/testing.js'
import { createTables, visit } from './visits.mjs'

let server, rds, pool

before(async () => {
  server = await RdsLocal.start()
})
after(() => server?.stop())

// Each test has its own database, and a user who logs in with tokens.
beforeEach(async () => {
  rds = await server.createDatabase()
  // Each query uses a new connection, which logs in with a new token.
  pool = new pg.Pool(rds.pgOptions({ maxUses: 1 }))
  await createTables(pool)
})
afterEach(async () => {
  await pool.end()
  await rds.clock.reset()
  await rds.drop()
})

/** Logs in, which must fail. Returns why, which only the server knows. */
async function refused(options) {
  const client = new pg.Client(options)
  await assert.rejects(client.connect(), /PAM authentication failed/)
  return (await rds.refusals()).at(-1).id
}

test('a token expires after 15 minutes, and the pool gets a new one', async () => {
  const password = await rds.signer().password()
  await rds.clock.advance({ minutes: 16 })
  assert.equal(await refused({ ...rds.pgOptions(), password }), 'expired')
  assert.equal(await visit(pool, '/'), 1)
})

test('visits are counted', async () => {
  assert.equal(await visit(pool, '/'), 1)
  assert.equal(await visit(pool, '/'), 2)
  assert.equal(await visit(pool, '/other'), 1)
})

test('a user who loses the permission cannot log in', async () => {
  await rds.policy.deny()
  assert.equal(await refused(rds.pgOptions()), 'not-allowed')
  await rds.policy.allow()
  assert.equal(await visit(pool, '/'), 1)
})

test('a pool with a replaced key cannot log in, and one with the new key can', async () => {
  const old = rds.pgOptions()
  await rds.keys.replace()
  assert.equal(await refused(old), 'unknown-access-key')
  const next = new pg.Pool(rds.pgOptions())
  assert.equal(await visit(next, '/'), 1)
  await next.end()
})
