"""
The examples of `docs/scheme/examples`: written by the code, so that they cannot differ from it.

`python -m tests.scheme.examples` writes them again (with `src` on the path). They change only when the contract does.
"""

import base64
from pathlib import Path
from typing import Any

import msgspec
from nacl.signing import SigningKey

from hutong.kernel.clock import NS_PER_MS, ManualClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import seeded_randomness
from hutong.scheme.envelope import PATH, decode_envelope, encode_envelope
from hutong.scheme.messages import StatusRequest
from hutong.scheme.signature import FOR_EVER_NS, KeyRing, ReplayGuard, SecretKey, Signer, Verifier, signed_bytes
from tests.scheme.example_messages import (
    COMPLAINT_REFUSED,
    CONSULT_AMOUNT,
    HOLD_REFUSED,
    HOLD_RELEASE,
    JING_SEED,
    MESSAGES,
    NOW_MS,
    PAYMENT,
    RECALL_REJECTED,
    REJECTED,
    RESOLVE_AMOUNT,
)

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "scheme" / "examples"

KEY = SecretKey("jing-2026-1", JING_SEED, NOW_MS * NS_PER_MS - 1, FOR_EVER_NS)
RETIRED = SecretKey("jing-2025-1", bytes(32), 0, NOW_MS * NS_PER_MS)


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _text(headers: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers.items()}


def signed() -> tuple[dict[bytes, bytes], bytes]:
    """An envelope of one enquiry from jing to the switch: its headers and its body."""
    clock = ManualClock(NOW_MS * NS_PER_MS)
    body = encode_envelope("jing", "switch", [StatusRequest(payment_id=PAYMENT, originator="jing")])
    return Signer("jing", [KEY], clock, seeded_randomness(2026)).sign("switch", "POST", PATH, body), body


def signed_envelope() -> dict[str, Any]:
    """The worked example of `transport.md`."""
    headers, body = signed()
    return {
        "seed_hex": JING_SEED.hex(),
        "public_key_hex": KEY.public().public_key.hex(),
        "method": "POST",
        "path": PATH,
        "headers": _text(headers),
        "body": body.decode(),
        "signed_bytes": signed_bytes(headers, b"POST", PATH.encode(), body).decode(),
    }


def _resigned(body: bytes, **changes: str) -> dict[bytes, bytes]:
    """Headers changed by who holds the key: everything about them is wrong but the signature."""
    headers, _ = signed()
    headers |= {f"hutong-{name.replace('_', '-')}".encode(): value.encode() for name, value in changes.items()}
    key = SigningKey(RETIRED.seed if changes.get("key_id") == RETIRED.key_id else JING_SEED)
    signature = key.sign(signed_bytes(headers, b"POST", PATH.encode(), body)).signature
    return headers | {b"hutong-signature": base64.b64encode(signature)}


SAID_OTHERWISE = [
    ("a body of another version", '"Vrsn":1', '"Vrsn":2'),
    ("a body of another sender", '"InstgAgt":"jing"', '"InstgAgt":"wei"'),
    ("a body for another node", '"InstdAgt":"switch"', '"InstdAgt":"wei"'),
    ("a message of no known type", "pacs.028", "pacs.999"),
    ("a message whose id is too short", PAYMENT, "019b"),
    ("a field nobody knows yet", '"MsgTp"', '"NewFld":1,"MsgTp"'),
]


def _said_otherwise(what: str, said: str, otherwise: str) -> tuple[str, dict[bytes, bytes], bytes]:
    _, body = signed()
    changed = body.replace(said.encode(), otherwise.encode())
    assert changed != body
    return what, _resigned(changed), changed


