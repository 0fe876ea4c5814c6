"""
The best combination of benefits for whoever pays, and why each was taken or was not.

Benefits are applied in a fixed order: by priority, and among equals so that the most thresholds hold. Of those chosen

- each finds at least its threshold left to pay when its turn comes;
- at most one is of any one group;
- an exclusive one is alone;
- at least one fen is left to pay: the last one gives less if need be.

The sum is the greatest that these rules allow, and nothing is spent that does not add to it. Choosing is a knapsack
with deadlines: sums are extended benefit by benefit, like ones merged, hopeless ones dropped. What is met in practice
is proved best within a millisecond; only where too many sums stay promising (`WORK_MAX`) are some of them let go, and
the answer says so.
"""

from bisect import bisect
from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any

from hutong.marketing.campaigns.benefit import Benefit

LEFT_TO_PAY_MIN = 1  # A payment of nothing is none.
WORK_MAX = 2_400  # Sums looked at, all in all: any eight benefits are within it, whatever they are.
SUMS_MIN = 16
_Path = tuple[int, "_Path"] | None  # Positions of the chosen, the last one first.
_Sums = dict[tuple[int, int], _Path]  # By the sum and the groups it has used.


class Why(StrEnum):
    """Why a benefit was taken or not: a key that each language has words for."""

    TAKEN = "TAKEN"
    TAKEN_IN_PART = "TAKEN_IN_PART"  # One fen is left to pay: it gives less than it could.
    GIVES_NOTHING = "GIVES_NOTHING"
    BELOW_THRESHOLD = "BELOW_THRESHOLD"  # The payment itself is too small.
    BELOW_THRESHOLD_THEN = "BELOW_THRESHOLD_THEN"  # What is left beside the better ones is too small.
    GROUP_TAKEN = "GROUP_TAKEN"
    STANDS_ALONE = "STANDS_ALONE"  # It is exclusive, and the others together give more.
    OTHER_STANDS_ALONE = "OTHER_STANDS_ALONE"
    NOTHING_LEFT = "NOTHING_LEFT"  # The others pay all but the last fen.
    GIVES_LESS = "GIVES_LESS"  # It could only come in the place of something better.
    BUDGET_SPENT = "BUDGET_SPENT"  # Of the campaign, the day or the place: there is no room for it.
    PERSON_HAD_IT = "PERSON_HAD_IT"  # As often, or as much, as one person may.
    NO_DRAW_NOW = "NO_DRAW_NOW"  # The person drew today, or the slot lets nobody else in.


class Combination:
    """What a payment gets: `chosen` in the order of application, each with the amount it really gives."""

    def __init__(self, amount: int, offered: Sequence[Benefit], positions: tuple[int, ...], *, proved: bool) -> None:
        self._to_pay = amount
        self._offered = offered
        self._positions = positions
        self.proved = proved  # That nothing better exists; False where sums had to be let go.
        left = amount
        chosen: list[Benefit] = []
        for position in positions:
            benefit = offered[position]
            given = min(benefit.amount, left - LEFT_TO_PAY_MIN)
            chosen.append(benefit if given == benefit.amount else _giving(benefit, given, left))
            left -= given
        self.chosen = tuple(chosen)
        self.amount = amount - left

    @cached_property
    def explained(self) -> list[dict[str, Any]]:
        """Each offered benefit, in the order offered: what it gives and, as a key with its facts, why."""
        given = dict(zip(self._positions, self.chosen, strict=True))
        return [self._explain(benefit, given.get(position), position) for position, benefit in enumerate(self._offered)]

    def _explain(self, benefit: Benefit, given: Benefit | None, position: int) -> dict[str, Any]:
        told: dict[str, Any] = {
            "campaign_id": benefit.campaign_id,
            "source": benefit.source,
            "source_id": benefit.source_id,
            "label": benefit.label,
            "could_give": benefit.amount,
            "gives": given.amount if given is not None else 0,
        }
        if given is not None:
            told["why"] = Why.TAKEN if given.amount == benefit.amount else Why.TAKEN_IN_PART
            return told
        return told | self._why_not(benefit, position)

    def _why_not(self, benefit: Benefit, position: int) -> dict[str, Any]:
        room = self._to_pay - LEFT_TO_PAY_MIN
        if benefit.amount <= 0 or room <= 0:
            return {"why": Why.GIVES_NOTHING}
        if benefit.threshold > self._to_pay:
            missing = benefit.threshold - self._to_pay
            return {"why": Why.BELOW_THRESHOLD, "threshold": benefit.threshold, "missing": missing}
        if benefit.exclusive:
            return {"why": Why.STANDS_ALONE, "together": self.amount}
        if len(self.chosen) == 1 and self.chosen[0].exclusive:
            return {"why": Why.OTHER_STANDS_ALONE, "alone": self.amount}
        if benefit.group:
            for other in self.chosen:
                if other.group == benefit.group:
                    return {
                        "why": Why.GROUP_TAKEN,
                        "by_campaign_id": other.campaign_id,
                        "by_source_id": other.source_id,
                        "by_amount": other.amount,
                    }
        if self.amount == room:
            return {"why": Why.NOTHING_LEFT}
        left = self._left_for(benefit, position)
        if left < benefit.threshold:
            return {"why": Why.BELOW_THRESHOLD_THEN, "threshold": benefit.threshold, "left": left}
        return {"why": Why.GIVES_LESS, "together": self.amount}

    def _left_for(self, benefit: Benefit, position: int) -> int:
        """What the chosen ones that are applied before it leave to pay."""
        rank = (*_rank(benefit), position)
        before = zip(self._positions, self.chosen, strict=True)
        return self._to_pay - sum(
            other.amount for place, other in before if (*_rank(self._offered[place]), place) < rank
        )


