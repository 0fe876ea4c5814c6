"""Daily proof at the switch: the money behind reserves is there, and positions are the caps less the scheme's income."""

import msgspec

from hutong.runtime.tables import BigInt, Boolean, Text
from hutong.switch.position import SwitchBooks


class SwitchProof(msgspec.Struct, frozen=True, kw_only=True):
    """A day's, as the books stood when it was taken."""

    key: Text  # `day/currency`
    day: Text
    currency: Text
    custody_minor: BigInt
    reserves_minor: BigInt
    contributions_minor: BigInt
    positions_minor: BigInt
    caps_minor: BigInt
    income_minor: BigInt
    holds: Boolean
    taken_ns: BigInt


def switch_proof(books: SwitchBooks, day: str, taken_ns: int) -> SwitchProof:
    return SwitchProof(
        key=f"{day}/{books.currency}",
        day=day,
        currency=books.currency,
        custody_minor=books.custody_minor,
        reserves_minor=books.reserves_minor,
        contributions_minor=books.contributions_minor,
        positions_minor=sum(position.balance_minor for position in books.positions),
        caps_minor=books.caps_minor,
        income_minor=books.income_minor,
        holds=books.is_balanced,
        taken_ns=taken_ns,
    )
