"""Coupons in the wallet: those on offer, one's own, and which of them a payment is to use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.institution.payments.consult_service import CODE_LENGTH_MAX
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.campaign import Campaign, CampaignKind, CampaignTerms
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.coupons.api import CouponEdge
from hutong.marketing.coupons.claim_service import Claimant
from hutong.marketing.coupons.coupon import COUPON_PREFIX
from hutong.marketing.coupons.template import CouponKind, CouponTerms
from hutong.marketing.coupons.validity import Hours
from hutong.marketing.coupons.views import CouponView, OfferView, ValidateBody, coupon_id_of, template_id_of
from hutong.runtime.shelf import warmed
from hutong.web.campaign_wording import gives, row_gives
from hutong.web.form import Form
from hutong.web.language import Words
from hutong.web.offer_wording import row_where, where
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, wallet_guard

_MONDAY = date(2024, 1, 1)
_CODE_TYPED_MAX = 64
_GOOD = ("AVAILABLE", "NOT_YET_VALID", "RESERVED")
NONE = "none"  # In a page's address: no coupon is to be used.


@dataclass(frozen=True, slots=True)
class Told:
    """What a coupon promises, in the reader's words."""

    gives: str
    needs: str
    hours: str
    places: tuple[str, ...]


def coupon_told(_: Words, terms: CouponTerms, places: tuple[str, ...] = ()) -> Told:
    """What it gives, from what price on, when, and where."""
    item = terms.item
    match terms.kind:
        case CouponKind.AMOUNT_OFF:
            gives = _("%(amount)s off", amount=_.money(terms.amount_off))
        case CouponKind.PERCENT_OFF:
            percent = _percent(terms.percent_off_bps)
            gives = _("%(percent)s off", percent=percent)
            if terms.cap:
                gives = _("%(percent)s off, at most %(amount)s", percent=percent, amount=_.money(terms.cap))
        case CouponKind.GOODS:
            gives = _("%(amount)s off %(item)s", amount=_.money(terms.amount_off), item=item)
        case CouponKind.FREE_ITEM:
            gives = _("%(item)s for free", item=item)
        case CouponKind.EXCHANGE:
            gives = _("%(item)s for %(amount)s", item=item, amount=_.money(terms.exchange_price))
    needs = _("If you pay %(amount)s or more", amount=_.money(terms.needed)) if terms.needed else ""
    days = [_.day(_MONDAY + timedelta(days=day - 1), "EEE") for day in sorted(terms.validity.weekdays)]
    return Told(gives, needs, " ".join([*days, *map(_hours, terms.validity.hours)]), places)


def chosen_coupons(text: str) -> tuple[int, ...] | None:
    """What a page's address says of coupons: nothing, none, or which. Refuses ID_MALFORMED, ID_OF_OTHER_KIND."""
    if not text:
        return None
    return () if text == NONE else (coupon_id_of(text),)


_BY_THEMSELVES = frozenset({CampaignKind.DISCOUNT, CampaignKind.DRAW})


