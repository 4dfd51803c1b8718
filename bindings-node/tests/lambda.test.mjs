// Bundles examples/lambda-pg in its two ways, and calls it as Lambda's runtime does: twice in the same
// process, which is frozen in between.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { environment, here, output, repository, startLocal, until } from './support.mjs'

const local = await startLocal(after)
const example = join(repository, 'examples/lambda-pg')

/** A program that calls the handler for each line on standard input. */
const RUNTIME = `
  const { handler } = require('./handler.js')
  require('node:readline').createInterface({ input: process.stdin }).on('line', async () => {
    // What arrived while the process was frozen is read before the handler runs.
    await new Promise(setImmediate)
    try { console.log(JSON.stringify(await handler({}, {}))) } catch (error) { console.log(JSON.stringify({ error: String(error) })) }
  }).on('close', () => process.exit())`

function start(folder) {
  const env = environment({
    AWS_ACCESS_KEY_ID: local.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: local.credentials.secretAccessKey,
    DB_HOSTNAME: local.hostname,
    DB_PORT: String(local.port),
    DB_USERNAME: 'iam_user',
    DB_NAME: 'testdb',
    DB_DIAL: '127.0.0.1',
    DB_CA: local.ca
  })
  const child = spawn(process.execPath, ['-e', RUNTIME], {
    cwd: folder,
    env,
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const lines = createInterface({ input: child.stdout })
  return {
    async call() {
      const answer = once(lines, 'line')
      child.stdin.write('{}\n')
      return JSON.parse((await answer)[0])
    },
    /** Freezes the process while `body` runs. */
    async frozen(body) {
      child.kill('SIGSTOP')
      await until(() => readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') T '), 'the freeze')
      try {
        await body()
      } finally {
        child.kill('SIGCONT')
      }
    },
    async end() {
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    }
  }
}

for (const script of ['bundle', 'bundle-external']) {
  test(`the handler logs in twice, frozen in between (npm run ${script})`, async () => {
    // Bundles in a folder that has the packages, and runs in one that has only the bundle.
    const work = mkdtempSync(join(here, 'lambda-'))
    const deployed = mkdtempSync(join(tmpdir(), 'rdsign-lambda-'))
    try {
      cpSync(example, work, { recursive: true })
      const { scripts } = JSON.parse(readFileSync(join(work, 'package.json'), 'utf8'))
      const esbuild = join(here, 'node_modules/esbuild/bin/esbuild')
      const args = scripts[script].split(' ').slice(1)
      await output([...args, '--log-level=warning'], { command: esbuild, cwd: work })
      cpSync(join(work, 'dist'), deployed, { recursive: true })
      const libraries = readdirSync(deployed).filter((name) => name.endsWith('.node')).length
      assert.equal(libraries, script === 'bundle' ? 1 : 0)
      if (script === 'bundle-external') {
        for (const name of ['node_modules/rdsign', 'node_modules/@rdsign']) {
          cpSync(join(here, name), join(deployed, name), { recursive: true })
        }
      }
      const runtime = start(deployed)
      const first = await runtime.call()
      assert.equal(first.name, 'iam_user', first.error)
      // Lambda freezes the process after a call; meanwhile the server closes the connection.
      await runtime.frozen(() => local.sql(`select pg_terminate_backend(${first.connection}, 60000)`))
      const second = await runtime.call()
      assert.equal(second.name, 'iam_user', second.error)
      assert.notEqual(second.connection, first.connection)
      await runtime.end()
    } finally {
      rmSync(work, { recursive: true })
      rmSync(deployed, { recursive: true })
    }
  })
}
