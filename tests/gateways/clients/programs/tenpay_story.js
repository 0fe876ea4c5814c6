// A shop on tenpay (npm): WeChat Pay's API of version 2.
const tenpay = require('tenpay')
const { assert, baseUrl, callbacks, elsewhere, made, number, pay, paymentCode, play } = require('./story')

play(async () => {
  const { account, secrets } = made
  let shop
  const told = await callbacks(async (_request, body) => {
    const found = await shop._parse(body, body.includes('req_info') ? 'middleware_refund' : 'middleware_pay')
    return [found, 200, '<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>']
  })
  shop = new tenpay({
    appid: account.appids[0],
    mchid: account.number,
    partnerKey: secrets.api_v2_key,
    notify_url: told.url,
    refund_url: told.url,
    spbill_create_ip: '127.0.0.1',
  })
  if (baseUrl) {
    for (const name of Object.keys(shop.urls)) shop.urls[name] = shop.urls[name].replace(/^https:\/\/[^/]+/, baseUrl)
  }
  const native = (out_trade_no, total_fee = 1250) =>
    shop.unifiedOrder({ out_trade_no, body: '两碗炸酱面', total_fee, trade_type: 'NATIVE', product_id: '1' })

  const mine = number()
  const { code_url: code } = await native(mine)
  await assert.rejects(native(mine, 1300), { message: 'OUT_TRADE_NO_USED' })
  assert.equal((await shop.orderQuery({ out_trade_no: mine })).trade_state, 'NOTPAY')
  await pay(code)
  const paid = await told.next()
  assert.equal(paid.out_trade_no, mine)
  assert.equal((await shop.orderQuery({ transaction_id: paid.transaction_id })).trade_state, 'SUCCESS')
  const first = number('R')
  await shop.refund({ out_trade_no: mine, out_refund_no: first, total_fee: 1250, refund_fee: 500 })
  assert.equal((await told.next()).req_info.out_refund_no, first)
  assert.equal((await shop.refundQuery({ out_refund_no: first })).refund_status_0, 'SUCCESS')

  const closed = number()
  const { code_url: gone } = await native(closed)
  await shop.closeOrder({ out_trade_no: closed })
  assert.ok('refused' in (await elsewhere('pay', { code: gone })))
  await assert.rejects(shop.orderQuery({ out_trade_no: number() }), { message: 'ORDERNOTEXIST' })

  const coded = number()
  const scanned = { body: '牛肉面', total_fee: 800, spbill_create_ip: '127.0.0.1' }
  await shop.micropay({ ...scanned, out_trade_no: coded, auth_code: await paymentCode() })
  const dear = { ...scanned, total_fee: 150000, out_trade_no: number() }
  await assert.rejects(shop.micropay({ ...dear, auth_code: await paymentCode() }), { message: 'USERPAYING' })
  assert.equal((await shop.reverse({ out_trade_no: dear.out_trade_no })).recall, 'N')
  assert.equal((await shop.reverse({ out_trade_no: coded })).recall, 'N')
  assert.equal((await shop.orderQuery({ out_trade_no: coded })).trade_state, 'REVOKED')
})
