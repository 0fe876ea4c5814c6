"""
Holds as they pass the switch: it finds whose code was scanned, and sees to it that nobody speaks in another's name.

Volatile: nothing is written down. Who holds what is the debtor agent's to say, and whoever lacks something asks again.
"""

import structlog

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.scheme.hold import HoldAct, HoldReport, HoldRequest, HoldStatus
from hutong.switch.admission import AdmissionService
from hutong.switch.enquiry import EnquiryLimiter, is_from_the_future
from hutong.switch.policy import ClearingPolicy
from hutong.switch.reason import SwitchReason
from hutong.switch.routing import RoutingService

log = structlog.get_logger()


class HoldService:
    """Passes on what a creditor agent asks of a hold, and what its debtor agent says."""

    def __init__(
        self, node: NodeRuntime, admission: AdmissionService, routing: RoutingService, policy: ClearingPolicy
    ) -> None:
        self._node = node
        self._admission = admission
        self._routing = routing
        self._questions = EnquiryLimiter(policy.questions_per_s, policy.questions_burst)

    def asked(self, sender: str, message: HoldRequest) -> None:
        """
        hutong.hold of a creditor agent, for the debtor agent or whoever owns the code.

        Refuses:  what opens a hold, in a hutong.held of number 0: nobody's code, who is not active, REQUEST_EXPIRED. Money may go
                  back to the payer whoever is suspended. What is sent in another's name, and what is over the sender's rate, is dropped.
        """
        now_ns = self._node.clock.now_ns()
        if sender != message.creditor_agent or is_from_the_future(message.hold_id, sender, now_ns):
            log.warning("hold dropped", sender=sender, creditor_agent=message.creditor_agent)
            return
        if not self._questions.admit(sender, now_ns):
            return
        try:
            owner = self._owner(message, now_ns)
        except Refusal as refusal:
            if message.act is not None:
                self._node.journal.tell(sender, _refused(message, refusal, now_ns))
            return
        self._node.journal.tell(owner, message)

    def told(self, sender: str, message: HoldReport) -> None:
        """hutong.held of a debtor agent, for the creditor agent. What is sent in another's name is dropped."""
        try:
            if sender != message.debtor_agent:
                raise Refusal(SwitchReason.SENDER_IS_NOT_THE_INSTRUCTING_AGENT)
            self._admission.participant(message.creditor_agent)
        except Refusal as refusal:
            log.warning("state of no hold", sender=sender, reason=refusal.reason.name)
            return
        self._node.journal.tell(message.creditor_agent, message)

    def _owner(self, message: HoldRequest, now_ns: int) -> str:
        if message.act is HoldAct.OPEN:
            self._admission.participant(message.creditor_agent).check_active()
            if message.expires_at_ms * NS_PER_MS <= now_ns:
                raise Refusal(SwitchReason.REQUEST_EXPIRED, expires_at_ms=message.expires_at_ms)
        if message.debtor_agent is None:
            return self._routing.payer(message.code)
        return self._admission.participant(message.debtor_agent).node_id


def _refused(message: HoldRequest, refusal: Refusal, now_ns: int) -> HoldReport:
    return HoldReport(
        hold_id=message.hold_id,
        creditor_agent=message.creditor_agent,
        debtor_agent=message.debtor_agent,
        number=0,
        status=HoldStatus.REJECTED,
        currency=message.currency,
        act_id=message.act_id,
        at_ms=now_ns // NS_PER_MS,
        reason=refusal.reason.iso_code,
        reason_name=refusal.reason.name,
    )
