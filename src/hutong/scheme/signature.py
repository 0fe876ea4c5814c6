"""
Who sent an envelope, proven: Ed25519 over the raw body and the headers that bind it to one sending.

What is signed is eight lines, each ended by a line feed, and then the body as it is sent:

    hutong-envelope
    <version>            Hutong-Version
    <method>             POST
    <path>               /scheme/v1/messages
    <sender> <recipient> Hutong-Sender, Hutong-Recipient
    <key id>             Hutong-Key-Id
    <timestamp>          Hutong-Timestamp: milliseconds since 1970 UTC
    <nonce>              Hutong-Nonce: 32 lower-case hexadecimal digits, random

No header may hold a line feed or a space, so different headers never sign alike. `docs/scheme/transport.md` has an
example to the byte.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey as Ed25519SigningKey
from nacl.signing import VerifyKey as Ed25519VerifyKey

from hutong.kernel.clock import NS_PER_MS, Clock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import Randomness
from hutong.scheme.envelope import SchemeReason
from hutong.scheme.messages import VERSION

SKEW_MAX_S = 120
FOR_EVER_NS = 2**63 - 1  # Until when a key without an end is valid.
NONCES_MAX = 500_000
_NONCE_BYTES = 16
_BUCKET_MS = 10_000

# Each header, and the only shape it is read in. A second spelling of the same thing would be signed differently.
_SHAPES = {
    b"hutong-version": re.compile(rb"[1-9][0-9]{0,8}"),
    b"hutong-sender": re.compile(rb"[a-z][a-z0-9-]{1,34}"),
    b"hutong-recipient": re.compile(rb"[a-z][a-z0-9-]{1,34}"),
    b"hutong-key-id": re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
    b"hutong-timestamp": re.compile(rb"[1-9][0-9]{0,15}"),
    b"hutong-nonce": re.compile(rb"[0-9a-f]{32}"),
    b"hutong-signature": re.compile(rb"[A-Za-z0-9+/]{85}[AQgw]=="),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key a node signs with, and when: [valid_from_ns, valid_until_ns); never, if it was ended before it began."""

    key_id: str
    public_key: bytes  # 32 bytes, RFC 8032.
    valid_from_ns: int
    valid_until_ns: int

    def __post_init__(self) -> None:
        assert len(self.public_key) == 32

    def is_valid(self, now_ns: int) -> bool:
        return self.valid_from_ns <= now_ns < self.valid_until_ns


class KeyRing:
    """
    The public keys of one node, by their id.

    Two overlap while it changes from one to the other: the new one is made known, then signs, then the old one
    ends. Neither side has to stop.
    """

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        self.keys: dict[str, PublicKey] = {}
        self._verifiers: dict[str, Ed25519VerifyKey] = {}
        for key in keys:
            assert key.key_id not in self.keys, "a key id names one key for ever"
            self.keys[key.key_id] = key
            self._verifiers[key.key_id] = Ed25519VerifyKey(key.public_key)

    def verifier(self, key_id: str, now_ns: int) -> Ed25519VerifyKey:
        """Refuses SIGNATURE_KEY_UNKNOWN and SIGNATURE_KEY_NOT_VALID."""
        key = self.keys.get(key_id)
        if key is None:
            raise Refusal(SchemeReason.SIGNATURE_KEY_UNKNOWN, key_id=key_id)
        if not key.is_valid(now_ns):
            raise Refusal(SchemeReason.SIGNATURE_KEY_NOT_VALID, key_id=key_id)
        return self._verifiers[key_id]


@dataclass(frozen=True, slots=True, repr=False)
class SecretKey:
    """A node's own key: the seed, and when it may sign."""

    key_id: str
    seed: bytes  # 32 bytes, RFC 8032.
    valid_from_ns: int
    valid_until_ns: int

    def public(self) -> PublicKey:
        """What the others are given."""
        verify_key = bytes(Ed25519SigningKey(self.seed).verify_key)
        return PublicKey(self.key_id, verify_key, self.valid_from_ns, self.valid_until_ns)


