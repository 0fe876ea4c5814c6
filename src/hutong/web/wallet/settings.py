"""Settings: the PIN, the devices, stopping the wallet, closing it."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.phone import masked_phone
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.user import Tier
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.shelf import decided, warmed
from hutong.web.form import Form
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, next_path, signed_in_user, wallet_guard

_SETTINGS = "/wallet/settings"
_DEVICE_PREFIX = "dev"
# What is written down of a freeze by its user, who is asked for no reason.
_BY_USER = "in the wallet"


def settings_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """`/wallet/settings`, `/wallet/pin` and `/wallet/devices`, and all that they change."""
    guard = wallet_guard(institution, pages)
    handlers = [*_pin(institution, pages), *_devices(institution, pages), *_wallet(institution, pages)]
    return [pages.router("/", handlers, WALLET, [guard])]


def new_pin(form: Form) -> str:
    """A PIN typed twice. Refuses FIELD_EMPTY, PIN_REPEATED_OTHERWISE."""
    pin = form.needed("pin", length_max=12)
    if form.text("again", length_max=12) != pin:
        raise Refusal(PeopleReason.PIN_REPEATED_OTHERWISE, field="again")
    return pin


def _pin(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    people, journal = institution.people, institution.node.journal

    @get("/wallet/pin")
    async def ask(request: AnyRequest) -> Response[str]:
        has_pin = await warmed(journal, lambda: people.pins.is_set(request.auth.user_id))
        next_ = next_path(request.query_params.get("next", ""))
        return pages.render(request, "wallet/pin.html", nav="settings", has_pin=has_pin, next=next_)

    @post("/wallet/pin", status_code=200)
    async def choose(request: AnyRequest) -> Response[Any]:
        """The first PIN, or another for who knows the old one."""
        form, user_id = await pages.form(request), request.auth.user_id
        has_pin = await warmed(journal, lambda: people.pins.is_set(user_id))
        try:
            pin = new_pin(form)
            if has_pin:
                await people.pins.change_pin(user_id, form.text("old", length_max=12), pin)
            else:
                await people.pins.set_pin(user_id, pin)
        except Refusal as refusal:
            next_ = next_path(form.text("next"))
            return pages.again(request, "wallet/pin.html", refusal, nav="settings", has_pin=has_pin, next=next_)
        return pages.go(f"{_SETTINGS}?done=pin" if has_pin else next_path(form.text("next")))

    @post("/wallet/pin/code", status_code=200)
    async def send_code(request: AnyRequest) -> Response[Any]:
        """Who forgot it shows again that the telephone is theirs."""
        await pages.form(request)
        user = await signed_in_user(institution, request)
        page = partial(pages.render, request, "wallet/pin_reset.html")
        try:
            await decided(journal, lambda: people.request_code(user.phone, Purpose.PIN_RESET))
        except Refusal as refusal:  # The one sent before may still be good.
            page = partial(pages.again, request, "wallet/pin_reset.html", refusal)
        return page(nav="settings", phone=masked_phone(user.phone), shown=_shown(pages, user.phone))

    @post("/wallet/pin/reset", status_code=200)
    async def reset(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        user = await signed_in_user(institution, request)
        try:
            code = form.needed("code", length_max=12)
            await people.pins.reset_pin(user.id, request.auth.device_id, code, new_pin(form))
        except Refusal as refusal:
            values = {"phone": masked_phone(user.phone), "shown": _shown(pages, user.phone)}
            return pages.again(request, "wallet/pin_reset.html", refusal, nav="settings", **values)
        return pages.go(f"{_SETTINGS}?done=pin")

    return [ask, choose, send_code, reset]


def _devices(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    devices, journal = institution.people.devices, institution.node.journal

    @get("/wallet/devices")
    async def show(request: AnyRequest) -> Response[str]:
        user_id = request.auth.user_id
        found = await warmed(journal, lambda: devices.devices(user_id))
        signed_in = await warmed(journal, lambda: devices.signed_in(user_id))
        return pages.render(
            request,
            "wallet/devices.html",
            nav="settings",
            active=[(id_text(_DEVICE_PREFIX, each.id), each) for each in found if each.is_active],
            lost=[each for each in found if not each.is_active],
            signed_in=signed_in,
            here=request.auth.device_id,
        )

    @post("/wallet/devices/{device_id:str}/sign-out", status_code=200)
    async def sign_out(request: AnyRequest, device_id: FromPath[str]) -> Response[Any]:
        await pages.form(request)
        id_ = parse_id(_DEVICE_PREFIX, device_id)
        await decided(journal, lambda: devices.sign_out_device(request.auth.user_id, id_))
        return pages.go("/wallet/devices")

    @post("/wallet/devices/{device_id:str}/lost", status_code=200)
    async def lost(request: AnyRequest, device_id: FromPath[str]) -> Response[Any]:
        await pages.form(request)
        id_ = parse_id(_DEVICE_PREFIX, device_id)
        await decided(journal, lambda: devices.report_lost(request.auth.user_id, id_))
        return pages.go("/wallet/devices")

    return [show, sign_out, lost]


def _wallet(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    people, journal = institution.people, institution.node.journal

    async def page(request: AnyRequest, refusal: Refusal | None = None) -> Response[str]:
        user = await signed_in_user(institution, request)
        _ = pages.words(request)
        values: dict[str, Any] = {
            "nav": "settings",
            "user": user,
            "tier": Tier(user.tier).name,
            "phone": masked_phone(user.phone),
            "done": _("The PIN was changed.") if request.query_params.get("done") == "pin" else "",
        }
        return pages.shown(request, "wallet/settings.html", refusal, **values)

    @get(_SETTINGS)
    async def show(request: AnyRequest) -> Response[str]:
        return await page(request)

    @post("/wallet/settings/freeze", status_code=200)
    async def freeze(request: AnyRequest) -> Response[Any]:
        await pages.form(request)
        await decided(journal, lambda: people.freeze(request.auth.user_id, _BY_USER))
        return pages.go(_SETTINGS)

    @post("/wallet/settings/unfreeze", status_code=200)
    async def unfreeze(request: AnyRequest) -> Response[Any]:
        form, user_id = await pages.form(request), request.auth.user_id
        try:
            await people.pins.check(user_id, form.text("pin", length_max=12))
            await decided(journal, lambda: people.unfreeze(user_id, _BY_USER))
        except Refusal as refusal:
            return await page(request, refusal)
        return pages.go(_SETTINGS)

    @post("/wallet/settings/close", status_code=200)
    async def close(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        user = await signed_in_user(institution, request)
        try:
            await people.pins.check(user.id, form.text("close-pin", length_max=12))
            balance = await institution.balance_of(user)
            await decided(journal, lambda: people.close(user.id, balance))
        except Refusal as refusal:
            return await page(request, refusal)
        return pages.signed_out(request, WALLET, "/")

    return [show, freeze, unfreeze, close]


def _shown(pages: Pages, phone: str) -> str:
    """The code, where a network for trying out shows it on the page; else empty."""
    return pages.sandbox.one_time_code(phone) if pages.sandbox is not None else ""
