"""A merchant's bills, figures and sales, for whoever may read them."""

from collections.abc import AsyncIterator
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from hutong.institution import chart
from hutong.institution.bills.bill import BillDay, BillTotals, Days, day_of
from hutong.institution.bills.figures import HourFigures
from hutong.institution.bills.repository import PgBills
from hutong.institution.bills.sale import Sale, SaleLife, SaleSearch
from hutong.institution.bills.sale_repository import PgSales
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.service import PaymentService
from hutong.institution.requests.service import RequestService
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import warmed

SALES_PAGE_MAX = 200
_DAYS_KEPT_MAX = 20_000
_DURABLE_WITHIN_NS = (
    120 * NS_PER_S
)  # After a day's end: by then all that was decided in it is durable, or never will be.


class BillService:
    """Every verb answers to a key alone (invariant 8): of one shop, it sees that shop's sales and figures."""

    def __init__(
        self, payments: PaymentService, requests: RequestService, bills: PgBills, sales: PgSales, zone: str
    ) -> None:
        self._payments = payments
        self._requests = requests
        self._bills = bills
        self._sales = sales
        self.zone = ZoneInfo(zone)
        self.currency = payments.chart.currency.alpha
        self._kept: dict[tuple[int, date], list[HourFigures]] = {}

    def today(self) -> date:
        return day_of(self._payments.node.clock.now_ns(), self.zone)

    # Bills: of the whole merchant alone.

    async def totals(self, key: StaffKey, day: str) -> BillTotals:
        """The day in sums, and whether they agree with the ledger. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS, DAY_MALFORMED, DAY_NOT_BEGUN."""
        account, of = self._asked(key, day)
        opening = await self._balance_before(account, of)
        found = await self._bills.totals(account, of)
        closing = await self._payments.statements.balance_at(account, of.until_ns - 1)
        now_ns = self._payments.node.clock.now_ns()
        return BillTotals(
            day=day,
            currency=self.currency,
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

    def trades(self, key: StaffKey, day: str) -> AsyncIterator[bytes]:
        """The trade bill as CSV. Refuses as `totals`."""
        return self._bills.trades(*self._asked(key, day))

    async def funds(self, key: StaffKey, day: str) -> AsyncIterator[bytes]:
        """The fund-flow bill as CSV. Refuses as `totals`."""
        account, of = self._asked(key, day)
        return self._bills.funds(account, of, await self._balance_before(account, of))

    # Figures.

    async def hours(self, key: StaffKey, days: Days) -> list[HourFigures]:
        """
        What was taken and given back in these days, by hour and shop, as the key sees it.

        A day that is over is counted once: nothing of it changes any more. Refuses ROLE_MAY_NOT.
        """
        key.check_right(Right.READ)
        account = chart.merchant_account(key.merchant_id, self._payments.chart.currency)
        missing = [day for day in days.all if (account, day) not in self._kept]
        fresh: list[HourFigures] = []
        if missing:
            fresh = await self._bills.hours(account, Days.of(missing[0], missing[-1], self.zone))
            self._keep(account, missing, fresh)
        begun = {each.day for each in fresh}
        found = [each for day in days.all if day not in begun for each in self._kept.get((account, day), ())]
        return [each for each in (*found, *fresh) if key.sees(key.merchant_id, each.shop_id)]

    def _keep(self, account: int, days: list[date], fresh: list[HourFigures]) -> None:
        over = day_of(self._payments.node.clock.now_ns() - _DURABLE_WITHIN_NS, self.zone)
        if len(self._kept) > _DAYS_KEPT_MAX:
            self._kept.clear()
        for day in days:
            if day < over:
                self._kept[account, day] = [each for each in fresh if each.day == day]

    # Sales.

    async def sales(self, key: StaffKey, search: SaleSearch, limit: int) -> tuple[list[Sale], int]:
        """
        The newest of those looked for that the key sees, and `before_ns` for more, 0 at the end.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS.
        """
        limit = min(limit, SALES_PAGE_MAX)
        account, search = self._scoped(key, search)
        found = await self._sales.newest(account, search, limit)
        return found, found[-1].asked_ns if len(found) == limit else 0

    def all_sales(self, key: StaffKey, search: SaleSearch) -> AsyncIterator[list[Sale]]:
        """All of those looked for, oldest first, in batches: for export. Refuses as `sales`."""
        return self._sales.all(*self._scoped(key, search))

    async def sale(self, key: StaffKey, payment_id: int) -> SaleLife:
        """One sale with all that became of it. Refuses ROLE_MAY_NOT; PAYMENT_UNKNOWN, for another's just as for none."""
        key.check_right(Right.READ)
        account = chart.merchant_account(key.merchant_id, self._payments.chart.currency)
        payment, outcome = await self._payments.statements.payment(payment_id, account)
        if not key.sees(payment.merchant_id, payment.shop_id):
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN)
        journal = self._payments.node.journal
        refunds = await warmed(journal, lambda: self._payments.refunds.of_payment(payment_id))
        left = await warmed(journal, lambda: self._payments.refunds.left(payment_id, payment.shares))
        request = None
        if not payment.is_static:
            request = await warmed(journal, lambda: self._requests.request(payment.request_id))
        return SaleLife(payment=payment, outcome=outcome, request=request, refunds=refunds, left=left.gross)

    def _scoped(self, key: StaffKey, search: SaleSearch) -> tuple[int, SaleSearch]:
        key.check_right(Right.READ)
        account = chart.merchant_account(key.merchant_id, self._payments.chart.currency)
        shop_id = key.shop_for(search.shop_id)
        return account, msgspec.structs.replace(search, shop_id=shop_id)

    def _asked(self, key: StaffKey, day: str) -> tuple[int, BillDay]:
        """Whose account, and which day. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS, DAY_MALFORMED, DAY_NOT_BEGUN."""
        key.check_right(Right.READ)
        key.check_whole_merchant()
        account = chart.merchant_account(key.merchant_id, self._payments.chart.currency)
        return account, BillDay.read(day, self.zone, self._payments.node.clock.now_ns())

    async def _balance_before(self, account: int, day: BillDay) -> int:
        """What was on the account before the day."""
        return await self._payments.statements.balance_at(account, day.from_ns - 1)
