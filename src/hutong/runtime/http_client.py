"""
A small HTTP/1.1 client: one connection, kept alive, one request under way, answers by callback.

For what is frequent and simple: envelopes between nodes, and load. For anything else there is httpx.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

ANSWER_MAX = 16 << 20


class HttpAnswer(NamedTuple):
    """What came back: the status, the headers (names in lower case) and the body."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class HttpFailure(Exception):  # noqa: N818  # Nothing is known to have failed: no answer came.
    """No whole answer came: the request may or may not have arrived."""


Then = Callable[[HttpAnswer | HttpFailure], None]


class HttpConnection:
    """
    A connection to one origin, made when first needed and again after it was lost.

    `send` hands over one request; `then` is called once, never from inside `send`, with the answer or the failure.
    Until then no other may be sent.
    """

    def __init__(self, origin: str, *, timeout_s: float = 10, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(origin)
        assert parts.scheme in {"http", "https"}, origin
        assert parts.hostname is not None, origin
        assert parts.path in {"", "/"}, origin
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._host_line = b"host: " + parts.netloc.rpartition("@")[2].encode() + b"\r\n"
        self._timeout_s = timeout_s
        self._protocol: _ClientProtocol | None = None
        self._then: Then | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._connecting: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """A request is under way."""
        return self._then is not None

    def send(self, method: bytes, path: bytes, body: bytes, then: Then, headers: bytes = b"") -> None:
        """Send one request. `headers` are whole lines, each with its line end; ours are Host and Content-Length."""
        assert self._then is None, "one request at a time"
        loop = asyncio.get_running_loop()
        self._then = then
        request = b"%b %b HTTP/1.1\r\n%b%bcontent-length: %d\r\n\r\n%b" % (
            method,
            path,
            self._host_line,
            headers,
            len(body),
            body,
        )
        self._deadline = loop.time() + self._timeout_s
        if self._timer is None:
            self._timer = loop.call_at(self._deadline, self._look_at_clock, loop)
        if self._protocol is not None and not self._protocol.transport.is_closing():
            self._protocol.transport.write(request)
        else:
            self._connecting = loop.create_task(self._connect(request))

    async def fetch(self, method: str, path: str, body: bytes = b"", headers: bytes = b"") -> HttpAnswer:
        """As `send`, for who can await; raises `HttpFailure`."""
        answered: asyncio.Future[HttpAnswer] = asyncio.get_running_loop().create_future()

        def then(answer: HttpAnswer | HttpFailure) -> None:
            if answered.done():
                return
            if isinstance(answer, HttpFailure):
                answered.set_exception(answer)
            else:
                answered.set_result(answer)

        self.send(method.encode(), path.encode(), body, then, headers)
        return await answered

    def close(self) -> None:
        """Drop the connection; a request under way fails."""
        self._drop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._then is not None:
            asyncio.get_running_loop().call_soon(self._conclude, self._then, HttpFailure("closed"))

    async def _connect(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        then = self._then
        try:
            _, protocol = await loop.create_connection(
                lambda: _ClientProtocol(self), self._host, self._port, ssl=self._tls
            )
        except (OSError, ssl.SSLError) as error:
            if then is not None:
                self._conclude(then, HttpFailure(f"no connection: {error}"))
            return
        if self._then is not then:  # Closed or given up meanwhile.
            protocol.transport.abort()
            return
        self._protocol = protocol
        protocol.transport.write(request)

    def received(self, protocol: "_ClientProtocol", answer: HttpAnswer, *, keeps_alive: bool) -> None:
        if protocol is not self._protocol:
            return
        if not keeps_alive:
            self._drop()
        if self._then is not None:
            self._conclude(self._then, answer)
        else:
            self._drop()  # An answer nobody asked for: what else comes cannot be trusted.

    def lost(self, protocol: "_ClientProtocol", why: str) -> None:
        if protocol is not self._protocol:
            return
        self._drop()
        if self._then is not None:
            self._conclude(self._then, HttpFailure(why))

    def _look_at_clock(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer for many requests: it only looks whether the one under way is late."""
        self._timer = None
        if self._then is None:
            return
        if loop.time() < self._deadline:
            self._timer = loop.call_at(self._deadline, self._look_at_clock, loop)
            return
        self._drop()
        self._conclude(self._then, HttpFailure("timed out"))

    def _drop(self) -> None:
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.transport.abort()
        if self._connecting is not None and self._connecting is not asyncio.current_task():
            self._connecting.cancel()

    def _conclude(self, then: Then, answer: HttpAnswer | HttpFailure) -> None:
        if self._then is not then:
            return
        self._then = None
        then(answer)


class _ClientProtocol(asyncio.Protocol):
    """Reads answers off one connection."""

    transport: asyncio.Transport

    def __init__(self, connection: HttpConnection) -> None:
        self._connection = connection
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._until_close = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name.

    def connection_lost(self, exc: Exception | None) -> None:
        if self._until_close and exc is None:
            self.on_message_complete()
        self._connection.lost(self, f"connection lost: {exc}" if exc else "connection closed")

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._connection.lost(self, f"not an answer: {error}")

    def on_message_begin(self) -> None:
        self._headers = {}
        self._body = []
        self._size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        framed = b"content-length" in self._headers or b"transfer-encoding" in self._headers
        self._until_close = status >= 200 and status not in {204, 304} and not framed

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > ANSWER_MAX:
            self._connection.lost(self, "the answer is too large")
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        self._until_close = False
        status = self._parser.get_status_code()
        if status < 200:
            return  # 100 Continue and its like: the answer is still to come.
        answer = HttpAnswer(status, self._headers, b"".join(self._body))
        self._connection.received(self, answer, keeps_alive=self._parser.should_keep_alive())
