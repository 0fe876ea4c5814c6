"""Sponsors that are no merchants, over HTTP: their keys, which the operator gives out, and what they see and say with one."""

from functools import partial

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.institution.door_api import Door, token_guard
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.campaigns.edge_api import AgreedTo, Cursor, Edge, Limit, Moved
from hutong.marketing.campaigns.sponsor import SPONSOR_PREFIX
from hutong.marketing.campaigns.sponsor_key import KEY_PREFIX, SponsorKey
from hutong.marketing.campaigns.sponsor_key_service import SponsorKeyService
from hutong.marketing.campaigns.sponsored_views import (
    IssuedSponsorKey,
    IssueSponsorKey,
    MovementPage,
    PaidAwardPage,
    RotateSponsorKey,
    SharedCampaignView,
    SponsorKeyView,
    issued_view,
    sponsor_key_view,
)
from hutong.marketing.campaigns.views import SponsorView, VersionView, version_view
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

Keys = NamedDependency[SkipValidation[SponsorKeyService]]
Key = NamedDependency[SkipValidation[SponsorKey]]


def sponsor_door(node: NodeRuntime, keys: SponsorKeyService) -> Door:
    """Lets in who comes with a sponsor's key. Refuses TOKEN_MISSING, KEY_NOT_ACCEPTED, KEY_REVOKED."""
    return Door("key", token_guard(node, keys.key))


class SponsorKeyController(Controller):
    """What sponsors that are no merchants sign in with."""

    path = "/v1/operator/sponsors/{sponsor_id:str}/keys"
    tags = ("Operator: campaigns",)

    @post("/")
    async def issue(
        self, edge: Edge, keys: Keys, sponsor_id: FromPath[str], data: JSONBody[IssueSponsorKey]
    ) -> IssuedSponsorKey:
        """
        A key for a sponsor: it sees its own money with it. From now on it is asked before that goes into a campaign.

        Refuses SPONSOR_UNKNOWN; SPONSOR_HAS_STAFF, for a merchant; SPONSOR_KEY_TAKEN, naming the field.
        """
        issue = partial(keys.issue, parse_id(SPONSOR_PREFIX, sponsor_id), data.name, data.key_id)
        return issued_view(await decided(edge.node.journal, issue))

    @get("/")
    async def list_keys(self, keys: Keys, sponsor_id: FromPath[str]) -> list[SponsorKeyView]:
        """
        Its keys, revoked ones too, oldest first.

        Refuses SPONSOR_UNKNOWN.
        """
        return [sponsor_key_view(each) for each in keys.of_sponsor(parse_id(SPONSOR_PREFIX, sponsor_id))]

    @post("/{key_id:str}/revoke", status_code=200)
    async def revoke(self, edge: Edge, keys: Keys, sponsor_id: FromPath[str], key_id: FromPath[str]) -> SponsorKeyView:
        """
        End a key for good. What it agreed to stays agreed to.

        Refuses SPONSOR_UNKNOWN; SPONSOR_KEY_UNKNOWN, for another sponsor's, too.
        """
        revoke = partial(keys.revoke, parse_id(SPONSOR_PREFIX, sponsor_id), parse_id(KEY_PREFIX, key_id))
        return sponsor_key_view(await decided(edge.node.journal, revoke))


