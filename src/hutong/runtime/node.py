"""What every service of a node is given: who the node is, its time, its chance and where it writes."""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

import structlog

from hutong.kernel.clock import Clock
from hutong.kernel.ids import IdMint, Randomness
from hutong.runtime.journal import Journal, JournalHalted, named
from hutong.runtime.shelf import Cold, check_looked_up
from hutong.runtime.tables import Store

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NodeRuntime:
    """The machine as a service may see it. Wired in `app`; a test wires a manual clock and a memory journal."""

    node_id: str
    clock: Clock
    randomness: Randomness
    mint: IdMint
    journal: Journal
    store: Store
    spawn: Callable[[Coroutine[Any, Any, None]], None]  # Runs beside what decides: loads, timers' errands.

    def decide(self, decision: Callable[[], None], failed: Callable[[Exception], None] | None = None) -> None:
        """
        Run a decision that answers through the journal: at once, or as soon as what it needs is loaded.

        Raises what the decision raises; if it had appended by then, that is half a decision, and the journal halts.
        What stops it later (the database went away meanwhile) is told to `failed`, so that whoever waits for
        the answer hears that there will be none.
        """
        before = self.journal.position
        try:
            decision()
        except Cold as cold:
            check_looked_up(self.journal, before)
            self.spawn(self._decide_later(cold, decision, failed))
        except Exception as error:
            if self.journal.position != before:
                self.journal.break_off(f"{error!r} after it had appended")
            raise
        else:
            self.journal.seal()

    def decide_each(self, decisions: Iterable[Callable[[], None]]) -> None:
        """Decide on each message of a batch. One that fails is our bug: it is logged, and the others are decided."""
        for decision in decisions:
            try:
                self.decide(decision)
            except JournalHalted:
                return  # What comes to a halted node is lost, as any message may be.
            except Exception:
                log.exception("message_failed", **named(decision))

    async def _decide_later(
        self, cold: Cold, decision: Callable[[], None], failed: Callable[[Exception], None] | None
    ) -> None:
        try:
            await cold.load()
            self.decide(decision, failed)
        except Exception as error:
            if failed is None:
                raise
            failed(error)


def run_now(errand: Coroutine[Any, Any, None]) -> None:
    """The `spawn` of tests and simulations, where nothing an errand awaits really waits."""
    try:
        errand.send(None)
    except StopIteration:
        return
    raise AssertionError("an errand waited for the world, and here there is none")
