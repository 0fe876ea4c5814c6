"""What is published of draws: what each entry of the public log tells, a day's record whole, and one person's receipt."""

from datetime import date

import msgspec

from hutong.kernel.errors import Refusal
from hutong.marketing.draws.distribution import Distribution
from hutong.marketing.draws.pacing import HOURS, Plan, Seen
from hutong.marketing.draws.public_log import Entry
from hutong.marketing.draws.reasons import DrawReason

_MS_PER_S = 1000
_WEIGHT_MAX = 1_000_000
_TURNS_MAX = 10
_SLOT_S = (60, 3600)


class DrawTerms(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a sponsor settles of a campaign's draws. `hours` is the plan's curve: what each hour of the day weighs."""

    distribution: Distribution
    hours: tuple[int, ...]
    budget: int  # Of a day.
    slot_s: int = 300
    turns: int = 1  # How often a person draws in a day.

    def check(self) -> None:
        """Refuses DISTRIBUTION_INVALID, DRAW_TERMS_INVALID with the field."""
        self.distribution.check()
        fits = {
            "hours": len(self.hours) == HOURS and all(0 < each <= _WEIGHT_MAX for each in self.hours),
            "budget": self.budget >= self.distribution.highest,
            "slot_s": _SLOT_S[0] <= self.slot_s <= _SLOT_S[1] and _SLOT_S[1] % self.slot_s == 0,
            "turns": 1 <= self.turns <= _TURNS_MAX,
        }
        wrong = [field for field, fine in fits.items() if not fine]
        if wrong:
            raise Refusal(DrawReason.DRAW_TERMS_INVALID, field=wrong[0])


class Commitment(msgspec.Struct, frozen=True, gc=False):
    day: date
    commitment: str


class CommitmentsTold(msgspec.Struct, frozen=True, gc=False):
    """Seeds of days to come, committed to as early as it can be; and the key of people's tokens."""

    key: str
    days: tuple[Commitment, ...]


class DayTold(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything that a day's draws go by: published the day before, and on a campaign's first day before its first draw."""

    day: date
    begins_ms: int
    ends_ms: int
    commitment: str
    key: str
    budget: int
    hours: tuple[int, ...]
    slot_s: int
    turns: int
    distribution: Distribution

    @property
    def plan(self) -> Plan:
        return Plan.of(self.budget, self.hours, self.slot_s, (self.ends_ms - self.begins_ms) // _MS_PER_S)

    def slot_at(self, at_ms: int) -> int:
        return (at_ms - self.begins_ms) // (self.slot_s * _MS_PER_S)


class SlotTold(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A slot's gate, and the figures that it follows from; `running` is the threshold of the slot before."""

    day: date
    slot: int
    threshold: int
    ceiling: int
    running: int
    spent: int
    seen_spent: int
    seen_weight: int

    @property
    def seen(self) -> Seen:
        return Seen(self.spent, self.seen_spent, self.seen_weight)


class RevealTold(msgspec.Struct, frozen=True, gc=False):
    """A day's seed, after the day."""

    day: date
    seed: str


class LogPart(msgspec.Struct, frozen=True, gc=False):
    """Entries of a campaign's public log, one behind the other; `before` is the hash of the entry in front of them."""

    campaign: str
    before: str
    entries: tuple[Entry, ...]


class PublicDraw(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A draw that was given, as everybody may see it. `released_slot` is when it came back, its payment having failed."""

    reference: str
    turn: int
    slot: int
    drawn: int
    given: int
    released_slot: int | None = None


class DayRecord(msgspec.Struct, frozen=True, gc=False):
    """A whole day, for whoever wants to check all of it."""

    log: LogPart
    draws: tuple[PublicDraw, ...]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    One person's draw, for that person: `token` and `phrase` show that the reference is theirs.

    Whoever has the token finds the person's other draws of the campaign in the public record: it is the person's to show.
    """

    campaign: str
    day: date
    turn: int
    reference: str
    token: str
    phrase: str
    slot: int
    at_ms: int
    to_pay: int  # What was to be paid when it was drawn.
    drawn: int
    given: int
