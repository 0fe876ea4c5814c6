// What a shop on alipay-sdk (npm, the vendor's own) is told when something is wrong. Version 3: an AlipayRequestError with code,
// status and the vendor's words. The classic gateway: the answer as it came, its names in camel case.
const { createHash, generateKeyPairSync } = require('node:crypto')
const { assert, elsewhere, number, pay, paymentCode, play, seen } = require('./story')
const { appId, good, madeFor, refused, rest, shop, telling } = require('./alipay_sdk_shop')

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const order = (out_trade_no, total_amount = '12.50') => ({ out_trade_no, total_amount, subject: '面' })
const coded = (out_trade_no, auth_code, total_amount = '8.00') => ({ ...order(out_trade_no, total_amount), scene: 'bar_code', auth_code })

async function version_3() {
  const told = await telling()
  const query = (by, more = {}) => by.curl('POST', '/v3/alipay/trade/query', { body: { out_trade_no: number() }, ...more })
  await refused(query(shop), 'ACQ.TRADE_NOT_EXIST')
  await refused(query(madeFor({ privateKey })), 'invalid-signature', 401)
  await refused(query(madeFor({ appId: '2021000000000000' })), 'invalid-app-id', 401)
  await refused(query(shop, { appAuthToken: '202601BB0' }), 'invalid-app-auth-token', 401)
  await refused(query(madeFor({ encryptKey: createHash('md5').update('other').digest('base64') }), { needEncrypt: true }), 'invalid-encrypt')
  await refused(rest('trade/nothing', {}), 'invalid-method', 404)
  await refused(rest('marketing/card/open', {}), 'insufficient-isv-permissions', 403)
  await refused(rest('trade/precreate', order(number(), '0')), 'ACQ.INVALID_PARAMETER')
  await refused(rest('trade/precreate', order(number(), '100000000.00')), 'ACQ.TOTAL_FEE_EXCEED')
  const mine = number()
  const { qr_code } = await rest('trade/precreate', { ...order(mine), notify_url: told.url })
  await refused(rest('trade/precreate', order(mine, '13.00')), 'ACQ.CONTEXT_INCONSISTENT')
  await pay(qr_code)
  await told.next()
  await refused(rest('trade/precreate', { ...order(mine), notify_url: told.url }), 'ACQ.TRADE_HAS_SUCCESS')
  await refused(rest('trade/close', { out_trade_no: mine }), 'ACQ.TRADE_STATUS_ERROR')
  const refund = (refund_amount, out_request_no) => rest('trade/refund', { out_trade_no: mine, refund_amount, out_request_no })
  await refund('5.00', '1')
  await refused(refund('6.00', '1'), 'ACQ.DISCORDANT_REPEAT_REQUEST')
  await refused(refund('7.51', '2'), 'ACQ.REFUND_AMT_NOT_EQUAL_TOTAL')
  await refused(rest('trade/pay', coded(number(), '280000000000000000')), 'ACQ.PAYMENT_AUTH_CODE_INVALID')
  // Somebody who is asked for the password: no error, and not yet paid.
  const dear = coded(number(), await paymentCode(), '1500.00')
  assert.equal((await rest('trade/pay', dear)).gmt_payment, undefined)
  await elsewhere('answer', { reject: true })
  await refused(rest('trade/pay', dear), 'ACQ.PAYMENT_FAIL')
  await elsewhere('faults', { at: 'zhi', number: appId, faults: { system_error: 1, only: 'trade.query' } })
  await refused(query(shop), 'ACQ.SYSTEM_ERROR', 500)
}

async function classic() {
  const ask = (method, bizContent, by = shop) => by.exec(method, { bizContent }, { validateSign: true })
  const says = async (asked, code, subCode) => {
    const answer = good(await asked, code)
    assert.equal(answer.subCode, subCode, JSON.stringify(answer))
    seen.add(subCode)
    return answer
  }
  await says(ask('alipay.trade.query', { out_trade_no: number() }), '40004', 'ACQ.TRADE_NOT_EXIST')
  const forged = await says(ask('alipay.trade.query', { out_trade_no: '1' }, madeFor({ privateKey })), '40002', 'isv.invalid-signature')
  assert.match(forged.subMsg, /^验签出错/)
  await says(ask('alipay.trade.query', { out_trade_no: '1' }, madeFor({ appId: '2021000000000000' })), '40002', 'isv.invalid-app-id')
  await says(ask('alipay.trade.nothing', {}), '40002', 'isv.invalid-method')
  await says(ask('alipay.marketing.card.open', {}), '40006', 'isv.insufficient-isv-permissions')
  await says(ask('alipay.trade.precreate', order(number(), '0')), '40004', 'ACQ.INVALID_PARAMETER')
  const dear = coded(number(), await paymentCode(), '1500.00')
  good(await ask('alipay.trade.pay', dear), '10003')
  await elsewhere('answer', { reject: true })
  await says(ask('alipay.trade.pay', dear), '40004', 'ACQ.PAYMENT_FAIL')
  await elsewhere('faults', { at: 'zhi', number: appId, faults: { system_error: 1, only: 'trade.query' } })
  await says(ask('alipay.trade.query', { out_trade_no: '1' }), '20000', 'ACQ.SYSTEM_ERROR')
  // What it can't believe it rejects itself.
  const doubtful = madeFor({ alipayPublicKey: publicKey, alipayPublicCertPath: '', appCertPath: '', alipayRootCertPath: '' })
  await assert.rejects(ask('alipay.trade.query', { out_trade_no: '1' }, doubtful), { message: /验签失败/ })
}

play(version_3, classic)
