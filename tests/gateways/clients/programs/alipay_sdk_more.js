// A shop on alipay-sdk (npm), version 3 of Alipay's API: deposits, deductions, splits, transfers, who it is, providers, bills.
const { assert, elsewhere, file, number, pay, play } = require('./story')
const { appId, good, refused, rest, shop, telling } = require('./alipay_sdk_shop')

const other = JSON.parse(file('other.json')).account // Another merchant's.
const BACK = 'http://127.0.0.1:9/back'
const NAME = '过路人' // Of whoever pays here.

// Somebody of the shop's own institution, and what they show the till.
const shown = async () => {
  const { payment_code: code, payer } = await elsewhere('payment_code', { at: 'zhi' })
  return { code, who: { payer, at: 'zhi' } }
}
const balance = async (who) => (await elsewhere('balance', who)).balance

// An order that somebody at another institution paid.
async function sold(told, amount, more = {}) {
  const order = { out_trade_no: number(), total_amount: amount, subject: '货', notify_url: told.url, ...more }
  await pay((await rest('trade/precreate', order)).qr_code)
  return told.next()
}

async function a_deposit() {
  const told = await telling()
  const { code, who } = await shown()
  const before = await balance(who)
  const asked = {
    auth_code: code,
    auth_code_type: 'bar_code',
    out_order_no: number('H'),
    out_request_no: number('R'),
    order_title: '押金',
    amount: '100.00',
    product_code: 'PREAUTH_PAY',
    notify_url: told.url,
  }
  const held = await rest('fund/auth/order/freeze', asked)
  assert.equal(held.status, 'SUCCESS')
  assert.equal((await told.next()).notify_type, 'fund_auth_freeze')
  const take = (amount) => ({
    out_trade_no: number(),
    total_amount: amount,
    subject: '房费',
    product_code: 'PREAUTH_PAY',
    auth_no: held.auth_no,
    auth_confirm_mode: 'NOT_COMPLETE',
  })
  assert.equal((await rest('trade/pay', take('30.00'))).buyer_user_id, held.payer_user_id)
  await refused(rest('trade/pay', take('70.01')), 'ACQ.AUTH_AMOUNT_NOT_ENOUGH')
  const back = { auth_no: held.auth_no, out_request_no: number('R'), amount: '70.00', remark: '退押金' }
  await rest('fund/auth/order/unfreeze', back)
  const stands = await rest('fund/auth/operation/detail/query', { auth_no: held.auth_no, operation_id: held.operation_id })
  assert.deepEqual([stands.rest_amount, stands.total_pay_amount], ['0.00', '30.00'])
  assert.equal(await balance(who), before - 3000)
  const { out_order_no, out_request_no, ...more } = asked
  const linked = { ...more, out_order_no: `${out_order_no}L`, out_request_no: `${out_request_no}L` }
  delete linked.auth_code
  const voucher = await rest('fund/auth/order/voucher/create', linked)
  assert.equal((await elsewhere('agree', { at: 'zhi', link: voucher.code_url })).state, 'HELD')
  const undone = { out_order_no: linked.out_order_no, out_request_no: linked.out_request_no, remark: '不住了' }
  assert.equal((await rest('fund/auth/operation/cancel', undone)).action, 'unfreeze')
  await refused(rest('fund/auth/operation/detail/query', { auth_no: '2026', operation_id: '1' }), 'AUTH_ORDER_NOT_EXIST')
}

async function an_agreement() {
  const told = await telling()
  const plan = { personal_product_code: 'GENERAL_WITHHOLDING_P', sign_scene: 'INDUSTRY|MOBILE', external_agreement_no: number('A') }
  const asked = { bizContent: { ...plan, access_params: { channel: 'QRCODE' } }, notifyUrl: told.url }
  await refused(rest('user/agreement/query', plan), 'USER_AGREEMENT_NOT_EXIST')
  const page = await fetch(shop.pageExec('alipay.user.agreement.page.sign', 'GET', asked))
  assert.equal((await elsewhere('sign', { at: 'zhi', link: await page.text() })).state, 'SIGNED')
  assert.equal((await told.next()).notify_type, 'dut_user_sign')
  const { agreement_no } = await rest('user/agreement/query', plan)
  const take = {
    out_trade_no: number(),
    total_amount: '6.00',
    subject: '月费',
    product_code: 'GENERAL_WITHHOLDING',
    agreement_params: { agreement_no },
  }
  const taken = await rest('trade/pay', take)
  assert.equal(taken.total_amount, '6.00')
  assert.equal((await rest('trade/pay', take)).trade_no, taken.trade_no)
  await rest('user/agreement/unsign', { agreement_no })
  assert.equal((await told.next()).notify_type, 'dut_user_unsign')
  await refused(rest('trade/pay', { ...take, out_trade_no: number() }), 'ACQ.AGREEMENT_STATUS_NOT_NORMAL')
}

async function royalties() {
  const told = await telling()
  const receiver = { type: 'userId', account: other.seller_id, memo: '供货' }
  await rest('trade/royalty/relation/bind', { receiver_list: [receiver], out_request_no: number('B') })
  const { trade_no } = await sold(told, '100.00', { extend_params: { royalty_freeze: 'true' } })
  const part = { trans_in: other.seller_id, trans_in_type: 'userId', amount: '10.00', royalty_type: 'transfer' }
  const split = { out_request_no: number('S'), trade_no, royalty_parameters: [part] }
  const settled = await rest('trade/order/settle', split)
  assert.equal((await rest('trade/order/settle', split)).settle_no, settled.settle_no)
  const found = await rest('trade/order/settle/query', { settle_no: settled.settle_no })
  assert.equal(found.royalty_detail_list[0].state, 'SUCCESS')
  const { out_request_no, ...again } = split
  await refused(rest('trade/order/settle', { ...again, out_request_no: `${out_request_no}X`, royalty_parameters: [{ ...part, amount: '30.00' }] }), 'ACQ.ALLOC_AMOUNT_VALIDATE_ERROR')
  await rest('trade/royalty/relation/unbind', { receiver_list: [receiver], out_request_no: number('B') })
}