class SponsoredController(Controller):
    """What a sponsor's money does, and what it is asked for. It sees nothing of what it does not pay for."""

    path = "/v1/sponsor"
    tags = ("Sponsor",)

    @get("/budget")
    async def budget(self, edge: Edge, key: Key) -> SponsorView:
        """Who one is, and what is in one's budget and in no campaign."""
        return await edge.sponsor(edge.sponsors.sponsor(key.sponsor_id))

    @get("/budget/movements")
    async def movements(self, edge: Edge, key: Key, cursor: Moved = None, limit: Limit = 50) -> MovementPage:
        """What came into one's budget and went out of it, the newest first, as the institution's books have it."""
        return await edge.movements(key.sponsor_id, cursor, limit)

    @get("/campaigns")
    async def campaigns(self, edge: Edge, key: Key) -> list[SharedCampaignView]:
        """What one pays a part of, or is asked to; oldest first."""
        return edge.shared_by(key.sponsor_id)

    @get("/campaigns/{campaign_id:str}")
    async def show(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> SharedCampaignView:
        """
        One of them.

        Refuses CAMPAIGN_UNKNOWN, for what one pays nothing of, too.
        """
        return edge.shared(parse_id(CAMPAIGN_PREFIX, campaign_id), key.sponsor_id)

    @get("/campaigns/{campaign_id:str}/versions")
    async def versions(self, edge: Edge, key: Key, campaign_id: FromPath[str]) -> list[VersionView]:
        """
        Every version of its terms, the oldest first: what the `version` of an award means.

        Refuses CAMPAIGN_UNKNOWN.
        """
        campaign = edge.campaigns.paid_by(parse_id(CAMPAIGN_PREFIX, campaign_id), key.sponsor_id)
        return [version_view(each) for each in await edge.campaigns.versions(campaign.id)]

    @get("/campaigns/{campaign_id:str}/awards")
    async def awards(
        self, edge: Edge, key: Key, campaign_id: FromPath[str], cursor: Cursor = None, limit: Limit = 50
    ) -> PaidAwardPage:
        """
        What it gave, the newest first, each step of each award: how much, when, for which payment; nothing of who got it.

        Refuses CAMPAIGN_UNKNOWN.
        """
        campaign = edge.campaigns.paid_by(parse_id(CAMPAIGN_PREFIX, campaign_id), key.sponsor_id)
        return await edge.paid_page(campaign.id, cursor, limit)

    @post("/campaigns/{campaign_id:str}/agree", status_code=200)
    async def agree(self, edge: Edge, key: Key, campaign_id: FromPath[str], version: AgreedTo) -> SharedCampaignView:
        """
        Pay one's part of it, by the terms of this version: the money leaves one's budget when the campaign is started.

        Refuses CAMPAIGN_UNKNOWN; CAMPAIGN_REVISED_SINCE; CAMPAIGN_STATE_FORBIDS; CAMPAIGN_OVER.
        """
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.agreed(id_, key.sponsor_id, version, agrees=True, by=key.id)

    @post("/campaigns/{campaign_id:str}/decline", status_code=200)
    async def decline(self, edge: Edge, key: Key, campaign_id: FromPath[str], version: AgreedTo) -> SharedCampaignView:
        """
        Not, or no longer: before it is started.

        Refuses CAMPAIGN_UNKNOWN; CAMPAIGN_REVISED_SINCE; CAMPAIGN_STATE_FORBIDS; CAMPAIGN_OVER.
        """
        id_ = parse_id(CAMPAIGN_PREFIX, campaign_id)
        return await edge.agreed(id_, key.sponsor_id, version, agrees=False, by=key.id)

    @get("/keys")
    async def keys(self, keys: Keys, key: Key) -> list[SponsorKeyView]:
        """One's keys, revoked ones too, oldest first: whoever holds a good one may agree in one's name."""
        return [sponsor_key_view(each) for each in keys.of_sponsor(key.sponsor_id)]

    @post("/keys/{key_id:str}/rotate", status_code=200)
    async def rotate(
        self,
        edge: Edge,
        keys: Keys,
        key: Key,
        key_id: FromPath[str],
        data: JSONBody[RotateSponsorKey | None] = None,
    ) -> IssuedSponsorKey:
        """
        A new token for a key, which nobody else has seen; the old one is no good at once.

        Refuses SPONSOR_KEY_UNKNOWN; KEY_REVOKED.
        """
        id_, rotation_id = parse_id(KEY_PREFIX, key_id), data.rotation_id if data is not None else ""
        return issued_view(await decided(edge.node.journal, lambda: keys.rotate(key, id_, rotation_id)))

    @post("/keys/{key_id:str}/revoke", status_code=200)
    async def revoke(self, edge: Edge, keys: Keys, key: Key, key_id: FromPath[str]) -> SponsorKeyView:
        """
        End a key for good, also the one that asks. Without any that is good one is asked nothing any more.

        Refuses SPONSOR_KEY_UNKNOWN, for another sponsor's, too.
        """
        id_ = parse_id(KEY_PREFIX, key_id)
        return sponsor_key_view(await decided(edge.node.journal, lambda: keys.revoke(key.sponsor_id, id_)))
