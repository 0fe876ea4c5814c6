"""
What whoever pays for a campaign is shown of it over HTTP. Amounts are integers of minor units (fen).

Of awards it is what traces the money, and nothing of who got it: see ADR 0032.
"""

from typing import Annotated

import msgspec

from hutong.institution.books.account_name import TRANSFER_PREFIX
from hutong.institution.payments.payment import Why
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text
from hutong.ledger.transfer import Transfer
from hutong.marketing.campaigns.award import AWARD_PREFIX, Award
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign, CampaignTerms
from hutong.marketing.campaigns.sponsor_key import KEY_PREFIX, SponsorKey
from hutong.marketing.campaigns.views import PAYMENT_PREFIX, AgreedView

CallersKeyId = Annotated[
    str,
    msgspec.Meta(
        description="Your own id of the key: the same again is the same key, within ten minutes with its token. "
        "Empty: another key each time.",
        examples=["city-hall-1"],
    ),
]


class SharedCampaignView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    A campaign of the institution that a sponsor pays a part of, or is asked to: `part` of its `budget`.

    `given_part` is what of that is given, `back_part` what came back: to the fen what the sponsor would have paid and had back
    if the campaign ended now. `asked`: it is not started before the sponsor `agreed` to this `version` of its terms.
    """

    campaign_id: str
    name: str
    kind: str
    side: str
    state: str
    reason: str = ""
    part: int
    given_part: int
    back_part: int
    budget: int
    funded: int
    given: int
    given_times: int
    left: int
    asked: bool
    agreed: bool
    agreed_at_ms: int = 0
    agreed_key_id: str = ""  # Of a sponsor that is no merchant: with which of its keys.
    version: int
    terms: CampaignTerms
    starts_at_ms: int
    ends_at_ms: int


class MovementView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Money that came into a sponsor's budget, or went out of it. `kind` is `DEPOSIT`, `WITHDRAWAL`; `FUNDED`, which went into the
    campaign, or `GIVEN_BACK`, which came back from it. `movement_id` is the transfer in the institution's books.
    """

    movement_id: str
    kind: str
    amount: int
    campaign_id: str = ""
    at_ms: int


class MovementPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of them, the newest first. `next_cursor` is what to ask for the next page; null at the end."""

    movements: list[MovementView]
    next_cursor: int | None


class PaidAwardView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a campaign gave, as whoever pays for it may know: how much, when, for which payment, and nothing of the person."""

    award_id: str
    kind: str
    source: str
    state: str
    payment_id: str = ""
    amount: int
    returned: int = 0
    version: int
    created_at_ms: int
    decided_at_ms: int = 0


class PaidAwardPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some versions of a campaign's awards, the newest first. `next_cursor` is empty on the last page."""

    awards: list[PaidAwardView]
    next_cursor: str


class IssueSponsorKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key for a sponsor that is no merchant."""

    name: Annotated[str, msgspec.Meta(description="Who holds it, of at most 50 characters.", examples=["City hall"])]
    key_id: CallersKeyId = ""


class RotateSponsorKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new token for a key."""

    rotation_id: Annotated[
        str,
        msgspec.Meta(
            description="Your own id of this rotation: the same again within ten minutes shows the same token again. "
            "Empty: another token each time.",
            examples=["2026-11"],
        ),
    ] = ""


class SponsorKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A sponsor's key as it is now, without its token."""

    key_id: str
    name: str
    is_good: bool
    created_at_ms: int
    rotated_at_ms: int


class IssuedSponsorKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key and its token, which is kept nowhere: a repeat later than ten minutes shows the key and no token."""

    key: SponsorKeyView
    token: str


def shared_view(
    campaign: Campaign, sponsor_id: int, spent: tuple[int, int, int], *, asked: bool, agreed: AgreedView | None
) -> SharedCampaignView:
    """A campaign, to be shown to a sponsor of it; `spent` is what is given, how often, and what is left."""
    given, times, left = spent
    index = [each for each, _ in campaign.shares].index(sponsor_id)
    return SharedCampaignView(
        campaign_id=id_text(CAMPAIGN_PREFIX, campaign.id),
        name=campaign.name,
        kind=campaign.kind,
        side=campaign.side,
        state=campaign.state,
        reason=campaign.reason,
        part=campaign.parts()[index][1],
        given_part=campaign.borne(left)[index],
        back_part=campaign.back[index][0] if campaign.back else 0,
        budget=campaign.budget,
        funded=campaign.funded,
        given=given,
        given_times=times,
        left=left,
        asked=asked,
        agreed=agreed is not None,
        agreed_at_ms=agreed.at_ms if agreed else 0,
        agreed_key_id=agreed.key_id if agreed else "",
        version=campaign.version,
        terms=campaign.told,
        starts_at_ms=campaign.starts_ns // NS_PER_MS,
        ends_at_ms=campaign.ends_ns // NS_PER_MS,
    )


def movement_view(transfer: Transfer, *, came_in: bool) -> MovementView:
    """A transfer of a budget, to be shown."""
    of_campaign = transfer.code == Why.CAMPAIGN_FUNDED
    kinds = ("GIVEN_BACK", "FUNDED") if of_campaign else ("DEPOSIT", "WITHDRAWAL")
    return MovementView(
        movement_id=id_text(TRANSFER_PREFIX, transfer.id),
        kind=kinds[0 if came_in else 1],
        amount=transfer.amount,
        campaign_id=id_text(CAMPAIGN_PREFIX, transfer.user_data_128) if of_campaign else "",
        at_ms=transfer.timestamp // NS_PER_MS,
    )


def paid_award_view(award: Award) -> PaidAwardView:
    """An award, to be shown to whoever pays for it. No person, no facts, and no row of the rules, which may ask about the person."""
    return PaidAwardView(
        award_id=id_text(AWARD_PREFIX, award.id),
        kind=award.kind,
        source=award.source,
        state=award.state,
        payment_id=id_text(PAYMENT_PREFIX, award.paid_id) if award.paid_id else "",
        amount=award.amount,
        returned=award.returned,
        version=award.version,
        created_at_ms=award.created_ns // NS_PER_MS,
        decided_at_ms=award.decided_ns // NS_PER_MS,
    )


def sponsor_key_view(key: SponsorKey) -> SponsorKeyView:
    """A key, to be shown."""
    return SponsorKeyView(
        key_id=id_text(KEY_PREFIX, key.id),
        name=key.name,
        is_good=not key.revoked_ns,
        created_at_ms=key.created_ns // NS_PER_MS,
        rotated_at_ms=key.rotated_ns // NS_PER_MS,
    )


def issued_view(issued: tuple[SponsorKey, str]) -> IssuedSponsorKey:
    """A key with its token."""
    return IssuedSponsorKey(key=sponsor_key_view(issued[0]), token=issued[1])
