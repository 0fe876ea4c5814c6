"""A stock of a merchant's own coupons, read from a request: what it gives, when, and to how many."""

from typing import Any

from hutong.gateways.till_coupons.stock import CodeMode, TillStockDraft
from hutong.gateways.wechat.v3 import moment
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.orders import words
from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS
from hutong.kernel.money import BPS
from hutong.marketing.coupons.template import ClaimLimits, CouponKind, CouponTerms
from hutong.marketing.coupons.validity import DAYS_MAX, Hours, Validity

_TIME = "coupon_use_rule/coupon_available_time"
_RULES = {
    "NORMAL": ("fixed_normal_coupon", "固定面额满减券使用规则"),
    "DISCOUNT": ("discount_coupon", "折扣券使用规则"),
    "EXCHANGE": ("exchange_coupon", "换购券使用规则"),
}
_FACTS = (
    *("comment", "goods_name", "stock_type", "coupon_use_rule", "stock_send_rule", "custom_entrance"),
    *("display_pattern_info", "notify_config"),
)
CHANGED = tuple(name for name in _FACTS if name != "stock_type")


def draft_of(body: dict[str, Any], now_ns: int) -> TillStockDraft:
    """Refuses PARAM_ERROR; INVALID_REQUEST for a rule that is not here."""
    send, use = body["stock_send_rule"], body["coupon_use_rule"]
    name, label = _RULES[body["stock_type"]]
    rule = use.get(name)
    if rule is None:
        raise wrong(f"coupon_use_rule/{name}", label, "此批次类型下为必填项")
    if use["use_method"] == "MINI_PROGRAMS" and not (use.get("mini_programs_appid") and use.get("mini_programs_path")):
        raise wrong("coupon_use_rule/mini_programs_appid", "小程序appid", "核销方式为小程序核销时为必填项")
    terms = CouponTerms(
        threshold=rule["transaction_minimum"],
        validity=_validity(use["coupon_available_time"], now_ns),
        limits=ClaimLimits(per_person=send["max_coupons_per_user"], per_device=0),
        transferable=send.get("transferable") is True,
        **_given(body["stock_type"], rule, body["goods_name"]),
    )
    return TillStockDraft(
        number=body["out_request_no"],
        name=words(body["stock_name"]),
        terms=terms,
        count=send["max_coupons"],
        per_day=send.get("max_coupons_by_day") or 0,
        code_mode=CodeMode(body["coupon_code_mode"]),
        subsidised=body.get("subsidy") is True,
        facts=facts_of(body, _FACTS),
    )


def facts_of(body: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """What is to be shown as it came, without what said nothing."""
    return {name: _said(body[name]) for name in names if body.get(name) is not None}


def wrong(field: str, label: str, rule: str, value: Any = "") -> Fault:
    """PARAM_ERROR of a field of the body."""
    text = f"输入源“/body/{field}”映射到字段“{label}”校验失败，{rule}"
    return param_error(f"/body/{field}", "rule", text, value)


def moment_of(body: dict[str, Any], name: str, field: str, label: str) -> int:
    """Refuses PARAM_ERROR."""
    at = moment.read(body[name])
    if at is None or at < 0:
        raise wrong(field, label, "格式错误，须为RFC3339", body[name])
    return at


def _given(kind: str, rule: dict[str, Any], goods: str) -> dict[str, Any]:
    if kind == "NORMAL":
        return {"kind": CouponKind.AMOUNT_OFF, "amount_off": rule["discount_amount"]}
    if kind == "DISCOUNT":  # 88 is what is left to be paid of a hundred.
        return {"kind": CouponKind.PERCENT_OFF, "percent_off_bps": BPS - rule["discount_percent"] * BPS // 100}
    return {"kind": CouponKind.EXCHANGE, "item": words(goods), "exchange_price": rule["exchange_price"]}


def _validity(time: dict[str, Any], now_ns: int) -> Validity:
    if time.get("irregulary_avaliable_time"):
        raise Fault(Code.INVALID_REQUEST, "不支持该核销规则：irregulary_avaliable_time")
    begins = moment_of(time, "available_begin_time", f"{_TIME}/available_begin_time", "开始时间")
    ends = moment_of(time, "available_end_time", f"{_TIME}/available_end_time", "结束时间")
    if not max(begins, now_ns) < ends <= now_ns + DAYS_MAX * NS_PER_DAY:
        value = time["available_end_time"]
        raise wrong(f"{_TIME}/available_end_time", "结束时间", "须晚于开始时间和当前时间，且不过长", value)
    week = time.get("available_week") or {}
    days = {day or 7 for day in week.get("week_day") or ()}
    return Validity(
        from_ms=begins // NS_PER_MS,
        until_ms=ends // NS_PER_MS,
        waits_days=time.get("wait_days_after_receive") or 0,
        days=time.get("available_day_after_receive") or 0,
        seconds=time.get("available_second_after_receive") or 0,
        weekdays=tuple(sorted(days)),
        hours=tuple(_hours(each) for each in week.get("available_day_time") or ()),
    )


def _hours(span: dict[str, Any]) -> Hours:
    begins, ends = span.get("begin_time") or 0, span.get("end_time") or 0
    if not begins < ends or begins % 60:
        field = f"{_TIME}/available_week/available_day_time"
        raise wrong(field, "当天可用时间段", "须为整分钟，且开始早于结束", begins)
    return Hours(from_minute=begins // 60, until_minute=-(-ends // 60))


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _said(each) for name, each in value.items() if each is not None}
    return [_said(each) for each in value] if isinstance(value, list) else value
