"""
Which no comes first: the checks that most transfers pass, spelled out in TigerBeetle's order.

`Books` tests them all at once where it is fast; only when something is wrong does it ask here what.
"""

from typing import Protocol

from hutong.ledger.rows import AccountRow, TransferRow
from hutong.ledger.transfer import (
    AMOUNT_MAX,
    ID_MAX,
    Account,
    AccountFlag,
    AccountStatus,
    Transfer,
    TransferFlag,
    TransferStatus,
)

_LINKED = int(TransferFlag.LINKED)
_POST_PENDING = int(TransferFlag.POST_PENDING)
_VOID_PENDING = int(TransferFlag.VOID_PENDING)
_PENDING = int(TransferFlag.PENDING)
_BALANCING = int(TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT)
_CLOSING = int(TransferFlag.CLOSING_DEBIT | TransferFlag.CLOSING_CREDIT)
_RESOLVING = _POST_PENDING | _VOID_PENDING
# `imported` is not spoken yet, so its bit is reserved.
TRANSFER_FLAGS_MAX = _CLOSING | _BALANCING | _RESOLVING | _PENDING | int(TransferFlag.LINKED)
_ACCOUNT_FLAGS = int(
    AccountFlag.LINKED
    | AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
    | AccountFlag.HISTORY
    | AccountFlag.CLOSED
)
_BOTH_LIMITS = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)


class HasBalances(Protocol):
    """An account as the books keep it in memory."""

    ledger: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


def malformed_transfer(t: Transfer) -> TransferStatus:
    """Why a transfer is refused before anything is looked up."""
    if t.timestamp:
        return TransferStatus.TIMESTAMP_MUST_BE_ZERO
    if t.flags & ~TRANSFER_FLAGS_MAX:
        return TransferStatus.RESERVED_FLAG
    if t.id == 0:
        return TransferStatus.ID_MUST_NOT_BE_ZERO
    assert t.id == ID_MAX
    return TransferStatus.ID_MUST_NOT_BE_INT_MAX


def misfit(t: Transfer, debit: HasBalances | None, credit: HasBalances | None) -> TransferStatus:
    """Why a transfer that resolves nothing does not fit its accounts."""
    if t.debit_account_id == 0:
        return TransferStatus.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO
    if t.debit_account_id == ID_MAX:
        return TransferStatus.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX
    if t.credit_account_id == 0:
        return TransferStatus.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO
    if t.credit_account_id == ID_MAX:
        return TransferStatus.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX
    if t.debit_account_id == t.credit_account_id:
        return TransferStatus.ACCOUNTS_MUST_BE_DIFFERENT
    if t.pending_id:
        return TransferStatus.PENDING_ID_MUST_BE_ZERO
    if not t.flags & _PENDING:
        if t.timeout:
            return TransferStatus.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
        if t.flags & _CLOSING:
            return TransferStatus.CLOSING_TRANSFER_MUST_BE_PENDING
    if t.ledger == 0:
        return TransferStatus.LEDGER_MUST_NOT_BE_ZERO
    if t.code == 0:
        return TransferStatus.CODE_MUST_NOT_BE_ZERO
    if debit is None:
        return TransferStatus.DEBIT_ACCOUNT_NOT_FOUND
    if credit is None:
        return TransferStatus.CREDIT_ACCOUNT_NOT_FOUND
    if debit.ledger != credit.ledger:
        return TransferStatus.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER
    assert t.ledger != debit.ledger
    return TransferStatus.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS


def overflow(amount: int, debit: HasBalances, credit: HasBalances, *, pending: bool) -> TransferStatus:
    """Which balance would pass 2**128 - 1; that balances may sit just below it is why no amount is too small to ask."""
    if pending:
        if debit.debits_pending + amount > AMOUNT_MAX:
            return TransferStatus.OVERFLOWS_DEBITS_PENDING
        if credit.credits_pending + amount > AMOUNT_MAX:
            return TransferStatus.OVERFLOWS_CREDITS_PENDING
    if debit.debits_posted + amount > AMOUNT_MAX:
        return TransferStatus.OVERFLOWS_DEBITS_POSTED
    if credit.credits_posted + amount > AMOUNT_MAX:
        return TransferStatus.OVERFLOWS_CREDITS_POSTED
    if debit.debits_pending + debit.debits_posted + amount > AMOUNT_MAX:
        return TransferStatus.OVERFLOWS_DEBITS
    assert credit.credits_pending + credit.credits_posted + amount > AMOUNT_MAX
    return TransferStatus.OVERFLOWS_CREDITS


def malformed_resolution(t: Transfer) -> TransferStatus | None:
    """Why a post or void is refused before its pending transfer is looked up."""
    if t.flags & _RESOLVING == _RESOLVING or t.flags & (_PENDING | _BALANCING | _CLOSING):
        return TransferStatus.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    if t.pending_id == 0:
        return TransferStatus.PENDING_ID_MUST_NOT_BE_ZERO
    if t.pending_id == ID_MAX:
        return TransferStatus.PENDING_ID_MUST_NOT_BE_INT_MAX
    if t.pending_id == t.id:
        return TransferStatus.PENDING_ID_MUST_BE_DIFFERENT
    if t.timeout:
        return TransferStatus.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
    return None


def misfit_of_resolution(t: Transfer, pending: TransferRow) -> TransferStatus | None:
    """Why a post or void does not fit the transfer it names."""
    if not pending.flags & _PENDING:
        return TransferStatus.PENDING_TRANSFER_NOT_PENDING
    if t.debit_account_id and t.debit_account_id != pending.debit_account_id:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID
    if t.credit_account_id and t.credit_account_id != pending.credit_account_id:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID
    if t.ledger and t.ledger != pending.ledger:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_LEDGER
    if t.code and t.code != pending.code:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_CODE
    if resolved_amount(t, pending.amount) > pending.amount:
        return TransferStatus.EXCEEDS_PENDING_TRANSFER_AMOUNT
    if t.flags & _VOID_PENDING and t.amount and t.amount < pending.amount:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT
    return None


