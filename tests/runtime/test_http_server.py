"""The server over real sockets on loopback: both kinds of endpoint, in order, with bad and slow clients."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from hutong.runtime.http import HotRequest
from hutong.runtime.http_client import HttpAnswer, HttpConnection, HttpFailure
from hutong.runtime.http_connection import HttpLimits
from hutong.runtime.http_server import HttpServer

LIMITS = HttpLimits(hot_body_max=1000, body_max=5000)
IMPATIENT = HttpLimits(keep_alive_s=0.1, receive_s=0.1, write_s=0.1, sweep_s=0.03)


async def asgi_echo(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    headers = [(b"content-length", b"%d" % (len(body) + 5))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"asgi:" + body})


class Desk:
    """Hot endpoints: one answers at once, one when told to, one raises."""

    def __init__(self) -> None:
        self.held: list[HotRequest] = []

    def echo(self, request: HotRequest) -> None:
        request.respond(200, b"hot:" + request.body)

    def hold(self, request: HotRequest) -> None:
        self.held.append(request)

    def fail(self, request: HotRequest) -> None:
        raise ValueError(request.path)

    async def has(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.held) < count:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(desk: Desk, limits: HttpLimits = LIMITS) -> AsyncIterator[HttpServer]:
    hot = {("POST", "/echo"): desk.echo, ("POST", "/hold"): desk.hold, ("POST", "/fail"): desk.fail}
    server = HttpServer("127.0.0.1", 0, hot, asgi_echo, limits=limits)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(drain_s=0.5)


async def emptied(server: HttpServer) -> None:
    """Wait until nobody is connected any more."""
    async with asyncio.timeout(20):
        while server._listening.state.connections:
            await asyncio.sleep(0.005)


def post(path: str, body: bytes = b"", *extra: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: test", f"content-length: {len(body)}", *extra]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def talk(server: HttpServer, *chunks: bytes) -> bytes:
    """Everything the server says to these bytes until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for chunk in chunks:
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(0.01)
    async with asyncio.timeout(20):
        said = await reader.read()
    writer.close()
    return said


def bodies(said: bytes) -> list[bytes]:
    found = []
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        if not head.startswith(b"HTTP/1.1 100"):
            found.append(rest[:length])
        said = rest[length:]
    return found


async def test_pipelined_requests_of_both_kinds_are_answered_in_order() -> None:
    async with serving(Desk()) as server:
        said = await talk(
            server,
            post("/echo", b"1") + post("/any", b"2") + post("/echo", b"3") + post("/echo?x=1", b"4"),
            post("/any", b"5") + post("/echo", b"6", "connection: close") + post("/echo", b"never"),
        )
    assert bodies(said) == [b"hot:1", b"asgi:2", b"hot:3", b"hot:4", b"asgi:5", b"hot:6"]


async def test_a_later_request_waits_for_the_answer_of_an_earlier_one() -> None:
    desk = Desk()
    async with serving(desk) as server:
        talking = asyncio.create_task(talk(server, post("/hold") + post("/echo", b"2", "connection: close")))
        await desk.has(1)
        await asyncio.sleep(0.02)
        desk.held[0].respond(202, b"first")
        assert bodies(await talking) == [b"first", b"hot:2"]


async def test_a_chunked_body_in_pieces_arrives_whole() -> None:
    head = b"POST %b HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n%b\r\n"
    pieces = (b"3\r\nab", b"c\r\n4\r\ndefg\r", b"\n0\r\n\r\n")
    async with serving(Desk()) as server:
        said = await talk(server, head % (b"/echo", b""), *pieces, head % (b"/asgi", b"connection: close\r\n"), *pieces)
    assert bodies(said) == [b"hot:abcdefg", b"asgi:abcdefg"]


async def test_an_expecting_client_is_told_to_continue() -> None:
    request = post("/echo", b"body", "expect: 100-continue", "connection: close")
    async with serving(Desk()) as server:
        said = await talk(server, request[:-4], request[-4:])
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(("path", "size"), [("/echo", 1000), ("/asgi", 5000)])
async def test_a_body_of_the_greatest_size_passes_and_one_byte_more_is_refused_by_name(path: str, size: int) -> None:
    chunked = f"POST {path} HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    async with serving(Desk()) as server:
        fits = await talk(server, post(path, b"x" * size, "connection: close"))
        declared = await talk(server, post(path, b"x" * (size + 1)))
        counted = await talk(server, chunked, b"%x\r\n%b\r\n" % (size + 1, b"x" * (size + 1)), b"0\r\n\r\n")
    assert fits.startswith(b"HTTP/1.1 200")
    for said in (declared, counted):
        assert said.startswith(b"HTTP/1.1 413")
        assert json.loads(bodies(said)[0])["reason"] == "BODY_TOO_LARGE"


