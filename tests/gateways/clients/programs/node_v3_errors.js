// What a shop on wechatpay-node-v3 (npm) is told when something is wrong: never an exception, always an object with the status and,
// in `error`, the text that came.
const { generateKeyPairSync } = require('node:crypto')
const { assert, elsewhere, number, pay, play } = require('./story')
const { good, madeFor, mchid, refused, shop } = require('./node_v3_shop')

async function errors() {
  const native = (out_trade_no, total = 1250, by = shop) =>
    by.transactions_native({ description: '面', out_trade_no, notify_url: 'http://127.0.0.1:9/told', amount: { total } })
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  refused(await native(number(), 1250, madeFor({ privateKey: Buffer.from(privateKey) })), 401, 'SIGN_ERROR')
  refused(await native(number(), 1250, madeFor({ serial_no: '1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C' })), 401, 'SIGN_ERROR')
  refused(await native(number(), 1250, madeFor({ appid: 'wx0123456789abcdef' })), 400, 'APPID_MCHID_NOT_MATCH')
  refused(await native(number(), 0), 400, 'PARAM_ERROR')
  const mine = number()
  const { code_url: code } = good(await native(mine))
  refused(await native(mine, 1300), 403, 'OUT_TRADE_NO_USED')
  await pay(code)
  refused(await native(mine), 400, 'ORDERPAID')
  refused(await shop.close(mine), 400, 'ORDERPAID')
  refused(await shop.query({ out_trade_no: number() }), 404, 'ORDER_NOT_EXIST')
  refused(await shop.find_refunds(number('R')), 404, 'RESOURCE_NOT_EXISTS')
  const refund = { out_trade_no: mine, out_refund_no: number('R'), amount: { refund: 1251, total: 1250, currency: 'CNY' } }
  refused(await shop.refunds(refund), 400, 'PARAM_ERROR')
  await elsewhere('faults', { at: 'wei', number: mchid, faults: { system_error: 1, only: 'native' } })
  refused(await native(number()), 500, 'SYSTEM_ERROR')
  // It uploads to no address at all: the one thing that is wrong here with the client.
  assert.equal((await shop.upload_images(Buffer.from('x'), 'x.jpg')).status, undefined)
}

play(errors)
