// A shop on tenpay (npm), with its certificate: money to people, red packets, bills, the sandbox's key.
const { assert, elsewhere, number, pay, paymentCode, play } = require('./story')
const { open, madeFor, refused } = require('./tenpay_shop')

const NAME = '过路人' // Of whoever pays here.

// Somebody of the shop's own institution who bought something: their openid, and which payer it is.
async function customer(shop) {
  const { payment_code: auth_code, payer } = await elsewhere('payment_code', { at: 'wei' })
  const { openid } = await shop.micropay({ body: '面', total_fee: 50000, out_trade_no: number(), auth_code })
  return { openid, payer, at: 'wei' }
}

async function transfers() {
  const { shop } = await open()
  const { openid, ...who } = await customer(shop)
  const { balance: before } = await elsewhere('balance', who)
  const partner_trade_no = number('P')
  const transfer = { partner_trade_no, openid, re_user_name: NAME, amount: 3000, desc: '返现' }
  const sent = await shop.transfers(transfer)
  assert.equal((await shop.transfers(transfer)).payment_no, sent.payment_no)
  assert.equal((await shop.transfersQuery({ partner_trade_no })).status, 'SUCCESS')
  assert.equal((await elsewhere('balance', who)).balance, before + 3000)
  await refused(shop.transfers({ ...transfer, amount: 3001 }), 'FATAL_ERROR')
  await refused(shop.transfers({ ...transfer, partner_trade_no: number('P'), re_user_name: '别人' }), 'NAME_MISMATCH')
  await refused(shop.queryBank({ partner_trade_no }), 'NOAUTH')
}

async function red_packets() {
  const { shop } = await open()
  const { openid, ...who } = await customer(shop)
  const mch_billno = number('B')
  const packet = { re_openid: openid, send_name: '面馆', total_amount: 500, wishing: '恭喜发财', act_name: '新春', remark: '早' }
  await shop.sendRedpack({ ...packet, mch_billno })
  assert.equal((await shop.redpackQuery({ mch_billno })).status, 'SENT')
  assert.equal((await elsewhere('take', who)).state, 'SUCCESS')
  assert.equal((await shop.redpackQuery({ mch_billno })).status, 'RECEIVED')
  await refused(shop.sendRedpack({ ...packet, mch_billno: number('B'), total_amount: 99 }), 'MONEY_LIMIT')
  await refused(shop.sendGroupRedpack({ ...packet, mch_billno: number('B') }), 'NOAUTH')
  await refused(shop.sendCoupon({ coupon_stock_id: '1', partner_trade_no: number(), openid }), 'NOT_FOUND')
}

async function the_bill() {
  const { shop, told } = await open()
  const { now } = await elsewhere('clock', { forward_s: 0 })
  const bill_date = now.slice(0, 10).replaceAll('-', '')
  const out_trade_no = number()
  const out_refund_no = number('R')
  const { code_url: code } = await shop.unifiedOrder({
    out_trade_no,
    body: '货',
    total_fee: 1234,
    trade_type: 'NATIVE',
    product_id: '1',
  })
  await pay(code)
  await told.next()
  await shop.refund({ out_trade_no, out_refund_no, total_fee: 1234, refund_fee: 234 })
  await told.next()
  await refused(shop.downloadBill({ bill_date }), 'invalid bill_date')
  await elsewhere('clock', { forward_s: (24 - Number(now.slice(11, 13)) + 12) * 3600 })
  const bill = await shop.downloadBill({ bill_date }, true)
  const at = (name) => bill.list_title.findIndex((title) => title.replace('\ufeff', '') === name)
  const mine = bill.list_data.filter((row) => row[at('商户订单号')] === out_trade_no)
  assert.deepEqual(mine.map((row) => row[at('交易状态')]).sort(), ['REFUND', 'SUCCESS'])
  assert.equal(mine.find((row) => row[at('交易状态')] === 'REFUND')[at('退款金额')], '2.34')
  assert.equal(bill.total_data[0], String(bill.list_data.length))
  const flow = await shop.downloadFundflow({ bill_date }, true)
  assert.equal(flow.total_data[0], String(flow.list_data.length))
}

async function the_sandbox() {
  const { shop } = await open()
  const { sandbox_signkey } = await shop.getSignkey()
  const sandbox = madeFor('http://127.0.0.1:9/told', { partnerKey: sandbox_signkey, sandbox: true })
  const out_trade_no = number()
  await sandbox.micropay({ body: '面', total_fee: 551, out_trade_no, auth_code: await paymentCode() })
  assert.equal((await sandbox.orderQuery({ out_trade_no })).trade_state, 'SUCCESS')
}

play(transfers, red_packets, the_bill, the_sandbox)
