from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.kernel.clock import NS_PER_MS, NS_PER_S, ManualClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import seeded_randomness
from hutong.scheme.envelope import PATH, SchemeReason
from hutong.scheme.signature import (
    FOR_EVER_NS,
    SKEW_MAX_S,
    KeyRing,
    ReplayGuard,
    SecretKey,
    Signer,
    Verifier,
    signed_bytes,
)

BODY = b'{"Vrsn":1}'
OLD = SecretKey("jing-1", bytes(range(32)), 0, FOR_EVER_NS)
Headers = dict[bytes, bytes]


class World:
    """jing signs, the switch verifies; each has its own clock."""

    def __init__(self, keys: tuple[SecretKey, ...] = (OLD,), *, nonces_max: int = 1000) -> None:
        self.sender_clock, self.clock = ManualClock(), ManualClock()
        self.signer = Signer("jing", keys, self.sender_clock, seeded_randomness(1))
        self.rings = {"jing": KeyRing([key.public() for key in keys])}
        self.guard = ReplayGuard(self.clock.now_ns() - 1000 * NS_PER_S, nonces_max=nonces_max)
        self.verifier = Verifier("switch", self.rings.get, self.clock, self.guard)

    def sign(self, recipient: str = "switch", body: bytes = BODY) -> Headers:
        return self.signer.sign(recipient, "POST", PATH, body)

    def verify(self, headers: Headers, body: bytes = BODY, *, method: str = "POST", path: str = PATH) -> str:
        return self.verifier.verify(headers, method, path, body)

    def refusal(self, headers: Headers, body: bytes = BODY, **where: Any) -> SchemeReason:
        with pytest.raises(Refusal) as refused:
            self.verify(headers, body, **where)
        assert isinstance(refused.value.reason, SchemeReason)
        return refused.value.reason


@pytest.fixture
def world() -> World:
    return World()


def test_an_envelope_is_known_to_be_its_senders(world: World) -> None:
    assert world.verify(world.sign()) == "jing"


def test_every_byte_of_the_body_is_signed(world: World) -> None:
    headers = world.sign()
    for place in range(len(BODY)):
        changed = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        assert world.refusal(headers, changed) is SchemeReason.SIGNATURE_WRONG
    for changed in (BODY[:-1], BODY + b" ", b""):
        assert world.refusal(headers, changed) is SchemeReason.SIGNATURE_WRONG
    assert world.verify(headers) == "jing"


def _tampered(headers: Headers) -> Iterator[tuple[bytes, int, Headers]]:
    for name, value in headers.items():
        for place in range(len(value)):
            for other in b"0aB":
                if value[place] != other:
                    yield name, place, headers | {name: value[:place] + bytes([other]) + value[place + 1 :]}


def test_every_byte_of_every_header_is_signed(world: World) -> None:
    headers = world.sign()
    tried = 0
    for name, place, changed in _tampered(headers):
        assert world.refusal(changed) is not SchemeReason.ENVELOPE_REPLAYED, (name, place)
        tried += 1
    assert tried > 300
    assert world.verify(headers) == "jing"


def test_method_and_path_are_signed(world: World) -> None:
    headers = world.sign()
    assert world.refusal(headers, method="PUT") is SchemeReason.SIGNATURE_WRONG
    assert world.refusal(headers, path="/scheme/v1/other") is SchemeReason.SIGNATURE_WRONG


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        (b"hutong-version", b"2", SchemeReason.VERSION_NOT_SPOKEN),
        (b"hutong-version", b"01", SchemeReason.SIGNATURE_MALFORMED),
        (b"hutong-recipient", b"wei", SchemeReason.RECIPIENT_NOT_HERE),
        (b"hutong-sender", b"nobody", SchemeReason.SENDER_UNKNOWN),
        (b"hutong-sender", b"jing\n", SchemeReason.SIGNATURE_MALFORMED),
        (b"hutong-key-id", b"jing-9", SchemeReason.SIGNATURE_KEY_UNKNOWN),
        (b"hutong-timestamp", b"+1", SchemeReason.SIGNATURE_MALFORMED),
        (b"hutong-nonce", b"A" * 32, SchemeReason.SIGNATURE_MALFORMED),
        (b"hutong-nonce", b"a" * 31, SchemeReason.SIGNATURE_MALFORMED),
        (b"hutong-signature", b"", SchemeReason.SIGNATURE_MALFORMED),
        (b"hutong-signature", b"A" * 86 + b"==", SchemeReason.SIGNATURE_WRONG),
    ],
)
def test_a_wrong_header_is_refused_by_name(world: World, header: bytes, value: bytes, reason: SchemeReason) -> None:
    assert world.refusal(world.sign() | {header: value}) is reason


