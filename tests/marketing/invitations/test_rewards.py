"""From a link to the reward: each friend once, to one inviter, by the table, behind a hold."""

from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest

from hutong.kernel.errors import Refusal
from hutong.marketing.invitations.reasons import InvitationReason
from hutong.marketing.invitations.referral import ReferralState
from hutong.runtime.node import run_now
from tests.marketing.invitations.village import DAY_S, HOLD_S, VillageWorld


def test_a_friend_who_pays_a_merchant_brings_the_inviter_a_reward_behind_a_hold() -> None:
    world = VillageWorld()
    jing = world.jing
    ming = jing.person()
    friend = jing.person(jing.invite(ming))
    before = jing.balance(ming.wallet_account)
    jing.pays(friend, jing.shop())
    assert jing.of(friend).state == ReferralState.HELD
    assert jing.balance(ming.wallet_account) == before
    world.wait(HOLD_S - 60)
    assert jing.of(friend).state == ReferralState.HELD
    world.wait(120)
    referral = jing.of(friend)
    assert (referral.state, referral.reward, referral.score) == (ReferralState.PAID, 800, 0)
    assert jing.balance(ming.wallet_account) == before + 800
    assert [news for whom, news, _ in jing.neighbours.said if whom == ming.id and news.startswith("invitation")] == [
        "invitation.joined",
        "invitation.held",
        "invitation.paid",
    ]
    jing.pays(friend, jing.shop())
    world.wait()
    assert jing.rewarded(ming) == 800


def test_the_sum_follows_the_step_table_up_to_its_end() -> None:
    world = VillageWorld()
    jing = world.jing
    ming = jing.person()
    invitation, sums = jing.invite(ming), []
    for _ in range(14):
        world.tick(DAY_S)
        jing.pays(jing.person(invitation), jing.shop())
        world.wait()
        sums.append(jing.rewarded(ming))
    assert sums == [800, 1800, 3000, 3000, 6600, 6600, 6600, 13800, 13800, 13800, 13800, 28800, 28800, 28800]
    reasons = [each.reason for each in jing.invitations.referrals(ming.id)]
    assert reasons[-2:] == [InvitationReason.STEPS_EXHAUSTED.name] * 2


@pytest.mark.parametrize(
    ("amount", "why"),
    [(499, "too little"), (500, "")],
)
def test_a_payment_qualifies_from_the_least_amount_on(amount: int, why: str) -> None:
    world = VillageWorld()
    jing = world.jing
    friend = jing.person(jing.invite(jing.person()))
    jing.pays(friend, jing.shop(), amount)
    assert (jing.of(friend).state == ReferralState.JOINED) is bool(why)


def test_who_is_not_known_well_enough_or_has_no_account_at_a_bank_does_not_qualify_yet() -> None:
    world = VillageWorld()
    jing = world.jing
    invitation, shop = jing.invite(jing.person()), jing.shop()
    unknown, unlinked = jing.person(invitation, tier=1), jing.person(invitation, bank="")
    for friend in (unknown, unlinked):
        jing.pays(friend, shop)
        assert jing.of(friend).state == ReferralState.JOINED
    jing.link(unlinked, "mine")
    jing.pays(unlinked, shop)
    assert jing.of(unlinked).state == ReferralState.HELD


def test_neither_the_inviters_nor_the_friends_own_shop_nor_a_person_qualifies() -> None:
    world = VillageWorld()
    jing = world.jing
    ming = jing.person()
    friend = jing.person(jing.invite(ming))
    for payee in (jing.shop(ming), jing.shop(friend), jing.person()):
        jing.pays(friend, payee)
        assert jing.of(friend).state == ReferralState.JOINED
    jing.pays(friend, jing.shop())
    assert jing.of(friend).state == ReferralState.HELD


def test_a_refund_within_the_hold_refuses_the_reward_and_the_budget_has_it_again() -> None:
    world = VillageWorld()
    jing = world.jing
    ming = jing.person()
    friend = jing.person(jing.invite(ming))
    payment = jing.pays(friend, jing.shop())
    assert jing.spent == 800
    jing.gives_back(payment, 400)
    assert jing.of(friend).state == ReferralState.HELD, "what is left is still enough"
    jing.gives_back(payment, 400)
    assert jing.of(friend).reason == InvitationReason.QUALIFYING_PAYMENT_REFUNDED.name
    assert jing.spent == 0
    world.wait()
    assert jing.rewarded(ming) == 0


@pytest.mark.parametrize("covered", [True, False])
def test_a_refund_that_is_under_way_at_the_end_of_the_hold_is_waited_for(covered: bool) -> None:
    """It may come to nothing: then the reward is paid, and was not refused for it."""
    world = VillageWorld()
    jing = world.jing
    me, shop = jing.person(), jing.shop()
    friend = jing.person(jing.invite(me))
    payment = jing.pays(friend, shop)
    if not covered:
        jing.pay_out(shop.account, jing.balance(shop.account))
    world.flush()
    world.restart("jing")
    waiting: list[Coroutine[Any, Any, None]] = []
    jing.ledger._spawn = waiting.append  # The ledger's look-ups are not answered.
    jing.gives_back(payment)
    world.wait()
    assert waiting
    assert jing.of(friend).state == ReferralState.HELD
    while waiting:
        run_now(waiting.pop(0))
    jing.ledger._spawn = run_now
    world.wait()
    expected = (ReferralState.REFUSED, 0) if covered else (ReferralState.PAID, 800)
    assert (jing.of(friend).state, jing.rewarded(me)) == expected


