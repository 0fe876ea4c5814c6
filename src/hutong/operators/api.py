"""Operators and the audit log over HTTP: the same at the switch and at institutions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Controller, Request, Router, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation

from hutong.kernel.clock import NS_PER_MS
from hutong.operators.approval_api import ApprovalController
from hutong.operators.audit_log import AuditEntry
from hutong.operators.guard import TAKES, Guard
from hutong.operators.operator import Operator, Role
from hutong.operators.service import Operators
from hutong.runtime.journal import durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided, warmed

Answer = TypeVar("Answer")
PAGE_MAX = 1000
_AS_HEX = frozenset({"salt", "facts_digest", "previous", "hash"})


class NewOperator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator is to be."""

    role: Role


class OperatorView(msgspec.Struct, frozen=True):
    """An operator, without the token."""

    name: str
    role: Role
    active: bool
    changed_at_ms: int
    changed_by: str


class Appointed(msgspec.Struct, frozen=True):
    """An operator, and the token: it is shown this once."""

    operator: OperatorView
    token: str


class EntryView(msgspec.Struct, frozen=True):
    """One entry of the audit log, with everything its hash goes over."""

    number: int
    at_ns: int
    actor: str
    action: str
    subject: str
    outcome: str
    facts: str
    salt: str
    facts_digest: str
    previous: str
    hash: str


class LogPage(msgspec.Struct, frozen=True):
    """Entries in order. Behind the last page there are none."""

    node: str
    entries: list[EntryView]


class HeadView(msgspec.Struct, frozen=True):
    """The end of the chain: noted elsewhere, it shows later whether what came before was changed or cut off."""

    node: str
    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class OperatorsEdge:
    """What the handlers need."""

    node: NodeRuntime
    operators: Operators

    async def answer(self, decide: Callable[[], Answer]) -> Answer:
        return await decided(self.node.journal, decide)


Edge = NamedDependency[SkipValidation[OperatorsEdge]]
OperatorName = NamedDependency[SkipValidation[str]]
After = Annotated[int, msgspec.Meta(ge=0)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=PAGE_MAX)]


class OperatorController(Controller):
    """Who runs this node."""

    path = "/operators"
    tags = ("Operators",)

    @get()
    async def list_operators(self, edge: Edge) -> list[OperatorView]:
        """All operators there are and were, by name."""
        return [operator_view(each) for each in await warmed(edge.node.journal, edge.operators.everybody)]

    @get("/me")
    async def show_me(self, edge: Edge, operator: OperatorName) -> OperatorView:
        """Who I am here, and what I may do."""
        everybody = await warmed(edge.node.journal, edge.operators.everybody)
        return next(operator_view(each) for each in everybody if each.name == operator)

    @put("/{name:str}", opt={TAKES: Role.ADMIN})
    async def appoint(
        self, edge: Edge, operator: OperatorName, name: FromPath[str], data: JSONBody[NewOperator]
    ) -> Appointed:
        """Name an operator, or give one another role; each time with a new token. Refuses LAST_ADMIN."""
        return _appointed(*await edge.answer(lambda: edge.operators.appoint(name, data.role, operator)))

    @post("/{name:str}/token", opt={TAKES: Role.ADMIN})
    async def renew_token(self, edge: Edge, operator: OperatorName, name: FromPath[str]) -> Appointed:
        """Another token; the old one is good no more. Refuses NO_SUCH_OPERATOR."""
        return _appointed(*await edge.answer(lambda: edge.operators.renew_token(name, operator)))

    @delete("/{name:str}", opt={TAKES: Role.ADMIN})
    async def dismiss(self, edge: Edge, operator: OperatorName, name: FromPath[str]) -> None:
        """Let an operator do nothing any more. Refuses NO_SUCH_OPERATOR, LAST_ADMIN."""
        await edge.answer(lambda: edge.operators.dismiss(name, operator))


class AuditController(Controller):
    """What operators did."""

    path = "/audit-log"
    tags = ("Audit log",)

    @get()
    async def page(self, edge: Edge, after: FromQuery[After] = 0, limit: FromQuery[Limit] = 500) -> LogPage:
        """Entries behind a number, in order."""
        await durable(edge.node.journal)
        entries = await edge.operators.audit.entries(after, limit)
        return LogPage(edge.node.node_id, [entry_view(entry) for entry in entries])

    @get("/head")
    async def show_head(self, edge: Edge) -> HeadView:
        """The end of the chain; write it down where nobody of this node can change it."""
        head = edge.operators.audit.head
        await durable(edge.node.journal)
        return HeadView(edge.node.node_id, head.number, head.hash.hex())


def operators_api(node: NodeRuntime, operators: Operators, guard: Guard) -> Router:
    """The handlers for `make_app`."""
    edge = OperatorsEdge(node, operators)
    return Router(
        "/v1",
        route_handlers=[OperatorController, AuditController, ApprovalController],
        dependencies={
            "edge": Provide(lambda: edge, sync_to_thread=False),
            "node": Provide(lambda: node, sync_to_thread=False),
            "staff": Provide(lambda: operators, sync_to_thread=False),
            "operator": Provide(_auth, sync_to_thread=False),
        },
        guards=[guard],
    )


def operator_view(operator: Operator) -> OperatorView:
    changed_at_ms = operator.changed_ns // NS_PER_MS
    return OperatorView(operator.name, Role(operator.role), operator.active, changed_at_ms, operator.changed_by)


def entry_view(entry: AuditEntry) -> EntryView:
    told = msgspec.structs.asdict(entry)
    return msgspec.convert({name: told[name].hex() if name in _AS_HEX else told[name] for name in told}, EntryView)


def read_entry(told: Any) -> AuditEntry:
    """An entry as `EntryView` has it: what a verifier elsewhere works on."""
    facts = msgspec.structs.asdict(msgspec.convert(told, EntryView))
    return AuditEntry(**(facts | {name: bytes.fromhex(facts[name]) for name in _AS_HEX}))


def _appointed(operator: Operator, token: str) -> Appointed:
    return Appointed(operator_view(operator), token)


def _auth(request: Request[Any, Any, Any]) -> Any:
    return request.auth
