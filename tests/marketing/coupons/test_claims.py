"""Who gets a coupon, how often, and by which code; and that a restart changes nothing of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.claim_service import Claimant
from hutong.marketing.coupons.code import Codes
from hutong.marketing.coupons.coupon import Coupon
from hutong.marketing.coupons.guesses import PER_PERSON
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.template import ClaimLimits, CodeKind, CouponTemplate
from hutong.marketing.coupons.validity import Validity
from tests.marketing.coupons.stall import KEY, ZONE, Stall, terms

DAY = 86_400


def test_the_same_claim_again_is_the_same_coupon() -> None:
    stall = Stall()
    template = stall.template()
    claim_id, who = stall.mint.mint(), Claimant(10, 11)
    first = stall.ask(lambda: stall.claims.claim(claim_id, template.id, who))
    assert stall.ask(lambda: stall.claims.claim(claim_id, template.id, who)) is first
    stall.restart()
    assert stall.ask(lambda: stall.claims.claim(claim_id, template.id, who)) == first
    assert stall.templates.stock(template.id).claimed == 1


def test_the_same_id_for_another_claim_is_refused_by_its_field() -> None:
    stall = Stall()
    template, other = stall.template(), stall.template()
    claim_id = stall.claim(template, 10).id
    for template_id, person_id, field in ((template.id, 20, "coupon_id"), (other.id, 10, "template_id")):
        facts = stall.refused(
            CouponReason.COUPON_CLAIM_OTHERWISE,
            lambda template_id=template_id, person_id=person_id: stall.claims.claim(  # type: ignore[misc]
                claim_id, template_id, Claimant(person_id, 11)
            ),
        )
        assert facts["field"] == field


@pytest.mark.parametrize("restarted", [False, True])
def test_limits_count_per_person_device_and_day(*, restarted: bool) -> None:
    stall = Stall()
    limits = ClaimLimits(per_person=3, per_person_day=2, per_device=4, per_day=5)
    template = stall.template(terms(limits=limits))

    def claim(person_id: int, device_id: int) -> str:
        if restarted:
            stall.restart()
        try:
            stall.claim(template, person_id, device_id)
        except Refusal as refusal:
            return str(refusal.facts["of"])
        return "got"

    assert [claim(10, 1), claim(10, 1), claim(10, 1)] == ["got", "got", "person"]
    assert [claim(20, 1), claim(20, 1), claim(30, 1)] == ["got", "got", "device"]
    assert [claim(30, 2), claim(40, 3)] == ["got", "day"]
    stall.clock.advance(seconds=DAY)
    assert [claim(10, 4), claim(10, 4)] == ["got", "person"]
    assert claim(40, 3) == "got"


@pytest.mark.parametrize("restarted", [False, True])
def test_the_last_coupon_is_had_once(*, restarted: bool) -> None:
    stall = Stall()
    template = stall.template(stock=1)
    stall.claim(template, 10)
    if restarted:
        stall.restart()
    for person in (20, 30):
        stall.refused(CouponReason.COUPON_STOCK_EXHAUSTED, lambda person=person: stall.claim(template, person))  # type: ignore[misc]


def test_a_claim_that_was_lost_in_a_crash_is_not_counted() -> None:
    stall = Stall(immediate=False)
    template = stall.template(stock=1)
    stall.journal.flush()
    stall.claim(template, 10)
    stall.restart()
    assert stall.templates.stock(template.id).claimed == 0
    stall.claim(template, 20)


def test_a_clock_that_is_put_back_begins_no_earlier_day() -> None:
    stall = Stall()
    template = stall.template(terms(limits=ClaimLimits(per_day=1)))
    early = stall.mint.mint()
    stall.clock.advance(seconds=DAY)
    stall.claim(template, 10)
    stall.clock.ns -= DAY * 10**9
    stall.refused(CouponReason.COUPON_LIMIT_REACHED, lambda: stall.claims.claim(early, template.id, Claimant(20, 21)))


def test_nobody_claims_where_the_campaign_does_not_run_or_holds_him_out() -> None:
    stall = Stall()
    template = stall.template()
    stall.campaigns.held_out.add(10)
    stall.refused(CouponReason.COUPON_NOT_ON_OFFER, lambda: stall.claim(template, 10))
    assert stall.ask(lambda: stall.claims.on_offer(10)) == []
    assert stall.ask(lambda: stall.claims.on_offer(20)) == [template]
    stall.campaigns.all[template.campaign_id].running = False
    stall.refused(CouponReason.COUPON_NOT_ON_OFFER, lambda: stall.claim(template, 20))
    assert stall.ask(lambda: stall.claims.on_offer(20)) == []


def test_nobody_claims_what_would_end_before_it_begins() -> None:
    """Good from tomorrow on, and until tonight: who took it would have nothing of it, and the stock one less."""
    stall = Stall()
    begins, _ = Validity(days=1, waits_days=3).period(stall.clock.now_ns(), ZONE)  # A midnight.
    template = stall.template(terms(validity=Validity(until_ms=begins // 10**6, waits_days=1)))
    assert stall.ask(lambda: stall.claims.on_offer(10)) == [template]
    stall.clock.advance(seconds=2 * DAY)
    stall.refused(CouponReason.COUPON_NOT_ON_OFFER, lambda: stall.claim(template, 10))
    assert stall.ask(lambda: stall.claims.on_offer(10)) == []


# Codes.


def _unique(stall: Stall, count: int = 20) -> tuple[CouponTemplate, list[str]]:
    template = stall.template(terms(code=CodeKind.UNIQUE, limits=ClaimLimits(per_person=0, per_device=0)))
    batch = stall.ask(lambda: stall.templates.make_codes(stall.mint.mint(), template.id, count, "duty"))
    return template, list(stall.templates.codes(batch))


def _by_code(stall: Stall, code: str, person_id: int = 10, claim_id: int = 0) -> Coupon:
    id_ = claim_id or stall.mint.mint()
    return stall.ask(lambda: stall.claims.claim_by_code(id_, code, Claimant(person_id, person_id + 1)))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_unique_code_leads_to_one_coupon(*, restarted: bool) -> None:
    stall = Stall()
    _, codes = _unique(stall)
    claim_id = stall.mint.mint()
    coupon = _by_code(stall, codes[0], claim_id=claim_id)
    if restarted:
        stall.restart()
    assert _by_code(stall, codes[0].lower().replace("-", " "), claim_id=claim_id) == coupon
    stall.refused(CouponReason.COUPON_CODE_USED, lambda: _by_code(stall, codes[0], 20))
    facts = stall.refused(CouponReason.COUPON_CLAIM_OTHERWISE, lambda: _by_code(stall, codes[1], claim_id=claim_id))
    assert facts["field"] == "code"
    assert _by_code(stall, codes[1]).id != coupon.id


def test_a_shared_code_is_for_many_each_within_the_limits() -> None:
    stall = Stall()
    template = stall.template(terms(code=CodeKind.SHARED), stock=2)
    batch = stall.ask(lambda: stall.templates.make_codes(stall.mint.mint(), template.id, 1, "duty"))
    (code,) = stall.templates.codes(batch)
    _by_code(stall, code, 10)
    stall.refused(CouponReason.COUPON_LIMIT_REACHED, lambda: _by_code(stall, code, 10))
    _by_code(stall, code, 20)
    stall.refused(CouponReason.COUPON_STOCK_EXHAUSTED, lambda: _by_code(stall, code, 30))


def test_what_needs_a_code_is_not_had_by_a_tap() -> None:
    stall = Stall()
    template, _ = _unique(stall)
    stall.refused(CouponReason.COUPON_NEEDS_CODE, lambda: stall.claim(template, 10))
    assert stall.ask(lambda: stall.claims.on_offer(10)) == []
    plain = stall.template()
    stall.refused(
        CouponReason.COUPON_TAKES_NO_CODES,
        lambda: stall.templates.make_codes(stall.mint.mint(), plain.id, 1, "duty"),
    )


@given(st.integers(0, 65_535), st.integers(0, 2**20 - 1))
def test_every_code_reads_back(series: int, number: int) -> None:
    codes = Codes(KEY)
    text = codes.code(series, number)
    assert codes.read(text.translate(str.maketrans("01", "Ol"))) == (series, number)


@given(st.integers(0, 1_000), st.integers(0, 15), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_letter_makes_another_code_of_none(number: int, place: int, letter: str) -> None:
    codes = Codes(KEY)
    letters = codes.code(3, number).replace("-", "")
    wrong = letters[:place] + letter + letters[place + 1 :]
    if wrong != letters:
        with pytest.raises(Refusal) as refused:
            codes.read(wrong)
        assert refused.value.reason is CouponReason.COUPON_CODE_WRONG


def test_another_nodes_codes_are_wrong_here() -> None:
    with pytest.raises(Refusal):
        Codes(KEY).read(Codes(KEY + b"2").code(0, 0))


# Attacks.


def test_attack_guessing_codes_ends_after_ten_wrong_ones() -> None:
    stall = Stall()
    _, codes = _unique(stall)
    for _ in range(PER_PERSON.burst):
        stall.refused(CouponReason.COUPON_CODE_WRONG, lambda: _by_code(stall, "0000-0000-0000-0000"))
    facts = stall.refused(CouponReason.COUPON_GUESSES_EXHAUSTED, lambda: _by_code(stall, codes[0]))
    assert facts["of"] == "person"
    _by_code(stall, codes[0], 20)  # Nobody else is locked out by it.
    stall.clock.advance(seconds=facts["retry_after_s"])
    _by_code(stall, codes[1])


def test_attack_guessing_with_many_accounts_ends_for_the_node() -> None:
    stall = Stall()
    _unique(stall)
    whose = set()
    for person in range(1_000, 1_300):
        for _ in range(PER_PERSON.burst):
            with pytest.raises(Refusal) as refused:
                _by_code(stall, "ZZZZ-ZZZZ-ZZZZ-ZZZZ", person)
            if refused.value.reason is CouponReason.COUPON_GUESSES_EXHAUSTED:
                whose.add(refused.value.facts["of"])
    assert whose == {"node"}


def test_attack_a_code_of_a_number_that_was_never_made_is_a_wrong_guess() -> None:
    stall = Stall()
    _unique(stall, 20)
    codes = Codes(KEY)
    for code in (codes.code(0, 20), codes.code(1, 0)):
        stall.refused(CouponReason.COUPON_CODE_WRONG, lambda code=code: _by_code(stall, code))  # type: ignore[misc]


def test_attack_bulk_claims_from_one_phone_with_many_accounts_end_at_the_device() -> None:
    stall = Stall()
    template = stall.template(terms(limits=ClaimLimits(per_person=1, per_device=2)))
    for person in (100, 101):
        stall.claim(template, person, device_id=9)
    for person in range(102, 150):
        facts = stall.refused(
            CouponReason.COUPON_LIMIT_REACHED,
            lambda person=person: stall.claim(template, person, device_id=9),  # type: ignore[misc]
        )
        assert facts == {"of": "device", "limit": 2}


# Giving.


def test_a_coupon_is_given_once_and_no_further() -> None:
    stall = Stall()
    coupon = stall.claim(stall.template(terms(transferable=True)), 10)
    given = stall.ask(lambda: stall.claims.give(coupon.id, 10, 20))
    assert given.person_id == 20
    assert stall.ask(lambda: stall.claims.give(coupon.id, 10, 20)) == given
    stall.refused(CouponReason.COUPON_GIVEN_ALREADY, lambda: stall.claims.give(coupon.id, 10, 30))
    stall.refused(CouponReason.COUPON_GIVEN_ALREADY, lambda: stall.claims.give(coupon.id, 20, 30))
    stall.refused(CouponReason.COUPON_UNKNOWN, lambda: stall.claims.give(coupon.id, 30, 40))
    assert stall.told.news == [(20, "coupon.received")]
    assert stall.pay(10) == []
    (award,) = stall.pay(20)
    assert award.source_id == coupon.id


def test_what_is_not_transferable_stays() -> None:
    stall = Stall()
    coupon = stall.claim(stall.template(), 10)
    stall.refused(CouponReason.COUPON_NOT_TRANSFERABLE, lambda: stall.claims.give(coupon.id, 10, 20))
    mine = stall.claim(stall.template(terms(transferable=True)), 10)
    stall.refused(CouponReason.COUPON_GIVEN_TO_ONESELF, lambda: stall.claims.give(mine.id, 10, 10))


def test_attack_friends_claims_are_not_collected_in_one_hand() -> None:
    stall = Stall()
    template = stall.template(terms(transferable=True))
    stall.claim(template, 10)
    friends = stall.claim(template, 20)
    facts = stall.refused(CouponReason.COUPON_LIMIT_REACHED, lambda: stall.claims.give(friends.id, 20, 10))
    assert facts == {"of": "person", "limit": 1}


def test_a_giver_claims_no_other_in_its_place() -> None:
    stall = Stall()
    template = stall.template(terms(transferable=True))
    coupon = stall.claim(template, 10)
    stall.ask(lambda: stall.claims.give(coupon.id, 10, 20))
    stall.refused(CouponReason.COUPON_LIMIT_REACHED, lambda: stall.claim(template, 10))


def test_a_sent_coupon_needs_no_code_and_its_person_hears_of_it() -> None:
    stall = Stall()
    template, _ = _unique(stall)
    claim_id = stall.mint.mint()
    sent = stall.ask(lambda: stall.claims.send(claim_id, template.id, 10))
    assert stall.ask(lambda: stall.claims.send(claim_id, template.id, 10)) == sent
    assert stall.told.news == [(10, "coupon.received")]
    stall.refused(
        CouponReason.COUPON_TEMPLATE_UNKNOWN, lambda: stall.claims.send(stall.mint.mint(), template.id, 10, 77)
    )
