"""
Calling addresses that somebody else named: webhooks, notifications.

Whoever may name an address must not be able to make us call our own network (server-side request forgery). So the
address is checked where it is connected to, behind its resolution: a name that is public when it is looked at and
private when it is called gains nothing. There are no redirects, no proxies, and neither a slow nor an endless answer
holds us; nor does a name server that does not answer hold those whose names are known.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from hutong.runtime.outbound_connection import Gone, OutboundConnection, Reply

TIMEOUT_S = 15  # Standard Webhooks recommends 15 to 30.
CONNECTIONS_MAX = 100
_KEPT_S = 30.0
_RETRY_AFTER_DIGITS_MAX = 7
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address.
_RESOLVERS = 64  # Threads, made when needed: each waits for a name server, and some never answer.
_RESOLVED_S = 30.0
_UNRESOLVED_S = 10.0  # What could not be resolved is not asked again at once: it may hold a thread for long.
_RESOLVED_MAX = 10_000
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said, as far as we listen."""

    status: int
    retry_after_s: int = 0
    body: bytes = b""  # The first 4 KiB of it.


class NotAnswered(Exception):  # noqa: N818  # Something may have arrived all the same: send again under the same id.
    """No answer came: not resolved, not allowed, not connected, not in time. Its text says which; it is no secret."""


class Poster(Protocol):
    """Sends one body to one URL."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the other side answered; raises `NotAnswered`."""
        ...


def is_public(text: str) -> bool:
    """Whether an address is in the public internet, looking through those that wrap another."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner:
            return is_public(str(inner))
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Names:
    """
    Addresses of names, remembered for a while.

    On threads of their own: the loop's few are for others, and a name server that does not answer holds a thread for
    as long as the system waits. Each name holds at most one.
    """

    def __init__(self, resolve: Callable[[str, int], list[str]] = _resolve) -> None:
        self._resolve = resolve
        self._threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="hutong-names")
        self._known: dict[tuple[str, int], tuple[float, list[str] | OSError]] = {}
        self._asked: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where a name leads; raises OSError."""
        loop = asyncio.get_running_loop()
        until, found = self._known.get((host, port), (0.0, []))
        if until > loop.time():
            if isinstance(found, OSError):
                raise found.with_traceback(None)  # Raised often: it must not grow.
            return found
        asked = self._asked.get((host, port))
        if asked is None:
            asked = self._asked[host, port] = loop.run_in_executor(self._threads, self._resolve, host, port)
            asked.add_done_callback(lambda done: self._answered(host, port, done))
        return await asyncio.shield(asked)

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answered(self, host: str, port: int, done: "asyncio.Future[list[str]]") -> None:
        del self._asked[host, port]
        if done.cancelled():
            return
        if len(self._known) >= _RESOLVED_MAX:
            self._known.clear()
        now, error = done.get_loop().time(), done.exception()
        if error is None:
            self._known[host, port] = now + _RESOLVED_S, done.result()
        elif isinstance(error, OSError):
            self._known[host, port] = now + _UNRESOLVED_S, error