def best_combination(amount: int, benefits: Sequence[Benefit]) -> Combination:
    """
    The combination that leaves the payer of `amount` the least to pay.

    Among equal ones, one that stands alone comes before several, and what is applied first before what comes later.
    """
    room = amount - LEFT_TO_PAY_MIN
    able: list[int] = []
    if room > 0:
        ranks = [
            (*_rank(benefit), position)
            for position, benefit in enumerate(benefits)
            if benefit.amount > 0 and benefit.threshold <= amount
        ]
        ranks.sort()
        able = [position for _, _, position in ranks]
    exclusive = [position for position in able if benefits[position].exclusive]
    joint = [position for position in able if not benefits[position].exclusive] if exclusive else able
    positions, proved = _best_joint(amount, benefits, joint)
    if exclusive:
        alone = max(exclusive, key=lambda position: min(benefits[position].amount, room))
        together = min(sum(benefits[position].amount for position in positions), room)
        if min(benefits[alone].amount, room) >= together:
            # What stands alone may be as good as what the search had to let go, never better than its bound.
            positions = (alone,)
    return Combination(amount, benefits, positions, proved=proved)


def _best_joint(amount: int, benefits: Sequence[Benefit], joint: list[int]) -> tuple[tuple[int, ...], bool]:
    """The best of what goes together, and whether nothing better exists."""
    if not joint:
        return (), True
    if _all_fit(amount, [benefits[position] for position in joint]):
        return tuple(joint), True
    return _Search(amount, benefits, joint).best()


def _all_fit(amount: int, joint: list[Benefit]) -> bool:
    """Whether all can be had: nothing is to be searched."""
    groups = [benefit.group for benefit in joint if benefit.group]
    if len(set(groups)) < len(groups):
        return False
    left = amount
    for benefit in joint:
        if benefit.threshold > left:
            return False
        left -= benefit.amount
    return left >= LEFT_TO_PAY_MIN


def _rank(benefit: Benefit) -> tuple[int, int]:
    """
    The order of application; among equals the first offered.

    Among equal priorities the sooner the less slack it has between threshold and amount: as jobs by their deadlines,
    this is an order in which a set can be applied if there is one.
    """
    return -benefit.priority, benefit.amount - benefit.threshold


def _giving(benefit: Benefit, amount: int, to_pay: int) -> Benefit:
    # A draw says of what it was given: who checks it has to find why it gave less.
    facts = benefit.facts | {"to_pay": to_pay} if "to_pay" in benefit.facts else benefit.facts
    return Benefit(
        campaign_id=benefit.campaign_id,
        amount=amount,
        label=benefit.label,
        source=benefit.source,
        source_id=benefit.source_id,
        priority=benefit.priority,
        exclusive=benefit.exclusive,
        group=benefit.group,
        threshold=benefit.threshold,
        facts=facts,
    )


