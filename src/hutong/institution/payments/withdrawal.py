"""What a merchant takes out: its own account at a bank, and each withdrawal to it."""

import msgspec

from hutong.institution.payments.payment import Outcome, PaymentState
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.tables import BigInt, Table, Text, Uuid

ACCOUNT_PREFIX = "mba"
LABEL_LENGTH_MAX = 70
ACCOUNTS_MAX = 10


class WithdrawalReason(Reason):
    """Why a merchant's money stays where it is."""

    BANK_IS_THIS_INSTITUTION = Kind.INVALID, "NARR"  # Nothing would leave: it is to be an account elsewhere.
    BANK_CODE_NOT_AN_ACCOUNT = Kind.INVALID, "NARR"  # It names a merchant, or an amount: not somebody's account.
    WITHDRAWAL_TOO_SMALL = Kind.REFUSED, "AM01"
    WITHDRAWAL_LIMIT_EXCEEDED = Kind.LIMITED, "AM02"
    WITHDRAWAL_UNKNOWN = Kind.NOT_FOUND, "NARR"


class WithdrawalLimits(msgspec.Struct, frozen=True):
    """What a merchant may take out."""

    least: int = 100
    daily: int = 50_000_000
    daily_count: int = 20

    def check(self, amount: int, today: list[int]) -> None:
        """Refuses WITHDRAWAL_TOO_SMALL; WITHDRAWAL_LIMIT_EXCEEDED behind those of `today` that were not rejected."""
        if amount < self.least:
            raise Refusal(WithdrawalReason.WITHDRAWAL_TOO_SMALL, field="amount", least=self.least)
        left = max(self.daily - sum(today), 0) if len(today) < self.daily_count else 0
        if amount > left:
            raise Refusal(WithdrawalReason.WITHDRAWAL_LIMIT_EXCEEDED, field="amount", left=left)


class MerchantBankAccount(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of a merchant's account at a bank of the network. `holder` is whose the bank says it is."""

    id: Uuid
    merchant_id: Uuid
    bank: Text  # The bank's node.
    label: Text  # The merchant's own name for it.
    holder: Text
    code: Text  # By which the bank knows it.
    created_ns: BigInt
    unlinked_ns: BigInt = 0

    def forgotten(self, now_ns: int) -> "MerchantBankAccount":
        """Nothing goes there any more; what went there stays told."""
        return msgspec.structs.replace(self, code="", unlinked_ns=now_ns)


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was asked for, once. It is a payment of this id out of the merchant's account, and how that ends is how this does."""

    id: Uuid
    merchant_id: Uuid
    bank_account_id: Uuid
    amount: BigInt
    currency: Text
    approved_by: Uuid  # The member of staff whose PIN it was.
    created_ns: BigInt


class WithdrawalState(msgspec.Struct, frozen=True, kw_only=True):
    """A withdrawal, where it goes, and how it stands."""

    withdrawal: Withdrawal
    account: MerchantBankAccount
    outcome: Outcome | None

    @property
    def state(self) -> PaymentState:
        if self.outcome is None:
            return PaymentState.PENDING
        return PaymentState.COMPLETED if self.outcome.completed else PaymentState.REJECTED


MERCHANT_BANK_ACCOUNTS = Table("merchant_bank_accounts", MerchantBankAccount)
WITHDRAWALS = Table("withdrawals", Withdrawal)
