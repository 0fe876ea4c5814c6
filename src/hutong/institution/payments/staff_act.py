"""What a member of staff did with money, kept beside what was done."""

from enum import StrEnum

import msgspec

from hutong.runtime.tables import BigInt, Table, Text, Uuid


class ActKind(StrEnum):
    ASKED = "ASKED"  # For a payment: by a code on the screen, or by the payer's.
    REFUNDED = "REFUNDED"


class StaffAct(msgspec.Struct, frozen=True, kw_only=True):
    """Who did it. Its id is that of the payment request, or of the refund on the network."""

    id: Uuid
    kind: Text
    member_id: Uuid
    approved_by: Uuid  # The member who stood by with their PIN; 0: nobody had to.
    at_ns: BigInt


STAFF_ACTS = Table("staff_acts", StaffAct)
