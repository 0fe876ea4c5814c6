"""What a person may still pay, and what was used of it: all from the policy in force."""

from collections.abc import Iterable, Iterator

import msgspec

from hutong.institution.policy.policy import COUNTERS, Limits, Policy
from hutong.scheme.messages import Channel

YEAR = "year"
_PAYERS = tuple(channel for channel in Channel if channel not in (Channel.TOP_UP, Channel.WITHDRAWAL))


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """One limit. `counted` is what is counted together: the year, or one of COUNTERS in a day."""

    counted: str
    limit: int
    used: int
    channels: list[str]  # Whose payments count: ISO 20022 `LclInstrm`, as in a payment.

    @property
    def left(self) -> int:
        return max(self.limit - self.used, 0)


class PinFree(msgspec.Struct, frozen=True):
    """Up to which amount a payment of this channel asks for no PIN; 0: it always does."""

    channel: str
    amount: int


class TierLimit(msgspec.Struct, frozen=True):
    """What a person of a tier may pay out of the balance in a year; None: as much as there is."""

    tier: int
    annual: int | None


class Allowances(msgspec.Struct, frozen=True, kw_only=True):
    """All limits of one person today."""

    policy: str
    tier: int
    allowances: list[Allowance]
    pin_free: list[PinFree]
    tiers: list[TierLimit]


def allowances(policy: Policy, tier: int, tiers: Iterable[int], spent_year: int, today: list[int]) -> Allowances:
    """What the policy allows a person of this tier, who has used `spent_year` this year and `today` of each counter."""
    of_year: list[Allowance] = []
    asked = list(_asked(policy, tier))
    counted = [(channel, limits) for channel, limits in asked if limits.counted and limits.annual is not None]
    for annual in sorted({limits.annual for _, limits in counted if limits.annual is not None}):
        channels = _channels(channel for channel, limits in counted if limits.annual == annual)
        of_year.append(Allowance(counted=YEAR, limit=annual, used=spent_year, channels=channels))
    of_day: list[Allowance] = []
    for counter, name in enumerate(COUNTERS):
        here = [(channel, limits) for channel, limits in asked if counter and limits.counter == counter]
        for daily in sorted({limits.daily for _, limits in here if limits.daily is not None}):
            channels = _channels(channel for channel, limits in here if limits.daily == daily)
            of_day.append(Allowance(counted=name, limit=daily, used=today[counter], channels=channels))
    return Allowances(
        policy=policy.version,
        tier=tier,
        allowances=[*of_year, *of_day],
        pin_free=[
            PinFree(channel.value, policy.limits(channel, tier, verified=False).pin_free)
            for channel in (*_PAYERS, Channel.WITHDRAWAL)
        ],
        tiers=[TierLimit(each, policy.limits(Channel.DYNAMIC_CODE, each, verified=True).annual) for each in tiers],
    )


def _asked(policy: Policy, tier: int) -> Iterator[tuple[Channel, Limits]]:
    """What the policy says of everything a person can pay, with the PIN and without it."""
    for channel in _PAYERS:
        for verified in (True, False):
            yield channel, policy.limits(channel, tier, verified=verified)


def _channels(found: Iterable[Channel]) -> list[str]:
    return list(dict.fromkeys(channel.value for channel in found))