class _Shown:
    """The pages themselves, each also with what was refused on it."""

    def __init__(
        self,
        institution: InstitutionNode,
        pages: Pages,
        edge: CouponEdge,
        campaigns: CampaignService,
        names: Mapping[str, str],
    ) -> None:
        self._institution = institution
        self._pages = pages
        self._edge = edge
        self._campaigns = campaigns
        self._names = names

    async def mine(self, request: AnyRequest, refusal: Refusal | None = None) -> Response[str]:
        found = await self._edge.coupons(request.auth.user_id)
        given = await self._edge.given_away(request.auth.user_id)
        said = self._pages.words(request)
        return self._pages.shown(
            request,
            "wallet/coupons.html",
            refusal,
            nav="coupons",
            coupons=[await self._coupon(said, each) for each in found if each.state in _GOOD],
            past=[await self._coupon(said, each) for each in reversed(found) if each.state not in _GOOD],
            given=[await self._coupon(said, each) for each in reversed(given)],
        )

    async def offers(self, request: AnyRequest, refusal: Refusal | None = None, typed: str = "") -> Response[str]:
        found, said = await self._edge.offers(request.auth.user_id), self._pages.words(request)
        met = self._campaigns.met_by(request.auth.user_id)
        return self._pages.shown(
            request,
            "wallet/offers.html",
            refusal,
            nav="coupons",
            discounts=[(each, await self._discount(said, each)) for each in met if each.kind in _BY_THEMSELVES],
            has_coupons=any(each.kind == CampaignKind.COUPON for each in met),
            offers=[(each, await self._told(said, each), self._new_id()) for each in found],
            typed=typed,
            code_claim_id=self._new_id(),
        )

    async def _coupon(self, said: Words, coupon: CouponView) -> dict[str, Any]:
        return {
            "coupon": coupon,
            "told": await self._told(said, coupon),
            "from_ns": coupon.valid_from_ms * NS_PER_MS,
            "until_ns": coupon.valid_until_ms * NS_PER_MS,
            "can_give": coupon.terms.transferable and not coupon.was_given and coupon.state != "RESERVED",
        }

    async def _told(self, said: Words, coupon: CouponView | OfferView) -> Told:
        """What it gives, and where."""
        template = self._edge.templates.template(template_id_of(coupon.template_id))
        lines = [] if template.is_for_till else where(said, self._rules(template.campaign_id).rules, self._names)
        return coupon_told(said, coupon.terms, (*await self._at(said, template.merchant_id), *lines))

    async def _discount(self, _: Words, campaign: Campaign) -> list[tuple[str, str]]:
        """What it takes off, and where: a line for each row, in order."""
        at = [("", line) for line in await self._at(_, campaign.merchant_id)]
        rules = campaign.told.rules
        if campaign.kind == CampaignKind.DRAW:
            lines = [(gives(_, campaign)[0], ""), *(("", line) for line in where(_, rules, self._names))]
        else:
            lines = [
                (row_gives(_, row) if row.gives and (row.off or row.bps) else "", row_where(_, row, self._names))
                for row in rules.rows
            ]
        lines = [line for line in lines if any(line)]
        anywhere = not at and not any(line for __, line in lines)
        return [*lines, *at, *([("", _("Wherever you pay a merchant."))] if anywhere else [])]

    def _rules(self, campaign_id: int) -> CampaignTerms:
        return self._campaigns.campaign(campaign_id).told

    async def _at(self, _: Words, merchant_id: int) -> list[str]:
        """The merchant where alone it is good."""
        if not merchant_id:
            return []
        merchants = self._institution.merchants
        merchant = await warmed(self._institution.node.journal, lambda: merchants.merchant(merchant_id))
        return [_("only at %(name)s", name=merchant.name)]

    async def choice(self, request: AnyRequest, payment_id: str) -> Response[str]:
        """Which coupon a payment is to use: chosen by a link back to the page that asks whether to pay."""
        code = request.query_params.get("code", "")[: CODE_LENGTH_MAX + 1]
        typed = request.query_params.get("amount", "")
        amount = Form({"amount": typed}).amount("amount") if typed else 0
        worth = await self._edge.worth(request.auth.user_id, ValidateBody(code=code, amount=amount))
        said = self._pages.words(request)
        return self._pages.render(
            request,
            "wallet/coupon_choice.html",
            nav="scan",
            worth=[(each, said.reason(each.reason) if each.reason else "") for each in worth],
            payment_id=payment_id,
            query=urlencode({"code": code, "amount": typed}),
        )

    def _new_id(self) -> str:
        return id_text(COUPON_PREFIX, self._edge.node.mint.mint())


def coupon_pages(
    institution: InstitutionNode,
    pages: Pages,
    edge: CouponEdge,
    campaigns: CampaignService,
    names: Mapping[str, str],
) -> list[ControllerRouterHandler]:
    """`/wallet/coupons`, `/wallet/offers` and everything below them. `names` are those of all institutions, by node."""
    shown = _Shown(institution, pages, edge, campaigns, names)

    @get("/wallet/coupons")
    async def coupons(request: AnyRequest) -> Response[str]:
        return await shown.mine(request)

    @get("/wallet/offers")
    async def offers(request: AnyRequest) -> Response[str]:
        return await shown.offers(request)

    @post("/wallet/offers/claim", status_code=200)
    async def claim(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        claim_id, template_id = coupon_id_of(form.needed("id")), template_id_of(form.needed("template"))
        try:
            await edge.claim(claim_id, template_id, _who(request))
        except Refusal as refusal:
            return await shown.offers(request, refusal)
        return pages.go("/wallet/coupons")

    @post("/wallet/offers/code", status_code=200)
    async def claim_by_code(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        claim_id, code = coupon_id_of(form.needed("id")), form.text("code", length_max=_CODE_TYPED_MAX)
        try:
            await edge.claim_by_code(claim_id, code, _who(request))
        except Refusal as refusal:
            return await shown.offers(request, refusal, code)
        return pages.go("/wallet/coupons")

    @post("/wallet/coupons/{coupon_id:str}/give", status_code=200)
    async def give(request: AnyRequest, coupon_id: FromPath[str]) -> Response[Any]:
        form = await pages.form(request)
        try:
            phone = form.text("phone", length_max=_CODE_TYPED_MAX)
            await edge.give(coupon_id_of(coupon_id), request.auth.user_id, phone=phone, user_id="")
        except Refusal as refusal:
            return await shown.mine(request, refusal)
        return pages.go("/wallet/coupons")

    @get("/wallet/pay/{payment_id:str}/coupons")
    async def choose(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        return await shown.choice(request, payment_id)

    handlers = [coupons, offers, claim, claim_by_code, give, choose]
    return [pages.router("/", handlers, WALLET, [wallet_guard(institution, pages)])]


def _who(request: AnyRequest) -> Claimant:
    return Claimant(request.auth.user_id, request.auth.device_id)


def _percent(bps: int) -> str:
    whole, rest = divmod(bps, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".") + "%"


def _hours(hours: Hours) -> str:
    return f"{_clock(hours.from_minute)}–{_clock(hours.until_minute)}"  # A dash as print has it.


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
