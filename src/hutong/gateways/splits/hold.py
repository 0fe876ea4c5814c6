"""What is kept of one order for its receivers."""

from enum import StrEnum

import msgspec

from hutong.kernel.clock import NS_PER_DAY
from hutong.runtime.tables import BigInt, Integer, Table, Text, Uuid


class HoldState(StrEnum):
    """
    FREEZING -> FROZEN -> FINISHED, or FREEZING -> OPEN when the money was gone before it could be frozen.

    An order that was never to be frozen is OPEN once somebody splits it: its parts come from the merchant's balance.
    """

    FREEZING = "FREEZING"
    FROZEN = "FROZEN"
    OPEN = "OPEN"
    FINISHED = "FINISHED"  # The rest is the merchant's own: nothing can be split any more.


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """One version of it. Its id is the order's. `remaining` is what is frozen, as the ledger has it."""

    id: Uuid
    merchant_id: Uuid
    payment_id: Uuid
    gross: BigInt  # What the order was for.
    net: BigInt  # What the merchant got of it.
    remaining: BigInt
    state: Text
    due_day: Integer  # The day since 1970 on which what is left is unfrozen, whoever forgot.
    created_ns: BigInt
    changed_ns: BigInt


class TakingState(StrEnum):
    """WANTED -> TAKEN -> PUT_BACK, if the refund failed; NONE where there was nothing to take, or to put back."""

    WANTED = "WANTED"
    TAKEN = "TAKEN"
    PUTTING_BACK = "PUTTING_BACK"
    PUT_BACK = "PUT_BACK"
    NONE = "NONE"


class Taking(msgspec.Struct, frozen=True, kw_only=True):
    """One version of what a refund took of what was frozen. Its id is the refund's."""

    id: Uuid
    hold_id: Uuid
    amount: BigInt
    state: Text
    changed_ns: BigInt


HOLDS = Table("split_holds", Hold)
TAKINGS = Table("split_takings", Taking)


def day_number(at_ns: int) -> int:
    """The day since 1970, in UTC: for what happens once a day, whenever that is."""
    return at_ns // NS_PER_DAY
