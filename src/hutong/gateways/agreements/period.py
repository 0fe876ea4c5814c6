"""
How often, and how much, may be taken under an agreement: once in each period, and so much and so often at all.

A period begins on the day the first was to be taken, and then again after so many days or months. What is due may be taken
five days early; then the next period's has its turn.
"""

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from hutong.gateways.agreements.reasons import AgreementReason
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Integer, Table, Text, Uuid

FACT = "period_rule"  # In the facts of an agreement.
EARLY = timedelta(days=5)
DAYS_MIN = 7  # Of a period that is told in days.


class PeriodUnit(StrEnum):
    DAY = "DAY"
    MONTH = "MONTH"


class PeriodRule(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides agreed to."""

    unit: PeriodUnit
    count: int
    first: date
    single_max: int
    total_max: int = 0  # 0: as much as comes together.
    times_max: int = 0  # 0: as often as there are periods.

    def start(self, number: int) -> date:
        """The day on which a period's is due, counted from 0."""
        if self.unit is PeriodUnit.DAY:
            return self.first + timedelta(days=number * self.count)
        months = self.first.month - 1 + number * self.count
        year, month = self.first.year + months // 12, months % 12 + 1
        return date(year, month, min(self.first.day, monthrange(year, month)[1]))

    def at(self, day: date) -> int:
        """In which period's turn a day is. Refuses AGREEMENT_NOT_DUE before the first."""
        due = day + EARLY
        if due < self.first:
            raise Refusal(AgreementReason.AGREEMENT_NOT_DUE, due=self.first.isoformat())
        if self.unit is PeriodUnit.DAY:
            return (due - self.first).days // self.count
        number = ((due.year - self.first.year) * 12 + due.month - self.first.month) // self.count
        return number if self.start(number) <= due else number - 1

    def check(self, day: date, amount: int, taken: "list[AgreementTaking]") -> int:
        """
        The period in which so much may be taken, behind what was taken before.

        Refuses:  AGREEMENT_NOT_DUE; AGREEMENT_SINGLE_EXCEEDED; AGREEMENT_TOTAL_EXCEEDED; AGREEMENT_TIMES_EXCEEDED.
        """
        if amount > self.single_max:
            raise Refusal(AgreementReason.AGREEMENT_SINGLE_EXCEEDED, single_max=self.single_max)
        if self.times_max and len(taken) >= self.times_max:
            raise Refusal(AgreementReason.AGREEMENT_TIMES_EXCEEDED, times_max=self.times_max)
        if self.total_max and sum(each.amount for each in taken) + amount > self.total_max:
            raise Refusal(AgreementReason.AGREEMENT_TOTAL_EXCEEDED, total_max=self.total_max)
        number = self.at(day)
        if any(each.period == number for each in taken):
            raise Refusal(AgreementReason.AGREEMENT_NOT_DUE, due=self.start(number + 1).isoformat())
        return number

    def next_due(self, day: date, taken: "list[AgreementTaking]") -> date:
        """The day on which the next is due: this period's, where nothing was taken in it."""
        number = 0 if day + EARLY < self.first else self.at(day)
        while any(each.period == number for each in taken):
            number += 1
        return self.start(number)

    @property
    def shown(self) -> str:
        """As the person reads it."""
        every = f"每{self.count}{'天' if self.unit is PeriodUnit.DAY else '个月'}一次"
        most = f"每次至多¥{self.single_max // 100}.{self.single_max % 100:02d}"
        times = f"，共{self.times_max}次" if self.times_max else ""
        total = f"，总计至多¥{self.total_max // 100}.{self.total_max % 100:02d}" if self.total_max else ""
        return f"{every}，{most}{times}{total}"


class AgreementTaking(msgspec.Struct, frozen=True, kw_only=True):
    """One number under which something is taken of an agreement; whether it was, its order says."""

    id: Uuid
    agreement_id: Uuid
    out_trade_no: Text
    amount: BigInt
    period: Integer
    created_ns: BigInt


AGREEMENT_TAKINGS = Table("gateway_agreement_takings", AgreementTaking)
