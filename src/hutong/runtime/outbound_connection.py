"""
One connection to somebody else's server, for one POST after another: nothing of the answer is kept beyond a bound.

It reads no redirects and stores nothing; whoever uses it decides where it may lead.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

BODY_KEPT_MAX = 4096  # What of an answer is read: vendors' answers are a word, or a line.
_BODY_MAX = 65_536  # What is let pass unread, so that the connection can be used again.


class Gone(Exception):  # noqa: N818  # No answer came; the request may have arrived.
    """The connection ended before a whole answer. `untouched`: not one byte of it had come."""

    def __init__(self, why: str, *, untouched: bool) -> None:
        super().__init__(why)
        self.untouched = untouched


class Reply:
    """What came back, as it comes in."""

    __slots__ = ("body", "headers", "keeps", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.keeps = True  # Whether the connection can be used again.


class OutboundConnection(asyncio.Protocol):
    """`send` one request at a time, and await what it returns; `lost` is called when the connection is of no more use."""

    transport: asyncio.Transport

    def __init__(self, lost: Callable[["OutboundConnection"], None]) -> None:
        self._lost = lost
        self._parser = httptools.HttpResponseParser(self)
        self._reply = Reply()
        self._answered: asyncio.Future[Reply] | None = None
        self._touched = False
        self._until_close = False
        self._size = 0
        self.idle_since = 0.0

    @property
    def is_open(self) -> bool:
        return not self.transport.is_closing()

    def send(self, request: bytes) -> "asyncio.Future[Reply]":
        """Write one whole request. The future raises `Gone`; who no longer waits must close the connection."""
        assert self._answered is None
        self._reply, self._touched, self._until_close, self._size = Reply(), False, False, 0
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answered

    def close(self) -> None:
        """Drop it, whatever is under way."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name.

    def connection_lost(self, exc: Exception | None) -> None:
        if self._until_close and exc is None:
            self.on_message_complete()
        self._fail(f"connection lost: {exc}" if exc else "connection closed")
        self._lost(self)

    def data_received(self, data: bytes) -> None:
        if self._answered is None:
            self.close()  # An answer nobody asked for: what else comes cannot be trusted.
            return
        self._touched = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"not an answer: {error}")
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._reply.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        status = self._reply.status = self._parser.get_status_code()
        headers = self._reply.headers
        framed = b"content-length" in headers or b"transfer-encoding" in headers
        self._until_close = status >= 200 and status not in {204, 304} and not framed

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if len(self._reply.body) < BODY_KEPT_MAX:
            self._reply.body = (self._reply.body + body)[:BODY_KEPT_MAX]
        if self._size > _BODY_MAX:
            # Whatever else it says is of no interest, and it may never end.
            self._reply.keeps = False
            self._conclude()
            self.close()

    def on_message_complete(self) -> None:
        if self._reply.status < 200:
            self._reply.headers.clear()
            return  # 100 Continue and its like: the answer is still to come.
        self._reply.keeps &= not self._until_close and self._parser.should_keep_alive()
        self._until_close = False
        self._conclude()

    def _conclude(self) -> None:
        answered, self._answered = self._answered, None
        if answered is not None and not answered.done():
            answered.set_result(self._reply)

    def _fail(self, why: str) -> None:
        answered, self._answered = self._answered, None
        if answered is not None and not answered.done():
            answered.set_exception(Gone(why, untouched=not self._touched))
