// Logs in with pg by a connectionString, with a client and with a pool, and prints the user each time:
//     node pg.mjs FOLDER_WITH_NODE_MODULES URL
import { createRequire } from 'node:module'

const [folder, connectionString] = process.argv.slice(2)
const { Client, Pool } = createRequire(`${folder}/`)('pg')

const sql = 'select current_user as user where 1 = $1'
for (const kind of [Client, Pool]) {
  const database = new kind({ connectionString })
  if (kind === Client) await database.connect()
  const { rows } = await database.query(sql, [1])
  console.log(rows[0].user)
  await database.end()
}
