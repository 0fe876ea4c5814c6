"""Staff: asked in, given a role and a shop, and let go; each chooses a PIN with a code to their own telephone."""

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.staff import MEMBER_PREFIX, NAME_LENGTH_MAX, SignedInStaff, StaffState
from hutong.institution.merchants.staff_key import Role
from hutong.institution.merchants.views import SHOP_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.http import HttpReason
from hutong.web.console.place import Console
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.page import AnyRequest
from hutong.web.staff import ROLE_NAMES

_ROLES = (Role.OWNER, Role.MANAGER, Role.CASHIER, Role.ACCOUNTANT)
_STATES = {
    StaffState.INVITED.value: (phrase("Invited"), "warn"),
    StaffState.ACTIVE.value: (phrase("Active"), "good"),
    StaffState.REVOKED.value: (phrase("Left"), ""),
}
_FIELDS = ("name", "phone", "role", "shop")


def staff_console_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/staff...`."""
    staff = console.institution.staff

    async def shown(request: AnyRequest, typed: dict[str, str], refusal: Refusal | None = None) -> Response[str]:
        who: SignedInStaff = request.auth
        members = await console.look(lambda: staff.staff(who.key))
        return await console.page(
            request,
            "staff.html",
            "staff",
            refusal,
            members=sorted(members, key=lambda member: member.state == StaffState.REVOKED),
            member_text=_member_text,
            myself=who.member.id,
            shops=[shop for shop in await console.shops(who) if shop.is_open],
            shop_names=await console.shop_names(who),
            roles=_ROLES,
            role_names=ROLE_NAMES,
            states=_STATES,
            typed=typed,
            invitation=id_text("inv", console.institution.node.mint.mint()),
            name_max=NAME_LENGTH_MAX,
        )

    @get("/staff")
    async def members(request: AnyRequest) -> Response[str]:
        return await shown(request, dict.fromkeys(_FIELDS, ""))

    @post("/staff", status_code=200)
    async def invite(request: AnyRequest) -> Response[str]:
        form = await console.pages.form(request)
        typed = {name: form.text(name, length_max=80) for name in _FIELDS}
        try:
            role, shop_id = _role(form), _shop(form)
            invitation = form.needed("invitation", length_max=40)
            await console.act(
                lambda: staff.invite(request.auth.key, invitation, typed["name"], typed["phone"], role, shop_id)
            )
        except Refusal as refusal:
            return await shown(request, typed, refusal)
        return console.pages.go("/console/staff")

    @post("/staff/{member_id:str}/{act:str}", status_code=200)
    async def change(request: AnyRequest, member_id: FromPath[str], act: FromPath[str]) -> Response[str]:
        form = await console.pages.form(request)
        id_, key = parse_id(MEMBER_PREFIX, member_id), request.auth.key
        try:
            match act:
                case "place":
                    role, shop_id = _role(form), _shop(form)
                    await console.act(lambda: staff.place(key, id_, role, shop_id))
                case "reset-pin":
                    await console.act(lambda: staff.reset_pin(key, id_))
                case "revoke":
                    await console.act(lambda: staff.revoke(key, id_))
                case _:
                    raise Refusal(HttpReason.ROUTE_UNKNOWN)
        except Refusal as refusal:
            return await shown(request, dict.fromkeys(_FIELDS, ""), refusal)
        return console.pages.go("/console/staff")

    return [members, invite, change]


def _member_text(member_id: int) -> str:
    return id_text(MEMBER_PREFIX, member_id)


def _role(form: Form) -> Role:
    """Refuses FIELD_INVALID."""
    role = form.text("role", length_max=20)
    if role not in _ROLES:
        raise Refusal(HttpReason.FIELD_INVALID, field="role", problem="none of the roles")
    return Role(role)


def _shop(form: Form) -> int:
    shop = form.text("shop", length_max=40)
    return parse_id(SHOP_PREFIX, shop) if shop else 0
