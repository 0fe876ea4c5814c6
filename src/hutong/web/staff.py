"""The door of a merchant's staff: signing in with telephone and PIN, choosing a PIN, choosing a merchant."""

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler, Guard

from hutong.institution.merchants.staff import MEMBER_PREFIX, SignedInStaff, StaffMember
from hutong.institution.merchants.staff_key import Right, Role
from hutong.institution.node import InstitutionNode
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive, id_text, parse_id
from hutong.runtime.http import HttpReason
from hutong.runtime.shelf import decided, warmed
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.page import AnyRequest, Pages, Realm, guarded, own_path

STAFF = Realm("staff", "/staff/sign-in")
ROLE_NAMES = {
    Role.OWNER: phrase("Owner"),
    Role.MANAGER: phrase("Manager"),
    Role.CASHIER: phrase("Cashier"),
    Role.ACCOUNTANT: phrase("Accountant"),
    Role.READER: phrase("Reader"),
}
_DEVICE = "staff-device"
_DEVICE_PREFIX = "dev"
_COOKIE_LIFE_S = 30 * 86_400  # The session itself ends long before, when nobody uses it.
_SAMPLE_DEVICE = 1 << 80
_AT_THE_TILL = frozenset({Role.MANAGER, Role.CASHIER})
_SENT = phrase("We sent a code to %(phone)s. It is good for five minutes.")
_SENT_BEFORE = phrase("A code was sent to %(phone)s a moment ago. Type that one, or wait a minute for another.")


def staff_guard(institution: InstitutionNode, pages: Pages, right: Right = Right.READ, *, is_act: bool = True) -> Guard:
    """
    Lets in signed-in staff whose role has the right; they are `request.auth`, a `SignedInStaff`, then.

    What a page asks by itself, with nobody's hand on it, is no act: it keeps no session alive.
    Refuses:  TOKEN_MISSING, SESSION_UNKNOWN, SESSION_EXPIRED, which lead to the sign-in; ROLE_MAY_NOT.
    """

    async def known(request: AnyRequest) -> SignedInStaff:
        token = pages.token(request, STAFF)
        look = institution.staff.use if is_act else institution.staff.signed_in
        who = await warmed(institution.node.journal, lambda: look(token))
        who.key.check_right(right)
        return who

    return guarded(known)


class Door:
    """What the handlers share: the staff service, and the browser as a device."""

    def __init__(self, institution: InstitutionNode, pages: Pages) -> None:
        self.node = institution.node
        self.staff = institution.staff
        self.merchants = institution.merchants
        self.pages = pages

    def device(self, request: AnyRequest) -> int:
        """The device that this browser is; a new one where it is none yet."""
        try:
            return parse_id(_DEVICE_PREFIX, self.pages.kept(request, _DEVICE))
        except Refusal:
            return self.node.mint.mint()

    def entered(self, request: AnyRequest, begun: tuple[SignedInStaff, str], device_id: int, path: str) -> Redirect:
        """Somebody came in: keep who, and on which device."""
        who, token = begun
        otherwise = "/till" if Role(who.member.role) in _AT_THE_TILL else "/console"
        answer = self.pages.signed_in(request, STAFF, token, _COOKIE_LIFE_S, own_path(path, otherwise))
        self.pages.keep(request, answer, _DEVICE, id_text(_DEVICE_PREFIX, device_id))
        return answer

    async def leave(self, request: AnyRequest) -> None:
        """Whoever was signed in here before is no longer."""
        token = self.pages.kept(request, STAFF.name)
        if token:
            try:
                await decided(self.node.journal, lambda: self.staff.sign_out(token))
            except Refusal:
                return  # No token of ours: nobody was.

    async def send(self, request: AnyRequest, phone: str, purpose: Purpose) -> str:
        """Send a code, and say so; also where one was sent a moment ago. Refuses PHONE_MALFORMED."""
        _ = self.pages.words(request)
        try:
            await decided(self.node.journal, lambda: self.staff.request_code(phone, purpose))
        except Refusal as refusal:
            if refusal.reason is not PeopleReason.CODE_REQUESTS_EXHAUSTED:
                raise
            return _(_SENT_BEFORE, phone=phone)
        return _(_SENT, phone=phone)

    def asked(self, request: AnyRequest, phone: str, done: str, path: str, *, purpose: Purpose) -> Response[str]:
        """The form that takes the code."""
        template = "staff/pin.html" if purpose is Purpose.STAFF_PIN else "staff/sign_in.html"
        return self.pages.render(
            request, template, **_given(phone, path, asks_code=True), shown=self.shown_code(phone), done=done
        )

    def shown_code(self, phone: str) -> str:
        """What a network for trying out would have texted."""
        sandbox = self.pages.sandbox
        return sandbox.one_time_code(phone if phone.startswith("+") else "+86" + phone) if sandbox and phone else ""


def staff_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """`/staff/...`: signing in and out, choosing a PIN and a merchant."""
    door = Door(institution, pages)
    inside = [staff_guard(institution, pages)]
    return [
        pages.router("/staff", [*_sign_in(door), *_pin(door)], None),
        pages.router("/staff", _choosing(door), STAFF, inside),
    ]


