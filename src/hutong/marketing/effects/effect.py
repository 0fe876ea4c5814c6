"""Treated units against those held out: the difference of their means, and the interval it lies in (Welch)."""

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Self

import msgspec

from hutong.marketing.effects.student import margin

CONFIDENCE = 0.95
UNITS_MIN = 30  # In each arm: below it a mean says little, whatever a formula makes of it.


class Verdict(StrEnum):
    """What may be said."""

    TOO_FEW = "TOO_FEW"  # To say anything.
    NOT_SEEN = "NOT_SEEN"  # No difference beyond chance.
    MORE = "MORE"  # The treated do more.
    LESS = "LESS"


class Sample(msgspec.Struct, frozen=True):
    """What is to be known of an arm: how many units, the sum of their values and of its squares. All exact."""

    units: int = 0
    total: int = 0
    squares: int = 0

    @classmethod
    def of(cls, values: Iterable[int]) -> Self:
        kept = list(values)
        return cls(len(kept), sum(kept), sum(value * value for value in kept))

    @property
    def mean(self) -> Fraction:
        return Fraction(self.total, self.units) if self.units else Fraction(0)

    @property
    def variance(self) -> Fraction:
        """Of the values, estimated; exact, so that nothing is lost by subtracting large numbers."""
        return (self.squares - self.total * self.mean) / (self.units - 1)


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """
    A difference, in thousandths of what was counted (a payment; a fen). `low` and `high` are the interval's ends.

    `extra` is what all treated units together did more, if the difference is what it is most likely to be; in whole ones.
    """

    verdict: Verdict
    treated: int
    held_out: int
    treated_mean: int = 0
    held_out_mean: int = 0
    difference: int = 0
    low: int = 0
    high: int = 0
    extra: int = 0


def effect(treated: Sample, held_out: Sample) -> Effect:
    """Welch's interval: the arms differ in size, and their values may differ in how they scatter."""
    difference = treated.mean - held_out.mean
    told = Effect(
        verdict=Verdict.TOO_FEW,
        treated=treated.units,
        held_out=held_out.units,
        treated_mean=_thousandths(treated.mean),
        held_out_mean=_thousandths(held_out.mean),
    )
    if min(treated.units, held_out.units) < UNITS_MIN:
        return told
    parts = [sample.variance / sample.units for sample in (treated, held_out)]
    if not any(parts):
        return told  # Nobody differs from anybody: of chance, nothing is known.
    of_treated, of_held_out = parts
    freedom = sum(parts, Fraction(0)) ** 2 / (
        of_treated**2 / (treated.units - 1) + of_held_out**2 / (held_out.units - 1)
    )
    off = Fraction(margin(CONFIDENCE, _ratio(freedom), _ratio(sum(parts, Fraction(0)))))
    low, high = difference - off, difference + off
    verdict = Verdict.MORE if low > 0 else Verdict.LESS if high < 0 else Verdict.NOT_SEEN
    return msgspec.structs.replace(
        told,
        verdict=verdict,
        difference=_thousandths(difference),
        low=_thousandths(low),
        high=_thousandths(high),
        extra=round(difference * treated.units),
    )


def _thousandths(value: Fraction) -> int:
    return round(value * 1000)


def _ratio(value: Fraction) -> float:
    return value.numerator / value.denominator
