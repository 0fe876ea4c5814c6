"""What goes wrong between two institutions and a switch, at random: messages in any order, again, or never; slow disks; time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from tests.institution.payments.world import World


class Weather(ABC):
    """Acts of a run of random ones: `world` delivers nothing by itself, and its own randomness chooses."""

    def __init__(self, world: World, *, heals_in_hours: int) -> None:
        self.world = world
        self.random = world.random
        self._heals_in_hours = heals_in_hours

    def live(self, acts: Sequence[Callable[[], None]], steps: int) -> None:
        """So many acts, with a look at what must hold every ten; then healing, and what both sides must agree on."""
        for step in range(steps):
            self.random.choice(acts)()
            self.restart()
            if step % 10 == 0:
                self.check_safety()
        self.heal()
        self.check_safety()
        self.check_agreement()

    @abstractmethod
    def check_safety(self) -> None:
        """What holds at every moment."""

    @abstractmethod
    def check_agreement(self) -> None:
        """What holds once all is healed."""

    def deliver(self) -> None:
        if self.world.letters:
            self.world.deliver(self.world.letters.pop(self.random.randrange(len(self.world.letters))))

    def repeat(self) -> None:
        if self.world.letters:
            self.world.deliver(self.random.choice(self.world.letters))

    def lose(self) -> None:
        if self.world.letters:
            self.world.letters.pop(self.random.randrange(len(self.world.letters)))

    def flush(self) -> None:
        self.random.choice(list(self.world.places.values())).journal.flush()

    def tick(self) -> None:
        self.world.tick(self.random.choice([1, 10, 60, 3_600]))

    def restart(self) -> None:
        """Now and then: three of a hundred times that it is called."""
        if self.random.random() < 0.03:
            self.world.restart(self.random.choice(["jing", "wei", "switch"]))

    def heal(self) -> None:
        """Nothing is lost any more, and time passes."""
        for seconds in [30] * 20 + [3_600] * self._heals_in_hours:
            self.world.flush()
            self.world.settle()
            self.world.tick(seconds)
        self.world.flush()
        self.world.settle()
        self.world.flush()
