"""Cases: who asked for which payment back, what came of it; and the switch's own legal orders."""

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.scheme.messages import RecallReason
from hutong.switch.node import SwitchNode
from hutong.switch.recall_views import switch_recall_view
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "recalls"
_SHOWN_MAX = 200
_ID_MAX = 64
STATUSES = {
    "ASKED": (phrase("Was asked"), "warn"),
    "PDCR": (phrase("Being looked into"), "warn"),
    "CNCL": (phrase("Returned to the payer"), "good"),
    "PECR": (phrase("Partly given back"), "good"),
    "RJCR": (phrase("Refused"), "bad"),
}
REASONS = {
    RecallReason.FRAUD: phrase("Fraud"),
    RecallReason.DUPLICATE: phrase("Paid a second time"),
    RecallReason.WRONG_AMOUNT: phrase("Wrong amount"),
    RecallReason.WRONG_ACCOUNT: phrase("Wrong payee"),
    RecallReason.UNDUE: phrase("Not owed"),
    RecallReason.TECHNICAL: phrase("Technical fault"),
    RecallReason.CUSTOMER: phrase("The payer wants it back"),
}


def recall_pages(desk: Desk, switch: SwitchNode) -> ControllerRouterHandler:
    """`/desk/recalls`."""

    async def page(request: AnyRequest, refusal: Refusal | None = None) -> Response[str]:
        said = desk.pages.words(request)
        found = await desk.answer(switch.recalls.recalls.everything)
        now_ns = switch.node.clock.now_ns()
        shown = [switch_recall_view(each, now_ns) for each in sorted(found, key=lambda each: -each.asked_ns)]
        values: dict[str, Any] = {
            "recalls": [(each, *STATUSES.get(each.status, (each.status, ""))) for each in shown[:_SHOWN_MAX]],
            "reasons": {each.value: said(REASONS[each]) for each in RecallReason},
            "nodes": [each.node_id for each in switch.admission.participants()],
        }
        return desk.shown(request, "switch_desk/recalls.html", NAV, refusal, **values)

    @get()
    async def show(request: AnyRequest) -> Response[str]:
        return await page(request)

    @post()
    async def order(request: AnyRequest) -> Response[Any]:
        form, by = await desk.pages.form(request), request.auth.name
        try:
            recall_id = parse_id("apr", form.needed("approval"))
            payment_id = parse_id("pay", form.needed("payment_id", length_max=_ID_MAX))
            originator, reason = form.needed("originator", length_max=64), RecallReason(form.needed("why"))
            amount, remark = form.amount("amount"), form.needed("reason", length_max=140)
            await desk.answer(
                lambda: switch.recalls.order(by, recall_id, originator, payment_id, reason, amount, remark)
            )
        except Refusal as refusal:
            return await page(request, refusal)
        return desk.pages.go(f"{HOME}/recalls")

    return desk.router(f"{HOME}/recalls", [show, order])
