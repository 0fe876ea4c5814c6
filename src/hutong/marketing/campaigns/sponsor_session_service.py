"""Sponsors in the browser: signing in with a key, being known by the session, signing out."""

import msgspec

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.sponsor_key import SponsorKey
from hutong.marketing.campaigns.sponsor_key_service import SponsorKeyService
from hutong.marketing.campaigns.sponsor_session import SPONSOR_SESSIONS, SponsorSession
from hutong.operators.operator import OperatorReason
from hutong.operators.session import NOTED_EVERY_S, SESSION_BYTES, session_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf


class SponsorSessions:
    """A node's. A look that a page takes by itself keeps no session alive: `awake` is False for it."""

    def __init__(self, node: NodeRuntime, keys: SponsorKeyService) -> None:
        self._node = node
        self._keys = keys
        self._shelf = Shelf(SPONSOR_SESSIONS, node.journal, node.store, rows_max=10_000)

    def begin(self, key_token: str) -> str:
        """Sign in with a key's token; the session's is told once. Refuses KEY_NOT_ACCEPTED, KEY_REVOKED; may raise `Cold`."""
        key, now_ns = self._keys.key(key_token), self._node.clock.now_ns()
        token = self._node.randomness.randbytes(SESSION_BYTES).hex()
        session = SponsorSession(
            id=session_id(token), key_id=key.id, key_hash=key.token_hash, began_ns=now_ns, seen_ns=now_ns
        )
        self._shelf.put(session)
        return token

    def key(self, token: str, *, awake: bool = True) -> SponsorKey:
        """
        Whose session this is, by the key they signed in with; it was used now, if `awake`.

        Refuses:  SESSION_EXPIRED: signed out, idle, too old, or of a token that is good no more. May raise `Cold`.
        """
        session, now_ns = self._shelf.get(session_id(token)), self._node.clock.now_ns()
        key = None if session is None or session.is_over(now_ns) else self._keys.standing(session.key_id)
        if session is None or key is None or key.revoked_ns or key.token_hash != session.key_hash:
            raise Refusal(OperatorReason.SESSION_EXPIRED)
        if awake and now_ns - session.seen_ns >= NOTED_EVERY_S * NS_PER_S:
            self._shelf.put(msgspec.structs.replace(session, seen_ns=now_ns))
        return key

    def end(self, token: str) -> None:
        """Sign out; of what is no session, nothing. May raise `Cold`."""
        session = self._shelf.get(session_id(token))
        if session is not None and not session.ended:
            self._shelf.put(msgspec.structs.replace(session, ended=True))
