// What a shop on wechatpay-axios-plugin (npm) is told when something is wrong: the central errors of version 3, and of version 2
// those that other clients of it do not come by. All of them are rejections of axios's, whose response has the vendor's words.
const { generateKeyPairSync } = require('node:crypto')
const { Formatter } = require('wechatpay-axios-plugin')
const { assert, elsewhere, file, number, pay, paymentCode, play, seen } = require('./story')
const { appid, madeFor, mchid, platform, refused, refusedV2, shop, stockOfCoupons, telling } = require('./axios_plugin_shop')

const neighbour = JSON.parse(file('other.json')).account.number
const strange = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const native = (out_trade_no, more = {}, by = shop) =>
  by.v3.pay.transactions.native.post({
    mchid,
    appid,
    out_trade_no,
    description: '面',
    notify_url: 'http://127.0.0.1:9/told',
    amount: { total: 1250 },
    ...more,
  })
const collect = (out_trade_no, auth_code, total = 800) =>
  shop.v3.pay.transactions.codepay.post({
    appid,
    mchid,
    out_trade_no,
    description: '面',
    payer: { auth_code },
    amount: { total },
    scene_info: { store_info: { id: '1' } },
  })
const orders = shop.v3.pay.transactions.outTradeNo._out_trade_no_

async function version_3() {
  const no = await refused(native(number(), {}, madeFor({ privateKey: strange.privateKey })), 401, 'SIGN_ERROR')
  assert.equal(no.message, '错误的签名，验签失败')
  assert.equal(no.detail.field, 'signature')
  // What it can't believe it rejects itself.
  const doubtful = (certs, code) => assert.rejects(native(number(), {}, madeFor({ certs })), { name: 'AxiosError', code })
  await doubtful({ PUB_KEY_ID_1: platform.public_key }, 'EV3_RES_HEADER_PLATFORM_SERIAL')
  await doubtful({ [platform.public_key_id]: strange.publicKey }, 'EV3_RES_HEADER_SIGNATURE_DIGEST')
  assert.match((await refused(native(number(), { amount: { total: 0 } }), 400, 'PARAM_ERROR')).message, /总金额/)
  await refused(native(number(), { appid: 'wx0123456789abcdef' }), 400, 'APPID_MCHID_NOT_MATCH')
  const out_trade_no = number()
  const { data } = await native(out_trade_no)
  await refused(native(out_trade_no, { amount: { total: 1 } }), 403, 'OUT_TRADE_NO_USED')
  await pay(data.code_url)
  assert.equal((await refused(native(out_trade_no), 400, 'ORDERPAID')).message, '该订单已支付')
  await refused(orders.close.post({ mchid }, { out_trade_no }), 400, 'ORDERPAID')
  await refused(orders.get({ params: { mchid }, out_trade_no: number() }), 404, 'ORDER_NOT_EXIST')
  await refused(shop.v3.refund.domestic.refunds._out_refund_no_.get({ out_refund_no: number('R') }), 404, 'RESOURCE_NOT_EXISTS')
  await refused(collect(number(), '1'), 400, 'AUTH_CODE_INVALID')
  // An answer of 202 is none of its errors.
  const waiting = await collect(number(), await paymentCode(), 150000)
  assert.deepEqual([waiting.status, waiting.data.trade_state], [202, 'USERPAYING'])
  seen.add('USERPAYING')
  await elsewhere('answer', { reject: true })
  await elsewhere('faults', { at: 'wei', number: mchid, faults: { system_error: 1, only: 'native' } })
  await refused(native(number()), 500, 'SYSTEM_ERROR')
  await refused(shop.v3.marketing.membercardActivity.activities.get({ params: { limit: 1 } }), 403, 'NO_AUTH')
}

const signed = () => ({ appid, mch_id: mchid, nonce_str: Formatter.nonce() })

