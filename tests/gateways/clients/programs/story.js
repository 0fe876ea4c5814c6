// What every merchant's program here has besides its client: the line to the test, and a door for callbacks.
const { readFileSync } = require('node:fs')
const http = require('node:http')
const readline = require('node:readline')
const assert = require('node:assert/strict')

const [directory, baseUrl = '', ...only] = process.argv.slice(2) // No base URL: the names of the real services.
const file = (name) => readFileSync(`${directory}/${name}`, 'utf8')
const made = JSON.parse(file('account.json'))
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const seen = new Set() // Every code that was refused with.
let numbers = 0

// A number of the shop's own, that no other run had.
const number = (prefix = 'T') => `${prefix}${made.account.number.slice(-4)}${process.pid}${++numbers}`

// Have something done elsewhere.
async function elsewhere(what, facts = {}) {
  process.stdout.write(JSON.stringify({ do: what, ...facts }) + '\n')
  return JSON.parse((await lines.next()).value)
}

// Somebody at another institution scans it and pays.
async function pay(code) {
  const paid = await elsewhere('pay', { code })
  assert.equal(paid.state, 'COMPLETED', JSON.stringify(paid))
  return paid
}

// The shop closes what somebody is just paying: one of the two wins. Whether it was paid.
async function race(code, close) {
  const closing = close().then(
    () => true,
    () => false,
  )
  const paid = (await elsewhere('pay', { code })).state === 'COMPLETED'
  assert.notEqual(paid, await closing)
  return paid
}

const paymentCode = async (at = 'jing') => (await elsewhere('payment_code', { at })).payment_code

// Where callbacks arrive: `accept` judges each, and what it answers is sent.
async function callbacks(accept) {
  const came = []
  const waiting = []
  const server = http.createServer((request, response) => {
    const pieces = []
    request.on('data', (piece) => pieces.push(piece))
    request.on('end', async () => {
      let found
      let answer = [500, 'broken']
      try {
        ;[found, ...answer] = await accept(request, Buffer.concat(pieces).toString('utf8'))
      } catch (error) {
        found = error
      }
      response.writeHead(answer[0])
      response.end(answer[1])
      waiting.length ? waiting.shift()(found) : came.push(found)
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${server.address().port}/told`,
    async next() {
      const found = came.length ? came.shift() : await new Promise((resolve) => waiting.push(resolve))
      if (found instanceof Error) throw found
      return found
    },
  }
}

// What is true soon, if not at once.
async function eventually(look, expected) {
  let found
  for (let tries = 0; tries < 100; tries += 1) {
    found = await look()
    if (found === expected) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.equal(found, expected)
}

// The program: its stories, or those that were asked for, and its last word.
function play(...stories) {
  const chosen = stories.filter((story) => !only.length || only.includes(story.name))
  chosen.reduce((before, story) => before.then(() => story()), Promise.resolve()).then(
    () => process.stdout.write(JSON.stringify({ done: chosen.length > 0, seen: [...seen].sort() }) + '\n', () => process.exit(0)),
    (error) => {
      console.error(error?.response?.data ?? '', error?.stack ?? error)
      process.exit(1)
    },
  )
}

module.exports = {
  assert,
  baseUrl,
  callbacks,
  directory,
  elsewhere,
  eventually,
  file,
  made,
  number,
  pay,
  paymentCode,
  play,
  race,
  seen,
}
