"""
The budgets inside a campaign's own: of a day, of a city or shop on a day, of a person. Each is optional.

They are counters in the node's one writer, changed in the decision that writes the award's row and read back from those
rows after a restart. The campaign's money itself is a ledger account, which holds whatever the counters say.
"""

from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec

from hutong.kernel.errors import Refusal
from hutong.kernel.money import MINOR_MAX
from hutong.marketing.campaigns.parties import PlaceFacts
from hutong.marketing.campaigns.reasons import CampaignReason

DAYS_KEPT = 2  # Of each person, in memory: a payment made before midnight may be decided behind it.


class Caps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be given at each level, in minor units; 0: as much as the level above allows."""

    day: int = 0
    place: int = 0  # In one city or shop, on one day.
    place_is: Literal["city", "shop"] = "city"
    person: int = 0  # To one person, in all.
    person_day: int = 0
    times: int = 0  # To one person, in all: so often.
    times_day: int = 0

    @property
    def any(self) -> bool:
        """Whether there is any."""
        return bool(self.day or self.place or self.of_person)

    @property
    def of_person(self) -> bool:
        """Whether any is about who pays."""
        return bool(self.person or self.person_day or self.times or self.times_day)

    def place_of(self, facts: PlaceFacts) -> str:
        """The city or shop whose budget something counts towards; empty: of nowhere, or there is none."""
        return (facts.city if self.place_is == "city" else facts.shop or facts.merchant) if self.place else ""

    def check(self) -> None:
        """Refuses CAMPAIGN_TERMS_UNSOUND for what is negative, or no amount there can be."""
        for name in ("day", "place", "person", "person_day", "times", "times_day"):
            if not 0 <= getattr(self, name) <= MINOR_MAX // 2:  # Beyond it no database adds up, and no audit.
                raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field=f"caps.{name}")


class Level(StrEnum):
    """Which budget is exhausted."""

    CAMPAIGN = "campaign"
    DAY = "day"
    PLACE = "place"
    PERSON = "person"


class Before(NamedTuple):
    """What was given on the day on which places got their budgets, before they had them; also what was returned of it since."""

    day: int
    places: dict[str, int]
    unknown: int  # At merchants of other institutions, when nobody had to know where: it counts at each place that it may be.
    by_city: bool

    def at(self, place: str) -> int:
        """Of one place. Another institution's shops are named with it."""
        return self.places.get(place, 0) + (self.unknown if self.by_city or "/" in place else 0)


class Spent:
    """What a campaign has given: in all, by day, and by place and day. What was returned is not in it."""

    __slots__ = ("before", "days", "places", "times", "total")

    def __init__(self) -> None:
        self.before: Before | None = None  # What its places' budgets have to count beside `places`.
        self.total = 0
        self.times = 0
        self.days: dict[int, int] = {}
        self.places: dict[tuple[int, str], int] = {}

    def count(self, day: int, place: str, change: int, times: int) -> None:
        self.total += change
        self.times += times
        self.days[day] = self.days.get(day, 0) + change
        if place:
            self.places[day, place] = self.places.get((day, place), 0) + change

    def at(self, day: int, place: str) -> int:
        """What counts towards a place's budget of a day."""
        given, before = self.places.get((day, place), 0), self.before
        return given if before is None or before.day != day else given + before.at(place)


class PersonSpent:
    """
    The same of one person: times are not given back by a refund, so that nobody draws again by asking for one.

    Of its days the newest are kept. Those before are over: a clock that is put back gives nobody another one.
    """

    __slots__ = ("days", "over", "times", "total")

    def __init__(self) -> None:
        self.over = 0  # The newest day that is.
        self.total = 0
        self.times = 0
        self.days: dict[int, tuple[int, int]] = {}

    def count(self, day: int, change: int, times: int) -> None:
        self.total += change
        self.times += times
        amount, so_often = self.days.get(day, (0, 0))
        self.days[day] = amount + change, so_often + times
        if len(self.days) > DAYS_KEPT:
            oldest = min(self.days)
            del self.days[oldest]
            self.over = max(self.over, oldest)


NOTHING = PersonSpent()  # Of whoever got nothing yet; nobody counts on it.


def room(budget: int, caps: Caps, spent: Spent, person: PersonSpent, day: int, place: str) -> tuple[int, Level]:
    """How much every level still allows, and which allows the least."""
    left, level = budget - spent.total, Level.CAMPAIGN
    if caps.day and (of_day := caps.day - spent.days.get(day, 0)) < left:
        left, level = of_day, Level.DAY
    if caps.place and (of_place := caps.place - spent.at(day, place)) < left:
        left, level = of_place, Level.PLACE
    if caps.of_person:
        of_person = _of_person(caps, person, day)
        if of_person is not None and of_person < left:
            left, level = of_person, Level.PERSON
    return max(left, 0), level


def _of_person(caps: Caps, person: PersonSpent, day: int) -> int | None:
    today, times_today = person.days.get(day, (0, 0))
    if (caps.times and person.times >= caps.times) or (caps.times_day and times_today >= caps.times_day):
        return 0
    if day <= person.over and (caps.person_day or caps.times_day):
        return 0
    lefts = []
    if caps.person:
        lefts.append(caps.person - person.total)
    if caps.person_day:
        lefts.append(caps.person_day - today)
    return min(lefts) if lefts else None
