"""
Alipay's words for no: a code, its English title, and a sub-code with what it says in Chinese.

A gateway's own rule and a product's are said alike: `raise AlipayError("isv.invalid-app-id")`. What the institution
refuses is translated in `refusals.py`.
"""

TITLES = {
    "10000": "Success",
    "10003": "order success pay inprocess",
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Token Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40003": "Insufficient Conditions",
    "40004": "Business Failed",
    "40005": "Call Limited",
    "40006": "Insufficient Permissions",
}
SUCCESS, PENDING, UNAVAILABLE, BUSINESS_FAILED = "10000", "10003", "20000", "40004"

# Sub-code: its code, and what it says. A code that is not here is a product's own: 40004, and what the product says.
SUB_CODES = {
    "aop.unknow-error": ("20000", "系统繁忙"),
    "isp.unknow-error": ("20000", "系统繁忙"),
    "ACQ.SYSTEM_ERROR": ("20000", "接口返回错误"),
    "aop.invalid-auth-token": ("20001", "无效的访问令牌"),
    "aop.auth-token-time-out": ("20001", "访问令牌已过期"),
    "aop.invalid-app-auth-token": ("20001", "无效的应用授权令牌"),
    "aop.invalid-app-auth-token-no-api": ("20001", "商户未授权当前接口"),
    "aop.app-auth-token-time-out": ("20001", "应用授权令牌已过期"),
    "aop.no-product-reg-by-partner": ("20001", "商户未签约任何产品"),
    "isv.missing-method": ("40001", "缺少方法名参数"),
    "isv.missing-signature": ("40001", "缺少签名参数"),
    "isv.missing-signature-type": ("40001", "缺少签名类型参数"),
    "isv.missing-signature-key": ("40001", "缺少签名配置"),
    "isv.missing-app-id": ("40001", "缺少AppId参数"),
    "isv.missing-timestamp": ("40001", "缺少时间戳参数"),
    "isv.missing-version": ("40001", "缺少版本参数"),
    "isv.missing-app-cert-sn": ("40001", "缺少应用公钥证书序列号"),
    "isv.missing-parameter": ("40001", "缺少参数"),
    "isv.decryption-error-missing-encrypt-type": ("40001", "解密出错，未指定加密算法"),
    "isv.invalid-parameter": ("40002", "参数无效"),
    "isv.invalid-method": ("40002", "不存在的方法名"),
    "isv.invalid-format": ("40002", "无效的数据格式"),
    "isv.invalid-signature-type": ("40002", "无效的签名类型"),
    "isv.invalid-signature": ("40002", "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配"),
    "isv.invalid-encrypt-type": ("40002", "无效的加密类型"),
    "isv.invalid-encrypt": ("40002", "解密异常"),
    "isv.decryption-error-not-valid-encrypt-key": ("40002", "解密出错，未配置加密密钥或加密密钥格式错误"),
    "isv.invalid-app-id": ("40002", "无效的AppID参数"),
    "isv.invalid-app-cert-sn": ("40002", "应用公钥证书序列号无效"),
    "isv.app-cert-expired": ("40002", "应用公钥证书已过期"),
    "isv.invalid-timestamp": ("40002", "非法的时间戳参数"),
    "isv.invalid-version": ("40002", "无效的版本参数"),
    "isv.invalid-charset": ("40002", "字符集错误"),
    "isv.upload-fail": ("40002", "文件上传失败"),
    "isv.invalid-file-extension": ("40002", "文件扩展名无效"),
    "isv.invalid-file-size": ("40002", "文件大小无效"),
    "isv.illegal-json": ("40002", "非法的JSON"),
    "isv.suspected-attack": ("40002", "可疑的攻击请求"),
    "isv.code-invalid": ("40002", "授权码code无效"),
    "isv.refresh-token-invalid": ("40002", "刷新令牌refresh_token无效"),
    "isv.refresh-token-time-out": ("40002", "刷新令牌refresh_token已过期"),
    "isv.grant-type-invalid": ("40002", "授权类型grant_type无效"),
    "isv.missing-signature-config": ("40003", "应用未配置对应签名算法的公钥或者证书"),
    "isv.not-online-app": ("40003", "应用未上线"),
    "isv.app-call-limited": ("40005", "应用调用次数超限"),
    "isv.method-call-limited": ("40005", "方法调用次数超限"),
    "isv.insufficient-isv-permissions": ("40006", "ISV权限不足，建议在开发者中心检查对应功能是否已经添加"),
    "isv.insufficient-user-permissions": ("40006", "用户权限不足"),
}
# v3 says the same with an HTTP status; an authentication that failed, and a method nobody knows, have their own.
_STATUSES = {"20000": 500, "20001": 401, "40005": 429, "40006": 403}
_AUTHENTICATION = {
    "isv.missing-app-id",
    "isv.invalid-app-id",
    "isv.missing-signature",
    "isv.invalid-signature",
    "isv.missing-signature-config",
    "isv.missing-timestamp",
    "isv.invalid-timestamp",
    "isv.missing-app-cert-sn",
    "isv.invalid-app-cert-sn",
    "isv.app-cert-expired",
    "isv.not-online-app",
}


class AlipayError(Exception):
    """
    A no in Alipay's words; nothing moved, unless its code is 20000.

    `said` stands in place of the sub-code's own words, `detail` behind them. `fields` are answered beside them.
    """

    def __init__(
        self, sub_code: str, *, said: str = "", detail: str = "", fields: dict[str, object] | None = None
    ) -> None:
        super().__init__(sub_code, detail)
        self.sub_code = sub_code
        self.code, words = SUB_CODES.get(sub_code, (BUSINESS_FAILED, sub_code.rpartition(".")[2]))
        self.sub_msg = (said or words) + (f"，{detail}" if detail else "")
        self.fields = fields or {}

    @property
    def status(self) -> int:
        """v3's HTTP status."""
        if self.sub_code == "isv.invalid-method":
            return 404
        return 401 if self.sub_code in _AUTHENTICATION else _STATUSES.get(self.code, 400)

    @property
    def bare_code(self) -> str:
        """v3's code: without who says it, but that `ACQ.` stays."""
        head, dot, rest = self.sub_code.partition(".")
        return rest if dot and head in {"isv", "isp", "aop"} else self.sub_code
