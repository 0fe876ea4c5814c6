"""A day as it is lived: what was given in which slot, the gates, and what a draw comes to at a payment now."""

from collections import defaultdict

from hutong.marketing.draws.draw import Draw
from hutong.marketing.draws.pacing import Gate, gate, running_before, seen
from hutong.marketing.draws.record import DayTold, SlotTold


class RunningDay:
    """Counts of one day of one campaign: all of it follows from the published gates and the draws that were given."""

    def __init__(self, opened: DayTold) -> None:
        self.opened = opened
        self.plan = opened.plan
        self.given = 0  # Of the whole day, less what came back.
        self.net: dict[int, int] = defaultdict(int)  # By slot: less what came back in it.
        self._gross: dict[int, int] = defaultdict(int)
        self._gates: dict[int, Gate] = {}
        self.begun = -1  # The slot that runs, as far as gates say: that of the next one is published in it.

    @property
    def thresholds(self) -> dict[int, int]:
        return {slot: each.threshold for slot, each in self._gates.items()}

    def has_gate(self, slot: int) -> bool:
        return slot in self._gates

    def next_gate(self, slot: int) -> SlotTold:
        """The gate of a slot, to be published: from what is known by the slot before it."""
        thresholds = self.thresholds
        running = running_before(slot, thresholds)
        known = seen(self.plan, slot, self.net, thresholds)
        found = gate(self.plan, slot, running, known)
        return SlotTold(
            day=self.opened.day,
            slot=slot,
            threshold=found.threshold,
            ceiling=found.ceiling,
            running=running,
            spent=known.spent,
            seen_spent=known.seen_spent,
            seen_weight=known.seen_weight,
        )

    def opened_slot(self, told: SlotTold) -> None:
        """A slot's gate was published."""
        self._gates[told.slot] = Gate(told.threshold, told.ceiling)
        self.begun = max(self.begun, told.slot - 1)

    def comes_to(self, draw: Draw, slot: int, to_pay: int) -> int:
        """
        What a draw gives at a payment in a slot; 0 where the slot's gate does not let it in, or nothing is left.

        A slot that is over gives nothing, even if the clock was put back into it: later gates say what it gave.
        """
        found = self._gates.get(slot)
        if found is None or slot < self.begun or not found.admits(draw, self._gross[slot]):
            return 0
        return draw.given(to_pay, self.opened.budget - self.given)

    def gave(self, slot: int, amount: int) -> None:
        """A draw was set aside for a payment."""
        self.given += amount
        self.net[slot] += amount
        self._gross[slot] += amount
        assert self.given <= self.opened.budget

    def came_back(self, slot: int, amount: int) -> None:
        """In this slot a payment failed for which a draw had been set aside."""
        self.given -= amount
        self.net[slot] -= amount
