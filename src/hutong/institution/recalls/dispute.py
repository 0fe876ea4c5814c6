"""A dispute: money of a payee of ours is asked back, and what is left of it is set aside until somebody decides."""

from enum import StrEnum

import msgspec

from hutong.institution.payments.matrix import Shares
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Boolean, SmallInt, Table, Text, Uuid
from hutong.scheme.messages import RecallAnswer, RecallRequest, RecallStatus, hex_id, id_hex


class DisputeState(StrEnum):
    BLOCKING = "BLOCKING"  # Written down; how much could be set aside is not known yet.
    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"  # It goes back, all or a part; tried again until the network takes it.
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"


class Stance(StrEnum):
    """What the payee says to it; the operator decides."""

    SILENT = ""
    CONSENTS = "CONSENTS"
    OBJECTS = "OBJECTS"


OPEN = frozenset({DisputeState.BLOCKING, DisputeState.OPEN})
ENDED = frozenset({DisputeState.RETURNED, DisputeState.REJECTED})


class Dispute(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of the answering side's case. One that was refused at once names no account, and holds nothing."""

    id: Uuid  # Derived: ids of recalls are unique per asker.
    recall_id: Uuid
    asker: Text  # The payer's node, the switch, or ourselves.
    payment_id: Uuid
    debtor_agent: Text
    merchant_id: Uuid  # 0: a person.
    user_id: Uuid
    account: Uuid  # The payee's.
    currency: Text
    asked: BigInt  # Of the gross amount.
    amount: BigInt  # As far as refunds had left any of it.
    blocks: SmallInt  # How often we set money aside: once, and again when the payee consents.
    blocked: BigInt
    reason: Text
    remark: Text
    stance: Text
    stance_remark: Text
    state: Text
    accepted: BigInt
    attempts: SmallInt  # Returns tried; `return_id` is the newest.
    return_id: Uuid
    retry_ns: BigInt  # 0: nothing to be tried again.
    answer_code: Text
    answer_name: Text
    operator: Text  # Who decided; empty: the deadline, or a rule.
    created_ns: BigInt
    answer_by_ns: BigInt
    decided_ns: BigInt
    released: Boolean  # What did not go back is the payee's again.

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    def differs(self, message: RecallRequest) -> bool:
        """Whether this comes under the id of another request."""
        return (self.payment_id, self.asked, self.currency, self.reason) != (
            hex_id(message.payment_id),
            message.amount,
            message.currency,
            message.reason.value,
        )

    def message(self) -> RecallAnswer:
        """How it stands, as the asker is told."""
        given = self.state in (DisputeState.ACCEPTED, DisputeState.RETURNED)
        status = RecallStatus.PENDING
        if self.state == DisputeState.REJECTED:
            status = RecallStatus.REJECTED
        elif given:
            status = RecallStatus.ACCEPTED if self.accepted == self.asked else RecallStatus.PARTIAL
        return RecallAnswer(
            recall_id=id_hex(self.recall_id),
            asker=self.asker,
            status=status,
            amount=self.accepted if given else 0,
            return_id=id_hex(self.return_id) if given else "",
            reason=self.answer_code,
            reason_name=self.answer_name,
        )


DISPUTES = Table("disputes", Dispute)


def dispute_id_of(recall_id: int, asker: str) -> int:
    """Our name of somebody's recall: nobody can squat another's."""
    return derive(recall_id, f"{asker}/dispute")


def block_id(dispute_id: int, number: int) -> int:
    """The transfer that sets money aside for the `number`-th time."""
    return derive(dispute_id, f"block/{number}")


def release_id(dispute_id: int) -> int:
    """The transfer that gives the payee what did not go back."""
    return derive(dispute_id, "release")


def refund_id_of(dispute_id: int, attempt: int) -> int:
    """Our own id of the return's `attempt`-th try: one that was refused stays refused."""
    return derive(dispute_id, f"return/{attempt}")


def cost(shares: Shares) -> int:
    """What a refund of these shares takes from the payee: its part of the merchant's fee comes back with it."""
    return shares.gross - shares.fee


def greatest_affordable(left: Shares, asked: int, blocked: int) -> int:
    """The greatest amount, of what is left of a payment and no more than is asked, that the blocked money pays for."""
    low, high = 0, min(asked, left.gross)
    while low < high:
        middle = (low + high + 1) // 2
        if cost(left.share(middle)) <= blocked:
            low = middle
        else:
            high = middle - 1
    return low


def refused_at_once(id_: int, message: RecallRequest, now_ns: int) -> Dispute:
    """A case that was refused at once, unless more is known."""
    return Dispute(
        id=id_,
        recall_id=hex_id(message.recall_id),
        asker=message.asker,
        payment_id=hex_id(message.payment_id),
        debtor_agent=message.debtor_agent,
        merchant_id=0,
        user_id=0,
        account=0,
        currency=message.currency,
        asked=message.amount,
        amount=0,
        blocks=1,
        blocked=0,
        reason=message.reason.value,
        remark="",
        stance=Stance.SILENT,
        stance_remark="",
        state=DisputeState.REJECTED,
        accepted=0,
        attempts=0,
        return_id=0,
        retry_ns=0,
        answer_code="",
        answer_name="",
        operator="",
        created_ns=now_ns,
        answer_by_ns=message.answer_by_ms * NS_PER_MS,
        decided_ns=0,
        released=True,
    )
