"""What becomes of coupons with a payment and its refunds, and what they are refused for."""

from typing import Any

import pytest

from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.coupon import CouponState
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.template import ClaimLimits, OnRefund, Stacking
from hutong.marketing.coupons.validity import Hours, Validity
from tests.marketing.coupons.stall import Stall, terms


def test_a_coupon_goes_with_its_payment() -> None:
    stall = Stall()
    coupon = stall.claim(stall.template(), 10)
    awards = stall.pay(10)
    assert [award.amount for award in awards] == [500]
    assert stall.coupon(coupon).state == CouponState.RESERVED
    assert stall.pay(10) == []
    stall.then(stall.redemptions.released, awards)
    assert stall.coupon(coupon).state == CouponState.AVAILABLE
    awards = stall.pay(10)
    stall.then(stall.redemptions.committed, awards)
    stall.then(stall.redemptions.committed, awards)
    assert stall.coupon(coupon).state == CouponState.REDEEMED
    assert stall.pay(10) == []


def test_a_restart_between_any_two_steps_changes_nothing() -> None:
    stall = Stall()
    coupon = stall.claim(stall.template(), 10)
    stall.restart()
    awards = stall.pay(10)
    stall.restart()
    assert stall.pay(10) == []
    stall.then(stall.redemptions.committed, awards)
    stall.restart()
    stall.returned(awards[0], 500, 0)
    stall.restart()
    back = stall.coupon(coupon)
    assert (back.state, back.returns) == (CouponState.AVAILABLE, 1)


@pytest.mark.parametrize(
    ("policy", "left", "state"),
    [
        (OnRefund.PERSON, 0, CouponState.AVAILABLE),
        (OnRefund.PERSON, 1, CouponState.REDEEMED),
        (OnRefund.BUDGET, 0, CouponState.REDEEMED),
    ],
)
def test_a_refund_of_the_whole_brings_it_back_where_its_terms_say_so(
    policy: OnRefund, left: int, state: CouponState
) -> None:
    stall = Stall()
    coupon = stall.claim(stall.template(terms(on_refund=policy)), 10)
    awards = stall.pay(10)
    stall.then(stall.redemptions.committed, awards)
    stall.returned(awards[0], 500 - left, left)
    stall.returned(awards[0], 500 - left, left)
    assert stall.coupon(coupon).state == state


def test_attack_an_old_payments_refund_does_not_free_a_coupon_that_pays_another() -> None:
    stall = Stall()
    coupon = stall.claim(stall.template(), 10)
    first = stall.pay(10)
    stall.then(stall.redemptions.committed, first)
    stall.returned(first[0], 500, 0)
    second = stall.pay(10)
    stall.then(stall.redemptions.committed, second)
    stall.returned(first[0], 500, 0)
    stall.then(stall.redemptions.released, first)
    assert stall.coupon(coupon).state == CouponState.REDEEMED


def test_attack_refunding_late_does_not_bring_back_what_has_expired() -> None:
    stall = Stall()
    coupon = stall.claim(stall.template(terms(validity=Validity(days=1))), 10)
    awards = stall.pay(10)
    stall.then(stall.redemptions.committed, awards)
    stall.clock.advance(seconds=86_400)
    stall.returned(awards[0], 500, 0)
    assert stall.coupon(coupon).state == CouponState.REDEEMED
    assert stall.pay(10) == []


def test_two_of_one_template_do_not_go_together_and_two_of_two_do() -> None:
    stall = Stall()
    many = terms(limits=ClaimLimits(per_person=2, per_device=2))
    template = stall.template(many)
    stall.claim(template, 10)
    stall.claim(template, 10)
    assert [award.amount for award in stall.pay(10, 5_000)] == [500]
    stall.claim(stall.template(terms(amount_off=300)), 10)
    assert sorted(award.amount for award in stall.pay(10, 5_000)) == [300, 500]


def test_an_exclusive_coupon_stands_alone() -> None:
    stall = Stall()
    stall.claim(stall.template(terms(amount_off=700, stacking=Stacking(exclusive=True))), 10)
    stall.claim(stall.template(terms(amount_off=300)), 10)
    assert [award.amount for award in stall.pay(10)] == [700]


def test_the_payer_chooses_or_none() -> None:
    stall = Stall()
    large = stall.claim(stall.template(terms(amount_off=700)), 10)
    small = stall.claim(stall.template(terms(amount_off=300)), 10)
    assert stall.pay(10, chosen=()) == []
    (award,) = stall.pay(10, chosen=(small.id,))
    assert award.source_id == small.id
    (award,) = stall.pay(10)
    assert award.source_id == large.id


def test_attack_anothers_coupon_is_of_no_use() -> None:
    stall = Stall()
    coupon = stall.claim(stall.template(), 10)
    assert stall.pay(20, chosen=(coupon.id,)) == []
    stall.refused(CouponReason.COUPON_UNKNOWN, lambda: stall.redemptions.validate(coupon.id, stall.occasion(20)))


def test_of_two_alike_the_soonest_to_end_is_spent() -> None:
    stall = Stall()
    template = stall.template(terms(limits=ClaimLimits(per_person=2, per_device=2)))
    first = stall.claim(template, 10)
    stall.clock.advance(seconds=86_400)
    stall.claim(template, 10)
    (award,) = stall.pay(10)
    assert award.source_id == first.id


BREAKFAST = Validity(days=7, hours=(Hours(360, 570),))  # The tests' day begins at eight o'clock in Shanghai.


@pytest.mark.parametrize(
    ("changed", "occasion", "later_s", "reason"),
    [
        ({}, {"amount": 1_999}, 0, CouponReason.COUPON_BELOW_THRESHOLD),
        ({}, {}, 7 * 86_400, CouponReason.COUPON_EXPIRED),
        ({"validity": Validity(days=7, waits_days=1)}, {}, 0, CouponReason.COUPON_NOT_YET_VALID),
        ({"validity": BREAKFAST}, {}, 5_400, CouponReason.COUPON_NOT_AT_THIS_HOUR),
        ({"merchant": 5}, {"merchant_id": 6}, 0, CouponReason.COUPON_NOT_HERE),
    ],
)
def test_why_a_coupon_cannot_be_used_is_told_by_name(
    changed: dict[str, Any], occasion: dict[str, Any], later_s: int, reason: CouponReason
) -> None:
    stall = Stall()
    merchant_id = changed.pop("merchant", 0) if "merchant" in changed else 0
    coupon = stall.claim(stall.template(terms(**changed), merchant_id=merchant_id), 10)
    stall.clock.advance(seconds=later_s)
    with pytest.raises(Refusal) as refused:
        stall.ask(lambda: stall.redemptions.validate(coupon.id, stall.occasion(10, **occasion)))
    assert refused.value.reason is reason
    assert stall.pay(10, **occasion) == []


def test_what_validates_is_what_is_given() -> None:
    stall = Stall()
    coupon = stall.claim(stall.template(terms(validity=BREAKFAST), merchant_id=5), 10)
    benefit = stall.ask(lambda: stall.redemptions.validate(coupon.id, stall.occasion(10, merchant_id=5)))
    assert [award.amount for award in stall.pay(10, merchant_id=5)] == [benefit.amount] == [500]
    stall.refused(
        CouponReason.COUPON_SPENT,
        lambda: stall.redemptions.validate(coupon.id, stall.occasion(10, merchant_id=5)),
    )
