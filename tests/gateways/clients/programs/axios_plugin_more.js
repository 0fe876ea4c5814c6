// A shop on wechatpay-axios-plugin (npm): what comes after orders, in both versions of WeChat Pay's API.
const { createHash } = require('node:crypto')
const { Formatter, Multipart, Rsa } = require('wechatpay-axios-plugin')
const { assert, elsewhere, file, number, pay, play } = require('./story')
const { appid, mchid, platform, refused, refusedV2, shop, stockOfCoupons, telling } = require('./axios_plugin_shop')

const other = JSON.parse(file('other.json')) // Another merchant's account, that lets this one act for it.
const neighbour = other.account.number
const NAME = '过路人' // Of whoever pays here.

// Somebody of the shop's own institution who bought something: their openid, and which payer it is.
async function customer(total = 50000) {
  const { payment_code: auth_code, payer } = await elsewhere('payment_code', { at: 'wei' })
  const { data } = await shop.v3.pay.transactions.codepay.post({
    appid,
    mchid,
    out_trade_no: number(),
    description: '面',
    payer: { auth_code },
    amount: { total },
    scene_info: { store_info: { id: '1' } },
  })
  return { openid: data.payer.openid, payer, at: 'wei' }
}

// An order that somebody at another institution paid; what was told of it.
async function sold(told, total, more = {}) {
  const { data } = await shop.v3.pay.transactions.native.post({
    mchid,
    appid,
    out_trade_no: number(),
    description: '货',
    notify_url: told.url,
    amount: { total },
    ...more,
  })
  await pay(data.code_url)
  return told.next()
}

const sealed = (text) => ({
  value: Rsa.encrypt(text, platform.public_key),
  headers: { 'Wechatpay-Serial': platform.public_key_id },
})

async function coupons_of_the_shop() {
  const told = await telling()
  const { openid, ...who } = await customer()
  const favor = shop.v3.marketing.favor
  await favor.callbacks.post({ mchid, notify_url: told.url, switch: true })
  const stock_id = await stockOfCoupons(mchid)
  await favor.stocks._stock_id_.start.post({ stock_creator_mchid: mchid }, { stock_id })
  const wanted = { stock_id, out_request_no: number('C'), appid, stock_creator_mchid: mchid }
  const { data: sent } = await favor.users._openid_.coupons.post(wanted, { openid })
  const { data: again } = await favor.users._openid_.coupons.post(wanted, { openid })
  assert.equal(again.coupon_id, sent.coupon_id)
  const shown = () => favor.users._openid_.coupons._coupon_id_.get({ params: { appid }, openid, coupon_id: sent.coupon_id })
  assert.equal((await shown()).data.status, 'SENDED')
  const out_trade_no = number()
  const order = { mchid, appid, out_trade_no, description: '面', notify_url: told.url, amount: { total: 2800 } }
  const { data } = await shop.v3.pay.transactions.native.post(order)
  const { balance: before } = await elsewhere('balance', who)
  assert.equal((await elsewhere('pay', { ...who, code: data.code_url })).state, 'COMPLETED')
  const heard = [await told.next(), await told.next()]
  const paid = heard.find((each) => each.event === 'TRANSACTION.SUCCESS')
  assert.deepEqual([paid.amount.total, paid.amount.payer_total], [2800, 2300])
  assert.deepEqual(paid.promotion_detail.map((each) => [each.coupon_id, each.amount]), [[sent.coupon_id, 500]])
  assert.equal(heard.find((each) => each.event === 'COUPON.USE').coupon_id, sent.coupon_id)
  assert.ok((await elsewhere('balance', who)).balance >= before - 2300)
  assert.equal((await shown()).data.status, 'USED')
  const whole = { out_trade_no, out_refund_no: number('R'), amount: { refund: 2800, total: 2800, currency: 'CNY' } }
  const { data: back } = await shop.v3.refund.domestic.refunds.post(whole)
  assert.deepEqual([back.amount.refund, back.amount.payer_refund], [2800, 2300])
  const { data: flow } = await favor.stocks._stock_id_.useFlow.get({ stock_id })
  assert.equal(flow.hash_type, 'SHA1')
}

