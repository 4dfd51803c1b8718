// Worker threads, clusters, the exit of a process, and memory use.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { credentialsTimeout, endpoint, here, keys, output, PATIENCE, run, startAws } from './support.mjs'

const aws = await startAws(after)
const OPTIONS = JSON.stringify({ ...endpoint, ...keys })
const WITHOUT_KEYS = JSON.stringify({ ...endpoint, credentialsTimeout })
/** The source code of a promise that resolves when the fake AWS holds that many requests. */
const ONCE_REQUESTED = (count) => `new Promise((resolve) => {
      const timer = setInterval(async () => {
        const { requests } = await (await fetch('${aws.url}/fake/container')).json()
        if (requests.length >= ${count}) resolve(clearInterval(timer))
      }, 10)
    })`
const program = (...args) => ['--input-type=commonjs', '-e', ...args]

test('a process still signs after twenty workers have loaded the library, signed and ended', async () => {
  // In another process, whose main thread has not loaded the library: the last worker unloads it.
  const done = await output(
    program(`
    const { Worker } = require('node:worker_threads')
    const work = \`const { Signer } = require('rdsign')
      const signer = new Signer(${OPTIONS})
      const { parentPort } = require('node:worker_threads')
      const values = [signer.tokenSync().value.length]
      signer.token().then(({ value }) => parentPort.postMessage([...values, value.length]))\`
    const one = () => new Promise((resolve, reject) => {
      let message
      const worker = new Worker(work, { eval: true }).on('message', (m) => (message = m)).on('error', reject)
      worker.on('exit', (code) => resolve([code, ...message]))
    })
    const main = async () => {
      const results = []
      for (let i = 0; i < 5; i++) results.push(...await Promise.all([one(), one(), one(), one()]))
      const { Signer } = require('rdsign')
      const { length } = new Signer(${OPTIONS}).tokenSync().value
      console.log(results.length, results.every((result) => result.join() === [0, length, length].join()))
    }
    main()`)
  )
  assert.equal(done, '20 true\n')
})

test('a process still signs after workers were terminated during a wait for credentials', async () => {
  await aws.set('container', { hold: true, requests: [] })
  const code = `const { Signer } = require('rdsign')
    new Signer(${WITHOUT_KEYS}).token()
    new Signer({ ...${WITHOUT_KEYS}, credentials: () => new Promise(() => {}) }).token()`
  const done = await output(
    program(`
    const { Worker } = require('node:worker_threads')
    const workers = Array.from({ length: 4 }, () => new Worker(${JSON.stringify(code)}, { eval: true }))
    ${ONCE_REQUESTED(4)}.then(async () => {
      console.log((await Promise.all(workers.map((worker) => worker.terminate()))).join())
      // Their threads still wait. Their result is dropped.
      await fetch('${aws.url}/fake/container', { method: 'PUT', body: '{}' })
      const { Signer } = require('rdsign')
      const { value } = await new Signer(${WITHOUT_KEYS}).token()
      console.log(value.includes('ASIACONTAINE'))
    })`),
    { env: aws.container }
  )
  assert.equal(done, '1,1,1,1\ntrue\n')
})

test('a process exits although a signer exists, by itself and by process.exit()', async () => {
  for (const end of ['', 'process.exit()', 'process.exitCode = 0']) {
    const script = `const { Signer } = require('rdsign')
      globalThis.signer = new Signer(${OPTIONS}); console.log(signer.tokenSync().value.length > 300); ${end}`
    assert.equal(await output(program(script)), 'true\n')
  }
})

test('process.exit() during a fetch exits at once', async () => {
  await aws.set('container', { hold: true, requests: [] })
  const child = run(
    program(`
    const { Signer } = require('rdsign')
    for (let i = 0; i < 8; i++) new Signer({ ...${WITHOUT_KEYS}, credentialsTimeout: ${10 * PATIENCE} }).token()
    ${ONCE_REQUESTED(8)}.then(() => {
      console.log('leaving')
      process.exit(7)
    })`),
    { env: aws.container }
  )
  // If it waited for its threads, it would take ten times as long.
  const patience = AbortSignal.timeout(PATIENCE)
  const late = new Promise((_, reject) =>
    patience.addEventListener('abort', () => reject(new Error('process.exit() waits for the threads')))
  )
  assert.deepEqual(await Promise.race([child, late]), { status: 7, stdout: 'leaving\n', stderr: '' })
  await aws.set('container', {})
})

test('a process does not exit while it waits for a token', async () => {
  await aws.set('container', { delay: 0.2, requests: [] })
  const script = `const { Signer } = require('rdsign')
    new Signer(${WITHOUT_KEYS}).token().then(({ value }) => console.log(value.includes('ASIACONTAINE')))`
  assert.equal(await output(program(script), { env: aws.container }), 'true\n')
  await aws.set('container', {})
})

test('each process of a cluster signs', async () => {
  const done = await output([join(here, 'programs/cluster.cjs')], { env: { OPTIONS } })
  assert.equal(done, 'true\ntrue\ntrue\n')
})

test('a million tokens do not increase memory use', async () => {
  const done = await output([
    '--expose-gc',
    ...program(`
    const { Signer } = require('rdsign')
    const signer = new Signer(${OPTIONS})
    const rss = () => (gc(), process.memoryUsage.rss())
    const some = async (count) => { for (let i = 0; i < count; i += 2) { signer.tokenSync(); await signer.token() } }
    const main = async () => {
      await some(100_000)
      const before = rss()
      await some(1_000_000)
      console.log((rss() - before) / 2 ** 20 < 16)
    }
    main()`)
  ])
  assert.equal(done, 'true\n')
})

test('thirty thousand signers are garbage-collected', async () => {
  const done = await output([
    '--expose-gc',
    ...program(`
    const { Signer } = require('rdsign')
    const some = async (count) => {
      for (let i = 0; i < count; i++) {
        new Signer(${OPTIONS}).tokenSync()
        if (i % 1000 === 0) await new Promise(setImmediate)
      }
      gc()
      await new Promise(setImmediate)
      return process.memoryUsage.rss()
    }
    const main = async () => {
      const before = await some(5_000)
      console.log((await some(30_000) - before) / 2 ** 20 < 32)
    }
    main()`)
  ])
  assert.equal(done, 'true\n')
})

test('a worker of a process that has loaded the library signs', async () => {
  const worker = new Worker(
    `require('node:worker_threads').parentPort.postMessage(new (require('rdsign').Signer)(${OPTIONS}).tokenSync().value)`,
    { eval: true }
  )
  const value = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
  assert.match(value, /^mydb\.abc123/)
})
