"""Complaints of one institution as a whole: both sides, what comes from the network, time, and restarts."""

from collections.abc import Callable
from functools import partial

from hutong.institution.complaints.complaint import complaint_id_of
from hutong.institution.complaints.complaint_service import ComplaintService
from hutong.institution.complaints.grievance_service import GrievanceService
from hutong.institution.complaints.picture import Case
from hutong.institution.complaints.picture_service import PictureService
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.service import PaymentService
from hutong.institution.policy.policy import Policies
from hutong.scheme.complaint_messages import (
    ComplaintMessage,
    ComplaintPictureAsked,
    ComplaintPiece,
    ComplaintSaid,
    ComplaintTurn,
)
from hutong.scheme.messages import hex_id


class ComplaintDesk:
    """Both sides, wired upon payments."""

    def __init__(self, payments: PaymentService, policies: Policies, notices: Notices) -> None:
        self.node = payments.node
        self._switch = payments.switch
        self.pictures = PictureService(payments.node, self._send, self._case_of)
        self.complaints = ComplaintService(
            payments.node,
            policies,
            payments.debtor,
            payments.creditor,
            payments.refunds,
            notices,
            self.pictures,
            self._send,
        )
        self.grievances = GrievanceService(payments.node, policies, payments.debtor, notices, self.pictures, self._send)
        payments.on_complaint = self._receive

    async def load(self) -> None:
        """Before payments start: a refund that ends then is a turn."""
        await self.pictures.load()
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
        self.pictures.tick()

    def _case_of(self, place: int) -> Case | None:
        return self.grievances.case_of(place) or self.complaints.case_of(place)

    def _send(self, node_id: str, message: ComplaintMessage) -> None:
        """To the other side: by the switch, or, where both are ours, when what was said is durable."""
        if node_id == self.node.node_id:
            hear: Callable[[], None] = partial(self._receive, message)
            self.node.journal.effect(lambda: self.node.decide_each([hear]))
        else:
            self.node.journal.tell(self._switch, message)

    def _receive(self, message: ComplaintMessage) -> None:
        match message:
            case ComplaintSaid():
                self.complaints.said(message)
            case ComplaintTurn():
                self.grievances.told(message)
            case ComplaintPictureAsked() | ComplaintPiece():
                self._receive_picture(message)

    def _receive_picture(self, message: ComplaintPictureAsked | ComplaintPiece) -> None:
        """Who asks is on the other side of the complaint. What is of no complaint of ours, or names it wrongly, is dropped."""
        is_asked = isinstance(message, ComplaintPictureAsked)
        complaint_id = hex_id(message.complaint_id)
        if message.is_debtors == is_asked:
            place = complaint_id_of(complaint_id, message.debtor_agent)
            case = self.complaints.case_of(place)
        else:
            place = complaint_id
            case = self.grievances.case_of(place)
        named = complaint_id, hex_id(message.payment_id), message.debtor_agent, message.creditor_agent
        if case is None or case[:4] != named:
            return
        if isinstance(message, ComplaintPictureAsked):
            self.pictures.asked(message, place)
        else:
            self.pictures.told(message, place)
