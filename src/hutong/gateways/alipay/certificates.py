"""The institution's certificates, for clients that see a serial they do not know yet."""

import base64

from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.signature import certificate_sn
from hutong.gateways.platform import KeyUse
from hutong.gateways.platform_service import PlatformService


class Certificates:
    def __init__(self, platform: PlatformService) -> None:
        self._platform = platform

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint(method="alipay.open.app.alipaycert.download", product="certificates", handler=self.download)]

    async def download(self, call: Call) -> Reply:
        """The certificate of a serial, in base64 of its PEM."""
        serial = call.fields.text("alipay_cert_sn", 64, required=True)
        for key in self._platform.listed(KeyUse.ALIPAY):
            if certificate_sn(key.certificate) == serial:
                return Reply({"alipay_cert_content": base64.b64encode(key.certificate.encode()).decode()})
        raise AlipayError("isv.invalid-parameter", said="支付宝公钥证书不存在")
