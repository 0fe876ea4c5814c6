"""Settlement: its windows, what each came to, its files; invoices and the daily proof of the books."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import decided
from hutong.scheme.clearing_file import window_of_path
from hutong.switch.approval_service import DEFAULT
from hutong.switch.node import SwitchNode
from hutong.switch.settlement.api import clearing_stream, statement_answer
from hutong.switch.settlement.report import notification_xml, statement_xml
from hutong.switch.settlement.window import WindowState
from hutong.web.desk.approvals import propose
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "windows"
_PATH = f"{HOME}/windows"
_WINDOWS_MAX = 90
_FILES = {"camt.053": statement_xml, "camt.054": notification_xml}
STATES = {
    WindowState.OPEN: (phrase("Takes payments"), "good"),
    WindowState.CLOSED: (phrase("Closed, being netted"), "warn"),
    WindowState.NETTED: (phrase("Netted"), "warn"),
    WindowState.SETTLING: (phrase("Money is moving"), "warn"),
    WindowState.SETTLED: (phrase("Obligations settled"), "good"),
    WindowState.HALTED: (phrase("Halted"), "bad"),
}
INVOICE_STATES = {"DUE": phrase("Due"), "PAID": phrase("Invoice paid")}


def settlement_pages(desk: Desk, switch: SwitchNode) -> ControllerRouterHandler:
    """`/desk/windows`, each window's page and files below it."""

    @get()
    async def show_all(request: AnyRequest) -> Response[str]:
        rows = await decided(switch.node.journal, switch.windows.windows)
        shown = [(row, STATES[WindowState(row.state)]) for row in rows[::-1][:_WINDOWS_MAX]]
        return desk.render(
            request,
            "switch_desk/windows.html",
            NAV,
            rows=shown,
            invoices=switch.invoices.invoices()[::-1][:_WINDOWS_MAX],
            invoice_states=INVOICE_STATES,
            proofs=switch.proofs.proofs()[::-1][:14],
        )

    @get("/{window:str}")
    async def show(request: AnyRequest, window: FromPath[str]) -> Response[str]:
        return await _one(desk, switch, request, window)

    @post("/{window:str}/{act:str}")
    async def change(request: AnyRequest, window: FromPath[str], act: FromPath[str]) -> Response[Any]:
        form, id_ = await desk.pages.form(request), window_of_path(window)
        try:
            if act == "default":
                return await propose(desk, request, form, DEFAULT, id_, {})
            doing = switch.windows.close if act == "close" else switch.settlement.look_again
            await desk.answer(lambda: doing(id_))
        except Refusal as refusal:
            return await _one(desk, switch, request, window, refusal)
        return desk.pages.go(f"{_PATH}/{window}")

    @get("/{window:str}/clearing.csv")
    async def clearing_file(window: FromPath[str], node: FromQuery[str]) -> Stream:
        answer = await clearing_stream(switch, window_of_path(window), node)
        answer.headers["content-disposition"] = f'attachment; filename="clearing-{window}-{_safe(node)}.csv"'
        return answer

    @get("/{window:str}/file/{form:str}")
    async def statement(window: FromPath[str], form: FromPath[str], node: FromQuery[str]) -> Response[bytes]:
        write = _FILES.get(form, statement_xml)
        answer = await statement_answer(switch, window_of_path(window), node, write)
        answer.headers["content-disposition"] = f'attachment; filename="{_safe(form)}-{window}-{_safe(node)}.xml"'
        return answer

    return desk.router(_PATH, [show_all, show, change, clearing_file, statement])


async def _one(
    desk: Desk, switch: SwitchNode, request: AnyRequest, window: str, refusal: Refusal | None = None
) -> Response[str]:
    id_ = window_of_path(window)
    row = await decided(switch.node.journal, lambda: switch.windows.window(id_))
    state = WindowState(row.state)
    values: dict[str, Any] = {
        "row": row,
        "path": f"{_PATH}/{window}",
        "state": STATES[state],
        "is_open": state is WindowState.OPEN,
        "is_halted": state is WindowState.HALTED,
        "is_settled": state is WindowState.SETTLED,
        "waits": state is WindowState.NETTED and bool(row.reason),
        "obligations": await switch.settlement.obligations(id_),
        "flows": await switch.settlement.flows([id_]),
        "entries": await switch.accounts.entries_of_window(id_),
        "names": {each.node_id: each.name for each in switch.admission.participants()},
    }
    return desk.shown(request, "switch_desk/window.html", NAV, refusal, **values)


def _safe(text: str) -> str:
    """A name that a header may hold."""
    return "".join(letter for letter in text if letter.isascii() and (letter.isalnum() or letter in "-._"))
