// A Lambda that queries PostgreSQL and logs in with a token. The signer and the pool are created outside
// the handler, and are reused by later calls. pg gets a new token for each connection, so the handler
// works even after it was frozen for hours.
import pg from 'pg'
import { pgOptions, Signer } from 'rdsign'

const {
  DB_HOSTNAME: hostname,
  DB_PORT: port = '5432',
  DB_USERNAME: username,
  DB_NAME: database
} = process.env
const signer = new Signer({ hostname, port, username })
// Only for a tunnel or for other certificate authorities; not needed in the database's VPC.
const dial = process.env.DB_DIAL ? { host: process.env.DB_DIAL } : undefined
const ssl = process.env.DB_CA ? { ca: process.env.DB_CA } : {}

// Idle connections are closed after a second, because the server may close them during a freeze.
const pool = new pg.Pool(pgOptions(signer, { database, dial, ssl, max: 1, idleTimeoutMillis: 1000 }))
pool.on('error', () => {}) // ignores idle connections that broke: the next call opens a new one

export async function handler() {
  const { rows } = await pool.query('select current_user as name, pg_backend_pid() as connection')
  return rows[0]
}
