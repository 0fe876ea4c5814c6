"""The platform's certificates, sealed for each merchant; old and new while one takes the other's place."""

from cryptography import x509

from hutong.gateways.account import Signing
from hutong.gateways.platform import KeyUse, SigningKey
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.wechat.v3 import cipher, moment
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wechat.v3.shape import Group, Text, read_query
from hutong.gateways.wire import WireAnswer
from hutong.kernel.clock import instant_ns
from hutong.kernel.ids import Randomness

_QUERY = Group("请求", {"algorithm_type": Text("算法类型", one_of=("RSA", "SM2", "ALL"))})
_ASSOCIATED_DATA = "certificate"


class Certificates:
    """`GET /v3/certificates`."""

    def __init__(self, platform: PlatformService, randomness: Randomness) -> None:
        self._platform = platform
        self._randomness = randomness

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint("GET", "/v3/certificates", "certificates", self._list)]

    async def _list(self, call: Call) -> WireAnswer:
        told = read_query(_QUERY, call.query)
        if call.account.facts.signing is Signing.PUBLIC_KEY:
            raise Fault(Code.RESOURCE_NOT_EXISTS, "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。")
        if told.get("algorithm_type") == "SM2":
            return ok({"data": []})
        keys = self._platform.listed(KeyUse.WECHATPAY_CERTIFICATE)
        return ok({"data": [self._sealed(key, call.account.secrets.api_v3_key) for key in keys]})

    def _sealed(self, key: SigningKey, api_v3_key: str) -> dict[str, object]:
        certificate = x509.load_pem_x509_certificate(key.certificate.encode())
        nonce = self._randomness.randbytes(cipher.NONCE_LENGTH // 2).hex()
        return {
            "serial_no": key.serial,
            "effective_time": moment.told(instant_ns(certificate.not_valid_before_utc)),
            "expire_time": moment.told(instant_ns(certificate.not_valid_after_utc)),
            "encrypt_certificate": {
                "algorithm": cipher.ALGORITHM,
                "nonce": nonce,
                "associated_data": _ASSOCIATED_DATA,
                "ciphertext": cipher.seal(
                    api_v3_key, key.certificate.encode(), nonce=nonce, associated_data=_ASSOCIATED_DATA
                ),
            },
        }
