"""
A deduction that is agreed to beforehand for one day: the person reads the day and the amount before they sign, and again
once the merchant has said how much it will be.

What is not scheduled is not taken. It is taken once, within a week from that day on, and never on the day it was scheduled:
so the person has a day at least in which to say no.
"""

from datetime import date, timedelta
from enum import StrEnum

import msgspec

from hutong.gateways.agreements.reasons import AgreementReason
from hutong.kernel.errors import Refusal

FACT = "deduct_schedule"  # In the facts of an agreement.
NOTICE = timedelta(days=1)
OPEN_FOR = timedelta(days=7)


class ScheduleState(StrEnum):
    NO_SCHEDULED = "NO_SCHEDULED"
    SCHEDULED = "SCHEDULED"  # Nothing was taken as yet; perhaps it was tried.
    PAID = "PAID"
    EXPIRED = "EXPIRED"  # The last day went by, and nothing was taken.


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """One version of it."""

    estimated_date: date
    estimated: int
    description: str
    scheduled: int = 0  # 0: not as yet.
    scheduled_on: date | None = None

    @property
    def end(self) -> date:
        """The last day on which it may be taken."""
        return self.estimated_date + OPEN_FOR - timedelta(days=1)

    @property
    def start(self) -> date:
        """The first day on which it may be taken, as far as is known."""
        if self.scheduled_on is None:
            return self.estimated_date
        return max(self.estimated_date, self.scheduled_on + NOTICE)

    def state_at(self, today: date, *, is_paid: bool) -> ScheduleState:
        if is_paid:
            return ScheduleState.PAID
        if today > self.end:
            return ScheduleState.EXPIRED
        return ScheduleState.NO_SCHEDULED if self.scheduled_on is None else ScheduleState.SCHEDULED

    def set(self, amount: int, today: date) -> "Schedule":
        """
        Scheduled today.

        Refuses:  AGREEMENT_DIFFERS for another amount than before; AGREEMENT_SINGLE_EXCEEDED; AGREEMENT_NOT_DUE where no day
                  would be left on which to take it.
        Repeats:  itself.
        """
        if self.scheduled_on is not None:
            if amount != self.scheduled:
                raise Refusal(AgreementReason.AGREEMENT_DIFFERS, field="schedule_amount")
            return self
        if amount > self.estimated:
            raise Refusal(AgreementReason.AGREEMENT_SINGLE_EXCEEDED, single_max=self.estimated)
        if today + NOTICE > self.end:
            raise Refusal(AgreementReason.AGREEMENT_NOT_DUE, due=self.estimated_date.isoformat())
        return msgspec.structs.replace(self, scheduled=amount, scheduled_on=today)

    def check(self, today: date, amount: int, *, is_taken: bool) -> None:
        """
        Whether so much may be taken today.

        Refuses:  AGREEMENT_TIMES_EXCEEDED behind the first; AGREEMENT_NOT_DUE before it is scheduled, and outside its days;
                  AGREEMENT_SINGLE_EXCEEDED.
        """
        if is_taken:
            raise Refusal(AgreementReason.AGREEMENT_TIMES_EXCEEDED, times_max=1)
        if self.scheduled_on is None or not self.start <= today <= self.end:
            raise Refusal(AgreementReason.AGREEMENT_NOT_DUE, due=self.start.isoformat())
        if amount > self.scheduled:
            raise Refusal(AgreementReason.AGREEMENT_SINGLE_EXCEEDED, single_max=self.scheduled)

    @property
    def shown(self) -> str:
        """As the person reads it."""
        amount, verb = (self.estimated, "预计") if self.scheduled_on is None else (self.scheduled, "将")
        return f"{self.description}：{self.start.isoformat()}起{verb}扣款一次，至多¥{amount // 100}.{amount % 100:02d}"
