"""A unit of a campaign's experiment, and what it did since the campaign was first there for it."""

from typing import NamedTuple


class Unit(NamedTuple):
    """A person, or an hour of a shop. Amounts are in fen: what was bought for, before any discount."""

    arm: str
    payments: int  # Of which something is left: what was refunded whole is none.
    amount: int  # Of these, less what was refunded.
    gross_payments: int  # Before refunds.
    gross_amount: int
    is_new: (
        bool  # The first payment of all was made with an award of the campaign, and not refunded whole; of hours never.
    )


class Refused(NamedTuple):
    """A friend who brings no reward, as things stand: an appeal that was granted has made it none."""

    reason: str
    amount: int  # What was set aside for it; 0: its turn had not come.
    signals: tuple[str, ...]  # Of collusion, that were seen when it was decided.


class Takings(NamedTuple):
    """
    What a merchant took with a campaign's help: completed payments, their amounts, and what of those was the campaign's.

    `refunded` and `returned` are what refunds took back of the amounts, and of the campaign's part.
    """

    campaign_id: int
    payments: int
    amount: int
    refunded: int
    given: int
    returned: int
