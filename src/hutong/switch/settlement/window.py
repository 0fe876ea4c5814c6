"""A settlement window: whose payments are settled together; and what has become of it."""

from datetime import date
from enum import Enum

import msgspec

from hutong.runtime.tables import BigInt, Boolean, Text, Uuid


class Window(msgspec.Struct, frozen=True):
    """One of a settlement date's windows; it takes what is decided before `closes_ns`."""

    settles_on: date
    number: int
    closes_ns: int

    @property
    def key(self) -> tuple[date, int]:
        """Windows are in the order of their keys."""
        return self.settles_on, self.number

    @property
    def id(self) -> str:
        """How everybody names it, in messages, files and talk: `2026-11-23/2`."""
        return f"{self.settles_on.isoformat()}/{self.number}"


class WindowState(Enum):
    """From the first payment to the last fen."""

    OPEN = "OPEN"  # It takes payments.
    CLOSED = "CLOSED"  # It takes no more; what everybody owes is being computed.
    NETTED = "NETTED"  # Obligations are computed, and equal what was posted.
    SETTLING = "SETTLING"  # The money moves: what a crash cut off here is taken up.
    SETTLED = "SETTLED"  # They are discharged.
    HALTED = "HALTED"  # Obligations differ from what was posted: people must look, and nothing is settled.


class WindowRow(msgspec.Struct, frozen=True, kw_only=True):
    """
    A window as it stands; its newest row says.

    `id` names its transfers. Every decision of the window, and every transfer of one, has a position behind
    `from_position`, and none behind `to_position`.
    """

    window: Text
    id: Uuid
    state: Text
    settles_on: Text
    number: BigInt
    closes_ns: BigInt  # By the calendar.
    from_position: BigInt
    to_position: BigInt = 0
    opened_ns: BigInt
    closed_ns: BigInt = 0
    settled_ns: BigInt = 0
    payments: BigInt = 0
    returns: BigInt = 0
    reason: Text = ""  # Why it is halted, or not settled yet.
    attempt: BigInt = 0  # To settle it.
    default_declared: Boolean = False  # Whoever does not cover what it owes is in default.

    def as_window(self) -> Window:
        """As the calendar has it."""
        return Window(date.fromisoformat(self.settles_on), self.number, self.closes_ns)
