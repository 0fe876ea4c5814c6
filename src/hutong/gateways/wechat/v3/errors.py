"""
How WeChat Pay v3 says no: a status and a code that belong together, a text, and where in the request it was.

Clients match on the code and show the text, so both are the vendor's.
"""

from enum import Enum
from typing import Any, Self

import msgspec

from hutong.gateways.wire import WireAnswer


class Code(Enum):
    """A code, the HTTP status it comes with, and what it says unless something better is known."""

    status: int
    text: str

    def __new__(cls, status: int, text: str) -> Self:
        row = object.__new__(cls)
        row._value_ = f"{len(cls.__members__)}"
        row.status = status
        row.text = text
        return row

    USERPAYING = 202, "用户支付中，请稍后再试"
    PARAM_ERROR = 400, "参数错误"
    INVALID_REQUEST = 400, "无效请求"
    ORDER_CLOSED = 400, "订单已关闭"
    ORDERPAID = 400, "该订单已支付"
    ORDER_REVERSED = 400, "订单已撤销"
    APPID_MCHID_NOT_MATCH = 400, "appid和mch_id不匹配，请检查后再试"
    MCH_NOT_EXISTS = 400, "商户号不存在"
    NO_STATEMENT_EXIST = 400, "账单文件不存在"
    STATEMENT_CREATING = 400, "账单生成中，请稍后再试"
    AUTH_CODE_INVALID = 400, "付款码无效，请扫描用户付款码"
    AUTH_CODE_EXPIRE = 400, "付款码已过期，请用户刷新后再试"
    REFUND_FEE_MISMATCH = 400, "订单金额或退款金额与之前请求不一致，请核实后再试"
    ALREADY_EXISTS = 400, "单号已存在"
    SIGN_ERROR = 401, "签名错误，请检查后再试"
    TRADE_ERROR = 403, "交易失败，请换其他支付方式"
    RULE_LIMIT = 403, "业务规则限制"
    OUT_TRADE_NO_USED = 403, "商户订单号重复"
    NOT_ENOUGH = 403, "余额不足"
    NO_AUTH = 403, "商户未开通此产品权限"
    ACCOUNT_ERROR = 403, "用户账户异常"
    USER_ACCOUNT_ABNORMAL = 403, "用户账户异常，无法退款"
    REQUEST_BLOCKED = 403, "请求已被拦截"
    ORDER_NOT_EXIST = 404, "订单不存在"
    RESOURCE_NOT_EXISTS = 404, "查询的资源不存在"
    NOT_FOUND = 404, "记录不存在"
    FREQUENCY_LIMITED = 429, "请求过于频繁，请稍后再试"
    SYSTEM_ERROR = 500, "系统异常，请稍后重试"
    BANK_ERROR = 500, "银行系统异常，请稍后查询"
    SERVICE_UNAVAILABLE = 503, "服务暂不可用，请稍后再试"


class Fault(Exception):  # noqa: N818  # It is an answer, not an error of ours.
    """A no in the vendor's words. `status` where this product's differs from the code's own."""

    def __init__(
        self, code: Code, text: str = "", *, detail: dict[str, Any] | None = None, status: int | None = None
    ) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text or code.text
        self.detail = detail
        self.status = status or code.status

    def answer(self) -> WireAnswer:
        """What goes over the wire."""
        body: dict[str, Any] = {"code": self.code.name, "message": self.text}
        if self.detail is not None:
            body["detail"] = self.detail
        return WireAnswer(status=self.status, body=msgspec.json.encode(body))


def param_error(pointer: str, issue: str, text: str, value: Any = "") -> Fault:
    """A field that is not as it must be. `pointer` begins with where it stood: `/body`, `/query`, `/path`."""
    location = pointer.split("/", 2)[1]
    detail = {"field": pointer, "value": value, "issue": issue, "location": location}
    return Fault(Code.PARAM_ERROR, text, detail=detail)
