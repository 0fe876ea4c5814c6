"""
What a method is asked, read without guessing: every leaf is text, whatever JSON type a client chose for it.

Every reader takes the name of a field and refuses INVALID_PARAMETER of the product, naming it.
"""

import json
import re
from typing import Any, NoReturn

from hutong.gateways.alipay.beijing import beijing_ns, day_ends_in_s
from hutong.gateways.alipay.errors import AlipayError
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, parse_amount

DEPTH_MAX = 20
AMOUNT_MAX = 100_000_000_00
_NUMBER = re.compile(r"[0-9A-Za-z_]+")
_EXPRESS = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_HALF_PAIR = re.compile("[\ud800-\udfff]")  # JSON can say them; they are no text.
_UNITS = {"m": 60, "h": 3600, "d": 86400}
_EXPRESS_MAX_S = 15 * 86400


def read_object(text: str) -> dict[str, Any]:
    """The JSON object of `biz_content`: numbers stay as they were written. Refuses isv.illegal-json."""
    read = parse(text) if text else {}
    if not isinstance(read, dict):
        raise AlipayError("isv.illegal-json")
    return read


def parse(text: str) -> Any:
    """A JSON value, or None where the text is none: then it says nothing either."""
    try:
        read = json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_constant)
        _check_depth(read, DEPTH_MAX)
    except (ValueError, RecursionError):
        return None
    return read


def _no_constant(_: str) -> NoReturn:
    raise ValueError


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise ValueError
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_depth(inner, left - 1)


class Fields:
    """The fields of one object; `refusal` is the product's own word for one that is wrong."""

    def __init__(self, values: dict[str, Any], refusal: str = "ACQ.INVALID_PARAMETER", within: str = "") -> None:
        self.values = values
        self._refusal = refusal
        self._within = within

    def invalid(self, name: str, problem: str) -> AlipayError:
        return AlipayError(self._refusal, said=f"参数无效：{self._within}{name}{problem}")

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) not in (None, "", [], {})

    def text(self, name: str, max_: int = 0, *, required: bool = False) -> str:
        """A leaf, as text; empty where it is not given."""
        value = self.values.get(name)
        if isinstance(value, bool):
            value = "true" if value else "false"
        if value is None or value == "":
            if required:
                raise self.invalid(name, "不能为空")
            return ""
        if not isinstance(value, str):
            raise self.invalid(name, "格式不正确")
        if max_ and len(value) > max_:
            raise self.invalid(name, f"长度不能超过{max_}")
        if "\x00" in value or _HALF_PAIR.search(value):
            raise self.invalid(name, "含有非法字符")
        return value

    def echo(self, name: str, max_: int = 64) -> str:
        """A leaf as it may be said back, whatever is wrong with the request; empty if it is what is wrong."""
        try:
            return self.text(name, max_)
        except AlipayError:
            return ""

    def number(self, name: str, max_: int = 64, *, required: bool = False) -> str:
        """A merchant's own number: letters, digits and underscores."""
        text = self.text(name, max_, required=required)
        if text and not _NUMBER.fullmatch(text):
            raise self.invalid(name, "只能包含字母、数字、下划线")
        return text

    def choice(self, name: str, among: tuple[str, ...], *, required: bool = False) -> str:
        text = self.text(name, 64, required=required)
        if text and text not in among:
            raise self.invalid(name, "取值不正确")
        return text

    def amount(self, name: str, *, required: bool = True, least: int = 1) -> int:
        """Fen, of yuan with up to two decimals; 0 where it is not given."""
        text = self.text(name, 20, required=required)
        if not text:
            return 0
        try:
            fen = parse_amount(text, Currency.CNY)
        except Refusal:
            raise self.invalid(name, "格式不正确") from None
        if not least <= fen <= AMOUNT_MAX:
            raise self.invalid(name, "超出取值范围")
        return fen

    def object(self, name: str, *, required: bool = False) -> "Fields":
        """An object within; some clients send it as JSON text."""
        value = self.values.get(name)
        if value is None or value == "":
            if required:
                raise self.invalid(name, "不能为空")
            value = {}
        if isinstance(value, str):
            value = parse(value)
        if not isinstance(value, dict):
            raise self.invalid(name, "格式不正确")
        return Fields(value, self._refusal, f"{self._within}{name}.")

    def objects(self, name: str, max_: int, *, required: bool = False) -> list["Fields"]:
        """A list of objects within."""
        value = self.values.get(name)
        if value is None or value == "":
            if required:
                raise self.invalid(name, "不能为空")
            return []
        if isinstance(value, str):
            value = parse(value)
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.invalid(name, "格式不正确")
        if len(value) > max_:
            raise self.invalid(name, f"不能超过{max_}个")
        return [Fields(each, self._refusal, f"{self._within}{name}[{i}].") for i, each in enumerate(value)]

    def texts(self, name: str, max_: int = 20) -> list[str]:
        """A list of leaves."""
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or len(value) > max_:
            raise self.invalid(name, "格式不正确")
        return value

    def lifetime_s(self, now_ns: int) -> int | None:
        """
        How long an order may be paid: until `time_expire`, or for `timeout_express`; None where neither is given.

        Refuses:  as every reader; ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR.
        """
        if until := self.text("time_expire", 32):
            return self._until(until, now_ns)
        express = self.text("qr_code_timeout_express", 6) or self.text("timeout_express", 6)
        if not express:
            return None
        if express == "1c":  # Until the day ends, in Beijing.
            return day_ends_in_s(now_ns)
        match = _EXPRESS.fullmatch(express)
        if match is None or int(match[1]) * _UNITS[match[2]] > _EXPRESS_MAX_S:
            raise self.invalid("timeout_express", "格式不正确")
        return int(match[1]) * _UNITS[match[2]]

    def _until(self, text: str, now_ns: int) -> int:
        ns = beijing_ns(text)
        if ns is None:
            raise self.invalid("time_expire", "格式不正确")
        left_s = (ns - now_ns) // NS_PER_S
        if left_s <= 0:
            raise AlipayError("ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR", said="当前时间已超过允许支付的时间")
        return left_s
