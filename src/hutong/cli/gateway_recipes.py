"""How each client is configured for an account at a gateway: texts to be pasted, with the account's values in them."""

from collections.abc import Mapping
from string import Template

CLIENTS = ("python", "node", "go", "java", "php")


class _Text(Template):
    """Most of these languages have a use of their own for `$`."""

    delimiter = "@"


WECHATPAY: Mapping[str, str] = {
    "python": """\
# pip install wechatpayv3
from pathlib import Path
from wechatpayv3 import WeChatPay, WeChatPayType

files = Path("@directory")
pay = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid="@mchid",
    private_key=(files / "apiclient_key.pem").read_text(),
    cert_serial_no="@serial",
    appid="@appid",
    apiv3_key="@api_v3_key",
    public_key=(files / "pub_key.pem").read_text(),
    public_key_id="@public_key_id",
    notify_url="http://127.0.0.1:9000/wechatpay",
)
pay._core._gate_way = "@base_url"  # Without this line: hutong gateway run -- python shop.py

# API version 2: pip install wechatpy[cryptography]
from wechatpy.pay import WeChatPay as WeChatPayV2

WeChatPayV2.API_BASE_URL = "@base_url/"
pay_v2 = WeChatPayV2(appid="@appid", mch_id="@mchid", api_key="@api_v2_key")
""",
    "node": """\
// npm install wechatpay-axios-plugin
const { readFileSync } = require('fs')
const { Wechatpay } = require('wechatpay-axios-plugin')
const files = '@directory'

const pay = new Wechatpay({
  mchid: '@mchid',
  serial: '@serial',
  privateKey: readFileSync(`${files}/apiclient_key.pem`),
  certs: { '@public_key_id': readFileSync(`${files}/pub_key.pem`) },
  secret: '@api_v2_key',
  baseURL: '@base_url', // Without this line: hutong gateway run -- node shop.js
})

// npm install wechatpay-node-v3
const WxPay = require('wechatpay-node-v3')
const other = new WxPay({
  appid: '@appid',
  mchid: '@mchid',
  serial_no: '@serial',
  publicKey: readFileSync(`${files}/apiclient_cert.pem`),
  privateKey: readFileSync(`${files}/apiclient_key.pem`),
  key: '@api_v3_key',
})

// npm install tenpay
const tenpay = require('tenpay')
const v2 = new tenpay({ appid: '@appid', mchid: '@mchid', partnerKey: '@api_v2_key', notify_url: 'http://127.0.0.1:9000/wechatpay' })
""",
    "go": """\
// go get github.com/wechatpay-apiv3/wechatpay-go, and run it with: hutong gateway run -- ./shop
key, _ := utils.LoadPrivateKeyWithPath("@directory/apiclient_key.pem")
public, _ := utils.LoadPublicKeyWithPath("@directory/pub_key.pem")
client, err := core.NewClient(ctx, option.WithWechatPayPublicKeyAuthCipher(
	"@mchid", "@serial", key, "@public_key_id", public))
// APIv3 key, for callbacks: @api_v3_key   appid: @appid
""",
    "java": """\
// com.github.wechatpay-apiv3:wechatpay-java, and run it with: hutong gateway run -- java -jar shop.jar
Config config = new RSAPublicKeyConfig.Builder()
    .merchantId("@mchid")
    .privateKeyFromPath("@directory/apiclient_key.pem")
    .merchantSerialNumber("@serial")
    .publicKeyFromPath("@directory/pub_key.pem")
    .publicKeyId("@public_key_id")
    .apiV3Key("@api_v3_key")
    .build();
NativePayService service = new NativePayService.Builder().config(config).build();  // appid: @appid
""",
    "php": """\
// composer require wechatpay/wechatpay
use WeChatPay\\Builder;
use WeChatPay\\Crypto\\Rsa;

$pay = Builder::factory([
    'mchid' => '@mchid',
    'serial' => '@serial',
    'privateKey' => Rsa::from('file://@directory/apiclient_key.pem', Rsa::KEY_TYPE_PRIVATE),
    'certs' => ['@public_key_id' => Rsa::from('file://@directory/pub_key.pem', Rsa::KEY_TYPE_PUBLIC)],
    'secret' => '@api_v2_key',
    'base_uri' => '@base_url/', // Without this line: hutong gateway run -- php shop.php
]);
// APIv3 key, for callbacks: @api_v3_key   appid: @appid
""",
}

