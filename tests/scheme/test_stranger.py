"""
A receiver written from `docs/scheme/transport.md` alone, with another cryptographic library.

It imports nothing of ours: where it and the examples agree, the page says enough.
"""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "scheme" / "examples" / "verification.json").read_text()
)
NODE = r"[a-z][a-z0-9-]{1,34}"
SHAPES = {
    "hutong-version": r"[1-9][0-9]*",
    "hutong-sender": NODE,
    "hutong-recipient": NODE,
    "hutong-key-id": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "hutong-timestamp": r"[1-9][0-9]*",
    "hutong-nonce": r"[0-9a-f]{32}",
    "hutong-signature": r"[A-Za-z0-9+/]{86}==",
}
OF_THE_BODY = {"OK", "ENVELOPE_MALFORMED", "ENVELOPE_TRUNCATED", "MESSAGE_MALFORMED", "VERSION_NOT_SPOKEN"}


def answer(headers: dict[str, str], body: str) -> str:
    """What the page tells a receiver to say before it parses the body; BODY if nothing."""
    if any(re.fullmatch(shape, headers.get(name, "")) is None for name, shape in SHAPES.items()):
        return "SIGNATURE_MALFORMED"
    told = {name.removeprefix("hutong-"): value for name, value in headers.items()}
    if told["version"] != "1":
        return "VERSION_NOT_SPOKEN"
    if told["recipient"] != VECTORS["node"]:
        return "RECIPIENT_NOT_HERE"
    if told["sender"] != "jing":
        return "SENDER_UNKNOWN"
    key = next((key for key in VECTORS["keys_of_jing"] if key["key_id"] == told["key-id"]), None)
    if key is None:
        return "SIGNATURE_KEY_UNKNOWN"
    now_ms = VECTORS["now_ms"]
    if not key["valid_from_ns"] <= now_ms * 1_000_000 < key["valid_until_ns"]:
        return "SIGNATURE_KEY_NOT_VALID"
    if int(told["timestamp"]) < now_ms - VECTORS["clock_skew_max_ms"]:
        return "ENVELOPE_STALE"
    if int(told["timestamp"]) > now_ms + VECTORS["clock_skew_max_ms"]:
        return "ENVELOPE_FROM_THE_FUTURE"
    lines = ["hutong-envelope", told["version"], "POST", "/scheme/v1/messages", f"{told['sender']} {told['recipient']}"]
    data = "\n".join([*lines, told["key-id"], told["timestamp"], told["nonce"], body]).encode()
    public_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["public_key_hex"]))
    try:
        public_key.verify(base64.b64decode(told["signature"]), data)
    except InvalidSignature:
        return "SIGNATURE_WRONG"
    return "BODY"


@pytest.mark.parametrize("envelope", VECTORS["envelopes"], ids=lambda envelope: envelope["what"])
def test_a_stranger_says_the_same(envelope: Any) -> None:
    said = answer(envelope["headers"], envelope["body"])
    assert said == envelope["answer"] or (said == "BODY" and envelope["answer"] in OF_THE_BODY)
