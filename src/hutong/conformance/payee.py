"""A payee of the subject's, and what paying its code brought it."""

from dataclasses import dataclass
from typing import Any, Self

from hutong.conformance.case import Failed, require
from hutong.conformance.messages import completed
from hutong.conformance.play import ParticipantPlay
from hutong.conformance.wire import Message


@dataclass(frozen=True, slots=True)
class Payee:
    """Who shows a code, what the code asks for, and the balance before anybody paid it."""

    play: ParticipantPlay
    name: str
    terms: Message
    before: int

    @classmethod
    def showing(cls, play: ParticipantPlay, amount: int = 0) -> Self:
        """A code of its own; with an amount one for one payment."""
        name, terms = play.shows_code(amount)
        return cls(play, name, terms, play.balance(name))

    def paying(self, amount: int, **said: Any) -> Message:
        """A sound pacs.008 for its code."""
        return self.play.paying(self.terms, amount, **said)

    def accepts(self, amount: int, **said: Any) -> Message:
        """A payment that is offered, and answered ACSP."""
        payment = self.paying(amount, **said)
        self.play.accepted(payment)
        return payment

    def completes(self, payment: Message) -> int:
        """Tell ACSC; how much the payee gets, once it gets something."""
        self.play.switch.tell(completed(payment))
        return self.credited()

    def credited(self) -> int:
        """How much the payee got, once it got something."""
        for _ in range(160):
            seen = self.play.balance(self.name)
            if seen != self.before:
                return seen - self.before
            self._pause(0.05)
        raise Failed("the payee is credited when ACSC has come")

    def has_got(self, credited: int, say: str) -> None:
        """Just that and no more, now."""
        require(self.play.balance(self.name) == self.before + credited, say)

    def gets_each(self, count: int, say: str) -> None:
        """All of `count` equal payments are credited alike, and nothing else."""
        self.play.settles_at(self.name, self.before + count * self._each(count), say)

    def _each(self, count: int) -> int:
        """What one of `count` equal payments credits: the fee is the creditor agent's own affair."""
        seen, last = self.play.balance(self.name), -1
        for _ in range(160):
            if seen != self.before and seen == last and (seen - self.before) % count == 0:
                break
            last = seen
            self._pause(0.1)
            seen = self.play.balance(self.name)
        got = seen - self.before
        require(got % count == 0 and got > 0, "equal payments are credited alike", got)
        return got // count

    def _pause(self, seconds: float) -> None:
        self.play.switch.seat.wait("", lambda _: False, count=1, within_s=seconds)
