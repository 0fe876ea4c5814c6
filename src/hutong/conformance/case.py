"""A case: what it is called, which sentence of `docs/scheme` it proves, what it needs, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hutong.conformance.wire import Message

TRACE_MAX = 40


class Side(Enum):
    """What is tested."""

    PARTICIPANT = "participant"
    SWITCH = "switch"


class Verdict(Enum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Failed(Exception):  # noqa: N818  # A verdict, as Skipped is.
    """The other side did not do what the page says."""


class Skipped(Exception):  # noqa: N818  # As Failed.
    """It can't be proven here; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Case:
    """
    One row of the kit.

    `proves` is a page and a sentence of it, word for word. `needs` names the hook's verbs without which there is
    nothing to begin with. An `alone` case disturbs others and runs by itself; a `slow` one runs only when asked for.
    """

    id: str
    side: Side
    page: str
    proves: str
    needs: tuple[str, ...]
    alone: bool
    slow: bool
    run: Callable[[Any], None]

    @property
    def title(self) -> str:
        """What the other side must do: the function's docstring."""
        return " ".join((self.run.__doc__ or "").split())


@dataclass(slots=True)
class Result:
    """How a case ended, with what was sent and what came."""

    case: Case
    verdict: Verdict = Verdict.SKIPPED
    why: str = ""
    milliseconds: int = 0
    trace: list[dict[str, Any]] = field(default_factory=list)

    def note(self, way: str, what: Message | str) -> None:
        """One line of what happened; the first forty are kept."""
        if len(self.trace) < TRACE_MAX:
            self.trace.append({"way": way, "what": what})


CASES: list[Case] = []
Play = Callable[[Any], None]


def case(
    id_: str,
    side: Side,
    page: str,
    proves: str,
    *,
    needs: tuple[str, ...] = (),
    alone: bool = False,
    slow: bool = False,
) -> Callable[[Play], Play]:
    """Put a function on the list; it raises `Failed` or `Skipped`, or has passed."""

    def register(run: Play) -> Play:
        assert all(known.id != id_ for known in CASES), id_
        CASES.append(Case(id_, side, page, " ".join(proves.split()), needs, alone, slow, run))
        return run

    return register


def require(truth: object, say: str, *facts: object) -> None:
    """Fail the case unless it is so."""
    if not truth:
        told = ", ".join(str(fact)[:300] for fact in facts)
        raise Failed(f"{say}: {told}" if told else say)
