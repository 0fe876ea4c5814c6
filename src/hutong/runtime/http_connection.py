"""
One connection of the HTTP server: hot requests and ASGI ones, answered in the order they came.

One request of a connection is answered at a time, so what a client may have waiting here is bounded by what
arrives in one read.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from hutong.kernel.errors import Refusal
from hutong.runtime.figures import SAMPLED, HttpFigures
from hutong.runtime.http import HEADERS_OF_STATUS, JSON, HotHandler, HotRequest, HttpReason, problem
from hutong.runtime.http_plain import PlainReader
from hutong.runtime.journal import JournalHalted

HEAD_MAX = 1 << 16
HEADERS_MAX = 100
URL_MAX = 8192
CONNECTION = "hutong.connection"  # In the scope of a request: the connection that it came on.
LINGER_S = 2  # That a refused client may take to stop talking.
CHUNKING_MAX = 8  # How many times its body a chunked request may be.

Exchange = HotRequest | RequestResponseCycle
_LINE_OF_STATUS = {status: f"{name}: {value}\r\n".encode() for status, (name, value) in HEADERS_OF_STATUS.items()}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE = b"\r\nconnection: close"


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a client may ask of the server: bytes, connections and seconds."""

    hot_body_max: int = 1 << 20
    body_max: int = 16 << 20  # Of the ASGI application: photographs of codes.
    connections_max: int = 10_000
    keep_alive_s: float = 75
    receive_s: float = 30  # From a request's first byte to its last.
    write_s: float = 30  # That a client may leave its answers unread.
    sweep_s: float = 1


@dataclass(slots=True)
class Listening:
    """What the connections of one server share."""

    config: Config
    state: ServerState
    hot: Mapping[tuple[bytes, bytes], HotHandler]
    limits: HttpLimits
    emptied: asyncio.Event  # Set when the last connection is gone.
    figures: HttpFigures
    # Told before what came in is looked at: nobody is in the middle of anything then.
    arriving: Callable[[], None] = lambda: None
    draining: bool = False
    plain: PlainReader = field(init=False)
    _date_line: bytes = b""
    _heads: dict[tuple[int, bytes, bytes], bytes] = field(default_factory=dict)  # Of this second's answers.

    def __post_init__(self) -> None:
        self.plain = PlainReader(self.hot)

    def turn_to(self, date: bytes) -> None:
        """Say this date from now on."""
        self._date_line = b"date: " + date + b"\r\n"
        self._heads.clear()

    def answer(self, status: int, content_type: bytes, closing: bytes, body: bytes) -> bytes:
        """A whole answer."""
        head = self._heads.get((status, content_type, closing))
        if head is None:
            head = self._heads[status, content_type, closing] = b"%b%b%bcontent-type: %b%b\r\ncontent-length: " % (
                STATUS_LINE[status],
                _LINE_OF_STATUS.get(status, b""),
                self._date_line,
                content_type,
                closing,
            )
        return b"%b%d\r\n\r\n%b" % (head, len(body), body)


