// A shop on wechatpay-node-v3 (npm), with the platform's certificate, which the client fetches.
const WxPay = require('wechatpay-node-v3')
const { assert, baseUrl, callbacks, elsewhere, file, made, number, pay, play } = require('./story')

const { account, secrets } = made
const shop = new WxPay({
  appid: account.appids[0],
  mchid: account.number,
  serial_no: account.keys.at(-1).serial,
  publicKey: Buffer.from(file('apiclient_cert.pem')),
  privateKey: Buffer.from(file('apiclient_key.pem')),
  key: secrets.api_v3_key,
})
const good = (answer, status = 200) => {
  assert.equal(answer.status, status, JSON.stringify(answer))
  return answer.data
}

play(async () => {
  const told = await callbacks(async (request, body) => {
    const said = (name) => request.headers[`wechatpay-${name}`]
    const facts = { timestamp: said('timestamp'), nonce: said('nonce'), serial: said('serial'), signature: said('signature') }
    assert.ok(await shop.verifySign({ ...facts, body }))
    const { event_type: event, resource } = JSON.parse(body)
    const plain = shop.decipher_gcm(resource.ciphertext, resource.associated_data, resource.nonce)
    return [{ event, ...plain }, 200, '{"code":"SUCCESS"}']
  })
  const native = (out_trade_no, total = 1250) =>
    shop.transactions_native({ description: '两碗炸酱面', out_trade_no, notify_url: told.url, amount: { total } })

  const mine = number()
  const { code_url: code } = good(await native(mine))
  assert.equal(good(await shop.query({ out_trade_no: mine })).trade_state, 'NOTPAY')
  assert.equal((await native(mine, 1300)).status, 403)
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
