"""A node's API as a client sees it: JSON in, JSON out, every no as an exception with its name."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from hutong.runtime.http import Problem
from hutong.runtime.tls_trust import trusted_at

_STARTING = "NODE_STARTING"
_TIMEOUT_S = 30
_STARTS_S_MAX = 120  # A network for trying out has its people in within seconds; on a busy machine it takes a minute.
_AGAIN_S = 1


class NodeRefused(Exception):  # noqa: N818  # It is an answer, not an error.
    """A node's no, as it came."""

    def __init__(self, status: int, reason: str, message: str, facts: Mapping[str, Any]) -> None:
        super().__init__(status, reason, message, facts)
        self.status = status
        self.reason = reason
        self.message = message
        self.facts = facts


class NodeSilent(Exception):  # noqa: N818  # Nothing is known to be wrong with the node.
    """No answer came, so what was asked for may or may not have happened."""


class NodeClient:
    """
    Talks to one node in the name of whoever has `token`; none is needed for what is open to everybody.

    A node that is starting is asked again for a while; `starting` hears of it, once.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        headers: Mapping[str, str] | None = None,
        starting: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.url = url.rstrip("/")
        self._starting = starting
        headers = {**(headers or {}), **({"authorization": f"Bearer {token}"} if token else {})}
        try:
            self._client = httpx.AsyncClient(
                base_url=self.url,
                headers=headers,
                timeout=_TIMEOUT_S,
                transport=transport,
                trust_env=False,
                verify=trusted_at(self.url),
            )
        except httpx.InvalidURL as error:
            raise NodeSilent(f"{self.url}: {error}") from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def get(self, path: str, **query: Any) -> Any:
        """What is there."""
        return _json(await self._ask("GET", path, query=query))

    async def post(self, path: str, body: Any = None) -> Any:
        """Do something."""
        return _json(await self._ask("POST", path, body))

    async def put(self, path: str, body: Any = None, **query: Any) -> Any:
        """Have it so."""
        return _json(await self._ask("PUT", path, body, query=query))

    async def delete(self, path: str, **query: Any) -> Any:
        """Have it no more."""
        return _json(await self._ask("DELETE", path, query=query))

    async def fetch(self, path: str) -> bytes:
        """A file."""
        return (await self._ask("GET", path)).content

    async def download(self, path: str) -> AsyncIterator[bytes]:
        """A file that may be large, as it comes. Raises as everything here."""
        try:
            async with self._client.stream("GET", path) as response:
                if not response.is_success:
                    raise _refused(self.url, response.status_code, await response.aread())
                async for piece in response.aiter_bytes():
                    yield piece
        except httpx.TransportError as error:
            raise NodeSilent(f"{self.url}: {str(error) or type(error).__name__}") from None

    async def _ask(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """Raises `NodeRefused` for every status that is no success, `NodeSilent` when no answer came."""
        known = {name: value for name, value in (query or {}).items() if value is not None}
        waited_s = 0
        while True:
            try:
                response = await self._client.request(method, path, json=body, params=known)
            except httpx.TransportError as error:
                raise NodeSilent(f"{self.url}: {str(error) or type(error).__name__}") from None
            if response.is_success:
                return response
            no = _refused(self.url, response.status_code, response.content)
            if waited_s >= _STARTS_S_MAX or not isinstance(no, NodeRefused) or no.reason != _STARTING:
                raise no
            if not waited_s:
                self._starting(self.url)
            await asyncio.sleep(_AGAIN_S)
            waited_s += _AGAIN_S


def _refused(url: str, status: int, body: bytes) -> NodeRefused | NodeSilent:
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.DecodeError:
        return NodeSilent(f"{url} is no node of Hutong: it answered {status}")
    return NodeRefused(status, problem.reason, problem.message, problem.facts)


def _json(response: httpx.Response) -> Any:
    return msgspec.json.decode(response.content) if response.content else None
