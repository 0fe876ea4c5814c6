"""What a campaign gave: one award per campaign and payment, or reward. It can be followed from the budget to its person and back."""

from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from hutong.institution.payments.payment import PAYMENTS, Outcome, Payment
from hutong.kernel.ids import derive, part
from hutong.runtime.tables import BigInt, Boolean, Bytes, Integer, SmallInt, Table, Text, Uuid, View

AWARD_PREFIX = "awd"
CAMPAIGN = "campaign"  # The source of what is a campaign's own, and neither drawn nor a coupon's.

# Among its facts: what another institution said of its merchant, on which it was given.
MERCHANT_SAID = "merchant_said"


class AwardKind(StrEnum):
    DISCOUNT = "DISCOUNT"  # Of a payment.
    REWARD = "REWARD"  # Money for its own sake.


class AwardState(StrEnum):
    RESERVED = "RESERVED"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"  # The payment did not come about, or the reward was refused.


class Award(msgspec.Struct, frozen=True, gc=False):
    """
    One version of an award. The first is written with its payment: RESERVED, or COMMITTED where that was decided at once;
    `times` is 1 in it alone. `change` and `times` say what this version does to every budget it counts in, so that a budget
    is the sum over all rows, and so is what an audit makes of it. What was RESERVED for a payer of ours is COMMITTED by the
    payment's own outcome, which is written anyway (`standing`): there is no version that says it again.
    """

    id: Uuid
    person_id: Uuid  # 0: whoever paid a merchant of ours.
    payment_id: Uuid  # What the adjuster was told to reserve for; 0: a reward.
    source_id: (
        Uuid  # The coupon; of a campaign at merchants of ours, the payment's own id: `payment_id` is our name of it.
    )
    amount: BigInt
    returned: BigInt  # By refunds.
    change: BigInt
    created_ns: BigInt
    decided_ns: BigInt
    facts: Bytes
    # From here on, what many awards have in common (`AWARDS`).
    campaign_id: Uuid
    kind: Text
    source: Text  # "campaign", "draw", "coupon", "invite".
    state: Text
    times: SmallInt
    day: Integer  # In the institution's own zone.
    place: Text
    row: SmallInt  # Of the rules, that decided; 0: none did.
    version: Integer  # Of the campaign's terms.
    combined: Boolean  # Its money goes by way of the node's account of what was awarded.
    reason: Text

    @property
    def left(self) -> int:
        """What it still gives."""
        return 0 if self.state == AwardState.RELEASED else self.amount - self.returned

    @property
    def paid_id(self) -> int:
        """The payment as whoever made it knows it; 0: a reward."""
        return self.source_id if self.source == "campaign" and self.source_id else self.payment_id

    def standing(self, outcome: Outcome | None) -> "Award":
        """As it stands, with the outcome of the payer's payment; none, while there is none or it is nobody's of ours."""
        if self.state == AwardState.RESERVED and outcome is not None and outcome.completed:
            return replace(self, state=AwardState.COMMITTED.value, decided_ns=outcome.decided_ns)
        return self

    @property
    def told(self) -> dict[str, Any]:
        """The facts, read."""
        found: dict[str, Any] = msgspec.json.decode(self.facts) if self.facts else {}
        return found


class Exposure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That a campaign was there for somebody for the first time, and in which group that person is."""

    id: Uuid
    campaign_id: Uuid
    unit_id: Uuid  # The person; where nobody knows who pays, the shop's hour.
    arm: Text
    at_ns: BigInt


def granted(payment: Payment) -> Award | None:
    """The award that a payment's own row is (`Grant`): of this payment, and under its id. None: it is none."""
    if payment.campaign_id is None:
        return None
    return Award(
        payment.id,
        payment.user_id,
        payment.id,
        0,  # It has no source but its campaign.
        payment.payer_discount,
        0,  # Returned.
        payment.payer_discount,  # Its change of every budget.
        payment.created_ns,
        0,
        b"",
        payment.campaign_id,
        AwardKind.DISCOUNT.value,
        CAMPAIGN,
        AwardState.RESERVED.value,  # The outcome says the rest.
        1,  # Once.
        payment.award_day or 0,
        payment.award_place or "",
        payment.award_row or 0,
        payment.award_version or 0,
        False,  # It is paid from the campaign's own account.
        "",
    )


AWARDS = Table("awards", Award, repeated=11)
# What is read: the versions that were written by themselves, and those that are a part of their payment's row.
ALL_AWARDS = View("all_awards", Award, {AWARDS: lambda row: row, PAYMENTS: granted})
# These alone: of two tables together PostgreSQL reads no page in order.
GRANTED = View("granted_awards", Award, {PAYMENTS: granted})
EXPOSURES = Table("campaign_exposures", Exposure)


def award_id(payment_id: int, campaign_id: int, source: str, source_id: int) -> int:
    """The id of one of several things that a payment is given."""
    return derive(payment_id, f"award/{campaign_id:032x}/{source}/{source_id:032x}")


def only_award_id(payment_id: int) -> int:
    """The id of all that a payment is given, where that is one thing: a part of the payment's own, and its neighbour."""
    return part(payment_id, 1)
