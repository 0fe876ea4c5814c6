// A shop on alipay-sdk (npm, the vendor's own), with a key or with certificates; what its stories have in common.
const { AlipaySdk } = require('alipay-sdk')
const { assert, baseUrl, callbacks, directory, file, made, seen } = require('./story')

const trust =
  made.account.signing === 'CERTIFICATE'
    ? {
        appCertPath: `${directory}/app_cert.crt`,
        alipayPublicCertPath: `${directory}/alipay_cert.crt`,
        alipayRootCertPath: `${directory}/alipay_root_cert.crt`,
      }
    : { alipayPublicKey: file('alipay_public_key.pem') }
const appId = made.account.number
// `other` is what a client has otherwise than it should.
const madeFor = (other = {}) =>
  new AlipaySdk({
    appId,
    privateKey: file('app_private_key.pem'),
    keyType: 'PKCS8',
    encryptKey: made.secrets.aes_key,
    ...trust,
    ...(baseUrl ? { gateway: `${baseUrl}/gateway.do`, endpoint: baseUrl } : {}),
    ...other,
  })
const shop = madeFor()

const telling = () =>
  callbacks(async (_request, body) => {
    const said = Object.fromEntries(new URLSearchParams(body))
    assert.ok(shop.checkNotifySignV2(said))
    return [said, 200, 'success']
  })

const good = (answer, code = '10000') => {
  assert.equal(answer.code, code, JSON.stringify(answer))
  return answer
}
// Version 3: what it answers, and how it throws a no.
const rest = async (path, body, more = {}) => (await shop.curl('POST', `/v3/alipay/${path}`, { body, ...more })).data
async function refused(asked, code, responseHttpStatus = 400) {
  await assert.rejects(asked, { name: 'AlipayRequestError', code, responseHttpStatus })
  seen.add(code)
}

module.exports = { appId, good, madeFor, refused, rest, shop, telling }
