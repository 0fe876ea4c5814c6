"""
Between a private place and the machine around it: some of the machine's ports inside, and what listens inside, outside.

A helper process stays outside and speaks with us over Unix sockets, which know no network namespaces. So a program
inside calls servers of the machine by their usual addresses, and they call it back by its own.
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from hutong.runtime.pump import join

LOOPBACK = "127.0.0.1"
_LOOK_S = 0.1  # How soon what begins to listen inside is found outside.
_LISTEN = "0A"  # proc_net_tcp's state of a socket that listens.
_PATIENCE_S = 0.3


def is_listening(host: str, port: int) -> bool:
    """Whether somebody answers there now."""
    try:
        with socket.create_connection((host, port), _PATIENCE_S):
            return True
    except OSError:
        return False


class Bridge:
    """
    A context manager, entered outside, before the private place is: then the helper stays there. `inside` is its end in here.

    `ports` of the machine's loopback are reached inside under the same numbers.
    """

    def __init__(self, scratch: Path, ports: Iterable[int]) -> None:
        self._scratch = scratch
        self._ports = frozenset(ports) - {0}
        self._helper = 0

    def __enter__(self) -> Self:
        ours, theirs = socket.socketpair()
        self._helper = os.fork()
        if self._helper == 0:
            ours.close()
            _stay_outside(theirs, self._scratch, self._ports)
        theirs.close()
        self._line = ours
        assert ours.recv(1) == b"!", "the helper is there"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._line.close()
        os.waitpid(self._helper, 0)

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[None]:
        """The machine's ports in here, and ours shown out there."""
        servers = [
            await asyncio.start_server(partial(_to_path, self._outgoing(port)), LOOPBACK, port) for port in self._ports
        ]
        servers.append(await asyncio.start_unix_server(_to_named_port, self._scratch / "in"))
        known = _listening()
        telling = asyncio.create_task(self._tell(known))
        try:
            yield
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            for server in servers:
                server.close()

    def _outgoing(self, port: int) -> Path:
        return self._scratch / f"out-{port}"

    async def _tell(self, known: set[int]) -> None:
        """Name to the helper, one a line, each port that somebody begins to listen on."""
        while True:
            for port in _listening() - known:
                known.add(port)
                self._line.send(f"{port}\n".encode())
            await asyncio.sleep(_LOOK_S)


def _listening() -> set[int]:
    found = set()
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTEN:
                    found.add(int(fields[1].rpartition(":")[2], 16))
    return found


def _stay_outside(line: socket.socket, scratch: Path, ports: frozenset[int]) -> None:
    """The helper: until the other end of the line is gone. Never returns."""
    # What a terminal says is for the program; this ends with the line.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    try:
        asyncio.run(_relay(line, scratch, ports))
    finally:
        os._exit(0)


async def _relay(line: socket.socket, scratch: Path, ports: frozenset[int]) -> None:
    for port in ports:
        await asyncio.start_unix_server(partial(_to_port, port), scratch / f"out-{port}")
    line.send(b"!")
    told, _ = await asyncio.open_connection(sock=line)
    while number := await told.readline():
        port = int(number)
        # Taken, or not ours to take: then nobody out here is led in.
        with suppress(OSError):
            await asyncio.start_server(partial(_to_inner_port, scratch / "in", port), LOOPBACK, port)
    os._exit(0)  # Who is still connected has nobody to speak to any more.


async def _to_port(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with _closing(writer):
        await join(reader, writer, *await asyncio.open_connection(LOOPBACK, port))


async def _to_path(path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with _closing(writer):
        await join(reader, writer, *await asyncio.open_unix_connection(path))


async def _to_inner_port(path: Path, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with _closing(writer):
        answers, requests = await asyncio.open_unix_connection(path)
        requests.write(f"{port}\n".encode())
        await join(reader, writer, answers, requests)


async def _to_named_port(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with _closing(writer):
        port = int(await reader.readline())
        await join(reader, writer, *await asyncio.open_connection(LOOPBACK, port))


@contextmanager
def _closing(writer: asyncio.StreamWriter) -> Iterator[None]:
    try:
        yield
    except OSError:
        pass  # One side is gone; so is the other now.
    finally:
        writer.close()
