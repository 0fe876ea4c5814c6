"""
Two campaigns on one budget, budgets at a fen, payments that are lost, repeated and refunded, nodes that crash: whatever is
done in whatever order, no budget is a fen over, and afterwards rows, counters and ledgers say the same.
"""

from contextlib import suppress
from functools import partial
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hutong.institution import chart
from hutong.institution.payments.payment import PAYMENT_OUTCOMES, PAYMENTS, Order
from hutong.institution.payments.refund import REFUND_OUTCOMES, REFUNDS, RETURN_OUTCOMES, RETURNS, RefundOrder
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.award import ALL_AWARDS, Award, AwardKind, AwardState
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import Campaign, CampaignState, Side
from hutong.marketing.campaigns.rules import RuleRow
from hutong.runtime.journal import JournalHalted
from hutong.runtime.shelf import warmed
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import Fair, House, off

AMOUNTS = st.sampled_from([1, 2, 7, 99, 100, 1_000])
HOUSES = st.sampled_from(["jing", "wei"])


class Trouble(RuleBasedStateMachine):
    """Nothing is durable before a flush, and no message arrives before somebody delivers it."""

    def __init__(self) -> None:
        super().__init__()
        self.fair = fair = Fair(immediate=False)
        fair.fees(20, 5)
        self.jing, self.wei = fair.jing, fair.wei
        self.payers = [self.jing.user(2_500) for _ in range(2)]
        self.plates = [fair.shop(self.jing), fair.shop(self.wei), fair.shop(self.wei, amount=100)]
        fair.flush()
        self.sponsor = self._settled(lambda: self.jing.sponsor(1_000))
        one = partial(self.jing.campaign, self.sponsor)
        self.campaigns: list[tuple[House, Campaign]] = []
        for budget, caps, rows in (
            (301, Caps(day=150, person=120), [off(100)]),
            (11, Caps(), [off(1, amount="[7..100]"), RuleRow(bps=100)]),
            (1, Caps(times_day=1), [off(1)]),
        ):
            made = self._settled(lambda b=budget, c=caps, r=rows: one(b, *r, caps=c, partial=True))
            self.campaigns.append((self.jing, made))
        shops = self._settled(lambda: self.wei.sponsor(100, "shops"))
        self.campaigns.append((self.wei, self._settled(lambda: self.wei.campaign(shops, 25, off(10), side=Side.PAYEE))))
        # As consulted with each amount while the campaigns ran: a payment may find that they no longer do.
        self.terms = {
            (where, amount): self.jing.terms(plate, amount)
            for where, plate in enumerate(self.plates)
            for amount in (1, 2, 7, 99, 100, 1_000)
        }
        assert (self.terms[1, 7].payee_discount, self.terms[2, 100].payee_discount) == (6, 10)
        self.orders: list[tuple[Any, Order]] = []
        self.rewards: list[int] = []
        fair.flush()

    def _settled(self, make: Any) -> Any:
        made = make()
        self.fair.flush()
        return made

    # What is done.

    @rule(orders=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), AMOUNTS), min_size=1, max_size=6))
    def pay(self, orders: list[tuple[int, int, int]]) -> None:
        for each in orders:
            self._pay(*each)

    @rule(orders=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), AMOUNTS), min_size=1, max_size=6))
    def pay_undisturbed(self, orders: list[tuple[int, int, int]]) -> None:
        self.pay(orders)
        self.fair.flush()
        self.fair.settle()

    def _pay(self, who: int, where: int, amount: int) -> None:
        payer, terms = self.payers[who], self.terms[where, amount]
        amount = terms.amount or amount
        with suppress(Refusal, JournalHalted):
            consults = self.jing.payments.consults
            quote = now(warmed(self.jing.journal, lambda: consults.quote(payer, terms, amount)))
            order = self.jing.order(quote, amount)
            self.orders.append((payer, order))
            self.jing.pay(payer, order)

    @rule(which=st.integers(0, 30))
    def pay_again(self, which: int) -> None:
        if self.orders:
            payer, order = self.orders[which % len(self.orders)]
            with suppress(Refusal, JournalHalted):
                self.jing.pay(payer, order)

    @rule(which=st.integers(0, 30), amount=AMOUNTS)
    def refund(self, which: int, amount: int) -> None:
        if not self.orders:
            return
        _, order = self.orders[which % len(self.orders)]
        for house, merchants in ((self.jing, self.plates[:1]), (self.wei, self.plates[1:])):
            for plate in merchants:
                asked = RefundOrder(refund_id=house.node.mint.mint(), payment_id=order.payment_id, amount=amount)
                with suppress(Refusal, JournalHalted):
                    refunds, merchant = house.payments.refunds, self.fair.shops[plate]
                    house.decide(partial(refunds.refund, merchant, asked, lambda *_: None))

    @rule(which=st.integers(0, 3), verb=st.sampled_from(["pause", "begin", "begin", "end"]))
    def steer(self, which: int, verb: str) -> None:
        house, campaign = self.campaigns[which]
        with suppress(Refusal):
            house.do(partial(getattr(house.marketing.campaigns, verb), campaign.id))

    @rule(amount=AMOUNTS, verb=st.sampled_from(["hold", "pay", "refuse"]))
    def reward(self, amount: int, verb: str) -> None:
        awards, house = self.jing.marketing.awards, self.jing
        with suppress(Refusal):
            if verb == "hold":
                id_ = house.node.mint.mint()
                campaign, person = self.campaigns[0][1], self.payers[0]
                house.do(lambda: awards.hold(id_, campaign.id, person.id, amount, "invite", {}))
                self.rewards.append(id_)
            elif self.rewards and verb == "pay":
                house.do(lambda: awards.pay(self.rewards[-1]))
            elif self.rewards:
                house.do(lambda: awards.refuse(self.rewards[-1], "SHARED_CARD"))

    # What happens.

    @rule(name=st.sampled_from(["jing", "wei", "switch"]))
    def flush(self, name: str) -> None:
        self.fair.places[name].journal.seal()
        self.fair.places[name].journal.flush()

    @rule(name=HOUSES)
    def crash(self, name: str) -> None:
        self.fair.restart(name)

    @rule(which=st.integers(0, 9), times=st.sampled_from([0, 1, 1, 1, 2]))
    def deliver(self, which: int, times: int) -> None:
        if self.fair.letters:
            letter = self.fair.letters.pop(which % len(self.fair.letters))
            for _ in range(times):
                self.fair.deliver(letter)

    @rule()
    def lose_everything(self) -> None:
        self.fair.letters.clear()

    @rule(seconds=st.sampled_from([1, 30, 90, 40_000]))
    def wait(self, seconds: int) -> None:
        self.fair.tick(seconds)

    # What must hold.

    @invariant()
    def nothing_is_over(self) -> None:
        for house, campaign in self.campaigns:
            (account,) = house.accounts(campaign.account)
            assert account.debits_posted + account.debits_pending <= account.credits_posted
            spent = house.marketing.campaigns.spent[campaign.id]
            caps = campaign.told.caps
            assert 0 <= spent.total <= campaign.budget
            assert not caps.day or max(spent.days.values(), default=0) <= caps.day

    def teardown(self) -> None:
        for _ in range(40):
            self.fair.flush()
            self.fair.settle()
            self.fair.tick(20)
        for name in ("jing", "wei"):
            self._audit(self.fair.house(name))
            counted = {
                each.id: self.fair.house(name).marketing.campaigns.spent[each.id].total
                for house, each in self.campaigns
                if house.node_id == name
            }
            self.fair.restart(name)
            again = self.fair.house(name).marketing.campaigns.spent
            assert {id_: again[id_].total for id_ in counted} == counted

    def _audit(self, house: House) -> None:
        newest: dict[int, Award] = {}
        changes: dict[int, int] = {}
        for _, row in house.store.rows[ALL_AWARDS.name]:
            newest[row.id] = row
            changes[row.campaign_id] = changes.get(row.campaign_id, 0) + row.change
            campaign = house.marketing.campaigns.campaign(row.campaign_id)
            assert changes[row.campaign_id] <= campaign.funded, "not at any moment"
        for owner, begun in self.campaigns:
            if owner is house:
                campaign = house.newest(begun)
                given = changes.get(campaign.id, 0)
                assert given == sum(each.left for each in newest.values() if each.campaign_id == campaign.id)
                assert house.left(campaign) == campaign.funded - campaign.given_back - given
                if campaign.state == CampaignState.ENDED:
                    assert house.left(campaign) == 0
        outcomes = {row.id: row for _, row in house.store.rows[PAYMENT_OUTCOMES.name]}
        standing = [each.standing(outcomes.get(each.payment_id)) for each in newest.values()]
        waiting = [each for each in standing if each.state == AwardState.RESERVED]
        assert house.balance(house.chart.awarded) == sum(each.left for each in waiting)
        assert all(each.kind == AwardKind.REWARD for each in waiting), "what is decided is decided"
        if house is self.jing:
            self._audit_payments(newest)
            funded = sum(
                c.funded - c.given_back for c in map(house.newest, [c for h, c in self.campaigns if h is house])
            )
            assert house.balance(chart.budget_account(self.sponsor.id)) == 1_000 - funded

    def _audit_payments(self, newest: dict[int, Award]) -> None:
        rows = self.jing.store.rows
        back: dict[int, int] = {}
        for table, outcomes in ((RETURNS, RETURN_OUTCOMES), (REFUNDS, REFUND_OUTCOMES)):
            done = {row.id for _, row in rows[outcomes.name] if row.completed}
            for _, row in rows[table.name]:
                if row.id in done:
                    back[row.payment_id] = back.get(row.payment_id, 0) + row.payer_discount
        for _, payment in rows[PAYMENTS.name]:
            outcome = self.jing.payments.debtor.outcomes.get(payment.id)
            assert outcome is not None
            given = [each for each in newest.values() if each.payment_id == payment.id]
            left = sum(each.left for each in given)
            assert left == (payment.payer_discount - back.get(payment.id, 0) if outcome.completed else 0)


Trouble.TestCase.settings = settings(
    max_examples=30, stateful_step_count=50, suppress_health_check=[HealthCheck.too_slow]
)
TestTrouble = Trouble.TestCase
