"""Daily bills: a day in sums, held against the ledger, and the day's lines as files."""

from datetime import timedelta
from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from hutong.institution.bills.bill import Days, read_day
from hutong.institution.bills.figures import Figures, totals_by
from hutong.institution.merchants.staff import SignedInStaff
from hutong.web.console.export import CsvSheet
from hutong.web.console.place import Console
from hutong.web.page import HEADERS, AnyRequest

_DAYS = 31


def bill_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/bills...`."""

    @get("/bills")
    async def bills(request: AnyRequest) -> Response[Any]:
        who: SignedInStaff = request.auth
        if day := request.query_params.get("day", ""):
            return console.pages.go(f"/console/bills/{read_day('day', day)}")
        who.key.check_whole_merchant()
        today = console.bills.today()
        days = Days.of(today - timedelta(days=_DAYS - 1), today, console.bills.zone)
        found = totals_by(await console.bills.hours(who.key, days), lambda each: each.day)
        rows = [(day, found.get(day, Figures())) for day in reversed(days.all)]
        return await console.page(request, "bills.html", "bills", rows=rows, today=today)

    @get("/bills/{day:str}")
    async def bill(request: AnyRequest, day: FromPath[str]) -> Response[str]:
        who: SignedInStaff = request.auth
        totals = await console.bills.totals(who.key, day)
        return await console.page(request, "bill.html", "bills", totals=totals, date=read_day("day", day))

    @get("/bills/{day:str}/trades.csv")
    async def trades(request: AnyRequest, day: FromPath[str]) -> Stream:
        return Stream(console.bills.trades(request.auth.key, day), headers=_file("trades", day), media_type=_CSV)

    @get("/bills/{day:str}/funds.csv")
    async def funds(request: AnyRequest, day: FromPath[str]) -> Stream:
        found = await console.bills.funds(request.auth.key, day)
        return Stream(found, headers=_file("funds", day), media_type=_CSV)

    return [bills, bill, trades, funds]


_CSV = CsvSheet.media_type


def _file(name: str, day: str) -> dict[str, str]:
    return HEADERS | {"content-disposition": f'attachment; filename="{name}-{day}.csv"'}
