"""One connection without a network: any bytes, in any pieces."""

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.server import ServerState

from hutong.runtime.figures import HttpFigures
from hutong.runtime.http import HotRequest
from hutong.runtime.http_connection import HttpLimits, Listening, NodeProtocol


class Wire(asyncio.Transport):
    """Keeps what is written; a half-closed one reads on, as a socket does."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""
        self.closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        del name
        return default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.said += data

    def write_eof(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def no_app(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive, send


def echo(request: HotRequest) -> None:
    request.respond(200, b"<%b?%b:%b>" % (request.path.encode(), request.query, request.body))


async def said_to(pieces: list[bytes]) -> bytes:
    config = Config(no_app, ws="none", log_config=None, lifespan="off")
    config.load()
    hot = {(b"POST", b"/a"): echo, (b"PUT", b"/b"): echo}
    limits = HttpLimits(hot_body_max=64, body_max=64)
    protocol = NodeProtocol(Listening(config, ServerState(), hot, limits, asyncio.Event(), HttpFigures()))
    wire = Wire()
    protocol.connection_made(wire)
    for piece in pieces:
        if not wire.closed:
            protocol.data_received(piece)
    protocol.connection_lost(None)
    return wire.said


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    line = draw(st.sampled_from([b"POST /a HTTP/1.1", b"PUT /b?x=1 HTTP/1.1"]))
    body = draw(st.binary(max_size=64))
    extra = draw(st.sampled_from([b"", b"x: y\r\n", b"connection: keep-alive\r\n"]))
    if draw(st.booleans()):
        return b"%b\r\nhost: t\r\n%bcontent-length: %d\r\n\r\n%b" % (line, extra, len(body), body)
    cut = draw(st.integers(0, len(body)))
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part)
    return b"%b\r\nhost: t\r\n%btransfer-encoding: chunked\r\n\r\n%b0\r\n\r\n" % (line, extra, chunks)


def cut_up(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places) if start < end]


@settings(max_examples=150)
@given(st.lists(requests(), min_size=1, max_size=5), st.lists(st.integers(0, 2000), max_size=12))
def test_requests_are_answered_alike_however_their_bytes_are_cut(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    whole = asyncio.run(said_to([stream]))
    assert asyncio.run(said_to(cut_up(stream, cuts))) == whole
    assert whole.count(b"HTTP/1.1 200 OK\r\n") == len(parts)


@settings(max_examples=300)
@given(st.lists(requests(), min_size=1, max_size=3), st.data())
def test_no_bytes_do_more_than_get_a_named_refusal(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    start = data.draw(st.integers(0, len(stream)))
    end = data.draw(st.integers(start, len(stream)))
    mangled = stream[:start] + data.draw(st.binary(max_size=30)) + stream[end:]
    said = asyncio.run(said_to(cut_up(mangled, data.draw(st.lists(st.integers(0, 2000), max_size=6)))))
    for answer in said.split(b"HTTP/1.1 ")[1:]:
        assert answer[:3] in (b"200", b"100", b"400", b"413", b"431")
