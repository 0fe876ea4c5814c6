"""Our settlement account at the switch as we booked it, and the daily proofs that customers' money is there."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from hutong.runtime.journal import durable
from hutong.web.form import Form
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import ENTRIES
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "settlement"
_PROOFS_MAX = 60
_ENTRIES_MAX = 200


def settlement_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/settlement`."""
    institution = parts.institution

    @get()
    async def show(request: AnyRequest) -> Response[str]:
        everything = Form(dict(request.query_params)).ticked("all")
        await durable(desk.node.journal)
        entries = await institution.settlement.entries(limit=1000 if everything else _ENTRIES_MAX)
        return desk.render(
            request,
            "institution_desk/settlement.html",
            NAV,
            newest=institution.settlement.newest(),
            entries=[(ENTRIES.get(entry.kind, entry.kind), entry) for entry in entries],
            proofs=institution.proofs.proofs()[::-1][:_PROOFS_MAX],
        )

    @post("/prove")
    async def prove(request: AnyRequest) -> Response[Any]:
        await desk.pages.form(request)
        await desk.answer(institution.settlement.newest)  # With it the act is noted.
        await institution.proofs.take()
        await durable(desk.node.journal)
        return desk.pages.go(f"{HOME}/settlement")

    return desk.router(f"{HOME}/settlement", [show, prove])