class _Search:
    """Which of the joint benefits, in their order of application, give the most together."""

    def __init__(self, amount: int, benefits: Sequence[Benefit], joint: list[int]) -> None:
        self._room = amount - LEFT_TO_PAY_MIN
        self._joint = joint
        self._sums_max = max(WORK_MAX // len(joint), SUMS_MIN)
        self._gives = [benefits[position].amount for position in joint]
        # A benefit can be applied to sums up to here.
        self._sum_max = [min(amount - benefits[position].threshold, self._room - 1) for position in joint]
        self._bits, self._later_bits = _group_bits([benefits[position].group for position in joint])
        self._reach = self._bounds()

    def _bounds(self) -> list[tuple[int, int]]:
        """Of each rest of the benefits: how much it can add at most, and to what sum it can lead at most."""
        bounds = [(0, 0)]
        best_of_group: dict[int, int] = {}
        adds = leads = 0
        for gives, sum_max, bit in zip(
            reversed(self._gives), reversed(self._sum_max), reversed(self._bits), strict=True
        ):
            if bit:
                known = best_of_group.get(bit, 0)
                if gives > known:
                    adds += gives - known
                    best_of_group[bit] = gives
            else:
                adds += gives
            leads = max(leads, min(sum_max + gives, self._room))
            bounds.append((adds, leads))
        bounds.reverse()
        return bounds

    def best(self) -> tuple[tuple[int, ...], bool]:
        """The places of the chosen, and whether nothing better exists."""
        limit = min(self._reach[0])  # Nothing gives more than this.
        best_sum, best_path = self._greedy(self._gives)
        if best_sum < limit:
            to_here = [sum_max + gives for sum_max, gives in zip(self._sum_max, self._gives, strict=True)]
            best_sum, best_path = max((best_sum, best_path), self._greedy(to_here), key=lambda found: found[0])
        sums: _Sums = {(0, 0): None}
        proved = True
        for place, gives in enumerate(self._gives):
            if best_sum >= limit or not sums:
                break
            sum_max, bit, later = self._sum_max[place], self._bits[place], self._later_bits[place]
            adds, leads = self._reach[place + 1]
            kept: _Sums = {}
            for (total, used), path in sums.items():
                if min(total + adds, leads) > best_sum:
                    kept.setdefault((total, used & later), path)
                if total > sum_max or used & bit:
                    continue
                longer = min(total + gives, self._room)
                if longer > best_sum:
                    best_sum, best_path = longer, (place, path)
                if min(longer + adds, leads) > best_sum:
                    kept.setdefault((longer, (used | bit) & later), (place, path))
            if len(kept) > self._sums_max:
                proved = False
                kept = _spread(kept, self._sums_max)
            sums = kept
        return self._useful(best_path), proved or best_sum >= limit

    def _greedy(self, first: list[int]) -> tuple[int, _Path]:
        """A first answer, which is often the best: each that fits beside those that have more of what comes `first`."""
        chosen: list[int] = []
        total = used = 0
        least = self._room  # What can be applied to the least: below it, order is of no matter.
        for place in sorted(range(len(first)), key=first.__getitem__, reverse=True):
            if total >= self._room:
                break
            bit, gives, sum_max = self._bits[place], self._gives[place], self._sum_max[place]
            if used & bit:
                continue
            at = bisect(chosen, place)
            if total + gives <= min(least, sum_max) or self._holds([*chosen[:at], place, *chosen[at:]]):
                chosen.insert(at, place)
                total, used, least = total + gives, used | bit, min(least, sum_max)
        path: _Path = None
        for place in chosen:
            path = place, path
        return min(total, self._room), path

    def _holds(self, places: list[int]) -> bool:
        """Whether each of these finds its threshold left to pay."""
        total = 0
        for place in places:
            if total > self._sum_max[place]:
                return False
            total += self._gives[place]
        return True

    def _useful(self, path: _Path) -> tuple[int, ...]:
        """The positions of a path in order, without those that the last fen would make useless."""
        places: list[int] = []
        while path is not None:
            places.append(path[0])
            path = path[1]
        spare = sum(self._gives[place] for place in places) - self._room
        for place in sorted(places, key=lambda place: (self._gives[place], place)):
            # Whatever is left out, the others' thresholds hold all the more.
            if 0 < self._gives[place] <= spare:
                spare -= self._gives[place]
                places.remove(place)
        return tuple(self._joint[place] for place in sorted(places))


def _spread(sums: _Sums, count: int) -> _Sums:
    """Some of the sums, evenly from the least to the greatest: near each that is let go one stays."""
    ordered = sorted(sums.items(), reverse=True)
    step, rest = divmod(len(ordered) - 1, count - 1)
    return dict(ordered[i * step + i * rest // (count - 1)] for i in range(count))


def _group_bits(groups: list[str]) -> tuple[list[int], list[int]]:
    """For each benefit the bit of its group (0: of none, or alone in it), and the bits of groups that come again later."""
    members: dict[str, int] = {}
    for group in groups:
        members[group] = members.get(group, 0) + 1
    numbered: dict[str, int] = {}
    bits = [1 << numbered.setdefault(group, len(numbered)) if group and members[group] > 1 else 0 for group in groups]
    later_bits: list[int] = []
    later = 0
    for bit in reversed(bits):
        later_bits.append(later)
        later |= bit
    later_bits.reverse()
    return bits, later_bits
