"""All pages of a sponsor: its money, each campaign it pays for, and its keys."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign, CampaignState
from hutong.marketing.campaigns.sponsor import Sponsor
from hutong.marketing.campaigns.sponsor_key import KEY_PREFIX, SponsorKey
from hutong.marketing.campaigns.sponsored_views import SharedCampaignView
from hutong.marketing.marketing import Marketing
from hutong.runtime.http import HttpReason
from hutong.web.campaign_wording import STATES, TAGS, gives
from hutong.web.page import AnyRequest, Pages
from hutong.web.shared_campaign import AWARD_STATES, MOVEMENTS, cursor_of, shared_told
from hutong.web.sponsor.door import door_pages
from hutong.web.sponsor.place import HOME, SponsorPlace

_AT_ONCE = 20  # Movements, or awards.


@dataclass(frozen=True, slots=True)
class Paid:
    """A campaign as the overview has it: what is asked of the sponsor, and how far its money is."""

    campaign: Campaign
    view: SharedCampaignView
    gives: list[str]
    planned: int

    @property
    def waits(self) -> bool:
        """Whether the sponsor's word is waited for."""
        return self.campaign.state == CampaignState.DRAFT and self.view.asked and not self.view.agreed


def sponsor_pages(marketing: Marketing, pages: Pages) -> list[ControllerRouterHandler]:
    """`/sponsor` and everything below it."""
    place = SponsorPlace(marketing, pages)
    return [
        door_pages(place),
        place.router([*_money(place), *_one(place), *_keys(place)]),
        place.router(_live(place), is_act=False),
    ]


def _money(place: SponsorPlace) -> list[ControllerRouterHandler]:
    @get()
    async def overview(request: AnyRequest) -> Response[str]:
        return await _overview(place, request, cursor_of(request))

    return [overview]


async def _overview(place: SponsorPlace, request: AnyRequest, before: int | None) -> Response[str]:
    marketing, sponsor, _ = place.marketing, place.sponsor(request), place.pages.words(request)
    edge = marketing.campaign_edge
    paid = [
        Paid(each, edge.shared(each.id, sponsor.id), gives(_, each), await marketing.effects.planned(each))
        for each in reversed(marketing.campaigns.shared_by(sponsor.id))
    ]
    moved = await edge.movements(sponsor.id, before, _AT_ONCE)
    names = {each.view.campaign_id: each.campaign.name for each in paid}
    return place.page(
        request,
        "overview.html",
        "overview",
        balance=await marketing.sponsors.balance(sponsor.id),
        inside=sum(each.view.part - each.view.given_part - each.view.back_part for each in paid if each.view.funded),
        given=sum(each.view.given_part for each in paid),
        paid=paid,
        moved=moved,
        earlier=before is not None,
        kinds_moved=MOVEMENTS,
        names=names,
        states=STATES,
        tags=TAGS,
    )


def _one(place: SponsorPlace) -> list[ControllerRouterHandler]:
    edge = place.marketing.campaign_edge

    @get("/campaigns/{campaign_id:str}")
    async def show(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        return await _campaign(place, request, parse_id(CAMPAIGN_PREFIX, campaign_id))

    @post("/campaigns/{campaign_id:str}", status_code=200)
    async def act(request: AnyRequest, campaign_id: FromPath[str]) -> Response[Any]:
        form = await place.pages.form(request)
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        try:
            verb, version = form.text("act"), form.number("version", least=1)
            if verb not in {"agree", "decline"}:
                raise Refusal(HttpReason.FIELD_INVALID, field="act", problem="no such act")
            await edge.agreed(id_, place.sponsor(request).id, version, agrees=verb == "agree", by=request.auth.id)
        except Refusal as refusal:
            return await _campaign(place, request, id_, refusal)
        return place.pages.go(f"{HOME}/campaigns/{campaign_id}")

    return [show, act]


def _live(place: SponsorPlace) -> list[ControllerRouterHandler]:
    @get("/campaigns/{campaign_id:str}/live")
    async def live(request: AnyRequest, campaign_id: FromPath[str]) -> Response[str]:
        """What the open page renews itself with."""
        told = await shared_told(
            place.marketing,
            place.pages.words(request),
            parse_id(CAMPAIGN_PREFIX, campaign_id),
            place.sponsor(request).id,
        )
        return place.page(request, "campaign_live.html", "overview", **told)

    return [live]


async def _campaign(
    place: SponsorPlace, request: AnyRequest, id_: int, refusal: Refusal | None = None
) -> Response[str]:
    marketing, sponsor = place.marketing, place.sponsor(request)
    told = await shared_told(marketing, place.pages.words(request), id_, sponsor.id)
    return place.page(
        request,
        "campaign.html",
        "overview",
        refusal,
        **told,
        awards=await marketing.campaign_edge.paid_page(id_, cursor_of(request), _AT_ONCE),
        award_states=AWARD_STATES,
        balance=await marketing.sponsors.balance(sponsor.id),
    )


def _keys(place: SponsorPlace) -> list[ControllerRouterHandler]:
    keys = place.marketing.sponsor_keys

    def shown(request: AnyRequest, token: str = "", refusal: Refusal | None = None) -> Response[str]:
        key: SponsorKey = request.auth
        known = keys.of_sponsor(key.sponsor_id)
        return place.page(
            request,
            "keys.html",
            "keys",
            refusal,
            keys=[
                (id_text(KEY_PREFIX, each.id), each)
                for each in sorted(known, key=lambda each: (bool(each.revoked_ns), -each.created_ns))
            ],
            own=key.id,
            token=token,
            rotation_id=id_text("rot", place.marketing.node.mint.mint()),
        )

    @get("/keys", sync_to_thread=False)
    def leaf(request: AnyRequest) -> Response[str]:
        return shown(request)

    @post("/keys/{key_id:str}", status_code=200)
    async def act(request: AnyRequest, key_id: FromPath[str]) -> Response[Any]:
        form = await place.pages.form(request)
        sponsor: Sponsor = place.sponsor(request)
        try:
            id_ = parse_id(KEY_PREFIX, key_id)
            if form.text("act") == "revoke":
                await place.act(lambda: keys.revoke(sponsor.id, id_))
                return place.pages.go(f"{HOME}/keys")
            rotation_id = form.needed("rotation_id", length_max=40)
            _, token = await place.act(lambda: keys.rotate(request.auth, id_, rotation_id))
        except Refusal as refusal:
            return shown(request, refusal=refusal)
        return shown(request, token)

    return [leaf, act]
