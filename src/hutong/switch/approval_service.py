"""What takes two operators at a switch: caps and reserves, suspending a node and taking it back, declaring a default."""

from functools import partial

import msgspec

from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import currency_of
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.operators.approval import Approval
from hutong.operators.approval_service import ApprovalKind, Ended
from hutong.operators.operator import Role
from hutong.operators.service import Operators
from hutong.scheme.message import CurrencyCode, NodeId, PositiveMinorUnits
from hutong.switch.lifecycle.stage import Stage, Step, next_stage
from hutong.switch.node import SwitchNode
from hutong.switch.reason import SwitchReason
from hutong.switch.settlement.rules import Fund
from hutong.switch.settlement.views import ReserveChangeKind
from hutong.switch.views import CapChangeKind, Name, Url

CAP_CHANGE = "cap.change"
RESERVE_CHANGE = "reserve.change"
ADMIT = "participant.admit"
SUSPEND = "participant.suspend"
RESUME = "participant.resume"
DEFAULT = "settlement.default"
_NOTHING_TO_SAY = ""


class CapFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By how much which cap changes, and which way; the subject is the node."""

    change: CapChangeKind
    amount: PositiveMinorUnits
    currency: CurrencyCode = "CNY"


class ReserveFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money that came to the settlement bank for a node, or goes back; the subject is the node."""

    change: ReserveChangeKind
    amount: PositiveMinorUnits
    currency: CurrencyCode = "CNY"
    fund: Fund = Fund.RESERVE


class AdmitFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who the subject is, admitted by hand: without application and certificate, and with no cap."""

    name: Name
    url: Url = ""
    participant: NodeId | None = None


class NoFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The subject says it all."""


def register_approvals(switch: SwitchNode, operators: Operators) -> None:
    """Let these be proposed at a switch."""
    acts, approvals = _Acts(switch, operators), operators.approvals
    approvals.register(ApprovalKind(ADMIT, AdmitFacts, acts.check_new, acts.admit))
    approvals.register(ApprovalKind(CAP_CHANGE, CapFacts, acts.check_node, acts.change_cap))
    approvals.register(ApprovalKind(RESERVE_CHANGE, ReserveFacts, acts.check_node, acts.change_reserve))
    approvals.register(ApprovalKind(SUSPEND, NoFacts, partial(acts.check_step, Step.SUSPEND), acts.suspend))
    approvals.register(ApprovalKind(RESUME, NoFacts, partial(acts.check_step, Step.RESUME), acts.resume))
    approvals.register(ApprovalKind(DEFAULT, NoFacts, acts.check_default, acts.declare_default))


class _Acts:
    """Each derives its ids from the approval's, so that it repeats without harm."""

    def __init__(self, switch: SwitchNode, operators: Operators) -> None:
        self._switch = switch
        self._operators = operators

    def check_new(self, node: str, _: AdmitFacts) -> None:
        try:
            msgspec.convert(node, NodeId)
        except msgspec.ValidationError as error:
            raise Refusal(SwitchReason.FIELD_INVALID, field="node", problem=str(error)) from None
        self._switch.lifecycle.check_by_hand(node)
        if self._switch.admission.stage(node) is not None:
            raise Refusal(SwitchReason.PARTICIPANT_EXISTS, participant=node, of=node)

    def admit(self, approval: Approval, facts: AdmitFacts, ended: Ended) -> None:
        """Two people, or an admin."""
        node = approval.subject
        self.check_new(node, facts)
        if approval.proposed_by == approval.decided_by:
            self._operators.named(approval.decided_by).check_role(Role.ADMIN)
        self._switch.admission.admit(
            node, facts.participant or node, facts.name, facts.url, by=_both(approval), reason=approval.reason
        )
        ended(_NOTHING_TO_SAY)

    def check_node(self, node: str, facts: CapFacts | ReserveFacts) -> None:
        self._switch.admission.staying(node)
        currency_of(facts.currency)
        if facts.currency not in self._switch.clearing.currencies:
            raise Refusal(SwitchReason.CURRENCY_NOT_CLEARED_HERE, currency=facts.currency)

    def check_step(self, step: Step, node: str, _: NoFacts) -> None:
        next_stage(node, Stage(self._switch.admission.participant(node).status), step)

    def check_default(self, window: str, _: NoFacts) -> None:
        self._switch.settlement.check_default(window)

    def change_cap(self, approval: Approval, facts: CapFacts, ended: Ended) -> None:
        def answered(status: TransferStatus) -> None:
            ended(_NOTHING_TO_SAY if status in TRANSFER_DONE else SwitchReason.CAP_CHANGE_CONFLICTS.name)

        admission = self._switch.admission
        change = admission.grant_cap if facts.change is CapChangeKind.GRANT else admission.lower_cap
        change(derive(approval.id, "cap"), approval.subject, currency_of(facts.currency), facts.amount, answered)

    def change_reserve(self, approval: Approval, facts: ReserveFacts, ended: Ended) -> None:
        """The intent first: what it takes is looked up beside the decision."""
        node, reserves = self._switch.node, self._switch.reserves
        move = reserves.top_up if facts.change is ReserveChangeKind.TOP_UP else reserves.withdraw

        def answered(reason: Reason | None) -> None:
            ended(reason.name if reason else _NOTHING_TO_SAY)
            self._switch.settlement.wake()  # Somebody may have waited for it.

        async def change() -> None:
            id_, currency = derive(approval.id, "reserve"), currency_of(facts.currency)
            try:
                await move(id_, approval.subject, currency, facts.amount, facts.fund, answered)
            except Refusal as refusal:
                answered(refusal.reason)
            node.journal.seal()

        self._switch.admission.participant(approval.subject)
        node.journal.effect(lambda: node.spawn(change()))

    def suspend(self, approval: Approval, _: NoFacts, ended: Ended) -> None:
        self._switch.admission.suspend(approval.subject, by=_both(approval), reason=approval.reason)
        ended(_NOTHING_TO_SAY)

    def resume(self, approval: Approval, _: NoFacts, ended: Ended) -> None:
        self._switch.admission.resume(approval.subject, by=_both(approval), reason=approval.reason)
        ended(_NOTHING_TO_SAY)

    def declare_default(self, approval: Approval, _: NoFacts, ended: Ended) -> None:
        self._switch.settlement.declare_default(approval.subject)
        ended(_NOTHING_TO_SAY)


def _both(approval: Approval) -> str:
    """Who did it."""
    if approval.proposed_by == approval.decided_by:
        return approval.decided_by
    return f"{approval.proposed_by}, approved by {approval.decided_by}"
