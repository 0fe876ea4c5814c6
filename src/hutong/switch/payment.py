"""
A payment or a return at the switch: what was asked, and how it was decided.

RESERVED is a row with no decision; a decision row ends it. A decision without a payment is a **tombstone**: an
enquiry, or a refusal, came before any reservation, and the payment can never happen any more.
"""

from functools import lru_cache

import msgspec

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import share_bps
from hutong.runtime.tables import BigInt, Bytes, Text, Uuid
from hutong.scheme.messages import CreditTransfer, PaymentReturn, PaymentStatus, TransactionStatus, hex_id, id_hex
from hutong.switch.fees import Fees
from hutong.switch.reason import SwitchReason

MS = 1_000_000  # Nanoseconds.
DEADLINE_MAX_NS = 600 * 1000 * MS

Instruction = CreditTransfer | PaymentReturn


class ClearedPayment(msgspec.Struct, frozen=True, gc=False):
    """
    What was reserved: one row per payment or return, written with its reservation.

    `paying_agent`'s position is debited: the debtor agent's for a payment, the creditor agent's for a return. `id`
    is derived from the originator and its own id, so that nobody can squat another's. `message` is
    the instruction as it is offered to the other agent, kept to be offered again.
    """

    id: Uuid
    payment_id: Uuid
    originator: Text
    debtor_agent: Text
    creditor_agent: Text
    amount_minor: BigInt
    settlement_minor: BigInt
    switch_fee_minor: BigInt
    currency: Text
    fee_version: Text
    expires_ns: BigInt
    reserved_ns: BigInt
    message: Bytes

    @property
    def paying_agent(self) -> str:
        """Whose position goes down: the one who asked."""
        return self.originator

    @property
    def paid_agent(self) -> str:
        """Whose position goes up, and who is asked to accept."""
        return self.creditor_agent if self.originator == self.debtor_agent else self.debtor_agent

    @property
    def is_return(self) -> bool:
        """A return is asked for by the agent that was paid."""
        return self.originator == self.creditor_agent


_STATUSES = {status.value: status for status in TransactionStatus}


class Decision(msgspec.Struct, frozen=True, gc=False):
    """How it ended: ACSC or RJCT with a reason; of a completed one also its settlement date and window."""

    id: Uuid
    payment_id: Uuid
    originator: Text
    status: Text
    reason_code: Text
    reason_name: Text
    settles_on: Text
    decided_ns: BigInt
    window: Text

    def message(self) -> PaymentStatus:
        """The pacs.002 that tells it to either agent."""
        return PaymentStatus(
            payment_id=id_hex(self.payment_id),
            originator=self.originator,
            status=_STATUSES[self.status],
            reason=self.reason_code,
            reason_name=self.reason_name,
            settles_on=self.settles_on,
            window=self.window,
        )


class Returned(msgspec.Struct, frozen=True, gc=False):
    """What completed returns have given back of one payment so far, and how much of that was the scheme's own fee."""

    id: Uuid  # The payment's row.
    amount_minor: BigInt
    switch_fee_minor: BigInt

    def plus(self, refund: PaymentReturn) -> "Returned":
        """With one return more."""
        return Returned(self.id, self.amount_minor + refund.amount, self.switch_fee_minor + refund.switch_fee)


@lru_cache(100_000)
def row_id(payment_id: str, originator: str) -> int:
    """The switch's own id for what `originator` calls `payment_id`: key of its rows, parent of its transfers."""
    return derive(hex_id(payment_id), originator)


def originator_of(instruction: Instruction) -> str:
    """Who minted the instruction's id."""
    return instruction.debtor_agent if isinstance(instruction, CreditTransfer) else instruction.creditor_agent


def own_id(instruction: Instruction) -> str:
    """What its originator calls it."""
    return instruction.payment_id if isinstance(instruction, CreditTransfer) else instruction.return_id


