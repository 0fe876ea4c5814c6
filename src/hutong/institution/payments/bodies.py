"""What the API of payments takes and shows, beside payments and refunds. Amounts are integers of minor units (fen)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from hutong.institution.payments.mandate import BankAccount, Mandate, TopUp, withdrawal_creditor
from hutong.institution.payments.quotes import Quote
from hutong.institution.payments.request_to_pay import Charge, ToPay
from hutong.institution.payments.views import payment_id_text
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id

QUOTE_PREFIX, REFUND_PREFIX, TO_PAY_PREFIX = "quo", "rfd", "rtp"
COUPON_PREFIX = "cpn"
BANK_ACCOUNT_PREFIX, TOP_UP_PREFIX, MANDATE_PREFIX, PAY_IN_PREFIX = "bka", "top", "mdt", "pin"

Amount = Annotated[int, Meta(description="Minor units: 1200 is 12.00 yuan.", examples=[1200])]
PaymentId = Annotated[str, Meta(description="Minted and kept by you before the first try.")]


class ConsultBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What was scanned. `amount`: what the payer means to pay where the code leaves it open, to see a discount.

    `coupon_ids`: which of the payer's coupons are to be used, none if empty; without it the best are found. `explain`: also say
    what was weighed, and why it was taken or was not.
    """

    code: Annotated[str, Meta(min_length=1, max_length=512)]
    amount: Annotated[int, Meta(ge=0)] = 0
    coupon_ids: Annotated[list[str], Meta(max_length=20)] | None = None
    explain: bool = False

    @property
    def chosen(self) -> tuple[int, ...] | None:
        """Refuses ID_MALFORMED."""
        if self.coupon_ids is None:
            return None
        return tuple(parse_id(COUPON_PREFIX, text) for text in self.coupon_ids)


class DiscountPartView(msgspec.Struct, frozen=True, kw_only=True):
    """One of the things a discount is made of."""

    label: str
    amount: int


class WeighedView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One thing that could make the payment cheaper. `could_give` is by itself, `gives` beside what else was chosen.

    `why`: TAKEN, TAKEN_IN_PART; GIVES_NOTHING; BELOW_THRESHOLD, by `missing`; BELOW_THRESHOLD_THEN: those before it leave `left`,
    and it needs `threshold`; GROUP_TAKEN: either it or `instead`; STANDS_ALONE, and what was chosen gives `together`;
    OTHER_STANDS_ALONE; NOTHING_LEFT; GIVES_LESS than what is in its place; BUDGET_SPENT; PERSON_HAD_IT; NO_DRAW_NOW.
    """

    label: str
    source: str
    could_give: int
    gives: int
    why: str
    threshold: int = 0
    missing: int = 0
    left: int = 0
    together: int = 0
    instead: str = ""


class QuoteView(msgspec.Struct, frozen=True, kw_only=True):
    """
    Whom a code pays, and how much. Amount 0: the payer says. `creditor` is what a PIN token is bound to.

    `asks_amount`: the shop takes something off, by the amount; consult again with what the payer typed. A `payee_discount` of such a
    code is of that amount alone.
    `explained` is what was weighed for the discount, to who asked for it.
    """

    quote_id: str
    payee_name: str
    shop_name: str
    creditor_agent: str
    creditor: str
    mcc: str
    channel: str
    amount: int
    discount: int
    discount_label: str
    discount_parts: list[DiscountPartView]
    payee_discount: int
    asks_amount: bool
    currency: str
    remark: str
    expires_at_ms: int
    explained: list[WeighedView] = []


class RefundBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give back part or all of a payment. `refund_id` is yours: with it, try as often as need be."""

    refund_id: str
    payment_id: str
    amount: Amount
    remark: str = ""


class ApproveBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    The payer's yes, with a PIN token for the `payment_id`, `amount` and `creditor` of what waits.

    `quote_id`: what the payer was shown, and no more than that is taken; empty: whatever is best then.
    """

    pin_token: str
    quote_id: str = ""


class ToPayView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asks to be paid and waits for the payer."""

    request_to_pay_id: str
    payment_id: str
    creditor: str
    creditor_name: str
    amount: int
    payee_discount: int  # What the payee's side takes off.
    currency: str
    remark: str
    state: str
    expires_at_ms: int


