// Runs the tests of examples/node-test with the installed package, and, for `make test-guides`, also in Vitest and
// Jest, which are installed for it.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { here, output, PATIENCE, repository, run } from './support.mjs'

const example = join(repository, 'examples/node-test')

const VISITS = 'visits.test.mjs'
const IMPORT = "import { after, afterEach, before, beforeEach, test } from 'node:test'"

/** Runs `body` with a copy of the example. */
async function withCopy(body) {
  const work = mkdtempSync(join(here, 'example-'))
  try {
    cpSync(example, work, { recursive: true })
    await body(work)
  } finally {
    rmSync(work, { recursive: true })
  }
}

test('the tests of examples/node-test pass', async () => {
  await withCopy(async (work) => {
    const { scripts } = JSON.parse(readFileSync(join(work, 'package.json'), 'utf8'))
    assert.equal(scripts.test, 'node --test')
    const { status, stdout } = await run(['--test', '--test-reporter=tap'], { cwd: work })
    assert.equal(status, 0, stdout)
    assert.match(stdout, /^# pass 4$/m)
  })
})

for (const [name, module, env, ...args] of [
  ['vitest', 'vitest', {}, 'vitest.mjs', 'run', `--testTimeout=${PATIENCE}`, `--hookTimeout=${PATIENCE}`],
  [
    'jest',
    '@jest/globals',
    { NODE_OPTIONS: '--experimental-vm-modules' },
    'bin/jest.js',
    '--testMatch=**/*.test.mjs',
    `--testTimeout=${PATIENCE}`
  ]
]) {
  const skip = process.env.RDSIGN_GUIDES === undefined && 'make test-guides runs it'
  test(`they pass in ${name} with its names for the functions`, { skip }, async () => {
    await withCopy(async (work) => {
      const source = readFileSync(join(work, VISITS), 'utf8')
      assert(source.includes(IMPORT))
      const own = `import { afterAll as after, afterEach, beforeAll as before, beforeEach, test } from '${module}'`
      writeFileSync(join(work, VISITS), source.replace(IMPORT, own))
      // In a folder of its own, because npm would install what package.json asks for, too.
      const alone = join(work, name)
      const options = ['--prefix', alone, '--no-save', '--ignore-scripts', '--silent']
      mkdirSync(alone)
      await output(['install', ...options, name], { command: 'npm', cwd: alone })
      renameSync(join(alone, 'node_modules'), join(work, 'node_modules'))
      const [program, ...more] = args
      const path = join(work, 'node_modules', name, program)
      const { status, stdout, stderr } = await run([path, ...more], {
        cwd: work,
        env: { ...env, NO_COLOR: '1' }
      })
      assert.equal(status, 0, stdout + stderr)
      assert.match(stdout + stderr, /Tests:? +4 passed/)
    })
  })
}

test('the example of docs/testing.md is a part of it', () => {
  const page = readFileSync(join(repository, 'docs/testing.md'), 'utf8')
  const source = readFileSync(join(example, VISITS), 'utf8')
  const [, shown] = /^```js\n(.*?)^```$/ms.exec(page)
  assert(source.includes(shown))
})
