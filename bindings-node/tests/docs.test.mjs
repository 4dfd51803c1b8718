// Runs the examples of the pages about Node. They connect to the endpoint: the test redirects its address
// and port to a local server, and adds that server's certificate authority.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { output, repository, startLocal } from './support.mjs'

const ENDPOINT = 'mydb.abc123.eu-central-1.rds.amazonaws.com'
const local = await startLocal(after, `${ENDPOINT}:5432`)

const HERE = `import { createRequire } from 'node:module'
  import net from 'node:net'
  import assert from 'node:assert/strict'
  const load = createRequire(process.cwd() + '/')
  load('rdsign/ca.js').regions['eu-central-1'].push(${JSON.stringify(local.ca)})
  const connect = net.Socket.prototype.connect
  net.Socket.prototype.connect = function (port, host) {
    assert.deepEqual([Number(port), host], [5432, '${ENDPOINT}'])
    return connect.call(this, ${local.port}, '127.0.0.1')
  }\n`
const ENV = {
  AWS_ACCESS_KEY_ID: local.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: local.credentials.secretAccessKey
}

for (const page of ['docs/node.md', 'bindings-node/README.md']) {
  const text = readFileSync(join(repository, page), 'utf8')
  const examples = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, example]) => example)
  examples.forEach((example, number) => {
    if (example.includes('diagnostics_channel')) {
      test(`example ${number + 1} of ${page} prints a fetch`, async () => {
        const said = await output(['--input-type=commonjs', '-e', example], { env: ENV })
        assert.match(
          said,
          /^info: credentials fetched from environment in \d+\.\d{3} s; they do not expire\n$/
        )
      })
      return
    }
    test(`example ${number + 1} of ${page} logs in`, async () => {
      const isModule = example.startsWith('import ')
      const program = isModule ? example : `const require = load\n${example}`
      assert.equal(await output(['--input-type=module', '-e', HERE + program], { env: ENV }), 'iam_user\n')
    })
  })
}
