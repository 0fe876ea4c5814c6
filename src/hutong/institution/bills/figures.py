"""What a merchant took and gave back, by hour and shop: counted from the same rows as its bills, and equal to the ledger."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeVar

import msgspec

Key = TypeVar("Key")


class Figures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    Sums in minor units. `net` is what payments and refunds moved on the account, `other` what else did: withdrawals,
    disputes, corrections.
    """

    payments: int = 0
    gross: int = 0
    fees: int = 0
    refunds: int = 0
    refunded: int = 0
    fees_back: int = 0
    net: int = 0
    other: int = 0

    def plus(self, more: "Figures") -> "Figures":
        added = {field: getattr(self, field) + getattr(more, field) for field in Figures.__struct_fields__}
        return Figures(**added)


class HourFigures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The figures of one hour at one shop. What is of no shop, and all that is `other`, has shop 0."""

    day: date
    hour: int
    shop_id: int
    figures: Figures


def total(hours: Iterable[HourFigures]) -> Figures:
    """All of them in one."""
    found = Figures()
    for each in hours:
        found = found.plus(each.figures)
    return found


def totals_by(hours: Iterable[HourFigures], key: Callable[[HourFigures], Key]) -> dict[Key, Figures]:
    """The sums of those with the same key: a day, an hour, a shop."""
    found: dict[Key, Figures] = {}
    for each in hours:
        found[key(each)] = found.get(key(each), Figures()).plus(each.figures)
    return found
