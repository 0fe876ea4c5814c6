"""
A person's history: what came and went, what is under way and what did not happen; a month in sums; a payment's whole life.

Sums are differences of balances that the ledger kept, so they equal its statement to the fen, however many lines it has.
"""

import re
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from enum import StrEnum
from typing import Self
from zoneinfo import ZoneInfo

import msgspec

from hutong.institution.payments.payment import Outcome, Payment, PaymentState
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.statement import Direction, LineKind
from hutong.kernel.clock import instant, instant_ns
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency, parse_amount

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
QUERY_LENGTH_MAX = 70


class EntryKind(StrEnum):
    """What an entry is to whose history it is in."""

    PAID = "PAID"
    RECEIVED = "RECEIVED"
    REFUND = "REFUND"
    TOP_UP = "TOP_UP"  # Own money that came in: from a bank, or from outside of all nodes.
    WITHDRAWAL = "WITHDRAWAL"  # Own money that left.
    RED_PACKET = "RED_PACKET"  # Put into one, claimed from one, or come back from one.
    REWARD = "REWARD"  # From a campaign: for inviting, say.
    OTHER = "OTHER"  # Disputes, corrections.


_OWN_MONEY = frozenset({LineKind.TOP_UP, LineKind.WITHDRAWAL, LineKind.PAID_IN, LineKind.PAID_OUT})


def kind_of(line: LineKind, direction: Direction) -> EntryKind:
    """What a line of the statement is in a history."""
    if line in _OWN_MONEY:
        return EntryKind.TOP_UP if direction is Direction.IN else EntryKind.WITHDRAWAL
    if line is LineKind.REFUND:
        return EntryKind.REFUND
    if line in (LineKind.PAYMENT, LineKind.DISCOUNT):
        return EntryKind.RECEIVED if direction is Direction.IN else EntryKind.PAID
    if line is LineKind.RED_PACKET:
        return EntryKind.RED_PACKET
    if line is LineKind.REWARD:
        return EntryKind.REWARD
    if line in (LineKind.SPLIT, LineKind.TRANSFER) and direction is Direction.IN:
        return EntryKind.RECEIVED
    return EntryKind.OTHER


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry: money that moved, is held, or was let go again."""

    cursor: int  # Its time in nanoseconds, of no other entry.
    kind: EntryKind
    direction: Direction
    state: PaymentState
    amount: int
    payment_id: int  # 0: of no payment.
    counterparty: str
    remark: str
    refunded: int = 0  # Of what was paid: given back so far.
    refunding: int = 0  # Under way.


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: words in names and remarks, or an amount; of one kind; in one stretch of time."""

    words: str = ""
    kind: EntryKind | None = None
    since_ns: int = 0
    until_ns: int = 0  # 0: until now.

    def finds(self, entry: Entry) -> bool:
        """Whether an entry is among what is looked for."""
        if self.kind is not None and entry.kind is not self.kind:
            return False
        words = self.words.casefold()
        if not words or words in f"{entry.counterparty}\n{entry.remark}".casefold():
            return True
        return self.amount == entry.amount

    @property
    def amount(self) -> int | None:
        """The amount the words are, if they are one: `12.8` and `¥12.80` alike."""
        try:
            return parse_amount(self.words.strip().removeprefix("¥").replace(",", ""), Currency.CNY)
        except Refusal:
            return None


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, newest first. `next_cursor` is where to go on looking; None at the end."""

    entries: list[Entry]
    next_cursor: int | None


class Month(msgspec.Struct, frozen=True, order=True):
    """A month of the institution's calendar."""

    year: int
    number: int

    @classmethod
    def read(cls, text: str) -> Self | None:
        """`2026-11`; None for what is no month of this century."""
        spelled = _MONTH.fullmatch(text)
        return cls(int(spelled[1]), int(spelled[2])) if spelled else None

    @classmethod
    def of(cls, ns: int, zone: ZoneInfo) -> Self:
        day = instant(ns).astimezone(zone)
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02d}"

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def later(self) -> "Month":
        year, number = divmod(self.year * 12 + self.number, 12)
        return Month(year, number + 1)

    @property
    def earlier(self) -> "Month":
        year, number = divmod(self.year * 12 + self.number - 2, 12)
        return Month(year, number + 1)

    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(days=n) for n in range((self.later.first - self.first).days)]

    def span_ns(self, zone: ZoneInfo) -> tuple[int, int]:
        """From its first nanosecond to the one before the next month's."""
        return midnight_ns(self.first, zone), midnight_ns(self.later.first, zone)


class DayFlow(msgspec.Struct, frozen=True):
    """What moved in a day."""

    day: date
    came: int
    went: int


class MonthSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A month in sums, in minor units. `came` is all that came, `refunded` the part of it that had been paid before."""

    month: Month
    came: int
    went: int
    refunded: int
    days: list[DayFlow]  # Those that have begun.


class StepKind(StrEnum):
    """What happened to a payment."""

    ASKED = "ASKED"  # The till of the other side asked for it.
    CONFIRMED = "CONFIRMED"
    HELD = "HELD"  # The payer's money is set aside, and the order on its way to the switch.
    OFFERED = "OFFERED"  # At the payee's: it came in, and was accepted.
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"
    REFUND_BEGUN = "REFUND_BEGUN"
    REFUNDED = "REFUNDED"
    REFUND_REJECTED = "REFUND_REJECTED"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a payment, and when."""

    kind: StepKind
    at_ns: int
    amount: int = 0  # Of a refund.
    reason: str = ""  # Why not: the name of a `Reason`, ours or the network's.
    remark: str = ""


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """A payment from its first step to its last so far, as one of its two sides sees it."""

    payment: Payment | Receipt
    outcome: Outcome | None
    direction: Direction
    steps: list[Step]  # As they happened.

    @property
    def state(self) -> PaymentState:
        return state_of(self.outcome)

    @property
    def refunded(self) -> int:
        return sum(step.amount for step in self.steps if step.kind is StepKind.REFUNDED)

    @property
    def refunding(self) -> int:
        """What of it is on its way back, undecided as yet."""
        ended = (StepKind.REFUNDED, StepKind.REFUND_REJECTED)
        begun = sum(step.amount for step in self.steps if step.kind is StepKind.REFUND_BEGUN)
        return begun - sum(step.amount for step in self.steps if step.kind in ended)


def state_of(outcome: Outcome | None) -> PaymentState:
    """How something stands: without an outcome it is pending."""
    if outcome is None:
        return PaymentState.PENDING
    return PaymentState.COMPLETED if outcome.completed else PaymentState.REJECTED


def midnight_ns(day: date, zone: ZoneInfo) -> int:
    """When a day begins."""
    return instant_ns(datetime.combine(day, time_of_day(), zone))
