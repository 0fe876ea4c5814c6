"""Two nodes on loopback, and what bad input, bad luck and load do to what they say to each other."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.kernel.clock import ManualClock, SystemClock
from hutong.kernel.ids import seeded_randomness
from hutong.runtime.http import HotRequest
from hutong.runtime.http_client import HttpConnection
from hutong.runtime.http_server import HttpServer
from hutong.runtime.journal import JournalHalted
from hutong.runtime.rate_limit import Rate, TokenBuckets
from hutong.scheme.envelope import PATH, encode_envelope
from hutong.scheme.http_transport import FORGERIES, TRIES_MAX, HttpTransport
from hutong.scheme.messages import AnyMessage, Channel, RequestToPay, StatusRequest
from hutong.scheme.peer import Peer, PeerBook
from hutong.scheme.signature import FOR_EVER_NS, KeyRing, ReplayGuard, SecretKey, Signer, Verifier

SECRETS = {name: SecretKey(f"{name}-1", name.encode().ljust(32), 0, FOR_EVER_NS) for name in ("jing", "switch")}
RINGS = {name: KeyRing([key.public()]) for name, key in SECRETS.items()}


def asked(number: int) -> StatusRequest:
    return StatusRequest(payment_id=f"{number:032x}", originator="jing")


async def no_app(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive, send
    raise NotImplementedError


class Node:
    """A transport behind a server, and what it received."""

    def __init__(self, node_id: str) -> None:
        self.node_id = node_id
        self.received: list[tuple[str, list[AnyMessage]]] = []
        self.book = PeerBook()
        self.halted = False
        self.clock = SystemClock()
        self.signer = Signer(node_id, [SECRETS[node_id]], self.clock, seeded_randomness(len(node_id)))
        verifier = Verifier(node_id, self.book.keys_of, self.clock, ReplayGuard(0))
        self.transport = HttpTransport(
            node_id, self.book, self.signer, verifier, seeded_randomness(7), self.receive, backoff_first_ms=4
        )
        self.server = HttpServer("127.0.0.1", 0, self.transport.hot(), no_app)

    def receive(self, sender: str, messages: list[AnyMessage]) -> None:
        if self.halted:
            raise JournalHalted
        self.received.append((sender, messages))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def messages(self) -> list[AnyMessage]:
        return [message for _, messages in self.received for message in messages]

    async def restart_on_same_port(self) -> None:
        self.server = HttpServer("127.0.0.1", self.server.port, self.transport.hot(), no_app)
        await self.server.start()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def two_nodes() -> AsyncIterator[tuple[Node, Node]]:
    jing, switch = Node("jing"), Node("switch")
    for node in (jing, switch):
        await node.server.start()
    jing.book.put(Peer("switch", switch.url, RINGS["switch"]))
    switch.book.put(Peer("jing", jing.url, RINGS["jing"]))
    try:
        yield jing, switch
    finally:
        for node in (jing, switch):
            node.transport.close()
            await node.server.stop(drain_s=1)


async def test_two_nodes_exchange_messages() -> None:
    async with two_nodes() as (jing, switch):
        jing.transport.post("switch", [asked(1), asked(2)])
        await until(lambda: len(switch.received) == 1)
        switch.transport.post("jing", [asked(3)])
        await until(lambda: len(jing.received) == 1)
    assert switch.received == [("jing", [asked(1), asked(2)])]
    assert jing.received == [("switch", [asked(3)])]


async def test_messages_batch_by_themselves_under_load_and_keep_their_order() -> None:
    async with two_nodes() as (jing, switch):
        for number in range(5000):
            jing.transport.post("switch", [asked(number)])
            if number % 50 == 0:
                await asyncio.sleep(0)
        figures = jing.transport.links["switch"].figures
        await until(lambda: figures.messages == 5000)
    assert switch.messages() == [asked(number) for number in range(5000)]
    assert figures.envelopes == len(switch.received) < 500
    assert max(len(messages) for _, messages in switch.received) <= 500


async def test_messages_for_a_lost_peer_arrive_when_it_comes_back() -> None:
    async with two_nodes() as (jing, switch):
        jing.transport.post("switch", [asked(1)])
        await until(lambda: len(switch.received) == 1)
        await switch.server.stop(drain_s=0)
        jing.transport.post("switch", [asked(2)])
        jing.transport.post("switch", [asked(3)])
        await until(lambda: jing.transport.links["switch"].figures.failures >= 2)
        await switch.restart_on_same_port()
        await until(lambda: len(switch.messages()) == 3)
    assert switch.messages() == [asked(1), asked(2), asked(3)]


async def test_messages_are_dropped_after_the_last_try_and_the_link_goes_on() -> None:
    async with two_nodes() as (jing, switch):
        await switch.server.stop(drain_s=0)
        jing.transport.post("switch", [asked(1)])
        link = jing.transport.links["switch"]
        await until(lambda: link.figures.dropped == 1)
        assert link.figures.failures == TRIES_MAX
        await switch.restart_on_same_port()
        jing.transport.post("switch", [asked(2)])
        await until(lambda: len(switch.received) == 1)
    assert switch.messages() == [asked(2)]


async def test_a_halted_node_says_503_and_is_sent_a_new_envelope() -> None:
    async with two_nodes() as (jing, switch):
        switch.halted = True
        jing.transport.post("switch", [asked(1)])
        await until(lambda: bool(jing.transport.links) and jing.transport.links["switch"].figures.failures == 1)
        switch.halted = False
        await until(lambda: len(switch.received) == 1)
    assert switch.transport.refused == {}


async def test_a_refused_envelope_is_not_sent_again() -> None:
    async with two_nodes() as (jing, switch):
        switch.book.put(Peer("jing", jing.url, KeyRing([])))
        jing.transport.post("switch", [asked(1)])
        await until(lambda: bool(switch.transport.refused))
        await until(lambda: jing.transport.links["switch"].figures.refused == 1)
        switch.book.put(Peer("jing", jing.url, RINGS["jing"]))
        jing.transport.post("switch", [asked(2)])
        await until(lambda: len(switch.received) == 1)
    assert switch.transport.refused == {"SIGNATURE_KEY_UNKNOWN": 1}
    assert switch.messages() == [asked(2)]


async def test_one_message_the_peer_cannot_read_does_not_hold_up_the_others() -> None:
    bad = StatusRequest(payment_id="not hexadecimal", originator="jing")
    async with two_nodes() as (jing, switch):
        jing.transport.post("switch", [asked(1), bad, asked(2), bad, bad])
        await until(lambda: len(switch.received) == 1)
        figures = jing.transport.links["switch"].figures
        await until(lambda: figures.messages == 2)
    assert switch.messages() == [asked(1), asked(2)]
    assert (figures.refused, figures.failures) == (3, 0)


async def test_an_envelope_that_is_stale_is_signed_again() -> None:
    async with two_nodes() as (jing, switch):
        verifier = switch.transport._verifier
        verifier._guard = ReplayGuard(switch.clock.now_ns() + 8_000_000)  # As a node that has just started.
        jing.transport.post("switch", [asked(1)])
        await until(lambda: len(switch.received) == 1)
    assert set(switch.transport.refused) == {"ENVELOPE_STALE"}


async def test_a_node_whose_keys_have_ended_tries_again_and_says_so() -> None:
    async with two_nodes() as (jing, switch):
        keys = jing.signer._keys
        jing.signer._keys = []
        jing.transport.post("switch", [asked(1)])
        assert jing.transport.links["switch"].figures.failures == 1
        jing.signer._keys = keys
        await until(lambda: len(switch.received) == 1)


async def test_messages_for_a_stranger_are_counted_and_go_nowhere() -> None:
    async with two_nodes() as (jing, _):
        jing.transport.post("wei", [asked(1)])
        assert jing.transport.strangers == 1


async def test_a_batch_too_large_for_one_envelope_goes_in_several() -> None:
    large = [
        RequestToPay(
            request_id=f"{number:032x}", code="码" * 512, amount=1, currency="CNY", channel=Channel.PAYMENT_CODE,
            mcc="5411", creditor_agent="jing", creditor_name="名" * 140, remittance="言" * 140, expires_at_ms=1,
        )
        for number in range(900)
    ]  # fmt: skip
    async with two_nodes() as (jing, switch):
        jing.transport.post("switch", list(large))
        await until(lambda: len(switch.messages()) == 900)
    assert switch.messages() == large
    assert len(switch.received) > 2


def _lines(headers: dict[bytes, bytes]) -> bytes:
    return b"".join(b"%b: %b\r\n" % pair for pair in headers.items())


@pytest.mark.parametrize(
    ("spoil", "status", "reason"),
    [
        (lambda headers, body: (headers, body[:-5]), 401, "SIGNATURE_WRONG"),
        (lambda _, body: ({}, body), 400, "SIGNATURE_MALFORMED"),
        (lambda headers, body: (headers, body + b" " * (1 << 20)), 413, "BODY_TOO_LARGE"),
        (lambda headers, body: (headers | {b"hutong-version": b"7"}, body), 400, "VERSION_NOT_SPOKEN"),
        (lambda headers, body: (headers | {b"hutong-sender": b"nobody"}, body), 401, "SENDER_UNKNOWN"),
        (lambda headers, body: (headers | {b"hutong-recipient": b"wei"}, body), 400, "RECIPIENT_NOT_HERE"),
        (lambda headers, body: (headers | {b"hutong-timestamp": b"1"}, body), 422, "ENVELOPE_STALE"),
    ],
)
async def test_a_bad_envelope_gets_a_named_refusal_over_http(
    spoil: Callable[[Any, bytes], Any], status: int, reason: str
) -> None:
    body = encode_envelope("jing", "switch", [asked(1)])
    async with two_nodes() as (jing, switch):
        headers, body = spoil(jing.signer.sign("switch", "POST", PATH, body), body)
        connection = HttpConnection(switch.url)
        answer = await connection.fetch("POST", PATH, body, _lines(headers))
        connection.close()
    assert (answer.status, json.loads(answer.body)["reason"]) == (status, reason)
    assert switch.received == []


async def test_a_replayed_envelope_is_received_once() -> None:
    body = encode_envelope("jing", "switch", [asked(1)])
    async with two_nodes() as (jing, switch):
        lines = _lines(jing.signer.sign("switch", "POST", PATH, body))
        connection = HttpConnection(switch.url)
        answers = [await connection.fetch("POST", PATH, body, lines) for _ in range(2)]
        connection.close()
    assert [(answer.status, answer.body[:27]) for answer in answers] == [
        (202, b""),
        (409, b'{"reason":"ENVELOPE_REPLAYE'),
    ]
    assert len(switch.received) == 1


class Ear:
    """Hears what a request was answered with."""

    status = 0

    def answer(self, request: HotRequest, status: int, body: bytes, content_type: bytes) -> None:
        del request, body, content_type
        self.status = status


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_signed_bytes_make_the_endpoint_fail_or_deliver_half(data: st.DataObject) -> None:
    """Even a peer that signs garbage gets a 4xx, and nothing of it is acted on."""
    jing, switch = Node("jing"), Node("switch")
    switch.book.put(Peer("jing", "http://127.0.0.1:1", RINGS["jing"]))
    good = encode_envelope("jing", "switch", [asked(1), asked(2)])
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    body = data.draw(st.sampled_from([good[:start] + good[end:], good[:start] + b"\0" + good[end:], good[start:end]]))
    signed = data.draw(st.booleans())
    headers = jing.signer.sign("switch", "POST", PATH, body if signed else good)
    ear = Ear()
    request = HotRequest(ear, method="POST", path=PATH, query=b"", headers=headers, client=None)
    request.body = body
    switch.transport.take(request)
    if ear.status == 202:
        assert len(switch.messages()) in (1, 2)
    else:
        assert 400 <= ear.status < 500
        assert switch.received == []


async def test_a_link_that_is_closed_forgets_what_waited() -> None:
    async with two_nodes() as (jing, switch):
        await switch.server.stop(drain_s=0)
        jing.transport.post("switch", [asked(1)])
        link = jing.transport.links["switch"]
        jing.transport.close()
        await asyncio.sleep(0.05)
        assert link.waiting == 0
    assert switch.received == []


ON_ASYNCIO = [
    test
    for name, test in list(globals().items())
    if name.startswith("test_") and inspect.iscoroutinefunction(test) and not inspect.signature(test).parameters
]


@pytest.mark.parametrize("scenario", ON_ASYNCIO, ids=lambda test: test.__name__)
def test_it_is_the_same_on_uvloop(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


async def test_a_message_no_envelope_can_hold_is_dropped_and_the_link_goes_on() -> None:
    async with two_nodes() as (jing, switch):
        monster = StatusRequest(payment_id="f" * (1 << 20), originator="jing")
        jing.transport.post("switch", [asked(1), monster, asked(2)])
        jing.transport.post("switch", [asked(3)])
        await until(lambda: len(switch.messages()) == 3)
        assert switch.messages() == [asked(1), asked(2), asked(3)]
        assert jing.transport.links["switch"].figures.dropped == 1


class Heard:
    """Where a transport's answers go that has no server."""

    def __init__(self) -> None:
        self.statuses: list[int] = []

    def answer(self, _request: HotRequest, status: int, _body: bytes, _content_type: bytes) -> None:
        self.statuses.append(status)


