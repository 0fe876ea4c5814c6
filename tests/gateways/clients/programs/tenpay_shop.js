// A shop on tenpay (npm), WeChat Pay's API of version 2; what its stories have in common.
const { readFileSync } = require('node:fs')
const tenpay = require('tenpay')
const { assert, baseUrl, callbacks, directory, made, seen } = require('./story')

const { account, secrets } = made

// `other` is what a client has otherwise than it should.
function madeFor(url, other = {}) {
  const shop = new tenpay({
    appid: account.appids[0],
    mchid: account.number,
    partnerKey: secrets.api_v2_key,
    pfx: readFileSync(`${directory}/apiclient_cert.p12`),
    notify_url: url,
    refund_url: url,
    spbill_create_ip: '127.0.0.1',
    ...other,
  })
  if (baseUrl) {
    for (const name of Object.keys(shop.urls)) shop.urls[name] = shop.urls[name].replace(/^https:\/\/[^/]+/, baseUrl)
  }
  return shop
}

// The shop, and what it is told.
async function open() {
  let shop
  const told = await callbacks(async (_request, body) => {
    const found = await shop._parse(body, body.includes('req_info') ? 'middleware_refund' : 'middleware_pay')
    return [found, 200, '<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>']
  })
  shop = madeFor(told.url)
  return { shop, told }
}

// A no: its code is all that the error says.
async function refused(asked, code) {
  await assert.rejects(asked, { name: 'Error', message: code })
  seen.add(code)
}

module.exports = { madeFor, open, refused }
