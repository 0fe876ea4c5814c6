"""The decision tables of one date, and the choice of the date. Each distinct question is asked of a table once."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from datetime import time as time_of_day
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
from zen import ZenEngine

from hutong.institution.policy.decision_table import DecisionTable, read_table
from hutong.kernel.clock import instant, instant_ns
from hutong.kernel.money import share_bps
from hutong.scheme.messages import Channel

TABLES = ("annual", "daily", "pin", "fee", "recall", "complaint")
COUNTERS = ("none", "static", "unverified", "verified")
_SATURDAY = 5


class Limits(msgspec.Struct, frozen=True, gc=False):
    """What one payment may be, by its channel, its payer's tier and whether the PIN was given; None: no bound here."""

    counter: int  # What is counted together in a day: an index of COUNTERS, of which the first counts nothing.
    pin_free: int  # Up to this amount no PIN is asked.
    counted: bool  # Whether it counts towards the year.
    annual: int | None = None  # Out of the balance in a calendar year.
    daily: int | None = None


class MerchantFee(msgspec.Struct, frozen=True, gc=False):
    """How a merchant's fee comes from its basis points."""

    rounding: str
    fee_min: int

    def of(self, amount: int, fee_bps: int) -> int:
        """The fee of one payment, never more than the payment."""
        match self.rounding:
            case "none":
                return 0
            case "half_up":
                fee = share_bps(amount, fee_bps)
            case "down":
                fee = amount * fee_bps // 10_000
            case _:
                raise AssertionError(self.rounding)
        return min(max(fee, self.fee_min), amount)


class RecallTerms(msgspec.Struct, frozen=True, gc=False):
    """What a recall for one reason is held to."""

    allowed: bool  # Whether who asks may ask for this reason.
    months: int  # How long after the payment; 0: `banking_days` say it.
    banking_days: int
    answer_hours: int  # Unanswered for so long, it is rejected.
    desk: bool  # Whether the institution's desk approves it before it is sent.

    def until(self, paid_on: date) -> date:
        """The last day on which a payment of `paid_on` may be recalled. Banking days are Monday to Friday."""
        if self.months:
            year, month = divmod(paid_on.year * 12 + paid_on.month - 1 + self.months, 12)
            days = monthrange(year, month + 1)[1]
            return date(year, month + 1, min(paid_on.day, days))
        day, left = paid_on, self.banking_days
        while left:
            day += timedelta(days=1)
            left -= day.weekday() < _SATURDAY
        return day


class ComplaintTerms(msgspec.Struct, frozen=True, gc=False):
    """What a complaint of one kind is held to."""

    days: int  # How long after the payment it may be opened.
    answer_hours: int  # How soon a merchant should answer what the payer said.
    complete_hours: int  # And how soon behind its answer it should be done.
    continue_days: int  # How long the payer may still be discontent with what was completed.
    times_max: int  # How often the payer may complain in one: opening it, and continuing.
    daily_max: int  # How many one payer may open in a day.
    picture_days: int  # How long its pictures are kept behind its end.