def _sign_in(door: Door) -> list[ControllerRouterHandler]:
    pages = door.pages

    @get("/sign-in", sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        path = own_path(request.query_params.get("next", ""), "")
        return pages.render(request, "staff/sign_in.html", **_given("", path), shown="")

    @post("/sign-in", status_code=200)
    async def sign_in(request: AnyRequest) -> Response[str] | Redirect:
        form = await pages.form(request)
        phone, path, code = form.text("phone"), own_path(form.text("next"), ""), form.text("code")
        device_id = door.device(request)
        try:
            begun = await door.staff.sign_in(_needed(form, "phone"), _needed(form, "pin"), device_id, code=code)
        except Refusal as refusal:
            asks_code = bool(code)
            if refusal.reason is PeopleReason.ONE_TIME_CODE_NEEDED:
                done = await door.send(request, phone, Purpose.STAFF_SIGN_IN)
                answer = door.asked(request, phone, done, path, purpose=Purpose.STAFF_SIGN_IN)
                pages.keep(request, answer, _DEVICE, id_text(_DEVICE_PREFIX, device_id))
                return answer
            shown = door.shown_code(phone) if asks_code else ""
            given = _given(phone, path, asks_code=asks_code)
            return pages.again(request, "staff/sign_in.html", refusal, **given, shown=shown)
        await door.leave(request)
        several = len(await warmed(door.node.journal, lambda: door.staff.workplaces(begun[0]))) > 1
        return door.entered(request, begun, device_id, f"/staff/choose?next={quote(path)}" if several else path)

    @post("/sign-out", status_code=200)
    async def sign_out(request: AnyRequest) -> Redirect:
        await pages.form(request)
        await door.leave(request)
        return pages.signed_out(request, STAFF, STAFF.sign_in)

    return [show, sign_in, sign_out, *_samples(door)]


def _samples(door: Door) -> list[ControllerRouterHandler]:
    """In a network for trying out: in as one of its sample staff, with one press."""
    sandbox = door.pages.sandbox
    if sandbox is None:
        return []

    @post("/sample", status_code=200)
    async def sample(request: AnyRequest) -> Redirect:
        form = await door.pages.form(request)
        phone = form.needed("phone")
        found = next((each for each in sandbox.staff() if each.phone == phone), None)
        if found is None:
            raise Refusal(HttpReason.ROUTE_UNKNOWN)
        # One device for all browsers that try it out: codes go to a telephone once a minute only.
        device_id = derive(_SAMPLE_DEVICE, phone)
        if not await warmed(door.node.journal, lambda: door.staff.knows_device(phone, device_id)):
            await door.send(request, phone, Purpose.STAFF_SIGN_IN)
        code = sandbox.one_time_code(phone)
        begun = await door.staff.sign_in(phone, found.pin, device_id, code=code)
        await door.leave(request)
        return door.entered(request, begun, device_id, own_path(form.text("next"), ""))

    return [sample]


def _pin(door: Door) -> list[ControllerRouterHandler]:
    pages = door.pages

    @get("/pin", sync_to_thread=False)
    def show(request: AnyRequest) -> Response[str]:
        return pages.render(
            request, "staff/pin.html", **_given(request.query_params.get("phone", "")[:20], ""), shown=""
        )

    @post("/pin/code", status_code=200)
    async def send(request: AnyRequest) -> Response[str]:
        form = await pages.form(request)
        phone = form.text("phone")
        try:
            done = await door.send(request, _needed(form, "phone"), Purpose.STAFF_PIN)
        except Refusal as refusal:
            return pages.again(request, "staff/pin.html", refusal, **_given(phone, ""), shown="")
        return door.asked(request, phone, done, "", purpose=Purpose.STAFF_PIN)

    @post("/pin", status_code=200)
    async def set_pin(request: AnyRequest) -> Response[str] | Redirect:
        form = await pages.form(request)
        phone = form.text("phone")
        device_id = door.device(request)
        try:
            begun = await door.staff.set_pin(
                _needed(form, "phone"), _needed(form, "code"), _needed(form, "pin"), device_id
            )
        except Refusal as refusal:
            given = _given(phone, "", asks_code=True)
            return pages.again(request, "staff/pin.html", refusal, **given, shown=door.shown_code(phone))
        await door.leave(request)
        return door.entered(request, begun, device_id, "")

    return [show, send, set_pin]


def _choosing(door: Door) -> list[ControllerRouterHandler]:
    pages = door.pages

    @get("/choose")
    async def show(request: AnyRequest) -> Response[str]:
        who: SignedInStaff = request.auth
        found = await warmed(door.node.journal, lambda: _named(door, door.staff.workplaces(who)))
        path = own_path(request.query_params.get("next", ""), "")
        return pages.render(
            request, "staff/choose.html", workplaces=found, chosen=who.member.id, next=path, roles=ROLE_NAMES
        )

    @post("/choose", status_code=200)
    async def choose(request: AnyRequest) -> Redirect:
        form = await pages.form(request)
        member_id = parse_id(MEMBER_PREFIX, form.needed("member"))
        who = await decided(door.node.journal, lambda: door.staff.choose(request.auth, member_id))
        otherwise = "/till" if Role(who.member.role) in _AT_THE_TILL else "/console"
        return pages.go(own_path(form.text("next"), otherwise))

    return [show, choose]


def _named(door: Door, members: list[StaffMember]) -> list[tuple[str, StaffMember, str, str]]:
    """Each with its id in words, its merchant's name and its shop's."""
    named = []
    for member in members:
        shop = door.merchants.shop_of(member.merchant_id, member.shop_id)
        merchant = door.merchants.merchant(member.merchant_id).name
        named.append((id_text(MEMBER_PREFIX, member.id), member, merchant, shop.name if shop else ""))
    return named


def _given(phone: str, path: str, *, asks_code: bool = False) -> dict[str, Any]:
    """What the forms are filled in with again; never a PIN."""
    return {"phone": phone, "next": path, "asks_code": asks_code, "role_names": ROLE_NAMES}


def _needed(form: Form, name: str) -> str:
    return form.needed(name, length_max=64)
