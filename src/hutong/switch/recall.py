"""A recall at the switch: who asked for which payment back, when, and what the payee's node said."""

import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Reason, Refusal
from hutong.runtime.tables import BigInt, Bytes, Table, Text, Uuid
from hutong.scheme.messages import (
    RecallAnswer,
    RecallRequest,
    RecallStatus,
    TransactionStatus,
    hex_id,
    id_hex,
)
from hutong.switch.payment import ClearedPayment, Decision, Returned
from hutong.switch.reason import SwitchReason

ASKED = "ASKED"  # No answer yet; else the status of the newest one.
_FINAL = frozenset({RecallStatus.ACCEPTED.value, RecallStatus.PARTIAL.value, RecallStatus.REJECTED.value})


class Recall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version. What the switch itself refused has an answer at once, and was sent to nobody."""

    id: Uuid  # Derived from the asker and its own id.
    recall_id: Uuid
    asker: Text  # The debtor agent; or the switch, by a legal order.
    payment_id: Uuid
    debtor_agent: Text
    creditor_agent: Text
    currency: Text
    amount_minor: BigInt
    reason: Text
    status: Text
    accepted_minor: BigInt
    return_id: Uuid
    answer_code: Text
    answer_name: Text
    refused: Text  # The switch's own no; empty: the payee's node answers.
    operator: Text  # Who ordered it, where the switch asks.
    asked_ns: BigInt
    answer_by_ns: BigInt
    answered_ns: BigInt
    message: Bytes

    @property
    def is_final(self) -> bool:
        return self.status in _FINAL

    def is_overdue(self, now_ns: int) -> bool:
        """Nobody has decided in time."""
        return not self.is_final and now_ns > self.answer_by_ns

    def answer(self) -> RecallAnswer:
        """The camt.029 that tells how it stands."""
        return RecallAnswer(
            recall_id=id_hex(self.recall_id),
            asker=self.asker,
            status=RecallStatus.PENDING if self.status == ASKED else RecallStatus(self.status),
            amount=self.accepted_minor,
            return_id=id_hex(self.return_id) if self.return_id else "",
            reason=self.answer_code,
            reason_name=self.answer_name,
        )

    def answered(self, message: RecallAnswer, now_ns: int) -> "Recall":
        """With what the payee's node says; unchanged by what is late or out of order."""
        if self.refused or (message.status is RecallStatus.PENDING and self.status != ASKED):
            return self
        same = (self.status, self.accepted_minor, self.return_id, self.answer_code, self.answer_name)
        told = (
            message.status.value,
            message.amount,
            hex_id(message.return_id or "0"),
            message.reason,
            message.reason_name,
        )
        if same == told:
            return self
        status, accepted, return_id, code, name = told
        return msgspec.structs.replace(
            self,
            status=status,
            accepted_minor=accepted,
            return_id=return_id,
            answer_code=code,
            answer_name=name,
            answered_ns=now_ns,
        )


RECALLS = Table("recall", Recall)


def recall_of(id_: int, request: RecallRequest, message: bytes, now_ns: int, operator: str = "") -> Recall:
    """The row of a request that goes on to the payee's node."""
    return Recall(
        id=id_,
        recall_id=hex_id(request.recall_id),
        asker=request.asker,
        payment_id=hex_id(request.payment_id),
        debtor_agent=request.debtor_agent,
        creditor_agent=request.creditor_agent,
        currency=request.currency,
        amount_minor=request.amount,
        reason=request.reason.value,
        status=ASKED,
        accepted_minor=0,
        return_id=0,
        answer_code="",
        answer_name="",
        refused="",
        operator=operator,
        asked_ns=now_ns,
        answer_by_ns=request.answer_by_ms * NS_PER_MS,
        answered_ns=0,
        message=message,
    )


def refused(recall: Recall, reason: Reason, now_ns: int) -> Recall:
    """The row of a request that the switch itself says no to."""
    return msgspec.structs.replace(
        recall,
        status=RecallStatus.REJECTED.value,
        answer_code=reason.iso_code,
        answer_name=reason.name,
        refused=reason.name,
        answered_ns=now_ns,
    )


def check_recall(
    request: RecallRequest, original: ClearedPayment | None, decision: Decision | None, returned: Returned | None
) -> None:
    """
    A recall against the payment it asks back, of which `returned` has gone back already.

    Refuses:  ORIGINAL_PAYMENT_UNKNOWN, unless it is a payment between these agents in this currency;
              ORIGINAL_PAYMENT_NOT_COMPLETED; RECALL_EXCEEDS_PAYMENT, less what was returned.
    Spec:     docs/scheme/recall.md.
    """
    if (
        original is None
        or original.is_return
        or original.creditor_agent != request.creditor_agent
        or original.currency != request.currency
    ):
        raise Refusal(SwitchReason.ORIGINAL_PAYMENT_UNKNOWN, payment_id=request.payment_id)
    if decision is None or decision.status != TransactionStatus.COMPLETED.value:
        raise Refusal(SwitchReason.ORIGINAL_PAYMENT_NOT_COMPLETED, payment_id=request.payment_id)
    left = original.amount_minor - (returned.amount_minor if returned is not None else 0)
    if request.amount > left:
        raise Refusal(SwitchReason.RECALL_EXCEEDS_PAYMENT, amount_left=left)
