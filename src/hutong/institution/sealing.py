"""Secrets at rest: what must be readable again is sealed under keys from the settings, never stored bare."""

import hashlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hutong.kernel.ids import Randomness

KEY_BYTES = 32
_FINGERPRINT_BYTES = 4
_NONCE_BYTES = 12


class SealBroken(Exception):  # noqa: N818  # It is what was found, and no caller can mend it.
    """A sealed value does not open: the key ring lacks its key, or the row was changed or moved. The operator must look."""


class SealingKeys:
    """
    AES-256-GCM under a ring of keys: the first seals, all open, so that a key can be replaced without a halt.

    A sealed value opens only under the label it was sealed with (whose it is and what), so that one row's secret
    cannot be put into another row.
    """

    def __init__(self, keys: Sequence[bytes], randomness: Randomness) -> None:
        assert keys
        assert all(len(key) == KEY_BYTES for key in keys)
        self._randomness = randomness
        self._ring = {_fingerprint(key): AESGCM(key) for key in keys}
        self._current = _fingerprint(keys[0])

    def seal(self, secret: bytes, label: str) -> bytes:
        """`secret` as it may be stored: key's fingerprint, nonce, ciphertext with tag."""
        nonce = self._randomness.randbytes(_NONCE_BYTES)
        return self._current + nonce + self._ring[self._current].encrypt(nonce, secret, label.encode())

    def unseal(self, sealed: bytes, label: str) -> bytes:
        """The secret again; raises `SealBroken`."""
        fingerprint, rest = sealed[:_FINGERPRINT_BYTES], sealed[_FINGERPRINT_BYTES:]
        key = self._ring.get(fingerprint)
        if key is None:
            raise SealBroken(f"no key of the ring has the fingerprint {fingerprint.hex()}")
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], label.encode())
        except InvalidTag as tag:
            raise SealBroken(f"the value sealed as {label!r} was changed") from tag


def _fingerprint(key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=_FINGERPRINT_BYTES, person=b"hutong/sealing").digest()
