"""Payments of one institution as a whole: what it does with each message, with time, and after a restart."""

from collections.abc import Sequence
from functools import partial

from hutong.institution.chart import Chart
from hutong.institution.payments.cashier import Cashier
from hutong.institution.payments.consult import Consult
from hutong.institution.payments.creditor import Creditor
from hutong.institution.payments.debtor import Debtor
from hutong.institution.payments.payment import Why
from hutong.institution.payments.ports import Notices, People, Requests
from hutong.institution.payments.pursuit import Pursuit
from hutong.institution.payments.quotes import QuoteBook
from hutong.institution.policy.policy import Policies
from hutong.ledger.engine import LedgerEngine
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import (
    AnyMessage,
    CodeConsult,
    CodeResolve,
    CreditTransfer,
    PaymentStatus,
)

SWITCH = "switch"


class PaymentService:
    """All of payments, wired: the one thing `app` builds and a node's transport, timer and API talk to."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        chart: Chart,
        policies: Policies,
        people: People,
        requests: Requests,
        notices: Notices,
        cashier: Cashier | None = None,
        *,
        switch: str = SWITCH,
    ) -> None:
        cashier = cashier if cashier is not None else Cashier()
        self.node = node
        self.ledger = ledger
        self.chart = chart
        self.switch = switch
        self._pursuit = Pursuit(node.clock)
        quotes = QuoteBook()
        self.consults = Consult(node, people, requests, quotes, cashier, switch)
        self.debtor = Debtor(
            node, ledger, chart, policies, people, requests, notices, quotes, cashier, self._pursuit, switch
        )
        self.creditor = Creditor(
            node, ledger, chart, policies, requests, requests, notices, cashier, self._pursuit, switch
        )

    async def start(self) -> None:
        """Open the node's own accounts, and take up what was undecided when it stopped."""
        self.chart.open(self.ledger)
        self.node.journal.seal()
        await self.debtor.start()
        await self.creditor.start()
        await self._resume()

    def receive(self, sender: str, messages: Sequence[AnyMessage]) -> None:
        """Decide on each message of a batch from the switch; all of it shares a commit. Nobody else is heard."""
        if sender != self.switch:
            return
        decide = self.node.decide
        for message in messages:
            decide(partial(self._receive, message))

    def tick(self) -> None:
        """What time alone brings about: asking again. The node's timer calls it a few times a second."""
        for undecided in self._pursuit.due():
            self.node.decide(partial(undecided.again, undecided))

    def _receive(self, message: AnyMessage) -> None:
        match message:
            case PaymentStatus():
                self._told(message)
            case CreditTransfer():
                self.creditor.offered(message)
            case CodeConsult():
                self.consults.consulted(message)
            case CodeResolve():
                self.consults.answered(message)
            case _:
                pass

    def _told(self, status: PaymentStatus) -> None:
        if status.originator == self.node.node_id:
            self.debtor.told(status)
        else:
            self.creditor.told(status)

    async def _resume(self) -> None:
        """Everything undecided has its holds pending on the ledger, under its own id."""
        pending: dict[int, set[int]] = {}
        for transfer in await self.ledger.pending_transfers():
            pending.setdefault(transfer.code, set()).add(transfer.user_data_128)
        payments = sorted(pending.get(Why.PAYMENT_HELD, ()))
        await self.debtor.payments.load(payments)
        await self.debtor.outcomes.load(payments)
        for id_ in payments:
            payment = self.debtor.payments.get(id_)
            assert payment is not None, "a hold is never durable without its payment"
            self.debtor.resume(payment)
        receipts = sorted(pending.get(Why.RECEIPT, ()))
        await self.creditor.receipts.load(receipts)
        await self.creditor.outcomes.load(receipts)
        for id_ in receipts:
            receipt = self.creditor.receipts.get(id_)
            assert receipt is not None, "a hold is never durable without its receipt"
            self.creditor.resume(receipt)
