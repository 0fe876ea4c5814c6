"""Recalls of one institution as a whole: what it does with each message, with time, and after a restart."""

from typing import assert_never

from hutong.institution.payments.ports import Notices
from hutong.institution.payments.service import PaymentService
from hutong.institution.policy.policy import Policies
from hutong.institution.recalls.dispute_service import DisputeService
from hutong.institution.recalls.recall_service import RecallService
from hutong.institution.recalls.trace_service import TraceService
from hutong.scheme.messages import RecallAnswer, RecallRequest, TraceAnswer, TraceRequest


class RecallDesk:
    """Both sides of recalls and the tracing of money, wired upon payments."""

    def __init__(self, payments: PaymentService, policies: Policies, notices: Notices) -> None:
        self.node = payments.node
        self.payments = payments
        node, switch = payments.node, payments.switch
        debtor, creditor, refunds = payments.debtor, payments.creditor, payments.refunds
        self.disputes = DisputeService(
            node, payments.ledger, payments.chart, policies, debtor, creditor, refunds, notices, switch
        )
        self.recalls = RecallService(node, policies, debtor, refunds, payments.returns, self.disputes, notices, switch)
        self.traces = TraceService(node, payments.ledger, payments.chart, debtor, creditor, self.disputes, switch)
        payments.on_recall = self._receive

    async def load(self) -> None:
        """Every case, before payments start: a return that ends then concludes its dispute."""
        await self.recalls.load()
        await self.disputes.load()

    def resume(self) -> None:
        """After payments started: go on with each case."""
        self.disputes.resume()
        self.recalls.resume()

    def tick(self) -> None:
        """What time alone brings about."""
        self.disputes.tick()
        self.recalls.tick()
        self.traces.tick()

    def _receive(self, message: RecallRequest | RecallAnswer | TraceRequest | TraceAnswer) -> None:
        match message:
            case RecallRequest():
                self.disputes.asked(message)
            case RecallAnswer():
                self.recalls.answered(message)
            case TraceRequest():
                self.traces.asked(message)
            case TraceAnswer():
                self.traces.answered(message)
            case _:
                assert_never(message)
