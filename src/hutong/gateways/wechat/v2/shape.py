"""What the fields of a request must look like, endpoint by endpoint, and how v2 says that they don't."""

import re
from collections.abc import Iterable

import msgspec

from hutong.gateways.wechat.v2.document import Fields
from hutong.gateways.wechat.v2.errors import Code, Fault, Unreadable

# Digits alone, and none of the world's other digits, which `\d` would take.
NUMBER = "0|[1-9][0-9]{0,17}"
DIGITS = "[0-9]+"
AMOUNT = "[1-9][0-9]{0,11}"
TIME = "[0-9]{14}"
DAY = "[0-9]{8}"
# Of the merchant's own numbers: letters, digits, and _-|*@ .
OWN_NUMBER = r"[0-9A-Za-z_\-|*@]{1,64}"
ANY = "(?s:.*)"
URL = r"https?://[!-~]+"


class Parameter(msgspec.Struct, frozen=True):
    """One field. A required one that is empty is not there."""

    name: str
    pattern: str = ANY
    length_max: int = 32
    required: bool = False

    def check(self, fields: Fields) -> None:
        """Refuses LACK_PARAMS, or with no code at all a value too long or of another form."""
        value = fields.get(self.name, "")
        if not value:
            if self.required:
                raise Fault(Code.LACK_PARAMS, f"缺少参数{self.name}")
            return
        if len(value) > self.length_max:
            raise Unreadable(f"{self.name}参数长度有误")
        if not re.fullmatch(self.pattern, value):
            raise Unreadable(f"{self.name}参数格式错误")


def must(name: str, pattern: str = ANY, length_max: int = 32) -> Parameter:
    """A field that has to be there."""
    return Parameter(name, pattern, length_max, required=True)


def may(name: str, pattern: str = ANY, length_max: int = 32) -> Parameter:
    """A field that may be there."""
    return Parameter(name, pattern, length_max)


def one_of(*words: str) -> str:
    """The pattern of these words and no others."""
    return "|".join(re.escape(word) for word in words)


def check(fields: Fields, parameters: Iterable[Parameter]) -> None:
    """Refuses as `Parameter.check`, for the first that is wrong."""
    for parameter in parameters:
        parameter.check(fields)


def check_either(fields: Fields, *names: str) -> None:
    """Refuses LACK_PARAMS unless one of them at least is there."""
    if not any(fields.get(name) for name in names):
        raise Fault(Code.LACK_PARAMS, f"缺少参数{'或'.join(names)}")


# What requests have in common. Numbers that nobody has are no matter of form: those are looked up.
SIGNED = (must("nonce_str", length_max=32), may("sign_type", one_of("MD5", "HMAC-SHA256")))
PARTIES = (may("appid"), may("sub_appid"), may("sub_mch_id"))
PAYEE = (must("appid"), may("sub_appid"), may("sub_mch_id"))
GOODS = (
    must("body", length_max=128),
    may("detail", length_max=6000),
    may("attach", length_max=127),
    must("out_trade_no", OWN_NUMBER),
    must("total_fee", AMOUNT),
    may("fee_type", one_of("CNY"), 16),
    must("spbill_create_ip", length_max=64),
    may("time_start", TIME),
    may("time_expire", TIME),
    may("goods_tag"),
    may("limit_pay"),
    may("device_info"),
    may("scene_info", length_max=512),
    may("profit_sharing", one_of("Y", "N")),
    may("receipt", length_max=8),
)
OF_ORDER = (may("transaction_id"), may("out_trade_no", OWN_NUMBER))

UNIFIEDORDER = (
    *PAYEE,
    *GOODS,
    must("notify_url", URL, 256),
    must("trade_type", one_of("JSAPI", "NATIVE", "APP", "MWEB")),
    may("product_id"),
    may("openid", length_max=128),
    may("sub_openid", length_max=128),
)
MICROPAY = (*PAYEE, *GOODS, must("auth_code", length_max=128))
ORDERQUERY = (*PAYEE, *OF_ORDER)
CLOSEORDER = (*PAYEE, must("out_trade_no", OWN_NUMBER))
REVERSE = (*PAYEE, *OF_ORDER)
REFUND = (
    *PAYEE,
    *OF_ORDER,
    must("out_refund_no", OWN_NUMBER, 64),
    must("total_fee", AMOUNT),
    must("refund_fee", AMOUNT),
    may("refund_fee_type", one_of("CNY"), 16),
    may("refund_desc", length_max=80),
    may("refund_account", one_of("REFUND_SOURCE_RECHARGE_FUNDS", "REFUND_SOURCE_UNSETTLED_FUNDS"), 32),
    may("notify_url", URL, 256),
)
REFUNDQUERY = (
    *PAYEE,
    *OF_ORDER,
    may("out_refund_no", OWN_NUMBER, 64),
    may("refund_id", NUMBER.replace("17", "31")),
    may("offset", NUMBER, 15),
)
AUTHCODETOOPENID = (*PAYEE, must("auth_code", length_max=128))
SHORTURL = (*PAYEE, must("long_url", length_max=512))
REPORT = (
    *PAYEE,
    must("interface_url", length_max=127),
    must("execute_time_", NUMBER),
    may("device_info"),
    may("return_code", length_max=16),
    may("result_code", length_max=16),
)
DOWNLOADBILL = (
    *PAYEE,
    must("bill_date", DAY),
    may("bill_type", one_of("ALL", "SUCCESS", "REFUND", "RECHARGE_REFUND", "REVOKED")),
    may("tar_type", one_of("GZIP")),
)
DOWNLOADFUNDFLOW = (
    *PAYEE,
    must("bill_date", DAY),
    must("account_type", one_of("Basic", "Operation", "Fees")),
    may("tar_type", one_of("GZIP")),
)
