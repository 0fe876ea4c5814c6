"""
What the scheme charges: interchange to the debtor agent and the switch fee, by trade and channel.

Schedules are dated and versioned data; a payment carries the version it was computed under. The default
charges nothing.
"""

from functools import lru_cache
from typing import Annotated

import msgspec

from hutong.runtime.tables import BigInt, Text
from hutong.scheme.messages import Channel

# Between people and towards one's own bank nobody is a merchant: nothing is ever charged.
FREE_CHANNELS = frozenset({Channel.PERSONAL_CODE, Channel.TOP_UP, Channel.WITHDRAWAL})


Rate = Annotated[int, msgspec.Meta(ge=0, le=5_000)]  # The two together never take the whole.


class FeeRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line: rates for the MCCs that begin with `mcc_prefix` (empty for all). The longest prefix wins."""

    mcc_prefix: Annotated[str, msgspec.Meta(pattern="^[0-9]{0,4}$")] = ""
    interchange_bps: Rate = 0
    switch_fee_bps: Rate = 0


class Fees(msgspec.Struct, frozen=True):
    """What one payment is charged, in basis points of A - E, and under which version."""

    interchange_bps: int
    switch_fee_bps: int
    version: str


class FeeSchedule(msgspec.Struct, frozen=True):
    """A version of the schedule, and from when it applies. `rules` is a JSON list of `FeeRule`."""

    version: Text
    starts_ns: BigInt
    rules: Text


NO_FEES = FeeSchedule(version="free-1", starts_ns=0, rules="[]")


@lru_cache(maxsize=64)
def _rules(text: str) -> tuple[FeeRule, ...]:
    rules = msgspec.json.decode(text, type=list[FeeRule])
    return tuple(sorted(rules, key=lambda rule: -len(rule.mcc_prefix)))


@lru_cache(maxsize=10_000)
def fees_of(schedule: FeeSchedule, mcc: str, channel: Channel) -> Fees:
    """The rates of one schedule for a trade and a channel."""
    if channel not in FREE_CHANNELS:
        for rule in _rules(schedule.rules):
            if mcc.startswith(rule.mcc_prefix):
                return Fees(rule.interchange_bps, rule.switch_fee_bps, schedule.version)
    return Fees(0, 0, schedule.version)


def schedule_at(schedules: list[FeeSchedule], now_ns: int) -> FeeSchedule:
    """The schedule in force: the latest to have started; of two with one start the later version's name."""
    started = [schedule for schedule in schedules if schedule.starts_ns <= now_ns]
    return max(started, key=lambda schedule: (schedule.starts_ns, schedule.version), default=NO_FEES)


def quoted_under(schedules: list[FeeSchedule], version: str, since_ns: int, now_ns: int) -> FeeSchedule | None:
    """The schedule of this version, if it was in force at any time between the two instants."""
    started = [NO_FEES, *(schedule for schedule in schedules if schedule.starts_ns <= now_ns)]
    started.sort(key=lambda schedule: (schedule.starts_ns, schedule.version))
    for number, schedule in enumerate(started, start=1):
        if schedule.version == version:
            replaced_ns = started[number].starts_ns if number < len(started) else now_ns
            return schedule if replaced_ns >= since_ns else None
    return None