ALIPAY: Mapping[str, str] = {
    "python": """\
# pip install python-alipay-sdk
from pathlib import Path
from alipay import AliPay

files = Path("@directory")
alipay = AliPay(
    appid="@app_id",
    app_notify_url="http://127.0.0.1:9000/alipay",
    app_private_key_string=(files / "app_private_key.pem").read_text(),
    alipay_public_key_string=(files / "alipay_public_key.pem").read_text(),
    sign_type="RSA2",
)
alipay._gateway = "@base_url/gateway.do"  # Without this line: hutong gateway run -- python shop.py

# pip install alipay-sdk-python: in another environment, since both are called alipay.
from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient

config = AlipayClientConfig()
config.app_id = "@app_id"
config.app_private_key = (files / "app_private_key_pkcs1.txt").read_text()
config.alipay_public_key = (files / "alipay_public_key.txt").read_text()
client = DefaultAlipayClient(config)  # It takes no port in a URL: hutong gateway run -- python shop.py
""",
    "node": """\
// npm install alipay-sdk
const { readFileSync } = require('fs')
const { AlipaySdk } = require('alipay-sdk')
const files = '@directory'

const alipay = new AlipaySdk({
  appId: '@app_id',
  privateKey: readFileSync(`${files}/app_private_key.pem`, 'ascii'),
  keyType: 'PKCS8',
  alipayPublicKey: readFileSync(`${files}/alipay_public_key.pem`, 'ascii'),
  encryptKey: '@aes_key',
  gateway: '@base_url/gateway.do', // Without these two lines: hutong gateway run -- node shop.js
  endpoint: '@base_url',
})
// With certificates, in place of alipayPublicKey: appCertPath: `${files}/app_cert.crt`,
// alipayPublicCertPath: `${files}/alipay_cert.crt`, alipayRootCertPath: `${files}/alipay_root_cert.crt`
""",
    "go": """\
// go get github.com/smartwalle/alipay/v3
key, _ := os.ReadFile("@directory/app_private_key_pkcs1.txt")
client, err := alipay.New("@app_id", string(key), true,
	alipay.WithProductionGateway("@base_url/gateway.do"))  // Without it: hutong gateway run -- ./shop
public, _ := os.ReadFile("@directory/alipay_public_key.txt")
err = client.LoadAliPayPublicKey(string(public))
""",
    "java": """\
// com.alipay.sdk:alipay-sdk-java
AlipayConfig config = new AlipayConfig();
config.setServerUrl("@base_url/gateway.do");
config.setAppId("@app_id");
config.setPrivateKey(Files.readString(Path.of("@directory/app_private_key_pkcs8.txt")));
config.setAlipayPublicKey(Files.readString(Path.of("@directory/alipay_public_key.txt")));
config.setSignType("RSA2");
config.setEncryptKey("@aes_key");
AlipayClient client = new DefaultAlipayClient(config);
""",
    "php": """\
// composer require alipaysdk/easysdk
use Alipay\\EasySDK\\Kernel\\Config;

$options = new Config();
$options->protocol = 'http';
$options->gatewayHost = '@host';
$options->ignoreSSL = true;
$options->signType = 'RSA2';
$options->appId = '@app_id';
$options->merchantPrivateKey = file_get_contents('@directory/app_private_key_pkcs1.txt');
$options->alipayPublicKey = file_get_contents('@directory/alipay_public_key.txt');
$options->notifyUrl = 'http://127.0.0.1:9000/alipay';
$options->encryptKey = '@aes_key';
\\Alipay\\EasySDK\\Kernel\\Factory::setOptions($options);
""",
}


def recipe(texts: Mapping[str, str], client: str, values: Mapping[str, str]) -> str:
    """The text of one client."""
    return _Text(texts[client]).substitute(values)
