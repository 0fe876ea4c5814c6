"""What a merchant pays another for a coupon that this one took, and what of it comes back."""

from enum import StrEnum

import msgspec

from hutong.institution.merchants.merchant import reference_key
from hutong.runtime.tables import BigInt, Table, Text, Uuid

SUBSIDY_DIGITS = 28
DESCRIPTION_LENGTH_MAX = 1024


class SubsidyState(StrEnum):
    ACCEPTED = "ACCEPTED"  # It is written down; the ledger has not answered.
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"  # Nothing moved, and nothing will under this number.


class SubsidyDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked; for what came back, the number of the refund that it goes with."""

    number: str  # The merchant's own.
    letters: str  # Of the coupon.
    trade_no: str
    refund_no: str = ""
    amount: int
    description: str


class TillSubsidy(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a subsidy, or of what came back of one (`of_id`)."""

    id: Uuid
    stock_id: Uuid
    code_id: Uuid
    of_id: Uuid  # 0: it is the subsidy.
    account_id: Uuid  # Who asked.
    number: Text  # The vendor's.
    number_key: Uuid
    request: Text
    request_key: Uuid
    trade_no: Text
    refund_no: Text
    payer_id: Uuid
    payee_id: Uuid
    amount: BigInt
    description: Text
    state: Text
    reason: Text
    created_ns: BigInt
    ended_ns: BigInt

    def same_as(self, draft: SubsidyDraft, code_id: int, payer_id: int, payee_id: int) -> bool:
        """Whether what comes again under its number asks for the same."""
        told = (self.code_id, self.trade_no, self.refund_no, self.payer_id, self.payee_id, self.amount)
        return told == (code_id, draft.trade_no, draft.refund_no, payer_id, payee_id, draft.amount)


SUBSIDIES = Table("till_subsidies", TillSubsidy)


def subsidy_number_key(number: str) -> int:
    """By what one is found by our number."""
    return reference_key(0, f"subsidy/{number}")


def subsidy_request_key(account_id: int, number: str, *, is_back: bool) -> int:
    """By what one is found by the merchant's number."""
    return reference_key(account_id, f"subsidy/{'back' if is_back else 'paid'}/{number}")
