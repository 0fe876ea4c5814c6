"""
Pacing: how a day's budget is made to last the day without touching what anybody draws.

The plan is a published curve of how much of the day's budget is to be given by when. The day is cut into slots, and each has
a threshold of admission: who draws a number below it gets what was drawn, others may come again when it is higher. The
threshold follows by `gate` from figures that are in the log beside it, so nobody chooses it, and it is in the log
before the slot's first draw. Amounts are never scaled: whoever is admitted gets what the published distribution gave.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import msgspec

from hutong.marketing.draws.draw import NUMBERS, Draw

SEEN_SLOTS = 6  # How many slots with figures the forecast looks back over.
GROWTH = 2  # A threshold at most doubles from slot to slot,
STEP_MIN = NUMBERS // 50  # or grows by this: whom a low one kept away all come at once when it is raised.
CEILING = (
    2  # A slot gives at most so many times what is left for it: a crowd nobody foresaw takes no other slot's share.
)
_HOUR_S = 3600
HOURS = 24


class Plan(msgspec.Struct, frozen=True, gc=False):
    """How much of a day's budget is to be given by when: `weights` are the slots' shares of it."""

    budget: int
    weights: tuple[int, ...]
    before: tuple[int, ...]  # Of each slot, and of the day's end: what is to have been given by then.

    @classmethod
    def of(cls, budget: int, hours: Sequence[int], slot_s: int, day_s: int) -> "Plan":
        """
        A day of `day_s` seconds, each slot weighing what its hour weighs.

        The twenty-fifth hour of a day when clocks are put back weighs what the twenty-fourth does.
        """
        assert len(hours) == HOURS
        weights = tuple(hours[min(begins // _HOUR_S, HOURS - 1)] for begins in range(0, day_s, slot_s))
        whole = sum(weights)
        return cls(budget, weights, tuple(budget * part // whole for part in accumulate(weights, initial=0)))


class Gate(msgspec.Struct, frozen=True, gc=False):
    """Who is let in during a slot: numbers below `threshold`, until `ceiling` was given in it."""

    threshold: int
    ceiling: int

    def admits(self, draw: Draw, given: int) -> bool:
        """Whether a draw is let in, where so much was given in the slot already."""
        return draw.is_admitted(self.threshold) and given < self.ceiling


class Seen(msgspec.Struct, frozen=True, gc=False):
    """What a threshold follows from: `spent` until the end of the slot before the running one; of those looked back over, two sums."""

    spent: int
    seen_spent: int  # Given in the slots looked back over.
    seen_weight: int  # Of those slots: weight times threshold, added up.


def seen(plan: Plan, slot: int, spent: Mapping[int, int], thresholds: Mapping[int, int]) -> Seen:
    """What may be known when the threshold of `slot` is decided, which is in the slot before it: that one is not over."""
    over = [each for each in range(slot - 1) if thresholds.get(each)][-SEEN_SLOTS:]
    return Seen(
        spent=sum(amount for each, amount in spent.items() if each < slot - 1),
        seen_spent=max(0, sum(spent.get(each, 0) for each in over)),
        seen_weight=sum(plan.weights[each] * thresholds[each] for each in over),
    )


def running_before(slot: int, thresholds: Mapping[int, int]) -> int:
    """The threshold that a slot's may grow from: that of the newest slot before it which has one; at first all are admitted."""
    before = [each for each in thresholds if each < slot]
    return thresholds[max(before)] if before else NUMBERS


def gate(plan: Plan, slot: int, running: int, known: Seen) -> Gate:
    """
    The gate of a slot, where `running` is the newest threshold before it (`running_before`).

    Whoever came until now came at a rate, which the plan's weights carry forward: so much is expected of the running slot,
    so much is left to give until the end of this one, and so large a part of those who come may have it.
    """
    weight, spends = plan.weights[slot], known.seen_spent
    before = plan.weights[slot - 1] * running if slot else 0
    expected = spends * before // known.seen_weight if known.seen_weight else 0
    left = plan.before[slot + 1] - known.spent - expected
    if left <= 0:
        return Gate(0, 0)
    most = min(NUMBERS, max(running * GROWTH, running + STEP_MIN))
    if spends and weight:
        most = min(most, left * known.seen_weight // (spends * weight))
    return Gate(most, left * CEILING)
