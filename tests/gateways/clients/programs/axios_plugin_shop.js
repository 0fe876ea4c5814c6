// A shop on wechatpay-axios-plugin (npm), trusting the platform's public key; what its stories have in common.
const { Aes, Formatter, Hash, Rsa, Transformer, Wechatpay } = require('wechatpay-axios-plugin')
const { assert, baseUrl, callbacks, elsewhere, file, made, number, seen } = require('./story')

const { account, secrets, platform } = made
const mchid = account.number
const appid = account.appids[0]
const certs = { [platform.public_key_id]: platform.public_key }
const given = {
  mchid,
  serial: account.keys.at(-1).serial,
  privateKey: file('apiclient_key.pem'),
  certs,
  secret: secrets.api_v2_key,
  merchant: { cert: file('apiclient_cert.pem'), key: file('apiclient_key.pem') },
  ...(baseUrl ? { baseURL: baseUrl } : {}),
}
// `other` is what a client has otherwise than it should.
const madeFor = (other = {}) => new Wechatpay({ ...given, ...other })
const shop = madeFor()

// Both versions' callbacks, each verified by the client.
const telling = () =>
  callbacks(async (request, body) => {
    if (body.startsWith('<xml')) {
      const said = Transformer.toObject(body)
      assert.equal(said.sign, Hash.sign(said.sign.length === 64 ? 'HMAC-SHA256' : 'MD5', said, secrets.api_v2_key))
      return [said, 200, '<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>']
    }
    const said = (name) => request.headers[`wechatpay-${name}`]
    const text = Formatter.response(said('timestamp'), said('nonce'), body)
    assert.ok(Rsa.verify(text, said('signature'), certs[said('serial')]))
    const { event_type: event, resource } = JSON.parse(body)
    const plain = Aes.AesGcm.decrypt(resource.ciphertext, secrets.api_v3_key, resource.nonce, resource.associated_data)
    return [{ event, ...JSON.parse(plain) }, 204, '']
  })

// A no of version 3: its status and code.
async function refused(asked, status, code) {
  try {
    await asked
  } catch ({ response }) {
    assert.equal(response?.status, status, JSON.stringify(response?.data))
    assert.equal(response.data.code, code, JSON.stringify(response.data))
    seen.add(code)
    return response.data
  }
  return assert.fail(`${code} was to come`)
}

// A no of version 2: the client's own error, whose answer has the code.
async function refusedV2(asked, code) {
  try {
    await asked
  } catch (error) {
    assert.equal(error.code, 'EV2_RES_STATUS_CODE_NOT_SUCESS', `${error}`)
    const { data } = error.response
    assert.equal(data.err_code ?? data.return_msg, code, JSON.stringify(data))
    seen.add(code)
    return data
  }
  return assert.fail(`${code} was to come`)
}

// A stock of coupons that the shop's own money pays for: five yuan off twenty, one for each person.
async function stockOfCoupons(merchant, description = '每单限用一张') {
  const { now } = await elsewhere('clock', { forward_s: 0 })
  const day = (days) => new Date(Date.parse(now) + days * 86_400_000 + 8 * 3_600_000).toISOString().slice(0, 19) + '+08:00'
  const { data } = await shop.v3.marketing.favor.couponStocks.post({
    stock_name: '面馆满20减5',
    belong_merchant: merchant,
    available_begin_time: day(0),
    available_end_time: day(9),
    stock_use_rule: { max_coupons: 2, max_amount: 1000, max_coupons_per_user: 1, natural_person_limit: false, prevent_api_abuse: false },
    pattern_info: { description },
    coupon_use_rule: { fixed_normal_coupon: { coupon_amount: 500, transaction_minimum: 2000 }, combine_use: false },
    no_cash: false,
    stock_type: 'NORMAL',
    out_request_no: number('K'),
  })
  return data.stock_id
}

module.exports = { account, appid, madeFor, mchid, platform, refused, refusedV2, shop, stockOfCoupons, telling }
