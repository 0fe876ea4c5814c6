"""Inviting friends: one's link as a picture, the steps, the friends; and the page that the link leads to."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from hutong.codes.picture import QUIET_ZONE, qr_symbol
from hutong.institution.node import InstitutionNode
from hutong.institution.people.user import Tier
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.invitations.desk_service import InvitationDesk
from hutong.marketing.invitations.invitation import PATH
from hutong.marketing.invitations.referral import REFERRAL_PREFIX, WORDS_MAX
from hutong.runtime.http import called_from, status_of
from hutong.web.language import phrase
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import INVITATION, WALLET, wallet_guard

_TEMPLATE = "wallet/invite.html"
_INVITE = "/wallet/invite"
STATES = {
    "JOINED": (phrase("Has not paid yet"), ""),
    "WAITING": (phrase("Waits for the budget"), "warn"),
    "HELD": (phrase("Being checked"), "warn"),
    "PAID": (phrase("Paid to you"), "good"),
    "REFUSED": (phrase("Refused"), "bad"),
    "APPEALED": (phrase("Looked at again"), "warn"),
    "LAPSED": (phrase("Too late"), ""),
}


def invite_pages(institution: InstitutionNode, pages: Pages, inviting: InvitationDesk) -> list[ControllerRouterHandler]:
    """`/wallet/invite` and everything below it; `/i/<code>`."""

    async def page(request: AnyRequest, refusal: Refusal | None = None, **typed: str) -> Response[str]:
        mine = await inviting.mine(request.auth.user_id)
        values: dict[str, Any] = {
            "nav": "invite",
            "mine": mine,
            "pictures": {each.campaign_id: _picture(each.link) for each in mine.campaigns if each.link},
            "states": STATES,
            "why": pages.words(request).reason,
            "words_max": WORDS_MAX,
            "tier": tier_name,
            "code": typed.get("code", pages.kept(request, INVITATION)),
        }
        return pages.shown(request, _TEMPLATE, refusal, **values)

    @get(_INVITE)
    async def show(request: AnyRequest) -> Response[str]:
        return await page(request)

    @post(_INVITE, status_code=200)
    async def invite(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        try:
            campaign_id = parse_id(CAMPAIGN_PREFIX, form.needed("campaign", length_max=40))
            await inviting.invite(request.auth.user_id, campaign_id)
        except Refusal as refusal:
            return await page(request, refusal)
        return pages.go(_INVITE)

    @post(f"{_INVITE}/accept", status_code=200)
    async def accept(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        code = ""
        try:
            code = form.needed("code", length_max=200)
            await inviting.accept(request.auth.user_id, code, called_from(request))
        except Refusal as refusal:
            return await page(request, refusal, code=code)
        return pages.go(_INVITE)

    @post(f"{_INVITE}/{{referral_id:str}}/appeal", status_code=200)
    async def appeal(request: AnyRequest, referral_id: FromPath[str]) -> Response[Any]:
        form = await pages.form(request)
        try:
            words = form.needed("words", length_max=WORDS_MAX)
            await inviting.appeal(request.auth.user_id, parse_id(REFERRAL_PREFIX, referral_id), words)
        except Refusal as refusal:
            return await page(request, refusal)
        return pages.go(_INVITE)

    @get(f"{PATH}{{code:str}}")
    async def landing(request: AnyRequest, code: FromPath[str]) -> Response[str]:
        try:
            found = await inviting.landing(code)
        except Refusal as refusal:
            why = pages.words(request).refusal(refusal)
            return pages.render(request, "kit/invited.html", status=status_of(refusal.reason), invited=None, why=why)
        answer = pages.render(request, "kit/invited.html", invited=found, tier=tier_name)
        pages.keep(request, answer, INVITATION, found.code)
        return answer

    return [
        pages.router("/", [show, invite, accept, appeal], WALLET, [wallet_guard(institution, pages)]),
        pages.router("/", [landing], None),
    ]


def tier_name(tier: int) -> str:
    """A real-name tier as people know it: II."""
    return Tier(tier).name


def _picture(link: str) -> Markup:
    """The picture as an element of the page, as large as the page wants it."""
    return Markup(qr_symbol(link).svg_inline(border=QUIET_ZONE, light="white", omitsize=True))  # noqa: S704  # Our own.
