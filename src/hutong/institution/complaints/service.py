"""Complaints of one institution as a whole: both sides, what comes from the network, time, and restarts."""

from collections.abc import Callable
from functools import partial

from hutong.institution.complaints.complaint_service import ComplaintService
from hutong.institution.complaints.grievance_service import GrievanceService
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.service import PaymentService
from hutong.institution.policy.policy import Policies
from hutong.scheme.messages import ComplaintSaid, ComplaintTurn


class ComplaintDesk:
    """Both sides, wired upon payments."""

    def __init__(self, payments: PaymentService, policies: Policies, notices: Notices) -> None:
        self.node = payments.node
        self._switch = payments.switch
        self.complaints = ComplaintService(
            payments.node, policies, payments.debtor, payments.creditor, payments.refunds, notices, self._send
        )
        self.grievances = GrievanceService(payments.node, policies, payments.debtor, notices, self._send)
        payments.on_complaint = self._receive

    async def load(self) -> None:
        """Before payments start: a refund that ends then is a turn."""
        await self.complaints.load()
        await self.grievances.load()

    def resume(self) -> None:
        """After payments started."""
        self.complaints.resume()
        self.grievances.resume()

    def tick(self) -> None:
        """What time alone brings about."""
        self.complaints.tick()
        self.grievances.tick()

    def _send(self, node_id: str, message: ComplaintSaid | ComplaintTurn) -> None:
        """To the other side: by the switch, or, where both are ours, when what was said is durable."""
        if node_id == self.node.node_id:
            hear: Callable[[], None] = partial(self._receive, message)
            self.node.journal.effect(lambda: self.node.decide_each([hear]))
        else:
            self.node.journal.tell(self._switch, message)

    def _receive(self, message: ComplaintSaid | ComplaintTurn) -> None:
        if isinstance(message, ComplaintSaid):
            self.complaints.said(message)
        else:
            self.grievances.told(message)
