"""Shops: opened and closed."""

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.merchant import CITY_LENGTH_MAX, NAME_LENGTH_MAX, REFERENCE_LENGTH_MAX
from hutong.institution.merchants.shop import ShopProfile
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.views import SHOP_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.web.console.place import Console
from hutong.web.form import Form
from hutong.web.page import AnyRequest

_LIMITS = {"reference": REFERENCE_LENGTH_MAX, "name": NAME_LENGTH_MAX, "city": CITY_LENGTH_MAX, "latin_city": 15}


def shop_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/shops`: for everybody inside."""

    @get("/shops")
    async def shops(request: AnyRequest) -> Response[str]:
        return await _shown(console, request, dict.fromkeys(_LIMITS, ""))

    return [shops]


def shop_changes(console: Console) -> list[ControllerRouterHandler]:
    """What only an owner does: opening and closing."""
    merchants = console.institution.merchants

    @post("/shops", status_code=200)
    async def open_shop(request: AnyRequest) -> Response[str]:
        form = await console.pages.form(request)
        typed = _typed(form)
        try:
            await console.act(lambda: merchants.open_shop(request.auth.key, ShopProfile(**typed)))
        except Refusal as refusal:
            return await _shown(console, request, typed, refusal)
        return console.pages.go("/console/shops")

    @post("/shops/{shop_id:str}/close", status_code=200)
    async def close_shop(request: AnyRequest, shop_id: FromPath[str]) -> Response[None]:
        await console.pages.form(request)
        id_ = parse_id(SHOP_PREFIX, shop_id)
        await console.act(lambda: merchants.close_shop(request.auth.key, id_))
        return console.pages.go("/console/shops")

    return [open_shop, close_shop]


async def _shown(
    console: Console, request: AnyRequest, typed: dict[str, str], refusal: Refusal | None = None
) -> Response[str]:
    who: SignedInStaff = request.auth
    shops = sorted(await console.shops(who), key=lambda shop: (not shop.is_open, shop.created_ns))
    return await console.page(request, "shops.html", "shops", refusal, shops=shops, typed=typed, limits=_LIMITS)


def _typed(form: Form) -> dict[str, str]:
    return {name: form.text(name, length_max=200) for name in _LIMITS}
