"""A campaign's terms as its draws understand them."""

import msgspec

from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.campaign import Campaign, CampaignTerms
from hutong.marketing.draws.distribution import USUAL, Distribution
from hutong.marketing.draws.reasons import DrawReason
from hutong.marketing.draws.record import DrawTerms

# When a town pays: breakfast, lunch, the way home.
USUAL_HOURS = (4, 2, 1, 1, 2, 8, 28, 60, 70, 48, 42, 80, 100, 70, 44, 40, 44, 62, 95, 90, 70, 52, 30, 12)


class DrawMore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a campaign's terms say beside budgets and rules: all of it may be left to what is usual."""

    distribution: Distribution = USUAL
    hours: tuple[int, ...] = USUAL_HOURS
    slot_s: int = 300


def check_terms(terms: CampaignTerms) -> None:
    """Refuses DISTRIBUTION_INVALID, DRAW_TERMS_INVALID with the field."""
    more = more_of(terms)
    more.distribution.check()
    _terms(terms, more, terms.caps.day or more.distribution.highest).check()


def terms_of(campaign: Campaign, left: int, days: int) -> DrawTerms:
    """
    What a day goes by, where so much of the campaign's money is left for it and the days behind it.

    The day's own budget is the campaign's daily one; without one, what is left is shared out over the days.
    """
    of_day = campaign.told.caps.day or -(-left // days)
    return _terms(campaign.told, more_of(campaign.told), min(of_day, left))


def _terms(terms: CampaignTerms, more: DrawMore, budget: int) -> DrawTerms:
    return DrawTerms(
        distribution=more.distribution,
        hours=more.hours,
        budget=budget,
        slot_s=more.slot_s,
        turns=terms.caps.times_day or 1,
    )


def more_of(terms: CampaignTerms) -> DrawMore:
    """What only draws understand of the terms. Refuses DRAW_TERMS_INVALID."""
    try:
        return msgspec.convert(terms.more, DrawMore)
    except msgspec.ValidationError as error:
        raise Refusal(DrawReason.DRAW_TERMS_INVALID, field="more", said=str(error)) from error
