"""
The request that nearly always comes: a hot one, whole in one read, with plain headers and a length.

llhttp calls back into Python for the beginning, the URL, every header, the body and the end: 11 of the 28 us that a
request cost. What has the plain shape is read here instead, in one pass; whatever hasn't, however slightly, is left to
llhttp. So this reads nothing that llhttp would refuse or understand otherwise (`tests/runtime/test_http_plain.py`).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from hutong.runtime.http import HotHandler

# One space behind the colon, printable ASCII, nothing to trim (RFC 9112, section 5, allows more).
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}): ([!-~](?:[ -~]{0,1022}[!-~])?)")
_LENGTH = re.compile(rb"[0-9]{1,9}")
# What these ask for is llhttp's business: another framing, another protocol, the end of the connection.
_NOT_PLAIN = frozenset(
    {
        b"connection",
        b"expect",
        b"http2-settings",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_LINES_MAX = 32
_REMEMBERED_MAX = 10_000


class Route(NamedTuple):
    """A hot endpoint, by its request line."""

    method: str
    path: str
    handler: HotHandler


class PlainRequest(NamedTuple):
    """What was read."""

    route: Route
    headers: dict[bytes, bytes]
    body: bytes


class _Lines(dict[bytes, tuple[bytes, bytes] | None]):
    """Header lines read: name in lower case and value, or None. Of a client's next request they are all the same."""

    def __missing__(self, line: bytes) -> tuple[bytes, bytes] | None:
        if len(self) >= _REMEMBERED_MAX:
            self.clear()
        read = self[line] = _read_line(line)
        return read


class PlainReader:
    """Reads plain requests to the hot endpoints of one server."""

    def __init__(self, hot: Mapping[tuple[bytes, bytes], HotHandler]) -> None:
        self._routes = {
            b"%b %b HTTP/1.1" % (method, path): Route(method.decode(), path.decode(), handler)
            for (method, path), handler in hot.items()
        }
        self._lines = _Lines()

    def read(self, data: bytes, body_max: int) -> PlainRequest | None:
        """The request that `data` is from its first byte to its last; None for anything else."""
        line, _, rest = data.partition(b"\r\n")
        route = self._routes.get(line)
        if route is None:
            return None
        head, ended, body = rest.partition(b"\r\n\r\n")
        if not ended:
            return None
        lines = head.split(b"\r\n", _LINES_MAX)
        known = self._lines
        headers: dict[bytes, bytes] = {}
        for line in lines:
            field = known[line]
            if field is None:
                return None
            headers[field[0]] = field[1]
        # A name that comes twice is not plain, nor is a body that is still on its way or followed by something.
        if len(headers) != len(lines) or len(body) != int(headers.get(b"content-length", 0)) or len(body) > body_max:
            return None
        return PlainRequest(route, headers, body)


def _read_line(line: bytes) -> tuple[bytes, bytes] | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    name, value = found[1].lower(), found[2]
    if name in _NOT_PLAIN or (name == b"content-length" and _LENGTH.fullmatch(value) is None):
        return None
    return name, value
