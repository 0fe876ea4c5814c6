"""
Any history of inviting, paying, refunding, appealing and crashing: nothing is ever rewarded twice, or beyond table and budget.

Crashes come between any two steps; what was not flushed is lost, and so is everything in memory.
"""

import os
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hutong.institution.people.user import User
from hutong.kernel.errors import Refusal
from hutong.marketing.invitations.referral import REFERRALS, ReferralState, referral_id
from tests.institution.payments.neighbours import Asks
from tests.marketing.invitations.village import HOLD_S, Village, VillageWorld

STEPS = [{"friends": 1, "total": 300}, {"friends": 2, "total": 400}, {"friends": 4, "total": 1_200}]
BUDGET = 1_500
WHO = st.integers(0, 30)


class Inviting(RuleBasedStateMachine):
    """A few inviters, a handful of friends, one shop, a small budget."""

    @initialize()
    def begin(self) -> None:
        self.world = VillageWorld(immediate=False, budget=BUDGET, steps=STEPS, person_max=1_200, neighbours=10)
        self.inviters = [self.settled(self.jing.person()) for _ in range(3)]
        self.friends: list[User] = []
        self.shop: Asks = self.settled(self.jing.shop())
        self.brought: dict[int, tuple[int, int]] = {}  # Who was first written down as a friend's inviter.

    @property
    def jing(self) -> Village:
        return self.world.jing

    def settled(self, answer: Any) -> Any:
        for _ in range(4):
            self.world.flush()
        return answer

    # What people do.

    @precondition(lambda self: len(self.friends) < 8)
    @rule(inviter=WHO, browser=st.booleans(), bank=st.sampled_from(["own", "one"]))
    def join(self, inviter: int, *, browser: bool, bank: str) -> None:
        me = self.inviters[inviter % 3]
        self.friends.append(
            self.settled(self.jing.person(self.jing.invite(me), browser=me.id if browser else 0, bank=bank))
        )

    @precondition(lambda self: len(self.friends) < 8)
    @rule()
    def come_alone(self) -> None:
        self.friends.append(self.settled(self.jing.person()))

    @precondition(lambda self: self.friends)
    @rule(friend=WHO, inviter=WHO)
    def accept(self, friend: int, inviter: int) -> None:
        one, me = self.friends[friend % len(self.friends)], self.inviters[inviter % 3]
        code = self.jing.invite(me).code
        self.tried(lambda: self.jing.does(lambda: self.jing.invitations.accept(one.id, code, "")))

    @precondition(lambda self: self.friends)
    @rule(friend=WHO, amount=st.sampled_from([499, 600, 700]), crash=st.booleans())
    def pay(self, friend: int, amount: int, *, crash: bool) -> None:
        one = self.friends[friend % len(self.friends)]
        self.tried(lambda: self.jing.orders(one, self.shop, amount))
        if crash:
            self.jing.journal.flush()  # Durable, and what it set off not yet.
            self.world.restart("jing")

    @precondition(lambda self: self.friends)
    @rule(friend=WHO, part=st.sampled_from([1, 2]))
    def refund(self, friend: int, part: int) -> None:
        self.settled(None)
        one = self.friends[friend % len(self.friends)]
        referral = self.jing.does(lambda: self.jing.register.referrals.get(referral_id(one.id)))
        if referral is None or not referral.payment_id:
            return
        payment = self.jing.does(lambda: self.jing.payments.debtor.payments.get(referral.payment_id))
        self.tried(lambda: self.jing.gives_back(payment, payment.gross // part))

    @rule(friend=WHO, granted=st.booleans())
    @precondition(lambda self: self.friends)
    def appeal(self, friend: int, *, granted: bool) -> None:
        one = self.friends[friend % len(self.friends)]
        id_, rewards = referral_id(one.id), self.jing.rewards
        referral = self.jing.does(lambda: self.jing.register.referrals.get(id_))
        if referral is None:
            return
        self.tried(lambda: self.jing.does(lambda: rewards.appeal(referral.inviter_id, id_, "please")))
        decide = rewards.grant if granted else rewards.uphold
        self.tried(lambda: self.jing.does(lambda: decide(id_, "duty", "so")))

    def tried(self, act: Any) -> None:
        try:
            act()
        except Refusal:
            return

    # What happens.

    @rule(seconds=st.sampled_from([1, 3_600, HOLD_S]))
    def wait(self, seconds: int) -> None:
        self.world.tick(seconds)

    @rule()
    def flush(self) -> None:
        self.settled(None)

    @rule()
    def crash(self) -> None:
        self.world.restart("jing")

    # What holds all the time.

    @invariant()
    def a_friend_has_one_inviter_for_ever(self) -> None:
        for _, row in self.jing.store.rows[REFERRALS.name]:
            brought = self.brought.setdefault(row.friend_id, (row.inviter_id, row.campaign_id))
            assert brought == (row.inviter_id, row.campaign_id)
            assert row.inviter_id != row.friend_id

    @invariant()
    def nothing_is_paid_beyond_the_budget_or_the_table(self) -> None:
        assert self.jing.spent <= BUDGET
        now = self.jing.kept(REFERRALS)
        for inviter in self.inviters:
            mine = [each for each in now if each.inviter_id == inviter.id]
            paid = [each for each in mine if each.state == ReferralState.PAID]
            total = max([step["total"] for step in STEPS if step["friends"] <= len(paid)], default=0)
            assert sum(each.reward for each in paid) == self.jing.rewarded(inviter) <= total

    @invariant()
    def rows_and_money_say_the_same(self) -> None:
        now = self.jing.kept(REFERRALS)
        held = sum(each.held for each in now if each.state == ReferralState.HELD)
        assert self.jing.awards_held == held
        for each in now:
            assert each.reward == 0 or each.state == ReferralState.PAID

    def teardown(self) -> None:
        """Healed and left alone, everything that was held is decided, and the books balance."""
        self.settled(None)
        for _ in range(3):
            self.world.tick(HOLD_S + 3_600)
            self.settled(None)
        open_ = {each.state for each in self.jing.kept(REFERRALS)} & {"HELD"}
        assert open_ == set()
        assert self.jing.balanced()
        for each in self.jing.kept(REFERRALS):
            assert msgspec.json.decode(each.evidence) is not None


TestInviting = Inviting.TestCase
TestInviting.settings = settings(
    max_examples=int(os.environ.get("HUTONG_INVITE_EXAMPLES", "25")), stateful_step_count=30, deadline=None
)
