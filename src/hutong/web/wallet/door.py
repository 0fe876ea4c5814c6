"""
The wallet's door: signing in, registering, coming in again with another PIN.

A browser is a device of whoever signs in on it: of each of them another one, named after a random name that the browser
alone keeps. On a device of the user's the PIN opens; on any other a one-time code is asked for, too.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler, Guard

from hutong.institution.node import InstitutionNode
from hutong.institution.people.device import SESSION_LIFE_NS, Device, Session
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.phone import parse_phone
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.signed_in import SignedIn
from hutong.institution.people.user import User
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive, id_text, parse_id
from hutong.runtime.http import HttpReason, called_from
from hutong.runtime.shelf import decided, warmed
from hutong.web.form import Form
from hutong.web.page import AnyRequest, Pages, Realm, guarded, own_path
from hutong.web.sandbox import SamplePerson

WALLET = Realm("wallet", "/wallet/sign-in")
HOME = "/wallet"
_BROWSER = "device"  # The cookie, and how its ids are spelled.
_BROWSER_PREFIX = "brw"
_REGISTRATION_PREFIX = "reg"
INVITATION = "invitation"  # The cookie that keeps by whose link somebody came.
_INVITATION_MAX = 200
# The first that a browser names itself by: each also says that it is like those behind it.
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS", "Mac"),
    ("Windows", "Windows"),
    ("Linux", "Linux"),
)
_BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
# A browser that was reported lost, or that another used under this very name, comes again as another.
_ANOTHER_HELPS = frozenset({PeopleReason.DEVICE_LOST, PeopleReason.DEVICE_TAKEN})


def wallet_guard(institution: InstitutionNode, pages: Pages) -> Guard:
    """Lets in whoever is signed in to the wallet; `request.auth` is the session."""

    async def known(request: AnyRequest) -> Session:
        token = pages.token(request, WALLET)
        return await warmed(institution.node.journal, partial(institution.people.session, token))

    return guarded(known)


def door_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """What is open to everybody: `/wallet/sign-in`, `/wallet/register` and what follows from them."""
    door = _Door(institution, pages)

    @get("/wallet/sign-in")
    async def sign_in(request: AnyRequest) -> Response[str]:
        return door.page(request, "wallet/sign_in.html", next_path(request.query_params.get("next", "")), phone="")

    @post("/wallet/sign-in", status_code=200)
    async def give_phone(request: AnyRequest) -> Response[Any]:
        return await door.ask_secrets(request, await pages.form(request))

    @post("/wallet/sign-in/secrets", status_code=200)
    async def give_secrets(request: AnyRequest) -> Response[Any]:
        return await door.sign_in(request, await pages.form(request))

    @post("/wallet/sign-in/forgotten", status_code=200)
    async def forget_pin(request: AnyRequest) -> Response[Any]:
        return await door.ask_forgetful(request, await pages.form(request))

    @post("/wallet/sign-in/code", status_code=200)
    async def give_code_alone(request: AnyRequest) -> Response[Any]:
        return await door.sign_in_forgetful(request, await pages.form(request))

    @post("/wallet/sign-in/sample", status_code=200)
    async def be_sample(request: AnyRequest) -> Response[Any]:
        return await door.sign_in_sample(request, await pages.form(request))

    @get("/wallet/register")
    async def register(request: AnyRequest) -> Response[str]:
        return door.page(
            request, "wallet/register.html", next_path(request.query_params.get("next", "")), phone="", name=""
        )

    @post("/wallet/register", status_code=200)
    async def give_name(request: AnyRequest) -> Response[Any]:
        return await door.ask_code(request, await pages.form(request))

    @post("/wallet/register/code", status_code=200)
    async def give_code(request: AnyRequest) -> Response[Any]:
        return await door.register(request, await pages.form(request))

    coming_in = [sign_in, give_phone, give_secrets, forget_pin, give_code_alone, be_sample]
    handlers = [*coming_in, register, give_name, give_code]
    return [pages.router("/", handlers, None)]


@dataclass(frozen=True, slots=True)
class _Door:
    """What the handlers do."""

    institution: InstitutionNode
    pages: Pages

    def page(self, request: AnyRequest, template: str, next_: str, **values: Any) -> Response[str]:
        return self.pages.render(request, template, next=next_, **values)

    def again(self, request: AnyRequest, template: str, refusal: Refusal, next_: str, **values: Any) -> Response[str]:
        return self.pages.again(request, template, refusal, next=next_, **values)

    # Signing in.

    async def ask_secrets(self, request: AnyRequest, form: Form) -> Response[Any]:
        """The PIN, on a device of the user's; elsewhere a code is sent, whether or not anybody has this number."""
        next_, phone = next_path(form.text("next")), form.text("phone", length_max=20)
        people = self.institution.people
        try:
            browser, is_new = self._browser(request)
            device_id = _device_id(browser, phone)
            knows = await warmed(self.institution.node.journal, lambda: people.knows_device(phone, device_id))
        except Refusal as refusal:
            return self.again(request, "wallet/sign_in.html", refusal, next_, phone=phone)
        page = partial(self.page, request, "wallet/secrets.html", next_)
        try:
            if not knows:
                await self._send_code(phone)
        except Refusal as refusal:  # The one sent before may still be good.
            page = partial(self.again, request, "wallet/secrets.html", refusal, next_)
        answer = page(phone=phone, asks_code=not knows, shown=self._shown(phone))
        if is_new:
            self._keep(request, answer, browser)
        return answer

    async def sign_in(self, request: AnyRequest, form: Form) -> Response[Any]:
        next_, phone = next_path(form.text("next")), form.text("phone", length_max=20)
        asks_code = form.ticked("asks_code")
        try:
            code = form.needed("code", length_max=12) if asks_code else ""
            pin = form.text("pin", length_max=12)
            signed_in, browser = await self._enter(request, phone, pin, code)
        except Refusal as refusal:
            asks_code = asks_code or refusal.reason is PeopleReason.ONE_TIME_CODE_NEEDED
            shown = self._shown(phone)
            return self.again(
                request, "wallet/secrets.html", refusal, next_, phone=phone, asks_code=asks_code, shown=shown
            )
        return self._let_in(request, signed_in, browser, next_)

    async def _enter(self, request: AnyRequest, phone: str, pin: str, code: str) -> tuple[SignedIn, int]:
        """The session, and the name the browser has from now on."""
        browser, _ = self._browser(request)
        sign_in = partial(
            self.institution.people.sign_in_with_pin, phone=phone, pin=pin, code=code, device_name=_name(request)
        )
        try:
            return await sign_in(device_id=_device_id(browser, phone)), browser
        except Refusal as refusal:
            if refusal.reason not in _ANOTHER_HELPS:
                raise
        browser = self.institution.node.mint.mint()
        return await sign_in(device_id=_device_id(browser, phone)), browser

    async def ask_forgetful(self, request: AnyRequest, form: Form) -> Response[Any]:
        """A code, for who forgot the PIN; it opens a device of the user's alone."""
        phone = form.text("phone", length_max=20)
        page = partial(self.page, request, "wallet/forgotten.html", HOME)
        try:
            await self._send_code(phone)
        except Refusal as refusal:  # The one sent before may still be good.
            page = partial(self.again, request, "wallet/forgotten.html", refusal, HOME)
        return page(phone=phone, shown=self._shown(phone))

    async def sign_in_forgetful(self, request: AnyRequest, form: Form) -> Response[Any]:
        phone = form.text("phone", length_max=20)
        browser, _ = self._browser(request)
        try:
            sign_in = partial(
                self.institution.people.sign_in_forgetful,
                phone=phone,
                code=form.needed("code", length_max=12),
                device_id=_device_id(browser, phone),
                device_name=_name(request),
            )
            signed_in = await decided(self.institution.node.journal, sign_in)
        except Refusal as refusal:
            shown = self._shown(phone)
            return self.again(request, "wallet/forgotten.html", refusal, HOME, phone=phone, shown=shown)
        return self._let_in(request, signed_in, browser, "/wallet/pin")

    async def sign_in_sample(self, request: AnyRequest, form: Form) -> Response[Any]:
        """One of the people of a network for trying out, with one press. There is none in production."""
        next_ = next_path(form.text("next"))
        person = self._sample(form.text("phone", length_max=20))
        browser, is_new = self._browser(request)
        try:
            signed_in = await self._enter_as(person, _device_id(browser, person.phone), _name(request))
        except Refusal as refusal:
            return self.again(request, "wallet/sign_in.html", refusal, next_, phone="")
        return self._let_in(request, signed_in, browser if is_new else None, next_)

    async def _enter_as(self, person: SamplePerson, device_id: int, name: str) -> SignedIn:
        """On a device of their own, by a code; where there are too many of either, on the device used longest ago."""
        people, journal = self.institution.people, self.institution.node.journal
        sign_in = partial(people.sign_in_with_pin, phone=person.phone, pin=person.pin, device_name=name)
        if await warmed(journal, lambda: people.knows_device(person.phone, device_id)):
            return await sign_in(code="", device_id=device_id)
        try:
            await self._send_code(person.phone)
            return await sign_in(code=self._shown(person.phone), device_id=device_id)
        except Refusal as refusal:
            if refusal.reason not in {PeopleReason.CODE_REQUESTS_EXHAUSTED, PeopleReason.DEVICES_TOO_MANY}:
                raise
            user = await warmed(journal, lambda: people.user_on(person.phone))
            devices = await warmed(journal, lambda: people.devices.devices(user.id))
            mine = [device for device in devices if device.is_active]
            if not mine:
                raise
        return await sign_in(code="", device_id=min(mine, key=_changed).id)

    def _sample(self, phone: str) -> SamplePerson:
        sandbox = self.pages.sandbox
        for person in sandbox.people() if sandbox is not None else ():
            if person.phone == phone:
                return person
        raise Refusal(HttpReason.ROUTE_UNKNOWN)

    # Registering.

    async def ask_code(self, request: AnyRequest, form: Form) -> Response[Any]:
        next_ = next_path(form.text("next"))
        phone, name = form.text("phone", length_max=20), form.text("name", length_max=100)
        try:
            form.needed("name")
            parse_phone(phone)
            await self._send_code(phone)
        except Refusal as refusal:
            return self.again(request, "wallet/register.html", refusal, next_, phone=phone, name=name)
        registration = id_text(_REGISTRATION_PREFIX, self.institution.node.mint.mint())
        shown = self._shown(phone)
        answer = self.page(
            request, "wallet/register_code.html", next_, phone=phone, name=name, registration=registration, shown=shown
        )
        browser, is_new = self._browser(request)
        if is_new:
            self._keep(request, answer, browser)
        return answer

    async def register(self, request: AnyRequest, form: Form) -> Response[Any]:
        phone, name = form.text("phone", length_max=20), form.text("name", length_max=100)
        registration, next_ = form.text("registration", length_max=40), next_path(form.text("next"))
        browser, _ = self._browser(request)
        try:
            register = partial(
                self.institution.people.register,
                phone=phone,
                name=name,
                code=form.needed("code", length_max=12),
                registration_id=registration,
                device_id=_device_id(browser, phone),
                device_name=_name(request),
                invitation=self.pages.kept(request, INVITATION)[:_INVITATION_MAX],
                address=called_from(request),
            )
            signed_in = await decided(self.institution.node.journal, register)
        except Refusal as refusal:
            return self.again(
                request,
                "wallet/register_code.html",
                refusal,
                next_,
                phone=phone,
                name=name,
                registration=registration,
                shown=self._shown(phone),
            )
        return self._let_in(request, signed_in, browser, f"/wallet/pin?{urlencode({'next': next_})}")

    # The browser.

    def _browser(self, request: AnyRequest) -> tuple[int, bool]:
        """The browser's name, and whether it was given just now."""
        try:
            return parse_id(_BROWSER_PREFIX, self.pages.kept(request, _BROWSER)), False
        except Refusal:
            return self.institution.node.mint.mint(), True

    def _keep(self, request: AnyRequest, answer: Response[Any], browser: int) -> None:
        self.pages.keep(request, answer, _BROWSER, id_text(_BROWSER_PREFIX, browser))

    def _let_in(self, request: AnyRequest, signed_in: SignedIn, browser: int | None, path: str) -> Response[Any]:
        answer = self.pages.signed_in(request, WALLET, signed_in.token, SESSION_LIFE_NS // NS_PER_S, path)
        if browser is not None:
            self._keep(request, answer, browser)
        return answer

    async def _send_code(self, phone: str) -> None:
        people = self.institution.people
        await decided(self.institution.node.journal, lambda: people.request_code(phone, Purpose.SIGN_IN))

    def _shown(self, phone: str) -> str:
        """The code, where a network for trying out shows it on the page; else empty."""
        if self.pages.sandbox is None:
            return ""
        try:
            return self.pages.sandbox.one_time_code(parse_phone(phone))
        except Refusal:
            return ""


def device_name(user_agent: str) -> str:
    """What a browser is called in the list of devices, from what it says of itself."""
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "Browser")
    return f"{system} {browser}".strip()


def _device_id(browser: int, phone: str) -> int:
    return derive(browser, f"device/{parse_phone(phone)}")


def _name(request: AnyRequest) -> str:
    return device_name(request.headers.get("user-agent", "")[:300])


def _changed(device: Device) -> int:
    return device.changed_ns


def next_path(path: str) -> str:
    """Where to go behind the door: a page of the wallet."""
    path = own_path(path, HOME)
    return path if path.startswith(f"{HOME}/") and not path.startswith(WALLET.sign_in) else HOME


async def signed_in_user(institution: InstitutionNode, request: AnyRequest) -> User:
    """Who is signed in, behind `wallet_guard`."""
    return await warmed(institution.node.journal, lambda: institution.people.user(request.auth.user_id))
