"""
TLS in front of servers that speak HTTP: which of them, says the name a client asks for.

Bytes are passed on as they come, so what stands behind sees requests as they were sent, absolute targets and all.
"""

import asyncio
import ssl
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hutong.runtime.pump import join

_NOBODY_THERE = b"hutong: the node behind this name does not answer\n"


@dataclass(frozen=True, slots=True)
class Behind:
    """A server in the clear."""

    host: str
    port: int


@dataclass(slots=True)
class TlsFront:
    """
    Listens from `start` to `stop`, on any free port if `port` is 0.

    A client that asks for a name not in `behind` sees by the certificate that it is elsewhere; whoever goes on is cut off.
    """

    host: str
    port: int
    behind: Mapping[str, Behind]
    certificate: ssl.SSLContext
    _server: asyncio.Server | None = None
    _names: weakref.WeakKeyDictionary[Any, str] = field(default_factory=weakref.WeakKeyDictionary)
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address is taken."""
        self.certificate.sni_callback = self._named
        self._server = await asyncio.start_server(self._connected, self.host, self.port, ssl=self.certificate)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take no more connections, and end those there are."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._server = None

    def _named(self, connection: Any, name: str | None, _context: ssl.SSLContext) -> None:
        self._names[connection] = (name or "").lower()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        behind = self.behind.get(self._names.get(writer.get_extra_info("ssl_object"), ""))
        try:
            if behind is not None:
                await _pass_on(behind, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # One side is gone; so is the other now.
        except asyncio.CancelledError:
            pass  # By `stop` and nobody else: in Python 3.11 a server's cancelled connection is an error that the loop reports.
        finally:
            self._connections.discard(task)
            writer.close()


async def _pass_on(behind: Behind, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        answers, requests = await asyncio.open_connection(behind.host, behind.port)
    except OSError:
        head = f"HTTP/1.1 502 Bad Gateway\r\nContent-Length: {len(_NOBODY_THERE)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + _NOBODY_THERE)
        await writer.drain()
        return
    await join(reader, writer, answers, requests)
