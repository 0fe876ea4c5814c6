"""One institution's notifications on a store that survives, with their worker running, and a dialect of the tests' own."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from hutong.gateways.notification import GatewayNotification, GatewayTry, Letter, News
from hutong.gateways.notification_lanes import Places
from hutong.gateways.notification_service import NotificationService, Told
from hutong.gateways.notification_worker import NotificationWorker, Tampering
from hutong.kernel.clock import NS_PER_S, ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.outbound import HttpPoster
from hutong.runtime.tables import MemoryStore

DIALECT = "test"
MARKED_EVERY = 40


def in_order(notifications: NotificationService) -> list[GatewayNotification]:
    """All that merchants were told, as it was said."""
    return [row for _, row in sorted(notifications.all._rows.values(), key=lambda placed: placed[0])]


@dataclass
class TestPostman:
    """Signs with a digest of text and time; takes the word OK."""

    __test__ = False
    schedule_s: tuple[int, ...] = (15, 15, 30)
    timeout_s: float = 0.3
    written: list[int] = field(default_factory=list)
    fails: bool = False

    def waits_s(self, plain: bytes) -> tuple[int, ...]:  # noqa: ARG002  # Whatever it is.
        return self.schedule_s

    def plain(self, notification: GatewayNotification) -> bytes:
        self.written.append(notification.id)
        if self.fails:
            raise RuntimeError("no such order")
        return f"{notification.kind} {notification.subject_id}".encode()

    def letter(self, _: GatewayNotification, plain: bytes, now_ns: int) -> Letter:
        signature = hashlib.sha256(plain + str(now_ns // NS_PER_S).encode()).hexdigest()
        return Letter(
            {"content-type": "text/plain", "x-time": str(now_ns // NS_PER_S), "x-signature": signature}, plain
        )

    def taken(self, status: int, body: bytes) -> bool:
        return status == 200 and body == b"ok"


class Telling:
    """What tests do with it."""

    def __init__(self, *, tampering: Tampering | None = None, places: Places | None = None) -> None:
        self.clock = ManualClock()
        self.mint = IdMint(self.clock, seeded_randomness(3))
        self.store = MemoryStore()
        self.poster = HttpPoster(private_allowed=True, timeout_s=2)
        self.postman = TestPostman()
        self._tampering = tampering
        self._places = places
        self._running: asyncio.Task[None] | None = None
        self._build(0)

    def _build(self, position: int) -> None:
        self.journal = MemoryJournal(self.store, position=position, immediate=True)
        self.node = NodeRuntime(
            node_id="jing",
            clock=self.clock,
            randomness=seeded_randomness(4),
            mint=self.mint,
            journal=self.journal,
            store=self.store,
            spawn=run_now,
        )
        self.service = NotificationService(self.node, marked_every=MARKED_EVERY)
        self.service.postmen[DIALECT] = self.postman
        self.worker = NotificationWorker(
            self.node,
            self.service,
            self.poster,
            places=self._places,
            letters_kept=True,
            tampering=self._tampering,
        )

    async def start(self) -> None:
        await self.service.start()
        self._running = asyncio.create_task(self.worker.run())
        await asyncio.sleep(0)

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
            self._running = None

    async def close(self) -> None:
        await self.stop()
        await self.poster.close()

    async def restart(self) -> None:
        """As after `kill -9`."""
        position = self.journal.durable_position
        self.journal.crash()
        await self.stop()
        self._build(position)
        await self.start()

    def add(self, url: str, *, account_id: int = 1, subject_id: int = 7, dialect: str = DIALECT) -> int:
        before = set(self.service._open)
        self.service.add(account_id, dialect, News.PAID, subject_id, url)
        (id_,) = self.service._open.keys() - before
        self.journal.seal()
        return id_

    def later(self, seconds: float) -> None:
        self.clock.advance(ns=int(seconds * NS_PER_S))
        self.worker.poke()

    def tries(self) -> list[GatewayTry]:
        return [row for _, row in self.store.rows["gateway_tries"]]

    async def told(self, id_: int) -> Told:
        found = await self.service.told(id_)
        assert found is not None
        return found

    async def ended(self, id_: int) -> Told:
        """When it has been taken or given up."""
        await until(lambda: self.service.standing(id_) is None)
        return await self.told(id_)


async def until(happened: Callable[[], bool]) -> None:
    """Poll: what is awaited crosses a socket."""
    async with asyncio.timeout(90):  # However busy the machine is.
        while not happened():
            await asyncio.sleep(0.002)
