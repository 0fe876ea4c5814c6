"""
Two transfers of one chain that credit the same account: what somebody pays himself and what a budget adds to it, or the posts of
both. Decided together, sooner than one after the other, and the same.

Whatever does not fit, or would be refused, is left to the books' general way, which alone says why.
"""

from hutong.ledger import precedence
from hutong.ledger.account_state import AccountState
from hutong.ledger.ledger_state import LedgerState
from hutong.ledger.rows import TransferRow
from hutong.ledger.transfer import AMOUNT_MAX, ID_MAX, AccountFlag, Transfer, TransferFlag, TransferStatus

_LINKED = int(TransferFlag.LINKED)
_PENDING = int(TransferFlag.PENDING)
_POST = int(TransferFlag.POST_PENDING)
_PLAIN = frozenset({0, _PENDING})
_NO_DEBT = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
_NO_CREDIT = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
_CLOSED = int(AccountFlag.CLOSED)
_POSTED = TransferStatus.PENDING_TRANSFER_ALREADY_POSTED


def create_pair(books: LedgerState, first: Transfer, second: Transfer, timestamp: int) -> bool:
    """Create both, the second at the nanosecond behind the first's. False: nothing was changed."""
    flags, one, other = second.flags, first.id, second.id
    known, burned = books.transfers, books.burned
    if (
        first.flags != flags | _LINKED
        or not 0 < one < other < ID_MAX
        or one in known
        or other in known
        or one in burned
        or other in burned
        or first.timestamp
        or second.timestamp
        or first.timeout
        or second.timeout
    ):
        return False
    if flags in _PLAIN:
        return _move_both(books, first, second, timestamp)
    return flags == _POST and _post_both(books, first, second, timestamp)


def _fit(
    books: LedgerState, first: Transfer, second: Transfer
) -> tuple[AccountState, AccountState, AccountState] | None:
    """Who is debited by each, and who is credited, where nothing is refused."""
    ledger, debit_id, other_id, credit_id = (
        first.ledger,
        first.debit_account_id,
        second.debit_account_id,
        first.credit_account_id,
    )
    if (
        second.ledger != ledger
        or second.code != first.code
        or not first.code
        or second.credit_account_id != credit_id
        or debit_id == other_id
        or first.pending_id
        or second.pending_id
    ):
        return None
    accounts = books.accounts
    debit, other, credit = accounts.get(debit_id), accounts.get(other_id), accounts.get(credit_id)
    if debit is None or other is None or credit is None or credit is debit or credit is other:
        return None
    amount, added = first.amount, second.amount
    assert amount >= 0 <= added  # As `Books` says of each.
    debits = debit.debits_pending + debit.debits_posted + amount
    others = other.debits_pending + other.debits_posted + added
    # What both come to: each alone comes to less.
    credits_ = credit.credits_pending + credit.credits_posted + amount + added
    if (
        debit.ledger != ledger
        or other.ledger != ledger
        or credit.ledger != ledger
        or (debit.flags | other.flags | credit.flags) & _CLOSED
        or debits > AMOUNT_MAX
        or others > AMOUNT_MAX
        or credits_ > AMOUNT_MAX
        or (debit.flags & _NO_DEBT and debits > debit.credits_posted)
        or (other.flags & _NO_DEBT and others > other.credits_posted)
        or (credit.flags & _NO_CREDIT and credits_ > credit.debits_posted)
    ):
        return None
    return debit, other, credit


def _move_both(books: LedgerState, first: Transfer, second: Transfer, timestamp: int) -> bool:
    """Both posted at once, or both pending until somebody decides."""
    fit = _fit(books, first, second)
    if fit is None:
        return False
    debit, other, credit = fit
    amount, added, pending = first.amount, second.amount, second.flags & _PENDING
    credits_pending, credits_posted = credit.credits_pending, credit.credits_posted
    if pending:
        debit.debits_pending += amount
        other.debits_pending += added
        credits_pending += amount
        credit.credits_pending = credits_pending + added
    else:
        debit.debits_posted += amount
        other.debits_posted += added
        credits_posted += amount
        credit.credits_posted = credits_posted + added
    debit.touched = timestamp
    other.touched = credit.touched = timestamp + 1
    row = TransferRow(
        first.id,
        first.debit_account_id,
        first.credit_account_id,
        0,
        first.user_data_128,
        debit.debits_pending,
        debit.debits_posted,
        credits_pending,
        credits_posted,
        timestamp,
        first.ledger,
        first.user_data_32,
        0,
        first.code,
        first.flags,
        amount,
        first.user_data_64,
    )
    behind = TransferRow(
        second.id,
        second.debit_account_id,
        second.credit_account_id,
        0,
        second.user_data_128,
        other.debits_pending,
        other.debits_posted,
        credit.credits_pending,
        credit.credits_posted,
        timestamp + 1,
        second.ledger,
        second.user_data_32,
        0,
        second.code,
        second.flags,
        added,
        second.user_data_64,
    )
    books.transfers[row.id], books.transfers[behind.id] = row, behind
    if pending:
        books.open[row.id], books.open[behind.id] = row, behind
    books.log += (row, behind)
    return True


def _post_both(books: LedgerState, first: Transfer, second: Transfer, timestamp: int) -> bool:
    """All of two pending transfers that no time ends, saying nothing else."""
    if not (precedence.is_plain_resolution(first) and precedence.is_plain_resolution(second)):
        return False
    held, also = books.open.get(first.pending_id), books.open.get(second.pending_id)
    if (
        held is None
        or also is None
        or held.flags & ~_LINKED != _PENDING
        or also.flags & ~_LINKED != _PENDING
        or held.timeout
        or also.timeout
        or held.credit_account_id != also.credit_account_id
        or also.debit_account_id in (held.debit_account_id, held.credit_account_id)
    ):
        return False
    debit, other = books.accounts[held.debit_account_id], books.accounts[also.debit_account_id]
    credit = books.accounts[held.credit_account_id]
    if (debit.flags | other.flags | credit.flags) & _CLOSED:
        return False
    amount, added = held.amount, also.amount
    debit.debits_pending, debit.debits_posted = debit.debits_pending - amount, debit.debits_posted + amount
    other.debits_pending, other.debits_posted = other.debits_pending - added, other.debits_posted + added
    credits_pending, credits_posted = credit.credits_pending - amount, credit.credits_posted + amount
    credit.credits_pending, credit.credits_posted = credits_pending - added, credits_posted + added
    debit.touched = timestamp
    other.touched = credit.touched = timestamp + 1
    row = TransferRow(
        first.id,
        held.debit_account_id,
        held.credit_account_id,
        held.id,
        first.user_data_128 or held.user_data_128,
        debit.debits_pending,
        debit.debits_posted,
        credits_pending,
        credits_posted,
        timestamp,
        held.ledger,
        first.user_data_32 or held.user_data_32,
        0,
        held.code,
        first.flags,
        amount,
        first.user_data_64 or held.user_data_64,
    )
    behind = TransferRow(
        second.id,
        also.debit_account_id,
        also.credit_account_id,
        also.id,
        second.user_data_128 or also.user_data_128,
        other.debits_pending,
        other.debits_posted,
        credit.credits_pending,
        credit.credits_posted,
        timestamp + 1,
        also.ledger,
        second.user_data_32 or also.user_data_32,
        0,
        also.code,
        second.flags,
        added,
        second.user_data_64 or also.user_data_64,
    )
    books.transfers[row.id], books.transfers[behind.id] = row, behind
    del books.open[held.id], books.open[also.id]
    books.resolved[held.id] = books.resolved[also.id] = _POSTED
    books.log += (row, behind)
    return True
