"""A unit of a campaign's experiment, and what it did since the campaign was first there for it."""

from typing import NamedTuple


class Unit(NamedTuple):
    """A person, or an hour of a shop."""

    arm: str
    payments: int
    amount: int  # Of these payments, in fen: what was bought for, before any discount.
    before: int  # Payments before it met the campaign; of hours of shops 0.


class Refused(NamedTuple):
    """Rewards that were held back for good: for collusion, a refund, a rule broken."""

    times: int
    amount: int


class Takings(NamedTuple):
    """What a merchant took with a campaign's help: completed payments, their amounts, and what of those was the campaign's."""

    campaign_id: int
    payments: int
    amount: int
    given: int
    returned: int
