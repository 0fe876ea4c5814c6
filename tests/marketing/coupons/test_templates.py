"""What coupons give, when they are good, and templates that make no sense."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.clock import NS_PER_MS, instant_ns
from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.coupon import CouponState
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.template import CodeKind, CouponKind, CouponTerms, TemplateState
from hutong.marketing.coupons.validity import Hours, Validity
from tests.marketing.coupons.stall import FIVE_OFF, ZONE, Stall, terms

WEEK = Validity(days=7)


@pytest.mark.parametrize(
    ("told", "given"),
    [
        ({"kind": "AMOUNT_OFF", "amount_off": 500, "threshold": 2_000}, {1_999: 0, 2_000: 500, 9_999: 500}),
        ({"kind": "PERCENT_OFF", "percent_off_bps": 1_000, "cap": 300}, {9: 0, 99: 9, 2_999: 299, 5_000: 300}),
        ({"kind": "PERCENT_OFF", "percent_off_bps": 1_000}, {500_001: 50_000}),
        ({"kind": "GOODS", "amount_off": 200, "item": "豆浆", "item_price": 600}, {599: 0, 600: 200, 5_000: 200}),
        ({"kind": "FREE_ITEM", "item": "油条", "item_price": 250, "threshold": 1_000}, {999: 0, 1_000: 250}),
        ({"kind": "EXCHANGE", "item": "茶叶蛋", "item_price": 300, "exchange_price": 1}, {299: 0, 300: 299}),
    ],
)
def test_what_each_kind_gives(told: dict[str, Any], given: dict[int, int]) -> None:
    found = CouponTerms(**(told | {"kind": CouponKind(told["kind"])}), validity=WEEK)
    found.check()
    assert {amount: found.gives(amount) for amount in given} == given


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"amount_off": 0}, "amount_off"),
        ({"amount_off": -1}, "amount_off"),
        ({"cap": 100}, "cap"),
        ({"item_price": 5}, "item_price"),
        ({"item": "豆浆"}, "item"),
        ({"kind": CouponKind.PERCENT_OFF, "amount_off": 0, "percent_off_bps": 10_000}, "percent_off_bps"),
        ({"kind": CouponKind.GOODS, "item": "豆浆", "item_price": 400}, "amount_off"),
        (
            {"kind": CouponKind.EXCHANGE, "amount_off": 0, "item": "蛋", "item_price": 4, "exchange_price": 4},
            "exchange_price",
        ),
        ({"validity": Validity()}, "validity.days"),
        ({"validity": Validity(until_ms=5, from_ms=5)}, "validity.until_ms"),
        ({"validity": Validity(days=1, weekdays=(8,))}, "validity.weekdays"),
        ({"validity": Validity(days=1, hours=(Hours(600, 600),))}, "validity.hours"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_their_field(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(Refusal) as refused:
        terms(**changed).check()
    assert refused.value.reason is CouponReason.COUPON_TERMS_UNSOUND
    assert refused.value.facts["field"] == field


def _at(text: str) -> int:
    return instant_ns(datetime.fromisoformat(text).replace(tzinfo=ZONE))


def test_days_after_the_claim_end_at_local_midnight() -> None:
    claimed = _at("2026-03-05T23:59")
    assert Validity(days=1).period(claimed, ZONE) == (claimed, _at("2026-03-06T00:00"))
    assert Validity(days=3, waits_days=1).period(claimed, ZONE) == (_at("2026-03-06T00:00"), _at("2026-03-09T00:00"))


def test_fixed_dates_bound_the_days() -> None:
    claimed = _at("2026-03-05T12:00")
    fixed = Validity(from_ms=_at("2026-03-10") // NS_PER_MS, until_ms=_at("2026-03-12") // NS_PER_MS)
    assert fixed.period(claimed, ZONE) == (_at("2026-03-10"), _at("2026-03-12"))
    assert not fixed.is_over(claimed)
    assert fixed.is_over(_at("2026-03-12"))
    assert fixed.is_in_vain(_at("2026-03-12"), ZONE)


def test_what_would_end_before_it_begins_is_claimed_in_vain() -> None:
    """Who claims on the last day what is good from tomorrow on would have nothing of it."""
    tomorrow = Validity(until_ms=_at("2026-03-12") // NS_PER_MS, waits_days=1)
    assert not tomorrow.is_in_vain(_at("2026-03-10T23:59"), ZONE)
    assert tomorrow.is_in_vain(_at("2026-03-11T00:00"), ZONE)


def test_seconds_count_from_when_it_begins_to_be_good_whatever_the_day() -> None:
    claimed = _at("2026-03-05T23:30")
    assert Validity(seconds=3_600).period(claimed, ZONE) == (claimed, _at("2026-03-06T00:30"))
    assert Validity(seconds=3_600, waits_days=1).period(claimed, ZONE) == (_at("2026-03-06"), _at("2026-03-06T01:00"))
    assert Validity(seconds=86_400, days=1).period(claimed, ZONE) == (claimed, _at("2026-03-06"))


@given(st.integers(0, 366 * 24 * 60))
def test_weekdays_and_hours_are_the_institutions_own(minute: int) -> None:
    breakfast = Validity(days=30, weekdays=(1, 2, 3, 4, 5), hours=(Hours(360, 570),))
    at = datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(minutes=minute)
    open_now = at.isoweekday() <= 5 and timedelta(hours=6) <= timedelta(hours=at.hour, minutes=at.minute)
    open_now = open_now and at.hour * 60 + at.minute < 570
    assert breakfast.is_hour(instant_ns(at), ZONE) == open_now


def test_the_same_template_again_is_the_same_and_another_is_named() -> None:
    stall = Stall()
    campaign = stall.campaign()
    id_ = stall.mint.mint()
    first = stall.ask(lambda: stall.templates.create(id_, campaign.id, "早餐", FIVE_OFF, 10))
    assert stall.ask(lambda: stall.templates.create(id_, campaign.id, "早餐", FIVE_OFF, 10)) is first
    facts = stall.refused(
        CouponReason.COUPON_TEMPLATE_OTHERWISE,
        lambda: stall.templates.create(id_, campaign.id, "晚餐", FIVE_OFF, 10),
    )
    assert facts["field"] == "name"


def test_a_merchant_makes_and_sees_its_own_alone() -> None:
    stall = Stall()
    campaign = stall.campaign(merchant_id=5)
    own = stall.ask(lambda: stall.templates.create(stall.mint.mint(), campaign.id, "早餐", FIVE_OFF, 10, 5))
    assert own.merchant_id == 5
    stall.refused(
        CouponReason.COUPON_CAMPAIGN_NOT_FOR_COUPONS,
        lambda: stall.templates.create(stall.mint.mint(), campaign.id, "早餐", FIVE_OFF, 10, 6),
    )
    stall.refused(CouponReason.COUPON_TEMPLATE_UNKNOWN, lambda: stall.templates.template(own.id, 6))
    assert stall.templates.templates(5) == [own]
    assert stall.templates.templates(6) == []


def test_a_campaign_of_another_kind_has_no_coupons() -> None:
    stall = Stall()
    campaign = stall.campaign(kind="DRAW")
    stall.refused(
        CouponReason.COUPON_CAMPAIGN_NOT_FOR_COUPONS,
        lambda: stall.templates.create(stall.mint.mint(), campaign.id, "早餐", FIVE_OFF, 10),
    )


def test_stock_can_change_but_not_below_what_was_claimed() -> None:
    stall = Stall()
    template = stall.template(stock=2)
    for person in (10, 20):
        stall.claim(template, person)
    stall.refused(CouponReason.COUPON_STOCK_EXHAUSTED, lambda: stall.claim(template, 30))
    stall.refused(CouponReason.COUPON_STOCK_BELOW_CLAIMED, lambda: stall.templates.restock(template.id, 1))
    stall.ask(lambda: stall.templates.restock(template.id, 3))
    stall.claim(template, 30)
    assert stall.templates.stock(template.id).claimed == 3


def test_a_paused_template_gives_none_and_what_was_claimed_stays_good() -> None:
    stall = Stall()
    template = stall.template()
    stall.claim(template, 10)
    stall.ask(lambda: stall.templates.move(template.id, TemplateState.PAUSED))
    stall.refused(CouponReason.COUPON_NOT_ON_OFFER, lambda: stall.claim(template, 20))
    (award,) = stall.pay(10)
    assert award.amount == 500
    stall.ask(lambda: stall.templates.move(template.id, TemplateState.ACTIVE))
    stall.claim(template, 20)
    stall.ask(lambda: stall.templates.move(template.id, TemplateState.ENDED))
    stall.refused(CouponReason.COUPON_NOT_ON_OFFER, lambda: stall.templates.move(template.id, TemplateState.ACTIVE))


def test_codes_are_made_again_from_the_key_and_kept_nowhere() -> None:
    stall = Stall()
    template = stall.template(terms(code=CodeKind.UNIQUE))
    batch = stall.ask(lambda: stall.templates.make_codes(stall.mint.mint(), template.id, 50, "duty"))
    codes = list(stall.templates.codes(batch))
    assert len(set(codes)) == 50
    stall.restart()
    assert list(stall.templates.codes(batch, 10, 5)) == codes[10:15]
    assert all(codes[0] not in repr(row) for rows in stall.store.rows.values() for row in rows)


def test_states_of_a_coupon_are_those_of_its_table() -> None:
    assert {state.value for state in CouponState} == {"AVAILABLE", "RESERVED", "REDEEMED"}
