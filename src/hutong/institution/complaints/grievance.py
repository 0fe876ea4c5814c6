"""A grievance: one of our people complains of a payment, here or elsewhere."""

from enum import StrEnum

import msgspec

from hutong.runtime.tables import BigInt, Boolean, Integer, Table, Text, Uuid
from hutong.scheme.complaint import ComplaintStatus


class GrievanceState(StrEnum):
    """As the other side says, once it has said something."""

    SENDING = "SENDING"
    PENDING = ComplaintStatus.PENDING.value
    PROCESSING = ComplaintStatus.PROCESSING.value
    PROCESSED = ComplaintStatus.PROCESSED.value
    REFUSED = "REFUSED"  # By the network or the other side: `refusal` says why.
    NOT_DELIVERED = "NOT_DELIVERED"  # The other side has never answered.


OVER = frozenset({GrievanceState.PROCESSED, GrievanceState.REFUSED, GrievanceState.NOT_DELIVERED})


class Grievance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version. Its person has one act on its way at most: the next waits, so they arrive in order."""

    id: Uuid
    user_id: Uuid
    payment_id: Uuid
    creditor_agent: Text  # Our own node: the merchant is ours, too.
    payee_name: Text
    kind: Text
    currency: Text
    paid: BigInt
    asked: BigInt
    contact: Text
    state: Text
    ended: Text  # The act that ended it.
    turns: Integer
    act: Text  # The newest of its person's; `is_sending` until it is a turn or refused.
    act_id: Uuid
    act_text: Text
    act_pictures: Text
    act_ns: BigInt
    is_sending: Boolean
    refusal: Text  # Of that act; empty: none.
    refusal_code: Text
    answer_by_ns: BigInt
    created_ns: BigInt
    changed_ns: BigInt

    @property
    def is_open(self) -> bool:
        return self.state not in OVER


class GrievanceOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What somebody complains of."""

    grievance_id: int
    payment_id: int
    kind: str
    text: str
    amount: int = 0  # What the payer wants back; with `RFND` 0 is all of it.
    contact: str = ""
    pictures: tuple[str, ...] = ()


GRIEVANCES = Table("grievances", Grievance)
GRIEVANCE_PREFIX = "grv"
