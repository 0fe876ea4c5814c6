"""Payments: found by day, shop, state, amount and text; one payment's life; all of those found as a file."""

from datetime import date, timedelta
from functools import partial
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from hutong.institution.bills.bill import Days, read_day
from hutong.institution.bills.sale import REFUNDED, TEXT_LENGTH_MAX, Sale, SaleLife, SaleSearch
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.views import SHOP_PREFIX
from hutong.institution.payments.payment import Outcome, PaymentState
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.views import state_of
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.web.console.export import exported, row_of, titles
from hutong.web.console.place import Console
from hutong.web.console.wording import STATES
from hutong.web.form import Form
from hutong.web.language import Words
from hutong.web.page import AnyRequest

_PAGE = 50
_DAYS = 30
_FIELDS = ("first", "last", "shop", "state", "least", "most", "text")


def payment_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/payments...`."""

    @get("/payments")
    async def payments(request: AnyRequest) -> Response[str]:
        who: SignedInStaff = request.auth
        asked = _asked(request, console.bills.today())
        refusal: Refusal | None = None
        found: list[Sale] = []
        before = 0
        try:
            search = _search(console, asked, request.query_params.get("before", ""))
            found, before = await console.bills.sales(who.key, search, _PAGE)
        except Refusal as error:
            refusal = error
        names = await console.shop_names(who)
        query = urlencode({name: value for name, value in asked.items() if value})
        return await console.page(
            request,
            "payments.html",
            "payments",
            refusal,
            asked=asked,
            sales=found,
            older=f"/console/payments?{query}&before={before}" if before else "",
            query=query,
            shops=await console.shops(who),
            shop_names=names,
            states=STATES,
            is_refunded=REFUNDED,
        )

    @get("/payments/{payment_id:str}")
    async def payment(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        who: SignedInStaff = request.auth
        life = await console.bills.sale(who.key, parse_id("pay", payment_id))
        _ = console.pages.words(request)
        return await console.page(
            request,
            "payment.html",
            "payments",
            life=life,
            payment_id=payment_id,
            steps=_steps(_, life),
            state=state_of(life.outcome),
            debtor_agent=life.payment.debtor_agent if isinstance(life.payment, Receipt) else "",
            shop=(await console.shop_names(who)).get(life.payment.shop_id, ""),
            refund_id=partial(id_text, "rfd"),
            state_of=state_of,
        )

    @get("/payments/export/{kind:str}")
    async def export(request: AnyRequest, kind: FromPath[str]) -> Stream:
        who: SignedInStaff = request.auth
        search = _search(console, _asked(request, console.bills.today()), "")
        _ = console.pages.words(request)
        names = await console.shop_names(who)
        rows = (
            [row_of(_, each, names, console.pages.zone, console.bills.currency) for each in batch]
            async for batch in console.bills.all_sales(who.key, search)
        )
        name = f"payments-{search.days.first}-{search.days.last}"
        return exported(kind, name, titles(_), rows, console.pool)

    return [payments, export, payment]


def _asked(request: AnyRequest, today: date) -> dict[str, str]:
    """What was asked for; without days, the last thirty."""
    asked = {name: request.query_params.get(name, "")[:TEXT_LENGTH_MAX].strip() for name in _FIELDS}
    asked["last"] = asked["last"] or today.isoformat()
    asked["first"] = asked["first"] or (today - timedelta(days=_DAYS - 1)).isoformat()
    return asked


def _search(console: Console, asked: dict[str, str], before: str) -> SaleSearch:
    """Refuses what is wrong with a day, an amount, an id or a number."""
    form = Form({**asked, "before": before or "0"})
    return SaleSearch(
        days=Days.of(read_day("first", asked["first"]), read_day("last", asked["last"]), console.bills.zone),
        shop_id=parse_id(SHOP_PREFIX, asked["shop"]) if asked["shop"] else 0,
        state=asked["state"] if asked["state"] in STATES else "",
        amount_min=form.amount("least", console.bills.currency),
        amount_max=form.amount("most", console.bills.currency),
        text=form.text("text"),
        before_ns=form.number("before"),
    )


def _steps(_: Words, life: SaleLife) -> list[tuple[int, str, str]]:
    """Every step of a payment's life: when, what, and its colour; in the order they happened."""
    payment = life.payment
    steps = []
    if life.request is not None:
        steps.append((life.request.created_ns, _("Asked for"), ""))
    steps.append((payment.created_ns, _("The payer's order reached us"), ""))
    steps.append(_end(_, life.outcome, _("Completed"), _("Rejected")))
    for refund, outcome in life.refunds:
        amount = _.money(refund.gross, refund.currency)
        steps.append((refund.created_ns, _("Refund of %(amount)s asked for", amount=amount), ""))
        done, failed = _("%(amount)s given back", amount=amount), _("Refund rejected")
        steps.append(_end(_, outcome, done, failed))
    return sorted(steps, key=lambda step: step[0] or 2**63)


def _end(_: Words, outcome: Outcome | None, done: str, failed: str) -> tuple[int, str, str]:
    if outcome is None:
        return 0, _("Not decided yet"), "warn"
    if outcome.completed:
        return outcome.decided_ns, done, "good"
    return outcome.decided_ns, f"{failed}: {_.reason(outcome.reason)}", "bad"


assert set(STATES) == {*(state.value for state in PaymentState), REFUNDED}
