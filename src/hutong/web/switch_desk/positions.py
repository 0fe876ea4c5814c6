"""Positions and caps: how far everybody has gone, and proposals to change that."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.kernel.money import currency_of
from hutong.runtime.journal import durable
from hutong.runtime.shelf import decided
from hutong.scheme.messages import EntryKind
from hutong.switch.approval_service import CAP_CHANGE, RESERVE_CHANGE
from hutong.switch.node import SwitchNode
from hutong.switch.settlement.report import statement_csv
from hutong.switch.settlement.rules import Fund
from hutong.web.desk.approvals import propose
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest
from hutong.web.switch_desk.overview import gauge

NAV = "positions"
_PATH = f"{HOME}/positions"
_ENTRIES_MAX = 100
_CSV_MAX = 10_000
ENTRY_KINDS = {
    EntryKind.WINDOW.value: phrase("Settlement window"),
    EntryKind.TOP_UP.value: phrase("Reserve paid in"),
    EntryKind.WITHDRAWAL.value: phrase("Reserve taken out"),
    EntryKind.CHARGE.value: phrase("Invoice"),
}


def position_pages(desk: Desk, switch: SwitchNode) -> ControllerRouterHandler:
    """`/desk/positions`, and each node's below it."""

    @get()
    async def show_all(request: AnyRequest) -> Response[str]:
        names = {each.node_id: each.name for each in switch.admission.participants()}
        found = [await switch.positions.books(alpha) for alpha in sorted(switch.clearing.currencies)]
        await durable(switch.node.journal)
        books = [
            {"books": each, "gauges": [gauge(position, names[position.node_id]) for position in each.positions]}
            for each in found
        ]
        return desk.render(request, "switch_desk/positions.html", NAV, books=books)

    @get("/{node:str}")
    async def show(request: AnyRequest, node: FromPath[str]) -> Response[str]:
        return await _one(desk, switch, request, node)

    @post("/{node:str}/cap")
    async def change_cap(request: AnyRequest, node: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        try:
            return await propose(desk, request, form, CAP_CHANGE, node, _facts(form))
        except Refusal as refusal:
            return await _one(desk, switch, request, node, refusal)

    @post("/{node:str}/reserve")
    async def change_reserve(request: AnyRequest, node: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        try:
            facts = _facts(form) | {"fund": form.text("fund") or Fund.RESERVE.value}
            return await propose(desk, request, form, RESERVE_CHANGE, node, facts)
        except Refusal as refusal:
            return await _one(desk, switch, request, node, refusal)

    @get("/{node:str}/entries.csv")
    async def entries_csv(request: AnyRequest, node: FromPath[str]) -> Response[str]:
        currency = _currency(switch, request)
        await decided(switch.node.journal, lambda: switch.admission.participant(node))
        entries = await switch.accounts.entries(node, currency, limit=_CSV_MAX)
        headers = {"content-disposition": f'attachment; filename="{node}-{currency}.csv"', "cache-control": "no-store"}
        return Response(statement_csv(reversed(entries)), media_type="text/csv", headers=headers)

    return desk.router(_PATH, [show_all, show, change_cap, change_reserve, entries_csv])


async def _one(
    desk: Desk, switch: SwitchNode, request: AnyRequest, node: str, refusal: Refusal | None = None
) -> Response[str]:
    participant = await decided(switch.node.journal, lambda: switch.admission.participant(node))
    alpha = _currency(switch, request)
    position = await switch.positions.position(node, currency_of(alpha))
    means = await switch.reserves.means(currency_of(alpha))
    values: dict[str, Any] = {
        "participant": participant,
        "currency": alpha,
        "currencies": sorted(switch.clearing.currencies),
        "gauge": gauge(position, participant.name),
        "contribution": means.contributions[node],
        "entries": await switch.accounts.entries(node, alpha, limit=_ENTRIES_MAX),
        "kinds": ENTRY_KINDS,
    }
    return desk.shown(request, "switch_desk/position.html", NAV, refusal, **values)


def _currency(switch: SwitchNode, request: AnyRequest) -> str:
    known = sorted(switch.clearing.currencies)
    asked = request.query_params.get("currency", "CNY")
    return asked if asked in known else known[0]


def _facts(form: Form) -> dict[str, Any]:
    currency = currency_of(form.needed("currency", length_max=3)).alpha
    change = form.needed("change", length_max=20)
    return {"change": change, "amount": form.amount("amount", currency), "currency": currency}