def _given(node: Node, heard: Heard, signer: Signer, port: int, *, forged: bool = False) -> int:
    """What the node answers to an envelope, well signed or not, on the connection from a port."""
    body = encode_envelope("jing", "switch", [asked(1)])
    signed = signer.sign("switch", "POST", PATH, body)
    client = ("192.0.2.1", port)
    request = HotRequest(heard, method="POST", path=PATH, query=b"", headers=signed, client=client)
    request.body = body.replace(b"jing", b"wily") if forged else body
    node.transport.take(request)
    return heard.statuses[-1]


def test_a_connection_of_wrong_signatures_is_verified_no_more_and_every_other_one_is() -> None:
    switch, jing, heard = Node("switch"), Node("jing"), Heard()
    switch.book.put(Peer("jing", "", RINGS["jing"]))
    clock = switch.transport._verifier.clock = jing.signer._clock = ManualClock(SystemClock().now_ns())
    forgeries = [_given(switch, heard, jing.signer, 1, forged=True) for _ in range(FORGERIES.burst + 1)]
    assert forgeries == [401] * FORGERIES.burst + [429]
    assert _given(switch, heard, jing.signer, 1) == 429
    assert _given(switch, heard, jing.signer, 2) == 202
    clock.advance(seconds=1)
    assert _given(switch, heard, jing.signer, 1) == 202


def test_a_sender_has_a_rate() -> None:
    switch, jing, heard = Node("switch"), Node("jing"), Heard()
    switch.book.put(Peer("jing", "", RINGS["jing"]))
    clock = switch.transport._verifier.clock = jing.signer._clock = ManualClock(SystemClock().now_ns())
    switch.transport._envelopes = TokenBuckets(Rate(burst=3, per_s=1))
    assert [_given(switch, heard, jing.signer, port) for port in range(5)] == [202, 202, 202, 429, 429]
    clock.advance(seconds=1)
    assert [_given(switch, heard, jing.signer, 9) for _ in range(2)] == [202, 429]
    assert len(switch.received) == 4
