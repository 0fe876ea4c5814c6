"""Payments of one institution as a whole: what it does with each message, with time, and after a restart."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from hutong.institution.chart import Chart
from hutong.institution.payments.cashier import Cashier
from hutong.institution.payments.consult import Consult
from hutong.institution.payments.creditor import Creditor
from hutong.institution.payments.debtor import Debtor
from hutong.institution.payments.payment import Why
from hutong.institution.payments.ports import Notices, People, Requests
from hutong.institution.payments.pursuit import Pursuit
from hutong.institution.payments.quotes import QuoteBook
from hutong.institution.payments.refunds import Refunds
from hutong.institution.payments.returns import Returns
from hutong.institution.policy.policy import Policies
from hutong.kernel.ids import PARTS_MAX
from hutong.ledger.engine import LedgerEngine
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import (
    AnyMessage,
    CodeConsult,
    CodeResolve,
    CreditTransfer,
    PaymentReturn,
    PaymentStatus,
    hex_id,
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
        self.refunds = Refunds(node, ledger, chart, self.debtor, self.creditor, notices, self._pursuit, switch)
        self.returns = Returns(node, ledger, chart, self.debtor, notices, self._pursuit, switch)

    async def start(self) -> None:
        """Open the node's own accounts, and take up what was undecided when it stopped."""
        self.chart.open(self.ledger)
        self.node.journal.seal()
        for side in (self.debtor, self.creditor, self.refunds, self.returns):
            await side.start()
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
            case PaymentReturn():
                self.returns.offered(message)
            case CodeConsult():
                self.consults.consulted(message)
            case CodeResolve():
                self.consults.answered(message)
            case _:
                pass

    def _told(self, status: PaymentStatus) -> None:
        """Ids are unique per originator: of our own, a payment's ends in a zero byte and a refund's does not."""
        derived = hex_id(status.payment_id) % PARTS_MAX != 0
        # A node that knows nothing of last bytes is served as well: what is undecided is found on either side.
        if status.originator == self.node.node_id:
            (self.refunds if derived else self.debtor).told(status)
        elif hex_id(status.payment_id) in self.returns.undecided or (
            derived and hex_id(status.payment_id) not in self.creditor.undecided
        ):
            self.returns.told(status)
        else:
            self.creditor.told(status)

    async def _resume(self) -> None:
        """Everything undecided has its holds pending on the ledger, under its own id."""
        pending: dict[int, set[int]] = {}
        for transfer in await self.ledger.pending_transfers():
            pending.setdefault(transfer.code, set()).add(transfer.user_data_128)
        await _take_up(self.debtor, self.debtor.payments, pending.get(Why.PAYMENT_HELD))
        await _take_up(self.creditor, self.creditor.receipts, pending.get(Why.RECEIPT))
        await _take_up(self.refunds, self.refunds.refunds, pending.get(Why.REFUND_HELD))
        await _take_up(self.returns, self.returns.returns, pending.get(Why.RETURN))
        self.node.journal.seal()


async def _take_up(side: Any, shelf: Shelf[Any], pending: set[int] | None) -> None:
    ids = sorted(pending or ())
    await shelf.load(ids)
    await side.outcomes.load(ids)
    for id_ in ids:
        row = shelf.get(id_)
        assert row is not None, "a hold is never durable without what it is held for"
        side.resume(row)
