"""That a merchant takes part in a programme: a campaign of somebody else's that is for those who join it."""

import msgspec

from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Boolean, Table, Uuid


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """One version: joined, or left again."""

    id: Uuid
    campaign_id: Uuid
    merchant_id: Uuid
    joined: Boolean
    changed_ns: BigInt


ENROLMENTS = Table("enrolments", Enrolment)


def enrolment_id(campaign_id: int, merchant_id: int) -> int:
    """One for each merchant and programme."""
    return derive(campaign_id, f"enrolment/{merchant_id:032x}")
