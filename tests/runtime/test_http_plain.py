"""What is read at once is read as llhttp reads it, and what llhttp refuses is not read."""

import asyncio
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.server import ServerState

from hutong.runtime.figures import HttpFigures
from hutong.runtime.http import HotRequest
from hutong.runtime.http_connection import HttpLimits, Listening, NodeProtocol
from hutong.runtime.http_plain import PlainReader
from tests.runtime.test_http_connection import Wire, no_app

PLAIN = b"POST /a HTTP/1.1\r\nhost: t\r\nauthorization: Bearer x\r\ncontent-length: 2\r\n\r\n{}"


def tell(request: HotRequest) -> None:
    told = (request.method, request.path, request.query, sorted(request.headers.items()), request.body)
    request.respond(200, repr(told).encode())


def said_to(pieces: list[bytes]) -> tuple[bytes, bool]:
    async def listen() -> tuple[bytes, bool]:
        config = Config(no_app, ws="none", log_config=None, lifespan="off")
        config.load()
        hot: Any = {(b"POST", b"/a"): tell, (b"PUT", b"/b/c"): tell}
        protocol = NodeProtocol(
            Listening(config, ServerState(), hot, HttpLimits(hot_body_max=64), asyncio.Event(), HttpFigures())
        )
        wire = Wire()
        protocol.connection_made(wire)
        for piece in pieces:
            if not wire.closed:
                protocol.data_received(piece)
        protocol.connection_lost(None)
        return wire.said, wire.closed

    return asyncio.run(listen())


_NAMES = st.sampled_from(
    [
        "host",
        "Host",
        "authorization",
        "x",
        "connection",
        "content-length",
        "transfer-encoding",
        "expect",
        "upgrade",
        "te",
    ]
)
_VALUES = st.sampled_from(
    [
        "t",
        "Bearer x",
        " x",
        "x ",
        "",
        "\t",
        "0",
        "2",
        "+2",
        "02",
        "2, 2",
        "70",
        "chunked",
        "close",
        "keep-alive",
        "a\x00b",
        "ä",
    ]
)
_LINES = st.lists(st.tuples(_NAMES, st.sampled_from([": ", ":", " : ", ":\t"]), _VALUES), max_size=4)


@st.composite
def nearly_plain(draw: st.DrawFn) -> bytes:
    """A plain request, and then not quite."""
    line = draw(
        st.sampled_from([b"POST /a HTTP/1.1", b"PUT /b/c HTTP/1.1", b"POST /a?x HTTP/1.1", b"POST /a HTTP/1.0"])
    )
    fields = b"".join(f"{name}{colon}{value}\r\n".encode("latin-1") for name, colon, value in draw(_LINES))
    body = draw(st.sampled_from([b"", b"{}", b"{}\r\n", b"0\r\n\r\n", b"x" * 70, PLAIN]))
    length = draw(st.sampled_from([b"", b"content-length: %d\r\n" % len(body)]))
    data = line + b"\r\n" + fields + length + b"\r\n" + body
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data) - 1))
        data = (
            data[:at]
            + draw(st.sampled_from([b"", b"\r", b"\n", b" ", b"\0", b":", b"\r\n", b"\r\n "]))
            + data[at + 1 :]
        )
    return data


@settings(max_examples=400, deadline=None)
@example(PLAIN)
@given(nearly_plain())
def test_a_request_read_at_once_is_answered_as_if_it_had_come_in_two_pieces(data: bytes) -> None:
    assert said_to([data]) == said_to([data[:1], data[1:]])


def test_a_plain_request_is_read_at_once() -> None:
    reader = PlainReader({(b"POST", b"/a"): tell})
    read = reader.read(PLAIN, 64)
    assert read is not None
    assert read.route.path == "/a"
    assert read.headers == {b"host": b"t", b"authorization": b"Bearer x", b"content-length": b"2"}
    assert read.body == b"{}"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:-1],
        PLAIN + b"P",
        PLAIN.replace(b"/a", b"/z"),
        PLAIN.replace(b"POST", b"post"),
        PLAIN.replace(b"host: t", b"host:t"),
        PLAIN.replace(b"host: t", b"host: t "),
        PLAIN.replace(b"host: t", b"host: t\r\n x"),
        PLAIN.replace(b"host: t", b"host: t\nx: y"),
        PLAIN.replace(b"host: t", b"Authorization: Bearer y"),
        PLAIN.replace(b"host: t", b"transfer-encoding: chunked"),
        PLAIN.replace(b"host: t", b"Connection: close"),
        PLAIN.replace(b"host: t", b"expect: 100-continue"),
        PLAIN.replace(b"length: 2", b"length: +2"),
        PLAIN.replace(b"length: 2", b"length: \xb2"),
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(data: bytes) -> None:
    assert PlainReader({(b"POST", b"/a"): tell}).read(data, 64) is None


def test_remembered_lines_are_bounded() -> None:
    reader = PlainReader({(b"POST", b"/a"): tell})
    for number in range(30_000):
        reader.read(PLAIN.replace(b"Bearer x", b"Bearer %d" % number), 64)
    assert len(reader._lines) <= 10_000
