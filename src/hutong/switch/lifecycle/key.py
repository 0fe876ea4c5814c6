"""
A key on its way to being valid: registered by one operator, its fingerprint confirmed by another.

The fingerprint is what two people can read to each other: of SHA-256 over the line `hutong-key/1`, a line feed, and the 32
bytes of the public key, the first 20 bytes as ten groups of four hexadecimal digits.
"""

import hashlib
from enum import Enum

import msgspec

from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Bytes, Text
from hutong.switch.lifecycle.reason import LifecycleReason

_DOMAIN = b"hutong-key/1\n"
_FINGERPRINT_BYTES = 20
_GROUP = 4


class KeyState(Enum):
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    DROPPED = "DROPPED"


class CeremonyRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far a key's ceremony is; the newest row of a key says."""

    key_id: Text
    node_id: Text
    public_key: Bytes
    valid_from_ns: BigInt
    valid_until_ns: BigInt
    state: Text
    registered_by: Text
    registered_ns: BigInt
    confirmed_by: Text = ""
    confirmed_ns: BigInt = 0

    def confirmed(self, said: str, by: str, *, alone: bool, now_ns: int) -> "CeremonyRow":
        """
        With the fingerprint as it was read over another channel.

        Refuses:  KEY_NEEDS_ANOTHER_OPERATOR, where there is one; KEY_FINGERPRINT_DIFFERS.
        """
        if by == self.registered_by and not alone:
            raise Refusal(LifecycleReason.KEY_NEEDS_ANOTHER_OPERATOR, key_id=self.key_id, registered_by=by)
        if compact(said) != compact(fingerprint(self.public_key)):
            raise Refusal(LifecycleReason.KEY_FINGERPRINT_DIFFERS, key_id=self.key_id, said=said)
        return msgspec.structs.replace(self, state=KeyState.CONFIRMED.value, confirmed_by=by, confirmed_ns=now_ns)


def fingerprint(public_key: bytes) -> str:
    """As people read it: `3f2a 91bc …`."""
    digits = hashlib.sha256(_DOMAIN + public_key).digest()[:_FINGERPRINT_BYTES].hex()
    return " ".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))


def compact(said: str) -> str:
    """However somebody grouped it."""
    return "".join(said.split()).replace("-", "").replace(":", "").lower()