def test_a_refund_whose_news_a_crash_lost_is_found_at_the_end_of_the_hold() -> None:
    world = VillageWorld()
    jing = world.jing
    friend = jing.person(jing.invite(jing.person()))
    payment = jing.pays(friend, jing.shop())
    jing.payments.refunds.on_given_back.clear()
    jing.gives_back(payment)
    assert jing.of(friend).state == ReferralState.HELD
    world.wait()
    assert jing.of(friend).reason == InvitationReason.QUALIFYING_PAYMENT_REFUNDED.name


def test_a_payment_whose_news_a_crash_lost_is_found_at_the_start() -> None:
    world = VillageWorld()
    jing = world.jing
    friend = jing.person(jing.invite(jing.person()))
    jing.payments.debtor.on_completed.clear()
    jing.pays(friend, jing.shop())
    assert jing.of(friend).state == ReferralState.JOINED
    world.restart("jing")
    assert jing.of(friend).state == ReferralState.HELD
    world.restart("jing")
    world.wait()
    assert jing.of(friend).state == ReferralState.PAID


def test_a_friend_who_waits_too_long_brings_nothing() -> None:
    world = VillageWorld()
    jing = world.jing
    friend = jing.person(jing.invite(jing.person()))
    world.wait(30 * DAY_S + 1)
    assert friend.id not in jing.register.expected
    jing.pays(friend, jing.shop())
    assert jing.of(friend).state_at(world.clock.now_ns()) is ReferralState.LAPSED


def test_a_budget_without_room_lets_a_reward_wait_until_there_is_or_the_campaign_ends() -> None:
    world = VillageWorld(budget=800)
    jing = world.jing
    invitation = jing.invite(jing.person())
    other = jing.invite(jing.person())
    shop = jing.shop()
    first, second, third = jing.person(invitation), jing.person(other), jing.person(other)
    payment = jing.pays(first, shop)
    jing.pays(second, shop)
    assert jing.of(second).state == ReferralState.WAITING
    jing.gives_back(payment)
    world.wait(3601)
    assert jing.of(second).state == ReferralState.HELD
    jing.pays(third, shop)
    jing.do(lambda: jing.marketing.campaigns.end(world.campaign_id))
    world.wait(3601)
    assert jing.of(third).reason == InvitationReason.REWARD_BUDGET_SPENT.name
    assert jing.spent <= 800


def test_the_first_who_is_named_is_the_inviter() -> None:
    world = VillageWorld()
    jing = world.jing
    one, two = jing.person(), jing.person()
    friend = jing.person(jing.invite(one))
    code = jing.invite(two).code
    with pytest.raises(Refusal, match="INVITED_BY_ANOTHER"):
        jing.does(lambda: jing.invitations.accept(friend.id, code, ""))
    assert jing.of(friend).inviter_id == one.id
    again = jing.invite(one).code
    assert jing.does(lambda: jing.invitations.accept(friend.id, again, "")) == jing.of(friend)


def test_a_code_is_good_for_some_days_and_before_the_first_payment() -> None:
    world = VillageWorld()
    jing = world.jing
    invitation = jing.invite(jing.person())
    friend, late, payer = jing.person(), jing.person(), jing.person()
    link = invitation.link("https://jing.example")
    assert jing.does(lambda: jing.invitations.accept(friend.id, link.lower(), "")).friend_id == friend.id
    jing.pays(payer, jing.shop(), 1)
    with pytest.raises(Refusal, match="NOT_NEW_HERE"):
        jing.does(lambda: jing.invitations.accept(payer.id, invitation.code, ""))
    world.tick(7 * DAY_S)
    with pytest.raises(Refusal, match="NOT_NEW_HERE: days=7"):
        jing.does(lambda: jing.invitations.accept(late.id, invitation.code, ""))


def test_nobody_is_their_own_inviter_however_many_stand_between() -> None:
    world = VillageWorld()
    jing = world.jing
    one, two, three = (jing.person() for _ in range(3))
    codes = [jing.invite(each).code for each in (one, two, three)]
    with pytest.raises(Refusal, match="INVITATION_OWN"):
        jing.does(lambda: jing.invitations.accept(one.id, codes[0], ""))
    jing.does(lambda: jing.invitations.accept(two.id, codes[0], ""))
    jing.does(lambda: jing.invitations.accept(three.id, codes[1], ""))
    for code in codes[1:]:
        with pytest.raises(Refusal, match="NOT_NEW_HERE"):
            jing.does(lambda code=code: jing.invitations.accept(one.id, code, ""))


def test_an_unknown_code_or_one_of_a_campaign_that_rests_leads_nowhere() -> None:
    world = VillageWorld()
    jing = world.jing
    friend, invitation = jing.person(), jing.invite(jing.person())
    for code in ("", "0" * 10, "x", "0" * 11):
        with pytest.raises(Refusal, match="INVITATION_UNKNOWN"):
            jing.does(lambda code=code: jing.invitations.accept(friend.id, code, ""))
    jing.do(lambda: jing.marketing.campaigns.pause(world.campaign_id))
    with pytest.raises(Refusal, match="CAMPAIGN_NOT_FOR_INVITING"):
        jing.does(lambda: jing.invitations.accept(friend.id, invitation.code, ""))


def test_what_was_promised_when_a_friend_joined_holds_for_this_friend() -> None:
    world = VillageWorld()
    jing = world.jing
    friend = jing.person(jing.invite(jing.person()))
    campaigns = jing.marketing.campaigns
    told = campaigns.campaign(world.campaign_id).told
    terms = msgspec.structs.replace(told, more={"steps": [{"friends": 1, "total": 1}]})
    jing.do(lambda: campaigns.revise(world.campaign_id, terms))
    jing.pays(friend, jing.shop())
    world.wait()
    assert jing.of(friend).reward == 800
