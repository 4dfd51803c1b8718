// Measures a token in a running Node program, compared with @aws-sdk/rds-signer and aws-sdk v2. Prints
// a line of JSON for each comparison, with the measurements of all rounds; rounds alternate.
//   node warm.mjs FOLDER [--quick]     FOLDER has a folder for each package, created by bench/install
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'
const folder = resolve(process.argv[2])
const quick = process.argv.includes('--quick')
/** Loads a package. Returns it and its name in the table. */
function load(name, where = name) {
  const require = createRequire(`${folder}/${where}/`)
  return [
    require(name),
    `${name} ${JSON.parse(readFileSync(`${folder}/${where}/node_modules/${name}/package.json`)).version}`
  ]
}
const [rdsign] = load('rdsign')
const [v3, nameOfV3] = load('@aws-sdk/rds-signer', 'rds-signer')
const [v2, nameOfV2] = load('aws-sdk')

const target = {
  hostname: 'mydb.abc123.eu-central-1.rds.amazonaws.com',
  port: 5432,
  username: 'iam_user',
  region: 'eu-central-1'
}
const longLived = {
  accessKeyId: 'AKIDEXAMPLE000000000',
  secretAccessKey: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00'
}
const temporary = { ...longLived, sessionToken: 'IQoJb3JpZ2luX2VjE/+='.repeat(45) }

/** Returns the CPU nanoseconds of a call, on average over `count` calls. */
async function cost(call, count) {
  const before = process.cpuUsage()
  for (let i = 0; i < count; i++) {
    const result = call()
    if (result instanceof Promise) await result
  }
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1000) / count
}

async function compare(row, ours, peers, more) {
  const calls = [[ours, 10_000], ...Object.values(peers).map((peer) => [peer, 1_000])]
  const rounds = calls.map(() => [])
  for (const [call, count] of calls) await cost(call, 4 * count) // for the JIT compiler
  for (let i = 0; i < (quick ? 5 : 31); i++) {
    for (const [k, [call, count]] of calls.entries()) rounds[k].push(await cost(call, count))
  }
  const [rdsign, ...others] = rounds
  const named = Object.fromEntries(Object.keys(peers).map((name, k) => [name, others[k]]))
  console.log(JSON.stringify({ language: 'Node', row, unit: 'ns of CPU', rdsign, peers: named, ...more }))
}

for (const [kind, credentials] of [
  ['long-lived key', longLived],
  ['STS session token', temporary]
]) {
  const signer = new rdsign.Signer({ ...target, credentials })
  const signerOfV3 = new v3.Signer({ ...target, credentials })
  const signerOfV2 = new v2.RDS.Signer({ ...target, credentials: new v2.Credentials(credentials) })
  const isLongLived = kind === 'long-lived key'
  await compare(
    `one token, warm, ${kind}`,
    () => signer.token(),
    { [nameOfV3]: () => signerOfV3.getAuthToken(), [nameOfV2]: () => signerOfV2.getAuthToken(target) },
    isLongLived ? { aims: [{ 'times as fast as': nameOfV3, times: 15 }], chart: 'warm' } : {}
  )
  await compare(
    `one token, warm, ${kind}, tokenSync()`,
    () => signer.tokenSync(),
    { [nameOfV3]: () => signerOfV3.getAuthToken() },
    isLongLived ? { aims: [{ 'at most': 2500 }, { 'times as fast as': nameOfV3, times: 25 }] } : {}
  )
}
