"""An institution's outbox on a store that survives, and a merchant's server that does as it is told."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hutong.institution.notices.delivery_service import DeliveryService
from hutong.institution.notices.repository import NoticeRepository
from hutong.institution.notices.service import Notices
from hutong.institution.notices.webhook_service import WebhookService
from hutong.institution.sealing import SealingKeys
from hutong.kernel.clock import ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.outbound import HttpPoster, Poster
from hutong.runtime.shelf import decided
from hutong.runtime.tables import MemoryStore

Answer = TypeVar("Answer")


@dataclass
class Call:
    """One request the merchant's server got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A merchant's server. Each request takes the next answer; when there is none left, 200."""

    answers: deque[str] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    _server: asyncio.Server | None = None
    _serving: set["asyncio.Task[None] | None"] = field(default_factory=set)

    async def start(self, **options: Any) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, **options)
        scheme = "https" if options.get("ssl") else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for serving in self._serving:
            assert serving is not None
            serving.cancel()
            await asyncio.wait([serving])

    @property
    def ids(self) -> list[str]:
        return [call.headers["webhook-id"] for call in self.calls]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.current_task())
        # Cancelled when the test is over; asyncio's streams would call that an error.
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                headers |= {
                    name: line.split(": ", 1)[1]
                    for line in head[1:]
                    if (name := line.split(":")[0].lower()).startswith("webhook-")
                }
                body = await reader.readexactly(int(headers["content-length"]))
                self.calls.append(Call(head[0].split()[1], headers, body))
                if not await self._answer(self.answers.popleft() if self.answers else "200", writer):
                    break
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, answer: str, writer: asyncio.StreamWriter) -> bool:
        match answer:
            case "hang":
                await asyncio.sleep(30)
                return False
            case "drop":
                return False
            case "endless":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n")
                for _ in range(20):
                    writer.write(b"x" * 10_000)
                    await writer.drain()
                return True
            case _:
                status, _, more = answer.partition(" ")
                extra = f"{more}\r\n" if more else ""
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 2\r\n{extra}\r\nok".encode())
                await writer.drain()
                return True


class Post:
    """One institution's notices, with its worker running."""

    def __init__(self, poster: Poster | None = None) -> None:
        self.clock = ManualClock()
        self.randomness = seeded_randomness(3)
        self.mint = IdMint(self.clock, self.randomness)
        self.store = MemoryStore()
        self._http = HttpPoster(private_allowed=True, timeout_s=1)
        self.poster: Poster = poster or self._http
        self._worker: asyncio.Task[None] | None = None
        self._build(0)

    async def start(self, *, works: bool = True) -> None:
        await self.deliveries.start()
        if works:
            self._worker = asyncio.create_task(self.deliveries.run())

    async def stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
            self._worker = None

    async def close(self) -> None:
        await self.stop()
        await self._http.close()

    async def restart(self, *, works: bool = True) -> None:
        """As after `kill -9`."""
        position = self.journal.durable_position
        self.journal.crash()
        await self.stop()
        self._build(position)
        await self.start(works=works)

    async def ask(self, decide: Callable[[], Answer]) -> Answer:
        return await decided(self.journal, decide)

    def tell(self, owner_id: int, number: int, type_: str = "payment.completed") -> None:
        self.notices.tell_merchant(owner_id, type_, {"number": number})
        self.journal.seal()

    async def endpoint(self, owner_id: int, url: str, types: list[str] | None = None) -> Any:
        endpoint_id = self.mint.mint()
        return await self.ask(lambda: self.webhooks.make(owner_id, endpoint_id, url, types or []))

    async def advance(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)
        self.deliveries.poke()

    def _build(self, position: int) -> None:
        self.journal = MemoryJournal(self.store, position=position, immediate=True)
        node = NodeRuntime(
            node_id="jing",
            clock=self.clock,
            randomness=self.randomness,
            mint=self.mint,
            journal=self.journal,
            store=self.store,
            spawn=run_now,
        )
        repository = NoticeRepository(self.journal, self.store)
        self.notices = Notices(node, repository)
        sealing = SealingKeys((b"s" * 32,), self.randomness)
        self.webhooks = WebhookService(node, repository, sealing, private_allowed=True)
        self.deliveries = DeliveryService(node, repository, self.notices, self.webhooks, self.poster)
