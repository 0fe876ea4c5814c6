"""A line of an account's statement: one transfer, with what it was for."""

from enum import StrEnum

import msgspec

from hutong.institution.payments.cashier import MERCHANT
from hutong.institution.payments.payment import Payment, Why
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import Refund, Return
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text
from hutong.ledger.recipes import Leg
from hutong.ledger.transfer import Transfer, TransferFlag
from hutong.scheme.messages import Channel

_LEG_MASK = 0x3F
_DISPUTES = frozenset({Why.DISPUTED, Why.DISPUTE_ENDED})
_MOVES_NOTHING = TransferFlag.PENDING | TransferFlag.VOID_PENDING

Subject = Payment | Receipt | Refund | Return | None


class Direction(StrEnum):
    IN = "IN"
    OUT = "OUT"


class LineKind(StrEnum):
    PAYMENT = "PAYMENT"
    DISCOUNT = "DISCOUNT"
    FEE = "FEE"
    REFUND = "REFUND"
    TOP_UP = "TOP_UP"
    WITHDRAWAL = "WITHDRAWAL"
    PAID_IN = "PAID_IN"
    PAID_OUT = "PAID_OUT"
    DISPUTED = "DISPUTED"  # Set aside for a recall, or come back from there.
    FROZEN = "FROZEN"  # Kept of an order that is to be split, or held for a merchant; or come back from there.
    SPLIT = "SPLIT"  # A part of an order that several share.
    TRANSFER = "TRANSFER"  # From a merchant to a person.
    RED_PACKET = "RED_PACKET"  # Put into a red packet, claimed from one, or come back from one.
    REWARD = "REWARD"  # From a campaign.
    SUBSIDY = "SUBSIDY"  # From a merchant to another, for a coupon that this one took; or back.
    BUDGET = "BUDGET"  # Set aside by a merchant for campaigns of its own; or come back from there.
    OTHER = "OTHER"


class StatementLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money that moved. `cursor` is its time in nanoseconds: a page further back begins before it."""

    cursor: int
    at_ms: int
    direction: Direction
    amount: int
    kind: LineKind
    payment_id: str = ""
    refund_id: str = ""
    counterparty: str = ""
    remark: str = ""


class StatementPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. `next_cursor` is what to ask `before` for the next page; null at the end."""

    currency: str
    lines: list[StatementLine]
    next_cursor: int | None


def moves_money(transfer: Transfer) -> bool:
    """A hold and its release are no lines: nothing came or went; nor is the end of a dispute that had nothing left."""
    return not transfer.flags & _MOVES_NOTHING and bool(transfer.amount or transfer.code not in _DISPUTES)


def statement_line(transfer: Transfer, account_id: int, subject: Subject) -> StatementLine:
    """The line of a transfer that moved money on this account."""
    return StatementLine(
        cursor=transfer.timestamp,
        at_ms=transfer.timestamp // NS_PER_MS,
        direction=Direction.IN if transfer.credit_account_id == account_id else Direction.OUT,
        amount=transfer.amount,
        kind=_kind(transfer, subject),
        payment_id=_payment_id(subject),
        refund_id=id_text("rfd", subject.refund_id) if isinstance(subject, Refund) else "",
        counterparty=_counterparty(subject, account_id),
        remark=subject.remark if subject is not None else "",
    )


def _kind(transfer: Transfer, subject: Subject) -> LineKind:
    leg = transfer.id & _LEG_MASK
    if isinstance(subject, Refund | Return):
        return LineKind.FEE if leg == Leg.FEE else LineKind.REFUND
    if leg == Leg.FEE:
        return LineKind.FEE
    if leg in (Leg.PAYER_DISCOUNT, Leg.PAYEE_DISCOUNT):
        return LineKind.DISCOUNT
    if isinstance(subject, Payment) and subject.funding == MERCHANT:
        return LineKind.WITHDRAWAL
    if isinstance(subject, Payment | Receipt):
        if subject.channel == Channel.TOP_UP.value:
            return LineKind.TOP_UP
        return LineKind.WITHDRAWAL if subject.channel == Channel.WITHDRAWAL.value else LineKind.PAYMENT
    return _OUTSIDE.get(transfer.code, LineKind.OTHER)


_OUTSIDE = {
    int(Why.PAID_IN): LineKind.PAID_IN,
    int(Why.PAID_OUT): LineKind.PAID_OUT,
    int(Why.DISPUTED): LineKind.DISPUTED,
    int(Why.DISPUTE_ENDED): LineKind.DISPUTED,
    int(Why.FROZEN): LineKind.FROZEN,
    int(Why.UNFROZEN): LineKind.FROZEN,
    int(Why.SPLIT): LineKind.SPLIT,
    int(Why.SPLIT_RETURNED): LineKind.SPLIT,
    int(Why.COMBINED): LineKind.SPLIT,
    int(Why.COMBINED_RETURNED): LineKind.SPLIT,
    int(Why.SENT): LineKind.TRANSFER,
    int(Why.SUBSIDISED): LineKind.SUBSIDY,
    int(Why.SUBSIDY_RETURNED): LineKind.SUBSIDY,
    int(Why.SPONSORED): LineKind.BUDGET,
    int(Why.REWARDED): LineKind.REWARD,
    int(Why.HELD): LineKind.FROZEN,
    int(Why.LET_GO): LineKind.FROZEN,
    int(Why.RED_PACKET_FILLED): LineKind.RED_PACKET,
    int(Why.RED_PACKET_CLAIMED): LineKind.RED_PACKET,
    int(Why.RED_PACKET_RETURNED): LineKind.RED_PACKET,
}


def _payment_id(subject: Subject) -> str:
    if subject is None:
        return ""
    return id_text("pay", subject.payment_id if isinstance(subject, Refund | Return) else subject.id)


def _counterparty(subject: Subject, account_id: int) -> str:
    match subject:
        case Payment():
            return subject.payee_name if subject.account == account_id else subject.debtor_name
        case Receipt():
            return subject.debtor_name
        case Return():
            return subject.payee_name
        case _:
            return ""