@pytest.mark.parametrize("header", list(World().sign()))
def test_a_missing_header_is_named(world: World, header: bytes) -> None:
    headers = world.sign()
    del headers[header]
    with pytest.raises(Refusal) as refused:
        world.verify(headers)
    assert refused.value.facts == {"header": header.decode()}


def test_a_nodes_signature_does_not_pass_as_anothers(world: World) -> None:
    world.rings["wei"] = KeyRing([SecretKey("jing-1", b"w" * 32, 0, FOR_EVER_NS).public()])
    assert world.refusal(world.sign() | {b"hutong-sender": b"wei"}) is SchemeReason.SIGNATURE_WRONG


def test_a_replay_is_refused_and_a_refused_one_uses_up_nothing(world: World) -> None:
    headers = world.sign()
    assert world.refusal(headers, b"other") is SchemeReason.SIGNATURE_WRONG
    assert world.verify(headers) == "jing"
    assert world.refusal(headers) is SchemeReason.ENVELOPE_REPLAYED
    assert world.verify(world.sign()) == "jing"


@pytest.mark.parametrize("ms", [-SKEW_MAX_S * 1000, SKEW_MAX_S * 1000])
def test_the_clock_skew_can_be_reached_and_not_passed(ms: int) -> None:
    for beyond, reason in (
        (0, None),
        (-1 if ms < 0 else 1, SchemeReason.ENVELOPE_STALE if ms < 0 else SchemeReason.ENVELOPE_FROM_THE_FUTURE),
    ):
        world = World()
        world.sender_clock.ns += (ms + beyond) * NS_PER_MS
        if reason is None:
            assert world.verify(world.sign()) == "jing"
        else:
            assert world.refusal(world.sign()) is reason


def test_a_replay_is_refused_for_as_long_as_its_timestamp_passes(world: World) -> None:
    world.sender_clock.ns += SKEW_MAX_S * NS_PER_S
    headers = world.sign()
    world.verify(headers)
    for _ in range(2 * SKEW_MAX_S):
        world.clock.advance(seconds=1)
        assert world.refusal(headers) is SchemeReason.ENVELOPE_REPLAYED
    world.clock.advance(ns=NS_PER_MS)
    assert world.refusal(headers) is SchemeReason.ENVELOPE_STALE


def test_after_a_restart_what_was_sent_before_it_is_stale(world: World) -> None:
    before = world.sign()
    world.clock.advance(seconds=1)
    world.sender_clock.advance(seconds=1)
    guard = ReplayGuard(world.clock.now_ns())
    restarted = Verifier("switch", world.rings.get, world.clock, guard)
    with pytest.raises(Refusal) as refused:
        restarted.verify(before, "POST", PATH, BODY)
    assert refused.value.reason is SchemeReason.ENVELOPE_STALE
    assert restarted.verify(world.sign(), "POST", PATH, BODY) == "jing"


