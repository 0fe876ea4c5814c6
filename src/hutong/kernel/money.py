"""Money: a count of minor units of one currency, and the only ways to share it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Self

from hutong.kernel.errors import KernelReason, Refusal

BPS = 10_000
MINOR_MAX = 2**63 - 1  # What a message or a row of ours carries; a ledger's amounts go to 2**128 - 1.


class Currency(Enum):
    """ISO 4217: alphabetic code, numeric code (which is also our ledger number), minor-unit digits."""

    CNY = "CNY", 156, 2
    USD = "USD", 840, 2
    EUR = "EUR", 978, 2
    HKD = "HKD", 344, 2
    MOP = "MOP", 446, 2
    SGD = "SGD", 702, 2
    KHR = "KHR", 116, 2
    THB = "THB", 764, 2
    VND = "VND", 704, 0
    MYR = "MYR", 458, 2
    IDR = "IDR", 360, 2
    PHP = "PHP", 608, 2
    BRL = "BRL", 986, 2
    INR = "INR", 356, 2
    JPY = "JPY", 392, 0
    KRW = "KRW", 410, 0
    GBP = "GBP", 826, 2
    TWD = "TWD", 901, 2

    __hash__ = object.__hash__  # Members are single; an enumeration's own hash is a call of Python, for every look-up.

    alpha: str
    numeric: int
    digits: int

    def __new__(cls, alpha: str, numeric: int, digits: int) -> Self:
        row = object.__new__(cls)
        row._value_ = alpha
        row.alpha = alpha
        row.numeric = numeric
        row.digits = digits
        return row

    @property
    def ledger(self) -> int:
        """The ledger that keeps this currency's books."""
        return self.numeric


_BY_NUMERIC = {currency.numeric: currency for currency in Currency}
_BY_ALPHA = {currency.alpha: currency for currency in Currency}


def currency_of(code: str | int) -> Currency:
    """The currency of an alphabetic or numeric ISO 4217 code; refuses one we don't know."""
    found = _BY_NUMERIC.get(code) if isinstance(code, int) else _BY_ALPHA.get(code)
    if found is None:
        raise Refusal(KernelReason.CURRENCY_UNKNOWN, currency=code)
    return found


@dataclass(frozen=True, slots=True)
class Money:
    """
    A non-negative count of minor units of one currency.

    Direction is never a sign: it is which account is debited and which credited.
    """

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        assert type(self.minor) is int  # Not bool, float or Decimal.
        assert 0 <= self.minor < 2**127

    def __str__(self) -> str:
        return format_amount(self.minor, self.currency) + " " + self.currency.alpha


def fen(minor: int) -> Money:
    """So many fen of Chinese money."""
    return Money(minor, Currency.CNY)


def format_amount(minor: int, currency: Currency) -> str:
    """Major units with exactly the currency's decimals: 1050 fen are `10.50`."""
    digits = currency.digits
    if digits == 0:
        return str(minor)
    whole, rest = divmod(minor, 10**digits)
    return f"{whole}.{rest:0{digits}d}"


def parse_amount(text: str, currency: Currency) -> int:
    """
    Minor units from major units: `10.5` is 1050 fen. Nothing is rounded.

    Refuses:  AMOUNT_MALFORMED, unless it is ASCII digits with at most one dot between or after them;
              AMOUNT_HAS_TOO_MANY_DECIMALS, a fraction of a fen; AMOUNT_OUT_OF_RANGE beyond 2**63 - 1.
    """
    whole, dot, rest = text.partition(".")
    if not text.isascii() or not whole.isdigit() or (dot and rest and not rest.isdigit()):
        raise Refusal(KernelReason.AMOUNT_MALFORMED, amount=text[:40])
    if len(rest) > currency.digits:
        raise Refusal(KernelReason.AMOUNT_HAS_TOO_MANY_DECIMALS, amount=text[:40], decimals_max=currency.digits)
    if len(whole) > 19:
        raise Refusal(KernelReason.AMOUNT_OUT_OF_RANGE, amount=text[:40])
    minor: int = int(whole) * 10**currency.digits + int(rest.ljust(currency.digits, "0") or "0")
    if minor > MINOR_MAX:
        raise Refusal(KernelReason.AMOUNT_OUT_OF_RANGE, amount=text[:40])
    return minor


def share_bps(minor: int, bps: int) -> int:
    """`bps` basis points of an amount, rounded half up: how every fee of ours is computed."""
    assert minor >= 0
    assert 0 <= bps <= BPS
    return (minor * bps + BPS // 2) // BPS


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """
    Share `minor` out in proportion to `weights` by largest remainder; it always adds up to the whole.

    Of equal remainders the earlier part is served first: a fixed rule, so that a replay and an audit
    share out the same way. No part exceeds its weight when the whole does not exceed the weights' sum.
    """
    total = sum(weights)
    assert minor >= 0
    assert total > 0
    assert all(weight >= 0 for weight in weights)
    shares = [Fraction(minor * weight, total) for weight in weights]
    parts = [int(share) for share in shares]
    left_over = minor - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda i: (parts[i] - shares[i], i))
    for i in by_remainder[:left_over]:
        parts[i] += 1
    assert sum(parts) == minor
    return parts
