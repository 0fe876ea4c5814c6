"""Who comes in as an operator, and what is noted of it: one guard for every operator's endpoint of a node."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.utils.scope.state import ScopeState

from hutong.kernel.errors import Refusal
from hutong.operators.audit_log import DONE, AuditLog
from hutong.operators.operator import Operator, Role
from hutong.operators.service import Operators
from hutong.runtime.http import bearer_token
from hutong.runtime.journal import WITNESS, durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]
TAKES = "takes"  # A handler's option: the role it takes, where that is not plain from its method.
SUBJECT_PRIVATE = "subject_private"  # A handler's option: its path names a person, so it is told among the facts.
UNATTENDED = "unattended"  # A handler's option: an open page asks it by itself, again and again.
_READS = frozenset({"GET", "HEAD"})
_CSRF = "csrf"  # Says that a page of ours sent it, and nothing of what was asked for.
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

    Refuses:  TOKEN_MISSING, OPERATOR_UNKNOWN; what `let_in` refuses.
    """

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        token = bearer_token(connection.headers.get("authorization", "").encode() or None)
        operator = await warmed(node.journal, lambda: operators.operator(token))
        connection.scope["auth"] = operator.name
        await let_in(node, operators.audit, operator, connection, handler, reads_noted=reads_noted)

    return guard


async def let_in(  # Who, where, to what.
    node: NodeRuntime,
    audit: AuditLog,
    operator: Operator,
    connection: Connection,
    handler: BaseRouteHandler,
    *,
    reads_noted: bool,
    at_least: Role = Role.VIEWER,
) -> None:
    """
    Hold a known operator to its role, and have the act noted.

    What changes something is noted with the decision; a look (GET) at once where `reads_noted`: where people's data are.
    A look that a page takes by itself (`UNATTENDED`) is none of anybody's.

    Refuses:  OPERATOR_MAY_NOT, which is noted, too.
    """
    await audit.start()
    act = Act(audit, operator.name, connection, subject_private=bool(handler.opt.get(SUBJECT_PRIVATE)))
    is_read = connection.scope.get("method") in _READS
    try:
        operator.check_role(at_least)
        operator.check_role(handler.opt.get(TAKES) or (Role.VIEWER if is_read else Role.OPERATOR))
    except Refusal as refusal:
        act.refused(refusal)
        await durable(node.journal)
        raise
    if not is_read:
        WITNESS.set(act)
    elif reads_noted and not handler.opt.get(UNATTENDED):
        act.decided()
        await durable(node.journal)


def _facts(scope: Any) -> dict[str, Any]:
    """What was asked for, as it was sent; what is secret is not written down."""
    facts: dict[str, Any] = {}
    if scope["query_string"]:
        facts["query"] = scope["query_string"].decode("ascii", "replace")
    sent = _sent(ScopeState.from_scope(scope))
    if sent:
        facts["body"] = {name: "(hidden)" if name in _HIDDEN else value for name, value in sent.items()}
    return facts


def _sent(state: ScopeState) -> dict[str, Any] | None:
    """The fields of a form (files are not among them), or of a JSON object."""
    if isinstance(state.form, dict):
        return {name: value for name, value in state.form.items() if isinstance(value, str | list) and name != _CSRF}
    if not isinstance(state.body, bytes) or not state.body:
        return None
    try:
        sent = msgspec.json.decode(state.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return sent if isinstance(sent, dict) else None