def test_the_memory_of_one_sender_is_bounded_and_comes_back() -> None:
    world = World(nonces_max=3)
    for _ in range(3):
        world.verify(world.sign())
    assert world.refusal(world.sign()) is SchemeReason.TOO_MANY_ENVELOPES
    for clock in (world.clock, world.sender_clock):
        clock.advance(seconds=SKEW_MAX_S + 10)
    assert world.verify(world.sign()) == "jing"
    assert world.guard._senders["jing"].count == 1


def test_keys_change_without_a_pause() -> None:
    start = ManualClock().now_ns()
    old = SecretKey("jing-1", b"1" * 32, 0, start + 100 * NS_PER_S)
    new = SecretKey("jing-2", b"2" * 32, start + 50 * NS_PER_S, FOR_EVER_NS)
    world = World((old, new))
    used = []
    for _ in range(150):
        headers = world.sign()
        assert world.verify(headers) == "jing"
        used.append(headers[b"hutong-key-id"])
        for clock in (world.clock, world.sender_clock):
            clock.advance(seconds=1)
    assert used == [b"jing-1"] * 50 + [b"jing-2"] * 100


def test_both_keys_pass_while_they_overlap_and_a_retired_one_no_more() -> None:
    start = ManualClock().now_ns()
    old = SecretKey("jing-1", b"1" * 32, 0, start + 100 * NS_PER_S)
    new = SecretKey("jing-2", b"2" * 32, start + 50 * NS_PER_S, FOR_EVER_NS)
    world = World((old, new))
    with_old, with_new = (
        Signer("jing", [SecretKey(key.key_id, key.seed, 0, FOR_EVER_NS)], world.sender_clock, seeded_randomness(seed))
        for seed, key in enumerate((old, new))
    )
    passes = []
    for _ in range(4):
        for signer in (with_old, with_new):
            try:
                passes.append(world.verify(signer.sign("switch", "POST", PATH, BODY)))
            except Refusal as refusal:
                passes.append(refusal.reason.name)
        for clock in (world.clock, world.sender_clock):
            clock.advance(seconds=49 if len(passes) == 4 else 50 if len(passes) == 2 else 1)
    no = "SIGNATURE_KEY_NOT_VALID"
    assert passes == ["jing", no, "jing", "jing", "jing", "jing", no, "jing"]


_TEXTS = st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters="-"), min_size=1, max_size=6)
_NAMES = ["version", "sender", "recipient", "key-id", "timestamp", "nonce"]


@settings(max_examples=200, deadline=None)
@given(st.tuples(*[_TEXTS] * 6), st.tuples(*[_TEXTS] * 6), st.binary(max_size=20), st.binary(max_size=20))
def test_different_envelopes_never_sign_alike(a: tuple[str, ...], b: tuple[str, ...], x: bytes, y: bytes) -> None:
    def signed(values: tuple[str, ...], body: bytes) -> bytes:
        headers = {f"hutong-{name}".encode(): value.encode() for name, value in zip(_NAMES, values, strict=True)}
        return signed_bytes(headers, b"POST", PATH.encode(), body)

    assert (signed(a, x) == signed(b, y)) == ((a, x) == (b, y))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(list(World().sign())), st.binary(max_size=90)), st.binary(max_size=50))
def test_no_header_raises_anything_but_a_named_refusal(some: Headers, body: bytes) -> None:
    world = World()
    world.refusal(world.sign() | some, body + b"x")


def test_a_key_ended_before_it_began_is_never_valid() -> None:
    start = ManualClock().now_ns()
    world = World((SecretKey("jing-1", b"1" * 32, 0, FOR_EVER_NS),))
    headers = world.sign()
    ended = SecretKey("jing-1", b"1" * 32, start + NS_PER_S, start).public()
    world.rings["jing"] = KeyRing([ended])
    assert world.refusal(headers) is SchemeReason.SIGNATURE_KEY_NOT_VALID


def test_a_replay_is_refused_before_its_signature_is_verified(world: World) -> None:
    headers = world.sign()
    world.verify(headers)
    assert world.refusal(headers, BODY + b" ") is SchemeReason.ENVELOPE_REPLAYED
