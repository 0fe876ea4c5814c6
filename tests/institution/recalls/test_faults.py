"""
A world from a seed: recalls of payments under loss, repeats, reordering and crashes, while payees spend and merchants refund.

Safety at every moment: nothing is given back twice, no case holds more than it set aside, the books balance. Then healing:
every case ends, both sides and the switch say the same, and nothing stays set aside.
"""

from contextlib import suppress
from functools import partial

import pytest

from hutong.institution import chart
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.refund import REFUND_OUTCOMES, REFUNDS, RefundOrder
from hutong.institution.recalls.dispute import ENDED, Dispute, DisputeState, Stance, dispute_id_of
from hutong.institution.recalls.reasons import ANSWERS
from hutong.institution.recalls.recall import Recall, RecallOrder, RecallState
from hutong.kernel.errors import Refusal
from hutong.switch.recall import RECALLS
from tests.institution.payments.world import Institution, World, now
from tests.institution.recalls.cases import do
from tests.institution.weather import Weather

STEPS = 260
CAP = 100_000_000
OPENING = 100_000
PAID = 3_000


class Trouble(Weather):
    """One run: random acts, each checked, then healing."""

    def __init__(self, seed: int) -> None:
        super().__init__(World("jing", "wei", seed=seed, immediate=False, cap=CAP), heals_in_hours=80)
        self.world.fees(20, 5)
        self.world.register("wei", "url:https://wei.example/q/")
        self.jing, self.wei = self.world["jing"], self.world["wei"]
        self.merchant = self.wei.merchant()
        self.payee = self.wei.user()
        self.wei.user(OPENING)  # Else its reserve has nothing to pay out.
        self.wei.asks(self.merchant, code="https://wei.example/q/m", fee_bps=60)
        self.wei.asks(user=self.payee, code="https://wei.example/q/p", mcc="0000")
        self.world.flush()
        self.payments: list[tuple[Institution, Payment]] = []
        for debtor in (self.jing, self.wei):
            payer = debtor.user(OPENING)
            for code in ("m", "p", "m"):
                self.world.flush()
                quote = debtor.quote(payer, f"https://wei.example/q/{code}")
                answers = debtor.pay(payer, debtor.order(quote, PAID))
                self.world.flush()
                self.world.settle()
                self.payments.append((debtor, answers[0][0]))
        self.world.flush()
        self.world.settle()
        self.orders: list[tuple[Institution, RecallOrder]] = []

    def run(self) -> None:
        acts = [self.deliver] * 10 + [self.flush] * 8 + [self.lose, self.repeat, self.tick, self.spend, self.refund]
        acts += [self.open] * 3 + [self.accept] * 2 + [self.reject, self.stance]
        self.live(acts, STEPS)

    # Acts.

    def open(self) -> None:
        """Somebody asks a payment back, or asks again."""
        if self.orders and self.random.random() < 0.5:
            debtor, order = self.random.choice(self.orders)
        else:
            debtor, payment = self.random.choice(self.payments)
            amount = self.random.choice([0, 1, 999, PAID])
            order = RecallOrder(recall_id=debtor.node.mint.mint(), payment_id=payment.id, reason="FRAD", amount=amount)
            self.orders.append((debtor, order))
        place = self.world[debtor.node_id]
        with suppress(Refusal):
            do(place, lambda: place.recalls.recalls.open("duty", order))

    def accept(self) -> None:
        disputes = self.wei.recalls.disputes
        for dispute in self.open_disputes():
            with suppress(Refusal):
                amount = self.random.choice([0, 1, dispute.amount])
                do(self.wei, partial(disputes.accept, "desk", dispute.id, amount))

    def reject(self) -> None:
        disputes = self.wei.recalls.disputes
        for dispute in self.open_disputes()[:1]:
            code = self.random.choice(sorted(ANSWERS))
            do(self.wei, partial(disputes.reject, "desk", dispute.id, code))

    def stance(self) -> None:
        disputes = self.wei.recalls.disputes
        for dispute in self.open_disputes():
            stance = self.random.choice([Stance.CONSENTS, Stance.OBJECTS])
            with suppress(Refusal):
                do(self.wei, partial(disputes.take_stance, dispute, stance, ""))

    def open_disputes(self) -> list[Dispute]:
        return [each for each in self.wei.recalls.disputes.disputes.everything() if each.is_open]

    def spend(self) -> None:
        """The payee pays itself out, as much as there is or more: the ledger decides."""
        account = self.random.choice([self.payee.wallet_account, chart.merchant_account(self.merchant)])
        self.wei.pay_out(account, self.random.choice([1, 700, PAID, 3 * PAID]))

    def refund(self) -> None:
        _, payment = self.random.choice(self.payments)
        amount = self.random.choice([1, 1_500, PAID])
        order = RefundOrder(refund_id=self.wei.node.mint.mint(), payment_id=payment.id, amount=amount)
        refunds = self.wei.payments.refunds
        with suppress(Refusal):
            do(self.wei, partial(refunds.refund, self.merchant, order))

    # What must hold.

    def check_safety(self) -> None:
        assert all(place.balanced() for place in self.world.places.values())
        given: dict[int, int] = {}
        outcomes = {row.id: row.completed for _, row in self.wei.store.rows[REFUND_OUTCOMES.name]}
        for _, row in self.wei.store.rows[REFUNDS.name]:
            if outcomes.get(row.id, True):  # Under way counts.
                given[row.payment_id] = given.get(row.payment_id, 0) + row.gross
        assert all(amount <= PAID for amount in given.values()), "invariant 6"
        for dispute in self.wei.recalls.disputes.disputes.everything():
            if dispute.account and dispute.state != DisputeState.BLOCKING:
                held = self.wei.balance(chart.disputed_account(dispute.id))
                assert 0 <= held <= dispute.blocked <= dispute.amount
        for account in (self.payee.wallet_account, chart.merchant_account(self.merchant)):
            assert self.wei.balance(account) >= 0

    def check_agreement(self) -> None:
        assert not self.world.letters
        for place in self.world.places.values():
            assert not now(place.ledger.pending_transfers())
        disputes = {each.id: each for each in self.wei.recalls.disputes.disputes.everything()}
        asked: set[int] = set()
        for place in (self.jing, self.wei):
            for recall in place.recalls.recalls.recalls.everything():
                asked.add(dispute_id_of(recall.id, place.node_id))
                self.check_alike(place, recall, disputes.get(dispute_id_of(recall.id, place.node_id)))
        assert disputes.keys() <= asked, "a dispute nobody asked for"
        for dispute in disputes.values():
            assert dispute.state in ENDED
            assert dispute.released
            if dispute.account:
                assert self.wei.balance(chart.disputed_account(dispute.id)) == 0
        for institution in (self.jing, self.wei):
            position = self.world.switch.position(institution.node_id) - CAP
            assert institution.balance(institution.chart.clearing) == -position

    def check_alike(self, place: Institution, recall: Recall, dispute: Dispute | None) -> None:
        assert recall.state in (RecallState.RETURNED, RecallState.REJECTED), recall
        switch = [row for _, row in self.world.switch.store.rows[RECALLS.name] if row.recall_id == recall.id]
        if dispute is None:
            assert switch[-1].refused == recall.answer_name
            return
        assert (recall.state == RecallState.RETURNED) == (dispute.state == DisputeState.RETURNED), (recall, dispute)
        if recall.state == RecallState.RETURNED:
            assert recall.accepted == dispute.accepted
            assert recall.return_id == dispute.return_id
        if place is self.jing:
            assert switch[-1].is_final
            assert switch[-1].accepted_minor == recall.accepted


@pytest.mark.parametrize("seed", range(14))
def test_whatever_the_network_does_every_recall_ends_alike_everywhere(seed: int) -> None:
    Trouble(seed).run()


def test_a_seed_replays_exactly() -> None:
    runs = []
    for _ in range(2):
        trouble = Trouble(99)
        trouble.run()
        runs.append(dict(trouble.wei.store.rows))
    assert runs[0] == runs[1]
