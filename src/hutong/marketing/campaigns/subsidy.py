"""A discount as it was shown, and by what it holds until it is paid."""

from typing import NamedTuple

from hutong.institution.payments.cashier import Discount
from hutong.marketing.campaigns.budget import Caps, Spent
from hutong.marketing.campaigns.decided import Decided
from hutong.scheme.messages import MerchantFacts


class Room(NamedTuple):
    """What one campaign's budgets must still have for what was shown."""

    amount: int
    funded: int
    spent: Spent
    caps: Caps | None  # None: it has none but its own money.
    campaign_id: int
    place: str


class Offered(NamedTuple):
    """From when to when what was shown holds, and how many changes there had been of what it follows from."""

    changes: int
    since_ns: int
    until_ns: int
    merchant_id: int
    shop_id: int
    chosen: tuple[int, ...] | None
    said: MerchantFacts | None
    rooms: tuple[Room, ...]


class Subsidy(Discount, frozen=True, gc=False):
    """A discount, with what it is made of, and what it holds by where it is remembered."""

    chosen: tuple[Decided, ...] = ()
    offered: Offered | None = None
