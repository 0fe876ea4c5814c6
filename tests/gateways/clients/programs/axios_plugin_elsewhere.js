// A shop on wechatpay-axios-plugin (npm) and people of another institution: they scan what it offers, say yes, and it takes.
const { assert, elsewhere, number, play } = require('./story')
const { appid, refused, shop, telling } = require('./axios_plugin_shop')

const papay = shop.v3.papay
const JING = { at: 'jing', payer: 7, of: 'wei' } // Whose wallet it is, and at whose gateway the shop is.
const contract = papay.sign.contracts.planId._plan_id_.outContractCode._out_contract_code_
const money = (total) => ({ total, currency: 'CNY' })

// An agreement that somebody elsewhere scanned and signed: what was told of it.
async function signed(told, more = {}) {
  const out_contract_code = number('C')
  const { data: led } = await papay.scheduledDeductSign.contracts.preEntrustSign.h5.post({
    appid,
    plan_id: 66,
    out_contract_code,
    contract_display_account: '小明的会员',
    contract_notify_url: told.url,
    out_user_code: 'U1',
    ...more,
  })
  const agreed = await elsewhere('sign', { ...JING, link: led.redirect_url })
  assert.equal(agreed.institution, 'wei')
  const news = await told.next()
  assert.deepEqual([news.event, news.contract_state, news.out_contract_code], ['PAPAY.SIGN', 'SIGNED', out_contract_code])
  return { ...news, merchant_name: agreed.merchant_name, which: { plan_id: 66, out_contract_code } }
}

const take = (told, contract_id, out_trade_no, total) =>
  papay.pay.transactions.apply.post({
    appid,
    out_trade_no,
    description: '月费',
    transaction_notify_url: told.url,
    contract_id,
    amount: money(total),
  })

const balance = async () => (await elsewhere('balance', JING)).balance

// The order's number under which so much was taken of them, and told.
async function taken(told, agreement, total) {
  const out_trade_no = number()
  await take(told, agreement.contract_id, out_trade_no, total)
  const news = await told.next()
  assert.deepEqual(
    [news.event, news.out_trade_no, news.amount.total, news.payer.openid],
    ['TRANSACTION.SUCCESS', out_trade_no, total, agreement.openid],
  )
  return out_trade_no
}

// What could not be taken is an order that failed, and told.
async function inVain(told, agreement, total) {
  const out_trade_no = number()
  await take(told, agreement.contract_id, out_trade_no, total)
  const news = await told.next()
  assert.deepEqual([news.event, news.out_trade_no, news.trade_state], ['TRANSACTION.FAIL', out_trade_no, 'PAY_FAIL'])
}

async function deduction_from_elsewhere() {
  const told = await telling()
  const agreement = await signed(told)
  const { data: found } = await contract.get(agreement.which)
  assert.deepEqual([found.contract_state, found.openid], ['SIGNED', agreement.openid])
  const before = await balance()
  const out_trade_no = await taken(told, agreement, 60000)
  await take(told, agreement.contract_id, out_trade_no, 60000) // Asked again it is the same.
  await inVain(told, agreement, 40001) // Beyond what they let it take in a day.
  assert.equal(await balance(), before - 60000)
  const out_refund_no = number('R')
  const refund = { out_trade_no, out_refund_no, notify_url: told.url, amount: { refund: 10000, ...money(60000) } }
  await shop.v3.refund.domestic.refunds.post(refund)
  assert.equal((await told.next()).event, 'REFUND.SUCCESS')
  assert.equal(await balance(), before - 50000)
  await elsewhere('revoke', { ...JING, name: agreement.merchant_name })
  await inVain(told, agreement, 1)
  const { data: ended } = await contract.terminate.post({ contract_termination_remark: '不再使用' }, agreement.which)
  assert.equal(ended.contract_state, 'TERMINATED')
  assert.equal((await told.next()).event, 'PAPAY.TERMINATE')
  await refused(take(told, agreement.contract_id, number(), 1), 400, 'INVALID_REQUEST')
}

async function a_day_agreed_to() {
  const told = await telling()
  const today = async (days = 0) => {
    const { now } = await elsewhere('clock', { forward_s: days * 86400 })
    return new Date(Date.parse(now) + 8 * 3600000)
  }
  const day = async (days) => new Date((await today()).getTime() + days * 86400000).toISOString().slice(0, 10)
  const estimated_deduct_date = await day(2)
  const deduct_schedule = { estimated_deduct_date, estimated_deduct_amount: money(1500), description: '年费' }
  const agreement = await signed(told, { deduct_schedule })
  assert.equal(agreement.deduct_schedule.schedule_state, 'NO_SCHEDULED')
  const schedule = papay.pay.schedules.contractId._contract_id_
  const which = { contract_id: agreement.contract_id }
  await refused(take(told, agreement.contract_id, number(), 1280), 403, 'RULE_LIMIT')
  await refused(schedule.schedule.post({ appid, schedule_amount: money(1501) }, which), 403, 'RULE_LIMIT')
  const { data: scheduled } = await schedule.schedule.post({ appid, schedule_amount: money(1280) }, which)
  assert.deepEqual(scheduled, {
    schedule_state: 'SCHEDULED',
    deduct_start_date: estimated_deduct_date,
    deduct_end_date: await day(8),
    scheduled_amount: money(1280),
  })
  await refused(take(told, agreement.contract_id, number(), 1280), 403, 'RULE_LIMIT') // The day has not come.
  await today(2)
  const before = await balance()
  await taken(told, agreement, 1280)
  assert.equal(await balance(), before - 1280)
  await refused(take(told, agreement.contract_id, number(), 1), 403, 'RULE_LIMIT') // Once.
  const { data: found } = await schedule.get(which)
  assert.deepEqual(found, {
    ...scheduled,
    schedule_state: 'PAID',
    deduct_amount: money(1280),
    deduct_date: estimated_deduct_date,
  })
  const { data: whole } = await contract.get(agreement.which)
  assert.equal(whole.deduct_schedule.schedule_state, 'PAID')
}

play(deduction_from_elsewhere, a_day_agreed_to)
