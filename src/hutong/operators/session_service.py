"""Operators at the desk: signing in with one's token, being known by the session, signing out."""

from collections.abc import Callable, Sequence

import msgspec

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.operators.operator import Operator, OperatorReason
from hutong.operators.session import (
    NOTED_EVERY_S,
    OPERATOR_SESSIONS,
    SESSION_BYTES,
    OperatorSession,
    session_id,
)
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf


class OperatorSessions:
    """
    A node's. A look that a page takes by itself keeps no session alive: `awake` is False for it.

    `by_token` says whose token it is (or refuses OPERATOR_UNKNOWN), `everybody` who there is and was.
    """

    def __init__(
        self, node: NodeRuntime, by_token: Callable[[str], Operator], everybody: Callable[[], Sequence[Operator]]
    ) -> None:
        self._node = node
        self._by_token = by_token
        self._everybody = everybody
        self._shelf = Shelf(OPERATOR_SESSIONS, node.journal, node.store, rows_max=10_000)
        self._seen: dict[bytes, int] = {}  # What is not written down yet.

    def begin(self, operator_token: str) -> tuple[Operator, str]:
        """Sign in with an operator's token; the session's token is told once. Refuses OPERATOR_UNKNOWN; may raise `Cold`."""
        operator, now_ns = self._by_token(operator_token), self._node.clock.now_ns()
        token = self._node.randomness.randbytes(SESSION_BYTES).hex()
        session = OperatorSession(
            id=session_id(token),
            operator=operator.name,
            operator_hash=operator.token_hash,
            began_ns=now_ns,
            seen_ns=now_ns,
        )
        self._shelf.put(session)
        return operator, token

    def operator(self, token: str, *, awake: bool = True) -> Operator:
        """
        Whose session this is; it was used now, if `awake`.

        Refuses:  SESSION_EXPIRED: signed out, idle, too old, or of a token that is good no more. May raise `Cold`.
        """
        session, now_ns = self._shelf.get(session_id(token)), self._node.clock.now_ns()
        everybody = self._everybody()
        if session is None or self._last_seen(session).is_over(now_ns):
            raise Refusal(OperatorReason.SESSION_EXPIRED)
        found = [each for each in everybody if each.name == session.operator and each.active]
        if not found or found[0].token_hash != session.operator_hash:
            raise Refusal(OperatorReason.SESSION_EXPIRED)
        if awake:
            self._see(session, now_ns)
        return found[0]

    def end(self, token: str) -> None:
        """Sign out; of what is no session, nothing. May raise `Cold`."""
        session = self._shelf.get(session_id(token))
        if session is not None and not session.ended:
            self._seen.pop(session.id, None)
            self._shelf.put(msgspec.structs.replace(session, ended=True))

    def _last_seen(self, session: OperatorSession) -> OperatorSession:
        seen_ns = max(session.seen_ns, self._seen.get(session.id, 0))
        return msgspec.structs.replace(session, seen_ns=seen_ns)

    def _see(self, session: OperatorSession, now_ns: int) -> None:
        if now_ns - session.seen_ns < NOTED_EVERY_S * NS_PER_S:
            self._seen[session.id] = now_ns
            return
        self._seen.pop(session.id, None)
        self._shelf.put(msgspec.structs.replace(session, seen_ns=now_ns))
