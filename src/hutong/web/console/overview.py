"""The first page: today, this week and this month in figures and charts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from litestar import Response, get
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from hutong.institution import chart
from hutong.institution.bills.bill import Days
from hutong.institution.bills.figures import Figures, HourFigures, total, totals_by
from hutong.institution.bills.sale import SaleSearch
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.staff_key import Right
from hutong.web.chart import Series, bars, money_chart
from hutong.web.console.place import Console
from hutong.web.language import Words
from hutong.web.page import AnyRequest

_LATEST = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """A period in figures, and what there was in the one before, up to the same point of it."""

    title: str
    figures: Figures
    before_title: str
    before: Figures


def overview_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console`."""

    @get("/")
    async def overview(request: AnyRequest) -> Response[str]:
        who: SignedInStaff = request.auth
        _ = console.pages.words(request)
        today = console.bills.today()
        month_first = today.replace(day=1)
        week_first = today - timedelta(days=today.weekday())
        last_month_first = (month_first - timedelta(days=1)).replace(day=1)
        first = min(last_month_first, week_first - timedelta(days=7))
        hours = await console.bills.hours(who.key, Days.of(first, today, console.bills.zone))
        so_far = (today - month_first).days
        last_month_last = min(last_month_first + timedelta(days=so_far), month_first - timedelta(days=1))
        yesterday = today - timedelta(days=1)
        tiles = [
            Tile(_("Today"), _sum(hours, today, today), _("Yesterday"), _sum(hours, yesterday, yesterday)),
            Tile(
                _("This week"),
                _sum(hours, week_first, today),
                _("Last week, as far"),
                _sum(hours, week_first - timedelta(days=7), today - timedelta(days=7)),
            ),
            Tile(
                _("This month"),
                _sum(hours, month_first, today),
                _("Last month, as far"),
                _sum(hours, last_month_first, last_month_last),
            ),
        ]
        month = [each for each in hours if month_first <= each.day <= today]
        names = await console.shop_names(who)
        by_shop = sorted(totals_by(month, lambda each: each.shop_id).items(), key=lambda entry: -entry[1].gross)
        search = SaleSearch(days=Days.of(first, today, console.bills.zone))
        latest = (await console.bills.sales(who.key, search, _LATEST))[0]
        balance = None
        if who.key.has_right(Right.BOOKS) and not who.key.shop_id:
            account = chart.merchant_account(who.key.merchant_id, console.institution.chart.currency)
            balance = await console.institution.payments.statements.balance(account)
        return await console.page(
            request,
            "overview.html",
            "overview",
            tiles=tiles,
            balance=balance,
            today_chart=_by_hour(_, [each for each in hours if each.day == today]),
            month_chart=_by_day(_, _("This month by day"), month, month_first, _month_last(month_first)),
            week_chart=_by_day(_, _("This week by day"), hours, week_first, week_first + timedelta(days=6)),
            by_shop=[(names.get(shop_id) or _("No shop"), figures) for shop_id, figures in by_shop if figures.payments],
            latest=latest,
            shop_names=names,
        )

    return [overview]


def _sum(hours: Iterable[HourFigures], first: date, last: date) -> Figures:
    return total(each for each in hours if first <= each.day <= last)


def _month_last(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _by_hour(_: Words, hours: Iterable[HourFigures]) -> Markup:
    found = totals_by(hours, lambda each: each.hour)
    figures = [found.get(hour, Figures()) for hour in range(24)]
    labels = [f"{hour}:00" for hour in range(24)]
    return bars(_, money_chart(_, _("Today by hour"), labels, _series(_, figures)))


def _by_day(_: Words, caption: str, hours: Iterable[HourFigures], first: date, last: date) -> Markup:
    found = totals_by(hours, lambda each: each.day)
    days = [first + timedelta(days=each) for each in range((last - first).days + 1)]
    labels = [_.day(day, "EEE d" if len(days) <= 7 else "d") for day in days]
    figures = [found.get(day, Figures()) for day in days]
    return bars(_, money_chart(_, caption, labels, _series(_, figures)))


def _series(_: Words, figures: list[Figures]) -> list[Series]:
    return [
        Series(_("Taken"), [each.gross for each in figures]),
        Series(_("Given back"), [each.refunded for each in figures]),
    ]
