"""Who may run the node: the operator of its secrets, and those the node's admins named."""

import hmac
import re
from collections.abc import Mapping

import msgspec

from hutong.kernel.errors import Refusal
from hutong.operators.approval_service import Approvals
from hutong.operators.audit_log import AuditLog
from hutong.operators.operator import TOKEN_BYTES, TOKEN_PREFIX, Operator, OperatorReason, Role, token_hash
from hutong.operators.session_service import OperatorSessions
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Cold, Shelf
from hutong.runtime.tables import Table

BY_SECRETS = "secrets"
OPERATORS = Table("operators", Operator)
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")


class Operators:
    """
    A node's operators. `first` are those of its secrets, by name and token: admins, until a row of their name says otherwise.

    So an admin names others, and then takes the first one's right away: its token in a file is good for nothing any more.
    `sessions` are those of their desk, `approvals` what two of them decide together: `two_person` says that one may not alone.
    """

    def __init__(
        self, node: NodeRuntime, audit: AuditLog, first: Mapping[str, str], *, two_person: bool = False
    ) -> None:
        self.audit = audit
        self.sessions = OperatorSessions(node, self.operator, self.everybody)
        self.approvals = Approvals(node, self.others_than, two_person=two_person)
        self._node = node
        self._shelf = Shelf(OPERATORS, node.journal, node.store, key="name")
        self._first = [
            Operator(name, Role.ADMIN.value, token_hash(token), 0, BY_SECRETS) for name, token in first.items()
        ]
        self._loaded = False

    async def start(self) -> None:
        """Learn who there is: before the first request, or at it."""
        await self._shelf.load_all()
        self._loaded = True

    def operator(self, token: str) -> Operator:
        """Whose token this is. Refuses OPERATOR_UNKNOWN; raises `Cold`."""
        shown = token_hash(token)
        # All are compared, each in constant time: how long it takes tells nothing.
        found = [each for each in self.everybody() if hmac.compare_digest(each.token_hash, shown)]
        if not found:
            raise Refusal(OperatorReason.OPERATOR_UNKNOWN)
        return found[0]

    def everybody(self) -> list[Operator]:
        """All there are and were, by name; raises `Cold`."""
        if not self._loaded:
            raise Cold(self.start)
        named = {each.name: each for each in (*self._first, *self._shelf.everything())}
        return [named[name] for name in sorted(named)]

    def named(self, name: str) -> Operator:
        """An operator that may act. Refuses NO_SUCH_OPERATOR."""
        return self._known(name)

    @property
    def nobody_named(self) -> bool:
        """Whether there are only those of the secrets: nobody has an operator's token of one's own. Raises `Cold`."""
        return all(each.changed_by == BY_SECRETS for each in self.everybody())

    def name_first(self, token: str, name: str) -> tuple[Operator, str]:
        """
        The node's first operator of one's own, an admin, named by who has the token of its secrets.

        Refuses:  OPERATOR_UNKNOWN, FIRST_OPERATOR_NAMED, OPERATOR_NAME_MALFORMED, OPERATOR_NAME_TAKEN.
        """
        by = self.operator(token)
        if not self.nobody_named:
            raise Refusal(OperatorReason.FIRST_OPERATOR_NAMED)
        if any(each.name == name for each in self._first):
            raise Refusal(OperatorReason.OPERATOR_NAME_TAKEN, field="name", name=name)
        return self.appoint(name, Role.ADMIN, by.name)

    def others_than(self, name: str) -> bool:
        """Whether somebody else may act, too: who could be the second person."""
        return any(
            each.active and each.name != name and Role(each.role).covers(Role.OPERATOR) for each in self.everybody()
        )

    def appoint(self, name: str, role: Role, by: str, token: str = "") -> tuple[Operator, str]:
        """
        Name an operator, or give one another role; with a new token, which is told once. The old one is good no more.

        Only a network for trying out chooses the token itself.

        Refuses:  OPERATOR_NAME_MALFORMED, LAST_ADMIN.
        """
        if _NAME.fullmatch(name) is None:
            raise Refusal(OperatorReason.OPERATOR_NAME_MALFORMED, expected="a-z, then a-z 0-9 . _ -, at most 32")
        if role is not Role.ADMIN:
            self._check_admin_beside(name)
        token = token or TOKEN_PREFIX + self._node.randomness.randbytes(TOKEN_BYTES).hex()
        operator = Operator(name, role.value, token_hash(token), self._node.clock.now_ns(), by)
        self._shelf.put(operator)
        return operator, token

    def renew_token(self, name: str, by: str) -> tuple[Operator, str]:
        """Another token for an operator; the old one is good no more. Refuses NO_SUCH_OPERATOR."""
        return self.appoint(name, Role(self._known(name).role), by)

    def dismiss(self, name: str, by: str) -> Operator:
        """Let an operator do nothing any more. Refuses NO_SUCH_OPERATOR, LAST_ADMIN."""
        known = self._known(name)
        self._check_admin_beside(name)
        gone = msgspec.structs.replace(known, token_hash=b"", changed_ns=self._node.clock.now_ns(), changed_by=by)
        self._shelf.put(gone)
        return gone

    def _known(self, name: str) -> Operator:
        for each in self.everybody():
            if each.name == name and each.active:
                return each
        raise Refusal(OperatorReason.NO_SUCH_OPERATOR, name=name)

    def _check_admin_beside(self, name: str) -> None:
        others = (each for each in self.everybody() if each.name != name and each.active)
        if not any(each.role == Role.ADMIN.value for each in others):
            raise Refusal(OperatorReason.LAST_ADMIN, name=name)
