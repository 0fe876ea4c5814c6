"""What a payment is to be given by one campaign, and the first version of the award that it, or a reward, becomes."""

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
    paid_id: int = 0,
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
        benefit.source_id or paid_id,
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


def first_reward(
    id_: int,
    campaign: Campaign,
    person_id: int,
    amount: int,
    source: str,
    facts: dict[str, object],
    day: int,
    now_ns: int,
) -> Award:
    """The first version of a reward: set aside for a person, and for no payment."""
    return Award(
        id=id_,
        campaign_id=campaign.id,
        kind=AwardKind.REWARD.value,
        person_id=person_id,
        payment_id=0,
        source=source,
        source_id=0,
        amount=amount,
        returned=0,
        state=RESERVED,
        change=amount,
        times=1,
        day=day,
        place="",
        row=0,
        version=campaign.version,
        combined=True,
        facts=msgspec.json.encode(facts),
        created_ns=now_ns,
        decided_ns=0,
        reason="",
    )
