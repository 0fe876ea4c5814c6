"""Who was refused may ask once; an operator decides, and what is granted is paid by the table."""

import pytest

from hutong.kernel.errors import Refusal
from hutong.marketing.invitations.referral import Referral, ReferralState
from tests.marketing.invitations.village import DAY_S, VillageWorld


def refused(world: VillageWorld) -> tuple[Referral, int]:
    """A referral of a brother, who uses the same browser; and who invited him."""
    jing = world.jing
    browser = jing.node.mint.mint()
    me = jing.person(browser=browser)
    brother = jing.person(jing.invite(me), browser=browser)
    jing.pays(brother, jing.shop())
    world.wait()
    referral = jing.of(brother)
    assert referral.state == ReferralState.REFUSED
    return referral, me.id


def test_a_granted_appeal_pays_once_and_keeps_what_was_seen() -> None:
    world = VillageWorld()
    jing = world.jing
    referral, me = refused(world)
    for _ in range(2):
        assert jing.does(lambda: jing.rewards.appeal(me, referral.id, "他是我弟弟")).state == ReferralState.APPEALED
    assert jing.register.appealed == {referral.id}
    for _ in range(2):
        granted = jing.does(lambda: jing.rewards.grant(referral.id, "duty", "shown on the phone"))
    assert (granted.state, granted.reward, granted.decided_by) == (ReferralState.PAID, 800, "duty")
    assert "SHARED_DEVICE" in granted.evidence
    assert jing.spent == 800
    assert jing.balance(jing.folk.users[me].wallet_account) == 100_800
    with pytest.raises(Refusal, match="APPEAL_NOT_OPEN"):
        jing.does(lambda: jing.rewards.uphold(referral.id, "duty", "no"))


def test_an_upheld_refusal_is_the_end() -> None:
    world = VillageWorld()
    jing = world.jing
    referral, me = refused(world)
    jing.does(lambda: jing.rewards.appeal(me, referral.id, "他是我弟弟"))
    world.restart("jing")
    for _ in range(2):
        upheld = jing.does(lambda: jing.rewards.uphold(referral.id, "duty", "同一台手机"))
    assert (upheld.state, upheld.remark) == (ReferralState.REFUSED, "同一台手机")
    with pytest.raises(Refusal, match="APPEAL_DECIDED_BEFORE"):
        jing.does(lambda: jing.rewards.appeal(me, referral.id, "doch"))
    with pytest.raises(Refusal, match="APPEAL_NOT_OPEN"):
        jing.does(lambda: jing.rewards.grant(referral.id, "duty", ""))
    assert jing.spent == 0


def test_an_appeal_is_the_inviters_own_and_in_time() -> None:
    world = VillageWorld()
    jing = world.jing
    referral, me = refused(world)
    with pytest.raises(Refusal, match="REFERRAL_UNKNOWN"):
        jing.does(lambda: jing.rewards.appeal(referral.friend_id, referral.id, "mine"))
    with pytest.raises(Refusal, match="TEXT_EMPTY"):
        jing.does(lambda: jing.rewards.appeal(me, referral.id, ""))
    world.tick(15 * DAY_S)
    with pytest.raises(Refusal, match="APPEAL_TOO_LATE: days=15"):
        jing.does(lambda: jing.rewards.appeal(me, referral.id, "late"))


def test_what_is_not_refused_is_not_appealed() -> None:
    world = VillageWorld()
    jing = world.jing
    me = jing.person()
    friend = jing.person(jing.invite(me))
    id_ = jing.of(friend).id
    with pytest.raises(Refusal, match="REFERRAL_NOT_REFUSED: state=JOINED"):
        jing.does(lambda: jing.rewards.appeal(me.id, id_, "please"))


def test_a_grant_the_budget_has_no_room_for_leaves_the_appeal_open() -> None:
    world = VillageWorld(budget=800)
    jing = world.jing
    referral, me = refused(world)
    other = jing.person(jing.invite(jing.person()))
    jing.pays(other, jing.shop())
    jing.does(lambda: jing.rewards.appeal(me, referral.id, "他是我弟弟"))
    with pytest.raises(Refusal, match="BUDGET_EXHAUSTED"):
        jing.does(lambda: jing.rewards.grant(referral.id, "duty", ""))
    assert jing.register.appealed == {referral.id}
    assert jing.spent == 800
