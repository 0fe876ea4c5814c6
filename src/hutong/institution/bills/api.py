"""Bills over HTTP, for whoever holds a staff key of the whole merchant."""

from typing import Any
from zoneinfo import ZoneInfo

from litestar import Controller, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation
from litestar.response import Stream

from hutong.institution import chart
from hutong.institution.bills.bill import BillDay, BillTotals
from hutong.institution.bills.repository import PgBills
from hutong.institution.merchants.api import caller, key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.payments.service import PaymentService

CSV = "text/csv; charset=utf-8"
Key = NamedDependency[SkipValidation[StaffKey]]


class BillEdge:
    """What the handlers need."""

    def __init__(self, payments: PaymentService, bills: PgBills, zone: str) -> None:
        self.payments = payments
        self.bills = bills
        self._zone = ZoneInfo(zone)

    def asked(self, key: StaffKey, day: str) -> tuple[int, BillDay]:
        """Whose account, and which day. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS, DAY_MALFORMED, DAY_NOT_BEGUN."""
        key.check_right(Right.READ)
        key.check_whole_merchant()
        account = chart.merchant_account(key.merchant_id, self.payments.chart.currency)
        return account, BillDay.read(day, self._zone, self.payments.node.clock.now_ns())

    async def opening(self, account: int, day: BillDay) -> int:
        """What was on the account before the day."""
        return await self.payments.statements.balance_at(account, day.from_ns - 1)


Edge = NamedDependency[SkipValidation[BillEdge]]


class Bills(Controller):
    """A merchant's day: 交易账单 and 资金账单, equal to the ledger to the fen."""

    path = "/merchant/bills"
    tags = ("Merchant: bills",)

    @get("/{day:str}")
    async def totals(self, edge: Edge, key: Key, day: FromPath[str]) -> BillTotals:
        """The day in sums, and whether they agree with the ledger."""
        account, of = edge.asked(key, day)
        opening = await edge.opening(account, of)
        found = await edge.bills.totals(account, of)
        closing = await edge.payments.statements.balance_at(account, of.until_ns - 1)
        now_ns = edge.payments.node.clock.now_ns()
        return BillTotals(
            day=day,
            currency=edge.payments.chart.currency.alpha,
            complete=now_ns >= of.until_ns,
            payments=found["payments"],
            gross=found["gross"],
            fees=found["fees"],
            refunds=found["refunds"],
            refunded=found["refunded"],
            fees_back=found["fees_back"],
            net=found["net"],
            other=found["change"] - found["net"],
            lines=found["lines"],
            opening=opening,
            closing=closing,
            # A day that goes on moves between the look-ups: then only what the lines say of themselves is compared.
            agrees=found["told_as_moved"] and (now_ns < of.until_ns or opening + found["change"] == closing),
        )

    @get("/{day:str}/trades.csv", media_type=CSV)
    async def trades(self, edge: Edge, key: Key, day: FromPath[str]) -> Stream:
        """What was sold and given back: a line for each payment and refund, in the order they were completed."""
        account, of = edge.asked(key, day)
        return Stream(edge.bills.trades(account, of), media_type=CSV)

    @get("/{day:str}/funds.csv", media_type=CSV)
    async def funds(self, edge: Edge, key: Key, day: FromPath[str]) -> Stream:
        """Every movement of the account, each with the balance behind it."""
        account, of = edge.asked(key, day)
        return Stream(edge.bills.funds(account, of, await edge.opening(account, of)), media_type=CSV)


def bills_api(payments: PaymentService, merchants: MerchantService, bills: PgBills, zone: str) -> Router:
    """The handlers for `make_app`."""
    edge = BillEdge(payments, bills, zone)
    given: dict[str, Any] = {
        "edge": Provide(lambda: edge, sync_to_thread=False),
        "key": Provide(caller, sync_to_thread=False),
    }
    return Router("/v1", route_handlers=[Bills], dependencies=given, guards=[key_guard(payments.node, merchants)])
