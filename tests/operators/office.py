"""A node with operators and an audit log on a store that survives, and an API of theirs."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import httpx
import msgspec
from litestar import Router, get, post
from litestar.params import FromPath, JSONBody

from hutong.kernel.clock import ManualClock
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.operators.api import operators_api, read_entry
from hutong.operators.audit_log import AUDIT_LOG, AuditEntry, AuditLog, Chain, Head
from hutong.operators.guard import operator_guard
from hutong.operators.service import Operators
from hutong.runtime.http_app import make_app
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.shelf import decided
from hutong.runtime.tables import MemoryStore, Table, Text

Answer = TypeVar("Answer")
FIRST = "op_first"


class OfficeReason(Reason):
    """Why something of these tests is refused."""

    NOT_ON_SUNDAYS = Kind.REFUSED, "NARR"


class Thing(msgspec.Struct, frozen=True):
    """What the operators of these tests change."""

    name: Text


class Order(msgspec.Struct, frozen=True):
    """What they ask for."""

    colour: str
    pin: str = ""


THINGS = Table("things", Thing)


class Office:
    """Everything is lost with `restart` but the store."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = ManualClock()
        self.build(0)

    def build(self, position: int) -> None:
        randomness = seeded_randomness(3)
        self.journal = MemoryJournal(self.store, position=position, immediate=True)
        mint = IdMint(self.clock, randomness)
        self.node = NodeRuntime("jing", self.clock, randomness, mint, self.journal, self.store, run_now)
        self.audit = AuditLog(self.node)
        self.operators = Operators(self.node, self.audit, {"root": FIRST})
        guard = operator_guard(self.node, self.operators, reads_noted=True)
        journal = self.journal

        @post("/things/{name:str}")
        async def paint(name: FromPath[str], data: JSONBody[Order]) -> list[str]:
            def decide() -> list[str]:
                if data.colour == "sunday":
                    raise Refusal(OfficeReason.NOT_ON_SUNDAYS)
                journal.append(THINGS, Thing(name))
                return [name]

            return await decided(journal, decide)

        @get("/things/{name:str}")
        async def look(name: FromPath[str]) -> list[str]:
            return [name]

        things = Router("/v1", route_handlers=[paint, look], guards=[guard])
        self.app = make_app([things, operators_api(self.node, self.operators, guard)], title="office", version="1")

    def restart(self) -> None:
        position = self.journal.durable_position
        self.journal.crash()
        self.build(position)

    async def call(self, method: str, path: str, status: int, body: Any = None, token: str = FIRST) -> Any:
        transport = httpx.ASGITransport(cast("Any", self.app))
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://jing", headers=headers) as client:
            response = await client.request(method, path, json=body)
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    async def appoint(self, name: str, role: str) -> str:
        token: str = (await self.call("PUT", f"/v1/operators/{name}", 200, {"role": role}))["token"]
        return token

    async def ask(self, decide: Callable[[], Answer]) -> Answer:
        return await decided(self.journal, decide)

    def rows(self) -> list[AuditEntry]:
        return [row for _, row in self.store.rows[AUDIT_LOG.name]]

    async def log(self) -> list[AuditEntry]:
        page = await self.call("GET", "/v1/audit-log?limit=1000", 200)
        return [read_entry(told) for told in page["entries"]]


def verified(entries: list[AuditEntry], *anchors: Head) -> Head:
    chain = Chain("jing", anchors)
    for entry in entries:
        chain.take(entry)
    return chain.end()
