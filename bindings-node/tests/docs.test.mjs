// Runs the example of docs/node.md. The example connects to the endpoint: the test redirects its address
// and port to a local server, and adds that server's certificate authority.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { output, repository, startLocal } from './support.mjs'

const ENDPOINT = 'mydb.abc123.eu-central-1.rds.amazonaws.com'
const local = await startLocal(after, '--endpoint', `${ENDPOINT}:5432`)

test('the Node example logs in', async () => {
  const page = readFileSync(join(repository, 'docs/node.md'), 'utf8')
  const example = page.split('```js\n')[1].split('```')[0]
  const here = `require('./node_modules/rdsign/ca.js').regions['eu-central-1'].push(${JSON.stringify(local.ca)})
    const connect = require('node:net').Socket.prototype.connect
    require('node:net').Socket.prototype.connect = function (port, host) {
      require('node:assert').deepEqual([port, host], [5432, '${ENDPOINT}'])
      return connect.call(this, ${local.port}, '127.0.0.1')
    }\n`
  const env = { AWS_ACCESS_KEY_ID: local.keys.accessKeyId, AWS_SECRET_ACCESS_KEY: local.keys.secretAccessKey }
  assert.equal(await output(['-e', here + example], { env }), 'iam_user\n')
})
