"""Merchants: all of them, one with its shops, keys, fees and balance; taken on, suspended, closed, charged otherwise."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution import chart
from hutong.institution.approval_service import CLOSE_MERCHANT, RESUME_MERCHANT, SUSPEND_MERCHANT
from hutong.institution.merchants.fee import FEE_BPS_MAX
from hutong.institution.merchants.merchant import Merchant, MerchantProfile, MerchantStatus
from hutong.institution.merchants.views import KEY_PREFIX, MERCHANT_PREFIX, SHOP_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.kernel.money import currency_of
from hutong.runtime.http import HttpReason
from hutong.web.desk.approvals import propose
from hutong.web.form import Form
from hutong.web.institution_desk.moment import moment_ns
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import MERCHANT_STATES
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "merchants"
PROFILE = ("reference", "legal_name", "name", "latin_name", "city", "latin_city", "mcc")
_TWO_PEOPLE = {"suspend": SUSPEND_MERCHANT, "resume": RESUME_MERCHANT, "close": CLOSE_MERCHANT}
_NO_PLACE = 2**62


def merchant_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/merchants`, and each one's page below it."""
    handlers = [_register(desk, parts), *_onboarding(desk, parts), *_merchant(desk, parts)]
    return desk.router(f"{HOME}/merchants", handlers)


def _register(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    @get()
    async def leaf(request: AnyRequest) -> Response[str]:
        form = Form(dict(request.query_params))
        words, state = form.text("words", length_max=100), form.text("state")
        before = form.number("before") if form.text("before") else _NO_PLACE
        status = MerchantStatus(state) if state in set(MerchantStatus) else None
        found = await parts.register.page(words, status, before=before)
        return desk.render(
            request,
            "institution_desk/merchants.html",
            NAV,
            words=words,
            state=state,
            states=MERCHANT_STATES,
            percent=percent,
            found=[(id_text(MERCHANT_PREFIX, merchant.id), merchant, fee) for merchant, fee in found.merchants],
            older=found.older,
        )

    return leaf


def _onboarding(desk: Desk, parts: DeskParts) -> list[ControllerRouterHandler]:
    merchants = parts.institution.merchants

    @get("/new")
    async def blank(request: AnyRequest) -> Response[str]:
        return desk.render(request, "institution_desk/onboard.html", NAV, told=dict.fromkeys((*PROFILE, "fee"), ""))

    @post("/new")
    async def onboard(request: AnyRequest) -> Response[Any]:
        form = await desk.pages.form(request)
        try:
            profile = MerchantProfile(**{name: form.text(name, length_max=200) for name in PROFILE})
            fee_bps = read_bps(form, "fee")
            merchant = await desk.answer(lambda: merchants.onboard(profile, fee_bps))
        except Refusal as refusal:
            told = {name: form.text(name) for name in (*PROFILE, "fee")}
            return desk.shown(request, "institution_desk/onboard.html", NAV, refusal, told=told)
        return desk.pages.go(f"{HOME}/merchants/{id_text(MERCHANT_PREFIX, merchant.id)}")

    return [blank, onboard]


def _merchant(desk: Desk, parts: DeskParts) -> list[ControllerRouterHandler]:
    merchants = parts.institution.merchants

    async def page(request: AnyRequest, merchant_id: int, refusal: Refusal | None = None) -> Response[str]:
        merchant = await desk.answer(lambda: merchants.merchant(merchant_id))
        account = await parts.books.account(chart.merchant_account(merchant_id, currency_of(merchant.currency)))
        now_ns = desk.node.clock.now_ns()
        fees = await desk.answer(lambda: merchants.fees(merchant_id))
        values: dict[str, Any] = {
            "merchant": merchant,
            "id": id_text(MERCHANT_PREFIX, merchant_id),
            "state": MERCHANT_STATES[merchant.status],
            "percent": percent,
            "balance": account.credits_posted - account.debits_posted,
            "held": account.debits_pending,
            "fees": fees[::-1],
            "fee": await desk.answer(lambda: merchants.fee(merchant_id, now_ns)),
            "now_ns": now_ns,
            "staff_id": id_text("inv", desk.node.mint.mint()),  # In the form: sent twice, it invites once.
            "invited": Form(dict(request.query_params)).ticked("invited"),
            "shops": await _shops(merchant),
            "keys": await _keys(merchant),
        }
        return desk.shown(request, "institution_desk/merchant.html", NAV, refusal, **values)

    async def _shops(merchant: Merchant) -> list[tuple[str, Any]]:
        found = await desk.answer(lambda: merchants.shops_of(merchant.id))
        return [(id_text(SHOP_PREFIX, shop.id), shop) for shop in found]

    async def _keys(merchant: Merchant) -> list[tuple[str, Any]]:
        found = await desk.answer(lambda: merchants.keys_of(merchant.id))
        return [(id_text(KEY_PREFIX, key.id), key) for key in found]

    @get("/{merchant_id:str}")
    async def show(request: AnyRequest, merchant_id: FromPath[str]) -> Response[str]:
        return await page(request, parse_id(MERCHANT_PREFIX, merchant_id))

    @post("/{merchant_id:str}")
    async def act(request: AnyRequest, merchant_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)
        verb = form.text("act")
        try:
            if verb in _TWO_PEOPLE:
                return await propose(desk, request, form, _TWO_PEOPLE[verb], merchant_id, {})
            if verb == "invite":
                await _invite_owner(desk, parts, form, id_)
                return desk.pages.go(f"{HOME}/merchants/{merchant_id}?invited=1")
            if verb != "fee":
                raise Refusal(HttpReason.FIELD_INVALID, field="act", problem="no such act")
            version, bps = form.number("version", least=1), read_bps(form, "fee")
            from_ns = moment_ns(form, "from", desk.pages.zone)
            await desk.answer(partial(merchants.change_fee, id_, version, bps, from_ns))
        except Refusal as refusal:
            return await page(request, id_, refusal)
        return desk.pages.go(f"{HOME}/merchants/{merchant_id}")

    return [show, act]


async def _invite_owner(desk: Desk, parts: DeskParts, form: Form, merchant_id: int) -> None:
    """Somebody becomes an owner of the merchant's: a code goes to the telephone."""
    staff_id = form.needed("staff_id", length_max=40)
    name, phone = form.needed("owner", length_max=70), form.needed("phone", length_max=20)
    await desk.answer(partial(parts.institution.staff.appoint, merchant_id, staff_id, name, phone))


def read_bps(form: Form, name: str) -> int:
    """Basis points from a percentage with at most two decimals: `0.60`. Refuses FIELD_EMPTY, FIELD_INVALID."""
    whole, _, rest = form.needed(name, length_max=6).removesuffix("%").strip().partition(".")
    digits = whole + rest.ljust(2, "0")
    if not whole or len(rest) > 2 or not (digits.isascii() and digits.isdigit()) or int(digits) > FEE_BPS_MAX:
        raise Refusal(HttpReason.FIELD_INVALID, field=name, problem="a percentage from 0 to 10, as 0.60")
    return int(digits)


def percent(bps: int) -> str:
    """Basis points as people read them: `0.60 %`."""
    return f"{bps // 100}.{bps % 100:02d} %"
