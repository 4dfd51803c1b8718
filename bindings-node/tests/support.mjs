// Shared by the tests: a local RDS, a fake AWS that returns credentials, and helpers that run programs.
// Each process that is started here is ended here.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { RdsLocal } from 'rdsign/testing.js'

/** The folder that contains the tests and the installed package. */
export const here = dirname(fileURLToPath(import.meta.url))
export const repository = process.env.RDSIGN_REPOSITORY
assert(repository, 'RDSIGN_REPOSITORY is not set: run the tests with `make test-node`')
process.env.RDSIGN_BIN ??= join(repository, 'target/debug/rdsign')
// Prepared data folders of PostgreSQL.
process.env.XDG_CACHE_HOME = join(repository, 'target/test-cache')
mkdirSync(process.env.XDG_CACHE_HOME, { recursive: true })

/** Milliseconds to wait for something that takes far less. Only a failure waits this long. */
export const PATIENCE = 120_000

/** The credentials timeout of most tests: the default of five seconds may be too short on a busy machine. */
export const credentialsTimeout = 60_000

/** An endpoint and keys that do not exist. */
export const endpoint = {
  hostname: 'mydb.abc123.eu-central-1.rds.amazonaws.com',
  port: 5432,
  username: 'iam_user'
}
export const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'an/example+of a secret' }

/** The environment without variables that change the behavior of rdsign or a driver. */
export function environment(more = {}) {
  const own = Object.entries(process.env).filter(([name]) => !/^(AWS_|PG|NODE_TEST)/.test(name))
  const files = {
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true'
  }
  return { ...Object.fromEntries(own), ...files, ...more }
}

/** Returns a generator of numbers from 0 to 1 that is the same in each run (mulberry32). */
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Returns the signature in a token. */
export const signature = (token) => new URL(`https://${token}`).searchParams.get('X-Amz-Signature')

/** Runs Node in this folder. Returns its exit status or signal, and its output. */
export async function run(args, { env = {}, cwd = here, command = process.execPath, input = '' } = {}) {
  const child = spawn(command, args, { cwd, env: environment(env) })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'])
    child[name].setEncoding('utf8').on('data', (text) => (output[name] += text))
  child.stdin.end(input)
  const [status, signal] = await once(child, 'close')
  return { status: signal ?? status, ...output }
}

/** The same, for programs that must succeed without error output. Returns the standard output. */
export async function output(args, options) {
  const { status, stdout, stderr } = await run(args, options)
  assert.deepEqual([stderr, status], ['', 0])
  return stdout
}

/** Waits until a condition holds. Returns its value. */
export async function until(condition, what) {
  for (const deadline = performance.now() + PATIENCE; performance.now() < deadline; ) {
    const value = await condition()
    if (value) return value
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.fail(`timed out waiting for ${what}`)
}

/** Starts an RDS on this machine for these endpoints, and stops it when the test file ends. */
export async function startLocal(after, ...endpoints) {
  const local = await RdsLocal.start({ endpoints })
  after(() => local.stop())
  return local
}

/** Runs `body`. Returns the reasons for which the server refused logins meanwhile. */
export async function refusalsDuring(local, body) {
  const before = await local.refusals()
  await body()
  return (await local.refusals()).slice(before.length).map(({ id }) => id)
}

/** Starts the fake AWS, tests/support/fake_aws.py. */
export async function startAws(after) {
  const program = join(repository, 'tests/support/fake_aws.py')
  const child = spawn('python3', ['-B', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [url] = await once(createInterface({ input: child.stdout }), 'line')
  after(async () => {
    const ended = once(child, 'exit')
    child.stdin.end()
    await ended
  })
  const control = async (route, method, body) =>
    (await fetch(`${url}/fake/${route}`, { method, body: body && JSON.stringify(body) })).json()
  return {
    url,
    /** Variables with which the default chain fetches the container's credentials from the fake. */
    container: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container/credentials` },
    set: (route, attributes) => control(route, 'PUT', attributes),
    look: (route) => control(route, 'GET')
  }
}
