"""
The merchants' servers that are told: a process of its own, on one port of this machine's own network.

Each address of 127.0.0.0/8 is another receiver. Those whose last byte is 1 are dead: they read and never answer. Reads
how many seconds a line is worth from nobody: it writes its port, and ends when standard input does.
"""

import asyncio
import sys
from typing import cast

import uvloop

_ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n{"code":"SUCCESS"}'
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_BACKLOG = 4096


class _Receiver(asyncio.Protocol):
    """Answers each POST, if it is alive."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._dead = is_dead(transport.get_extra_info("sockname")[0])
        self._read = b""

    def data_received(self, data: bytes) -> None:
        if self._dead:
            return
        self._read += data
        while (end := self._read.find(_HEAD_END)) >= 0:
            start = self._read.index(_LENGTH) + len(_LENGTH)
            whole = end + len(_HEAD_END) + int(self._read[start : self._read.index(b"\r", start)])
            if len(self._read) < whole:
                return
            self._read = self._read[whole:]
            self.transport.write(_ANSWER)


def address(number: int, dead_every: int) -> str:
    """Of the n-th receiver, of which every so many is dead."""
    return f"127.{1 + number // 250}.{number % 250}.{1 if number % dead_every == 0 else 2}"


def is_dead(host: str) -> bool:
    """Whether the receiver at this address does not answer."""
    return host.endswith(".1")


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Receiver, "0.0.0.0", 0, backlog=_BACKLOG)  # noqa: S104  # For the bench's time.
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(serve())
