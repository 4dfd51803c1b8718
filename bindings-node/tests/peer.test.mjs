// Compares tokens with those of @aws-sdk/rds-signer: the signature is the same, the order of the
// parameters differs. Two cases, in which rdsign follows botocore, are left out: host names with upper-case
// letters, and port 443.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Signer as Peer } from '@aws-sdk/rds-signer'
import { Signer } from 'rdsign'
import { random, signature } from './support.mjs'

const next = random(20260722)
const below = (end) => Math.floor(next() * end)
const text = (length, from) => Array.from({ length }, () => from[below(from.length)]).join('')
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789']
const ANY = [...LETTERS, ...`ABCXYZ -_.~!*'()+,/:;=?@&%#$"<>[]{}|^\``, 'é', 'ß', '中', '\u{1f600}']
const BASE64 = [...LETTERS, ...'ABCXYZ+/=']
const REGIONS = ['us-east-1', 'eu-central-1', 'ap-northeast-1', 'cn-northwest-1', 'us-gov-west-1']

function input() {
  const region = REGIONS[below(REGIONS.length)]
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  const port = 1 + below(65535)
  return {
    hostname: `${text(1 + below(30), LETTERS)}.${text(12, LETTERS)}.${region}.rds.${domain}`,
    port: port === 443 ? 5432 : port,
    username: text(1 + below(40), ANY),
    region,
    credentials: {
      accessKeyId: `AKIA${text(16, LETTERS).toUpperCase()}`,
      secretAccessKey: text(40, BASE64),
      sessionToken: below(2) ? text(1 + below(1200), BASE64) : undefined
    }
  }
}

test('a thousand random inputs give the same signature and parameters', async () => {
  for (let i = 0; i < 1000; i++) {
    const options = input()
    const theirs = await new Peer(options).getAuthToken()
    const parameters = new URL(`https://${theirs}`).searchParams
    const time = parameters.get('X-Amz-Date').replace(/(....)(..)(..T..)(..)/, '$1-$2-$3:$4:')
    const ours = (await new Signer(options).token({ signingTime: new Date(time) })).value
    assert.equal(signature(ours), signature(theirs), JSON.stringify(options))
    const sorted = (token) => token.split(/[?&]/).sort()
    assert.deepEqual(sorted(ours), sorted(theirs))
  }
})
