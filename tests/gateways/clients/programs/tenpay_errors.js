// What a shop on tenpay (npm) is told when something is wrong: an Error whose message is the code, or the text where there is none.
const { assert, elsewhere, made, number, pay, paymentCode, play } = require('./story')
const { madeFor, open, refused } = require('./tenpay_shop')

const scanned = { body: '面', total_fee: 150000 }

async function errors() {
  const { shop, told } = await open()
  const native = (out_trade_no, total_fee = 1250, by = shop) =>
    by.unifiedOrder({ out_trade_no, body: '面', total_fee, trade_type: 'NATIVE', product_id: '1' })
  await refused(native(number(), 1250, madeFor(told.url, { partnerKey: '0'.repeat(32) })), '签名错误')
  await refused(native(number(), 1250, madeFor(told.url, { mchid: '1900000001' })), '商户号不存在')
  await refused(native(number(), 1250, madeFor(told.url, { appid: 'wx0123456789abcdef' })), 'APPID_MCHID_NOT_MATCH')
  await refused(native(number(), -1), 'total_fee参数格式错误')
  await refused(native(number(), 999999999999), 'PARAM_ERROR')
  const mine = number()
  const { code_url: code } = await native(mine)
  await refused(native(mine, 1300), 'OUT_TRADE_NO_USED')
  await pay(code)
  await told.next()
  await refused(native(mine), 'ORDERPAID')
  await refused(shop.closeOrder({ out_trade_no: mine }), 'ORDERPAID')
  await refused(shop.refund({ out_trade_no: mine, out_refund_no: number('R'), total_fee: 1250, refund_fee: 1251 }), 'PARAM_ERROR')
  const closed = number()
  await native(closed)
  await shop.closeOrder({ out_trade_no: closed })
  await refused(native(closed), 'ORDERCLOSED')
  await refused(shop.orderQuery({ out_trade_no: number() }), 'ORDERNOTEXIST')
  await refused(shop.refundQuery({ out_refund_no: number('R') }), 'REFUNDNOTEXIST')
  await refused(shop.micropay({ ...scanned, out_trade_no: number(), auth_code: '1' }), 'AUTH_CODE_INVALID')
  const dear = { ...scanned, out_trade_no: number(), auth_code: await paymentCode() }
  await refused(shop.micropay(dear), 'USERPAYING')
  await elsewhere('answer', { reject: true })
  await refused(shop.micropay(dear), 'TRADE_ERROR')
  await elsewhere('faults', { at: 'wei', number: made.account.number, faults: { system_error: 1, only: 'orderquery' } })
  await refused(shop.orderQuery({ out_trade_no: mine }), 'SYSTEMERROR')
  assert.equal((await shop.orderQuery({ out_trade_no: mine })).trade_state, 'SUCCESS')
  // What is not signed with its key it rejects itself.
  const forged = '<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code><sign>0</sign></xml>'
  await refused(shop._parse(forged, 'middleware_pay'), 'appid不匹配')
}

play(errors)
