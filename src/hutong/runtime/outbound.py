"""
Calling addresses that somebody else named: webhooks.

Whoever may name an address must not be able to make us call our own network (server-side request forgery). So the
address is checked where it is connected to, behind its resolution: a name that is public when it is looked at and
private when it is called gains nothing. There are no redirects, no proxies, and neither a slow nor an endless answer
holds us.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Protocol
from urllib.parse import urlsplit

import httpcore
from httpcore import SOCKET_OPTION

TIMEOUT_S = 15  # Standard Webhooks recommends 15 to 30.
_BODY_MAX = 65_536  # Of the answer, which nobody reads: up to here the connection can be used again.
_CONNECTIONS_MAX = 100
_KEPT_S = 30
_RETRY_AFTER_DIGITS_MAX = 7
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address.


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said, as far as we listen."""

    status: int
    retry_after_s: int = 0


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


class HttpPoster:
    """
    Posts over HTTP.

    https leads to public addresses and, with `private_allowed`, to private ones; http only to private ones and only
    then. `trusted` replaces the system's certificate authorities.
    """

    def __init__(
        self, *, private_allowed: bool = False, timeout_s: int = TIMEOUT_S, trusted: ssl.SSLContext | None = None
    ) -> None:
        self._timeout_s = timeout_s
        self._pools = {
            "https": _pool(_CheckedNetwork(public=True, private=private_allowed), trusted),
            "http": _pool(_CheckedNetwork(public=False, private=private_allowed), None),
        }

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the other side answered; raises `NotAnswered`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(url, headers, body)
        except TimeoutError as error:
            raise NotAnswered(f"no answer within {self._timeout_s} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise NotAnswered(f"{type(error).__name__}: {error}"[:200]) from error

    async def close(self) -> None:
        """Close what is kept open."""
        for pool in self._pools.values():
            await pool.aclose()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(url)
        sent = [("host", parts.netloc), ("content-length", str(len(body))), *headers.items()]
        async with self._pools[parts.scheme].stream("POST", url, headers=sent, content=body) as response:
            length = 0
            async for chunk in response.aiter_stream():
                length += len(chunk)
                if length > _BODY_MAX:
                    break  # Leaving the block closes the connection.
            told = next((value for name, value in response.headers if name.lower() == b"retry-after"), b"0")
            seconds = int(told) if told.isdigit() and len(told) <= _RETRY_AFTER_DIGITS_MAX else 0
            return Answer(response.status, seconds)


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Resolves a name, refuses it if any of its addresses is not allowed, and connects to those very addresses."""

    def __init__(self, *, public: bool, private: bool) -> None:
        self._public = public
        self._private = private
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # The name is the base class's.
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not (self._public if is_public(address) else self._private):
                raise httpcore.ConnectError(f"{host} leads to an address that may not be called")
        refused: httpcore.ConnectError | None = None
        for address in addresses:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                refused = error
        raise refused or httpcore.ConnectError(f"{host} has no address")


def _pool(network: httpcore.AsyncNetworkBackend, trusted: ssl.SSLContext | None) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(
        ssl_context=trusted,
        max_connections=_CONNECTIONS_MAX,
        max_keepalive_connections=_CONNECTIONS_MAX,
        keepalive_expiry=_KEPT_S,
        network_backend=network,
    )
