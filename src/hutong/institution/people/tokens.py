"""
Keyed hashes: what is handed out to be shown again is not kept, or need not be.

One key of the settings; each use has a key of its own derived from it, so that nothing made for one use passes for
another.
"""

import base64
import hashlib
import hmac
from binascii import Error as Base64Error

from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import Randomness

KEY_BYTES_MIN = 32
PIN_TOKEN_LIFE_NS = 120 * NS_PER_S
_SESSION_PREFIX = "ses_"
_SESSION_BYTES = 32
_SESSION_LENGTH = len(_SESSION_PREFIX) + -(-_SESSION_BYTES * 4 // 3)
_SESSION_IDS_MAX = 100_000
_PIN_TOKEN_PREFIX = "pin_"  # noqa: S105  # How it begins is no secret.
_EXPIRY_BYTES = 8  # With the hash 24 bytes: base64 without slack, so a token has one spelling.
_MAC_BYTES = 16
_PIN_TOKEN_BYTES = _EXPIRY_BYTES + _MAC_BYTES
_PIN_TOKEN_LENGTH = len(_PIN_TOKEN_PREFIX) + -(-_PIN_TOKEN_BYTES * 4 // 3)


class TokenKeys:
    """Makes and recognises session tokens, PIN tokens and the stored hashes of one-time codes."""

    def __init__(self, key: bytes) -> None:
        assert len(key) >= KEY_BYTES_MIN
        self._session_key = hmac.digest(key, b"session", "sha256")
        self._pin_key = hmac.digest(key, b"pin token", "sha256")
        self._code_key = hmac.digest(key, b"one-time code", "sha256")
        self._session_ids: dict[str, int] = {}  # Whoever pays comes again: 1.5 us for each request.

    def mint_session(self, randomness: Randomness) -> str:
        """A new session token: 256 random bits."""
        return _SESSION_PREFIX + _base64(randomness.randbytes(_SESSION_BYTES))

    def session_id(self, token: str) -> int:
        """Under what the session of `token` is kept. 128 bits of a keyed hash: nobody finds a token for an id."""
        id_ = self._session_ids.get(token)
        if id_ is None:
            digest = hashlib.blake2b(token.encode(errors="replace"), key=self._session_key, digest_size=16).digest()
            id_ = int.from_bytes(digest)
            if len(token) == _SESSION_LENGTH:  # Nobody fills our memory with long ones.
                if len(self._session_ids) >= _SESSION_IDS_MAX:
                    self._session_ids.clear()
                self._session_ids[token] = id_
        return id_

    def code_mac(self, key: str, code: str) -> bytes:
        """What is kept of a one-time code; without our key it cannot be tried out offline."""
        return hmac.digest(self._code_key, f"{key}/{code}".encode(errors="replace"), "sha256")

    def pin_token(self, user_id: int, payment_id: int, amount: int, creditor: str, now_ns: int) -> str:
        """Says that the user typed the right PIN for this payment of this amount to this creditor, just now."""
        expires_ms = (now_ns + PIN_TOKEN_LIFE_NS) // NS_PER_MS
        expiry = expires_ms.to_bytes(_EXPIRY_BYTES)
        return _PIN_TOKEN_PREFIX + _base64(expiry + self._pin_mac(expiry, user_id, payment_id, amount, creditor))

    def check_pin_token(
        self, token: str, user_id: int, payment_id: int, amount: int, creditor: str, now_ns: int
    ) -> None:
        """
        Refuses PIN_TOKEN_MALFORMED; PIN_TOKEN_WRONG when anything differs; PIN_TOKEN_EXPIRED.

        The same token passes again for the same payment: that is a retry, and the payment happens once.
        """
        blob = _from_base64(token.removeprefix(_PIN_TOKEN_PREFIX)) if len(token) == _PIN_TOKEN_LENGTH else b""
        if len(blob) != _PIN_TOKEN_BYTES or not token.startswith(_PIN_TOKEN_PREFIX):
            raise Refusal(PeopleReason.PIN_TOKEN_MALFORMED)
        expiry, mac = blob[:_EXPIRY_BYTES], blob[_EXPIRY_BYTES:]
        if not hmac.compare_digest(mac, self._pin_mac(expiry, user_id, payment_id, amount, creditor)):
            raise Refusal(PeopleReason.PIN_TOKEN_WRONG)
        if now_ns // NS_PER_MS >= int.from_bytes(expiry):
            raise Refusal(PeopleReason.PIN_TOKEN_EXPIRED)

    def _pin_mac(self, expiry: bytes, user_id: int, payment_id: int, amount: int, creditor: str) -> bytes:
        # All lengths but the last are fixed: no two bindings have the same bytes.
        bound = b"".join(
            (expiry, user_id.to_bytes(16), payment_id.to_bytes(16), amount.to_bytes(16), creditor.encode())
        )
        return hashlib.blake2b(bound, key=self._pin_key, digest_size=_MAC_BYTES).digest()


def _base64(blob: bytes) -> str:
    return base64.urlsafe_b64encode(blob).rstrip(b"=").decode()


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (Base64Error, ValueError):
        return b""
