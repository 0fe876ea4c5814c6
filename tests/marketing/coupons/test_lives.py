"""Coupons' lives at random, with a node that crashes between any two steps: stock, limits and every coupon's use hold."""

from collections import Counter
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.claim_service import Claimant
from hutong.marketing.coupons.coupon import CouponState
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.repository import CLAIMS, COUPONS
from hutong.marketing.coupons.template import ClaimLimits, CodeKind
from tests.marketing.coupons.stall import SomeAward, Stall, terms

PEOPLE = st.integers(1, 4)
STOCK = 3


class Lives(RuleBasedStateMachine):
    """Four people, two templates of three coupons, one code each; rows are durable when somebody says so."""

    @initialize()
    def open(self) -> None:
        self.stall = Stall(immediate=False)
        limits = ClaimLimits(per_person=2, per_device=0, per_day=2)
        self.plain = self.stall.template(terms(limits=limits, transferable=True), stock=STOCK)
        self.coded = self.stall.template(terms(limits=limits, code=CodeKind.UNIQUE), stock=1)
        batch = self.stall.ask(
            lambda: self.stall.templates.make_codes(self.stall.mint.mint(), self.coded.id, 4, "duty")
        )
        self.codes = list(self.stall.templates.codes(batch))
        self.stall.journal.flush()
        self.claim_ids: list[int] = []
        self.open_awards: list[SomeAward] = []
        self.committed: list[SomeAward] = []

    @rule(person=PEOPLE, again=st.booleans())
    def claim(self, person: int, *, again: bool) -> None:
        claim_id = self._id(again=again)
        self._try(lambda: self.stall.claims.claim(claim_id, self.plain.id, Claimant(person, person)))

    @rule(person=PEOPLE, code=st.integers(0, 3), again=st.booleans())
    def claim_by_code(self, person: int, code: int, *, again: bool) -> None:
        claim_id = self._id(again=again)
        self._try(lambda: self.stall.claims.claim_by_code(claim_id, self.codes[code], Claimant(person, person)))

    @rule(person=PEOPLE, receiver=PEOPLE, which=st.integers(0, 5))
    def give(self, person: int, receiver: int, which: int) -> None:
        if self.claim_ids:
            coupon_id = self.claim_ids[which % len(self.claim_ids)]
            self._try(lambda: self.stall.claims.give(coupon_id, person, receiver))

    @rule(person=PEOPLE)
    def pay(self, person: int) -> None:
        self.open_awards += self.stall.pay(person)

    @rule(completes=st.booleans(), twice=st.booleans())
    def decide(self, *, completes: bool, twice: bool) -> None:
        if self.open_awards:
            award = self.open_awards.pop(0)
            verb = self.stall.redemptions.committed if completes else self.stall.redemptions.released
            for _ in range(1 + twice):
                self.stall.then(verb, [award])
            if completes:
                self.committed.append(award)

    @rule(which=st.integers(0, 5), left=st.sampled_from([0, 0, 100]))
    def refund(self, which: int, left: int) -> None:
        if self.committed:
            award = self.committed[which % len(self.committed)]
            self.stall.returned(award, award.amount - left, left)

    @rule(hours=st.sampled_from([1, 24, 24 * 5]))
    def wait(self, hours: int) -> None:
        self.stall.clock.advance(seconds=hours * 3_600)

    @rule()
    def flush(self) -> None:
        self.stall.journal.flush()

    @rule()
    def crash(self) -> None:
        """What was not durable never happened: neither the coupon's step nor the payment's, which share a commit."""
        self.stall.restart()
        known = {row.id: row for _, row in self.stall.store.rows[COUPONS.name]}
        reserved = {row.award_id for row in known.values() if row.state == CouponState.RESERVED}
        decided = {award.id for award in self.committed}
        everything = {award.id: award for award in [*self.open_awards, *self.committed]}
        self.open_awards = [everything[id_] for id_ in reserved if id_ in everything]
        self.committed = [award for award in self.committed if award.id in decided - reserved]

    @rule()
    def look(self) -> None:
        """Whoever asks again after a restart is told the same."""
        self.stall.journal.flush()
        before = {person: self._coupons(person) for person in range(1, 5)}
        self.stall.restart()
        assert before == {person: self._coupons(person) for person in range(1, 5)}

    @invariant()
    def counts_hold(self) -> None:
        claims = [claim for _, claim in self.stall.store.rows[CLAIMS.name]]
        for template, stock in ((self.plain, STOCK), (self.coded, 1)):
            own = [claim for claim in claims if claim.template_id == template.id]
            assert [claim.number for claim in own] == list(range(1, len(own) + 1))
            assert self.stall.templates.stock(template.id).claimed <= stock
            assert all(count <= 2 for count in Counter(claim.day for claim in own).values())
            assert all(count <= 2 for count in Counter(claim.person_id for claim in own).values())
        codes = [claim.code_id for claim in claims if claim.code_id is not None]
        assert len(codes) == len(set(codes))

    @invariant()
    def no_coupon_pays_twice(self) -> None:
        now = {coupon.id: coupon for coupon in self.stall.repository.coupons.everything()}
        under_way = Counter(award.source_id for award in self.open_awards)
        assert all(count == 1 for count in under_way.values())
        assert all(now[id_].state == CouponState.RESERVED for id_ in under_way if id_ in now)

    def _coupons(self, person: int) -> list[object]:
        return list(self.stall.ask(lambda: self.stall.redemptions.coupons(person)))

    def _id(self, *, again: bool) -> int:
        if again and self.claim_ids:
            return self.claim_ids[-1]
        self.claim_ids.append(self.stall.mint.mint())
        return self.claim_ids[-1]

    def _try(self, decide: Callable[[], object]) -> None:
        try:
            self.stall.ask(decide)
        except Refusal as refusal:
            if not isinstance(refusal.reason, CouponReason):
                raise


Lives.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestLives = Lives.TestCase
