"""A sale: a payment as its merchant looks for it, whoever's wallet it came from."""

import msgspec

from hutong.institution.bills.bill import Days
from hutong.institution.payments.payment import Outcome, Payment, PaymentState
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import Refund
from hutong.institution.requests.request import PaymentRequest

TEXT_LENGTH_MAX = 140
REFUNDED = "REFUNDED"  # Completed, and some of it given back.


class SaleSearch(msgspec.Struct, frozen=True, kw_only=True):
    """Which sales are looked for: in these days, at a shop (0: all), in a state (empty: any), of an amount, with a text."""

    days: Days
    shop_id: int = 0
    state: str = ""  # A `PaymentState`, or REFUNDED.
    amount_min: int = 0
    amount_max: int = 0  # 0: however much.
    text: str = ""  # In the payer's name, the remark or the reference.
    before_ns: int = 0  # Those asked before that instant; 0: the newest.

    @property
    def pattern(self) -> str:
        """The text for LIKE, its own wildcards taken as letters."""
        escaped = self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"%{escaped}%" if escaped else ""


class Sale(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One payment to a merchant. `asked_ns` is when it reached us, `decided_ns` when it was decided, 0 if it is not."""

    payment_id: int
    asked_ns: int
    decided_ns: int
    state: PaymentState
    reason: str
    shop_id: int
    channel: str
    payer_name: str
    debtor_agent: str  # Empty: a payer of ours.
    reference: str
    remark: str
    gross: int
    discount: int  # What a sponsor paid of it.
    fee: int
    refunded: int


class SaleLife(msgspec.Struct, frozen=True, kw_only=True):
    """One sale with all that became of it."""

    payment: Payment | Receipt
    outcome: Outcome | None
    request: PaymentRequest | None
    refunds: list[tuple[Refund, Outcome | None]]
    left: int  # What can still be given back.
