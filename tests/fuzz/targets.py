"""
What is fuzzed: everything that reads bytes of strangers. Each target takes any bytes, and nothing but a named no may leave it.

Used thrice: by atheris (`make fuzz`), by hypothesis on changed seeds, and on every input that once was a find (`finds/`).
"""

import asyncio
import functools
import json
from collections.abc import Callable
from pathlib import Path

from uvicorn.config import Config
from uvicorn.server import ServerState

from hutong.codes import code_form, merchant_presented, scanned
from hutong.codes.payment_code import PaymentCodeIssuer
from hutong.codes.picture import qr_png, read_picture
from hutong.codes.plate import read_plate, read_plate_id
from hutong.codes.profile import STRICT
from hutong.institution.merchants.foreign_code import identities
from hutong.institution.notices.webhook import check_url
from hutong.institution.people.phone import parse_phone
from hutong.kernel.clock import ManualClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id, seeded_randomness
from hutong.kernel.money import Currency, format_amount, parse_amount
from hutong.kernel.text import check_text
from hutong.runtime.address import parse_address
from hutong.runtime.figures import HttpFigures
from hutong.runtime.http import bearer_token
from hutong.runtime.http_connection import HttpLimits, Listening, NodeProtocol
from hutong.runtime.rate_limit import RateLimits, caller_address
from hutong.scheme.envelope import decode_envelope, encode_envelope
from hutong.scheme.signature import KeyRing, PublicKey, ReplayGuard, Verifier
from tests.runtime.test_http_connection import Wire, echo, no_app
from tests.switch.world import World

ROOT = Path(__file__).parents[2]
Target = Callable[[bytes], None]


def codes(data: bytes) -> None:
    """A scanned text, of whatever kind."""
    content = scanned.read(_text(data)).content
    identities(content)


def merchant_presented_code(data: bytes) -> None:
    """What was read and written again reads the same."""
    code = merchant_presented.read(_text(data), STRICT)
    assert merchant_presented.read(merchant_presented.build(code), STRICT) == code


def plate(data: bytes) -> None:
    text = _text(data)
    _each(read_plate, text)
    _each(read_plate_id, text)


def form(data: bytes) -> None:
    """A code form has one text."""
    found = code_form.read_form(_text(data))
    assert code_form.read_form(str(found)) == found


def payment_code(data: bytes) -> None:
    issuer = PaymentCodeIssuer("31", b"k" * 32, day_starts_ns=0)
    issuer.verify(_text(data), ManualClock().now_ns(), lambda _: [])


def picture(data: bytes) -> None:
    read_picture(data)


def envelope(data: bytes) -> None:
    """What is read from an envelope can be written, and reads the same."""
    messages = decode_envelope(data, sender="jing", recipient="switch")
    again = encode_envelope("jing", "switch", messages)
    assert decode_envelope(again, sender="jing", recipient="switch") == messages


def messages(data: bytes) -> None:
    """Whatever jing says in a sound envelope, the switch decides on it, and its books balance."""
    found = decode_envelope(data, sender="jing", recipient="switch")
    world = _world()
    for message in found:
        world.switch.node.decide(lambda message=message: world.switch._receive("jing", message))  # type: ignore[misc]
    world.switch.tick()
    books = asyncio.run(world.switch.positions.books("CNY"))
    assert books.is_balanced


def signature(data: bytes) -> None:
    """An envelope's headers, a line each."""
    lines = [line.partition(b": ") for line in data.split(b"\n")]
    headers = {name.lower(): value for name, _, value in lines}
    clock = ManualClock()
    ring = KeyRing([PublicKey("jing-1", b"\1" * 32, 0, 2**62)])
    Verifier("switch", lambda _: ring, clock, ReplayGuard(0)).verify(headers, "POST", "/scheme/v1/messages", b"{}")
    raise AssertionError("nobody can sign for this key")


def http(data: bytes) -> None:
    """Bytes on a connection, in two pieces: it answers or closes, and keeps no more than its limits."""
    asyncio.run(_http(data))


def words(data: bytes) -> None:
    """Everything small that is read from texts."""
    text = _text(data)
    for read in (parse_phone, parse_address):
        _each(read, text)
    _each(lambda text: check_text("text", text, length_max=60), text)
    _each(lambda text: check_url(text, private_allowed=True), text)
    _each(lambda text: bearer_token(text.encode()), text)
    caller_address("127.0.0.1", data, RateLimits())
    _each(_amount, text)
    _each(_id, text)