async function version_2() {
  const query = (by, more = {}) => by.v2.pay.orderquery.post({ ...signed(), out_trade_no: number(), ...more })
  await refusedV2(query(madeFor({ secret: '0'.repeat(32) })), '签名错误')
  await refusedV2(query(shop), 'ORDERNOTEXIST')
  await refusedV2(query(shop, { appid: 'wx0123456789abcdef' }), 'APPID_MCHID_NOT_MATCH')
  await elsewhere('faults', { at: 'wei', number: mchid, faults: { system_error: 1, only: 'orderquery' } })
  await refusedV2(query(shop), 'SYSTEMERROR')
  const scanned = { body: '面', spbill_create_ip: '127.0.0.1', out_trade_no: number() }
  const coded = { ...signed(), ...scanned, total_fee: 150000, auth_code: await paymentCode() }
  await refusedV2(shop.v2.pay.micropay.post(coded), 'USERPAYING')
  await elsewhere('answer', { reject: true })
}

async function splits_of_version_2() {
  const hmac = { sign_type: 'HMAC-SHA256' }
  const sold = { ...signed(), body: '货', out_trade_no: number(), total_fee: 10000, spbill_create_ip: '127.0.0.1' }
  const { data: paid } = await shop.v2.pay.micropay.post({ ...sold, auth_code: await paymentCode(), profit_sharing: 'Y' })
  const split = (amount) => {
    const receivers = JSON.stringify([{ type: 'MERCHANT_ID', account: neighbour, amount, description: '分成' }])
    const which = { transaction_id: paid.transaction_id, out_order_no: number('S'), receivers }
    return shop.v2.secapi.pay.profitsharing.post({ ...signed(), ...hmac, ...which }, { security: true })
  }
  await refusedV2(split(100), 'RECEIVER_INVALID')
  const receiver = JSON.stringify({ type: 'MERCHANT_ID', account: neighbour, relation_type: 'PARTNER' })
  await shop.v2.pay.profitsharingaddreceiver.post({ ...signed(), ...hmac, receiver })
  await refusedV2(split(4000), 'RULELIMIT')
}

async function agreements_of_version_2() {
  const told = await telling()
  const offer = {
    appid,
    mch_id: mchid,
    plan_id: '12535',
    contract_code: number('C'),
    request_serial: String(Date.now()),
    contract_display_account: '王小明',
    notify_url: told.url,
    version: '1.0',
    timestamp: Formatter.timestamp(),
  }
  const { data: led } = await shop.v2.papay.preentrustweb.post(offer, { nonceless: true })
  await elsewhere('sign', { at: 'wei', link: led.pre_entrustweb_id })
  const { contract_id } = await told.next()
  await refusedV2(shop.v2.papay.preentrustweb.post(offer, { nonceless: true }), 'CONTRACT_EXISTED')
  const end = { appid, mch_id: mchid, contract_id, contract_termination_remark: 'x', version: '1.0' }
  await shop.v2.papay.deletecontract.post(end, { nonceless: true })
  const take = { body: '月费', out_trade_no: number(), total_fee: 1, spbill_create_ip: '127.0.0.1', notify_url: told.url, trade_type: 'PAP' }
  await refusedV2(shop.v2.pay.pappayapply.post({ ...signed(), ...take, contract_id }), 'CONTRACTERROR')
}

// Version 2 sends coupons of stocks that version 3 makes.
async function coupons_of_version_2() {
  const coded = { ...signed(), body: '面', spbill_create_ip: '127.0.0.1', out_trade_no: number(), total_fee: 10000 }
  const { payment_code: auth_code } = await elsewhere('payment_code', { at: 'wei' })
  const { data } = await shop.v2.pay.micropay.post({ ...coded, auth_code })
  const coupon_stock_id = await stockOfCoupons(mchid)
  const send = () => {
    const told = { coupon_stock_id, openid_count: 1, partner_trade_no: number('C'), openid: data.openid }
    return shop.v2.mmpaymkttransfers.send_coupon.post({ ...signed(), ...told }, { security: true })
  }
  await refusedV2(send(), 'AL_STOCK_OVER')
  await shop.v3.marketing.favor.stocks._stock_id_.start.post({ stock_creator_mchid: mchid }, { stock_id: coupon_stock_id })
  assert.equal((await send()).data.ret_code, 'SUCCESS')
  await refusedV2(send(), 'USER_AL_GET_COUPON')
}

play(version_3, version_2, splits_of_version_2, agreements_of_version_2, coupons_of_version_2)
