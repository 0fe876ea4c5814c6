"""The form of a coupon, on a desk and on a console: what was typed, read as its terms, and what whoever claims one will see."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple

from litestar import Response

from hutong.kernel.clock import NS_PER_MS, instant_ns
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.template import (
    GROUP_LENGTH_MAX,
    ITEM_LENGTH_MAX,
    NAME_LENGTH_MAX,
    STOCK_MAX,
    ClaimLimits,
    CodeKind,
    CouponKind,
    CouponTerms,
    OnRefund,
    Stacking,
)
from hutong.marketing.coupons.validity import DAYS_MAX, Hours, Validity
from hutong.runtime.http import HttpReason
from hutong.web.coupon_wording import AFTER_REFUND, CODE_KINDS, COUPON_KINDS, WEEKDAYS
from hutong.web.form import Form
from hutong.web.language import Words
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.coupons import Told, coupon_told

PERIODS = (1, 2)  # Of the day: breakfast and supper. More of them only the API takes.
USUAL = {"coupon_stock": "100", "coupon_days": "7", "coupon_each": "1", "coupon_device": "1"}
_TEXTS = (
    *("coupon_name", "coupon_kind", "coupon_off", "coupon_percent", "coupon_cap", "coupon_least", "coupon_item"),
    *("coupon_price", "coupon_for", "coupon_code", "coupon_stock", "coupon_each", "coupon_each_day", "coupon_device"),
    *("coupon_of_day", "coupon_days", "coupon_waits", "coupon_first", "coupon_last", "coupon_refund"),
    *("coupon_priority", "coupon_group"),
    *(f"coupon_{end}{period}" for period in PERIODS for end in ("from", "until")),
)
_TICKS = ("coupon_giving", "coupon_alone", *(f"coupon_weekday{day}" for day in WEEKDAYS))
# What a refusal calls the fields of the terms, as the form does.
_FIELDS = {
    "name": "coupon_name",
    "stock": "coupon_stock",
    "amount_off": "coupon_off",
    "percent_off_bps": "coupon_percent",
    "cap": "coupon_cap",
    "threshold": "coupon_least",
    "item": "coupon_item",
    "item_price": "coupon_price",
    "exchange_price": "coupon_for",
    "validity.from_ms": "coupon_first",
    "validity.until_ms": "coupon_last",
    "validity.days": "coupon_days",
    "validity.waits_days": "coupon_waits",
    "stacking.group": "coupon_group",
}
_PER_CENT_BPS = 100
_PRIORITY_MAX = 1_000
_DAY_MINUTES = 24 * 60
_EXAMPLE = 5_000


class Wanted(NamedTuple):
    """A coupon as typed: its name, what it promises, and how many there are."""

    name: str
    terms: CouponTerms
    stock: int


def typed_of(form: Form | None) -> dict[str, str]:
    """Every field as it was typed, or as it usually is."""
    if form is None:
        return dict.fromkeys((*_TEXTS, *_TICKS), "") | USUAL
    return {name: form.text(name) for name in (*_TEXTS, *_TICKS)}


def read_coupon(form: Form, zone: tzinfo) -> Wanted:
    """A coupon as typed. Refuses as `Form` does; what is wrong with its terms, by the form's own names of fields."""
    name = form.needed("coupon_name", length_max=NAME_LENGTH_MAX)
    terms = _terms(form, zone)
    try:
        terms.check()
    except Refusal as refusal:
        raise at_field(refusal) from None
    return Wanted(name, terms, form.number("coupon_stock", least=1, most=STOCK_MAX))


def at_field(refusal: Refusal) -> Refusal:
    """The same no, said of a field of the form."""
    named = str(refusal.facts.get("field", ""))
    return Refusal(refusal.reason, **(refusal.facts | {"field": _FIELDS.get(named, named)}))


class Seen(NamedTuple):
    """A coupon as whoever claims it now will see it."""

    name: str
    told: Told
    from_ns: int  # 0: at once.
    until_ns: int
    price: int  # An example,
    paid: int  # and what is left to pay of it.
    each: int
    code: str


def seen(_: Words, wanted: Wanted, now_ns: int, zone: tzinfo) -> Seen:
    """How it will look in the wallet of somebody who claims it now."""
    terms = wanted.terms
    price = terms.needed or max(_EXAMPLE, 2 * terms.amount_off)
    paid = max(1, price - terms.gives(price))
    from_ns, until_ns = terms.validity.period(now_ns, zone)
    return Seen(
        wanted.name,
        coupon_told(_, terms),
        from_ns if from_ns > now_ns else 0,
        until_ns,
        price,
        paid,
        terms.limits.per_person,
        _(CODE_KINDS[terms.code.value]),
    )


def coupon_preview(pages: Pages, request: AnyRequest, now_ns: int, zone: tzinfo) -> Response[str]:
    """What the form shows of itself: the coupon as people will see it, or what is still missing."""
    values: dict[str, Any] = {"wrong": None}
    try:
        values["seen"] = seen(pages.words(request), read_coupon(Form(request.query_params), zone), now_ns, zone)
    except Refusal as refusal:
        values["wrong"] = pages.wrong(request, refusal)
    return pages.render(request, "kit/coupon_preview.html", **values)


