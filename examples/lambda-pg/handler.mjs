// A Lambda that asks PostgreSQL for something, and logs in with a token. All that outlives a call is
// made outside of the handler; a token is signed when pg connects, so one frozen overnight is no trap.
import pg from 'pg'
import { Signer } from 'rdsign'
import { pgOptions } from 'rdsign/pg.js'

const {
  DB_HOSTNAME: hostname,
  DB_PORT: port = '5432',
  DB_USERNAME: username,
  DB_NAME: database
} = process.env
const signer = new Signer({ hostname, port: Number(port), username })
// A tunnel, and authorities of one's own: neither is set in a Lambda that is beside its database.
const dial = process.env.DB_DIAL ? { host: process.env.DB_DIAL } : undefined
const ssl = process.env.DB_CA ? { ca: process.env.DB_CA } : {}

// Shorter than a freeze may be: a connection that the server has given up on is not used again.
const pool = new pg.Pool(pgOptions(signer, { database, dial, ssl, max: 1, idleTimeoutMillis: 1000 }))
pool.on('error', () => {}) // an idle connection that broke in a freeze: the next call makes another

export async function handler() {
  const { rows } = await pool.query('select current_user as name, pg_backend_pid() as connection')
  return rows[0]
}
