"""The audit log: what operators did, and whether the chain holds."""

from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.operators.audit_log import EMPTY, AuditEntry, Chain, Head
from hutong.runtime.journal import durable
from hutong.web.form import Form
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "audit"
_PAGE = 50
_LOOKED_AT = 1000  # Entries at a time.


def audit_pages(desk: Desk) -> ControllerRouterHandler:
    """`/desk/audit`, and the check of its chain."""
    log = desk.operators.audit

    async def page(request: AnyRequest, before: int, **values: Any) -> Response[str]:
        await durable(desk.node.journal)
        last = min(before - 1, log.head.number) if before else log.head.number
        first = max(1, last - _PAGE + 1)
        entries: list[AuditEntry] = await log.entries(first - 1, last - first + 1) if last else []
        return desk.render(
            request,
            "desk/audit.html",
            NAV,
            entries=entries[::-1],
            head=log.head,
            older=first if first > 1 else 0,
            newer=bool(before),
            **values,
        )

    @get()
    async def show(request: AnyRequest) -> Response[str]:
        form = Form(dict(request.query_params))
        return await page(request, form.number("before") if form.text("before") else 0)

    @get("/check")
    async def check(request: AnyRequest) -> Response[str]:
        await durable(desk.node.journal)
        broken: Refusal | None = None
        chain = Chain(desk.node.node_id)
        try:
            head = await _verified(desk, chain)
        except Refusal as refusal:
            broken, head = refusal, chain.head
        return await page(request, 0, checked=head, broken=broken, erased=chain.erased)

    return desk.router(f"{HOME}/audit", [show, check])


async def _verified(desk: Desk, chain: Chain) -> Head:
    """Every entry there is by now, in order. Refuses AUDIT_LOG_BROKEN."""
    log, head = desk.operators.audit, EMPTY
    until = log.head.number
    while head.number < until:
        for entry in await log.entries(head.number, min(_LOOKED_AT, until - head.number)):
            chain.take(entry)
        if chain.head.number == head.number:
            chain.take(AuditEntry(0, 0, "", "", "", "", "", b"", b"", b"", b""))  # It was cut off: refused as missing.
        head = chain.head
    return chain.end()
