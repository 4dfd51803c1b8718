// Logs in to the database of libpq's variables, and prints the user.
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { Signer } from 'rdsign'
import { pgOptions } from 'rdsign/pg.js'

const { PGHOST, PGHOSTADDR, PGPORT, PGUSER, PGDATABASE, PGSSLROOTCERT } = process.env
const signer = new Signer({ hostname: PGHOST, port: Number(PGPORT), username: PGUSER })
const ssl = { ca: readFileSync(PGSSLROOTCERT) }
const client = new pg.Client(pgOptions(signer, { database: PGDATABASE, dial: { host: PGHOSTADDR }, ssl }))
await client.connect()
console.log((await client.query('select current_user as name')).rows[0].name)
await client.end()
