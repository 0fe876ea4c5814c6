"""What an ended campaign keeps back for appeals: enough for all of them, not a fen longer than they may be made, then the sponsor's again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.institution.chart import budget_account
from hutong.institution.people.user import User
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.invitations.reasons import InvitationReason
from hutong.marketing.invitations.referral import Referral, ReferralState
from tests.marketing.invitations.village import DAY_S, Village, VillageWorld

BUDGET = 1_000_000


def refused(jing: Village, count: int) -> tuple[User, list[Referral]]:
    """Somebody who invited so many brothers, who all use one browser; none of them is looked at yet."""
    browser = jing.node.mint.mint()
    me = jing.person(browser=browser)
    brothers = [jing.person(jing.invite(me), browser=browser) for _ in range(count)]
    for brother in brothers:
        jing.pays(brother, jing.shop())
    return me, [jing.of(brother) for brother in brothers]


def sponsor_has(jing: Village) -> int:
    (sponsor,) = jing.marketing.sponsors.everybody()
    return jing.balance(budget_account(sponsor.id, jing.chart.currency))


def ends(world: VillageWorld) -> None:
    world.jing.do(lambda: world.jing.marketing.campaigns.end(world.campaign_id))
    world.wait(1)


def campaign_has(world: VillageWorld) -> int:
    return world.jing.left(world.jing.marketing.campaigns.campaign(world.campaign_id))


def grants(jing: Village, me: User, referral: Referral) -> Referral:
    jing.does(lambda: jing.rewards.appeal(me.id, referral.id, "他是我弟弟"))
    granted: Referral = jing.does(lambda: jing.rewards.grant(referral.id, "duty", ""))
    return granted


def test_an_appeal_after_the_end_is_paid_out_of_what_was_kept_back() -> None:
    world = VillageWorld()
    jing = world.jing
    me, (referral,) = refused(jing, 1)
    world.wait()
    ends(world)
    assert (campaign_has(world), sponsor_has(jing)) == (800, BUDGET - 800)
    world.wait(14 * DAY_S)
    assert (campaign_has(world), sponsor_has(jing)) == (800, BUDGET - 800)
    granted = grants(jing, me, referral)
    assert (granted.state, granted.reward) == (ReferralState.PAID, 800)
    world.wait(1)
    assert jing.balance(me.wallet_account) == 100_800
    assert (campaign_has(world), sponsor_has(jing)) == (0, BUDGET - 800)


@pytest.mark.parametrize("crash", [False, True])
def test_what_is_kept_goes_back_when_nobody_can_appeal_any_more_and_not_before(crash: bool) -> None:
    world = VillageWorld()
    jing = world.jing
    me, (referral,) = refused(jing, 1)
    world.wait()
    decided_ns = jing.does(lambda: jing.rewards.referral(referral.id)).decided_ns
    ends(world)
    left_s = (decided_ns + 15 * DAY_S * 10**9 - world.clock.now_ns()) // 10**9
    world.wait(left_s - 1)
    if crash:
        world.restart("jing")
        world.wait(0)
    assert (campaign_has(world), sponsor_has(jing)) == (800, BUDGET - 800)
    world.wait(2)
    world.wait(1)
    assert (campaign_has(world), sponsor_has(jing)) == (0, BUDGET)
    with pytest.raises(Refusal) as caught:
        jing.does(lambda: jing.rewards.appeal(me.id, referral.id, "late"))
    assert caught.value.reason is InvitationReason.APPEAL_TOO_LATE


def test_an_appeal_that_was_made_in_time_waits_for_its_answer_with_its_money() -> None:
    world = VillageWorld()
    jing = world.jing
    me, (referral,) = refused(jing, 1)
    world.wait()
    ends(world)
    jing.does(lambda: jing.rewards.appeal(me.id, referral.id, "他是我弟弟"))
    world.wait(60 * DAY_S)
    assert campaign_has(world) == 800
    jing.does(lambda: jing.rewards.uphold(referral.id, "duty", "同一台手机"))
    world.wait(1)
    assert (campaign_has(world), sponsor_has(jing)) == (0, BUDGET)


def test_what_is_refused_after_the_end_is_kept_too() -> None:
    """On hold when the campaign ended: its money came back to a campaign that is over."""
    world = VillageWorld()
    jing = world.jing
    me, (referral,) = refused(jing, 1)
    ends(world)
    assert (campaign_has(world), sponsor_has(jing)) == (0, BUDGET - 800)
    world.wait()
    world.wait(1)
    assert jing.does(lambda: jing.rewards.referral(referral.id)).state == ReferralState.REFUSED
    assert (campaign_has(world), sponsor_has(jing)) == (800, BUDGET - 800)
    assert grants(jing, me, referral).reward == 800


def test_a_reward_that_waited_for_a_days_budget_can_be_appealed_behind_the_end() -> None:
    world = VillageWorld(caps=Caps(day=800))
    jing = world.jing
    first, second = jing.person(), jing.person()
    friends = [jing.person(jing.invite(inviter)) for inviter in (first, second)]
    for friend in friends:
        jing.pays(friend, jing.shop())
    assert [jing.of(friend).state for friend in friends] == [ReferralState.HELD, ReferralState.WAITING]
    ends(world)
    world.wait(3_700)
    late = jing.of(friends[1])
    assert (late.state, late.reason) == (ReferralState.REFUSED, InvitationReason.REWARD_BUDGET_SPENT.name)
    assert campaign_has(world) == 800
    assert grants(jing, second, late).reward == 800


@given(
    brothers=st.lists(st.integers(1, 4), min_size=1, max_size=2),
    honest=st.integers(0, 3),
    early=st.booleans(),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=15, deadline=None)
def test_whatever_is_granted_in_whatever_order_there_is_enough(
    brothers: list[int], honest: int, early: bool, order: object
) -> None:
    world = VillageWorld()
    jing = world.jing
    to_ask = []
    for count in brothers:
        me, referrals = refused(jing, count)
        to_ask += [(me, each) for each in referrals]
        for _ in range(honest):
            jing.pays(jing.person(jing.invite(me)), jing.shop())
    if not early:
        world.wait()
    ends(world)
    world.wait()
    world.wait(1)
    order.shuffle(to_ask)  # type: ignore[attr-defined]
    to_ask = [
        (me, each)
        for me, each in to_ask
        if jing.does(lambda each=each: jing.rewards.referral(each.id)).state == "REFUSED"
    ]
    for me, each in to_ask:
        assert grants(jing, me, each).state == ReferralState.PAID
        world.wait(1)
    world.wait(16 * DAY_S)
    world.wait(1)
    paid = sum(jing.rewarded(user) for user in jing.folk.users.values())
    assert (campaign_has(world), sponsor_has(jing)) == (0, BUDGET - paid)
