"""What is left of the limits, told from the policy's own tables, and the same that a payment is refused by."""

from typing import Any

import pytest

from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import POLICIES, Institution, World, now

PLATE = "https://wei.example/q/1"
DAY_S = 86_400


def street(tier: int = 1) -> tuple[World, Institution, Person]:
    world = World("jing", "wei")
    world.register("wei", "url:https://wei.example/q/")
    wei = world["wei"]
    wei.asks(wei.merchant(), code=PLATE)
    return world, world["jing"], world["jing"].user(100_000_000, tier)


def told(jing: Institution, payer: Person) -> dict[str, tuple[int, int]]:
    usages = jing.payments.debtor.usages
    found = now(warmed(jing.journal, lambda: usages.allowances(payer, (1, 2, 3))))
    return {each.counted: (each.limit, each.used) for each in found.allowances}


def pay(jing: Institution, payer: Person, amount: int) -> None:
    jing.pay(payer, jing.order(jing.quote(payer, PLATE), amount))


def test_who_has_paid_nothing_has_used_nothing_of_the_policys_own_numbers() -> None:
    _, jing, payer = street()
    policy, _, _ = POLICIES.today(jing.node.clock.now_ns())
    static = policy.limits(Channel.STATIC_CODE, 1, verified=True)
    with_pin = policy.limits(Channel.DYNAMIC_CODE, 1, verified=True)
    without = policy.limits(Channel.DYNAMIC_CODE, 1, verified=False)
    assert told(jing, payer) == {
        "year": (static.annual, 0),
        "static": (static.daily, 0),
        "unverified": (without.daily, 0),
        "verified": (with_pin.daily, 0),
    }


def test_what_was_paid_counts_today_and_this_year_and_tomorrow_only_this_year() -> None:
    world, jing, payer = street()
    pay(jing, payer, 12_300)
    before = told(jing, payer)
    assert (before["year"][1], before["static"][1], before["verified"][1]) == (12_300, 12_300, 0)
    world.tick(DAY_S)
    after = told(jing, payer)
    assert (after["year"][1], after["static"][1]) == (12_300, 0)
    world.restart("jing")
    assert told(world["jing"], payer) == after


def test_what_is_left_can_be_paid_and_one_fen_more_can_not() -> None:
    _, jing, payer = street()
    pay(jing, payer, 12_300)
    limit, used = told(jing, payer)["static"]
    usage = jing.payments.debtor.usages.of(payer.id, payer.wallet_account)
    policy, _, _ = POLICIES.today(jing.node.clock.now_ns())
    with pytest.raises(Refusal) as no:
        usage.check(policy.limits(Channel.STATIC_CODE, 1, verified=True), limit - used + 1)
    assert no.value.reason is PaymentReason.DAILY_LIMIT_EXCEEDED
    usage.check(policy.limits(Channel.STATIC_CODE, 1, verified=True), limit - used)


def test_a_higher_tier_allows_what_the_policy_says_of_it() -> None:
    _, jing, payer = street(tier=2)
    usages = jing.payments.debtor.usages
    found: Any = now(warmed(jing.journal, lambda: usages.allowances(payer, (1, 2, 3))))
    assert [tier.tier for tier in found.tiers] == [1, 2, 3]
    annual = [tier.annual for tier in found.tiers]
    assert annual == sorted(annual)
    assert dict.fromkeys(annual).keys() == set(annual), "each tier allows something else"
    assert next(each.limit for each in found.allowances if each.counted == "year") == annual[1]
    assert {each.channel: each.amount for each in found.pin_free}["WTHDRW"] == 0
