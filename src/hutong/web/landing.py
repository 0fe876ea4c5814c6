"""
Where a plate's link leads when a phone's plain camera opens it: who is paid, how much, and a choice of wallets.

The page asks nothing, stores nothing and runs no script; paying happens in the payer's wallet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from hutong.codes.picture import QUIET_ZONE, qr_symbol
from hutong.codes.plate import PATH, PlateKind, read_plate_id
from hutong.kernel.errors import Refusal
from hutong.runtime.http import status_of
from hutong.web.page import AnyRequest, Pages

_TEMPLATE = "kit/landing.html"


@dataclass(frozen=True, slots=True)
class WalletLink:
    """A wallet of the network and how it is opened on a code: `{code}` stands for the code, percent-encoded."""

    name: str
    template: str

    def href(self, code: str) -> str:
        """The link that opens the wallet on this code."""
        return self.template.replace("{code}", quote(code, safe=""))


class Payee(Protocol):
    """What the page says of who is paid."""

    @property
    def name(self) -> str: ...
    @property
    def shop_name(self) -> str: ...
    @property
    def amount(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def remark(self) -> str: ...
    @property
    def is_gift(self) -> bool:
        """Nobody is paid: whoever opens it is."""
        ...


def landing_page(
    pages: Pages,
    plate_base: str,
    wallets: Callable[[], Sequence[WalletLink]],
    payee_of: Callable[[str], Any],
    code_of: Callable[[str], Any],
) -> ControllerRouterHandler:
    """
    `GET /q/{id}`, and `GET /prepay/{prepay_id}`, which leads there.

    `payee_of` awaits the `Payee` of a code's text, `code_of` the code of an order that an app or a page names by its prepay
    id; both refuse by name.
    """

    def closed(request: AnyRequest, refusal: Refusal, *, is_gift: bool) -> Response[str]:
        reason, why = refusal.reason, pages.words(request).refusal(refusal)
        told = {"payee": None, "why": why, "reason": reason.name, "is_gift": is_gift}
        return pages.render(request, _TEMPLATE, status=status_of(reason), **told)

    @get(f"{PATH}{{plate_id:str}}")
    async def landing(request: AnyRequest, plate_id: FromPath[str]) -> Response[str]:
        code = f"{plate_base}{PATH}{plate_id}"
        canonical = f'<{plate_base}{PATH}{quote(plate_id, safe="")}>; rel="canonical"'
        try:
            payee: Payee = await payee_of(code)
        except Refusal as refusal:
            page = closed(request, refusal, is_gift=_is_gift(plate_id))
            page.headers["link"] = canonical
            return page
        links = [{"name": wallet.name, "href": wallet.href(code)} for wallet in wallets()]
        page = pages.render(request, _TEMPLATE, payee=payee, wallets=links, picture=_picture(code))
        page.headers["link"] = canonical
        return page

    @get("/prepay/{prepay_id:str}")
    async def prepaid(request: AnyRequest, prepay_id: FromPath[str]) -> Response[Any]:
        try:
            code = await code_of(prepay_id)
        except Refusal as refusal:
            return closed(request, refusal, is_gift=False)
        return Redirect(f"{PATH}{code.rpartition('/')[2]}", status_code=HTTP_303_SEE_OTHER)

    return pages.router("/", [landing, prepaid], None)


def _is_gift(plate_id: str) -> bool:
    """Whether a link is of a red packet, whatever became of it."""
    try:
        return read_plate_id(plate_id).kind is PlateKind.RED_PACKET
    except Refusal:
        return False


def _picture(code: str) -> Markup:
    """The picture as an element of the page, as large as the page wants it."""
    svg = qr_symbol(code).svg_inline(border=QUIET_ZONE, light="white", omitsize=True)
    return Markup(svg)  # noqa: S704  # Our own drawing of a code that was just recognised.
