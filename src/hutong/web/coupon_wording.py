"""Coupons in the words of whoever makes them: what may be chosen, and what one promises."""

from datetime import tzinfo

from hutong.kernel.clock import NS_PER_MS
from hutong.marketing.coupons.template import ClaimLimits, CodeKind, CouponKind, CouponTerms, OnRefund, Stacking
from hutong.marketing.coupons.validity import Validity
from hutong.web.language import Words, phrase

GOOD_TIME = "yyyy-MM-dd HH:mm ZZZZZ"  # Of coupons: with the zone, since who holds one may be elsewhere.
WEEKDAYS = {
    1: phrase("Monday"),
    2: phrase("Tuesday"),
    3: phrase("Wednesday"),
    4: phrase("Thursday"),
    5: phrase("Friday"),
    6: phrase("Saturday"),
    7: phrase("Sunday"),
}
COUPON_KINDS = {
    CouponKind.AMOUNT_OFF.value: phrase("An amount off"),
    CouponKind.PERCENT_OFF.value: phrase("A part of the price off"),
    CouponKind.GOODS.value: phrase("An amount off one thing"),
    CouponKind.FREE_ITEM.value: phrase("One thing for free"),
    CouponKind.EXCHANGE.value: phrase("One thing for a small price"),
}
CODE_KINDS = {
    CodeKind.NONE.value: phrase("By a tap, whoever sees it"),
    CodeKind.UNIQUE.value: phrase("By a code, each good once"),
    CodeKind.SHARED.value: phrase("By one code that many type"),
}
AFTER_REFUND = {
    OnRefund.PERSON.value: phrase("The person has it again, while it is good"),
    OnRefund.BUDGET.value: phrase("It stays spent"),
}


def promised(_: Words, terms: CouponTerms, zone: tzinfo) -> list[tuple[str, str]]:
    """Everything of the terms that what it gives does not say already: a name and what it is. `zone`: of whose coupon it is."""
    item = _("%(item)s, usually %(price)s", item=terms.item, price=_.money(terms.item_price)) if terms.item else ""
    found = [
        (_("Kind"), _(COUPON_KINDS[terms.kind.value])),
        (_("What it is for"), item),
        (_("When it is good"), _days(_, terms.validity, zone)),
        (_("Days of the week"), " ".join(_(WEEKDAYS[day]) for day in sorted(terms.validity.weekdays))),
        (_("Who may claim"), _limits(_, terms.limits)),
        (_("Beside others"), _beside(_, terms.stacking)),
        (_("May be given away, once"), _("Yes") if terms.transferable else _("No")),
        (_("When the whole payment is refunded"), _(AFTER_REFUND[terms.on_refund.value])),
    ]
    return [(name, text) for name, text in found if text]


def _days(_: Words, validity: Validity, zone: tzinfo) -> str:
    parts = [
        _("%(count)s %(count:day|days)s from the claim on", count=validity.days) if validity.days else "",
        _span(_, validity.seconds),
        _("%(count)s %(count:day|days)s after the claim", count=validity.waits_days) if validity.waits_days else "",
        _("from %(time)s", time=_.time(validity.from_ms * NS_PER_MS, zone, GOOD_TIME)) if validity.from_ms else "",
        _("until %(day)s", day=_.time(validity.until_ms * NS_PER_MS - 1, zone, GOOD_TIME)) if validity.until_ms else "",
    ]
    return " · ".join(filter(None, parts))


def _span(_: Words, seconds: int) -> str:
    """So long, in the greatest unit that says it exactly."""
    if not seconds:
        return ""
    if seconds % 3_600 == 0:
        return _("%(count)s h from the claim on", count=seconds // 3_600)
    if seconds % 60 == 0:
        return _("%(count)s min from the claim on", count=seconds // 60)
    return _("%(count)s s from the claim on", count=seconds)


def _limits(_: Words, limits: ClaimLimits) -> str:
    parts = [
        (limits.per_person, _("%(count)s a person", count=limits.per_person)),
        (limits.per_person_day, _("%(count)s a person and day", count=limits.per_person_day)),
        (limits.per_device, _("%(count)s a phone", count=limits.per_device)),
        (limits.per_day, _("%(count)s a day in all", count=limits.per_day)),
    ]
    return " · ".join(text for most, text in parts if most)


def _beside(_: Words, stacking: Stacking) -> str:
    parts = [
        _("Stands alone") if stacking.exclusive else "",
        _("One of the group %(group)s", group=stacking.group) if stacking.group else "",
        _("Priority %(number)s", number=stacking.priority) if stacking.priority else "",
    ]
    return " · ".join(filter(None, parts))
