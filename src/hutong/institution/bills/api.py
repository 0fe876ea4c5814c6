"""Bills over HTTP, for whoever holds a staff key of the whole merchant."""

import msgspec
from litestar import Controller, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, SkipValidation
from litestar.response import Stream

from hutong.institution.bills.bill import BillTotals, Days, read_day
from hutong.institution.bills.figures import HourFigures
from hutong.institution.bills.service import BillService
from hutong.institution.door_api import Door, key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.merchants.views import SHOP_PREFIX
from hutong.kernel.ids import id_text
from hutong.runtime.node import NodeRuntime

CSV = "text/csv; charset=utf-8"
Key = NamedDependency[SkipValidation[StaffKey]]
Service = NamedDependency[SkipValidation[BillService]]


class Bills(Controller):
    """A merchant's day: 交易账单 and 资金账单, equal to the ledger to the fen."""

    path = "/merchant/bills"
    tags = ("Merchant: bills",)

    @get("/{day:str}")
    async def totals(self, bills: Service, key: Key, day: FromPath[str]) -> BillTotals:
        """The day in sums, and whether they agree with the ledger."""
        return await bills.totals(key, day)

    @get("/{day:str}/trades.csv", media_type=CSV)
    async def trades(self, bills: Service, key: Key, day: FromPath[str]) -> Stream:
        """What was sold and given back: a line for each payment and refund, in the order they were completed."""
        return Stream(bills.trades(key, day), media_type=CSV)

    @get("/{day:str}/funds.csv", media_type=CSV)
    async def funds(self, bills: Service, key: Key, day: FromPath[str]) -> Stream:
        """Every movement of the account, each with the balance behind it."""
        return Stream(await bills.funds(key, day), media_type=CSV)


class FiguresView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One hour at one shop, in minor units; an hour in which nothing happened is left out. `other` is of no shop."""

    day: str
    hour: int
    shop_id: str = ""
    payments: int
    gross: int
    fees: int
    refunds: int
    refunded: int
    fees_back: int
    net: int
    other: int


@get("/merchant/figures", tags=["Merchant: bills"])
async def figures(bills: Service, key: Key, first: FromQuery[str], last: FromQuery[str]) -> list[FiguresView]:
    """What was taken and given back from the day `first` to the day `last`, by hour and shop; at most 366 days."""
    days = Days.of(read_day("first", first), read_day("last", last), bills.zone)
    return [_figures_view(each) for each in await bills.hours(key, days)]


def _figures_view(hour: HourFigures) -> FiguresView:
    shop_id = id_text(SHOP_PREFIX, hour.shop_id) if hour.shop_id else ""
    return FiguresView(
        day=hour.day.isoformat(), hour=hour.hour, shop_id=shop_id, **msgspec.structs.asdict(hour.figures)
    )


def bills_api(node: NodeRuntime, bills: BillService, merchants: MerchantService) -> Router:
    """The handlers for `make_app`."""
    return Door("key", key_guard(node, merchants)).router("/v1", [Bills, figures], bills=bills)