def signed_bytes(headers: Mapping[bytes, bytes], method: bytes, path: bytes, body: bytes) -> bytes:
    """Exactly what is signed; see the head of this file."""
    return b"hutong-envelope\n%b\n%b\n%b\n%b %b\n%b\n%b\n%b\n%b" % (
        headers[b"hutong-version"],
        method,
        path,
        headers[b"hutong-sender"],
        headers[b"hutong-recipient"],
        headers[b"hutong-key-id"],
        headers[b"hutong-timestamp"],
        headers[b"hutong-nonce"],
        body,
    )


class NoKeyValid(Exception):  # noqa: N818  # The operator's affair: the node needs another key.
    """Every key of the node has ended, or begins later."""


class Signer:
    """Signs what a node sends, with the newest of its keys that is valid now."""

    def __init__(self, node_id: str, keys: Iterable[SecretKey], clock: Clock, randomness: Randomness) -> None:
        self._node_id = node_id.encode()
        self._clock = clock
        self._randomness = randomness
        self.take(keys)

    def take(self, keys: Iterable[SecretKey]) -> None:
        """Sign with these from now on: a key that came or went is no reason to stop."""
        self._keys = sorted(
            ((key.public(), Ed25519SigningKey(key.seed)) for key in keys), key=lambda key: -key[0].valid_from_ns
        )

    def sign(self, recipient: str, method: str, path: str, body: bytes) -> dict[bytes, bytes]:
        """
        The headers to send with `body`; new ones each time, as an envelope is never sent twice.

        Raises `NoKeyValid` when none of the node's keys is valid now.
        """
        now_ns = self._clock.now_ns()
        key, signing_key = self._newest(now_ns)
        headers = {
            b"hutong-version": b"%d" % VERSION,
            b"hutong-sender": self._node_id,
            b"hutong-recipient": recipient.encode(),
            b"hutong-key-id": key.key_id.encode(),
            b"hutong-timestamp": b"%d" % (now_ns // NS_PER_MS),
            b"hutong-nonce": self._randomness.randbytes(_NONCE_BYTES).hex().encode(),
        }
        signature = signing_key.sign(signed_bytes(headers, method.encode(), path.encode(), body)).signature
        headers[b"hutong-signature"] = base64.b64encode(signature)
        return headers

    def _newest(self, now_ns: int) -> tuple[PublicKey, Ed25519SigningKey]:
        for key, signing_key in self._keys:
            if key.is_valid(now_ns):
                return key, signing_key
        raise NoKeyValid("no key of ours is valid now")


class ReplayGuard:
    """
    Remembers every nonce for as long as its timestamp would pass, and no longer.

    What was heard before a restart is forgotten, so what is timestamped before the guard was made is refused: a
    node that sends again signs anew. A sender whose clock runs ahead could still be replayed for as long as that;
    every message of the scheme may be repeated without harm, so this is a second lock, not the only one.
    """

    def __init__(self, now_ns: int, *, skew_max_s: int = SKEW_MAX_S, nonces_max: int = NONCES_MAX) -> None:
        self._since_ms = now_ns // NS_PER_MS
        self._skew_max_ms = skew_max_s * 1000
        self._nonces_max = nonces_max
        self._senders: dict[str, _Nonces] = {}

    def check_time(self, timestamp_ms: int, now_ms: int) -> None:
        """Refuses ENVELOPE_STALE and ENVELOPE_FROM_THE_FUTURE."""
        earliest_ms = max(now_ms - self._skew_max_ms, self._since_ms)
        if timestamp_ms < earliest_ms:
            raise Refusal(SchemeReason.ENVELOPE_STALE, timestamp=timestamp_ms, earliest=earliest_ms)
        if timestamp_ms > now_ms + self._skew_max_ms:
            latest_ms = now_ms + self._skew_max_ms
            raise Refusal(SchemeReason.ENVELOPE_FROM_THE_FUTURE, timestamp=timestamp_ms, latest=latest_ms)

    def check_new(self, sender: str, nonce: bytes, timestamp_ms: int) -> None:
        """
        Refuses ENVELOPE_REPLAYED, before anybody spends a verification on what was heard and verified already.

        Nobody else's envelope is in the way: a nonce is remembered only of a good signature.
        """
        nonces = self._senders.get(sender)
        if nonces is not None and nonce in nonces.buckets.get(timestamp_ms // _BUCKET_MS, ()):
            raise Refusal(SchemeReason.ENVELOPE_REPLAYED, nonce=nonce.decode())

    def take(self, sender: str, nonce: bytes, timestamp_ms: int, now_ms: int) -> None:
        """
        Use up a nonce of a sender whose signature was good.

        Refuses:  ENVELOPE_REPLAYED; TOO_MANY_ENVELOPES when the sender has used up its memory here.
        """
        nonces = self._senders.get(sender)
        if nonces is None:
            nonces = self._senders[sender] = _Nonces()
        nonces.forget(now_ms - self._skew_max_ms)
        bucket = nonces.buckets.setdefault(timestamp_ms // _BUCKET_MS, set())
        if nonce in bucket:
            raise Refusal(SchemeReason.ENVELOPE_REPLAYED, nonce=nonce.decode())
        if nonces.count >= self._nonces_max:
            raise Refusal(SchemeReason.TOO_MANY_ENVELOPES, seconds=2 * self._skew_max_ms // 1000)
        bucket.add(nonce)
        nonces.count += 1


class _Nonces:
    """One sender's nonces, by the ten seconds of their timestamps."""

    __slots__ = ("buckets", "count", "forgotten")

    def __init__(self) -> None:
        self.buckets: dict[int, set[bytes]] = {}
        self.count = 0
        self.forgotten = 0

    def forget(self, before_ms: int) -> None:
        first = before_ms // _BUCKET_MS
        if first <= self.forgotten:
            return
        self.forgotten = first
        for bucket in [bucket for bucket in self.buckets if bucket < first]:
            self.count -= len(self.buckets.pop(bucket))


class Verifier:
    """Says who sent an envelope to this node, or refuses it, before a byte of the body is parsed."""

    def __init__(
        self, node_id: str, keys_of: Callable[[str], KeyRing | None], clock: Clock, guard: ReplayGuard
    ) -> None:
        self._node_id = node_id
        self._keys_of = keys_of
        self.clock = clock
        self._guard = guard

    def verify(self, headers: Mapping[bytes, bytes], method: str, path: str, body: bytes) -> str:
        """
        The sender of an envelope that is whole, for us, fresh and seen for the first time.

        Refuses:  in this order: SIGNATURE_MALFORMED, VERSION_NOT_SPOKEN, RECIPIENT_NOT_HERE, SENDER_UNKNOWN,
                  SIGNATURE_KEY_UNKNOWN, SIGNATURE_KEY_NOT_VALID, ENVELOPE_STALE, ENVELOPE_FROM_THE_FUTURE,
                  ENVELOPE_REPLAYED, SIGNATURE_WRONG, TOO_MANY_ENVELOPES.
        """
        for name, shape in _SHAPES.items():
            value = headers.get(name)
            if value is None or shape.fullmatch(value) is None:
                raise Refusal(SchemeReason.SIGNATURE_MALFORMED, header=name.decode())
        version = int(headers[b"hutong-version"])
        if version != VERSION:
            raise Refusal(SchemeReason.VERSION_NOT_SPOKEN, version=version, spoken=VERSION)
        recipient = headers[b"hutong-recipient"].decode()
        if recipient != self._node_id:
            raise Refusal(SchemeReason.RECIPIENT_NOT_HERE, recipient=recipient)
        sender = headers[b"hutong-sender"].decode()
        keys = self._keys_of(sender)
        if keys is None:
            raise Refusal(SchemeReason.SENDER_UNKNOWN, sender=sender)
        now_ns = self.clock.now_ns()
        verifier = keys.verifier(headers[b"hutong-key-id"].decode(), now_ns)
        timestamp_ms, now_ms = int(headers[b"hutong-timestamp"]), now_ns // NS_PER_MS
        self._guard.check_time(timestamp_ms, now_ms)
        self._guard.check_new(sender, headers[b"hutong-nonce"], timestamp_ms)
        signature = base64.b64decode(headers[b"hutong-signature"])
        try:
            verifier.verify(signed_bytes(headers, method.encode(), path.encode(), body), signature)
        except BadSignatureError:
            raise Refusal(SchemeReason.SIGNATURE_WRONG, sender=sender) from None
        self._guard.take(sender, headers[b"hutong-nonce"], timestamp_ms, now_ms)
        return sender
