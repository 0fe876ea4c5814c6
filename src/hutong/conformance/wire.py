"""Envelopes as bytes: signing, verifying, ids and instants. All of it from `docs/scheme/transport.md`."""

import base64
import hashlib
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

VERSION = 1
PATH = "/scheme/v1/messages"
BODY_MAX = 1_048_576
MESSAGES_MAX = 500
SKEW_MAX_MS = 120_000
FOR_EVER_MS = 9_223_372_036_854

SHAPES = {
    "hutong-version": r"[1-9][0-9]*",
    "hutong-sender": r"[a-z][a-z0-9-]{1,34}",
    "hutong-recipient": r"[a-z][a-z0-9-]{1,34}",
    "hutong-key-id": r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
    "hutong-timestamp": r"[1-9][0-9]*",
    "hutong-nonce": r"[0-9a-f]{32}",
    "hutong-signature": r"[A-Za-z0-9+/]{85}[AQgw]==",
}

Message = dict[str, Any]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_id(*, ahead_ms: int = 0) -> str:
    """48 bits of Unix milliseconds and 80 random bits."""
    return f"{now_ms() + ahead_ms:012x}{os.urandom(10).hex()}"


def new_nonce() -> str:
    return os.urandom(16).hex()


def digest(*parts: str) -> bytes:
    """32 bytes that follow from a text: seeds of keys that must be found again."""
    return hashlib.sha256("/".join(parts).encode()).digest()


@dataclass(frozen=True, slots=True)
class Key:
    """A key of ours: its id, its seed, and when it is said to be valid."""

    key_id: str
    seed: bytes
    valid_from_ms: int = 0
    valid_until_ms: int = FOR_EVER_MS

    @property
    def public_hex(self) -> str:
        return SigningKey(self.seed).verify_key.encode().hex()


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed envelope as it is sent."""

    headers: dict[str, str]
    body: bytes


def body_of(sender: str, recipient: str, messages: list[Message], **changed: Any) -> bytes:
    """The body that carries these messages; `changed` puts other values into its own fields."""
    described = {"Vrsn": VERSION, "InstgAgt": sender, "InstdAgt": recipient, "Msgs": messages} | changed
    return json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()


def signed_bytes(headers: Mapping[str, str], body: bytes, *, method: str = "POST", path: str = PATH) -> bytes:
    lines = [
        "hutong-envelope",
        headers["hutong-version"],
        method,
        path,
        f"{headers['hutong-sender']} {headers['hutong-recipient']}",
        headers["hutong-key-id"],
        headers["hutong-timestamp"],
        headers["hutong-nonce"],
    ]
    return "".join(line + "\n" for line in lines).encode() + body


def seal(
    sender: str, recipient: str, key: Key, body: bytes, /, *, path: str = PATH, method: str = "POST", **said: str
) -> Envelope:
    """Sign a body. `said` replaces headers before they are signed: `timestamp="1"`, `key_id="nobodys"`."""
    headers = {
        "hutong-version": str(VERSION),
        "hutong-sender": sender,
        "hutong-recipient": recipient,
        "hutong-key-id": key.key_id,
        "hutong-timestamp": str(now_ms()),
        "hutong-nonce": new_nonce(),
    }
    headers |= {f"hutong-{name.replace('_', '-')}": value for name, value in said.items()}
    signature = SigningKey(key.seed).sign(signed_bytes(headers, body, method=method, path=path)).signature
    return Envelope(headers | {"hutong-signature": base64.b64encode(signature).decode()}, body)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is tested: its node id, its address, its public keys by their ids."""

    node: str
    url: str
    keys: Mapping[str, bytes]


def refusal_of(headers: Mapping[str, str], body: bytes, node: str, peer: Peer) -> str:
    """What a receiver must say to an envelope before it parses the body; empty if nothing. Nonces are the caller's."""
    for name, shape in SHAPES.items():
        if re.fullmatch(shape, headers.get(name, "")) is None:
            return "SIGNATURE_MALFORMED"
    if headers["hutong-version"] != str(VERSION):
        return "VERSION_NOT_SPOKEN"
    if headers["hutong-recipient"] != node:
        return "RECIPIENT_NOT_HERE"
    if headers["hutong-sender"] != peer.node:
        return "SENDER_UNKNOWN"
    public_key = peer.keys.get(headers["hutong-key-id"])
    if public_key is None:
        return "SIGNATURE_KEY_UNKNOWN"
    age_ms = now_ms() - int(headers["hutong-timestamp"])
    if abs(age_ms) > SKEW_MAX_MS:
        return "ENVELOPE_STALE" if age_ms > 0 else "ENVELOPE_FROM_THE_FUTURE"
    try:
        VerifyKey(public_key).verify(signed_bytes(headers, body), base64.b64decode(headers["hutong-signature"]))
    except BadSignatureError:
        return "SIGNATURE_WRONG"
    return ""