def resolved_amount(t: Transfer, pending_amount: int) -> int:
    """What a post or void is about: a post of AMOUNT_MAX, or a void of 0, means all of it."""
    everything = AMOUNT_MAX if t.flags & _POST_PENDING else 0
    return pending_amount if t.amount == everything else t.amount


def repeated_transfer(t: Transfer, e: TransferRow, pending: TransferRow | None) -> TransferStatus:
    """The answer to an id that exists; `pending` is what `e` resolved, if it did."""
    if t.flags != e.flags:
        return TransferStatus.EXISTS_WITH_DIFFERENT_FLAGS
    if t.pending_id != e.pending_id:
        return TransferStatus.EXISTS_WITH_DIFFERENT_PENDING_ID
    if t.timeout != e.timeout:
        return TransferStatus.EXISTS_WITH_DIFFERENT_TIMEOUT
    if t.flags & _RESOLVING:
        assert pending is not None
        return _repeated_resolution(t, e, pending)
    if t.debit_account_id != e.debit_account_id:
        return TransferStatus.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID
    if t.credit_account_id != e.credit_account_id:
        return TransferStatus.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID
    if t.amount < e.amount if t.flags & _BALANCING else t.amount != e.amount:
        return TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT
    if t.user_data_128 != e.user_data_128:
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_128
    if t.user_data_64 != e.user_data_64:
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if t.user_data_32 != e.user_data_32:
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if t.ledger != e.ledger:
        return TransferStatus.EXISTS_WITH_DIFFERENT_LEDGER
    if t.code != e.code:
        return TransferStatus.EXISTS_WITH_DIFFERENT_CODE
    return TransferStatus.EXISTS


def _repeated_resolution(t: Transfer, e: TransferRow, pending: TransferRow) -> TransferStatus:
    """Zeros inherit from the pending transfer here as they did the first time."""
    if t.debit_account_id and t.debit_account_id != e.debit_account_id:
        return TransferStatus.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID
    if t.credit_account_id and t.credit_account_id != e.credit_account_id:
        return TransferStatus.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID
    if resolved_amount(t, pending.amount) != e.amount:
        return TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT
    if (t.user_data_128 or pending.user_data_128) != e.user_data_128:
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_128
    if (t.user_data_64 or pending.user_data_64) != e.user_data_64:
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if (t.user_data_32 or pending.user_data_32) != e.user_data_32:
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if t.ledger and t.ledger != e.ledger:
        return TransferStatus.EXISTS_WITH_DIFFERENT_LEDGER
    if t.code and t.code != e.code:
        return TransferStatus.EXISTS_WITH_DIFFERENT_CODE
    return TransferStatus.EXISTS


def malformed_account(a: Account) -> AccountStatus | None:
    """Why an account is refused before its id is looked up."""
    if a.timestamp:
        return AccountStatus.TIMESTAMP_MUST_BE_ZERO
    if a.flags & ~_ACCOUNT_FLAGS:
        return AccountStatus.RESERVED_FLAG
    if a.id == 0:
        return AccountStatus.ID_MUST_NOT_BE_ZERO
    if a.id == ID_MAX:
        return AccountStatus.ID_MUST_NOT_BE_INT_MAX
    return None


def repeated_account(a: Account, e: AccountRow, flags: int) -> AccountStatus:
    """The answer to an account id that exists, whose flags are now `flags`."""
    if a.flags != flags:
        return AccountStatus.EXISTS_WITH_DIFFERENT_FLAGS
    if a.user_data_128 != e.user_data_128:
        return AccountStatus.EXISTS_WITH_DIFFERENT_USER_DATA_128
    if a.user_data_64 != e.user_data_64:
        return AccountStatus.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if a.user_data_32 != e.user_data_32:
        return AccountStatus.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if a.ledger != e.ledger:
        return AccountStatus.EXISTS_WITH_DIFFERENT_LEDGER
    if a.code != e.code:
        return AccountStatus.EXISTS_WITH_DIFFERENT_CODE
    return AccountStatus.EXISTS


def unopenable(a: Account) -> AccountStatus | None:
    """Why a new account cannot be opened as it is."""
    if a.flags & _BOTH_LIMITS == _BOTH_LIMITS:
        return AccountStatus.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    if a.debits_pending:
        return AccountStatus.DEBITS_PENDING_MUST_BE_ZERO
    if a.debits_posted:
        return AccountStatus.DEBITS_POSTED_MUST_BE_ZERO
    if a.credits_pending:
        return AccountStatus.CREDITS_PENDING_MUST_BE_ZERO
    if a.credits_posted:
        return AccountStatus.CREDITS_POSTED_MUST_BE_ZERO
    if a.ledger == 0:
        return AccountStatus.LEDGER_MUST_NOT_BE_ZERO
    if a.code == 0:
        return AccountStatus.CODE_MUST_NOT_BE_ZERO
    return None


def is_plain_resolution(t: Transfer) -> bool:
    """A post or a void of all that is pending, saying nothing else: what recipes make."""
    if t.debit_account_id or t.credit_account_id or t.ledger or t.code or t.timeout or t.pending_id == t.id:
        return False
    flags = t.flags & ~_LINKED
    return t.amount == AMOUNT_MAX if flags == _POST_PENDING else flags == _VOID_PENDING and not t.amount
