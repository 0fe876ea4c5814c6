"""Attack stories: what people try to be paid for, and what they get."""

from functools import partial

import msgspec
import pytest

from hutong.institution.people.user import User
from hutong.kernel.errors import Refusal
from hutong.marketing.invitations.reasons import InvitationReason
from hutong.marketing.invitations.referral import ReferralState
from tests.marketing.invitations.village import DAY_S, Village, VillageWorld

SUSPECTED = InvitationReason.COLLUSION_SUSPECTED.name


def signals(jing: Village, friend: User) -> set[str]:
    """What was seen when it was decided."""
    return {each["name"] for each in msgspec.json.decode(jing.of(friend).evidence)}


def test_a_second_wallet_of_ones_own_on_the_same_phone_brings_nothing() -> None:
    world = VillageWorld()
    jing = world.jing
    browser = jing.node.mint.mint()
    me = jing.person(browser=browser)
    my_other_self = jing.person(jing.invite(me), browser=browser)
    jing.pays(my_other_self, jing.shop())
    world.wait()
    assert jing.of(my_other_self).reason == SUSPECTED
    assert signals(jing, my_other_self) == {"SHARED_DEVICE"}
    assert jing.rewarded(me) == jing.spent == 0


def test_a_second_wallet_with_ones_own_card_brings_nothing_though_the_card_was_unlinked_again() -> None:
    world = VillageWorld()
    jing = world.jing
    me = jing.person(bank="my card")
    my_other_self = jing.person(jing.invite(me), bank="my card")
    jing.pays(my_other_self, jing.shop())
    for who in (me, my_other_self):
        (account,) = jing.does(lambda who=who: jing.payments.bank_link.accounts(who.id))
        jing.does(lambda who=who, account=account: jing.payments.bank_link.unlink(who.id, account.id))
    world.wait()
    assert signals(jing, my_other_self) == {"SHARED_FUNDING"}
    assert jing.rewarded(me) == 0


def test_a_made_up_mandate_is_no_account_of_ones_own() -> None:
    """Whoever links an account writes down a mandate; that there is an account behind it, its bank says."""
    world = VillageWorld()
    jing = world.jing
    me = jing.person()
    friend = jing.person(jing.invite(me), bank="")
    jing.link(friend, "made up", known=False)
    jing.pays(friend, jing.shop())
    assert jing.of(friend).state == ReferralState.JOINED
    assert jing.spent == 0


def test_a_bank_that_answers_after_the_payment_answers_in_time() -> None:
    world = VillageWorld()
    jing = world.jing
    me = jing.person()
    friend = jing.person(jing.invite(me), bank="")
    jing.link(friend, "slow", known=False)
    payment = jing.pays(friend, jing.shop())
    (account,) = jing.does(lambda: jing.payments.bank_link.accounts(friend.id))
    again = partial(jing.rewards.completed, payment)
    jing.does(lambda: jing.payments.bank_link.named(account.id, 7, again))
    world.flush()
    assert jing.of(friend).state == ReferralState.HELD


def test_a_house_of_phones_registers_in_bulk_and_pays_one_shop() -> None:
    """Own telephone numbers, own phones, own cards; one room, one hour, one friendly shop."""
    world = VillageWorld()
    jing = world.jing
    me = jing.person()
    invitation, shop = jing.invite(me), jing.shop()
    house = [jing.person(invitation, address="203.0.113.7") for _ in range(12)]
    for each in house:
        jing.pays(each, shop, 500)
    world.wait()
    assert {jing.of(each).reason for each in house} == {SUSPECTED}
    assert signals(jing, house[0]) == {"VELOCITY", "SAME_ADDRESS", "SAME_SHOP"}
    assert jing.rewarded(me) == jing.spent == 0


def test_a_ring_in_which_each_invites_the_next_and_the_money_goes_round() -> None:
    world = VillageWorld()
    jing = world.jing
    shop = jing.shop()
    first = jing.person()
    members = [first]
    for amount in (8_000, 6_000, 4_000, 2_000):
        world.tick(6 * 3_600)
        friend = jing.person(jing.invite(members[-1]), balance=0)
        jing.pays(members[-1], friend, amount)  # What the friend pays with.
        jing.pays(friend, shop, 600)
        members.append(friend)
    jing.pays(members[-1], first, 100)  # And the last shares with the first.
    world.wait()
    for friend in members[1:]:
        assert {"RING", "FUNDED_BY_CIRCLE"} <= signals(jing, friend)
        assert jing.of(friend).reason == SUSPECTED
    assert jing.spent == 0


def test_money_that_comes_by_red_packet_is_seen_like_any_other() -> None:
    world = VillageWorld()
    jing = world.jing
    me, helper = jing.person(), jing.person()
    friend = jing.person(jing.invite(me), balance=0)
    jing.packet(me, friend, 2_000)
    world.tick(60)
    jing.pays(friend, jing.shop(), 600)
    jing.packet(friend, helper, 100)
    jing.pays(helper, me, 100)  # Nobody of the circle: what is not known of it is not seen.
    world.wait()
    assert signals(jing, friend) == {"FUNDED_BY_CIRCLE"}
    assert jing.of(friend).state == ReferralState.PAID, "it is no proof: friends do give each other red packets"