class NodeProtocol(HttpToolsProtocol):
    """
    One connection.

    Requests wait in `_waiting` in the order they came; `_current` is being answered. Uvicorn's own cycle runs the
    ASGI ones, so that what it knows of HTTP is not written twice.
    """

    def __init__(self, listening: Listening) -> None:
        super().__init__(listening.config, listening.state, {}, asyncio.get_running_loop())
        self._listening = listening
        self._limits = listening.limits
        self._current: Exchange | None = None
        self._waiting: deque[tuple[Exchange, HotHandler | None]] = deque()
        self._goes_on = True  # The newest request lets another follow.
        self._pumping = False
        self._deaf = False  # Nothing more of this connection is read.
        self._last_words = b""  # Written behind the answers to what came before them.
        self._lingering = False  # They are written.
        self._since = self.loop.time()  # When the connection last became idle, or its incomplete request began.
        self._stalled_since = self._since
        self._timed: Exchange | None = None  # One of many: measuring each would cost all of them.
        self._timed_since = 0.0
        # Of the request being received.
        self._receiving = False
        self._head_complete = True
        self._hot: HotRequest | None = None
        self._handler: HotHandler | None = None
        self._body: list[bytes] = []
        self._body_size = 0
        self._body_max = 0
        self._raw_size = 0

    # What the transport tells.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections_max:
            self._refuse(Refusal(HttpReason.TOO_MANY_CONNECTIONS))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # How it was lost makes no difference.
        self.connections.discard(self)
        exchanges = [self._current, *(exchange for exchange, _ in self._waiting)]
        self._current = None
        self._waiting.clear()
        self._deaf = True
        for exchange in exchanges:
            if isinstance(exchange, RequestResponseCycle):
                _disconnect(exchange)
        self.flow.resume_writing()
        self.parser = None  # type: ignore[assignment]  # It refers back to us.
        if not self.connections:
            self._listening.emptied.set()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._listening.arriving()
        was_receiving = self._receiving
        if not was_receiving and self._current is None and self._is_idle() and not self.flow.write_paused:
            plain = self._listening.plain.read(data, self._limits.hot_body_max)
            if plain is not None:
                route = plain.route
                request = HotRequest(
                    self,
                    method=route.method,
                    path=route.path,
                    query=b"",
                    headers=plain.headers,
                    client=self.client,
                )
                request.body = plain.body
                self._begin_hot(request, route.handler)
                return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # Answered as any other request, and the connection closes behind it.
        except httptools.HttpParserError as error:
            refusal = error.__context__
            if not isinstance(refusal, Refusal):
                refusal = Refusal(HttpReason.REQUEST_MALFORMED, problem=str(error)[:100])
            self._refuse(refusal)
            return
        if not self._receiving:
            return
        if not was_receiving:
            self._since = self.loop.time()
            return
        # The parser keeps an unfinished header, trailer or chunk extension; this bounds it.
        self._raw_size += len(data)
        if self._raw_size > HEAD_MAX + (self._body_max * CHUNKING_MAX if self._head_complete else 0):
            self._refuse(Refusal(HttpReason.HEADERS_TOO_LARGE, bytes_max=HEAD_MAX))

    def pause_writing(self) -> None:
        self._stalled_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._pump()

    # What the parser tells.

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._receiving = True
        self._head_complete = False
        self._hot = None
        self.cycle = None  # type: ignore[assignment]  # As uvicorn begins it, too.
        self._body_size = self._raw_size = 0

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > URL_MAX:
            raise Refusal(HttpReason.HEADERS_TOO_LARGE, url_bytes_max=URL_MAX)

    def on_header(self, name: bytes, value: bytes) -> None:
        headers = self.headers
        headers.append((name.lower(), value))
        if len(headers) > HEADERS_MAX:
            raise Refusal(HttpReason.HEADERS_TOO_LARGE, headers_max=HEADERS_MAX)

    def on_headers_complete(self) -> None:
        self._head_complete = True
        method = self.parser.get_method()
        path, _, query = self.url.partition(b"?")
        self._handler = self._listening.hot.get((method, path))
        self._body_max = self._limits.body_max if self._handler is None else self._limits.hot_body_max
        headers = dict(self.headers)
        if b"expect" in headers:
            self.expect_100_continue = headers[b"expect"].lower() == b"100-continue"
        length = headers.get(b"content-length")
        if length is not None and int(length) > self._body_max:
            raise Refusal(HttpReason.BODY_TOO_LARGE, bytes_max=self._body_max)
        if self._handler is None:
            self._begin_asgi(method)
            return
        self._hot = HotRequest(
            self, method=method.decode(), path=path.decode(), query=query, headers=headers, client=self.client
        )
        self._body = []
        if self.expect_100_continue and self._current is None:
            self.transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        if self._body_size > self._body_max:
            raise Refusal(HttpReason.BODY_TOO_LARGE, bytes_max=self._body_max)
        if self._hot is not None:
            self._body.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._receiving = False
        request = self._hot
        if request is None:
            super().on_message_complete()
            return
        self._hot = None
        request.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._arrived(request, self._handler)

    # One exchange after the other.

    def answer(self, request: HotRequest, status: int, body: bytes, content_type: bytes) -> None:
        """Write the answer of the current hot request; one that comes too late goes nowhere."""
        if self._current is not request or self.transport.is_closing():
            return
        figures = self._listening.figures
        figures.hot[status] += 1
        if self._timed is request:
            self._timed = None
            figures.hot_times.observe(int((self.loop.time() - self._timed_since) * 1e9))
        closing = b"" if self._continues() else _CLOSE
        self.transport.write(self._listening.answer(status, content_type, closing, body))
        self._finished()

    def on_response_complete(self) -> None:
        self._finished()

    def shutdown(self) -> None:
        """Close once what was received is answered: at once, if nothing was."""
        if self._current is None and not self._waiting and not self._receiving:
            self.transport.close()
        elif isinstance(self._current, RequestResponseCycle) and not self._waiting:
            self._current.keep_alive = False

    def give_up(self) -> None:
        """Nothing will be decided any more: tell who waits for a hot endpoint to ask again, and close behind it."""
        self._waiting.clear()
        if isinstance(self._current, HotRequest):
            self._current.refuse(JournalHalted())
        elif self._current is None:
            self.transport.close()

    def break_off(self) -> None:
        """The answer that has begun goes no further, and its client sees that it is not whole."""
        if isinstance(self._current, RequestResponseCycle):
            _disconnect(self._current)
        self.transport.close()

    def expire(self, now: float) -> None:
        """Close the connection if its client has been too slow by now."""
        limits = self._limits
        if self._lingering:
            if now - self._since > LINGER_S:
                self.transport.abort()
        elif self.flow.write_paused:
            if now - self._stalled_since > limits.write_s:
                self.transport.abort()
        elif self._receiving:
            if now - self._since > limits.receive_s and not self.flow.read_paused:
                self._refuse(Refusal(HttpReason.REQUEST_TOO_SLOW, seconds_max=limits.receive_s))
        elif self._current is None and now - self._since > limits.keep_alive_s:
            self.transport.close()

    def _begin_asgi(self, method: bytes) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()  # Makes the scope, and empties what was received.
        self.headers.extend(headers)
        self.url, self.expect_100_continue = url, expects
        parsed = httptools.parse_url(url)
        raw_path = parsed.path or b"/"
        self.scope["method"] = method.decode("ascii")
        self.scope["http_version"] = self.parser.get_http_version()
        self.scope["path"] = unquote(raw_path.decode("ascii"))
        self.scope["raw_path"] = raw_path
        self.scope["query_string"] = parsed.query or b""
        cast("Any", self.scope)[CONNECTION] = self
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=expects,
            keep_alive=self._lets_follow(),
            on_response=self.on_response_complete,
        )
        self._arrived(self.cycle, None)

    def _arrived(self, exchange: Exchange, handler: HotHandler | None) -> None:
        if not self._goes_on:
            return  # Its client had said that the last one was the last.
        self._goes_on = self._lets_follow()
        if self._current is None and not self._waiting and handler is not None and not self.flow.write_paused:
            assert isinstance(exchange, HotRequest)
            self._begin_hot(exchange, handler)  # What nearly always happens, without the queue.
            return
        self._waiting.append((exchange, handler))
        if self._current is None:
            self._pump()
        else:
            self.flow.pause_reading()

    def _begin_hot(self, request: HotRequest, handler: HotHandler) -> None:
        figures = self._listening.figures
        figures.hot_seen += 1
        if not figures.hot_seen % SAMPLED:
            self._timed = request
            self._timed_since = self.loop.time()
        self._current = request
        _run_hot(handler, request)

    def _lets_follow(self) -> bool:
        """Whether the client of the request being parsed takes another answer behind this one."""
        parser = self.parser
        return parser.should_keep_alive() and not parser.should_upgrade() and parser.get_http_version() == "1.1"

    def _pump(self) -> None:
        """Answer what waits, one at a time, while the client takes the answers."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._waiting and self._current is None and not self.flow.write_paused:
                self._current, handler = self._waiting.popleft()
                if isinstance(self._current, HotRequest):
                    assert handler is not None
                    _run_hot(handler, self._current)
                else:
                    task = self.loop.create_task(self._current.run_asgi(self.app))
                    task.add_done_callback(self.tasks.discard)
                    self.tasks.add(task)
        finally:
            self._pumping = False
        if self._current is None and not self._waiting and not self._deaf:
            self.flow.resume_reading()
            if self._hot is not None and self.expect_100_continue and not self._body:
                self.transport.write(_CONTINUE)

    def _is_idle(self) -> bool:
        """Nothing waits, nothing was held back, and the connection stays open."""
        return (
            self._goes_on
            and not self._waiting
            and not self._last_words
            and not self.flow.read_paused
            and self._hot is None
            and not self._listening.draining
        )

    def _continues(self) -> bool:
        """Whether the connection stays open behind the current answer."""
        return bool(self._waiting) or bool(self._last_words) or (self._goes_on and not self._listening.draining)

    def _finished(self) -> None:
        self._current = None
        self._since = self.loop.time()
        if self.transport.is_closing():
            return
        if self._is_idle():
            return  # What nearly always happens: the client waited for this answer before it asked for more.
        if self._waiting:
            self._pump()
        elif self._last_words:
            # Closing with bytes unread would reset the connection, and the client might never see these words.
            self._lingering = True
            self.transport.write(self._last_words)
            self.transport.write_eof()
        elif not self._continues():
            self._deaf = True
            self.transport.close()
        else:
            self._pump()

    def _refuse(self, refusal: Refusal) -> None:
        """
        Say no to what is not even a whole request, and close: what follows on the connection cannot be told apart.

        Whole requests before it are answered first.
        """
        if self._deaf or self.transport.is_closing():
            return
        self._deaf = True
        status, body = problem(refusal)
        self._last_words = self._listening.answer(status, JSON, _CLOSE, body)
        if self._receiving and self.cycle is not None:
            self._abandon(self.cycle)
        self._receiving = False
        if self._current is None and not self._waiting:
            self._finished()

    def _abandon(self, cycle: RequestResponseCycle) -> None:
        """Take back a request whose body is refused from an application that may already read it."""
        if self._waiting and self._waiting[-1][0] is cycle:
            self._waiting.pop()
        elif self._current is cycle:
            self._current = None
            if cycle.response_started:
                self._last_words = b""
                self._goes_on = False
        _disconnect(cycle)


def _run_hot(handler: HotHandler, request: HotRequest) -> None:
    try:
        handler(request)
    except Exception as error:  # noqa: BLE001  # Other connections must not suffer; `problem` logs what is a bug.
        if request.answered:
            problem(error)
        else:
            request.refuse(error)


def _disconnect(cycle: RequestResponseCycle) -> None:
    cycle.disconnected = True
    cycle.message_event.set()
