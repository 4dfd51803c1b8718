// Each line of tests/vectors.tsv, the contract that all languages share.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { RdsignError, Signer } from 'rdsign'
import { repository } from './support.mjs'

const ESCAPES = { t: '\t', n: '\n', r: '\r', '\\': '\\' }

/** Decodes a field of PostgreSQL's COPY text format. `\N` becomes undefined. */
function field(text) {
  if (text === '\\N') return undefined
  return text.replace(/\\(x[0-9a-fA-F]{2}|.)/g, (_, sequence) =>
    sequence[0] === 'x' ? String.fromCharCode(parseInt(sequence.slice(1), 16)) : ESCAPES[sequence]
  )
}

const number = (text) => (text === undefined ? undefined : Number(text))

for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) {
  assert.equal(process.env[name], undefined, `${name} is set, but some vectors need no region`)
}
const text = readFileSync(join(repository, 'tests/vectors.tsv'), 'utf8')
const [names, ...lines] = text
  .split('\n')
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => line.split('\t'))
const vectors = lines.map((line) => Object.fromEntries(line.map((value, i) => [names[i], field(value)])))

/** Returns the token of a vector, or the code of its error. */
function sign(vector) {
  const { hostname, username, region, service } = vector
  try {
    const signer = new Signer({
      hostname,
      port: number(vector.port),
      username,
      region,
      accessKeyId: vector.access_key_id,
      secretAccessKey: vector.secret_access_key,
      sessionToken: vector.session_token,
      expiresIn: number(vector.expires_in),
      service
    })
    // Some vectors have years that a Date cannot represent. It is then invalid, and so is the time.
    return { token: signer.tokenSync({ signingTime: new Date(number(vector.signing_time) * 1000) }).value }
  } catch (error) {
    if (!(error instanceof RdsignError)) throw error
    return { error: error.code }
  }
}

test('each vector gives its bytes or its code', (t) => {
  assert(vectors.length >= 120, `only ${vectors.length} vectors`)
  for (const vector of vectors) {
    const { token, error } = vector
    assert.deepEqual(sign(vector), error === undefined ? { token } : { error }, vector.name)
  }
  t.diagnostic(`${vectors.length} vectors`)
})