def envelopes() -> list[tuple[str, dict[bytes, bytes], bytes]]:
    """Envelopes to verify, by what is special about each; all are for the switch, at `NOW_MS`."""
    headers, body = signed()
    skew_ms = 120_000
    asked = encode_envelope("jing", "switch", [msgspec.structs.replace(CONSULT_AMOUNT, form="")])
    negative = asked.replace(b'"InstdAmt":3800', b'"InstdAmt":-3800')
    return [
        ("good", headers, body),
        ("good, sent 120 s ago", _resigned(body, timestamp=str(NOW_MS - skew_ms)), body),
        ("sent 120.001 s ago", _resigned(body, timestamp=str(NOW_MS - skew_ms - 1)), body),
        ("good, from 120 s ahead", _resigned(body, timestamp=str(NOW_MS + skew_ms)), body),
        ("from 120.001 s ahead", _resigned(body, timestamp=str(NOW_MS + skew_ms + 1)), body),
        ("one byte of the body changed", headers, body.replace(b"pacs.028", b"pacs.029")),
        ("the body cut short", headers, body[:-1]),
        ("the signature of another body", _resigned(body + b" "), body),
        ("a header missing", {name: headers[name] for name in headers if name != b"hutong-nonce"}, body),
        ("a timestamp with a sign", _resigned(body, timestamp=f"+{NOW_MS}"), body),
        ("another version", _resigned(body, version="2"), body),
        ("for another node", _resigned(body, recipient="wei"), body),
        ("from nobody we know", _resigned(body, sender="nobody"), body),
        ("a key nobody has", _resigned(body, key_id="jing-2031-1"), body),
        ("a key that has ended", _resigned(body, key_id=RETIRED.key_id), body),
        ("a body that is not JSON", _resigned(b"MsgTp=pacs.028"), b"MsgTp=pacs.028"),
        ("a body that ends early", _resigned(body[:-2]), body[:-2]),
        *(_said_otherwise(*said) for said in SAID_OTHERWISE),
        ("good, a consult that names an amount", _resigned(asked), asked),
        ("a consult that names less than nothing", _resigned(negative), negative),
    ]


def verdict(headers: dict[bytes, bytes], body: bytes) -> str:
    """What a switch that has just started says to this envelope: OK, or the name of the reason."""
    clock = ManualClock(NOW_MS * NS_PER_MS)
    rings = {"jing": KeyRing([KEY.public(), RETIRED.public()])}
    verifier = Verifier("switch", rings.get, clock, ReplayGuard(0))
    try:
        sender = verifier.verify(headers, "POST", PATH, body)
        decode_envelope(body, sender=sender, recipient="switch")
    except Refusal as refusal:
        return refusal.reason.name
    return "OK"


def verification() -> dict[str, Any]:
    """Envelopes and what a node must say to them."""
    keys = [KEY.public(), RETIRED.public()]
    return {
        "node": "switch",
        "now_ms": NOW_MS,
        "clock_skew_max_ms": 120_000,
        "keys_of_jing": [
            {
                "key_id": key.key_id,
                "public_key_hex": key.public_key.hex(),
                "valid_from_ns": key.valid_from_ns,
                "valid_until_ns": key.valid_until_ns,
            }
            for key in keys
        ],
        "envelopes": [
            {"what": what, "headers": _text(headers), "body": body.decode(), "answer": verdict(headers, body)}
            for what, headers, body in envelopes()
        ],
    }


def files() -> dict[str, bytes]:
    """Every example, by its file's name."""
    named = {f"{msgspec.to_builtins(message)['MsgTp']}.json": _pretty(message) for message in MESSAGES}
    named["hutong.consult-amount.json"] = _pretty(CONSULT_AMOUNT)
    named["hutong.resolve-amount.json"] = _pretty(RESOLVE_AMOUNT)
    named["pacs.002-rejected.json"] = _pretty(REJECTED)
    named["camt.029-rejected.json"] = _pretty(RECALL_REJECTED)
    named["hutong.complained-refused.json"] = _pretty(COMPLAINT_REFUSED)
    named["hutong.hold-release.json"] = _pretty(HOLD_RELEASE)
    named["hutong.held-refused.json"] = _pretty(HOLD_REFUSED)
    named["signed-envelope.json"] = _pretty(signed_envelope())
    named["verification.json"] = _pretty(verification())
    return named


if __name__ == "__main__":
    for name, content in files().items():
        (EXAMPLES / name).write_bytes(content)
