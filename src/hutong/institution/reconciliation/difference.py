"""A difference: one line that the clearing file and our own books do not tell alike."""

from enum import Enum

import msgspec


class Direction(Enum):
    """Which way a line moves the node's position at the switch."""

    DEBIT = "DEBIT"  # Down: our user paid, or our merchant gave back.
    CREDIT = "CREDIT"  # Up.


class DifferenceKind(Enum):
    """What is wrong with a line."""

    MISSING_HERE = "MISSING_HERE"  # The switch cleared it, and our books know nothing of it in this window.
    MISSING_THERE = "MISSING_THERE"  # Our books completed it in this window, and the switch did not clear it.
    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"


class Standing(Enum):
    """How a line that is missing here stands in our books otherwise."""

    UNKNOWN = "UNKNOWN"  # No trace of it.
    PENDING = "PENDING"  # Held, and we have not heard the decision.
    REJECTED = "REJECTED"
    OTHER_WINDOW = "OTHER_WINDOW"  # Completed, and noted under another window.
    COMPLETED = "COMPLETED"  # In this window.


class Proposal(Enum):
    """What puts a difference right."""

    ENQUIRE = "ENQUIRE"  # Ask the switch again; its answer completes the payment, and the line matches.
    BOOK_TO_SUSPENSE = "BOOK_TO_SUSPENSE"  # Move clearing to what the switch says, against the suspense account.
    EXPLAIN = "EXPLAIN"  # No money is wrong: say why, and the case is closed.


class Line(msgspec.Struct, frozen=True, order=True):
    """What names a line on both sides: ids are unique for the node that minted them."""

    kind: str  # PAYMENT or RETURN.
    originator: str
    id: str  # 32 lower-case hexadecimal digits.
    direction: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """
    One line, and what either side says it moved; None where it does not have the line.

    Amounts are what the line moves on the node's position, in minor units, unsigned: `direction` has the sign.
    """

    line: Line
    currency: str
    here: int | None
    there: int | None

    @property
    def kind(self) -> DifferenceKind:
        if self.here is None:
            return DifferenceKind.MISSING_HERE
        return DifferenceKind.MISSING_THERE if self.there is None else DifferenceKind.AMOUNT_DIFFERS

    @property
    def clearing_debit(self) -> int:
        """By how much our clearing account has to be debited to mirror the switch; negative: credited."""
        missing = (self.there or 0) - (self.here or 0)
        return missing if self.line.direction == Direction.CREDIT.value else -missing


def proposal_for(difference: Difference, standing: Standing) -> Proposal:
    """What to do about a difference, given how the line stands in our books."""
    if standing is Standing.PENDING:
        return Proposal.ENQUIRE
    if standing is Standing.OTHER_WINDOW or not difference.clearing_debit:
        return Proposal.EXPLAIN
    return Proposal.BOOK_TO_SUSPENSE
