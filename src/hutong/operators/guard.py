"""Who comes in as an operator, and what is noted of it: one guard for every operator's endpoint of a node."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.utils.scope.state import ScopeState

from hutong.kernel.errors import Refusal
from hutong.operators.audit_log import DONE, AuditLog
from hutong.operators.operator import Role
from hutong.operators.service import Operators
from hutong.runtime.http import bearer_token
from hutong.runtime.journal import WITNESS, durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]
TAKES = "takes"  # A handler's option: the role it takes, where that is not plain from its method.
SUBJECT_PRIVATE = "subject_private"  # A handler's option: its path names a person, so it is told among the facts.
_READS = frozenset({"GET", "HEAD"})
_HIDDEN = frozenset({"token", "secret", "pin", "new_pin", "code", "password"})


class Act:
    """One request of an operator: noted once, in the commit of what is decided first, or when it is refused."""

    def __init__(self, audit: AuditLog, actor: str, connection: Connection, *, subject_private: bool) -> None:
        self._audit = audit
        self._actor = actor
        self._scope = connection.scope
        self._subject_private = subject_private
        self._noted = False

    def decided(self) -> None:
        self._note(DONE)

    def refused(self, refusal: Refusal) -> None:
        self._note(refusal.reason.name)

    def _note(self, outcome: str) -> None:
        if self._noted:
            return
        self._noted = True
        scope = self._scope
        action = f"{scope.get('method')} {scope.get('path_template') or scope['path']}"
        subject = "/".join(str(part) for part in scope["path_params"].values())
        facts = _facts(scope)
        if self._subject_private:
            subject, facts = "", facts | {"subject": subject}
        self._audit.note(self._actor, action, subject, facts, outcome)


def operator_guard(node: NodeRuntime, operators: Operators, *, reads_noted: bool) -> Guard:
    """
    Lets in an operator whose role allows it, before the body is read, and has the act noted in the audit log.

    What changes something is noted with the decision; a look (GET) at once where `reads_noted`: where people's data are.

    Refuses:  TOKEN_MISSING, OPERATOR_UNKNOWN; OPERATOR_MAY_NOT, which is noted, too.
    """

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        token = bearer_token(connection.headers.get("authorization", "").encode() or None)
        operator = await warmed(node.journal, lambda: operators.operator(token))
        connection.scope["auth"] = operator.name
        await operators.audit.start()
        act = Act(operators.audit, operator.name, connection, subject_private=bool(handler.opt.get(SUBJECT_PRIVATE)))
        is_read = connection.scope.get("method") in _READS
        try:
            operator.check_role(handler.opt.get(TAKES) or (Role.VIEWER if is_read else Role.OPERATOR))
        except Refusal as refusal:
            act.refused(refusal)
            await durable(node.journal)
            raise
        if not is_read:
            WITNESS.set(act)
        elif reads_noted:
            act.decided()
            await durable(node.journal)

    return guard


def _facts(scope: Any) -> dict[str, Any]:
    """What was asked for, as it was sent; what is secret is not written down."""
    facts: dict[str, Any] = {}
    if scope["query_string"]:
        facts["query"] = scope["query_string"].decode("ascii", "replace")
    body = ScopeState.from_scope(scope).body
    if isinstance(body, bytes) and body:
        try:
            sent = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            sent = None
        if isinstance(sent, dict):
            facts["body"] = {name: "(hidden)" if name in _HIDDEN else value for name, value in sent.items()}
    return facts
