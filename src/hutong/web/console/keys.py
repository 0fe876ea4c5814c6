"""API keys: issued, renewed and revoked by the owner. A key's secret is shown once, on the page that answers."""

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.merchant import NAME_LENGTH_MAX
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.staff_key import Role
from hutong.institution.merchants.views import KEY_PREFIX, SHOP_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.http import HttpReason
from hutong.web.console.place import Console
from hutong.web.language import phrase
from hutong.web.page import AnyRequest
from hutong.web.staff import ROLE_NAMES

# What a key may do: a till's charges, a back office reads, an owner's does everything.
_ROLES = {
    Role.CASHIER: phrase("A till: charges and looks"),
    Role.READER: phrase("A report: only looks"),
    Role.OWNER: phrase("Everything, like the owner"),
}
_FIELDS = ("name", "role", "shop")


def key_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/keys...`."""
    merchants = console.institution.merchants

    async def shown(
        request: AnyRequest, typed: dict[str, str] | None = None, refusal: Refusal | None = None, token: str = ""
    ) -> Response[str]:
        who: SignedInStaff = request.auth
        keys = await console.look(lambda: merchants.keys(who.key))
        return await console.page(
            request,
            "keys.html",
            "keys",
            refusal,
            keys=sorted(keys, key=lambda key: (bool(key.revoked_ns), -key.created_ns)),
            key_text=_key_text,
            shops=[shop for shop in await console.shops(who) if shop.is_open],
            shop_names=await console.shop_names(who),
            roles=_ROLES,
            role_names=ROLE_NAMES,
            typed=typed or dict.fromkeys(_FIELDS, ""),
            token=token,
            issue_id=id_text("iss", console.institution.node.mint.mint()),
            name_max=NAME_LENGTH_MAX,
        )

    @get("/keys")
    async def keys(request: AnyRequest) -> Response[str]:
        return await shown(request)

    @post("/keys", status_code=200)
    async def issue(request: AnyRequest) -> Response[str]:
        form = await console.pages.form(request)
        typed = {name: form.text(name, length_max=80) for name in _FIELDS}
        try:
            if typed["role"] not in set(_ROLES):
                raise Refusal(HttpReason.FIELD_INVALID, field="role", problem="none of the roles")
            shop_id = parse_id(SHOP_PREFIX, typed["shop"]) if typed["shop"] else 0
            issue_id = form.needed("issue_id", length_max=40)
            role, name = Role(typed["role"]), typed["name"]
            _, token = await console.act(lambda: merchants.issue_key(request.auth.key, role, name, shop_id, issue_id))
        except Refusal as refusal:
            return await shown(request, typed, refusal)
        return await shown(request, token=token)

    @post("/keys/{key_id:str}/rotate", status_code=200)
    async def rotate(request: AnyRequest, key_id: FromPath[str]) -> Response[str]:
        form = await console.pages.form(request)
        id_, rotation = parse_id(KEY_PREFIX, key_id), form.needed("issue_id", length_max=40)
        _, token = await console.act(lambda: merchants.rotate_key(request.auth.key, id_, rotation))
        return await shown(request, token=token)

    @post("/keys/{key_id:str}/revoke", status_code=200)
    async def revoke(request: AnyRequest, key_id: FromPath[str]) -> Response[None]:
        await console.pages.form(request)
        id_ = parse_id(KEY_PREFIX, key_id)
        await console.act(lambda: merchants.revoke_key(request.auth.key, id_))
        return console.pages.go("/console/keys")

    return [keys, issue, rotate, revoke]


def _key_text(key_id: int) -> str:
    return id_text(KEY_PREFIX, key_id)