class HttpPoster:
    """
    Posts over HTTP.

    https leads to public addresses and, with `private_allowed`, to private ones; http only to private ones and only
    then, unless `http_public`: for what is signed, and encrypted where it must be, whoever carries it. `trusted` replaces the system's certificate authorities. No more than `connections_max` requests are under way
    at once, and no more connections are kept; the timeout of one begins when it has its turn.
    """

    def __init__(
        self,
        *,
        private_allowed: bool = False,
        http_public: bool = False,
        timeout_s: float = TIMEOUT_S,
        connections_max: int = CONNECTIONS_MAX,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._private_allowed = private_allowed
        self._public_schemes = {"https", "http"} if http_public else {"https"}
        self._timeout_s = timeout_s
        self._tls = trusted
        self._room = asyncio.Semaphore(connections_max)
        self._kept = _Kept(connections_max)
        self._names = Names()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the other side answered; raises `NotAnswered`."""
        async with self._room:
            try:
                async with asyncio.timeout(self._timeout_s):
                    reply = await self._post(urlsplit(url), headers, body)
            except TimeoutError as error:
                raise NotAnswered(f"no answer within {self._timeout_s} s") from error
            except (Gone, OSError, ValueError) as error:
                raise NotAnswered(f"{type(error).__name__}: {error}"[:200]) from error
        told = reply.headers.get(b"retry-after", b"0")
        seconds = int(told) if told.isdigit() and len(told) <= _RETRY_AFTER_DIGITS_MAX else 0
        return Answer(reply.status, seconds, reply.body)

    async def close(self) -> None:
        """Close what is kept open."""
        self._kept.close()
        self._names.close()

    async def _post(self, parts: SplitResult, headers: Mapping[str, str], body: bytes) -> Reply:
        origin = (parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])
        request = _request(parts, headers, body)
        kept = self._kept.take(origin)
        if kept is not None:
            try:
                return await self._send(origin, kept, request)
            except Gone as gone:
                if not gone.untouched:
                    raise
                # It was closed for having been idle, while we wrote: nobody has read this request.
        return await self._send(origin, await self._connect(*origin), request)

    async def _send(self, origin: "_Origin", connection: OutboundConnection, request: bytes) -> Reply:
        try:
            reply = await connection.send(request)
        except BaseException:
            connection.close()
            raise
        if reply.keeps:
            self._kept.keep(origin, connection)
        else:
            connection.close()
        return reply

    async def _connect(self, scheme: str, host: str, port: int) -> OutboundConnection:
        addresses = await self._names.addresses(host, port)
        for address in addresses:
            if not (scheme in self._public_schemes if is_public(address) else self._private_allowed):
                raise ConnectionRefusedError(f"{host} leads to an address that may not be called")
        if scheme == "https" and self._tls is None:
            self._tls = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        refused: OSError | None = None
        for address in addresses:
            try:
                _, connection = await loop.create_connection(
                    lambda: OutboundConnection(self._kept.lost),
                    address,
                    port,
                    ssl=self._tls if scheme == "https" else None,
                    server_hostname=host if scheme == "https" else None,
                )
            except OSError as error:
                refused = error
            else:
                return connection
        raise refused or ConnectionRefusedError(f"{host} has no address")


_Origin = tuple[str, str, int]


class _Kept:
    """Connections that wait for the next request to the same place, those longest idle first to go."""

    def __init__(self, connections_max: int) -> None:
        self._max = connections_max
        self._by_origin: dict[_Origin, list[OutboundConnection]] = {}
        self._idle: dict[OutboundConnection, _Origin] = {}  # In the order they became so.

    def take(self, origin: _Origin) -> OutboundConnection | None:
        self._expire(asyncio.get_running_loop().time())
        found = self._by_origin.get(origin)
        while found:
            connection = found.pop()
            if not found:
                del self._by_origin[origin]
            del self._idle[connection]
            if connection.is_open:
                return connection
        return None

    def keep(self, origin: _Origin, connection: OutboundConnection) -> None:
        connection.idle_since = asyncio.get_running_loop().time()
        self._by_origin.setdefault(origin, []).append(connection)
        self._idle[connection] = origin
        if len(self._idle) > self._max:
            next(iter(self._idle)).close()
            self.lost(next(iter(self._idle)))

    def lost(self, connection: OutboundConnection) -> None:
        """It is of no more use."""
        origin = self._idle.pop(connection, None)
        if origin is not None:
            found = self._by_origin[origin]
            found.remove(connection)
            if not found:
                del self._by_origin[origin]

    def close(self) -> None:
        for connection in list(self._idle):
            connection.close()

    def _expire(self, now: float) -> None:
        while self._idle:
            oldest = next(iter(self._idle))
            if oldest.is_open and now - oldest.idle_since < _KEPT_S:
                return
            oldest.close()
            self.lost(oldest)


def _request(parts: SplitResult, headers: Mapping[str, str], body: bytes) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("a line break in an address or a header")
    return f"{head}\r\n\r\n".encode() + body
