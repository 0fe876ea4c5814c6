"""
Where a plate's link leads when a phone's plain camera opens it: who is paid, how much, and a choice of wallets.

The page asks nothing, stores nothing and runs no script; paying happens in the payer's wallet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from markupsafe import Markup

from hutong.codes.picture import QUIET_ZONE, qr_symbol
from hutong.codes.plate import PATH
from hutong.kernel.errors import Refusal
from hutong.kernel.money import currency_of, format_amount
from hutong.runtime.http import status_of
from hutong.web.language import language_of, words

_PAGES = Environment(
    loader=PackageLoader("hutong.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
# Nothing of another host, no script: whoever gets a text of theirs into a name gets no further.
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "vary": "accept-language",
}


@dataclass(frozen=True, slots=True)
class WalletLink:
    """A wallet of the network and how its app is opened on a code: `{code}` stands for the code, percent-encoded."""

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
    plate_base: str, wallets: Callable[[], Sequence[WalletLink]], payee_of: Callable[[str], Any]
) -> HTTPRouteHandler:
    """`GET /q/{id}`. `payee_of` awaits the `Payee` of a code's text, or refuses by name."""

    @get(f"{PATH}{{plate_id:str}}", media_type=MediaType.HTML, include_in_schema=False)
    async def landing(request: Request[Any, Any, Any], plate_id: FromPath[str]) -> Response[str]:
        code = f"{plate_base}{PATH}{plate_id}"
        language = language_of(request.headers.get("accept-language", ""))
        try:
            payee: Payee = await payee_of(code)
        except Refusal as refusal:
            page = _render(language, title="Hutong 互通", payee=None, reason=refusal.reason.name)
            return Response(page, status_code=status_of(refusal.reason), headers=_HEADERS)
        currency = currency_of(payee.currency)
        amount = f"{format_amount(payee.amount, currency)} {currency.alpha}" if payee.amount else ""
        links = [{"name": wallet.name, "href": wallet.href(code)} for wallet in wallets()]
        page = _render(
            language,
            title=payee.name,
            payee=payee,
            amount=amount,
            wallets=links,
            picture=Markup(_svg(code)),  # noqa: S704  # Our own drawing of a code that was just recognised.
        )
        return Response(page, headers=_HEADERS)

    return landing


def _svg(code: str) -> str:
    """The picture as an element of the page, as large as the page wants it."""
    return str(qr_symbol(code).svg_inline(border=QUIET_ZONE, light="white", omitsize=True))


def _render(language: str, **values: Any) -> str:
    return _PAGES.get_template("kit/landing.html").render(language=language, _=words(language), **values)