async def test_a_refused_request_does_not_take_the_answer_of_the_one_before() -> None:
    desk = Desk()
    async with serving(desk) as server:
        talking = asyncio.create_task(talk(server, post("/hold") + b"nonsense\r\n\r\n"))
        await desk.has(1)
        desk.held[0].respond(200, b"first")
        first, second = bodies(await talking)
    assert first == b"first"
    assert json.loads(second)["reason"] == "REQUEST_MALFORMED"


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        (b"GARBAGE\r\n\r\n", 400, "REQUEST_MALFORMED"),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400, "REQUEST_MALFORMED"),
        (b"POST /echo HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", 400, "REQUEST_MALFORMED"),
        (b"POST /\xff HTTP/1.1\r\nhost: t\r\n\r\n", 400, "REQUEST_MALFORMED"),
        (post("/echo", b"", *[f"x{i}: 1" for i in range(101)]), 431, "HEADERS_TOO_LARGE"),
        (post("/" + "a" * 9000), 431, "HEADERS_TOO_LARGE"),
    ],
)
async def test_what_is_not_a_request_is_refused_by_name(request_: bytes, status: int, reason: str) -> None:
    async with serving(Desk()) as server:
        said = await talk(server, request_)
    assert said.startswith(b"HTTP/1.1 %d" % status)
    assert json.loads(bodies(said)[0])["reason"] == reason


async def test_an_endless_header_is_refused() -> None:
    async with serving(Desk()) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /echo HTTP/1.1\r\nx: ")
        for _ in range(8):
            writer.write(b"a" * 10_000)
            await asyncio.sleep(0.005)
        said = await reader.read()
        writer.close()
    assert said.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize("begun", [b"", b"POST /echo HT", post("/echo", b"xx")[:-1], post("/asgi", b"xx")[:-1]])
async def test_a_silent_client_is_let_go(begun: bytes) -> None:
    async with serving(Desk(), IMPATIENT) as server:
        said = await talk(server, begun)
    assert said.startswith(b"HTTP/1.1 408") if begun else said == b""


async def test_a_client_that_leaves_answers_unread_is_cut_off() -> None:
    async with serving(Desk(), IMPATIENT) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1)
        for _ in range(40):
            writer.write(post("/echo", b"x" * 500_000))
        await emptied(server)
        writer.transport.abort()
        del reader


async def test_an_answer_after_the_client_has_gone_goes_nowhere() -> None:
    desk = Desk()
    async with serving(desk) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(post("/hold"))
        await desk.has(1)
        writer.transport.abort()
        await asyncio.sleep(0.05)
        desk.held[0].respond(200, b"too late")


async def test_a_handler_that_raises_answers_500_and_the_connection_lives() -> None:
    async with serving(Desk()) as server:
        said = await talk(server, post("/fail") + post("/echo", b"2", "connection: close"))
    assert said.startswith(b"HTTP/1.1 500")
    assert bodies(said)[1] == b"hot:2"


async def test_stopping_lets_a_request_under_way_be_answered_and_drops_the_idle() -> None:
    desk = Desk()
    async with serving(desk) as server:
        idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", server.port)
        talking = asyncio.create_task(talk(server, post("/hold")))
        await desk.has(1)
        stopping = asyncio.create_task(server.stop(drain_s=2))
        assert await idle_reader.read() == b""
        idle_writer.close()
        desk.held[0].respond(200, b"done")
        said = await talking
        await stopping
    assert b"connection: close" in said
    assert bodies(said) == [b"done"]


async def test_who_still_waits_when_the_server_stops_is_told_to_ask_again() -> None:
    desk = Desk()
    async with serving(desk) as server:
        talking = asyncio.create_task(talk(server, post("/hold")))
        await desk.has(1)
        await asyncio.wait_for(server.stop(drain_s=0), 30)
        said = await talking
    assert b" 503 " in said
    assert b"retry-after: 1" in said
    assert json.loads(bodies(said)[0])["reason"] == "NODE_RESTARTING"
    assert desk.held[0].answered


async def test_too_many_connections_are_refused_by_name() -> None:
    async with serving(Desk(), HttpLimits(connections_max=1)) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.sleep(0.02)
        said = await talk(server)
        writer.close()
    assert json.loads(bodies(said)[0])["reason"] == "TOO_MANY_CONNECTIONS"


