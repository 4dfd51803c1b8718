// Logs in with a pg pool of three workers until STOP exists: pool.mjs EVENTS STOP MODULES. Each connection is
// used once. MODULES is the folder with the installed packages.
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [, , events, stop, modules] = process.argv
const require = createRequire(join(modules, 'index.js'))
const { Pool } = require('pg')
const { Signer } = require('rdsign')
const { pgOptions } = require('rdsign/pg')

const file = openSync(events, 'a')
/** The seconds of the monotonic clock. */
const now = () => Number(process.hrtime.bigint()) / 1e9
const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

function event(what, began, outcome, more = {}) {
  writeSync(file, `${JSON.stringify({ what, began, ended: now(), outcome, ...more })}\n`)
}

const { PGHOST, PGPORT, PGSSLROOTCERT } = process.env
const signer = new Signer({ hostname: PGHOST, port: Number(PGPORT), username: 'iam_user' })
const options = pgOptions(signer, {
  database: 'testdb',
  max: 4,
  dial: { host: '127.0.0.1' },
  ssl: { ca: readFileSync(PGSSLROOTCERT) }
})

// Callers of one fetch share its outcome, so an error counts from the oldest call that still waits.
const waiting = new Set()
const own = options.password
options.password = async function () {
  const call = { began: now() }
  waiting.add(call)
  const since = Math.min(...[...waiting].map((other) => other.began))
  try {
    const password = await own.call(this)
    event('token', call.began, 'ok')
    return password
  } catch (error) {
    error.isOfToken = true
    event('token', call.began, error.code ?? 'failed', { since, text: error.message.slice(0, 300) })
    throw error
  } finally {
    waiting.delete(call)
  }
}

const pool = new Pool(options)
pool.on('error', (error) => event('login', now(), 'failed', { text: `idle: ${error.message}` }))

async function work() {
  while (!existsSync(stop)) {
    const began = now()
    try {
      const client = await pool.connect()
      event('login', began, 'ok')
      await client.query('select current_user')
      client.release(true)
    } catch (error) {
      const outcome = error.message.includes('PAM authentication failed') ? 'refused' : 'failed'
      if (!error.isOfToken) event('login', began, outcome, { text: error.message.slice(0, 300) })
    }
    await pause(0.02)
  }
}

// A heap that is collected at a steady pace shows a leak in the resident memory.
const collecting = setInterval(() => globalThis.gc(), 5000)
await Promise.all([work(), work(), work()])
clearInterval(collecting)
await pool.end()
