"""Completed payments that are asked back, across nodes and on us, and everybody who has a say in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hutong.institution import chart
from hutong.institution.payments.payment import Payment
from hutong.institution.recalls.dispute import Dispute, Stance, dispute_id_of
from hutong.institution.recalls.recall import Recall, RecallOrder
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import Institution, World

PLATE = "https://wei.example/q/1"


@dataclass
class Case:
    """One payment of 100.00 and its two sides."""

    world: World
    debtor: Institution
    creditor: Institution
    payer: Person
    merchant: int
    payee: Person | None
    payment: Payment

    @property
    def payee_account(self) -> int:
        return self.payee.wallet_account if self.payee is not None else chart.merchant_account(self.merchant)

    def order(self, amount: int = 0, reason: str = "FRAD", **fields: Any) -> RecallOrder:
        fields = {"recall_id": self.debtor.node.mint.mint(), "payment_id": self.payment.id, **fields}
        return RecallOrder(amount=amount, reason=reason, **fields)

    def open(self, amount: int = 0, reason: str = "FRAD", **fields: Any) -> Recall:
        """The debtor agent's operator asks for it."""
        return self.ask(self.order(amount, reason, **fields))

    def ask(self, order: RecallOrder) -> Recall:
        do(self.debtor, lambda: self.debtor.recalls.recalls.open("duty", order))
        return self.recall(order.recall_id)

    def report(self, order: RecallOrder, user_id: int = 0) -> Recall:
        """The payer asks for it."""
        by = user_id or self.payer.id
        do(self.debtor, lambda: self.debtor.recalls.recalls.report(by, order))
        return self.recall(order.recall_id)

    def recall(self, recall_id: int) -> Recall:
        return self.debtor.recalls.recalls.recall(recall_id)

    def dispute(self, recall: Recall) -> Dispute:
        return self.creditor.recalls.disputes.dispute(dispute_id_of(recall.id, self.debtor.node_id))

    def accept(self, recall: Recall, amount: int = 0) -> Dispute:
        id_ = self.dispute(recall).id
        do(self.creditor, lambda: self.creditor.recalls.disputes.accept("desk", id_, amount))
        return self.dispute(recall)

    def reject(self, recall: Recall, code: str = "LEGL") -> Dispute:
        id_ = self.dispute(recall).id
        do(self.creditor, lambda: self.creditor.recalls.disputes.reject("desk", id_, code))
        return self.dispute(recall)

    def says(self, recall: Recall, stance: Stance, remark: str = "") -> Dispute:
        disputes = self.creditor.recalls.disputes
        do(self.creditor, lambda: disputes.take_stance(self.dispute(recall), stance, remark))
        return self.dispute(recall)

    def held(self, recall: Recall) -> int:
        """What is set aside in the case now."""
        return self.creditor.balance(chart.disputed_account(self.dispute(recall).id))

    def spend(self, amount: int) -> None:
        """The payee takes money out."""
        self.creditor.user(1_000_000)  # Else the reserve has nothing to pay out yet: the switch settles later.
        self.creditor.pay_out(self.payee_account, amount)

    def news(self, place: Institution) -> list[str]:
        return [type_ for _, type_, _ in place.neighbours.said]


def paid(*, on_us: bool = False, person: bool = False, amount: int = 10_000, fee_bps: int = 60) -> Case:
    world = World("jing", "wei")
    world.fees(20, 5)
    world.register("wei", "url:https://wei.example/q/")
    creditor = world["wei"]
    debtor = creditor if on_us else world["jing"]
    payer, merchant = debtor.user(1_000_000), 0 if person else creditor.merchant()
    payee = creditor.user() if person else None
    if person:
        creditor.asks(user=payee, code=PLATE, mcc="0000")
    else:
        creditor.asks(merchant, code=PLATE, fee_bps=fee_bps)
    quote = debtor.quote(payer, PLATE)
    ((payment, outcome),) = debtor.pay(payer, debtor.order(quote, amount))
    assert outcome is not None
    assert outcome.completed
    return Case(world, debtor, creditor, payer, merchant, payee, payment)


def do(place: Institution, decision: Callable[[], object]) -> None:
    """Let a node decide something, whatever that answers."""

    def decide() -> None:
        decision()

    place.decide(decide)
