"""The published table that chance is read by: bands of amounts with weights, all of it integers."""

from fractions import Fraction

import msgspec

from hutong.kernel.errors import Refusal
from hutong.marketing.draws.reasons import DrawReason

BANDS_MAX = 64
WEIGHT_MAX = 1_000_000_000
AMOUNT_MAX = 1_000_000_00  # Nobody's discount is a million yuan; a slip of the pen is.


class Band(msgspec.Struct, frozen=True, gc=False):
    """Amounts `low` to `high`, each alike, which come up `weight` times of all the bands' weights."""

    weight: int
    low: int
    high: int


class Distribution(msgspec.Struct, frozen=True, gc=False):
    """What a draw comes to, and how often. Bands are in ascending order and do not overlap."""

    bands: tuple[Band, ...]

    @property
    def weight(self) -> int:
        """Of all bands together."""
        return sum(band.weight for band in self.bands)

    @property
    def highest(self) -> int:
        return self.bands[-1].high

    @property
    def mean(self) -> Fraction:
        """What a draw comes to on average, exactly."""
        return Fraction(sum(band.weight * (band.low + band.high) for band in self.bands), 2 * self.weight)

    def band_at(self, chance: int, range_: int) -> Band:
        """The band of a chance of 0 <= `chance` < `range_`: the first whose weights, added up, pass it."""
        ticket = chance * self.weight // range_
        for band in self.bands:
            ticket -= band.weight
            if ticket < 0:
                return band
        raise AssertionError("a ticket is below the weight of all bands")

    def check(self) -> None:
        """Refuses DISTRIBUTION_INVALID, saying which band and why."""
        if not 1 <= len(self.bands) <= BANDS_MAX:
            raise Refusal(DrawReason.DISTRIBUTION_INVALID, bands=len(self.bands), bands_max=BANDS_MAX)
        above = 0
        for number, band in enumerate(self.bands, 1):
            if not 1 <= band.weight <= WEIGHT_MAX:
                raise Refusal(DrawReason.DISTRIBUTION_INVALID, band=number, field="weight")
            if not above < band.low <= band.high <= AMOUNT_MAX:
                raise Refusal(DrawReason.DISTRIBUTION_INVALID, band=number, field="low", above=above)
            above = band.high


# Up to CNY 30, about 2.40 on average: half of all draws are small change, one in two hundred is a good dinner.
USUAL = Distribution(
    (
        Band(5000, 10, 100),
        Band(3000, 101, 300),
        Band(1500, 301, 800),
        Band(450, 801, 1800),
        Band(49, 1801, 2999),
        Band(1, 3000, 3000),
    )
)
