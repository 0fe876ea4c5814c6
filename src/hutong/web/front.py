"""A node's first page: the ways in, and what all its pages need: its colours, its mark, its language switch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from markupsafe import escape

from hutong.kernel.errors import Refusal
from hutong.runtime.http import HttpReason
from hutong.web.assets import assets
from hutong.web.brand import Brand
from hutong.web.language import COOKIE, LANGUAGES, phrase
from hutong.web.page import AnyRequest, Pages, own_path
from hutong.web.sandbox import SamplePerson, SampleStaff, Sandbox

_YEAR_S = 365 * 86_400
# Of the running process: its colours may change with a restart, and nobody minds an hour.
_HOUR = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class WayIn:
    """One door of a node: `what` and `why` are phrases to be translated."""

    path: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another node of the network, as the switch's first page lists it. `sandbox` where it is for trying out."""

    node: str
    name: str
    url: str
    colour: str = ""
    sandbox: Sandbox | None = None

    @property
    def initial(self) -> str:
        """The letter of its mark."""
        return Brand(self.node, self.name, self.colour).initial

    @property
    def people(self) -> Sequence[SamplePerson]:
        return () if self.sandbox is None else self.sandbox.people()

    @property
    def staff(self) -> Sequence[SampleStaff]:
        return () if self.sandbox is None else self.sandbox.staff()


INSTITUTION_DOORS = (
    WayIn("/wallet", phrase("Wallet"), phrase("Scan, pay and be paid, on a phone.")),
    WayIn("/till", phrase("Till"), phrase("Take money at a shop: show a code, or scan the customer's.")),
    WayIn("/console", phrase("Merchant console"), phrase("Figures, payments, bills, shops, staff and plates.")),
    WayIn("/desk", phrase("Institution desk"), phrase("Users, merchants, limits and the ledger.")),
    WayIn("/docs", phrase("API"), phrase("Every endpoint, with pages to try them.")),
)
# Where campaigns are.
SPONSORS_DOOR = WayIn("/sponsor", phrase("Sponsors"), phrase("Your money in campaigns, and what it brings."))
SWITCH_DOORS = (
    WayIn("/desk", phrase("Operator desk"), phrase("Participants, positions, settlement, cases.")),
    WayIn("/docs", phrase("API"), phrase("Every endpoint, with pages to try them.")),
)

ROLES = {
    "OWNER": phrase("Owner"),
    "MANAGER": phrase("Manager"),
    "CASHIER": phrase("Cashier"),
    "ACCOUNTANT": phrase("Accountant"),
}


def front_pages(
    pages: Pages, doors: Sequence[WayIn], neighbours: Callable[[], Sequence[Neighbour]] = tuple
) -> list[ControllerRouterHandler]:
    """`GET /`, and what every page of the node asks for."""

    @get("/", include_in_schema=False, sync_to_thread=False)
    def front(request: AnyRequest) -> Response[str]:
        there = neighbours()
        payer_at = next((each for each in there if each.people), None)
        if payer_at is not None:
            shop_at = next((each for each in there if each.staff and each is not payer_at), None)
            return pages.render(
                request,
                "front/newcomer.html",
                doors=doors,
                neighbours=there,
                payer_at=payer_at,
                shop_at=shop_at,
                roles=ROLES,
            )
        return pages.render(request, "front/front.html", doors=doors, neighbours=there)

    return [pages.router("/", [front], None), *brand_pages(pages)]


def brand_pages(pages: Pages) -> list[ControllerRouterHandler]:
    """What every page asks for: scripts and styles, colours, the mark, another language."""

    @get("/brand.css", include_in_schema=False, media_type="text/css", sync_to_thread=False)
    def colours() -> Response[str]:
        return Response(pages.brand.css, headers=_HOUR)

    @get("/brand.svg", include_in_schema=False, media_type="image/svg+xml", sync_to_thread=False)
    def mark() -> Response[str]:
        return Response(_mark(pages), headers=_HOUR)

    return [pages.router("/", [colours, mark, _language(pages)], None), assets()]


def _language(pages: Pages) -> HTTPRouteHandler:
    @get("/language/{language:str}", sync_to_thread=False)
    def choose(request: AnyRequest, language: FromPath[str]) -> Response[None]:
        if language not in LANGUAGES:
            raise Refusal(HttpReason.ROUTE_UNKNOWN)
        answer = pages.go(own_path(request.query_params.get("next", ""), "/"))
        answer.set_cookie(key=COOKIE, value=language, max_age=_YEAR_S, samesite="lax", path="/")
        return answer

    return choose


def _mark(pages: Pages) -> str:
    """The brand's mark: its initial on its colour."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        f'<rect width="64" height="64" rx="14" fill="{pages.brand.colour}"/>'
        '<text x="32" y="45" text-anchor="middle" font-size="36" font-weight="700" fill="#fff" '
        f'font-family="PingFang SC,Noto Sans SC,sans-serif">{escape(pages.brand.initial)}</text></svg>'
    )
