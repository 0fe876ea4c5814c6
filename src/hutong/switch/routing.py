"""
Whose code is it: code consults and requests to pay find their way by the directory, and their answers back.

Nothing here moves money and nothing is durable: an answer that was lost is asked for again. What is on its way is
remembered for a while, so that only who was asked can answer.
"""

from collections import OrderedDict
from dataclasses import dataclass

import msgspec
import structlog

from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Reason, Refusal
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import (
    CodeConsult,
    CodeResolve,
    ConsultStatus,
    RequestStatus,
    RequestToPay,
    TransactionStatus,
)
from hutong.switch.admission import AdmissionService
from hutong.switch.enquiry import EnquiryLimiter, is_from_the_future
from hutong.switch.policy import ClearingPolicy
from hutong.switch.reason import SwitchReason

log = structlog.get_logger()
MANDATE_PREFIX = "mandate:"
_NAMING = (MANDATE_PREFIX, "hold:")  # What names the payer's node itself.
_REMEMBERED_MAX = 200_000
_CONSULT_LIFE_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked whom, and until when an answer is passed on."""

    by: str
    of: str
    until_ns: int


class AskedBook:
    """What is on its way, oldest first, bounded: the oldest are forgotten."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, Asked] = OrderedDict()

    def note(self, id_: str, asked: Asked) -> None:
        """Remember a question. Refuses SAME_ID_OTHER_CONTENT when another party's question has this id."""
        known = self._asked.get(id_)
        if known is not None and known.by != asked.by:
            raise Refusal(SwitchReason.SAME_ID_OTHER_CONTENT)
        self._asked[id_] = asked
        self._asked.move_to_end(id_)
        if len(self._asked) > _REMEMBERED_MAX:
            self._asked.popitem(last=False)

    def get(self, id_: str, now_ns: int) -> Asked | None:
        """The question an answer belongs to, unless it is too late for one."""
        asked = self._asked.get(id_)
        return asked if asked is not None and asked.until_ns > now_ns else None


class RoutingService:
    """Consults and requests to pay, from whoever asks to whoever owns the code, and back."""

    def __init__(self, node: NodeRuntime, admission: AdmissionService, policy: ClearingPolicy) -> None:
        self._node = node
        self._admission = admission
        self._questions = EnquiryLimiter(policy.questions_per_s, policy.questions_burst)
        self._consults = AskedBook()
        self._requests = AskedBook()

    def consult(self, sender: str, consult: CodeConsult) -> None:
        """Ask the owner of the code; refuse by name what nobody registered. What is over the sender's rate is dropped."""
        now_ns = self._node.clock.now_ns()
        if not self._questions.admit(sender, now_ns):
            return
        try:
            self._check_sender(sender, consult.debtor_agent)
            owner, form = self._payee(consult.code)
            self._consults.note(consult.consult_id, Asked(sender, owner, now_ns + _CONSULT_LIFE_NS))
        except Refusal as refusal:
            self._node.journal.tell(sender, _refused_consult(consult, refusal.reason))
            return
        self._node.journal.tell(owner, msgspec.structs.replace(consult, form=form))

    def resolved(self, sender: str, resolve: CodeResolve) -> None:
        """Pass the owner's answer on, with what the scheme charges for such a payment now."""
        asked = self._consults.get(resolve.consult_id, self._node.clock.now_ns())
        if asked is None or asked.of != sender or asked.by != resolve.debtor_agent:
            log.warning("answer nobody asked for", sender=sender, consult_id=resolve.consult_id)
            return
        fees = self._admission.fees_now(resolve.mcc, resolve.channel)
        answer = msgspec.structs.replace(
            resolve,
            creditor_agent=sender,
            interchange_bps=fees.interchange_bps,
            switch_fee_bps=fees.switch_fee_bps,
            fee_version=fees.version,
        )
        self._node.journal.tell(asked.by, answer)

    def request(self, sender: str, request: RequestToPay) -> None:
        """Ask the owner of the payment code, or the mandate's bank, to pay a creditor agent."""
        now_ns = self._node.clock.now_ns()
        if not self._questions.admit(sender, now_ns) or is_from_the_future(request.request_id, sender, now_ns):
            return
        try:
            self._check_sender(sender, request.creditor_agent)
            _check_open(request, now_ns)
            owner = self.payer(request.code)
            self._requests.note(request.request_id, Asked(sender, owner, request.expires_at_ms * NS_PER_MS))
        except Refusal as refusal:
            refused = RequestStatus(
                request_id=request.request_id,
                creditor_agent=request.creditor_agent,
                status=TransactionStatus.REJECTED,
                reason=refusal.reason.iso_code,
                reason_name=refusal.reason.name,
            )
            self._node.journal.tell(sender, refused)
            return
        fees = self._admission.fees_now(request.mcc, request.channel)
        forwarded = msgspec.structs.replace(
            request,
            interchange_bps=fees.interchange_bps,
            switch_fee_bps=fees.switch_fee_bps,
            fee_version=fees.version,
        )
        self._node.journal.tell(owner, forwarded)

    def answered(self, sender: str, status: RequestStatus) -> None:
        """Pass on how a request to pay stands at the payer's side."""
        asked = self._requests.get(status.request_id, self._node.clock.now_ns())
        if asked is None or asked.of != sender or asked.by != status.creditor_agent:
            log.warning("answer nobody asked for", sender=sender, request_id=status.request_id)
            return
        self._node.journal.tell(asked.by, status)

    def _owner(self, code: str) -> tuple[str, str]:
        """The active node that owns a code, and the form it matched."""
        match = self._admission.directory.resolve(code)
        self._admission.participant(match.node).check_active()
        return match.node, str(match.form)

    def _payee(self, code: str) -> tuple[str, str]:
        """The node that a consult goes to: a code's owner, or the bank that is to say whose account it has."""
        return (self.payer(code), "") if code.startswith(MANDATE_PREFIX) else self._owner(code)

    def payer(self, code: str) -> str:
        """The active node whose person is asked. Refuses what nobody registered, and who is not active."""
        if code.startswith(_NAMING):
            bank = code.split(":", 2)[1]
            self._admission.participant(bank).check_active()
            return bank
        return self._owner(code)[0]

    def _check_sender(self, sender: str, agent: str) -> None:
        if sender != agent:
            raise Refusal(SwitchReason.SENDER_IS_NOT_THE_INSTRUCTING_AGENT, sender=sender)
        self._admission.participant(sender).check_active()


def _check_open(request: RequestToPay, now_ns: int) -> None:
    if request.expires_at_ms * NS_PER_MS <= now_ns:
        raise Refusal(SwitchReason.REQUEST_EXPIRED, expires_at_ms=request.expires_at_ms)


def _refused_consult(consult: CodeConsult, reason: Reason) -> CodeResolve:
    return CodeResolve(
        consult_id=consult.consult_id,
        debtor_agent=consult.debtor_agent,
        status=ConsultStatus.REFUSED,
        reason=reason.iso_code,
        reason_name=reason.name,
    )
