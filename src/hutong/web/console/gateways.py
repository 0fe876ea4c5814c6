"""Gateways: accounts for software that speaks another vendor's protocol, made and ended by the owner."""

from typing import Any, Protocol

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.web.console.place import Console
from hutong.web.language import phrase
from hutong.web.page import AnyRequest

_FIELDS = ("name", "kind", "public_key")
_PEM_MAX = 8000
_NAME_MAX = 64
KINDS = {"wechatpay": phrase("WeChat Pay"), "alipay": phrase("Alipay")}


class GatewayAccounts(Protocol):
    """What the page asks the gateways for; each refuses by name. Accounts are shown as over the API."""

    async def listed(self, key: StaffKey) -> list[Any]: ...
    async def opened(self, key: StaffKey, *, account_id: str, kind: str, name: str, public_key: str) -> Any: ...
    async def renewed(self, key: StaffKey, account_id: str) -> Any: ...
    async def removed(self, key: StaffKey, account_id: str) -> Any: ...


def gateway_pages(console: Console, accounts: GatewayAccounts) -> list[ControllerRouterHandler]:
    """`/console/gateways...`."""

    async def shown(
        request: AnyRequest, typed: dict[str, str] | None = None, refusal: Refusal | None = None, made: Any = None
    ) -> Response[str]:
        who: SignedInStaff = request.auth
        return await console.page(
            request,
            "gateways.html",
            "gateways",
            refusal,
            accounts=await accounts.listed(who.key),
            kinds=KINDS,
            typed=typed or dict.fromkeys(_FIELDS, ""),
            made=made,
            account_id=id_text("gwa", console.institution.node.mint.mint()),
            name_max=_NAME_MAX,
        )

    @get("/gateways")
    async def gateways(request: AnyRequest) -> Response[str]:
        return await shown(request)

    @post("/gateways", status_code=200)
    async def make(request: AnyRequest) -> Response[str]:
        form = await console.pages.form(request)
        typed = {name: form.text(name, length_max=_PEM_MAX) for name in _FIELDS}
        try:
            id_ = form.needed("account_id", length_max=40)
            made = await accounts.opened(request.auth.key, account_id=id_, **typed)
        except Refusal as refusal:
            return await shown(request, typed, refusal)
        return await shown(request, made=made)

    @post("/gateways/{account_id:str}/secrets", status_code=200)
    async def renew(request: AnyRequest, account_id: FromPath[str]) -> Response[str]:
        await console.pages.form(request)
        return await shown(request, made=await accounts.renewed(request.auth.key, account_id))

    @post("/gateways/{account_id:str}/remove", status_code=200)
    async def remove(request: AnyRequest, account_id: FromPath[str]) -> Response[None]:
        await console.pages.form(request)
        await accounts.removed(request.auth.key, account_id)
        return console.pages.go("/console/gateways")

    return [gateways, make, renew, remove]