class ChargeView(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a charge by payment code stands: ASKED, WAITING for the payer, PAID or REJECTED with a reason.

    Behind `expires_at_ms` nobody can begin to pay it any more; what then became of it, the payment request says: EXPIRED,
    CLAIMED while a payment begun in time is being decided, or PAID.
    """

    request_id: str
    state: str
    amount: int
    payee_discount: int  # What a sponsor on the merchant's side carries of it; the merchant gets the whole amount.
    currency: str
    reason: str
    expires_at_ms: int


class LinkBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account of one's own at a bank: its mandate lets money in, its personal code lets money out."""

    bank_account_id: str
    name: str
    mandate: str = ""
    code: str = ""


class BankAccountView(msgspec.Struct, frozen=True, kw_only=True):
    """A linked account. A withdrawal's PIN token is bound to `creditor`."""

    bank_account_id: str
    name: str
    bank: str
    creditor: str
    takes_top_ups: bool
    takes_withdrawals: bool


class TopUpBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money in (充值), from a linked account."""

    top_up_id: str
    bank_account_id: str
    amount: Amount


class TopUpView(msgspec.Struct, frozen=True, kw_only=True):
    """
    How a top-up stands: OPEN, CLAIMED while the bank's payment is being decided, PAID, REJECTED with the bank's reason,
    or EXPIRED: the bank never paid, and now nobody can begin to.
    """

    top_up_id: str
    state: str
    amount: int
    currency: str
    reason: str


class WithdrawalBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money out (提现), to a linked account. It is a payment, under `payment_id`."""

    payment_id: PaymentId
    bank_account_id: str
    amount: Amount
    pin_token: str = ""


class MandateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let another institution's node take up to so much a day, for a wallet of one's own there."""

    grantee: str
    daily_max: Amount
    name: str = ""
    grant_id: str = ""  # The caller's own: with it the same grant can be asked for again. Empty: a new one each time.


class MandateView(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate. `text` is shown once, when it is granted: it is what the wallet is told."""

    mandate_id: str
    grantee: str
    name: str
    daily_max: int
    currency: str
    revoked: bool
    text: str = ""


class BalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """What can be spent, and what is held for payments under way; with `at_ms`, what was there at that time."""

    balance: int
    held: int
    currency: str
    at_ms: int | None = None


class PayInBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cash over the counter, or a transfer into the reserve account: money that comes from outside of all nodes."""

    pay_in_id: str
    user_id: str
    amount: Amount


class PaidIn(msgspec.Struct, frozen=True, kw_only=True):
    pay_in_id: str
    amount: int


def quote_view(quote: Quote) -> QuoteView:
    terms = quote.terms
    return QuoteView(
        quote_id=id_text(QUOTE_PREFIX, quote.id),
        payee_name=terms.payee_name,
        shop_name=terms.shop_name,
        creditor_agent=terms.creditor_agent,
        creditor=terms.creditor,
        mcc=terms.mcc,
        channel=terms.channel.value,
        amount=terms.amount,
        discount=quote.discount,
        discount_label=quote.discount_label,
        discount_parts=[DiscountPartView(label=part.label, amount=part.amount) for part in quote.discount_parts],
        payee_discount=terms.payee_discount,
        asks_amount=terms.asks_amount,
        currency=terms.currency,
        remark=terms.remark,
        expires_at_ms=quote.expires_ns // NS_PER_MS,
        explained=[WeighedView(**msgspec.structs.asdict(each)) for each in quote.explained],
    )


def to_pay_view(row: ToPay) -> ToPayView:
    return ToPayView(
        request_to_pay_id=id_text(TO_PAY_PREFIX, row.id),
        payment_id=payment_id_text(row.payment_id),
        creditor=row.terms.creditor,
        creditor_name=row.creditor_name,
        amount=row.amount,
        payee_discount=row.payee_discount,
        currency=row.currency,
        remark=row.remark,
        state=str(row.state),
        expires_at_ms=row.expires_ns // NS_PER_MS,
    )


def charge_view(charge: Charge) -> ChargeView:
    return ChargeView(
        request_id=id_text("req", charge.id),
        state=str(charge.state),
        amount=charge.amount,
        payee_discount=charge.payee_discount,
        currency=charge.currency,
        reason=charge.reason,
        expires_at_ms=charge.expires_ns // NS_PER_MS,
    )


def bank_account_view(account: BankAccount) -> BankAccountView:
    return BankAccountView(
        bank_account_id=id_text(BANK_ACCOUNT_PREFIX, account.id),
        name=account.name,
        bank=account.bank,
        creditor=withdrawal_creditor(account.id),
        takes_top_ups=bool(account.mandate),
        takes_withdrawals=bool(account.code),
    )


def top_up_view(top_up: TopUp, now_ns: int) -> TopUpView:
    return TopUpView(
        top_up_id=id_text(TOP_UP_PREFIX, top_up.top_up_id),
        state=top_up.state_at(now_ns).value,
        amount=top_up.amount,
        currency=top_up.currency,
        reason=top_up.reason,
    )


def mandate_view(mandate: Mandate, text: str = "") -> MandateView:
    return MandateView(
        mandate_id=id_text(MANDATE_PREFIX, mandate.id),
        grantee=mandate.grantee,
        name=mandate.name,
        daily_max=mandate.daily_max,
        currency=mandate.currency,
        revoked=bool(mandate.revoked_ns),
        text=text,
    )
