"""Fields that are encrypted on their way: to one of the platform's keys, which the request names."""

from hutong.gateways.platform_service import PlatformService
from hutong.gateways.wechat.v3 import cipher
from hutong.gateways.wechat.v3.endpoint import Call
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error


class Sensitive:
    """Opens what was encrypted to the institution."""

    def __init__(self, platform: PlatformService) -> None:
        self._platform = platform

    def opened(self, call: Call, pointer: str, field: str | None) -> str:
        """The field in the clear; empty for none. Refuses PARAM_ERROR: no Wechatpay-Serial, or encrypted to another key."""
        if not field:
            return ""
        serial = call.request.headers.get("wechatpay-serial", "")
        if not serial:
            raise Fault(Code.PARAM_ERROR, "Http头缺少Wechatpay-Serial：请求含有敏感信息加密字段")
        key = self._platform.by_serial(serial)
        assert key is not None, "the envelope refuses a serial that is not ours"
        text = cipher.decrypt_field(key.private, field)
        if text is None:
            raise param_error(pointer, "decryption", f"输入源“{pointer}”敏感信息解密失败，请检查加密所用的证书或公钥")
        return text
