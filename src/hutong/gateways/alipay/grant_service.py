"""Giving and taking grants: all of them in one table, found by the hash of their tokens."""

import msgspec

from hutong.gateways.alipay.grant import GRANTS, Grant, GrantKind, grant_id, new_grant
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided, warmed

_TOKEN_BYTES = 16


class GrantService:
    """Tokens are drawn here and kept nowhere."""

    def __init__(self, node: NodeRuntime) -> None:
        self._node = node
        self._all = Shelf(GRANTS, node.journal, node.store)

    def draw(self) -> str:
        """32 digits that nobody guesses."""
        return self._node.randomness.randbytes(_TOKEN_BYTES).hex()

    async def give(self, kind: GrantKind, token: str, *, account_id: int, subject_id: int, scope: str = "") -> Grant:
        """Let an application use `token` for this."""
        return await decided(
            self._node.journal,
            lambda: self._given(kind, token, account_id=account_id, subject_id=subject_id, scope=scope),
        )

    def find(self, kind: GrantKind, token: str, account_id: int) -> Grant | None:
        """What a token is good for, if it is, for this application. May raise `Cold`."""
        grant = self._all.get(grant_id(token))
        return grant if grant is not None and grant.is_good(kind, account_id, self._node.clock.now_ns()) else None

    async def was_good(self, kind: GrantKind, token: str, account_id: int) -> bool:
        """Whether a token was good for this application, and its time is over."""
        grant = await warmed(self._node.journal, lambda: self._all.get(grant_id(token)))
        is_over = grant is not None and self._node.clock.now_ns() >= grant.expires_ns
        return grant is not None and is_over and grant.is_good(kind, account_id, grant.created_ns)

    async def change(
        self, kind: GrantKind, token: str, account_id: int, into: tuple[tuple[GrantKind, str], ...]
    ) -> Grant | None:
        """
        Use up a code or a refresh token, and give these instead, for the same.

        Repeats:  None: it was good once.
        """

        def change() -> Grant | None:
            grant = self.find(kind, token, account_id)
            if grant is None:
                return None
            self._all.put(msgspec.structs.replace(grant, used_ns=self._node.clock.now_ns()))
            for other, text in into:
                self._given(other, text, account_id=account_id, subject_id=grant.subject_id, scope=grant.scope)
            return grant

        return await decided(self._node.journal, change)

    def _given(self, kind: GrantKind, token: str, *, account_id: int, subject_id: int, scope: str) -> Grant:
        grant = new_grant(
            kind,
            token,
            account_id=account_id,
            subject_id=subject_id,
            scope=scope,
            now_ns=self._node.clock.now_ns(),
        )
        self._all.put(grant)
        return grant
