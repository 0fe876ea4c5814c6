"""
Complaints as they pass the switch: it alone knows both ends of every payment, so it sees to it that nobody but these is heard.

Volatile: nothing is written down. The history is at the creditor agent, and whoever lacks something asks again.
"""

import structlog

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.scheme.complaint import ComplaintParty, ComplaintStatus
from hutong.scheme.complaint_messages import (
    ComplaintMessage,
    ComplaintPictureAsked,
    ComplaintPiece,
    ComplaintSaid,
    ComplaintTurn,
)
from hutong.scheme.messages import TransactionStatus
from hutong.switch.enquiry import EnquiryLimiter
from hutong.switch.payment import row_id
from hutong.switch.policy import ClearingPolicy
from hutong.switch.reason import SwitchReason
from hutong.switch.service import ClearingService

log = structlog.get_logger()


class ComplaintService:
    """Passes on what the two agents of a completed payment say of it."""

    def __init__(self, node: NodeRuntime, clearing: ClearingService, policy: ClearingPolicy) -> None:
        self._node = node
        self._clearing = clearing
        self._pictures = EnquiryLimiter(policy.pictures_per_s, policy.pictures_burst)

    def said(self, sender: str, message: ComplaintSaid) -> None:
        """
        hutong.complaint of a debtor agent, for the creditor agent.

        Refuses:  in a hutong.complained of number 0: ORIGINAL_PAYMENT_UNKNOWN, ORIGINAL_PAYMENT_NOT_COMPLETED. What is sent in
                  another's name is dropped.
        """
        if sender != message.debtor_agent:
            log.warning("complaint for another", sender=sender, debtor_agent=message.debtor_agent)
            return
        try:
            self._check(message)
        except Refusal as refusal:
            if message.act is not None:
                self._node.journal.tell(sender, self._refused(message, refusal))
            return
        self._node.journal.tell(message.creditor_agent, message)

    def told(self, sender: str, message: ComplaintTurn) -> None:
        """hutong.complained of a creditor agent, for the debtor agent. What is of no payment between them is dropped."""
        try:
            if sender != message.creditor_agent:
                raise Refusal(SwitchReason.SENDER_IS_NOT_THE_INSTRUCTING_AGENT)
            self._check(message)
        except Refusal as refusal:
            log.warning("turn of no complaint", sender=sender, reason=refusal.reason.name)
            return
        self._node.journal.tell(message.debtor_agent, message)

    def pictured(self, sender: str, message: ComplaintPictureAsked | ComplaintPiece) -> None:
        """
        hutong.picture and hutong.pictured, from either agent for the other. What is of no payment between them is dropped, and
        so are questions over the asker's rate.

        A picture passes in pieces that wait for each other: it can't fill the way to anybody.
        """
        is_to_creditor = message.is_debtors == isinstance(message, ComplaintPictureAsked)
        teller, hearer = message.debtor_agent, message.creditor_agent
        if not is_to_creditor:
            teller, hearer = hearer, teller
        try:
            if sender != teller or message.side is ComplaintParty.AGENT:
                raise Refusal(SwitchReason.SENDER_IS_NOT_THE_INSTRUCTING_AGENT)
            self._check(message)
        except Refusal as refusal:
            log.warning("picture of no complaint", sender=sender, reason=refusal.reason.name)
            return
        asks = isinstance(message, ComplaintPictureAsked)
        if asks and not self._pictures.admit(sender, self._node.clock.now_ns()):
            return
        self._node.journal.tell(hearer, message)

    def _check(self, message: ComplaintMessage) -> None:
        id_ = row_id(message.payment_id, message.debtor_agent)
        payment, decision = self._clearing.payments.get(id_), self._clearing.decisions.get(id_)
        if payment is None or payment.is_return or payment.creditor_agent != message.creditor_agent:
            raise Refusal(SwitchReason.ORIGINAL_PAYMENT_UNKNOWN, payment_id=message.payment_id)
        if decision is None or decision.status != TransactionStatus.COMPLETED.value:
            raise Refusal(SwitchReason.ORIGINAL_PAYMENT_NOT_COMPLETED, payment_id=message.payment_id)

    def _refused(self, message: ComplaintSaid, refusal: Refusal) -> ComplaintTurn:
        assert message.act is not None
        return ComplaintTurn(
            complaint_id=message.complaint_id,
            payment_id=message.payment_id,
            debtor_agent=message.debtor_agent,
            creditor_agent=message.creditor_agent,
            number=0,
            by=ComplaintParty.PAYER,
            act=message.act,
            act_id=message.act_id,
            status=ComplaintStatus.PENDING,
            currency=message.currency,
            at_ms=self._node.clock.now_ns() // NS_PER_MS,
            reason=refusal.reason.iso_code,
            reason_name=refusal.reason.name,
        )
