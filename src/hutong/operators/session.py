"""A session: an operator at the desk in a browser. The browser keeps a token of the session, never the operator's own."""

import hashlib

import msgspec

from hutong.kernel.clock import NS_PER_S
from hutong.runtime.tables import BigInt, Boolean, Bytes, Table, Text

SESSION_BYTES = 32
IDLE_S = 30 * 60
LIFE_S = 12 * 3600
NOTED_EVERY_S = 60  # So much of the idle time may be forgotten when the node starts again.


class OperatorSession(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in. The newest row of an id says when it was last used."""

    id: Bytes  # A hash of its token.
    operator: Text
    operator_hash: Bytes  # Of the operator's token: when that is renewed or revoked, the session is over.
    began_ns: BigInt
    seen_ns: BigInt
    ended: Boolean = False

    def is_over(self, now_ns: int) -> bool:
        """Signed out, idle for too long, or too old."""
        return self.ended or is_over(self.began_ns, self.seen_ns, now_ns)


OPERATOR_SESSIONS = Table("operator_sessions", OperatorSession)


def is_over(began_ns: int, seen_ns: int, now_ns: int) -> bool:
    """Whether a sign-in has been idle for too long, or is too old."""
    return now_ns - seen_ns >= IDLE_S * NS_PER_S or now_ns - began_ns >= LIFE_S * NS_PER_S


def session_id(token: str) -> bytes:
    """What is kept of a session's token. It holds 256 random bits, so a plain hash can't be searched."""
    return hashlib.blake2b(token.encode(errors="replace"), digest_size=32, person=b"hutong/desk").digest()
