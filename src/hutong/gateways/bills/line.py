"""A line of a bill, whoever's layout it is told in; amounts in minor units, instants in nanoseconds."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec


class TradeKind(StrEnum):
    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    REVERSED = "REVERSED"  # Given back because the till took the whole order back.


class RefundProgress(StrEnum):
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"


class TradeLine(msgspec.Struct, frozen=True, kw_only=True):
    """
    A payment to an order, or a refund of one.

    `fee` is what the merchant paid of it to its acquirer, and of a refund what came back: never negative. `discount` is what
    sponsors bore of the payment, and of a refund what they got back; `shared` what of it was split among others by the end of
    the day.
    """

    kind: TradeKind
    at_ns: int  # When it was paid, or the refund was accepted.
    appid: str = ""
    number: str  # The merchant's account at the gateway: mchid, or pid.
    sub_number: str = ""  # In partner mode, the merchant whom the account acted for.
    device: str = ""
    trade_no: str
    out_trade_no: str
    payer: str  # As the merchant knows the payer: an open id, or a masked log-in.
    product: str  # The vendor's trade type.
    bank: str = "OTHERS"
    currency: str = "CNY"
    amount: int  # Of the order, or of the refund.
    discount: int = 0
    refund_no: str = ""
    out_refund_no: str = ""
    progress: RefundProgress = RefundProgress.SUCCESS
    ended_ns: int = 0  # When the refund's outcome was known.
    description: str = ""
    attach: str = ""
    fee: int = 0
    fee_bps: int = 0
    shared: int = 0
    created_ns: int = 0  # When the order was placed.
    shop_no: str = ""
    shop_name: str = ""
    operator: str = ""
    terminal: str = ""

    @property
    def is_refund(self) -> bool:
        return self.kind is not TradeKind.PAYMENT


class FundKind(StrEnum):
    """Why money came or went."""

    PAYMENT = "PAYMENT"
    FEE = "FEE"
    REFUND = "REFUND"
    SPLIT = "SPLIT"  # To a receiver, or from whoever splits.
    SPLIT_RETURNED = "SPLIT_RETURNED"
    FROZEN = "FROZEN"
    UNFROZEN = "UNFROZEN"
    COMBINED = "COMBINED"  # Between the merchants of one combined order.
    COMBINED_RETURNED = "COMBINED_RETURNED"
    TRANSFER = "TRANSFER"
    SUBSIDY = "SUBSIDY"  # Between two merchants, for a coupon.
    SUBSIDY_RETURNED = "SUBSIDY_RETURNED"
    WITHDRAWAL = "WITHDRAWAL"
    PAID_IN = "PAID_IN"
    DISPUTED = "DISPUTED"
    OTHER = "OTHER"


class FundLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something that moved the merchant's money. `change` is positive when it came in; `balance` is what there was then."""

    at_ns: int
    kind: FundKind
    trade_no: str  # Of what it was about.
    flow_no: str  # Its own, like no other line's.
    change: int
    balance: int
    applicant: str = "system"
    remark: str = ""
    voucher: str = ""  # The merchant's own number of it.
    description: str = ""
    counterparty: str = ""


class TradeSums(msgspec.Struct, frozen=True, kw_only=True):
    """What a day's trades come to."""

    payments: int
    refunds: int
    paid: int
    discounts: int
    discounts_back: int
    fees: int  # Less what came back.
    refunded: int
    shared: int


class FundSums(msgspec.Struct, frozen=True, kw_only=True):
    """What came and what went."""

    lines: int
    ins: int
    came: int
    outs: int
    went: int


def trade_sums(lines: Iterable[TradeLine]) -> TradeSums:
    """The sums of these lines."""
    payments = refunds = paid = discounts = discounts_back = fees = refunded = shared = 0
    for line in lines:
        if line.is_refund:
            refunds += 1
            refunded += line.amount
            discounts_back += line.discount
            fees -= line.fee
        else:
            payments += 1
            paid += line.amount
            discounts += line.discount
            fees += line.fee
            shared += line.shared
    return TradeSums(
        payments=payments,
        refunds=refunds,
        paid=paid,
        discounts=discounts,
        discounts_back=discounts_back,
        fees=fees,
        refunded=refunded,
        shared=shared,
    )


def fund_sums(lines: Sequence[FundLine]) -> FundSums:
    """The sums of these lines."""
    came = [line.change for line in lines if line.change > 0]
    went = [-line.change for line in lines if line.change < 0]
    return FundSums(lines=len(lines), ins=len(came), came=sum(came), outs=len(went), went=sum(went))


def yuan(minor: int) -> str:
    """Minor units as yuan with two decimals."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def in_one_line(text: str) -> str:
    """A field of a file that quotes nothing: what ends a field or a line is replaced."""
    return "".join(each if each.isprintable() else " " for each in text).replace(",", "，")
