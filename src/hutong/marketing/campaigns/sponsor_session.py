"""A session: a sponsor in a browser, as an operator at the desk is. The browser keeps a token of the session, never the key's own."""

import msgspec

from hutong.operators.session import is_over
from hutong.runtime.tables import BigInt, Boolean, Bytes, Table, Uuid


class SponsorSession(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in. The newest row of an id says when it was last used."""

    id: Bytes  # A hash of its token.
    key_id: Uuid
    key_hash: Bytes  # Of the key's token: when that is renewed or the key is ended, the session is over.
    began_ns: BigInt
    seen_ns: BigInt
    ended: Boolean = False

    def is_over(self, now_ns: int) -> bool:
        """Signed out, idle for too long, or too old."""
        return self.ended or is_over(self.began_ns, self.seen_ns, now_ns)


SPONSOR_SESSIONS = Table("sponsor_sessions", SponsorSession)
