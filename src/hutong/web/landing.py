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
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from hutong.codes.picture import QUIET_ZONE, qr_symbol
from hutong.codes.plate import PATH
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


def landing_page(
    pages: Pages, plate_base: str, wallets: Callable[[], Sequence[WalletLink]], payee_of: Callable[[str], Any]
) -> ControllerRouterHandler:
    """`GET /q/{id}`. `payee_of` awaits the `Payee` of a code's text, or refuses by name."""

    @get(f"{PATH}{{plate_id:str}}")
    async def landing(request: AnyRequest, plate_id: FromPath[str]) -> Response[str]:
        code = f"{plate_base}{PATH}{plate_id}"
        try:
            payee: Payee = await payee_of(code)
        except Refusal as refusal:
            reason = refusal.reason
            why = pages.words(request).refusal(refusal)
            return pages.render(request, _TEMPLATE, status=status_of(reason), payee=None, why=why, reason=reason.name)
        links = [{"name": wallet.name, "href": wallet.href(code)} for wallet in wallets()]
        return pages.render(request, _TEMPLATE, payee=payee, wallets=links, picture=_picture(code))

    return pages.router("/", [landing], None)


def _picture(code: str) -> Markup:
    """The picture as an element of the page, as large as the page wants it."""
    svg = qr_symbol(code).svg_inline(border=QUIET_ZONE, light="white", omitsize=True)
    return Markup(svg)  # noqa: S704  # Our own drawing of a code that was just recognised.
