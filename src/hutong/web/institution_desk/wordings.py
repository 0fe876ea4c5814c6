"""What the desk calls things: phrases for the names that books, cases and users have in the code."""

from collections.abc import Mapping, Sequence
from typing import Any

from hutong.institution import approval_service as approvals
from hutong.institution.chart import AccountCode
from hutong.institution.payments.payment import Why
from hutong.institution.people.user import Evidence
from hutong.institution.settlement.entry import CODE_SETTLEMENT
from hutong.ledger.recipes import Leg
from hutong.marketing.invitations.desk_service import GRANT
from hutong.web.desk.approvals import Wording
from hutong.web.language import Words, phrase

Tagged = tuple[str, str]  # A phrase, and the colour of its tag.

ACCOUNTS = {
    AccountCode.RESERVE: phrase("Reserve"),
    AccountCode.CLEARING: phrase("Clearing"),
    AccountCode.SUSPENSE: phrase("Suspense"),
    AccountCode.SETTLEMENT: phrase("Settlement account at the switch"),
    AccountCode.WALLET: phrase("Users' wallets"),
    AccountCode.HELD: phrase("Held for merchants"),
    AccountCode.MERCHANT: phrase("Merchants' accounts"),
    AccountCode.FROZEN: phrase("Frozen for splits"),
    AccountCode.RED_PACKET: phrase("Red packets"),
    AccountCode.BUDGET: phrase("Budgets of sponsors"),
    AccountCode.CAMPAIGN_BUDGET: phrase("Budgets of campaigns"),
    AccountCode.AWARDED: phrase("Awarded and on its way"),
    AccountCode.DISPUTED: phrase("Set aside in disputes"),
    AccountCode.OWED_TO_NETWORK: phrase("Owed to the network"),
    AccountCode.OWN_FUNDS: phrase("Own funds"),
    AccountCode.FEE_INCOME: phrase("Fee income"),
    AccountCode.INTERCHANGE_INCOME: phrase("Interchange income"),
    AccountCode.ACQUIRING_EXPENSE: phrase("Acquiring expense"),
    AccountCode.DIFFERENCES: phrase("Differences"),
    AccountCode.SETTLEMENT_LOSS: phrase("Settlement loss"),
    AccountCode.SCHEME_CHARGES: phrase("Scheme charges"),
}
CLASSES = {
    1: phrase("Assets"),
    2: phrase("Liabilities"),
    3: phrase("Equity"),
    4: phrase("Income"),
    5: phrase("Expense"),
}
WHYS = {
    int(Why.PAYMENT_HELD): phrase("Payment to another institution"),
    int(Why.RECEIPT): phrase("Payment from another institution"),
    int(Why.PAYMENT_ON_US): phrase("Payment within the institution"),
    int(Why.REFUND_HELD): phrase("Refund to another institution"),
    int(Why.RETURN): phrase("Refund from another institution"),
    int(Why.REFUND_ON_US): phrase("Refund within the institution"),
    int(Why.PAID_IN): phrase("Paid in from outside"),
    int(Why.PAID_OUT): phrase("Paid out to outside"),
    int(Why.DISPUTED): phrase("Set aside in a dispute"),
    int(Why.DISPUTE_ENDED): phrase("Given back after a dispute"),
    int(Why.CORRECTION): phrase("Correction against suspense"),
    int(Why.CORRECTION_SETTLED): phrase("Correction settled"),
    int(Why.FROZEN): phrase("Frozen to be split"),
    int(Why.UNFROZEN): phrase("Unfrozen"),
    int(Why.SPLIT): phrase("Part of a split"),
    int(Why.SPLIT_RETURNED): phrase("Part given back"),
    int(Why.COMBINED): phrase("Part of a combined payment"),
    int(Why.COMBINED_RETURNED): phrase("Part of a combined payment, for a refund"),
    int(Why.SENT): phrase("Sent by a merchant to a person"),
    int(Why.SUBSIDISED): phrase("A coupon's subsidy, from a merchant to another"),
    int(Why.SUBSIDY_RETURNED): phrase("A coupon's subsidy, back"),
    int(Why.SPONSORED): phrase("Paid in by a sponsor, or out"),
    int(Why.CAMPAIGN_FUNDED): phrase("A campaign's budget, or what is left of it"),
    int(Why.AWARDED): phrase("Awarded by a campaign, or back"),
    int(Why.REWARDED): phrase("Reward"),
    int(Why.HELD): phrase("Held for a merchant"),
    int(Why.LET_GO): phrase("Held no more"),
    int(Why.RED_PACKET_FILLED): phrase("Put into a red packet"),
    int(Why.RED_PACKET_CLAIMED): phrase("Claimed from a red packet"),
    int(Why.RED_PACKET_RETURNED): phrase("Back from a red packet"),
    CODE_SETTLEMENT: phrase("Settlement with the network"),
}
LEGS = {
    Leg.PRINCIPAL: phrase("Principal"),
    Leg.PAYER_DISCOUNT: phrase("Payer's discount"),
    Leg.PAYEE_DISCOUNT: phrase("Payee's discount"),
    Leg.FEE: phrase("Fee"),
    Leg.INTERCHANGE: phrase("Interchange"),
    Leg.SWITCH_FEE: phrase("Switch fee"),
    Leg.CAP: phrase("Cap"),
    Leg.LOSS: phrase("Loss"),
    Leg.MISSING: phrase("Missing"),
}
LEG_STATES: Mapping[str, Tagged] = {
    "MOVED": (phrase("Posted at once"), "good"),
    "HELD": (phrase("Held"), "warn"),
    "POSTED": (phrase("Held, then posted"), "good"),
    "VOIDED": (phrase("Held, then released"), ""),
}
MERCHANT_STATES: Mapping[str, Tagged] = {
    "ACTIVE": (phrase("Active"), "good"),
    "SUSPENDED": (phrase("Suspended"), "warn"),
    "CLOSED": (phrase("Closed"), "bad"),
}
APPLICATION_STATES: Mapping[str, Tagged] = {
    "APPLIED": (phrase("Waiting"), "warn"),
    "APPROVED": (phrase("Approved"), "good"),
    "DECLINED": (phrase("Declined"), "bad"),
}
EVIDENCES = {
    Evidence.PHONE: phrase("Telephone number"),
    Evidence.SOURCES_3: phrase("Three independent sources"),
    Evidence.SOURCES_5: phrase("Five independent sources"),
    Evidence.FACE_TO_FACE: phrase("Met in person"),
}
TIERS = {1: "I", 2: "II", 3: "III"}
CASE_STATES: Mapping[str, Tagged] = {
    "OPEN": (phrase("To be dealt with"), "bad"),
    "CORRECTED": (phrase("In suspense"), "warn"),
    "SETTLING": (phrase("Being settled"), "warn"),
    "SETTLED": (phrase("Settled"), "good"),
    "EXPLAINED": (phrase("Explained"), "good"),
    "HEALED": (phrase("Matched later"), "good"),
}
DIFFERENCES = {
    "MISSING_HERE": phrase("Not in our books"),
    "MISSING_THERE": phrase("Not at the switch"),
    "AMOUNT_DIFFERS": phrase("Other amount"),
}
STANDINGS = {
    "UNKNOWN": phrase("No trace of it here"),
    "PENDING": phrase("Held here, undecided"),
    "REJECTED": phrase("Rejected here"),
    "OTHER_WINDOW": phrase("Completed here in another window"),
    "COMPLETED": phrase("Completed here"),
}
PROPOSALS = {
    "ENQUIRE": phrase("Ask the switch again: its answer completes the payment."),
    "BOOK_TO_SUSPENSE": phrase("Book what the switch says against suspense, until it is known whose it is."),
    "EXPLAIN": phrase("No money is wrong: say why, and close the case."),
}
LINE_KINDS = {"PAYMENT": phrase("The payment"), "RETURN": phrase("The return")}
RECALL_STATES: Mapping[str, Tagged] = {
    "REPORTED": (phrase("For the desk to look at"), "warn"),
    "DECLINED": (phrase("Declined by the desk"), ""),
    "ASKED": (phrase("Asked"), "warn"),
    "PENDING": (phrase("The other side decides"), "warn"),
    "ACCEPTED": (phrase("Accepted, money on its way"), "good"),
    "RETURNED": (phrase("Returned"), "good"),
    "REJECTED": (phrase("Rejected"), "bad"),
}
DISPUTE_STATES: Mapping[str, Tagged] = {
    "BLOCKING": (phrase("Being set aside"), "warn"),
    "OPEN": (phrase("To be answered"), "warn"),
    "ACCEPTED": (phrase("Accepted, money on its way"), "good"),
    "RETURNED": (phrase("Returned"), "good"),
    "REJECTED": (phrase("Rejected"), "bad"),
}
RECALL_REASONS = {
    "FRAD": phrase("Fraud"),
    "DUPL": phrase("Paid twice"),
    "AM09": phrase("Wrong amount"),
    "AC03": phrase("Wrong account"),
    "UPAY": phrase("Undue payment"),
    "TECH": phrase("Technical mistake"),
    "CUST": phrase("The payer asks for it"),
}
ANSWERS = {
    "CUST": phrase("The payee objects"),
    "NOAS": phrase("The payee did not answer"),
    "ARDT": phrase("It was returned already"),
    "AC04": phrase("The account is closed"),
    "AM04": phrase("The money is spent"),
    "LEGL": phrase("The law forbids it"),
    "AGNT": phrase("The institution decided so"),
}
STANCES: Mapping[str, Tagged] = {
    "": (phrase("Has said nothing yet"), ""),
    "CONSENTS": (phrase("Consents"), "good"),
    "OBJECTS": (phrase("Objects"), "bad"),
}
CHANNELS = {
    "STATIC": phrase("Static code"),
    "DYNAMIC": phrase("Dynamic code"),
    "PYMTCD": phrase("Payment code"),
    "PERSON": phrase("Personal code"),
    "TOPUP": phrase("Top-up"),
    "WTHDRW": phrase("Withdrawal"),
    "REQUEST": phrase("Payment request"),
}
MOMENTS: Mapping[str, Tagged] = {
    "ADMITTED": (phrase("Written down"), ""),
    "HELD": (phrase("Held"), "warn"),
    "ACCEPTED": (phrase("Accepted"), "warn"),
    "COMPLETED": (phrase("Completed"), "good"),
    "REJECTED": (phrase("Rejected"), "bad"),
}
ENTRIES = {
    "WINDOW": phrase("Window settled"),
    "TOPUP": phrase("Paid in"),
    "WTHDRW": phrase("Paid out"),
    "CHRG": phrase("Scheme's invoice"),
}
POLICY_TABLES = {
    "annual": phrase("A year: what may leave the balance"),
    "daily": phrase("A day: by kind of code and verification"),
    "pin": phrase("Up to what amount no PIN is asked"),
    "fee": phrase("Merchants' fees: who pays one, and how it is rounded"),
    "recall": phrase("Recalls: who may ask, how long, and how soon the answer"),
    "complaint": phrase("Complaints: how long, how soon the answer, and how often"),
}
POLICY_FIELDS = {
    "channel": phrase("Kind of code"),
    "tier": phrase("Tier"),
    "verified": phrase("PIN given"),
    "merchant": phrase("Payee is a merchant"),
    "reason": phrase("Reason"),
    "by": phrase("Who asks"),
    "counted": phrase("Counts"),
    "annual": phrase("A year"),
    "counter": phrase("Counted together"),
    "daily": phrase("A day"),
    "rounding": phrase("Rounding"),
    "fee_min": phrase("Least fee"),
    "pin_free": phrase("Without PIN up to"),
    "allowed": phrase("Allowed"),
    "months": phrase("Months"),
    "banking_days": phrase("Banking days"),
    "answer_hours": phrase("Hours to answer"),
    "picture_days": phrase("Days pictures are kept"),
    "desk": phrase("Desk looks first"),
    "kind": phrase("Kind"),
    "days": phrase("Days"),
    "complete_hours": phrase("Hours to be done"),
    "continue_days": phrase("Days to continue"),
    "times_max": phrase("Times"),
    "daily_max": phrase("New ones a day"),
}
POLICY_VALUES = {
    "true": phrase("yes"),
    "false": phrase("no"),
    "null": phrase("no bound"),
    "none": phrase("none"),
    "static": phrase("static codes"),
    "unverified": phrase("without PIN"),
    "verified": phrase("with PIN"),
    "half_up": phrase("half a fen counts as one"),
    "payer": phrase("the payer"),
    "operator": phrase("the operator"),
    "switch": phrase("the switch"),
}


def _settled_with(words: Words, facts: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    return [(words(_WITH), facts["account"])]


_WITH = phrase("Settled with")
WORDINGS = {
    approvals.CORRECT: Wording(phrase("Book the difference %(subject)s against suspense")),
    approvals.SETTLE: Wording(phrase("Settle the difference %(subject)s"), _settled_with),
    approvals.SUSPEND_MERCHANT: Wording(phrase("Suspend the merchant %(subject)s")),
    approvals.RESUME_MERCHANT: Wording(phrase("Let the merchant %(subject)s be paid again")),
    approvals.CLOSE_MERCHANT: Wording(phrase("Close the merchant %(subject)s for good")),
    GRANT: Wording(phrase("Pay the refused reward %(subject)s on appeal")),
}
