"""Forgetting a person: what is known of them is gathered, sealed for the law, and taken out of every row."""

from typing import Any
from urllib.parse import quote

import msgspec

from hutong.institution.erasure.register import REGISTER
from hutong.institution.erasure.retained_identity import (
    RETAINED_IDENTITIES,
    ErasureReason,
    Identity,
    RetainedIdentity,
    RetentionPolicy,
    kept_until_ns,
    seal_label,
)
from hutong.institution.notices.service import Notices
from hutong.institution.people.one_time_code import Purpose, code_key
from hutong.institution.people.service import PeopleService
from hutong.institution.people.user import User
from hutong.institution.sealing import SealingKeys
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.operators.audit_log import AuditLog
from hutong.runtime.journal import durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

_COUNTRY_CODE_LENGTH = 3  # +86: whoever looked somebody up may have typed the number without.


class ErasureService:
    """An operator's affair, a few times a day: it awaits, and costs payments nothing."""

    def __init__(
        self,
        node: NodeRuntime,
        people: PeopleService,
        notices: Notices,
        audit: AuditLog,
        sealing: SealingKeys,
        policy: RetentionPolicy,
    ) -> None:
        self._node = node
        self._people = people
        self._notices = notices
        self._audit = audit
        self._sealing = sealing
        self.policy = policy

    async def erase(self, user_id: int) -> RetainedIdentity:
        """
        Forget a closed user: seal who it was, then blank or delete every row that the register names.

        Refuses:  USER_UNKNOWN, USER_NOT_CLOSED.
        Repeats:  the same answer; what a crash left half done is finished.
        """
        user = await warmed(self._node.journal, lambda: self._people.user(user_id))
        if not user.closed:
            raise Refusal(ErasureReason.USER_NOT_CLOSED)
        retained = await self._retained(user_id)
        if retained is None:
            retained = self._seal(user)
            self._node.journal.append(RETAINED_IDENTITIES, retained)
        await durable(self._node.journal)  # Before anything is taken out: a crash in between loses nobody.
        identity = self._open(retained)
        for holding in REGISTER:
            if holding.deleted:
                await self._node.store.delete(holding.table, holding.column, [user_id])
            elif holding.blanked:
                await self._node.store.blank(holding.table, holding.column, user_id, holding.blanked)
        await self._notices.forget_names(user_id)
        keys = [code_key(purpose, identity.phone) for purpose in Purpose]
        await self._node.store.delete("one_time_codes", "id", keys)
        await self._erase_from_audit_log(user_id, identity)
        self._people.forget(user_id, keys)
        return retained

    async def identity(self, user_id: int) -> tuple[RetainedIdentity, Identity]:
        """Who a forgotten person was: for who may ask by law. Refuses IDENTITY_NOT_RETAINED."""
        retained = await self._retained(user_id)
        if retained is None:
            raise Refusal(ErasureReason.IDENTITY_NOT_RETAINED)
        return retained, self._open(retained)

    async def purge(self) -> int:
        """Delete the identities whose time is over; returns how many."""
        now_ns = self._node.clock.now_ns()
        found = await self._node.store.scan(RETAINED_IDENTITIES)
        over = [row.user_id for _, row in found if row.kept_until_ns <= now_ns]
        await self._node.store.delete(RETAINED_IDENTITIES.name, "user_id", over)
        return len(over)

    async def export(self, user_id: int, *, everything: bool) -> dict[str, list[dict[str, Any]]]:
        """
        What is kept of a person, by table, newest version last: all of it, or what can be found at once; the statement
        and the payments have pages of their own.

        Refuses:  USER_UNKNOWN.
        """
        await warmed(self._node.journal, lambda: self._people.user(user_id))
        await durable(self._node.journal)
        told: dict[str, list[dict[str, Any]]] = {}
        for holding in REGISTER:
            if holding.scanned and not everything:
                continue
            rows = await self._node.store.told(holding.table, holding.column, user_id)
            kept = [{name: fact for name, fact in row.items() if name not in holding.secret} for row in rows]
            told.setdefault(holding.table, []).extend(kept)
        return told

    async def _retained(self, user_id: int) -> RetainedIdentity | None:
        found = await self._node.store.find(RETAINED_IDENTITIES, "user_id", [user_id])
        return found[-1][1] if found else None

    def _seal(self, user: User) -> RetainedIdentity:
        identity = Identity(user.phone, user.name, user.tier, user.evidence, user.registration_id)
        return RetainedIdentity(
            user_id=user.id,
            sealed=self._sealing.seal(msgspec.json.encode(identity), seal_label(user.id)),
            erased_ns=self._node.clock.now_ns(),
            kept_until_ns=kept_until_ns(self.policy, user.changed_ns),
            policy_version=self.policy.version,
        )

    def _open(self, retained: RetainedIdentity) -> Identity:
        return msgspec.json.decode(self._sealing.unseal(retained.sealed, seal_label(retained.user_id)), type=Identity)

    async def _erase_from_audit_log(self, user_id: int, identity: Identity) -> None:
        """Entries stay, with who did what to which id; the facts of those that tell of the person go."""
        national = identity.phone[_COUNTRY_CODE_LENGTH:]
        names = {identity.phone, quote(identity.phone, safe=""), national, identity.name, quote(identity.name, safe="")}
        subject = id_text("usr", user_id)
        for number in await self._audit.about(subject, {name for name in names if name}):
            await self._node.store.blank("audit_log", "number", number, {"facts": "", "salt": b""})