def test_a_ring_is_closed_by_a_red_packet_as_by_a_payment() -> None:
    world = VillageWorld()
    jing = world.jing
    me = jing.person()
    invitation = jing.invite(me)
    one, two = jing.person(invitation), jing.person(invitation)
    jing.packet(me, one, 2_000)
    jing.packet(one, two, 1_000)
    world.tick(60)
    jing.pays(one, jing.shop(), 600)
    world.wait()
    assert signals(jing, one) == {"FUNDED_BY_CIRCLE", "RING"}
    assert jing.of(one).reason == SUSPECTED


def test_friends_who_are_all_each_others_friends() -> None:
    world = VillageWorld()
    jing = world.jing
    me = jing.person()
    invitation = jing.invite(me)
    friends = []
    for _ in range(4):
        world.tick(DAY_S)
        friends.append(jing.person(invitation))
    for each in friends:
        for other in friends:
            if each is not other:
                jing.pays(each, other, 10)
        jing.pays(each, jing.shop())
    world.wait()
    assert {jing.of(each).reason for each in friends} == {SUSPECTED}
    assert {"RING", "DENSE_CIRCLE"} <= signals(jing, friends[0])
    assert jing.rewarded(me) == 0


def test_refund_farming_within_the_hold_brings_nothing_and_behind_it_nothing_more() -> None:
    world = VillageWorld()
    jing = world.jing
    me, shop = jing.person(), jing.shop()
    invitation = jing.invite(me)
    paid_for = []
    for _ in range(2):
        world.tick(DAY_S)
        friend = jing.person(invitation)
        payment = jing.pays(friend, shop)
        world.wait()
        paid_for.append(payment)
    assert jing.rewarded(me) == 1_800
    for payment in paid_for:
        jing.gives_back(payment)  # Behind the reward: it is paid, and remembered.
    world.tick(DAY_S)
    third, fourth = jing.person(invitation), jing.person(invitation)
    jing.gives_back(jing.pays(third, shop))
    jing.pays(fourth, jing.shop())
    world.wait()
    assert jing.of(third).reason == InvitationReason.QUALIFYING_PAYMENT_REFUNDED.name
    assert signals(jing, fourth) == {"REFUND_AFTER_REWARD"}
    assert jing.rewarded(me) == jing.spent == 1_800


def test_a_payment_that_was_given_back_before_anybody_looked_does_not_qualify() -> None:
    world = VillageWorld()
    jing = world.jing
    friend = jing.person(jing.invite(jing.person()))
    heard, jing.payments.debtor.on_completed[:] = list(jing.payments.debtor.on_completed), []
    payment = jing.pays(friend, jing.shop())
    jing.gives_back(payment)
    for hear in heard:
        hear(payment)
    assert jing.of(friend).state == ReferralState.JOINED


def test_replaying_what_happened_pays_once() -> None:
    world = VillageWorld()
    jing = world.jing
    me = jing.person()
    invitation = jing.invite(me)
    friend = jing.person(invitation)
    payment = jing.pays(friend, jing.shop())
    for _ in range(3):
        jing.rewards.completed(payment)
        jing.does(lambda: jing.invitations.accept(friend.id, invitation.code, ""))
    world.wait()
    for _ in range(3):
        jing.register.look_at(jing.of(friend).id, 0)
        world.wait(1)
        jing.rewards.completed(payment)
        jing.rewards.given_back(friend.id, payment.id)
    assert jing.rewarded(me) == jing.spent == 800


def test_friends_made_up_to_be_refused_lift_no_real_one_up_the_steps() -> None:
    world = VillageWorld()
    jing = world.jing
    browser = jing.node.mint.mint()
    me = jing.person(browser=browser)
    invitation, shop = jing.invite(me), jing.shop()
    for _ in range(11):
        jing.pays(jing.person(invitation, browser=browser), shop)
    world.tick(2 * DAY_S)
    friend = jing.person(invitation)
    jing.pays(friend, jing.shop())
    assert jing.of(friend).held == 28_800 - 13_800, "the twelfth, if all were real"
    world.wait()
    assert jing.of(friend).reward == jing.rewarded(me) == jing.spent == 800, "and the first in truth"


def test_who_closed_a_wallet_and_comes_back_is_not_new() -> None:
    world = VillageWorld()
    jing = world.jing
    code = jing.invite(jing.person()).code
    before, back = jing.person(), jing.person()
    jing.folk.users[back.id] = msgspec.structs.replace(back, phone=before.phone)
    with pytest.raises(Refusal, match="NOT_NEW_HERE"):
        jing.does(lambda: jing.invitations.accept(back.id, code, ""))


def test_a_frozen_friend_or_inviter_is_paid_for_nothing() -> None:
    world = VillageWorld()
    jing = world.jing
    one, two = jing.person(), jing.person()
    friend, other = jing.person(jing.invite(one)), jing.person(jing.invite(two))
    for each in (friend, other):
        jing.pays(each, jing.shop())
    for each in (friend, two):
        jing.folk.users[each.id] = msgspec.structs.replace(each, frozen_by_operator=True)
    world.wait()
    assert jing.of(friend).reason == InvitationReason.FRIEND_NOT_ACTIVE.name
    assert jing.of(other).reason == InvitationReason.INVITER_NOT_ACTIVE.name
    assert jing.spent == 0


def test_codes_are_not_alike_and_nobody_sees_whose_one_is() -> None:
    world = VillageWorld()
    jing = world.jing
    codes = {jing.invite(jing.person()).code for _ in range(50)}
    assert len(codes) == 50
    assert {len(code) for code in codes} == {10}
    for place in range(10):
        assert len({code[place] for code in codes}) > 12, "each letter says something"
