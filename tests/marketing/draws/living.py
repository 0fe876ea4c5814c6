"""Days of draws, lived from a seed: people come when they come, and what is published of it is as the service publishes it."""

from collections.abc import Iterable
from datetime import date

import msgspec

from hutong.kernel.ids import seeded_randomness
from hutong.marketing.draws import public_log
from hutong.marketing.draws.distribution import USUAL, Distribution
from hutong.marketing.draws.draw import Draw, commitment_of, drawn, key_commitment_of, reference_of, token_of
from hutong.marketing.draws.public_log import GENESIS, Entry
from hutong.marketing.draws.record import DayRecord, DayTold, LogPart, PublicDraw, Receipt, RevealTold
from hutong.marketing.draws.running_day import RunningDay

CAMPAIGN = "cmp_01JD0000000000000000000000"
DAY = date(2026, 11, 23)
BEGINS_MS = 1_795_363_200_000  # 2026-11-23 00:00 in Shanghai.
DAY_S = 86_400
# What people pay in a day of a town: breakfast, lunch, the way home.
HOURS = (4, 2, 1, 1, 2, 8, 28, 60, 70, 48, 42, 80, 100, 70, 44, 40, 44, 62, 95, 90, 70, 52, 30, 12)
KEY = bytes(range(32))
SEED = bytes(range(32, 64))


class Living:
    """One day of one campaign."""

    def __init__(
        self,
        budget: int = 2_000_000,
        seed: bytes = SEED,
        distribution: Distribution = USUAL,
        slot_s: int = 300,
        hours: tuple[int, ...] = HOURS,
    ) -> None:
        self.seed = seed
        self.opened = DayTold(
            day=DAY,
            begins_ms=BEGINS_MS,
            ends_ms=BEGINS_MS + DAY_S * 1000,
            commitment=commitment_of(CAMPAIGN, DAY, seed),
            key=key_commitment_of(CAMPAIGN, KEY),
            budget=budget,
            hours=hours,
            slot_s=slot_s,
            turns=1,
            distribution=distribution,
        )
        self.running = RunningDay(self.opened)
        self.entries: list[Entry] = []
        self.draws: list[PublicDraw] = []
        self.used: set[int] = set()
        self.deviation_max = 0  # From the plan, in fen.
        self._publish(BEGINS_MS - 3_600_000, public_log.DAY, self.opened)

    def live(self, comers: Iterable[tuple[int, int, int]], failing: int = 0) -> None:
        """Let people come: (second of the day, person, amount), in order. One payment in `failing` fails a little later."""
        waiting = list(reversed(list(comers)))
        for slot in range(DAY_S // self.opened.slot_s):
            begins = slot * self.opened.slot_s
            self._gate(slot, begins - 1) if not slot else None
            if (slot + 1) * self.opened.slot_s < DAY_S:
                self._gate(slot + 1, begins)
            while waiting and waiting[-1][0] < begins + self.opened.slot_s:
                _, person, amount = waiting.pop()
                self._pays(person, amount, slot)
                if failing and self.draws and len(self.draws) % failing == 0:
                    self._fails(slot)
            planned = self.running.plan.before[slot + 1]
            self.deviation_max = max(self.deviation_max, abs(self.running.given - planned))

    def record(self) -> DayRecord:
        """What is published of the day after it."""
        self._publish(self.opened.ends_ms, public_log.REVEAL, RevealTold(DAY, self.seed.hex()))
        return DayRecord(LogPart(CAMPAIGN, GENESIS, tuple(self.entries)), tuple(self.draws))

    def receipt_of(self, person: int, amount: int) -> Receipt:
        """Of a person whose draw was not cut by the end of the budget."""
        token = token_of(KEY, CAMPAIGN, person)
        reference = reference_of(CAMPAIGN, DAY, token, "")
        (draw,) = (each for each in self.draws if each.reference == reference and each.released_slot is None)
        return Receipt(
            campaign=CAMPAIGN,
            day=DAY,
            turn=1,
            reference=reference,
            token=token.hex(),
            phrase="",
            slot=draw.slot,
            at_ms=BEGINS_MS + draw.slot * self.opened.slot_s * 1000 + 250,
            to_pay=amount,
            drawn=draw.drawn,
            given=draw.given,
        )

    def _pays(self, person: int, amount: int, slot: int) -> None:
        if person in self.used:
            return
        reference = reference_of(CAMPAIGN, DAY, token_of(KEY, CAMPAIGN, person), "")
        draw = drawn(self.seed, self.opened.distribution, CAMPAIGN, DAY, reference, 1)
        given = self._gives(person, draw, slot, amount)
        if given:
            self.running.gave(slot, given)
            self.used.add(person)
            self.draws.append(PublicDraw(reference=reference, turn=1, slot=slot, drawn=draw.amount, given=given))

    def _gives(self, person: int, draw: Draw, slot: int, amount: int) -> int:  # noqa: ARG002  # Of whoever it is.
        return self.running.comes_to(draw, slot, amount)

    def _fails(self, slot: int) -> None:
        was = self.draws[-1]
        if was.released_slot is None:
            self.running.came_back(slot, was.given)
            self.draws[-1] = PublicDraw(
                reference=was.reference,
                turn=1,
                slot=was.slot,
                drawn=was.drawn,
                given=was.given,
                released_slot=slot,
            )

    def _gate(self, slot: int, second: int) -> None:
        told = self.running.next_gate(slot)
        self.running.opened_slot(told)
        self._publish(BEGINS_MS + second * 1000, public_log.SLOT, told)

    def _publish(self, at_ms: int, kind: str, told: msgspec.Struct) -> None:
        before = self.entries[-1].hash if self.entries else GENESIS
        self.entries.append(public_log.chained(CAMPAIGN, before, len(self.entries) + 1, at_ms, kind, told))


def comers(
    seed: int, people: int, hours: tuple[int, ...] = HOURS, crowd: tuple[int, int] | None = None
) -> list[tuple[int, int, int]]:
    """People of a day, some of whom pay several times; a `crowd` (hour, people) comes all at once."""
    randomness = seeded_randomness(seed)
    found: list[tuple[int, int, int]] = []
    for person in range(people):
        visits = 1 + (randomness.random() < 0.35) + (randomness.random() < 0.1)
        found += [
            (hour * 3600 + randomness.randrange(3600), person, _amount(randomness.random()))
            for hour in randomness.choices(range(24), hours, k=visits)
        ]
    if crowd is not None:
        hour, many = crowd
        found += [(hour * 3600 + randomness.randrange(600), people + each, 2_000) for each in range(many)]
    return sorted(found)


def _amount(chance: float) -> int:
    """Mostly some ten yuan, rarely some hundred: a payment of less than the draw is common."""
    return int(100 + 900 / (1.02 - chance))
