"""A campaign that gives money at once, how often it does, and what each person got."""

import hashlib
import re
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from hutong.gateways.cash_campaigns.reasons import CashReason
from hutong.institution.merchants.merchant import reference_key
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import Randomness
from hutong.runtime.tables import BigInt, Boolean, Integer, SmallInt, Table, Text, Uuid

NUMBER_DIGITS = 32
COUNT_MAX = 1_000_000
DAYS_MAX = 184  # Six months.
FREQUENCY = re.compile(r"[DWML][1-9][0-9]{0,2}(\|[DWML][1-9][0-9]{0,2}){0,3}")


class CashState(StrEnum):
    """How it stands: its campaign says."""

    CREATED = "CREATED"
    READY = "READY"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"
    SETTLED = "SETTLED"  # Over, and what it did not give is home.


class CashDraft(msgspec.Struct, frozen=True, kw_only=True):
    """`count` times, `total` in all: the same each time, or by chance between a half and one and a half of that."""

    name: str
    message: str
    is_random: bool
    count: int
    total: int
    frequency: str
    from_ns: int
    until_ns: int

    def check(self, now_ns: int) -> None:
        """Refuses CASH_TERMS_UNSOUND, naming the field."""
        wrong = ""
        if not 0 < self.count <= COUNT_MAX:
            wrong = "total_num"
        elif self.total < self.count or (not self.is_random and self.total % self.count):
            wrong = "total_money"
        elif not FREQUENCY.fullmatch(self.frequency):
            wrong = "send_freqency"  # So spelled by the vendor.
        elif not max(self.from_ns, now_ns) < self.until_ns <= now_ns + DAYS_MAX * 86_400 * 10**9:
            wrong = "end_time"
        if wrong:
            raise Refusal(CashReason.CASH_TERMS_UNSOUND, field=wrong)


class CashCampaign(msgspec.Struct, frozen=True, kw_only=True):
    """One version. Its id is its campaign's, too; that one knows its name, its times and what it gives in all."""

    id: Uuid
    account_id: Uuid  # Who made it.
    merchant_id: Uuid
    number: Text  # The vendor's.
    number_key: Uuid
    message: Text
    is_random: Boolean
    count: Integer
    frequency: Text
    starting: Boolean  # Its money is on its way: see `SetAside`.
    attempt: SmallInt
    started_ns: BigInt
    taken_home: BigInt
    last_home: BigInt
    created_ns: BigInt


class CashPrize(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That a person got money. It never changes; its id is its award's."""

    id: Uuid
    campaign_id: Uuid
    account_id: Uuid
    person_id: Uuid
    person_key: Uuid
    number: Text  # The merchant's; empty where it said none.
    place: Integer  # From 1.
    amount: BigInt
    at_ns: BigInt


CAMPAIGNS = Table("cash_campaigns", CashCampaign)
PRIZES = Table("cash_prizes", CashPrize)


def number_key(number: str) -> int:
    """By what a campaign is found."""
    return reference_key(0, f"cash campaign/{number}")


def person_key(campaign_id: int, person_id: int) -> int:
    """By what a person's prizes of a campaign are found."""
    return reference_key(campaign_id, f"cash prizes/{person_id:032x}")


def number_of(id_: int) -> str:
    """The vendor's number of a campaign."""
    drawn = int.from_bytes(hashlib.blake2b(id_.to_bytes(16, "big"), digest_size=16, person=b"hutong cash").digest())
    return f"{drawn % 10**NUMBER_DIGITS:0{NUMBER_DIGITS}d}"


def bounds(campaign: CashCampaign, total: int, given: int, times: int) -> tuple[int, int]:
    """
    Between what the next one may be, where `times` got `given`: a half and one and a half of what each would get.

    The others can then still be between these, and use all that is left.
    """
    left, others = total - given, campaign.count - times - 1
    each = total // campaign.count
    least, most = min(-(-total // (2 * campaign.count)), each), max(3 * total // (2 * campaign.count), each + 1)
    if not campaign.is_random:
        least = most = each
    low, high = max(least, left - others * most), min(most, left - others * least)
    assert 0 < low <= high
    return low, high


def share(campaign: CashCampaign, total: int, given: int, times: int, randomness: Randomness) -> int:
    """What the next person gets, where `times` persons got `given`. The last one leaves nothing."""
    low, high = bounds(campaign, total, given, times)
    return low + randomness.getrandbits(64) % (high - low + 1)


def check_frequency(frequency: str, days: list[date], today: date) -> None:
    """Refuses CASH_PERSON_HAD_ENOUGH, where `days` are those on which a person got something."""
    weeks = today - timedelta(days=today.weekday())
    for rule in frequency.split("|"):
        match rule[0]:
            case "D":
                counted = [day for day in days if day == today]
            case "W":
                counted = [day for day in days if day >= weeks]
            case "M":
                counted = [day for day in days if (day.year, day.month) == (today.year, today.month)]
            case _:
                counted = days
        if len(counted) >= int(rule[1:]):
            raise Refusal(CashReason.CASH_PERSON_HAD_ENOUGH, rule=rule)
