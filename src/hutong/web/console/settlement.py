"""Fees and settlement: what is charged, what came to the account and went from it, and what is there now."""

from datetime import timedelta

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from hutong.institution import chart
from hutong.institution.bills.bill import Days
from hutong.institution.bills.figures import Figures, totals_by
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.payments.statement import LineKind
from hutong.web.chart import Series, bars, money_chart
from hutong.web.console.place import Console
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.page import AnyRequest

_PAGE = 50
_MONTHS_DAYS = 366
LINE_KINDS = {
    LineKind.PAYMENT: phrase("Sale"),
    LineKind.DISCOUNT: phrase("Discount by a sponsor"),
    LineKind.FEE: phrase("Fee"),
    LineKind.REFUND: phrase("Refund"),
    LineKind.TOP_UP: phrase("Top-up"),
    LineKind.WITHDRAWAL: phrase("Withdrawal"),
    LineKind.PAID_IN: phrase("Paid in"),
    LineKind.PAID_OUT: phrase("Paid out"),
    LineKind.DISPUTED: phrase("Dispute"),
    LineKind.FROZEN: phrase("Frozen for a split"),
    LineKind.SPLIT: phrase("Split"),
    LineKind.TRANSFER: phrase("Transfer to a person"),
    LineKind.RED_PACKET: phrase("Red packet"),
    LineKind.REWARD: phrase("Reward"),
    LineKind.SUBSIDY: phrase("Coupon subsidy"),
    LineKind.BUDGET: phrase("Campaign budget"),
    LineKind.OTHER: phrase("Correction"),
}
assert set(LINE_KINDS) == set(LineKind)


def settlement_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/settlement`."""

    @get("/settlement")
    async def settlement(request: AnyRequest) -> Response[str]:
        who: SignedInStaff = request.auth
        who.key.check_whole_merchant()
        _ = console.pages.words(request)
        institution = console.institution
        account = chart.merchant_account(who.key.merchant_id, institution.chart.currency)
        cursor = Form({"before": request.query_params.get("before", "") or "0"}).number("before")
        statements = institution.payments.statements
        page = await statements.statement(account, before=cursor or None, limit=_PAGE)
        today = console.bills.today()
        days = Days.of(today - timedelta(days=_MONTHS_DAYS - 1), today, console.bills.zone)
        by_month = totals_by(await console.bills.hours(who.key, days), lambda each: each.day.replace(day=1))
        months = sorted(by_month.items(), reverse=True)[:12]
        now_ns = institution.node.clock.now_ns()
        fees = await console.look(lambda: institution.merchants.fees(who.key.merchant_id))
        in_force = await console.look(lambda: institution.merchants.fee(who.key.merchant_id, now_ns))
        shown = list(reversed(months))
        fee_chart = bars(
            _,
            money_chart(
                _,
                _("Fees by month"),
                [_.day(month, "yyyy-MM") for month, each in shown],
                [Series(_("Fee"), [each.fees - each.fees_back for month, each in shown])],
            ),
        )
        return await console.page(
            request,
            "settlement.html",
            "settlement",
            balance=await statements.balance(account),
            lines=page.lines,
            older=f"/console/settlement?before={page.next_cursor}" if page.next_cursor else "",
            months=months,
            fees=list(reversed(fees)),
            in_force=in_force,
            fee_chart=fee_chart if any(figures != Figures() for month, figures in months) else "",
            kinds=LINE_KINDS,
        )

    return [settlement]