async function transfers() {
  const told = await telling()
  const { openid, ...who } = await customer()
  const bills = shop.v3.fundApp.mchTransfer.transferBills
  const { balance: before } = await elsewhere('balance', who)
  const { value: user_name, headers } = sealed(NAME)
  const bill = (out_bill_no) => ({
    appid,
    out_bill_no,
    transfer_scene_id: '1000',
    openid,
    user_name,
    transfer_amount: 1000,
    transfer_remark: '新会员有礼',
    transfer_scene_report_infos: [{ info_type: '活动名称', info_content: '新会员有礼' }],
    notify_url: told.url,
  })
  const mine = number('B')
  const { data: sent } = await bills.post(bill(mine), { headers })
  assert.equal(sent.state, 'WAIT_USER_CONFIRM')
  assert.equal((await elsewhere('take', who)).state, 'SUCCESS')
  const news = await told.next()
  assert.equal(news.event, 'MCHTRANSFER.BILL.FINISHED')
  assert.equal(news.out_bill_no, mine)
  const { data: found } = await bills.outBillNo._out_bill_no_.get({ out_bill_no: mine })
  assert.equal(found.state, 'SUCCESS')
  assert.equal((await elsewhere('balance', who)).balance, before + 1000)
  const gone = number('B')
  await bills.post(bill(gone), { headers })
  const { data: cancelled } = await bills.outBillNo._out_bill_no_.cancel.post({}, { out_bill_no: gone })
  assert.equal(cancelled.state, 'CANCELLED')
  await refused(bills.post({ ...bill(number('B')), transfer_amount: 9 }, { headers }), 400, 'INVALID_REQUEST')
  await refused(bills.post({ ...bill(number('B')), user_name: NAME }, { headers }), 400, 'PARAM_ERROR')
}

async function a_batch() {
  const told = await telling()
  const { openid } = await customer()
  const out_batch_no = number('W')
  const batches = shop.v3.transfer.batches
  const batch = {
    appid,
    out_batch_no,
    batch_name: '工资',
    batch_remark: '工资',
    total_amount: 300,
    total_num: 1,
    transfer_detail_list: [{ out_detail_no: number('D'), transfer_amount: 300, transfer_remark: '工资', openid }],
    notify_url: told.url,
  }
  await refused(batches.post({ ...batch, total_amount: 301 }), 400, 'PARAM_ERROR')
  await batches.post(batch)
  assert.equal((await told.next()).event, 'MCHTRANSFER.BATCH.FINISHED')
  const { data: found } = await batches.outBatchNo._out_batch_no_.get({
    out_batch_no,
    params: { need_query_detail: true, detail_status: 'SUCCESS', offset: 0, limit: 20 },
  })
  assert.equal(found.transfer_batch.batch_status, 'FINISHED')
  assert.equal(found.transfer_detail_list[0].detail_status, 'SUCCESS')
}

async function splits() {
  const told = await telling()
  const sharing = shop.v3.profitsharing
  const { value: name, headers } = sealed('隔壁茶室')
  const receiver = { appid, type: 'MERCHANT_ID', account: neighbour, name, relation_type: 'SUPPLIER' }
  await sharing.receivers.add.post(receiver, { headers })
  const { transaction_id } = await sold(told, 10000, { settle_info: { profit_sharing: true } })
  const out_order_no = number('S')
  const receivers = [{ type: 'MERCHANT_ID', account: neighbour, amount: 1000, description: '货款' }]
  await sharing.orders.post({ appid, transaction_id, out_order_no, receivers, unfreeze_unsplit: false })
  const { data: split } = await sharing.orders._out_order_no_.get({ out_order_no, params: { transaction_id } })
  assert.equal(split.receivers[0].result, 'SUCCESS')
  const out_return_no = number('B')
  const back = { out_order_no, out_return_no, return_mchid: neighbour, amount: 400, description: '少一箱' }
  assert.equal((await sharing.returnOrders.post(back)).data.result, 'SUCCESS')
  const { data: returned } = await sharing.returnOrders._out_return_no_.get({ out_return_no, params: { out_order_no } })
  assert.equal(returned.amount, 400)
  await sharing.orders.unfreeze.post({ transaction_id, out_order_no: number('U'), description: '余款' })
  const left = await sharing.transactions._transaction_id_.amounts.get({ transaction_id })
  assert.equal(left.data.unsplit_amount, 0)
  await sharing.receivers.chain('delete').post({ appid, type: 'MERCHANT_ID', account: neighbour })
  const again = { appid, transaction_id, out_order_no: number('S'), receivers, unfreeze_unsplit: false }
  await refused(sharing.orders.post(again), 400, 'INVALID_REQUEST')
}