async def test_the_client_keeps_its_connection_and_makes_another_when_it_is_lost() -> None:
    desk = Desk()
    async with serving(desk) as server:
        connection = HttpConnection(f"http://127.0.0.1:{server.port}")
        for number in range(3):
            answer = await connection.fetch("POST", "/echo", b"%d" % number)
            assert (answer.status, answer.body) == (200, b"hot:%d" % number)
        (kept,) = server._listening.state.connections
        kept.transport.close()
        await emptied(server)
        assert (await connection.fetch("POST", "/any", b"again")).body == b"asgi:again"
        connection.close()


async def test_the_client_says_when_nothing_came_back() -> None:
    desk = Desk()
    async with serving(desk) as server:
        connection = HttpConnection(f"http://127.0.0.1:{server.port}", timeout_s=1)
        with pytest.raises(HttpFailure, match="timed out"):
            await connection.fetch("POST", "/hold")
        assert (await connection.fetch("POST", "/echo", b"x")).body == b"hot:x"
        connection.close()
    with pytest.raises(HttpFailure, match="no connection"):
        await connection.fetch("POST", "/echo")


async def test_a_closed_client_tells_whoever_waits() -> None:
    desk = Desk()
    async with serving(desk) as server:
        connection = HttpConnection(f"http://127.0.0.1:{server.port}")
        heard: list[HttpAnswer | HttpFailure] = []
        connection.send(b"POST", b"/hold", b"", heard.append)
        await desk.has(1)
        connection.close()
        assert heard == []
        await asyncio.sleep(0.01)
    assert isinstance(heard[0], HttpFailure)


async def test_a_401_says_how_to_authenticate_and_a_503_when_to_come_again() -> None:
    desk = Desk()
    async with serving(desk) as server:
        connection = HttpConnection(f"http://127.0.0.1:{server.port}")
        for status, header in ((401, b"www-authenticate"), (503, b"retry-after")):
            fetching = asyncio.create_task(connection.fetch("POST", "/hold"))
            await desk.has(1)
            desk.held.pop().respond(status, b"{}")
            assert header in (await fetching).headers
        connection.close()


ON_ASYNCIO = [
    test
    for name, test in list(globals().items())
    if name.startswith("test_") and not inspect.signature(test).parameters
]


@pytest.mark.parametrize("scenario", ON_ASYNCIO, ids=lambda test: test.__name__)
def test_it_is_the_same_on_uvloop(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


async def test_who_is_cut_off_when_the_server_ends_is_told_to_ask_again(caplog: pytest.LogCaptureFixture) -> None:
    begun = asyncio.Event()

    async def waits(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] == "lifespan":
            await asgi_echo(scope, receive, send)
            return
        begun.set()
        await asyncio.Event().wait()  # For a row from a database that is gone.

    server = HttpServer("127.0.0.1", 0, {}, waits, limits=LIMITS)
    await server.start()
    talking = asyncio.create_task(talk(server, post("/any")))
    await begun.wait()
    await server.stop(drain_s=0)
    answer = await talking
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"NODE_RESTARTING" in answer
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_who_is_cut_off_on_uvloop_is_told_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """There a connection that is cut is heard of later than by asyncio."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test_who_is_cut_off_when_the_server_ends_is_told_to_ask_again(caplog))


async def _cut_off_in_the_middle_of(content_type: bytes) -> bytes:
    """What a client has got of an answer whose first piece was sent when the server ended."""
    begun = asyncio.Event()

    async def streams(
        scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            await asgi_echo(scope, receive, send)
            return
        headers = [(b"content-type", content_type)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"one\n\n", "more_body": True})
        begun.set()
        await asyncio.Event().wait()  # For what comes next.

    server = HttpServer("127.0.0.1", 0, {}, streams, limits=LIMITS)
    await server.start()
    talking = asyncio.create_task(talk(server, post("/any")))
    await begun.wait()
    await asyncio.wait_for(server.stop(drain_s=0), 1)
    return await talking


_LOOPS = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])


@_LOOPS
def test_events_end_when_the_server_does_and_nobody_is_blamed(
    loop: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        said = runner.run(_cut_off_in_the_middle_of(b"text/event-stream; charset=utf-8"))
    assert said.endswith(b"5\r\none\n\n\r\n0\r\n\r\n"), "whole, so that the browser comes again for the next"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@_LOOPS
def test_half_a_file_does_not_look_like_a_whole_one(
    loop: Callable[[], asyncio.AbstractEventLoop], caplog: pytest.LogCaptureFixture
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        said = runner.run(_cut_off_in_the_middle_of(b"text/csv"))
    assert said.endswith(b"5\r\none\n\n\r\n")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
