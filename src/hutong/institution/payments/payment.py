"""A payment: the debtor's instruction, and both sides of it when payer and payee are ours."""

from enum import IntEnum, StrEnum

import msgspec

from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import KernelReason, Refusal
from hutong.kernel.ids import PARTS_MAX, derive, minted_ms
from hutong.kernel.money import MINOR_MAX
from hutong.runtime.tables import BigInt, Boolean, Integer, SmallInt, Table, Text, Uuid

REMARK_LENGTH_MAX = 140
ROWS_MAX = 200_000  # Kept in memory of each hot table: some minutes of full load; older ones are looked up.
_FUTURE_MAX_MS = 60_000

# How the funding of a payment begins that takes what a person let a merchant hold: one of this institution, or of another.
HELD, HELD_ELSEWHERE = "held:", "hold:"
HELD_MONEY = (HELD, HELD_ELSEWHERE)


class Why(IntEnum):
    """Why a transfer exists: its `code`, and, with `user_data_128`, what a restart resumes."""

    PAYMENT_HELD = 10  # The debtor's side of a payment across nodes.
    RECEIPT = 11  # The creditor's side of one.
    PAYMENT_ON_US = 12
    REFUND_HELD = 20  # The creditor's side of a refund across nodes.
    RETURN = 21  # The debtor's side of one.
    REFUND_ON_US = 22
    PAID_IN = 30  # Money that came from outside of all nodes.
    PAID_OUT = 31
    DISPUTED = 40  # Set aside until a recall is answered.
    DISPUTE_ENDED = 41  # What did not go back.
    CORRECTION = 50  # Found missing by reconciliation, against suspense; `user_data_32`: which of these it corrects.
    CORRECTION_SETTLED = 51
    FROZEN = 70  # Of a payment that is to be split: kept for its receivers.
    UNFROZEN = 71
    SPLIT = 72
    SPLIT_RETURNED = 73
    COMBINED = 74  # From the merchant that took a combined payment to those it was taken for.
    COMBINED_RETURNED = 75  # For a refund, back to who took it; or to whose refund it was, if there was none.
    SENT = 76  # From a merchant to a person.
    SUBSIDISED = 77  # From a merchant to another, for a coupon that this one took.
    SUBSIDY_RETURNED = 78
    SPONSORED = 90  # Paid in to a sponsor's budget, or out of it again.
    CAMPAIGN_FUNDED = 91  # From its sponsors' budgets; and what is left of it back.
    AWARDED = 92  # From a campaign, for a reward that waits or for a discount that several campaigns give; and back.
    REWARDED = 93  # A reward reached its person.
    HELD = 80  # A person lets a merchant hold it, to be taken later.
    RED_PACKET_FILLED = 100  # A person puts money into a red packet.
    RED_PACKET_CLAIMED = 101  # A person gets a share of one.
    RED_PACKET_RETURNED = 102  # What nobody claimed, or took, is the sender's again.
    LET_GO = 81  # It is the person's own again, or paid in the same moment.