class Policy:
    """All tables of one version. A table answers the same question the same way, so each is asked once."""

    def __init__(self, version: str, effective_from: date, tables: Mapping[str, str]) -> None:
        assert len(version) <= 35  # It travels as Max35Text.
        self.version = version
        self.effective_from = effective_from
        self._documents = tables
        self._engine = ZenEngine()
        self._decisions = {name: self._engine.create_decision(tables[name]) for name in TABLES}
        self._limits: dict[tuple[Channel, int, bool], Limits] = {}
        self._fees: dict[tuple[Channel, bool], MerchantFee] = {}
        self._complaints: dict[str, ComplaintTerms] = {}

    @property
    def tables(self) -> list[DecisionTable]:
        """The tables as people read them."""
        return [read_table(name, self._documents[name]) for name in TABLES]

    def limits(self, channel: Channel, tier: int, *, verified: bool) -> Limits:
        """What a payment of this channel by a person of this tier may be."""
        limits = self._limits.get((channel, tier, verified))
        if limits is None:
            facts = {"channel": channel.value, "tier": tier, "verified": verified}
            answer = self._ask("annual", facts) | self._ask("daily", facts) | self._ask("pin", facts)
            answer["counter"] = COUNTERS.index(answer["counter"])
            limits = self._limits[channel, tier, verified] = msgspec.convert(answer, Limits)
        return limits

    def merchant_fee(self, channel: Channel, *, merchant: bool) -> MerchantFee:
        """How the fee of a payment of this channel is computed."""
        fee = self._fees.get((channel, merchant))
        if fee is None:
            answer = self._ask("fee", {"channel": channel.value, "merchant": merchant})
            fee = self._fees[channel, merchant] = msgspec.convert(answer, MerchantFee)
        return fee

    def recall(self, reason: str, by: str) -> RecallTerms:
        """What a recall for this reason by `payer`, `operator` or `switch` is held to."""
        return msgspec.convert(self._ask("recall", {"reason": reason, "by": by}), RecallTerms)

    def complaint(self, kind: str) -> ComplaintTerms:
        """What a complaint of this kind is held to."""
        terms = self._complaints.get(kind)
        if terms is None:
            terms = self._complaints[kind] = msgspec.convert(self._ask("complaint", {"kind": kind}), ComplaintTerms)
        return terms

    def _ask(self, table: str, facts: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._decisions[table].evaluate(facts)["result"]
        assert answer, f"no row of {table} in {self.version} matches {facts}"
        return answer


class Policies:
    """The policies an institution follows, by date; and its calendar, since limits are per local day and year."""

    def __init__(self, policies: list[Policy], zone: tzinfo) -> None:
        assert policies
        self._policies = sorted(policies, key=lambda policy: policy.effective_from)
        self._zone = zone
        self._begins_ns = self._ends_ns = 0
        self._today: tuple[Policy, int, int] = (self._policies[0], 0, 0)

    def today(self, now_ns: int) -> tuple[Policy, int, int]:
        """The policy in force, the local day (an ordinal) and the local year. Asked for every payment: remembered."""
        if not self._begins_ns <= now_ns < self._ends_ns:
            self._turn_to(now_ns)
        return self._today

    def day_of(self, ns: int) -> tuple[int, int]:
        """The local day and year of another moment."""
        if self._begins_ns <= ns < self._ends_ns:
            return self._today[1:]
        day = instant(ns).astimezone(self._zone).date()
        return day.toordinal(), day.year

    def date_of(self, ns: int) -> date:
        """The local date of a moment."""
        return instant(ns).astimezone(self._zone).date()

    def everything(self) -> list[tuple[Policy, date | None]]:
        """Every version, the newest first, and the last day it is in force: None, as far as is known."""
        ends = [*(policy.effective_from - timedelta(days=1) for policy in self._policies[1:]), None]
        return list(zip(self._policies, ends, strict=True))[::-1]

    def _turn_to(self, now_ns: int) -> None:
        day = instant(now_ns).astimezone(self._zone).date()
        self._begins_ns = self._midnight_ns(day)
        self._ends_ns = self._midnight_ns(day + timedelta(days=1))
        in_force = [policy for policy in self._policies if policy.effective_from <= day]
        assert in_force, f"no policy is in force on {day}"
        self._today = in_force[-1], day.toordinal(), day.year

    def _midnight_ns(self, day: date) -> int:
        return instant_ns(datetime.combine(day, time_of_day(), self._zone))


def shipped_policies(name: str, zone: tzinfo) -> Policies:
    """The policies of this name that come with hutong, such as `cn`."""
    return Policies(_shipped(name), zone)


@cache
def _shipped(name: str) -> list[Policy]:
    """Read once, for all institutions of this process and all their lives: what is remembered of a table is only its answers."""
    folders = [folder for folder in files("hutong.institution.policy").iterdir() if folder.name.startswith(f"{name}-")]
    return [read_policy(folder) for folder in folders]


def read_policy(folder: Traversable) -> Policy:
    """A policy from its folder, `<name>-<date>`."""
    effective_from = date.fromisoformat(folder.name[-10:])
    tables = {table: folder.joinpath(f"{table}.json").read_text("utf-8") for table in TABLES}
    return Policy(folder.name, effective_from, tables)
