// A shop on wechatpay-axios-plugin (npm): both versions of WeChat Pay's API, every answer verified by the client.
const { Formatter } = require('wechatpay-axios-plugin')
const { assert, elsewhere, number, pay, paymentCode, play, race } = require('./story')
const { appid, mchid, refused, shop, telling } = require('./axios_plugin_shop')

play(async () => {
  const told = await telling()
  const native = (out_trade_no, total = 1250) =>
    shop.v3.pay.transactions.native.post({
      mchid,
      appid,
      out_trade_no,
      description: '两碗炸酱面',
      notify_url: told.url,
      amount: { total, currency: 'CNY' },
    })
  const query = async (out_trade_no) =>
    (await shop.v3.pay.transactions.outTradeNo.$out_trade_no$.get({ params: { mchid }, out_trade_no })).data
  const close = (out_trade_no) =>
    shop.v3.pay.transactions.outTradeNo.$out_trade_no$.close.post({ mchid }, { out_trade_no })

  const mine = number()
  const { data: { code_url: code } } = await native(mine)
  assert.equal((await native(mine)).data.code_url, code)
  await refused(native(mine, 1300), 403, 'OUT_TRADE_NO_USED')
  assert.equal((await query(mine)).trade_state, 'NOTPAY')
  await pay(code)
  const paid = await told.next()
  assert.equal(paid.event, 'TRANSACTION.SUCCESS')
  assert.equal(paid.out_trade_no, mine)
  assert.equal((await query(mine)).trade_state, 'SUCCESS')
  const { data: by } = await shop.v3.pay.transactions.id._transaction_id_.get({
    params: { mchid },
    transaction_id: paid.transaction_id,
  })
  assert.equal(by.out_trade_no, mine)
  await refused(close(mine), 400, 'ORDERPAID')

  const refund = (out_refund_no, part) =>
    shop.v3.refund.domestic.refunds.post({
      out_trade_no: mine,
      out_refund_no,
      notify_url: told.url,
      amount: { refund: part, total: 1250, currency: 'CNY' },
    })
  const first = number('R')
  await refund(first, 500)
  const back = await told.next()
  assert.equal(back.event, 'REFUND.SUCCESS')
  assert.equal(back.out_refund_no, first)
  const { data: found } = await shop.v3.refund.domestic.refunds.$out_refund_no$.get({ out_refund_no: first })
  assert.equal(found.status, 'SUCCESS')
  await refused(refund(number('R'), 800), 400, 'INVALID_REQUEST')

  const closed = number()
  const { data: { code_url: gone } } = await native(closed)
  assert.equal((await close(closed)).status, 204)
  assert.ok('refused' in (await elsewhere('pay', { code: gone })))
  await refused(close(number()), 404, 'ORDER_NOT_EXIST')

  const coded = number()
  const { data: collected } = await shop.v3.pay.transactions.codepay.post({
    appid,
    mchid,
    out_trade_no: coded,
    description: '牛肉面',
    payer: { auth_code: await paymentCode() },
    amount: { total: 800 },
    scene_info: { store_info: { id: '1' } },
  })
  assert.equal(collected.trade_state, 'SUCCESS')
  await shop.v3.pay.transactions.outTradeNo.$out_trade_no$.reverse.post({ appid, mchid }, { out_trade_no: coded })
  assert.equal((await query(coded)).trade_state, 'REVOKED')

  const collect = async (out_trade_no, total) =>
    shop.v3.pay.transactions.codepay.post({
      appid,
      mchid,
      out_trade_no,
      description: '宴席',
      payer: { auth_code: await paymentCode() },
      amount: { total },
      scene_info: { store_info: { id: '1' } },
    })
  const dear = number()
  assert.equal((await collect(dear, 150000)).status, 202)
  assert.equal((await elsewhere('answer')).state, 'COMPLETED')
  assert.equal((await query(dear)).trade_state, 'SUCCESS')
  const givenUp = number()
  assert.equal((await collect(givenUp, 150000)).data.trade_state, 'USERPAYING')
  await shop.v3.pay.transactions.outTradeNo.$out_trade_no$.reverse.post({ appid, mchid }, { out_trade_no: givenUp })
  assert.equal((await query(givenUp)).trade_state, 'REVOKED')

  const raced = number()
  const won = await race((await native(raced)).data.code_url, () => close(raced))
  assert.equal((await query(raced)).trade_state, won ? 'SUCCESS' : 'CLOSED')
  if (won) assert.equal((await told.next()).out_trade_no, raced)

  // Version 2, with the same client.
  const old = number()
  const { data: order } = await shop.v2.pay.unifiedorder.post({
    appid,
    mch_id: mchid,
    nonce_str: Formatter.nonce(),
    body: '面',
    out_trade_no: old,
    total_fee: 100,
    spbill_create_ip: '127.0.0.1',
    notify_url: told.url,
    trade_type: 'NATIVE',
    product_id: '1',
  })
  assert.equal(order.result_code, 'SUCCESS', JSON.stringify(order))
  const { data: stands } = await shop.v2.pay.orderquery.post({
    appid,
    mch_id: mchid,
    nonce_str: Formatter.nonce(),
    out_trade_no: old,
    sign_type: 'HMAC-SHA256',
  })
  assert.equal(stands.trade_state, 'NOTPAY', JSON.stringify(stands))
})
