"""A campaign as whoever pays a part of it reads it: a sponsor with a key, or a merchant in its console."""

from typing import Any, NamedTuple

from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.award import AwardState
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign, CampaignKind, CampaignState
from hutong.marketing.marketing import Marketing
from hutong.web.campaign_wording import KINDS, STATES, TAGS, by_day, gives, said_effects
from hutong.web.coupon_codes import COUPON_STATES, listed
from hutong.web.form import Form
from hutong.web.institution_desk.campaign_terms import rules_told, terms_told, version_told
from hutong.web.institution_desk.invite_form import SIGNALS
from hutong.web.language import Words, phrase
from hutong.web.page import AnyRequest

MOVEMENTS = {
    "DEPOSIT": phrase("Paid in"),
    "WITHDRAWAL": phrase("Taken back out"),
    "FUNDED": phrase("Into a campaign"),
    "GIVEN_BACK": phrase("Back from a campaign"),
}


AWARD_STATES = {
    AwardState.RESERVED.value: phrase("Set aside"),
    AwardState.COMMITTED.value: phrase("Given"),
    AwardState.RELEASED.value: phrase("Not given"),
}
_CURSOR_MAX = 2**62


def cursor_of(request: AnyRequest) -> int | None:
    """What a page of a list begins before; None: with the newest. Refuses NUMBER_OUT_OF_RANGE."""
    form = Form(dict(request.query_params))
    return form.number("before", least=1, most=_CURSOR_MAX) if form.text("before") else None


class Agreed(NamedTuple):
    """Who agreed to pay a part, when, and with which key; empty for a merchant, whose own people did."""

    sponsor_id: int
    name: str
    at_ns: int
    key: str


def agreements_told(marketing: Marketing, campaign: Campaign) -> list[Agreed]:
    """Of a campaign as it stands, in order of its sponsors."""
    said = {each.who: each for each in campaign.agreements}
    found = []
    for sponsor in map(marketing.sponsors.sponsor, dict(campaign.shares)):
        if sponsor.who in said:
            key = marketing.sponsor_keys.standing(said[sponsor.who].by)
            found.append(Agreed(sponsor.id, sponsor.name, said[sponsor.who].at_ns, key.name if key else ""))
    return found


async def shared_told(marketing: Marketing, _: Words, id_: int, sponsor_id: int) -> dict[str, Any]:
    """What `kit/shared_campaign.html` shows of it. Refuses CAMPAIGN_UNKNOWN, for what this sponsor pays nothing of, too."""
    campaign = marketing.campaigns.paid_by(id_, sponsor_id)
    view = await marketing.effects.of_paid(id_, sponsor_id)
    own = marketing.campaign_edge.shared(id_, sponsor_id)
    versions = await marketing.campaigns.versions(id_)
    earlier = [each for each in versions if each.version < campaign.version]
    return {
        "id": id_text(CAMPAIGN_PREFIX, id_),
        "campaign": campaign,
        "own": own,
        "agreed_with": next(
            (told.key for told in agreements_told(marketing, campaign) if told.sponsor_id == sponsor_id), ""
        ),
        "view": view,
        "gives": gives(_, campaign),
        "effects": said_effects(_, view),
        "days": by_day(_, view),
        "terms": terms_told(_, campaign, marketing.sponsors, sponsor_id),
        "rules": rules_told(_, campaign),
        "earlier": [version_told(_, each, marketing.sponsors, sponsor_id) for each in earlier][::-1],
        "coupons": listed(_, marketing, id_) if campaign.kind == CampaignKind.COUPON else None,
        "coupon_states": COUPON_STATES,
        "is_open": campaign.state == CampaignState.DRAFT and own.asked,
        "over": campaign.state == CampaignState.ENDED,
        "now_ns": marketing.node.clock.now_ns(),
        "signals": SIGNALS,
        "states": STATES,
        "tags": TAGS,
        "kinds": KINDS,
    }
