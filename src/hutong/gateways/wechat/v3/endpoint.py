"""
Which paths there are: those that are built, and those of the vendor's that have nothing beneath them here.

`paths.json` is the vendor's catalogue: each path with its methods. A path that is in neither is unknown to the vendor, too.
"""

from collections.abc import Awaitable, Callable, Iterable
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

import msgspec

from hutong.gateways.account import WechatAccount
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wire import WireAnswer, WireRequest

NOT_ENABLED = ""  # The product of what is in the catalogue alone.


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request whose signature was right."""

    request: WireRequest
    account: WechatAccount
    path: dict[str, str]  # What stood where the template has a name.
    query: dict[str, str]
    signed: bytes  # The body, or of an upload its `meta`.


Handler = Callable[[Call], Awaitable[WireAnswer]]


class Endpoint(msgspec.Struct, frozen=True):
    """One path with one method, as the vendor has it."""

    method: str
    path: str  # With `{names}` for segments.
    product: str
    handler: Handler


class Found(msgspec.Struct, frozen=True):
    """An endpoint, and what its template's names stand for in this path."""

    endpoint: Endpoint
    path: dict[str, str]


class _Node:
    """One segment of the paths."""

    __slots__ = ("any", "ends", "literal")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.ends: dict[str, Endpoint] = {}


class Router:
    """Finds endpoints by path: a segment that is written out goes before one that is named."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._root = _Node()
        for endpoint in endpoints:
            node = self._root
            for segment in endpoint.path.split("/")[1:]:
                if segment.startswith("{"):
                    node.any = node.any or _Node()
                    node = node.any
                else:
                    node = node.literal.setdefault(segment, _Node())
            # What is built comes first; the catalogue has it, too.
            node.ends.setdefault(endpoint.method, endpoint)

    def find(self, method: str, path: str) -> Found | int:
        """The endpoint; 404 for a path that nobody knows, 405 for a method it does not have."""
        segments = path.split("/")[1:]
        node = _walk(self._root, segments, 0)
        if node is None:
            return 404
        endpoint = node.ends.get(method)
        if endpoint is None:
            return 405
        if "{" not in endpoint.path:
            return Found(endpoint, {})
        named = zip(endpoint.path.split("/")[1:], segments, strict=True)
        return Found(endpoint, {name[1:-1]: unquote(text) for name, text in named if name.startswith("{")})


def _walk(node: _Node, segments: list[str], at: int) -> _Node | None:
    """The node of a path; a written-out segment that leads nowhere is tried as a named one."""
    if at == len(segments):
        return node if node.ends else None
    literal = node.literal.get(segments[at])
    found = _walk(literal, segments, at + 1) if literal is not None else None
    if found is None and node.any is not None and segments[at]:
        found = _walk(node.any, segments, at + 1)
    return found


async def _not_enabled(_: Call) -> WireAnswer:
    raise Fault(Code.NO_AUTH)


def catalogue() -> list[Endpoint]:
    """Every path and method of the vendor's, each answering that its product is not enabled."""
    text = files("hutong.gateways.wechat.v3").joinpath("paths.json").read_bytes()
    paths = msgspec.json.decode(text, type=dict[str, str])
    return [
        Endpoint(method, path, NOT_ENABLED, _not_enabled)
        for path, methods in paths.items()
        for method in methods.split()
    ]


def ok(value: Any) -> WireAnswer:
    """200 with a JSON body."""
    return WireAnswer(body=msgspec.json.encode(value))


def accepted(value: Any) -> WireAnswer:
    """202: heard, and not done yet."""
    return WireAnswer(status=202, body=msgspec.json.encode(value))


def no_content() -> WireAnswer:
    """204."""
    return WireAnswer(status=204)
