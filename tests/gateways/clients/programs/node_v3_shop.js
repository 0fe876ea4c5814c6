// A shop on wechatpay-node-v3 (npm), with the platform's certificate, which the client fetches; what its stories have in common.
const WxPay = require('wechatpay-node-v3')
const { PayRequest } = require('wechatpay-node-v3/dist/lib/pay-request')
const { assert, baseUrl, callbacks, file, made, seen } = require('./story')

const { account, secrets } = made
const appid = account.appids[0]
const mchid = account.number

// Its hook for whoever makes requests otherwise: here, to another origin.
class Elsewhere extends PayRequest {
  get(url, headers) {
    return super.get(url.replace('https://api.mch.weixin.qq.com', baseUrl), headers)
  }

  post(url, params, headers) {
    return super.post(url.replace('https://api.mch.weixin.qq.com', baseUrl), params, headers)
  }
}

// `other` is what a client has otherwise than it should.
function madeFor(other = {}) {
  const shop = new WxPay({
    appid,
    mchid,
    serial_no: account.keys.at(-1).serial,
    publicKey: Buffer.from(file('apiclient_cert.pem')),
    privateKey: Buffer.from(file('apiclient_key.pem')),
    key: secrets.api_v3_key,
    ...other,
  })
  if (baseUrl) shop.createHttp(new Elsewhere())
  return shop
}

const shop = madeFor()

const good = (answer, status = 200) => {
  assert.equal(answer.status, status, JSON.stringify(answer))
  return answer.data
}
// A no: its status, and the text of the answer, that it does not read.
const refused = (answer, status, code) => {
  assert.equal(answer.status, status, JSON.stringify(answer))
  assert.equal(JSON.parse(answer.error).code, code, answer.error)
  seen.add(code)
}

const telling = () =>
  callbacks(async (request, body) => {
    const said = (name) => request.headers[`wechatpay-${name}`]
    const facts = { timestamp: said('timestamp'), nonce: said('nonce'), serial: said('serial'), signature: said('signature') }
    assert.ok(await shop.verifySign({ ...facts, body }))
    const { event_type: event, resource } = JSON.parse(body)
    const plain = shop.decipher_gcm(resource.ciphertext, resource.associated_data, resource.nonce)
    return [{ event, ...plain }, 200, '{"code":"SUCCESS"}']
  })

module.exports = { appid, good, madeFor, mchid, refused, shop, telling }
