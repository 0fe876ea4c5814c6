"""What a payment is to be given by one campaign, and the first version of the award that it becomes."""

import msgspec

from hutong.marketing.campaigns.award import Award, AwardKind, AwardState
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import Campaign

# Read once: asking an enumeration for its value is a call, and each discounted payment asks for some.
_DISCOUNT = AwardKind.DISCOUNT.value
RESERVED, COMMITTED = AwardState.RESERVED.value, AwardState.COMMITTED.value


class Decided(msgspec.Struct, frozen=True, gc=False):
    """What was decided of one benefit beside its amount."""

    benefit: Benefit
    place: str
    row: int
    campaign: Campaign
    caps: Caps


def first_version(
    id_: int,
    payment_id: int,
    person_id: int,
    given: Decided,
    day: int,
    now_ns: int,
    *,
    combined: bool,
    state: str = RESERVED,
) -> Award:
    """The first version: reserved, or what it was decided to be in the same decision."""
    benefit, campaign = given.benefit, given.campaign
    # By position: Python makes a dictionary of more than fifteen names in a call, and this is made for every discount.
    return Award(
        id_,
        person_id,
        payment_id,
        benefit.source_id,
        benefit.amount,
        0,  # Returned.
        benefit.amount,  # Its change of every budget,
        now_ns,
        0 if state is RESERVED else now_ns,
        msgspec.json.encode(benefit.facts) if benefit.facts else b"",
        campaign.id,
        _DISCOUNT,
        benefit.source,
        state,
        1,  # Once.
        day,
        given.place,
        given.row,
        campaign.version,
        combined,
        "",
    )
