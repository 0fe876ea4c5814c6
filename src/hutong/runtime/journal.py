"""
The node's journal: the ordered group-commit queue everything durable goes through.

Deciding is a plain function call on the node's one event loop: it appends rows and registers **effects**
(replies, messages to peers, news). One commit is in flight at a time, without lingering; when it is durable the
next is sent, and then the effects of the first run. So nothing leaves a node before what it says is durable.

A decision either refuses before it appends anything, or appends everything: who decides calls `seal` behind
each, and a commit is never split inside one.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol

from hutong.kernel.errors import Refusal
from hutong.runtime.tables import MemoryStore, Row, Table

Effect = Callable[[], None]
_IDS = ("id", "payment_id", "return_id", "request_id", "consult_id", "originator")


class JournalHalted(Exception):  # noqa: N818  # It is a state of the node, met by whoever calls.
    """
    The journal takes no more: the node must start again from its rows.

    What was appended and not yet durable is of unknown outcome. Callers may retry with the same id.
    """


class Journal(Protocol):
    """What services see: append, and let out when durable."""

    @property
    def position(self) -> int:
        """The last position given out; strictly increasing over the node's whole life."""
        ...

    @property
    def durable_position(self) -> int:
        """Everything up to here is durable."""
        ...

    def append(self, table: Table[Row], row: Row) -> int:
        """Append a row to what will be committed next; returns its position. Raises `JournalHalted`."""
        ...

    def effect(self, run: Effect) -> None:
        """
        Run `run` once everything appended until now is durable.

        Effects run in the order of registration. One that raises is logged and does not stop the others. An
        effect may decide and append again.
        """
        ...

    def tell(self, peer: str, message: Any) -> None:
        """Send `message` to another node once everything appended until now is durable; one batch per peer and commit."""
        ...

    def seal(self) -> None:
        """End a decision: between two seals everything is committed together or not at all."""
        ...

    def break_off(self, why: str) -> None:
        """A decision failed half appended: its first half must never be committed, so the journal halts."""
        ...

    async def flushed(self) -> None:
        """Seal, and wait until everything until now is durable and let out. Raises `JournalHalted`, also meanwhile."""
        ...

    def promise(self) -> "asyncio.Future[Any]":
        """
        What an edge awaits that some later effect fulfils. It fails with `JournalHalted` when the journal halts first.

        An effect of a journal that halted never runs: without this, whoever waits for one would wait for ever.
        """
        ...


class Witness(Protocol):
    """Notes what comes of one request, in the journal itself: in the same commit as what was decided."""

    def decided(self) -> None:
        """It was done: called at the end of the decision, once or more."""
        ...

    def refused(self, refusal: Refusal) -> None:
        """It was not, and why."""
        ...


# Of the request that is being answered; nobody's, for nearly all. A request's task has a context of its own.
WITNESS: ContextVar[Witness | None] = ContextVar("witness", default=None)


async def durable(journal: Journal) -> None:
    """End the decision, and wait until everything appended by now is durable: what an edge does before it answers."""
    witness = WITNESS.get()
    if witness is not None:
        witness.decided()
    await journal.flushed()


class MemoryJournal:
    """
    The journal of tests and simulations: durable when somebody says `flush`, and a crash loses the rest.

    With `immediate` it flushes by itself at every seal, for tests that are not about durability.
    """

    def __init__(self, store: MemoryStore, *, position: int = 0, immediate: bool = False) -> None:
        self.store = store
        self.post: Callable[[str, list[Any]], None] = _nobody_there
        self._position = position
        self._durable_position = position
        self._immediate = immediate
        self._rows: list[tuple[Table[Any], int, Any]] = []
        self._effects: list[Effect] = []
        self._letters: dict[str, list[Any]] = defaultdict(list)
        self._halted = False
        self._flushing = False
        self._waiters: set[asyncio.Future[Any]] = set()

    @property
    def position(self) -> int:
        return self._position

    @property
    def durable_position(self) -> int:
        return self._durable_position

    @property
    def quiet(self) -> bool:
        """Nothing waits to become durable or to leave."""
        return not (self._rows or self._effects or self._letters)

    def append(self, table: Table[Row], row: Row) -> int:
        if self._halted:
            raise JournalHalted
        self._position += 1
        self._rows.append((table, self._position, row))
        return self._position

    def effect(self, run: Effect) -> None:
        self._effects.append(run)

    def tell(self, peer: str, message: Any) -> None:
        self._letters[peer].append(message)

    def seal(self) -> None:
        if self._immediate:
            self.flush()

    async def flushed(self) -> None:
        done = self.promise()
        # Whoever waits may have gone away when it comes.
        self.effect(lambda: None if done.done() else done.set_result(None))
        self.seal()
        await done

    def promise(self) -> "asyncio.Future[Any]":
        if self._halted:
            raise JournalHalted
        return promise_among(self._waiters)

    def flush(self) -> None:
        """Make everything durable, then let its effects and messages out; what those decide is flushed too if immediate."""
        if self._flushing:
            return
        self._flushing = True
        try:
            while not self.quiet and not self._halted:
                self._flush_once()
                if not self._immediate:
                    break
        finally:
            self._flushing = False

    def break_off(self, why: str) -> None:  # noqa: ARG002  # Whoever broke off raises it, too.
        self.crash()

    def crash(self) -> None:
        """Lose what is not durable; whoever still holds this journal finds it halted."""
        self._halted = True
        self._rows, self._effects = [], []
        self._letters.clear()
        for waiter in list(self._waiters):
            if not waiter.done():
                waiter.set_exception(JournalHalted())

    def _flush_once(self) -> None:
        rows, self._rows = self._rows, []
        effects, self._effects = self._effects, []
        letters, self._letters = self._letters, defaultdict(list)
        for table, position, row in rows:
            self.store.keep(table, position, row)
            self._durable_position = position
        for peer, messages in letters.items():
            self.post(peer, messages)
        for run in effects:
            run()


def named(call: Any) -> dict[str, str]:
    """
    What a log may say of a call that failed: its name, and the ids of what it was about.

    Never the arguments themselves: rows hold people's names.
    """
    about = {"what": getattr(getattr(call, "func", call), "__qualname__", type(call).__name__)}
    for argument in getattr(call, "args", ()):
        for thing in (argument, getattr(argument, "row", None)):
            for name in _IDS:
                value = getattr(thing, name, None)
                if isinstance(value, int | str):
                    about.setdefault(name, f"{value:032x}" if isinstance(value, int) else value)
    return about


def promise_among(waiters: "set[asyncio.Future[Any]]") -> "asyncio.Future[Any]":
    """A future that is one of `waiters` for as long as somebody waits for it."""
    promise: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def forget(done: "asyncio.Future[Any]") -> None:
        waiters.discard(done)
        if not done.cancelled():
            done.exception()  # Whoever was to hear of it may have left.

    waiters.add(promise)
    promise.add_done_callback(forget)
    return promise


def _nobody_there(peer: str, messages: list[Any]) -> None:
    raise AssertionError(f"no transport is wired, and {len(messages)} messages are for {peer}")
