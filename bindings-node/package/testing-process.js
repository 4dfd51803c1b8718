'use strict'
// Runs `rdsign local --json` for testing.js: finds the program, waits until the server is ready, and passes
// requests to it. A request is a line of JSON on its standard input, and the answer a line on its standard
// output. When this process ends, also by a crash, its end of that input closes, and the server stops.
//
// The child and its pipes do not keep this process alive, except while a request waits for its answer.

const { spawn } = require('node:child_process')
const { accessSync, constants, statSync } = require('node:fs')
const { delimiter, join } = require('node:path')
const { createInterface } = require('node:readline')

const PROTOCOL = 1
/** The number of characters of the program's error output that are kept for an error. */
const KEPT = 8192
const WAYS = 'accepted: RDSIGN_BIN with the path of the program, or a folder of PATH that contains it'

class RdsLocalError extends Error {
  constructor(message, code) {
    super(message)
    if (code !== undefined) this.code = code
  }
}
Object.defineProperty(RdsLocalError.prototype, 'name', {
  value: 'RdsLocalError',
  configurable: true,
  writable: true
})

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Returns the path of the program: of RDSIGN_BIN, else in PATH. */
function find() {
  const { RDSIGN_BIN, PATH = '' } = process.env
  if (RDSIGN_BIN) {
    if (isProgram(RDSIGN_BIN)) return RDSIGN_BIN
    throw new RdsLocalError(`RDSIGN_BIN: ${RDSIGN_BIN} is not a program; ${WAYS}`, 'no-program')
  }
  const folders = PATH.split(delimiter).filter((folder) => folder !== '')
  const inPath = folders.map((folder) => join(folder, 'rdsign')).find(isProgram)
  if (inPath) return inPath
  throw new RdsLocalError(`no program rdsign to run RDS on this machine with; ${WAYS}`, 'no-program')
}

class LocalProcess {
  /** The members of the line that says that the server is ready. */
  ready
  #child
  #closed
  #errors = ''
  /** By the ID of a request, the function that gets its answer. */
  #waiting = new Map()
  #last = 0
  /** Why the server does not answer any more, as a text. */
  #end

  /** Starts a server. Resolves when it is ready. */
  static async start(args) {
    const started = new LocalProcess()
    await started.#start(find(), args)
    return started
  }

  async #start(program, args) {
    const child = spawn(program, ['local', '--json', ...args], { stdio: 'pipe' })
    this.#child = child
    // Writing to a program that has ended is no error of its own: the end of its output is reported.
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-KEPT)
    })
    let failure
    child.on('error', (error) => (failure = error))
    let settle
    const first = new Promise((resolve) => (settle = resolve))
    this.#closed = new Promise((resolve) => child.on('close', resolve)).then(() => {
      this.#end ??= this.#errors.trim() || 'RDS on this machine was stopped'
      for (const answer of this.#waiting.values()) answer({})
      settle()
    })
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line, settle))
    const line = await first
    this.#rest()
    if (line?.event === 'ready' && line.protocol === PROTOCOL) {
      this.ready = line
      return
    }
    child.stdin.end()
    this.#keepAlive()
    await this.#closed
    if (failure) throw new RdsLocalError(`${program} cannot be started: ${failure.message}`, 'no-program')
    if (line?.event === 'failed') throw new RdsLocalError(line.message, line.kind)
    throw new RdsLocalError(
      `${program}: not the rdsign that belongs to this package; accepted: one of the same version${this.#errors && `\n${this.#errors.trim()}`}`,
      'no-program'
    )
  }

  #read(text, settle) {
    let line
    try {
      line = JSON.parse(text)
    } catch {
      return settle()
    }
    if (line.event === 'stopped' && line.message) this.#end = line.message
    if (line.event === 'ready' || line.event === 'failed') settle(line)
    const waiting = this.#waiting.get(line.id)
    if (!waiting) return
    this.#waiting.delete(line.id)
    if (this.#waiting.size === 0) this.#rest()
    waiting(line)
  }

  /** Sends a request. Resolves to the members of its answer. */
  async request(verb, members = {}) {
    const id = ++this.#last
    const answer = await new Promise((resolve) => {
      if (this.#end || this.#child.stdin.writableEnded) return resolve({})
      this.#waiting.set(id, resolve)
      this.#keepAlive()
      this.#child.stdin.write(`${JSON.stringify({ id, do: verb, ...members })}\n`)
    })
    // Made here, so that its stack leads to the caller.
    const { message = this.#end ?? 'RDS on this machine was stopped', sqlstate } = answer.error ?? {}
    if (!answer.ok) throw new RdsLocalError(message, sqlstate)
    return answer.ok
  }

  /** Stops the server, and resolves when its files are removed. */
  async stop() {
    this.#child.stdin.end()
    this.#keepAlive()
    await this.#closed
  }

  #keepAlive() {
    for (const handle of [this.#child, this.#child.stdout]) handle.ref()
  }

  #rest() {
    const { stdin, stdout, stderr } = this.#child
    for (const handle of [this.#child, stdin, stdout, stderr]) handle.unref?.()
  }
}

module.exports = { LocalProcess, RdsLocalError }
