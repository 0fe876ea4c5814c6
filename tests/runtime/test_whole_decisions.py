"""
What is durable is a set of whole decisions, wherever a crash comes: outermost ones, with all that was decided within them.

Decisions within decisions seal, too, so a commit may only begin where nobody is in the middle of anything. Here many requests
arrive in one pass of the loop, each of them a decision with others inside, and some whose answer decides again; the connection
to the database is lost behind each commit in turn; then the rows are read.
"""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

import hutong
from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime import pgjournal
from hutong.runtime.database import Database
from hutong.runtime.http import HotRequest
from hutong.runtime.http_connection import NodeProtocol
from hutong.runtime.http_server import HttpServer
from hutong.runtime.node import NodeRuntime
from hutong.runtime.pgjournal import PgJournal, open_journal
from hutong.runtime.tables import MemoryStore
from tests.runtime.test_http_server import asgi_echo, post
from tests.runtime.test_pgjournal import NOTES, Note, prepare

_CLIENTS = 64
_ROUNDS = 3


@dataclass
class Deciding:
    """A node that only decides: each request is one decision, of as many rows as chance says."""

    journal: PgJournal
    random: random.Random
    asked: int = 0
    row_counts: dict[int, int] = field(default_factory=dict)  # By decision.
    sent: list[int] = field(default_factory=list)  # Decisions made by the time of each commit.
    between: int = 0

    def __post_init__(self) -> None:
        mint = IdMint(SystemClock(), seeded_randomness(1))
        clock, chance = SystemClock(), seeded_randomness(2)
        self.node = NodeRuntime("n", clock, chance, mint, self.journal, MemoryStore(), lambda _: None)
        self.mint = mint

    def asks(self, request: HotRequest) -> None:
        self.asked += 1
        self.node.decide(lambda: self._decide(request))

    def arriving(self) -> None:
        """As the server tells it: by the loop itself, with nobody of ours deciding anywhere above."""
        self.between += 1
        frame, ours = sys._getframe(1), []
        while frame is not None:
            if frame.f_globals.get("__name__", "").startswith("hutong."):
                ours.append(frame.f_code)
            frame = frame.f_back  # type: ignore[assignment]
        assert ours == [NodeProtocol.data_received.__code__]
        self.journal.between_decisions()

    def _decide(self, request: HotRequest | None) -> None:
        number = len(self.row_counts)
        self.row_counts[number] = 0
        for _ in range(self.random.randrange(1, 4)):
            within = self.random.choice([self._row, self._inner, self._inner])
            within(number)
            self._row(number)
        if request is not None:
            self.journal.effect(lambda: request.respond(200, b"done"))
            if self.random.random() < 0.3:
                self.journal.effect(lambda: self._decide(None))  # Who is told decides again.

    def _inner(self, number: int) -> None:
        self.node.decide(lambda: self._row(number))

    def _row(self, number: int) -> None:
        self.row_counts[number] += 1
        self.journal.append(NOTES, Note(self.mint.mint(), number, "row"))


async def _life(database: Database, seed: int, ends_behind: int, watch: Callable[[Deciding], None]) -> Deciding:
    """Rounds of all clients at once, until that many commits are durable."""
    connection = await database.connect()
    await connection.execute("TRUNCATE notes")
    await connection.close()
    journal = await open_journal(database)
    deciding = Deciding(journal, random.Random(seed))
    watch(deciding)
    answered, send = journal._answered, journal._send

    def heard(error: Any) -> None:
        if journal.commits + 1 == ends_behind:
            journal._connection.abort()  # It is durable, and nobody here will ever know.
        else:
            answered(error)

    def sent(batch: Any) -> None:
        deciding.sent.append(len(deciding.row_counts))
        send(batch)

    journal._answered, journal._send = heard, sent  # type: ignore[method-assign]
    hot = {("POST", "/"): deciding.asks}
    server = HttpServer("127.0.0.1", 0, hot, asgi_echo, arriving=deciding.arriving)
    await server.start()
    clients = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(_CLIENTS)]
    for _ in range(_ROUNDS):
        for _, writer in clients:
            writer.write(post("/"))
        reading = [asyncio.ensure_future(reader.readuntil(b"done")) for reader, _ in clients]
        while journal.halt is None and not all(each.done() for each in reading):
            await asyncio.sleep(0.001)
        for each in reading:
            each.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        if journal.halt is not None:
            break
    for _, writer in clients:
        writer.close()
    await server.stop(drain_s=0)
    await journal.close()
    return deciding


async def _halves(database: Database, deciding: Deciding) -> list[int]:
    """Decisions of which something is durable, and something else is not."""
    connection = await database.connect()
    try:
        kept = Counter(row["amount"] for row in await connection.fetch("SELECT amount FROM notes"))
    finally:
        await connection.close()
    return [number for number, rows in kept.items() if rows != deciding.row_counts[number]]


def _bounded(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scenario(), 60)

    uvloop.run(bounded())


def test_a_crash_behind_any_commit_leaves_whole_decisions(database: Database) -> None:
    async def scenario() -> None:
        await prepare(database)
        whole = await _life(database, 7, 0, lambda _: None)
        assert whole.between >= _ROUNDS * _CLIENTS
        assert await _halves(database, whole) == []
        assert whole.sent[0] < _CLIENTS, "the first were sent before all had decided"
        assert whole.journal.commits > _ROUNDS
        for commit in range(1, whole.journal.commits + 1):
            assert await _halves(database, await _life(database, 7, commit, lambda _: None)) == []

    _bounded(scenario)


def test_a_commit_that_began_within_a_decision_would_be_found(database: Database) -> None:
    """As it was once: `seal` itself began them."""

    def plant(deciding: Deciding) -> None:
        journal, seal = deciding.journal, deciding.journal.seal

        def sealed() -> None:
            seal()
            if journal._in_flight is None and len(journal._open.seals) >= pgjournal._EARLY_DECISIONS:
                journal._begin()

        journal.seal = sealed  # type: ignore[method-assign]

    async def scenario() -> None:
        await prepare(database)
        found = [await _halves(database, await _life(database, 7, commit, plant)) for commit in range(1, 6)]
        assert any(found)

    _bounded(scenario)


def test_only_the_loop_says_that_nobody_decides() -> None:
    """Whoever calls it within a decision commits half of that: so nobody else knows it."""
    root = Path(hutong.__file__).parent
    named: dict[str, list[str]] = {"between_decisions": [], ".arriving()": []}
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for name, places in named.items():
            places.extend([path.relative_to(root).as_posix()] * text.count(name))
    assert sorted(named["between_decisions"]) == ["app/wiring.py", "runtime/pgjournal.py"]
    assert named[".arriving()"] == ["runtime/http_connection.py"]
