"""What is kept of draws: sealed seeds, the public log's entries, people's own phrases."""

import msgspec

from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Boolean, Bytes, Integer, Table, Text, Uuid

KEY_DAY = 0  # Under this day a campaign's key is kept.


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """A day's seed, sealed; `revealed` once it is in the public log."""

    id: Uuid
    campaign_id: Uuid
    day: Integer  # An ordinal.
    sealed: Bytes
    commitment: Text
    revealed: Boolean

    @property
    def label(self) -> str:
        """What it is sealed as."""
        return f"draw seed {self.campaign_id:032x}/{self.day}"


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a campaign's public log."""

    id: Uuid
    campaign_id: Uuid
    day_id: Uuid  # 0: about no day alone.
    number: Integer
    at_ms: BigInt
    kind: Text
    text: Text
    hash: Text


class Phrase(msgspec.Struct, frozen=True, kw_only=True):
    """What a person puts into their own draws from a day on; `before` holds until then."""

    person_id: Uuid
    phrase: Text
    from_day: Integer
    before: Text

    def on(self, day: int) -> str:
        """The phrase of a day."""
        return self.phrase if day >= self.from_day else self.before


SEEDS = Table("draw_seeds", Seed)
LOG = Table("draw_log", LogRow)
PHRASES = Table("draw_phrases", Phrase)


def seed_id(campaign_id: int, day: int) -> int:
    return derive(campaign_id, f"draw-seed/{day}")


def entry_id(campaign_id: int, number: int) -> int:
    return derive(campaign_id, f"draw-log/{number}")


def day_id(campaign_id: int, day: int) -> int:
    return derive(campaign_id, f"draw-day/{day}") if day else 0