class PaymentState(StrEnum):
    """PENDING covers ADMITTED and HELD, ACCEPTED at the creditor's side: undecided, as a client sees it."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    REJECTED = "REJECTED"


class Payment(msgspec.Struct, frozen=True, gc=False):
    """What was intended. Its outcome is a row of its own; while there is none, the payment is pending."""

    id: Uuid
    user_id: Uuid
    account: Uuid  # What is debited.
    debtor_name: Text  # As the creditor may see it.
    request_id: Uuid  # The payment request, or the static or personal code.
    payee_account: Uuid  # These four on us alone; 0 elsewhere.
    merchant_id: Uuid
    payee_user_id: Uuid
    shop_id: Uuid
    payee_name: Text
    shop_name: Text
    gross: BigInt
    payer_discount: BigInt
    payee_discount: BigInt
    fee: BigInt
    interchange: BigInt
    switch_fee: BigInt
    budget_account: Uuid  # Who sponsors the payer's discount; 0: nobody.
    sponsor_account: Uuid  # Who sponsors the payee's, on us; 0: nobody.
    quote_id: Uuid
    mandate_id: Uuid  # A bank's user's consent to a top-up; 0: none.
    remark: Text
    spent_year: BigInt  # What was used of the limits, this payment included.
    spent_static: BigInt
    spent_unverified: BigInt
    spent_verified: BigInt
    created_ns: BigInt
    expires_ns: BigInt
    # From here on, what many payments have in common (`PAYMENTS`).
    creditor_agent: Text  # Our own node: payer and payee are both ours.
    mcc: Text
    channel: Text
    is_static: Boolean
    currency: Text
    adjuster: Text  # Who gave the payer's discount, to commit or release it.
    sponsor: Text  # Who gave the payee's, on us.
    funding: Text
    fee_version: Text
    policy_version: Text
    counter: SmallInt  # What a day's limit counted this with.
    counted: Boolean
    # What its payer's discount is, where no other row says so (`cashier.Grant`).
    campaign_id: Uuid | None = None
    award_version: Integer | None = None
    award_row: SmallInt | None = None
    award_day: Integer | None = None
    award_place: Text | None = None

    @property
    def shares(self) -> Shares:
        """The payment's source -> sink matrix, as its six numbers."""
        return Shares(self.gross, self.payer_discount, self.payee_discount, self.fee, self.interchange, self.switch_fee)

    @property
    def paid(self) -> int:
        """What the payer himself pays."""
        return self.gross - self.payer_discount - self.payee_discount

    @property
    def held_id(self) -> int:
        """The authorisation whose held money this is paid with; 0: it is paid from the balance, or something else."""
        return int(self.funding[len(HELD) :], 16) if self.funding.startswith(HELD_MONEY) else 0


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a payer confirms."""

    payment_id: int
    quote_id: int
    amount: int = 0  # 0: as quoted.
    currency: str = ""  # Empty: as quoted.
    remark: str = ""
    funding: str = "balance"
    pin_token: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How something ended; the first durable one is the truth, and there is no second."""

    id: Uuid
    completed: Boolean
    reason: Text = ""  # The name of a `Reason`, ours or the network's.
    iso_code: Text = ""
    decided_ns: BigInt
    window: Text = ""  # The settlement window, of what the switch completed.


class Spending(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a user has used of the limits, where no payment's row says so: given back, or paid past the wallet."""

    id: Uuid
    user_id: Uuid
    counted_ns: BigInt  # The day and year the counters are of.
    spent_year: BigInt
    spent_static: BigInt
    spent_unverified: BigInt
    spent_verified: BigInt


PAYMENTS = Table("payments", Payment, repeated=17)
PAYMENT_OUTCOMES = Table("payment_outcomes", Outcome)
SPENDING = Table("spending", Spending)


def payer_text(debtor_agent: str, reference: str) -> str:
    """Who pays, as what is paid may ask: the institution and its reference; of a person of ours no institution, and the id."""
    return f"{debtor_agent}/{reference}"


def claimant(debtor_agent: str, payment_id: int) -> int:
    """
    The payee's node's own name of a payment: who claims a request, and what a sponsor reserves for.

    Two debtor agents may use one id, and who pays from both must not pass for one payer who asks again.
    """
    return derive(payment_id, f"{debtor_agent}/claim")


def check_new_id(field: str, id_: int, now_ns: int) -> None:
    """
    An id its caller minted.

    Refuses:  ID_MALFORMED, unless its last byte is zero: what we derive ourselves ends otherwise, so nobody can mint it;
              ID_FROM_THE_FUTURE, which would hide those minted meanwhile.
    """
    if id_ % PARTS_MAX:
        raise Refusal(KernelReason.ID_MALFORMED, field=field)
    if minted_ms(id_) > now_ns // NS_PER_MS + _FUTURE_MAX_MS:
        raise Refusal(PaymentReason.ID_FROM_THE_FUTURE, field=field)


def check_amount(amount: int) -> None:
    """Refuses AMOUNT_NOT_POSITIVE and AMOUNT_OUT_OF_RANGE."""
    if amount <= 0:
        raise Refusal(PaymentReason.AMOUNT_NOT_POSITIVE, field="amount", amount=amount)
    if amount > MINOR_MAX:
        raise Refusal(PaymentReason.AMOUNT_OUT_OF_RANGE, field="amount")


def check_same(field: str, known: object, asked: object) -> None:
    """Refuses ID_TAKEN, naming the field in which this differs from what came under the id before."""
    if known != asked:
        raise Refusal(PaymentReason.ID_TAKEN, field=field)
