// A shop on tenpay (npm): WeChat Pay's API of version 2.
const { assert, elsewhere, number, pay, paymentCode, play, race } = require('./story')
const { open, refused } = require('./tenpay_shop')

play(async () => {
  const { shop, told } = await open()
  const native = (out_trade_no, total_fee = 1250) =>
    shop.unifiedOrder({ out_trade_no, body: '两碗炸酱面', total_fee, trade_type: 'NATIVE', product_id: '1' })

  const mine = number()
  const { code_url: code } = await native(mine)
  assert.equal((await native(mine)).code_url, code)
  await refused(native(mine, 1300), 'OUT_TRADE_NO_USED')
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
  await refused(shop.orderQuery({ out_trade_no: number() }), 'ORDERNOTEXIST')

  const raced = number()
  const won = await race((await native(raced)).code_url, () => shop.closeOrder({ out_trade_no: raced }))
  assert.equal((await shop.orderQuery({ out_trade_no: raced })).trade_state, won ? 'SUCCESS' : 'CLOSED')

  const coded = number()
  const scanned = { body: '牛肉面', total_fee: 800, spbill_create_ip: '127.0.0.1' }
  await shop.micropay({ ...scanned, out_trade_no: coded, auth_code: await paymentCode() })
  const dear = { ...scanned, total_fee: 150000, out_trade_no: number() }
  await refused(shop.micropay({ ...dear, auth_code: await paymentCode() }), 'USERPAYING')
  assert.equal((await shop.reverse({ out_trade_no: dear.out_trade_no })).recall, 'N')
  assert.equal((await shop.reverse({ out_trade_no: coded })).recall, 'N')
  assert.equal((await shop.orderQuery({ out_trade_no: coded })).trade_state, 'REVOKED')
})