async function transfers() {
  const told = await telling()
  await sold(told, '100.00')
  const { code, who } = await shown()
  const coded = { out_trade_no: number(), scene: 'bar_code', auth_code: code, total_amount: '50.00', subject: '面' }
  const bought = await rest('trade/pay', coded)
  const before = await balance(who)
  const transfer = {
    out_biz_no: number('X'),
    trans_amount: '3.00',
    product_code: 'TRANS_ACCOUNT_NO_PWD',
    biz_scene: 'DIRECT_TRANSFER',
    order_title: '返现',
    payee_info: { identity: bought.buyer_user_id, identity_type: 'ALIPAY_USER_ID', name: NAME },
  }
  const sent = await rest('fund/trans/uni/transfer', transfer)
  assert.equal(sent.status, 'SUCCESS')
  assert.equal((await rest('fund/trans/uni/transfer', transfer)).order_id, sent.order_id)
  await refused(rest('fund/trans/uni/transfer', { ...transfer, trans_amount: '4.00' }), 'PAYMENT_INFO_INCONSISTENCY')
  assert.equal(await balance(who), before + 300)
  const found = good(
    await shop.exec(
      'alipay.fund.trans.common.query',
      { bizContent: { out_biz_no: transfer.out_biz_no, product_code: 'TRANS_ACCOUNT_NO_PWD', biz_scene: 'DIRECT_TRANSFER' } },
      { validateSign: true },
    ),
  )
  assert.equal(found.orderId, sent.order_id)
  const wrong = { ...transfer, out_biz_no: number('X'), payee_info: { ...transfer.payee_info, name: '别人' } }
  await refused(rest('fund/trans/uni/transfer', wrong), 'PAYEE_USER_INFO_ERROR')
  const nobody = { ...transfer, out_biz_no: number('X'), payee_info: { identity: '2088000000000000', identity_type: 'ALIPAY_USER_ID' } }
  await refused(rest('fund/trans/uni/transfer', nobody), 'PAYEE_NOT_EXIST')
}

async function who_it_is() {
  const page = `/oauth2/publicAppAuthorize.htm?${new URLSearchParams({ app_id: appId, scope: 'auth_user', redirect_uri: BACK })}`
  const { led } = await elsewhere('authorise', { at: 'zhi', page })
  const code = new URL(led).searchParams.get('auth_code')
  const known = await rest('system/oauth/token', { grant_type: 'authorization_code', code })
  const profile = await shop.exec('alipay.user.info.share', { auth_token: known.access_token }, { validateSign: true })
  assert.equal(good(profile).userId, known.user_id)
  await refused(rest('system/oauth/token', { grant_type: 'authorization_code', code }), 'code-invalid')
}

async function a_service_provider() {
  const told = await telling()
  const page = `/oauth2/appToAppAuth.htm?${new URLSearchParams({ app_id: appId, redirect_uri: BACK })}`
  const asked = { at: 'zhi', page, merchant: other.merchant_id, account: other.number }
  const { led } = await elsewhere('authorise', asked)
  const code = new URL(led).searchParams.get('app_auth_code')
  const { app_auth_token: appAuthToken, auth_app_id } = await rest('open/auth/token/app', { grant_type: 'authorization_code', code })
  assert.equal(auth_app_id, other.number)
  const state = await rest('open/auth/token/app/query', { app_auth_token: appAuthToken })
  assert.equal(state.status, 'valid')
  const out_trade_no = number()
  const order = { out_trade_no, total_amount: '9.00', subject: '面', notify_url: told.url }
  const { qr_code } = await rest('trade/precreate', order, { appAuthToken })
  await pay(qr_code)
  assert.equal((await told.next()).auth_app_id, other.number)
  assert.equal((await rest('trade/query', { out_trade_no }, { appAuthToken })).trade_status, 'TRADE_SUCCESS')
  await refused(rest('trade/query', { out_trade_no }), 'ACQ.TRADE_NOT_EXIST')
  await refused(rest('trade/query', { out_trade_no }, { appAuthToken: '202611BB0' }), 'invalid-app-auth-token', 401)
  const back = await rest('trade/refund', { out_trade_no, refund_amount: '9.00' }, { appAuthToken })
  assert.equal(back.fund_change, 'Y')
}

async function the_bill() {
  const told = await telling()
  const { now } = await elsewhere('clock', { forward_s: 0 })
  const bill_date = now.slice(0, 10)
  const { out_trade_no } = await sold(told, '12.34')
  await elsewhere('clock', { forward_s: (24 - Number(now.slice(11, 13)) + 12) * 3600 })
  const query = { bill_type: 'trade', bill_date }
  const { data } = await shop.curl('GET', '/v3/alipay/data/dataservice/bill/downloadurl/query', { query })
  const file = await fetch(data.bill_download_url)
  const content = Buffer.from(await file.arrayBuffer())
  assert.equal(content.subarray(0, 2).toString(), 'PK')
  assert.ok(out_trade_no)
  await refused(
    shop.curl('GET', '/v3/alipay/data/dataservice/bill/downloadurl/query', { query: { ...query, bill_date: '2020-01-01' } }),
    'BILL_NOT_EXIST',
  )
}

play(a_deposit, an_agreement, royalties, transfers, who_it_is, a_service_provider, the_bill)
