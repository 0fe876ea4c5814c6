"""
HTTP as the gateways see it: raw, since what is signed is what was sent.

The door stands in front of a node's API. What a dialect answers to goes to it, untouched; all else goes on.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

Answer = TypeVar("Answer")
Dialect = Callable[["WireRequest"], Awaitable["WireAnswer"]]
Route = Callable[["WireRequest"], Dialect | None]
Words = Callable[["WireRequest"], "WireAnswer | None"]  # None: it is of no dialect.
JSON = "application/json"
_STARTED_S = 1
BODY_MAX = 8 * 1024 * 1024  # The largest a vendor takes is a film of 5 MB.


class WireRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it was on the wire. Header names are in lower case; of a repeated header the last counts."""

    method: str
    path: str  # Percent-encoded, as it was sent.
    query: bytes = b""  # Without its question mark.
    headers: dict[str, str] = {}
    body: bytes = b""
    client: str = ""  # The caller's address.
    scheme: str = "http"

    @property
    def target(self) -> bytes:
        """Path and query, as a client signs them."""
        path = self.path.encode("latin-1")
        return path + b"?" + self.query if self.query else path

    @property
    def host(self) -> str:
        """Where the client thinks it is calling."""
        return self.headers.get("host", "")


class WireAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: these very bytes, since they may be signed."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class Injected(Exception):  # noqa: N818  # It is no error: a sandbox was asked for it.
    """A call is to fail as if the gateway itself had, in each dialect's own words; or with a code of the vendor's, if one is named."""

    def __init__(self, what: str, code: str = "") -> None:
        super().__init__(what, code)
        self.code = code


class Around(Protocol):
    """What stands between a call that was proved to be an account's, and its handler."""

    async def __call__(self, account_id: int, what: str, answer: Callable[[], Awaitable[Answer]], /) -> Answer:
        """The handler's answer. `what` is the call's path or method."""
        ...


async def as_it_is(_account_id: int, _what: str, answer: Callable[[], Awaitable[Answer]], /) -> Answer:
    """Nothing: for all but a sandbox."""
    return await answer()


class _TooLong(Exception):  # noqa: N818  # It is what came.
    """More than any call of either vendor's."""


class Door:
    """An ASGI application: the dialects', and behind them the node's own. Each route says whether a request is its own."""

    def __init__(self, routes: Sequence[Route], app: Any, too_many: Words, starting: Words) -> None:
        self._routes = tuple(routes)
        self._app = app
        self._too_many = too_many
        self._starting = starting

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            request = _request(scope)
            for route in self._routes:
                dialect = route(request)
                if dialect is not None:
                    try:
                        body = await _body(receive)
                    except _TooLong:
                        await _send(WireAnswer(status=413), send)
                        return
                    if body is not None:
                        await _send(await dialect(msgspec.structs.replace(request, body=body)), send)
                    return
        await self._app(scope, receive, send)

    async def refuse(self, scope: Any, retry_after_s: int, send: Any) -> bool:
        """Tell who asks too often, in the words of the dialect; False for what is none of ours. Nothing of it is read."""
        answer = self._too_many(_request(scope))
        if answer is None:
            return False
        await _send(_again(answer, retry_after_s), send)
        return True

    async def turn_away(self, scope: Any, send: Any) -> bool:
        """Tell who comes before the node takes work, as `refuse` does."""
        answer = self._starting(_request(scope))
        if answer is None:
            return False
        await _send(_again(answer, _STARTED_S), send)
        return True


def _again(answer: WireAnswer, after_s: int) -> WireAnswer:
    return msgspec.structs.replace(answer, headers=(*answer.headers, ("Retry-After", str(after_s))))


def _request(scope: Any) -> WireRequest:
    client = scope.get("client")
    return WireRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"],
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        client=client[0] if client else "",
        scheme=scope.get("scheme", "http"),
    )


async def _body(receive: Any) -> bytes | None:
    """All of it; None if the client went away. Raises `_TooLong` without reading on."""
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > BODY_MAX:
            raise _TooLong
        if not message.get("more_body"):
            return b"".join(pieces)


async def _send(answer: WireAnswer, send: Any) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if answer.body or answer.content_type != JSON:
        headers.append((b"content-type", answer.content_type.encode("latin-1")))
    if answer.status != 204:  # It has no content, and may not say how much.
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
