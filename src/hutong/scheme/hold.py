"""The words of holds, as they travel: `docs/scheme/hold.md`."""

from enum import Enum


class HoldAct(Enum):
    """What a creditor agent wants of a hold."""

    OPEN = "OPEN"  # Whose code this is, let the merchant hold so much.
    RELEASE = "RLSE"  # So much is the payer's again; 0: everything, and the hold has ended.


class HoldStatus(Enum):
    """How a hold stands at the debtor agent, which alone knows."""

    PENDING = "PDNG"  # The payer is asked: nothing is held.
    HELD = "HELD"
    ENDED = "ENDD"  # Everything was taken or let go.
    REJECTED = "RJCT"  # Nothing is held, nor will be.