def check_payment(payment: CreditTransfer, fees: Fees, now_ns: int) -> None:
    """
    A payment's own arithmetic and deadline.

    Refuses:  AGENTS_ARE_THE_SAME, AMOUNTS_DO_NOT_ADD_UP, FEES_DIFFER, DEADLINE_PASSED, DEADLINE_TOO_FAR.
    Spec:     docs/scheme/fees.md, "What a payment carries".
    """
    if payment.debtor_agent == payment.creditor_agent:
        raise Refusal(SwitchReason.AGENTS_ARE_THE_SAME, agent=payment.debtor_agent)
    base = payment.amount - payment.creditor_discount
    if payment.settlement + payment.interchange + payment.switch_fee != base:
        raise Refusal(SwitchReason.AMOUNTS_DO_NOT_ADD_UP, amount=payment.amount, settlement=payment.settlement)
    interchange = share_bps(base, fees.interchange_bps)
    switch_fee = share_bps(base, fees.switch_fee_bps)
    if (payment.interchange, payment.switch_fee) != (interchange, switch_fee):
        raise Refusal(
            SwitchReason.FEES_DIFFER, interchange=interchange, switch_fee=switch_fee, fee_version=fees.version
        )
    _check_deadline(payment.expires_at_ms, now_ns)


def check_return(
    refund: PaymentReturn,
    original: ClearedPayment | None,
    decision: Decision | None,
    returned: Returned,
    now_ns: int,
) -> None:
    """
    A return against the payment it gives back, of which `returned` is gone or going back already.

    Refuses:  ORIGINAL_PAYMENT_UNKNOWN, unless it is a payment between the same agents in the same currency;
              ORIGINAL_PAYMENT_NOT_COMPLETED; AMOUNTS_DO_NOT_ADD_UP; RETURNS_EXCEED_PAYMENT, in all or in the
              switch fee: two agents must not get from the scheme what a third one paid; DEADLINE_PASSED,
              DEADLINE_TOO_FAR.
    Spec:     docs/scheme/return.md.
    """
    if (
        original is None
        or original.is_return
        or original.creditor_agent != refund.creditor_agent
        or original.currency != refund.currency
    ):
        raise Refusal(SwitchReason.ORIGINAL_PAYMENT_UNKNOWN, payment_id=refund.payment_id)
    if decision is None or decision.status != TransactionStatus.COMPLETED.value:
        raise Refusal(SwitchReason.ORIGINAL_PAYMENT_NOT_COMPLETED, payment_id=refund.payment_id)
    parts = refund.settlement + refund.creditor_discount + refund.interchange + refund.switch_fee
    if parts != refund.amount:
        raise Refusal(SwitchReason.AMOUNTS_DO_NOT_ADD_UP, amount=refund.amount, settlement=refund.settlement)
    total = returned.plus(refund)
    if total.amount_minor > original.amount_minor or total.switch_fee_minor > original.switch_fee_minor:
        raise Refusal(
            SwitchReason.RETURNS_EXCEED_PAYMENT,
            amount_left=original.amount_minor - returned.amount_minor,
            switch_fee_left=original.switch_fee_minor - returned.switch_fee_minor,
        )
    _check_deadline(refund.expires_at_ms, now_ns)


def _check_deadline(expires_at_ms: int, now_ns: int) -> None:
    expires_ns = expires_at_ms * MS
    if expires_ns <= now_ns:
        raise Refusal(SwitchReason.DEADLINE_PASSED, expires_at_ms=expires_at_ms)
    if expires_ns > now_ns + DEADLINE_MAX_NS:
        raise Refusal(SwitchReason.DEADLINE_TOO_FAR, expires_at_ms=expires_at_ms)


def reserved(instruction: Instruction, id_: int, message: bytes, now_ns: int) -> ClearedPayment:
    """The row of an instruction that was admitted."""
    return ClearedPayment(
        id=id_,
        payment_id=hex_id(own_id(instruction)),
        originator=originator_of(instruction),
        debtor_agent=instruction.debtor_agent,
        creditor_agent=instruction.creditor_agent,
        amount_minor=instruction.amount,
        settlement_minor=instruction.settlement,
        switch_fee_minor=instruction.switch_fee,
        currency=instruction.currency,
        fee_version=instruction.fee_version if isinstance(instruction, CreditTransfer) else "",
        expires_ns=instruction.expires_at_ms * MS,
        reserved_ns=now_ns,
        message=message,
    )
