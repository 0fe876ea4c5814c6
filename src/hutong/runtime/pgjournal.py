"""
The journal in PostgreSQL: one commit in flight, each of them one transaction in one round trip.

While a commit is under way, what is decided gathers for the next: it clocks itself, and nobody lingers. When it is
durable the next is sent first, and then the effects of the last run, while the database works.

It trusts nothing it can't know. A lost connection, a lost epoch or a decision the database refuses ends it, by
name (`Halt`); the node then starts again from its rows.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import structlog

from hutong.runtime.database import Database, DatabaseUnavailable
from hutong.runtime.figures import JournalFigures
from hutong.runtime.journal import Effect, JournalHalted, named, promise_among
from hutong.runtime.leadership import Leadership, lead
from hutong.runtime.pgwire import ConnectionLost, ServerError, WireConnection, connect, copy_messages, query_message
from hutong.runtime.tables import POSITION_OFFSET, Row, Table

_DIVISION_BY_ZERO = "22012"
_DATA_ERRORS = ("22", "23")  # SQLSTATE classes: a value that does not fit, a constraint it breaks.
_NOT_NOW = ("57P01", "57P02", "57P03", "53300")  # The server is stopping, starting, or full.
_POSITION = slice(POSITION_OFFSET, POSITION_OFFSET + 8)
# While many are being answered, so many new rows are enough to send: else database and Python take turns (1.4x at 256
# clients of the ledger alone).
_EARLY_ROWS = 96
# So are so many decisions of one pass of the loop: else all of 64 clients are decided, then all of them committed.
_EARLY_DECISIONS = 32
_SESSION = {
    "synchronous_commit": "on",  # Whatever the server's default: what we call durable is on disk.
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "timezone": "UTC",
    # The server, too, notices a dead peer: until then it keeps the lead for it. A Unix socket ignores these.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}

_log = structlog.get_logger()


class HaltReason(Enum):
    """Why a journal takes no more."""

    CLOSED = "closed by its node"
    FENCED = "another writer has taken over"
    OUTCOME_UNKNOWN = "the connection was lost: the last commit may or may not have happened"
    DECISION_REFUSED = "the database refused a decision that was already made in memory"
    DECISION_BROKEN = "our own code failed in the middle of a decision"
    DATABASE_REFUSED = "the database can't commit"


@dataclass(frozen=True, slots=True)
class Halt:
    """The name and the words of it."""

    reason: HaltReason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason.name}: {self.reason.value}" + (f" ({self.detail})" if self.detail else "")


@dataclass(slots=True)
class _Batch:
    """What one commit takes, in order, with the boundaries of its decisions."""

    rows: dict[Table[Any], list[bytes]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    letters: list[tuple[str, Any]] = field(default_factory=list)
    seals: list[tuple[int, int, int]] = field(default_factory=list)  # Position, effects and letters until there.

    def split(self, decisions: int) -> tuple["_Batch", "_Batch"]:
        """The first `decisions`, and the rest."""
        position, effects, letters = self.seals[decisions - 1]
        boundary = position.to_bytes(8, "big")
        first, rest = _Batch(), _Batch()
        for table, rows in self.rows.items():
            early = sum(row[_POSITION] <= boundary for row in rows)
            if early:
                first.rows[table] = rows[:early]
            if early < len(rows):
                rest.rows[table] = rows[early:]
        first.effects, rest.effects = self.effects[:effects], self.effects[effects:]
        first.letters, rest.letters = self.letters[:letters], self.letters[letters:]
        first.seals = self.seals[:decisions]
        rest.seals = [(last, run - effects, sent - letters) for last, run, sent in self.seals[decisions:]]
        return first, rest


class PgJournal:
    """
    A `Journal` whose commits are PostgreSQL's. Made by `open_journal`; lives on one event loop.

    `post` is where messages leave, and `on_halt` is told once when it ends; `app` sets both.
    """

    def __init__(self, connection: WireConnection, leadership: Leadership) -> None:
        self.post: Callable[[str, list[Any]], None] = _nobody_there
        self.on_halt: Callable[[Halt], None] = lambda _: None
        self.halt: Halt | None = None
        self.leadership = leadership
        self.commits = 0
        self.figures = JournalFigures()
        self.sent_at: float | None = None  # When the commit that is under way was sent; the loop's time.
        self._position = self._sealed_position = self._durable_position = leadership.position
        self._open = _Batch()
        self._in_flight: _Batch | None = None
        self._to_retry: list[_Batch] = []  # Parts of a commit that failed, while we look for the decision at fault.
        self._woken = False
        self._queries: dict[tuple[Table[Any], ...], bytes] = {}
        self._loop = asyncio.get_running_loop()
        self._waiters: set[asyncio.Future[Any]] = set()
        self._connection = connection
        connection.on_lost = self._lost

    @property
    def epoch(self) -> int:
        return self.leadership.epoch

    @property
    def position(self) -> int:
        return self._position

    @property
    def durable_position(self) -> int:
        return self._durable_position

    @property
    def commit_age_s(self) -> float:
        """For how long the commit that is under way has been; 0 when there is none."""
        return 0 if self.sent_at is None else self._loop.time() - self.sent_at

    def append(self, table: Table[Row], row: Row) -> int:
        if self.halt is not None:
            raise JournalHalted(str(self.halt))
        position = self._position + 1
        try:
            packed = table.pack(position, row)
        except Exception as error:
            # The rows before it in the same decision are not to be committed without it.
            self._stop(HaltReason.DECISION_BROKEN, f"{table} can't hold {row}: {error}")
            raise
        self._position = position
        rows = self._open.rows
        if table in rows:
            rows[table].append(packed)
        else:
            rows[table] = [packed]
        return position

    def effect(self, run: Effect) -> None:
        if self.halt is not None:
            raise JournalHalted(str(self.halt))
        self._open.effects.append(run)
        if self._position == self._sealed_position:
            self._wake()

    def tell(self, peer: str, message: Any) -> None:
        if self.halt is not None:
            raise JournalHalted(str(self.halt))
        self._open.letters.append((peer, message))
        if self._position == self._sealed_position:
            self._wake()

    def seal(self) -> None:
        if self._position != self._sealed_position:
            self._sealed_position = self._position
            batch = self._open
            batch.seals.append((self._position, len(batch.effects), len(batch.letters)))
            self._wake()

    def between_decisions(self) -> None:
        """
        Begin the next commit if much is decided and none is under way, without waiting for the end of the loop's pass.

        For the event loop's own callbacks alone, first of all they do (`HttpServer`): nobody decides then. A decision must never
        call it, nor what a decision calls: sealed is also what an inner decision has ended within an outer one, and half of that
        would be durable alone.
        """
        if (
            self._in_flight is None
            and len(self._open.seals) >= _EARLY_DECISIONS
            and self._position == self._sealed_position
        ):
            self._begin()

    def break_off(self, why: str) -> None:
        self._stop(HaltReason.DECISION_BROKEN, why)

    async def flushed(self) -> None:
        """Seal, and wait until everything until now is durable and let out. Raises `JournalHalted`."""
        self.seal()
        done = self.promise()
        self.effect(lambda: None if done.done() else done.set_result(None))
        await done

    def promise(self) -> "asyncio.Future[Any]":
        """What an edge awaits that a later effect fulfils; fails with `JournalHalted` when the journal halts first."""
        if self.halt is not None:
            raise JournalHalted(str(self.halt))
        return promise_among(self._waiters)

    async def close(self) -> None:
        """Make everything durable, let it out, and give up the lead. Repeats: nothing."""
        if self.halt is None:
            with suppress(JournalHalted):  # It ended by itself meanwhile, and has said why.
                await self.flushed()
            self._stop(HaltReason.CLOSED)

    # Committing

    def _wake(self) -> None:
        """
        Commit when the loop has run what it has in hand, and once more what came in meanwhile: all of it fits into one.

        The second round is no waiting: with nothing to do it takes some microseconds. It halves the commits of payments
        across three nodes of one process at 64 clients, and so takes a fifth to a third from the database.
        """
        if self._in_flight is None and not self._woken:
            self._woken = True
            self._loop.call_soon(self._loop.call_soon, self._begin)

    def _begin(self) -> None:
        self._woken = False
        if self._in_flight is not None or self.halt is not None:
            return
        batch = self._take()
        if batch.rows:
            self._send(batch)
        else:
            self._let_out(batch)

    def _take(self) -> _Batch:
        """Everything sealed until now."""
        batch, self._open = self._open, _Batch()
        if self._position != self._sealed_position:
            # Somebody is in the middle of a decision (it awaited something): only what is whole is committed.
            if not batch.seals:
                batch, self._open = self._open, batch
            else:
                batch, self._open = batch.split(len(batch.seals))
        return batch

    def _send(self, batch: _Batch) -> None:
        self._in_flight = batch
        tables = tuple(batch.rows)
        query = self._queries.get(tables)
        if query is None:
            query = self._queries[tables] = self._query(tables)
        messages = [query]
        for rows in batch.rows.values():
            messages += copy_messages(rows)
        self.sent_at = self._loop.time()
        self._connection.commit(messages, self._answered)

    def _query(self, tables: tuple[Table[Any], ...]) -> bytes:
        """Several statements in one simple query are one transaction; the first one ends it if we are not the writer."""
        copies = [f"COPY {_named(table)} FROM STDIN (FORMAT binary)" for table in tables]
        return query_message("; ".join([self.leadership.check, *copies]))

    def _answered(self, error: ServerError | ConnectionLost | None) -> None:
        batch, self._in_flight = self._in_flight, None
        sent_at, self.sent_at = self.sent_at, None
        if self.halt is not None or batch is None:
            return
        if error is None:
            took_s = self._loop.time() - sent_at if sent_at is not None else 0
            self.figures.committed(sum(map(len, batch.rows.values())), int(took_s * 1e9))
            self._committed(batch)
        elif isinstance(error, ConnectionLost):
            self._stop(HaltReason.OUTCOME_UNKNOWN, str(error))
        elif error.sqlstate == _DIVISION_BY_ZERO and error.statements == 0:
            self._stop(HaltReason.FENCED, f"epoch {self.epoch} is over")
        elif error.sqlstate[:2] not in _DATA_ERRORS:
            self._stop(HaltReason.DATABASE_REFUSED, str(error))
        elif len(batch.seals) > 1:
            # Nothing of it is durable. What was decided before the decision at fault is sound: make that
            # durable, and stop there, for what was decided after it stands on something that will never be.
            first, rest = batch.split(len(batch.seals) // 2)
            self._to_retry.insert(0, rest)
            self._send(first)
        else:
            self._stop(HaltReason.DECISION_REFUSED, str(error))

    def _committed(self, batch: _Batch) -> None:
        self.commits += 1
        self._durable_position = batch.seals[-1][0]
        following = self._to_retry.pop(0) if self._to_retry else self._take()
        if following.rows:
            self._send(following)
        self._let_out(batch)
        if not following.rows:
            self._let_out(following)

    def _let_out(self, batch: _Batch) -> None:
        """Run what waited for durability. One that fails must not keep the others from leaving."""
        if batch.letters:
            by_peer: dict[str, list[Any]] = defaultdict(list)
            for peer, message in batch.letters:
                by_peer[peer].append(message)
            for peer, messages in by_peer.items():
                self._run(lambda peer=peer, messages=messages: self.post(peer, messages))  # type: ignore[misc]
        for effect in batch.effects:
            self._run(effect)
            if self._in_flight is None and self._sealed_position - self._durable_position >= _EARLY_ROWS:
                # Whoever was answered has decided again: let the database work while the others are answered.
                self._begin()

    def _run(self, effect: Effect) -> None:
        before = self._position
        try:
            effect()
        except JournalHalted:
            return  # It wanted to decide more. The node is about to start again from its rows.
        except Exception as error:  # noqa: BLE001  # Whatever it is, the others must leave.
            _log.exception("effect_failed", **named(effect))
            if self._position not in {before, self._sealed_position}:
                self._stop(HaltReason.DECISION_BROKEN, f"an effect failed after it had appended: {error}")
        else:
            if self._position not in {before, self._sealed_position}:
                self.seal()

    # The end

    def _lost(self, lost: ConnectionLost) -> None:
        # With it went the lock, so another may lead by now, even if nothing was under way.
        self._stop(HaltReason.OUTCOME_UNKNOWN, str(lost))

    def _stop(self, reason: HaltReason, detail: str = "") -> None:
        if self.halt is not None:
            return
        self.halt = Halt(reason, detail)
        self._open = _Batch()
        self._to_retry = []
        if reason is HaltReason.CLOSED:
            self._connection.close()
        else:
            _log.error("journal_halted", reason=reason.name, detail=detail)
            self._connection.abort()
        for waiter in list(self._waiters):
            if not waiter.done():
                waiter.set_exception(JournalHalted(str(self.halt)))
        self.on_halt(self.halt)


async def open_journal(database: Database, *, take_over: bool = False, led: int | None = None) -> PgJournal:
    """
    Become the node's writer (again, who `led` before), at the position its rows end with. The schema is migrated already.

    Refuses:  WRITER_ALREADY_RUNS, WRITER_TAKEN_OVER (`runtime.leadership`). Raises `DatabaseUnavailable`: try again later; `ServerError`
              where trying again can't help.
    """
    parameters = {"search_path": database.schema, "application_name": f"hutong journal {database.schema}"}
    try:
        connection = await connect(database.address, {**parameters, **_SESSION})
        try:
            return PgJournal(connection, await lead(connection, take_over=take_over, led=led))
        except BaseException:
            connection.abort()
            raise
    except (OSError, ConnectionLost) as error:
        raise DatabaseUnavailable(f"{database.address.host}: {error}") from error
    except ServerError as error:
        if error.sqlstate in _NOT_NOW:
            raise DatabaseUnavailable(str(error)) from error
        raise


def _named(table: Table[Any]) -> str:
    """The table and its columns as COPY wants them, quoted: a field may be called `limit`."""
    return f'"{table.name}" (' + ", ".join(f'"{name}"' for name in table.packed_names) + ")"


def _nobody_there(peer: str, messages: list[Any]) -> None:
    raise AssertionError(f"no transport is wired, and {len(messages)} messages are for {peer}")
