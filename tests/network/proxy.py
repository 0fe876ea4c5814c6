"""
A wire between two nodes that can be cut, slowed and made to lie: a TCP proxy on the loopback, with its own thread.

Bytes that are lost on a connection stay lost, as nobody here sends them again: such a connection says nothing more
for ever, also when the wire is whole again, and whoever uses it must find out for itself.
"""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

_CHUNK = 65_536
_SLOW_S = 0.25
_THIN_BYTES, _THIN_S = 200, 0.02


class Trouble(Enum):
    """What a wire does."""

    NONE = "carries everything"
    CUT = "resets what is there, and whatever comes"
    ANSWERS_LOST = "requests arrive, answers do not"
    HALF_OPEN = "takes everything, and carries nothing"
    SLOW = "a quarter of a second later, each way"
    THIN = "ten kilobytes a second"
    RESET = "carries half of what is said, and resets"


@dataclass(eq=False)
class Connection:
    """One connection through a wire."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    lost: set[bool] = field(default_factory=set)  # Directions in which something was lost; True is towards the far end.

    def reset(self) -> None:
        for writer in (self.near, self.far):
            writer.transport.abort()


class Wire:
    """One listening port, and the one behind it; `trouble` is what it does."""

    def __init__(self, name: str, port: int, wires: "Wires") -> None:
        self.name = name
        self.behind = port
        self.port = 0
        self.trouble = Trouble.NONE
        self.carried = 0
        self._wires = wires
        self._connections: set[Connection] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def turn(self, trouble: Trouble) -> None:
        """From now on it does that."""
        self._wires.ask(self._turn(trouble))

    def lead_to(self, port: int) -> None:
        """New connections go to another port."""
        self.behind = port

    async def _turn(self, trouble: Trouble) -> None:
        self.trouble = trouble
        if trouble is Trouble.CUT:
            for connection in list(self._connections):
                connection.reset()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """No more connections, and an end to those there are."""
        self._server.close()
        for connection in list(self._connections):
            connection.reset()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.trouble is Trouble.CUT:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.behind)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection(writer, far_writer)
        self._connections.add(connection)
        there = self._carried_to_its_end(reader, far_writer, connection, there=True)
        back = self._carried_to_its_end(far_reader, writer, connection, there=False)
        await asyncio.gather(there, back)
        connection.reset()
        self._connections.discard(connection)

    async def _carried_to_its_end(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection, *, there: bool
    ) -> None:
        """Whichever end goes away, and however, the other hears of it; but not on a connection that lost something."""
        with suppress(OSError):
            await self._carry(reader, writer, connection, there=there)
        if there not in connection.lost:
            connection.reset()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection, *, there: bool
    ) -> None:
        while data := await reader.read(_CHUNK):
            trouble = self.trouble
            if trouble is Trouble.HALF_OPEN or (trouble is Trouble.ANSWERS_LOST and not there):
                connection.lost.add(there)
            if there in connection.lost:
                continue
            if trouble is Trouble.SLOW:
                await asyncio.sleep(_SLOW_S)
            if trouble is Trouble.RESET:
                writer.write(data[: len(data) // 2])
                await writer.drain()
                break
            self.carried += len(data)
            if trouble is Trouble.THIN:
                for first in range(0, len(data), _THIN_BYTES):
                    writer.write(data[first : first + _THIN_BYTES])
                    await asyncio.sleep(_THIN_S)
            else:
                writer.write(data)
            await writer.drain()


class Wires(threading.Thread):
    """Wires, on an event loop of their own: what they join must not be able to stop them."""

    def __init__(self) -> None:
        super().__init__(name="wires", daemon=True)
        self._loop = asyncio.new_event_loop()
        self._wires: dict[str, Wire] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join(10)

    def __getitem__(self, name: str) -> Wire:
        return self._wires[name]

    @property
    def names(self) -> list[str]:
        return list(self._wires)

    def run(self) -> None:
        self._loop.run_forever()
        for wire in self._wires.values():
            self._loop.run_until_complete(wire.close())
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        # Twice: what is cancelled lets go of its sockets a turn later.
        for _ in range(2):
            self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def lay(self, name: str, port: int) -> Wire:
        """A wire to a port of the loopback; its own is chosen."""
        wire = self._wires[name] = Wire(name, port, self)
        self.ask(wire.listen())
        return wire

    def heal(self) -> None:
        for wire in self._wires.values():
            wire.turn(Trouble.NONE)

    def ask(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(10)
