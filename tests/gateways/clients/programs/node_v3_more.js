// A shop on wechatpay-node-v3 (npm): combined orders, splits, batches of transfers, bills.
const { assert, elsewhere, file, made, number, pay, play } = require('./story')
const { appid, good, mchid, refused, shop, telling } = require('./node_v3_shop')

const other = JSON.parse(file('other.json')) // Another merchant's account.
const neighbour = other.account.number

async function sold(told, total, more = {}) {
  const order = { description: '货', out_trade_no: number(), notify_url: told.url, amount: { total }, ...more }
  await pay(good(await shop.transactions_native(order)).code_url)
  return told.next()
}

async function a_combined_order() {
  const told = await telling()
  const combine_out_trade_no = number('C')
  const sub_orders = [mchid, neighbour].map((which) => ({
    mchid: which,
    attach: 'part',
    amount: { total_amount: 300, currency: 'CNY' },
    out_trade_no: number(),
    description: '面',
  }))
  const order = { combine_out_trade_no, sub_orders, notify_url: told.url, scene_info: { payer_client_ip: '127.0.0.1' } }
  const { code_url: code } = good(await shop.combine_transactions_native(order))
  await pay(code)
  assert.equal((await told.next()).sub_orders.length, 2)
  const found = good(await shop.combine_query(combine_out_trade_no))
  assert.deepEqual(found.sub_orders.map((part) => part.trade_state), ['SUCCESS', 'SUCCESS'])
  const closed = { ...order, combine_out_trade_no: number('C'), sub_orders: sub_orders.map((part) => ({ ...part, out_trade_no: number() })) }
  good(await shop.combine_transactions_native(closed))
  const parts = closed.sub_orders.map((part) => ({ mchid: part.mchid, out_trade_no: part.out_trade_no }))
  good(await shop.combine_close(closed.combine_out_trade_no, parts), 204)
}

async function splits() {
  const told = await telling()
  const receiver = { type: 'MERCHANT_ID', account: neighbour, relation_type: 'SUPPLIER' }
  // Unless it is told the platform's serial it sends the merchant's own in its place.
  refused(await shop.profitsharing_receivers_add(receiver), 400, 'PARAM_ERROR')
  const wx_serial_no = made.platform.serial
  good(await shop.profitsharing_receivers_add({ ...receiver, wx_serial_no }))
  const { transaction_id } = await sold(told, 10000, { settle_info: { profit_sharing: true } })
  const out_order_no = number('S')
  const receivers = [{ type: 'MERCHANT_ID', account: neighbour, amount: 1000, description: '货款' }]
  const split = { transaction_id, out_order_no, receivers, unfreeze_unsplit: false, wx_serial_no }
  good(await shop.create_profitsharing_orders(split))
  const found = good(await shop.query_profitsharing_orders(transaction_id, out_order_no))
  assert.equal(found.receivers[0].result, 'SUCCESS')
  const out_return_no = number('B')
  const back = { out_order_no, out_return_no, return_mchid: neighbour, amount: 400, description: '少一箱' }
  assert.equal(good(await shop.profitsharing_return_orders(back)).result, 'SUCCESS')
  assert.equal(good(await shop.query_profitsharing_return_orders(out_return_no, out_order_no)).amount, 400)
  good(await shop.profitsharing_orders_unfreeze({ transaction_id, out_order_no: number('U'), description: '余款' }))
  assert.equal(good(await shop.query_profitsharing_amounts(transaction_id)).unsplit_amount, 0)
  good(await shop.profitsharing_receivers_delete({ type: 'MERCHANT_ID', account: neighbour }))
}

async function a_batch() {
  const told = await telling()
  await sold(told, 50000)
  const openid = await known(told)
  const out_batch_no = number('W')
  const wx_serial_no = made.platform.serial
  const out_detail_no = number('D')
  const detail = { out_detail_no, transfer_amount: 300, transfer_remark: '工资', openid }
  const batch = {
    out_batch_no,
    batch_name: '工资',
    batch_remark: '工资',
    total_amount: 300,
    total_num: 1,
    transfer_detail_list: [detail],
    wx_serial_no,
    notify_url: told.url,
  }
  const { batch_id } = good(await shop.batches_transfer(batch))
  assert.equal((await told.next()).event, 'MCHTRANSFER.BATCH.FINISHED')
  const all = { need_query_detail: true, detail_status: 'ALL' }
  const found = good(await shop.query_batches_transfer_list({ out_batch_no, ...all }))
  assert.equal(found.transfer_detail_list[0].detail_status, 'SUCCESS')
  assert.equal(good(await shop.query_batches_transfer_list_wx({ batch_id, ...all })).transfer_batch.out_batch_no, out_batch_no)
  const one = good(await shop.query_batches_transfer_detail({ out_batch_no, out_detail_no }))
  assert.equal(one.detail_status, 'SUCCESS')
  const same = good(await shop.query_batches_transfer_detail_wx({ batch_id, detail_id: one.detail_id }))
  assert.equal(same.out_detail_no, out_detail_no)
}

// The openid of somebody of the shop's own institution, who scanned and paid.
async function known(told) {
  const order = { description: '面', out_trade_no: number(), notify_url: told.url, amount: { total: 100 } }
  const { code_url: code } = good(await shop.transactions_native(order))
  assert.equal((await elsewhere('pay', { code, at: 'wei' })).state, 'COMPLETED')
  return (await told.next()).payer.openid
}

async function the_bill() {
  const told = await telling()
  const { now } = await elsewhere('clock', { forward_s: 0 })
  const bill_date = now.slice(0, 10)
  const { out_trade_no } = await sold(told, 1234)
  refused(await shop.tradebill({ bill_date }), 400, 'PARAM_ERROR')
  await elsewhere('clock', { forward_s: (24 - Number(now.slice(11, 13)) + 12) * 3600 })
  const { download_url } = good(await shop.tradebill({ bill_date, bill_type: 'ALL' }))
  const text = String(good(await shop.downloadBill(download_url)))
  const row = text.split('\r\n').find((line) => line.includes(`\`${out_trade_no},`))
  assert.ok(row.includes('`12.34'), text)
  const { download_url: flow } = good(await shop.fundflowbill({ bill_date }))
  assert.ok(String(good(await shop.downloadBill(flow))).includes('资金流水总笔数'))
  refused(await shop.profitsharing_bills(bill_date), 403, 'NO_AUTH')
}

async function other_ways_in() {
  const found = good(
    await shop.transactions_h5({
      description: '面',
      out_trade_no: number(),
      notify_url: 'http://127.0.0.1:9/told',
      amount: { total: 1 },
      scene_info: { payer_client_ip: '127.0.0.1', h5_info: { type: 'Wap' } },
    }),
  )
  assert.ok(found.h5_url.startsWith('http'))
  assert.equal(appid.slice(0, 2), 'wx')
}

play(a_combined_order, splits, a_batch, other_ways_in, the_bill)
