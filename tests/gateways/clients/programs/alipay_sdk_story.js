// A shop on alipay-sdk (npm, the vendor's own): the classic gateway and version 3, with a key or with certificates.
const { assert, elsewhere, number, pay, paymentCode, play, race } = require('./story')
const { good, refused, shop, telling } = require('./alipay_sdk_shop')

play(async () => {
  const told = await telling()
  const ask = (method, bizContent, more = {}) =>
    shop.exec(method, { bizContent, notifyUrl: told.url, ...more }, { validateSign: true })

  const mine = number()
  const order = { out_trade_no: mine, total_amount: '12.50', subject: '两碗炸酱面' }
  const { qrCode: code } = good(await ask('alipay.trade.precreate', order))
  assert.equal((await ask('alipay.trade.precreate', { ...order, total_amount: '13.00' })).subCode, 'ACQ.CONTEXT_INCONSISTENT')
  await pay(code)
  const paid = await told.next()
  assert.equal(paid.trade_status, 'TRADE_SUCCESS')
  assert.equal(good(await ask('alipay.trade.query', { out_trade_no: mine })).tradeNo, paid.trade_no)
  const back = good(await ask('alipay.trade.refund', { out_trade_no: mine, refund_amount: '5.00', out_request_no: '1' }))
  assert.equal(back.refundFee, '5.00')
  assert.equal((await told.next()).refund_fee, '5.00')
  const found = await ask('alipay.trade.fastpay.refund.query', { out_trade_no: mine, out_request_no: '1' })
  assert.equal(good(found).refundStatus, 'REFUND_SUCCESS')

  // Version 3.
  const newer = number()
  const { data: coded } = await shop.curl('POST', '/v3/alipay/trade/pay', {
    body: {
      out_trade_no: newer,
      scene: 'bar_code',
      auth_code: await paymentCode(),
      total_amount: '8.00',
      subject: '牛肉面',
    },
  })
  assert.equal(coded.out_trade_no, newer)
  const { data: stands } = await shop.curl('POST', '/v3/alipay/trade/query', { body: { out_trade_no: newer } })
  assert.equal(stands.trade_status, 'TRADE_SUCCESS')
  const { data: cancelled } = await shop.curl('POST', '/v3/alipay/trade/cancel', { body: { out_trade_no: newer } })
  assert.equal(cancelled.action, 'refund')
  await refused(shop.curl('POST', '/v3/alipay/trade/query', { body: { out_trade_no: number() } }), 'ACQ.TRADE_NOT_EXIST')
  const { data: hidden } = await shop.curl('POST', '/v3/alipay/trade/precreate', {
    body: { out_trade_no: number(), total_amount: '1.00', subject: '面' },
    needEncrypt: true,
  })
  assert.ok(hidden.qr_code, JSON.stringify(hidden))

  const waiting = { out_trade_no: number(), total_amount: '1500.00', subject: '宴席', scene: 'bar_code' }
  good(await ask('alipay.trade.pay', { ...waiting, auth_code: await paymentCode() }), '10003')
  assert.equal((await elsewhere('answer')).state, 'COMPLETED')
  assert.equal(good(await ask('alipay.trade.query', { out_trade_no: waiting.out_trade_no })).tradeStatus, 'TRADE_SUCCESS')
  const givenUp = { ...waiting, out_trade_no: number(), auth_code: await paymentCode() }
  good(await ask('alipay.trade.pay', givenUp), '10003')
  good(await ask('alipay.trade.cancel', { out_trade_no: givenUp.out_trade_no }))

  const raced = number()
  const { qrCode: wanted } = good(await ask('alipay.trade.precreate', { ...order, out_trade_no: raced }))
  const won = await race(wanted, async () => good(await ask('alipay.trade.close', { out_trade_no: raced })))
  const ended = good(await ask('alipay.trade.query', { out_trade_no: raced })).tradeStatus
  assert.equal(ended, won ? 'TRADE_SUCCESS' : 'TRADE_CLOSED')

  const closed = number()
  const { qrCode: gone } = good(await ask('alipay.trade.precreate', { ...order, out_trade_no: closed }))
  await elsewhere('pay', { code: gone, reject: true })
  good(await ask('alipay.trade.close', { out_trade_no: closed }))
  assert.ok('refused' in (await elsewhere('pay', { code: gone })))

  const page = { bizContent: { out_trade_no: number(), total_amount: '1.00', subject: '面', product_code: 'FAST_INSTANT_TRADE_PAY' } }
  const shown = await fetch(shop.pageExec('alipay.trade.page.pay', { method: 'GET', ...page }))
  assert.ok((await shown.text()).includes('<html'))
})