def offered(typed: Mapping[str, str]) -> dict[str, Any]:
    """What the form lets choose, and which of its seldom used parts something was typed into."""
    ends = [f"coupon_{end}{period}" for period in PERIODS for end in ("from", "until")]
    return {
        "kinds": COUPON_KINDS,
        "codes": CODE_KINDS,
        "refunds": AFTER_REFUND,
        "weekdays": WEEKDAYS,
        "periods": PERIODS,
        "has_hours": any(typed[name] for name in (*ends, *(f"coupon_weekday{day}" for day in WEEKDAYS))),
        "has_more": any(typed[name] for name in ("coupon_priority", "coupon_group", "coupon_alone")),
    }


def _terms(form: Form, zone: tzinfo) -> CouponTerms:
    kind = CouponKind(form.text("coupon_kind")) if form.text("coupon_kind") in COUPON_KINDS else CouponKind.AMOUNT_OFF
    code = next((each for each in CodeKind if each.value == form.text("coupon_code")), CodeKind.NONE)
    return CouponTerms(
        kind=kind,
        **_given(form, kind),
        threshold=form.amount("coupon_least"),
        validity=_validity(form, zone),
        limits=ClaimLimits(
            per_person=_count(form, "coupon_each"),
            per_person_day=_count(form, "coupon_each_day"),
            per_device=_count(form, "coupon_device"),
            per_day=_count(form, "coupon_of_day"),
        ),
        stacking=Stacking(
            exclusive=form.ticked("coupon_alone"),
            priority=_count(form, "coupon_priority", _PRIORITY_MAX),
            group=form.text("coupon_group", length_max=GROUP_LENGTH_MAX),
        ),
        code=code,
        transferable=form.ticked("coupon_giving"),
        on_refund=OnRefund.BUDGET if form.text("coupon_refund") == OnRefund.BUDGET.value else OnRefund.PERSON,
    )


def _given(form: Form, kind: CouponKind) -> dict[str, Any]:
    match kind:
        case CouponKind.AMOUNT_OFF:
            return {"amount_off": _amount(form, "coupon_off")}
        case CouponKind.PERCENT_OFF:
            percent = form.number("coupon_percent", least=1, most=99)
            return {"percent_off_bps": percent * _PER_CENT_BPS, "cap": form.amount("coupon_cap")}
        case CouponKind.GOODS:
            return _item(form) | {"amount_off": _amount(form, "coupon_off")}
        case CouponKind.FREE_ITEM:
            return _item(form)
        case CouponKind.EXCHANGE:
            return _item(form) | {"exchange_price": _amount(form, "coupon_for")}


def _item(form: Form) -> dict[str, Any]:
    return {
        "item": form.needed("coupon_item", length_max=ITEM_LENGTH_MAX),
        "item_price": _amount(form, "coupon_price"),
    }


def _amount(form: Form, field: str) -> int:
    form.needed(field, length_max=24)
    return form.amount(field)


def _count(form: Form, field: str, most: int = STOCK_MAX) -> int:
    """A whole number; empty is no limit."""
    return form.number(field, most=most) if form.text(field) else 0


def _validity(form: Form, zone: tzinfo) -> Validity:
    first, last = _date(form, "coupon_first"), _date(form, "coupon_last")
    if last is None:
        form.needed("coupon_days", length_max=20)
    hours = [each for period in PERIODS for each in _hours(form, period)]
    return Validity(
        from_ms=_midnight_ms(first, zone) if first else 0,
        until_ms=_midnight_ms(last + timedelta(days=1), zone) if last else 0,
        waits_days=_count(form, "coupon_waits", DAYS_MAX),
        days=_count(form, "coupon_days", DAYS_MAX),
        weekdays=tuple(day for day in WEEKDAYS if form.ticked(f"coupon_weekday{day}")),
        hours=tuple(sorted(hours, key=lambda each: each.from_minute)),
    )


def _date(form: Form, field: str) -> date | None:
    text = form.text(field, length_max=10)
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Refusal(HttpReason.FIELD_INVALID, field=field, problem="a day: 2026-11-23") from None
    if not 1970 < found.year < 2200:
        raise Refusal(HttpReason.FIELD_INVALID, field=field, problem="a day: 2026-11-23")
    return found


def _midnight_ms(day: date, zone: tzinfo) -> int:
    return instant_ns(datetime.combine(day, time(), zone)) // NS_PER_MS


def _hours(form: Form, period: int) -> list[Hours]:
    """From one time of the day to another; over midnight, the night in its two parts."""
    begins, ends = f"coupon_from{period}", f"coupon_until{period}"
    if not form.text(begins) and not form.text(ends):
        return []
    first, last = _minute(form, begins), _minute(form, ends) or _DAY_MINUTES
    if first < last:
        return [Hours(first, last)]
    return [Hours(first, _DAY_MINUTES), Hours(0, last)]


def _minute(form: Form, field: str) -> int:
    try:
        found = time.fromisoformat(form.needed(field, length_max=8))
    except ValueError:
        raise Refusal(HttpReason.FIELD_INVALID, field=field, problem="a time of the day: 07:30") from None
    return found.hour * 60 + found.minute
