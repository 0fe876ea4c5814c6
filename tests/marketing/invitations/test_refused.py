"""What sponsors are told of the rewards that are refused: for what, what was seen, and none that was granted in the end."""

from typing import Any

import msgspec

from hutong.marketing.effects.effect_service import EffectService
from hutong.marketing.effects.repository import ScannedEffectRows
from hutong.marketing.effects.views import EffectsView, RefusedFor, SignalSeen
from hutong.marketing.invitations.referral import ReferralState
from tests.institution.payments.world import now
from tests.marketing.invitations.village import Village, VillageWorld


def told(jing: Village) -> EffectsView:
    rows = ScannedEffectRows(jing.store, jing.node_id)
    return now(EffectService(jing.node, jing.marketing.campaigns, rows).of_campaign(jing.world.campaign_id))


def refusals(jing: Village) -> tuple[Any, ...]:
    found = told(jing)
    return found.refused, found.refused_amount, found.refused_for, found.refused_signals


def test_refused_rewards_are_told_by_reason_and_with_what_was_seen() -> None:
    world = VillageWorld()
    jing = world.jing
    browser = jing.node.mint.mint()
    me, other = jing.person(browser=browser), jing.person()
    brothers = [jing.person(jing.invite(me), browser=browser) for _ in range(2)]
    friends = [jing.person(jing.invite(other)) for _ in range(2)]
    for friend in (*brothers, *friends):
        jing.pays(friend, jing.shop())
    assert refusals(jing) == (0, 0, [], [])
    jing.folk.users[friends[0].id] = msgspec.structs.replace(friends[0], frozen_by_operator=True)
    world.wait()
    held = [jing.of(friend).held for friend in (*brothers, friends[0])]
    collusion = RefusedFor("COLLUSION_SUSPECTED", 2, sum(held[:2]))
    inactive = RefusedFor("FRIEND_NOT_ACTIVE", 1, held[2])
    assert held[0] == 800
    seen = [SignalSeen("SHARED_DEVICE", 2)]
    assert refusals(jing) == (3, sum(held), [collusion, inactive], seen)

    referral = jing.of(brothers[0])
    jing.does(lambda: jing.rewards.appeal(me.id, referral.id, "他是我弟弟"))
    assert refusals(jing)[0] == 3, "nobody has decided yet"
    jing.does(lambda: jing.rewards.grant(referral.id, "duty", ""))
    assert jing.of(brothers[0]).state == ReferralState.PAID
    one = RefusedFor("COLLUSION_SUSPECTED", 1, held[1])
    assert refusals(jing) == (2, held[1] + held[2], [one, inactive], [SignalSeen("SHARED_DEVICE", 1)])