TARGETS: dict[str, Target] = {
    each.__name__: each
    for each in (
        codes,
        merchant_presented_code,
        plate,
        form,
        payment_code,
        picture,
        envelope,
        messages,
        signature,
        http,
        words,
    )
}


def run(target: Target, data: bytes) -> None:
    """Run one input; a named no is as good as a yes."""
    try:
        target(data)
    except Refusal:
        return


@functools.cache
def seeds(name: str) -> tuple[bytes, ...]:
    """Where to begin from: the golden vectors, and the examples of the scheme's own words."""
    vectors = [
        str(vector["text"]).encode()
        for kind in ("merchant_presented", "consumer_presented")
        for vector in json.loads((ROOT / f"tests/vectors/{kind}.json").read_text())["vectors"]
        if "text" in vector
    ]
    examples = [path.read_bytes() for path in sorted((ROOT / "docs/scheme/examples").glob("*.json"))]
    envelopes = [
        b'{"Vrsn":1,"InstgAgt":"jing","InstdAgt":"switch","Msgs":[%b]}' % example.strip()
        for example in examples
        if b'"MsgTp"' in example and b'"Msgs"' not in example
    ]
    links = [b"https://jing.hutong.example/q/MCA1J76606RMSN", b"upi://pay?pa=shop@bank&pn=Shop&am=10.00&cu=INR"]
    forms = [b"digits:31:18", b"url:https://x.example/q/", b"emvco:38:A000000727:01.00=970499", b"emvco:*:COM.WEIPAY"]
    headers = b"hutong-version: 1\nhutong-sender: jing\nhutong-recipient: switch\nhutong-key-id: jing-1\n"
    headers += b"hutong-timestamp: %d\nhutong-nonce: " % (ManualClock().now_ns() // 1_000_000) + b"0" * 32
    headers += b"\nhutong-signature: " + b"A" * 86 + b"=="
    heads = [
        b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc",
        b"PUT /b?q=1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n3;e=1\r\nabc\r\n0\r\n\r\n",
        b"GET /c HTTP/1.0\r\nhost: x\r\nconnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    ]
    small = [b"+8613800138000", b"10.50", b"pay_00000000000000000000000001", b"https://x.example:443/a?b", b"bearer x"]
    by_name = {
        "codes": [*vectors, *links],
        "merchant_presented_code": vectors,
        "plate": [*links, b"MCA1J76606RMSN"],
        "form": forms,
        "payment_code": [b"310000000000000000", b"31" + b"9" * 16],
        "picture": [qr_png("https://x.example/q/1", scale=2)],
        "envelope": envelopes,
        "messages": envelopes,
        "signature": [headers],
        "http": heads,
        "words": [*small, b"postgresql://a:b@host:1/db?sslmode=require", b"198.51.100.1, 10.0.0.7"],
    }
    return tuple(by_name[name])


def _text(data: bytes) -> str:
    """As JSON and URLs let texts in: Unicode without halves of characters."""
    return data.decode("utf-8", "replace")


def _each(read: Callable[[str], object], text: str) -> None:
    try:
        read(text)
    except Refusal:
        return


def _amount(text: str) -> None:
    for currency in (Currency.CNY, Currency.JPY):
        minor = parse_amount(text, currency)
        assert parse_amount(format_amount(minor, currency), currency) == minor


def _id(text: str) -> None:
    id_ = parse_id("pay", text)
    assert id_text("pay", id_) == text


@functools.cache
def _world() -> World:
    world = World()
    asyncio.run(world.boot())
    world.admit("jing", "wei")
    return world


async def _http(data: bytes) -> None:
    config = Config(no_app, ws="none", log_config=None, lifespan="off")
    config.loaded_app = no_app
    limits = HttpLimits(hot_body_max=64, body_max=64)
    hot = {(b"POST", b"/a"): echo, (b"PUT", b"/b"): echo}
    wire = Wire()
    listening = Listening(config, ServerState(), hot, limits, asyncio.Event(), HttpFigures())
    protocol = NodeProtocol(listening)
    protocol.connection_made(wire)
    half = seeded_randomness(len(data)).randrange(len(data) + 1)
    for piece in (data[:half], data[half:]):
        if piece and not wire.is_closing():
            protocol.data_received(piece)
    await asyncio.sleep(0)
    protocol.connection_lost(None)
    for task in list(listening.state.tasks):
        task.cancel()
    await asyncio.gather(*listening.state.tasks, return_exceptions=True)
