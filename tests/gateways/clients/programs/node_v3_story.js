// A shop on wechatpay-node-v3 (npm), with the platform's certificate, which the client fetches.
const { assert, elsewhere, number, pay, play, race } = require('./story')
const { good, refused, shop, telling } = require('./node_v3_shop')

play(async () => {
  const told = await telling()
  const native = (out_trade_no, total = 1250) =>
    shop.transactions_native({ description: '两碗炸酱面', out_trade_no, notify_url: told.url, amount: { total } })

  const mine = number()
  const { code_url: code } = good(await native(mine))
  assert.equal(good(await native(mine)).code_url, code)
  assert.equal(good(await shop.query({ out_trade_no: mine })).trade_state, 'NOTPAY')
  refused(await native(mine, 1300), 403, 'OUT_TRADE_NO_USED')
  await pay(code)
  const paid = await told.next()
  assert.equal(paid.event, 'TRANSACTION.SUCCESS')
  assert.equal(good(await shop.query({ transaction_id: paid.transaction_id })).out_trade_no, mine)
  const first = number('R')
  good(
    await shop.refunds({
      out_trade_no: mine,
      out_refund_no: first,
      notify_url: told.url,
      amount: { refund: 500, total: 1250, currency: 'CNY' },
    }),
  )
  assert.equal((await told.next()).out_refund_no, first)
  assert.equal(good(await shop.find_refunds(first)).status, 'SUCCESS')

  const closed = number()
  const { code_url: gone } = good(await native(closed))
  good(await shop.close(closed), 204)
  assert.ok('refused' in (await elsewhere('pay', { code: gone })))

  const raced = number()
  const closing = async () => good(await shop.close(raced), 204)
  const won = await race(good(await native(raced)).code_url, closing)
  assert.equal(good(await shop.query({ out_trade_no: raced })).trade_state, won ? 'SUCCESS' : 'CLOSED')
  if (won) assert.equal((await told.next()).out_trade_no, raced)

  for (const more of [
    await shop.transactions_jsapi({
      description: '面',
      out_trade_no: number(),
      notify_url: told.url,
      amount: { total: 1 },
      payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
    }),
    await shop.transactions_app({ description: '面', out_trade_no: number(), notify_url: told.url, amount: { total: 1 } }),
  ]) {
    assert.ok(JSON.stringify(good(more)).includes('prepay'), JSON.stringify(more))
  }
})