async function a_combined_order() {
  const told = await telling()
  const combine_out_trade_no = number('C')
  const parts = [mchid, neighbour].map((which) => ({
    mchid: which,
    attach: 'part',
    amount: { total_amount: 300, currency: 'CNY' },
    out_trade_no: number(),
    description: '面',
  }))
  const order = {
    combine_appid: appid,
    combine_mchid: mchid,
    combine_out_trade_no,
    sub_orders: parts,
    notify_url: told.url,
    scene_info: { payer_client_ip: '127.0.0.1' },
  }
  const { data } = await shop.v3.combineTransactions.native.post(order)
  await pay(data.code_url)
  assert.deepEqual((await told.next()).sub_orders.map((part) => part.trade_state), ['SUCCESS', 'SUCCESS'])
  const combined = shop.v3.combineTransactions.outTradeNo._combine_out_trade_no_
  const { data: found } = await combined.get({ combine_out_trade_no })
  const out_refund_no = number('R')
  await shop.v3.refund.domestic.refunds.post({
    transaction_id: found.sub_orders[0].transaction_id,
    out_refund_no,
    notify_url: told.url,
    amount: { refund: 100, total: 300, currency: 'CNY' },
  })
  assert.equal((await told.next()).out_refund_no, out_refund_no)

  const closed = number('C')
  const again = { ...order, combine_out_trade_no: closed, sub_orders: parts.map((part) => ({ ...part, out_trade_no: number() })) }
  const { data: gone } = await shop.v3.combineTransactions.jsapi.post({ ...again, combine_payer_info: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' } })
  assert.ok(gone.prepay_id)
  const sub_orders = again.sub_orders.map((part) => ({ mchid: part.mchid, out_trade_no: part.out_trade_no }))
  const { status } = await combined.close.post({ combine_appid: appid, sub_orders }, { combine_out_trade_no: closed })
  assert.equal(status, 204)
  assert.equal((await combined.get({ combine_out_trade_no: closed })).data.sub_orders[0].trade_state, 'CLOSED')
}

async function a_partner() {
  const told = await telling()
  const out_trade_no = number()
  const who = { sp_mchid: mchid, sub_mchid: neighbour }
  const orders = shop.v3.pay.partner.transactions
  const { data } = await orders.native.post({
    ...who,
    sp_appid: appid,
    out_trade_no,
    description: '面',
    notify_url: told.url,
    amount: { total: 900 },
  })
  await pay(data.code_url)
  const news = await told.next()
  assert.deepEqual([news.sp_mchid, news.sub_mchid], [mchid, neighbour])
  const { data: found } = await orders.outTradeNo._out_trade_no_.get({ out_trade_no, params: who })
  assert.equal(found.trade_state, 'SUCCESS')
  const by = await shop.v3.profitsharing.merchantConfigs._sub_mchid_.get({ sub_mchid: neighbour })
  assert.equal(by.data.max_ratio, 3000)
  await refused(orders.outTradeNo._out_trade_no_.get({ out_trade_no, params: { ...who, sub_mchid: '1900000001' } }), 400, 'MCH_NOT_EXISTS')
}

async function entrusted_deduction() {
  const told = await telling()
  const { ...who } = await customer()
  const papay = shop.v3.papay
  const out_contract_code = number('C')
  const offer = {
    appid,
    plan_id: 66,
    out_contract_code,
    contract_display_account: '小明的会员',
    contract_notify_url: told.url,
    out_user_code: 'U1',
  }
  const { data: led } = await papay.scheduledDeductSign.contracts.preEntrustSign.h5.post(offer)
  const contract = papay.sign.contracts.planId._plan_id_.outContractCode._out_contract_code_
  const which = { plan_id: 66, out_contract_code }
  await refused(contract.get(which), 404, 'RESOURCE_NOT_EXISTS')
  assert.equal((await elsewhere('sign', { at: 'wei', link: led.redirect_url })).state, 'SIGNED')
  const signed = await told.next()
  assert.equal(signed.event, 'PAPAY.SIGN')
  const { data: found } = await contract.get(which)
  assert.equal(found.contract_state, 'SIGNED')
  const { contract_id } = found
  const { status } = await papay.contracts._contract_id_.notify.post(
    { mchid, appid, estimated_amount: { amount: 1280, currency: 'CNY' } },
    { contract_id },
  )
  assert.equal(status, 204)
  const out_trade_no = number()
  await papay.pay.transactions.apply.post({
    appid,
    out_trade_no,
    description: '月费',
    transaction_notify_url: told.url,
    contract_id,
    amount: { total: 1280, currency: 'CNY' },
  })
  const taken = await told.next()
  assert.deepEqual([taken.event, taken.trade_type, taken.amount.total], ['TRANSACTION.SUCCESS', 'PAP', 1280])
  const { data: ended } = await contract.terminate.post({ contract_termination_remark: '不再使用' }, which)
  assert.equal(ended.contract_state, 'TERMINATED')
  assert.equal((await told.next()).event, 'PAPAY.TERMINATE')
}

// A PNG of one white pixel.
const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC', 'base64')

async function uploaded(to, content = pixel) {
  const meta = { filename: 'shop.png', sha256: createHash('sha256').update(content).digest('hex') }
  const form = new Multipart()
  form.append('meta', JSON.stringify(meta))
  form.append('file', content, 'shop.png', 'image/png')
  const { data } = await to.post(form.getBuffer(), { meta, headers: form.getHeaders() })
  return data.media_id
}

// Once it has come from wherever the payer's wallet is.
async function fetched_picture(media_id) {
  for (let tries = 0; ; tries += 1) {
    try {
      const { data } = await shop.v3.merchantService.images._media_id_.get({ media_id, responseType: 'arraybuffer' })
      return Buffer.from(data)
    } catch ({ response }) {
      assert.equal(response?.status, 429)
      assert.ok(tries < 50)
      await new Promise((again) => setTimeout(again, 200))
    }
  }
}

async function pictures() {
  assert.ok(await uploaded(shop.v3.merchant.media.upload))
  assert.deepEqual(await fetched_picture(await uploaded(shop.v3.merchantService.images.upload)), pixel)
  await refused(uploaded(shop.v3.merchantService.images.upload, Buffer.from('<html>')), 400, 'PARAM_ERROR')
  await refused(shop.v3.merchantService.images._media_id_.get({ media_id: '0'.repeat(96) }), 404, 'RESOURCE_NOT_EXISTS')
}

// A service provider hears of what is complained of at the merchant that it acts for, and answers.
async function a_merchants_complaint() {
  const told = await telling()
  const service = shop.v3.merchantService
  await service.complaintNotifications.post({ url: told.url })
  const out_trade_no = number()
  const { data: order } = await shop.v3.pay.partner.transactions.native.post({
    sp_mchid: mchid,
    sub_mchid: neighbour,
    sp_appid: appid,
    out_trade_no,
    description: '面',
    notify_url: told.url,
    amount: { total: 900 },
  })
  const { payment_id } = await pay(order.code_url)
  assert.equal((await told.next()).event, 'TRANSACTION.SUCCESS')
  const pictures = [pixel.toString('base64')]
  const { complaint_id: theirs } = await elsewhere('complain', { payment_id, kind: 'RFND', text: '凉的', pictures })
  const news = await told.next()
  assert.deepEqual([news.event, news.action_type], ['COMPLAINT.CREATE', 'CREATE_COMPLAINT'])
  const { complaint_id } = news
  const day = (await elsewhere('clock', { forward_s: 0 })).now.slice(0, 10)
  const near = (days) => new Date(Date.parse(day) + days * 86_400_000).toISOString().slice(0, 10)
  const params = { begin_date: near(-1), end_date: near(1), limit: 50 }
  const { data: listed } = await service.complaintsV2.get({ params })
  assert.equal(listed.data.find((each) => each.complaint_id === complaint_id).complainted_mchid, neighbour)
  const { data: older } = await service.complaints.get({ params: { ...params, sub_mchid: neighbour } })
  assert.ok(older.data.some((each) => each.out_trade_no === out_trade_no))
  const one = service.complaintsV2._complaint_id_
  const { data: found } = await one.get({ complaint_id })
  const [url] = found.complaint_media_list[0].media_url
  assert.deepEqual(await fetched_picture(url.split('/').pop()), pixel)
  const response_images = [await uploaded(service.images.upload)]
  const answer = { complainted_mchid: neighbour, response_content: '这就补', response_images }
  await one.response.post(answer, { complaint_id })
  assert.equal((await told.next()).action_type, 'MERCHANT_RESPONSE')
  await one.complete.post({ complainted_mchid: neighbour }, { complaint_id })
  assert.equal((await told.next()).action_type, 'MERCHANT_CONFIRM_COMPLETE')
  const { shown } = await elsewhere('grievance', { complaint_id: theirs, state: 'PRCD' })
  assert.deepEqual(shown, pictures)
  await service.complaintNotifications.delete()
}

async function balances() {
  await customer(1000)
  const of = shop.v3.merchant.fund
  const { data: now } = await of.balance._account_type_.get({ account_type: 'BASIC' })
  assert.ok(now.available_amount + now.pending_amount > 0, JSON.stringify(now))
  await of.dayendbalance._account_type_.get({ account_type: 'BASIC', params: { date: (await elsewhere('clock', { forward_s: 0 })).now.slice(0, 10) } }).then(
    () => assert.fail('the day is not over'),
    ({ response }) => assert.equal(response.status, 400),
  )
}

// Parsed by the client's own parser of bills, the next day at noon.
async function the_bill() {
  const told = await telling()
  const { now } = await elsewhere('clock', { forward_s: 0 })
  const bill_date = now.slice(0, 10)
  const { out_trade_no } = await sold(told, 1234)
  const out_refund_no = number('R')
  await shop.v3.refund.domestic.refunds.post({
    out_trade_no,
    out_refund_no,
    notify_url: told.url,
    amount: { refund: 234, total: 1234, currency: 'CNY' },
  })
  assert.equal((await told.next()).out_refund_no, out_refund_no)
  await refused(shop.v3.bill.tradebill.get({ params: { bill_date } }), 400, 'PARAM_ERROR')
  await elsewhere('clock', { forward_s: (24 - Number(now.slice(11, 13)) + 12) * 3600 })
  const fetched = async (asked) => {
    const { data } = await asked
    const params = new URL(data.download_url).searchParams
    const answer = await shop.v3.billdownload.file.get({ params, responseType: 'arraybuffer' })
    const content = Buffer.from(answer.data)
    assert.equal(createHash('sha1').update(content).digest('hex'), data.hash_value)
    return Formatter.castCsvBill(content)
  }
  const { rows, summary } = await fetched(shop.v3.bill.tradebill.get({ params: { bill_date, bill_type: 'ALL' } }))
  const mine = rows.filter((row) => row['商户订单号'] === out_trade_no)
  assert.deepEqual(mine.map((row) => row['交易状态']).sort(), ['REFUND', 'SUCCESS'])
  assert.equal(mine.find((row) => row['交易状态'] === 'SUCCESS')['订单金额'], '12.34')
  assert.equal(mine.find((row) => row['交易状态'] === 'REFUND')['退款金额'], '2.34')
  assert.equal(summary['总交易单数'], String(rows.length))
  const flow = await fetched(shop.v3.bill.fundflowbill.get({ params: { bill_date } }))
  assert.equal(flow.summary['资金流水总笔数'], String(flow.rows.length))
  await refused(shop.v3.bill.tradebill.get({ params: { bill_date, bill_type: 'RECHARGE_REFUND' } }), 400, 'NO_STATEMENT_EXIST')
}

// Version 2.
const signed = () => ({ appid, mch_id: mchid, nonce_str: Formatter.nonce() })

async function red_packets_v2() {
  const { openid, ...who } = await customer()
  const packets = shop.v2.mmpaymkttransfers
  const mch_billno = number('B')
  const packet = {
    nonce_str: Formatter.nonce(),
    mch_id: mchid,
    wxappid: appid,
    mch_billno,
    send_name: '面馆',
    re_openid: openid,
    total_amount: 500,
    total_num: 1,
    wishing: '恭喜发财',
    act_name: '新春',
    remark: '早来早得',
    client_ip: '127.0.0.1',
  }
  await packets.sendredpack.post(packet, { security: true })
  assert.equal((await elsewhere('take', who)).state, 'SUCCESS')
  const asked = { ...signed(), mch_billno, bill_type: 'MCHT' }
  const { data: found } = await packets.gethbinfo.post(asked, { security: true })
  assert.equal(found.status, 'RECEIVED')
  await refusedV2(packets.sendredpack.post({ ...packet, mch_billno: number('B'), total_amount: 99 }, { security: true }), 'MONEY_LIMIT')
}

async function transfers_v2() {
  const { openid, ...who } = await customer()
  const { balance: before } = await elsewhere('balance', who)
  const partner_trade_no = number('P')
  const { data: sent } = await shop.v2.mmpaymkttransfers.promotion.transfers.post(
    {
      mch_appid: appid,
      mchid,
      nonce_str: Formatter.nonce(),
      partner_trade_no,
      openid,
      check_name: 'NO_CHECK',
      amount: 3000,
      desc: '返现',
      spbill_create_ip: '127.0.0.1',
    },
    { security: true },
  )
  assert.ok(sent.payment_no)
  assert.equal((await elsewhere('balance', who)).balance, before + 3000)
  const asked = { ...signed(), partner_trade_no }
  const { data: found } = await shop.v2.mmpaymkttransfers.gettransferinfo.post(asked, { security: true })
  assert.equal(found.status, 'SUCCESS')
}

async function splits_v2() {
  const { payment_code: auth_code } = await elsewhere('payment_code')
  const hmac = { sign_type: 'HMAC-SHA256' }
  const { data: paid } = await shop.v2.pay.micropay.post({
    ...signed(),
    body: '货',
    out_trade_no: number(),
    total_fee: 10000,
    spbill_create_ip: '127.0.0.1',
    auth_code,
    profit_sharing: 'Y',
  })
  const receiver = { type: 'MERCHANT_ID', account: neighbour, relation_type: 'PARTNER', name: '隔壁茶室' }
  await shop.v2.pay.profitsharingaddreceiver.post({ ...signed(), ...hmac, receiver: JSON.stringify(receiver) })
  const which = { transaction_id: paid.transaction_id, out_order_no: number('S') }
  const receivers = JSON.stringify([{ type: 'MERCHANT_ID', account: neighbour, amount: 2000, description: '分成' }])
  await shop.v2.secapi.pay.multiprofitsharing.post({ ...signed(), ...hmac, ...which, receivers }, { security: true })
  const { data: split } = await shop.v2.pay.profitsharingquery.post({ mch_id: mchid, ...hmac, ...which })
  assert.equal(split.status, 'FINISHED')
  const out_return_no = number('B')
  const { data: back } = await shop.v2.secapi.pay.profitsharingreturn.post(
    {
      ...signed(),
      ...hmac,
      out_order_no: which.out_order_no,
      out_return_no,
      return_account_type: 'MERCHANT_ID',
      return_account: neighbour,
      return_amount: 500,
      description: '退回',
    },
    { security: true },
  )
  assert.equal(back.result, 'SUCCESS')
  const finish = { transaction_id: paid.transaction_id, out_order_no: number('S'), description: '完结' }
  await shop.v2.secapi.pay.profitsharingfinish.post({ ...signed(), ...hmac, ...finish }, { security: true })
  const left = await shop.v2.pay.profitsharingorderamountquery.post({ mch_id: mchid, ...hmac, transaction_id: paid.transaction_id })
  assert.equal(left.data.unsplit_amount, '0')
}

async function entrusted_deduction_v2() {
  const told = await telling()
  await customer()
  const contract_code = number('C')
  const offer = {
    appid,
    mch_id: mchid,
    plan_id: '12535',
    contract_code,
    request_serial: String(Date.now()),
    contract_display_account: '王小明',
    notify_url: told.url,
    version: '1.0',
    timestamp: Formatter.timestamp(),
  }
  const { data: led } = await shop.v2.papay.preentrustweb.post(offer, { nonceless: true })
  await elsewhere('sign', { at: 'wei', link: led.pre_entrustweb_id })
  const { contract_id, change_type } = await told.next()
  assert.equal(change_type, 'ADD')
  const out_trade_no = number()
  await shop.v2.pay.pappayapply.post({
    ...signed(),
    body: '月费',
    out_trade_no,
    total_fee: 3000,
    spbill_create_ip: '127.0.0.1',
    notify_url: told.url,
    trade_type: 'PAP',
    contract_id,
  })
  assert.equal((await told.next()).out_trade_no, out_trade_no)
  const { data: paid } = await shop.v2.pay.paporderquery.post({ ...signed(), out_trade_no })
  assert.equal(paid.trade_state, 'SUCCESS')
  const end = { appid, mch_id: mchid, contract_id, contract_termination_remark: 'x', version: '1.0' }
  await shop.v2.papay.deletecontract.post(end, { nonceless: true })
  assert.equal((await told.next()).change_type, 'DELETE')
}

play(
  coupons_of_the_shop,
  transfers,
  a_batch,
  splits,
  a_combined_order,
  a_partner,
  a_merchants_complaint,
  entrusted_deduction,
  pictures,
  balances,
  red_packets_v2,
  transfers_v2,
  splits_v2,
  entrusted_deduction_v2,
  the_bill,
)
