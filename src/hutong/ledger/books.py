"""
The books: every account and transfer in memory, and the one place where a transfer is decided.

A deterministic state machine without storage, clock or chance: the same calls give the same rows. It is the
definition of the ledger (`engines.reference` is little else) and the inside of the engine that keeps its rows in
PostgreSQL, which brings in what a batch needs before it is decided and lets go of what is old.

This runs for every transfer of every payment, so it is written for speed: ids are ints, accounts are slotted and
mutable, and flags are plain numbers. A chain needs no undo log, because a created transfer says itself how to
take it back.
"""

import heapq
from collections.abc import Sequence

from hutong.kernel.clock import NS_PER_S
from hutong.ledger import precedence
from hutong.ledger.account_state import AccountState
from hutong.ledger.ledger_state import LedgerState
from hutong.ledger.pairs import create_pair
from hutong.ledger.rows import AccountRow, BurnedIdRow, ExpiryRow, TransferRow
from hutong.ledger.transfer import (
    AMOUNT_MAX,
    ID_MAX,
    TIMESTAMP_MAX,
    Account,
    AccountFlag,
    AccountStatus,
    Transfer,
    TransferFlag,
    TransferStatus,
)

_LINKED = int(TransferFlag.LINKED)
_PENDING = int(TransferFlag.PENDING)
_POST_PENDING = int(TransferFlag.POST_PENDING)
_VOID_PENDING = int(TransferFlag.VOID_PENDING)
_RESOLVING = int(TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING)
_BALANCING_DEBIT = int(TransferFlag.BALANCING_DEBIT)
_BALANCING_CREDIT = int(TransferFlag.BALANCING_CREDIT)
_BALANCING = _BALANCING_DEBIT | _BALANCING_CREDIT
_CLOSING_DEBIT = int(TransferFlag.CLOSING_DEBIT)
_CLOSING_CREDIT = int(TransferFlag.CLOSING_CREDIT)
_CLOSING = _CLOSING_DEBIT | _CLOSING_CREDIT
_FLAGS_MAX = precedence.TRANSFER_FLAGS_MAX
_NO_DEBT = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
_NO_CREDIT = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
_CLOSED = int(AccountFlag.CLOSED)

_CREATED = TransferStatus.CREATED
_CHAIN_OPEN = TransferStatus.LINKED_EVENT_CHAIN_OPEN
_CHAIN_FAILED = TransferStatus.LINKED_EVENT_FAILED
_POSTED = TransferStatus.PENDING_TRANSFER_ALREADY_POSTED
_VOIDED = TransferStatus.PENDING_TRANSFER_ALREADY_VOIDED
_EXPIRED = TransferStatus.PENDING_TRANSFER_EXPIRED
_DEBIT_CLOSED = TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED
_CREDIT_CLOSED = TransferStatus.CREDIT_ACCOUNT_ALREADY_CLOSED

# At another time these might have been a yes, so the id is spent: nobody hears no and then yes.
TRANSIENT = frozenset(
    {
        TransferStatus.DEBIT_ACCOUNT_NOT_FOUND,
        TransferStatus.CREDIT_ACCOUNT_NOT_FOUND,
        TransferStatus.PENDING_TRANSFER_NOT_FOUND,
        TransferStatus.EXCEEDS_CREDITS,
        TransferStatus.EXCEEDS_DEBITS,
        _DEBIT_CLOSED,
        _CREDIT_CLOSED,
    }
)


class Books(LedgerState):
    """
    The state, and every rule on it. The maps may hold a part of the world only, if everything a call names is brought in
    before the call.
    """

    def __init__(self) -> None:
        super().__init__()
        self._expiries: list[tuple[int, int, int]] = []  # A heap of (expires at, timestamp, id); may be stale.
        self._taken_up: list[TransferRow] = []  # Pendings this call resolved, in order: to put back if a chain fails.

    def create_accounts(self, accounts: Sequence[Account], now_ns: int) -> list[AccountStatus]:
        """Open accounts; one status each. Linked ones open together or not at all."""
        count = len(accounts)
        timestamp = max(now_ns, self.timestamp + count) - count
        self.timestamp = timestamp + count
        statuses: list[AccountStatus] = []
        chain, chain_log, broken = -1, 0, False
        for i, account in enumerate(accounts):
            timestamp += 1
            linked = account.flags & _LINKED
            if linked and chain < 0:
                chain, chain_log = i, len(self.log)
            if linked and i == count - 1:
                status = AccountStatus.LINKED_EVENT_CHAIN_OPEN
            elif broken:
                status = AccountStatus.LINKED_EVENT_FAILED
            else:
                status = self._open_account(account, timestamp)
            if status is not AccountStatus.CREATED and chain >= 0 and not broken:
                broken = True
                for row in self.log[chain_log:]:
                    assert type(row) is AccountRow
                    del self.accounts[row.id]
                del self.log[chain_log:]
                statuses[chain:] = [AccountStatus.LINKED_EVENT_FAILED] * (i - chain)
            statuses.append(status)
            if not linked:
                chain, broken = -1, False
        return statuses

    def create_transfers(self, transfers: Sequence[Transfer], now_ns: int) -> list[TransferStatus]:
        """Create transfers; one status each. Linked ones are created together or not at all."""
        count = len(transfers)
        timestamp = self.timestamp if now_ns <= self.timestamp + count else now_ns - count
        self.timestamp = timestamp + count
        self._taken_up.clear()
        log = self.log
        if count == 1 and not transfers[0].flags & _LINKED:
            # One transfer, no chain: what a plain payment asks for at each of its three ledgers, twice.
            status = self._create(transfers[0], timestamp + 1)
            if status is not _CREATED and status in TRANSIENT:
                self.burned.add(transfers[0].id)
                log.append(BurnedIdRow(transfers[0].id, timestamp + 1, status))
            return [status]
        if count == 2 and create_pair(self, transfers[0], transfers[1], timestamp + 1):
            return [_CREATED, _CREATED]
        statuses: list[TransferStatus] = []
        chain, chain_log, broken = -1, 0, False
        for i, transfer in enumerate(transfers):
            timestamp += 1
            linked = transfer.flags & _LINKED
            if linked and chain < 0:
                chain, chain_log = i, len(log)
            if linked and i == count - 1:
                # Before "broken": the last event of an open chain says so even if an earlier one failed.
                status = _CHAIN_OPEN
            else:
                status = _CHAIN_FAILED if broken else self._create(transfer, timestamp)
            if status is _CREATED:
                statuses.append(status)
                if not linked:
                    chain = -1
                continue
            if not broken:
                if chain >= 0:
                    broken = True
                    self._take_back(chain_log)
                    statuses[chain:] = [_CHAIN_FAILED] * (i - chain)
                if status in TRANSIENT:
                    # The culprit's id alone; those of the chain's innocent members stay usable.
                    self.burned.add(transfer.id)
                    log.append(BurnedIdRow(transfer.id, timestamp, status))
            statuses.append(status)
            if not linked:
                chain, broken = -1, False
        return statuses

    def next_expiry_ns(self) -> int | None:
        """When `expire` will next have something to do, or a little before."""
        return self._expiries[0][0] if self._expiries else None

    def expiring(self, now_ns: int) -> list[TransferRow]:
        """The open pending transfers that `expire` will release, in its order."""
        due: list[TransferRow] = []
        while self._expiries and self._expiries[0][0] <= now_ns:
            _, timestamp, id_ = heapq.heappop(self._expiries)
            pending = self.open.get(id_)
            if pending is not None and pending.timestamp == timestamp:
                due.append(pending)
        for pending in due:
            self._schedule(pending)
        return due

    def expire(self, now_ns: int) -> int:
        """Release what has timed out by now, in order of (expiry, timestamp); returns how many."""
        due = self.expiring(now_ns)
        for pending in due:
            self.timestamp = max(now_ns, self.timestamp + 1)
            debit = self.accounts[pending.debit_account_id]
            credit = self.accounts[pending.credit_account_id]
            debit.debits_pending -= pending.amount
            credit.credits_pending -= pending.amount
            debit.touched = credit.touched = self.timestamp
            if pending.flags & _CLOSING:
                self._reopen(pending, debit, credit)
            del self.open[pending.id]
            self.resolved[pending.id] = _EXPIRED
            self.log.append(
                ExpiryRow(
                    pending.id,
                    pending.debit_account_id,
                    pending.credit_account_id,
                    debit.debits_pending,
                    debit.debits_posted,
                    credit.credits_pending,
                    credit.credits_posted,
                    self.timestamp,
                )
            )
        return len(due)

    def keep_open(self, pending: TransferRow) -> None:
        """Take in a pending transfer that a restart found unresolved."""
        self.open[pending.id] = pending
        self._schedule(pending)
        if pending.flags & _CLOSING_DEBIT:
            self.closed_by[pending.debit_account_id] = pending.id
        if pending.flags & _CLOSING_CREDIT:
            self.closed_by[pending.credit_account_id] = pending.id

    def _open_account(self, account: Account, timestamp: int) -> AccountStatus:
        refused = precedence.malformed_account(account)
        if refused is not None:
            return refused
        existing = self.accounts.get(account.id)
        if existing is not None:
            return precedence.repeated_account(account, existing.row, existing.flags)
        refused = precedence.unopenable(account)
        if refused is not None:
            return refused
        row = AccountRow.of(account, timestamp)
        self.accounts[account.id] = AccountState.of(row)
        self.log.append(row)
        return AccountStatus.CREATED

    def _create(self, t: Transfer, timestamp: int) -> TransferStatus:
        id_ = t.id
        # A negative amount would move money backwards: whoever built this has a bug, and it ends here.
        assert 0 <= t.amount <= AMOUNT_MAX
        if t.timestamp or t.flags > _FLAGS_MAX or not 0 < id_ < ID_MAX:
            return precedence.malformed_transfer(t)
        existing = self.transfers.get(id_)
        if existing is not None:
            return precedence.repeated_transfer(t, existing, self._known(t.pending_id))
        if id_ in self.burned:
            return TransferStatus.ID_ALREADY_FAILED
        flags = t.flags
        if flags & _RESOLVING:
            return self._resolve(t, timestamp)
        if flags > _LINKED or t.timeout or t.pending_id or not t.code:
            return self._move(t, timestamp)
        # A plain one, posted at once: as `_move` does it, sooner. What does not fit goes there.
        debit_id, credit_id, ledger = t.debit_account_id, t.credit_account_id, t.ledger
        debit, credit = self.accounts.get(debit_id), self.accounts.get(credit_id)
        if debit is None or credit is None or debit is credit or debit.ledger != ledger or credit.ledger != ledger:
            return self._move(t, timestamp)
        amount = t.amount
        debits_pending, credits_pending = debit.debits_pending, credit.credits_pending
        debits_posted, credits_posted = debit.debits_posted + amount, credit.credits_posted + amount
        debits, credits_ = debits_pending + debits_posted, credits_pending + credits_posted
        if (
            (debit.flags | credit.flags) & _CLOSED
            or debits > AMOUNT_MAX
            or credits_ > AMOUNT_MAX
            or (debit.flags & _NO_DEBT and debits > debit.credits_posted)
            or (credit.flags & _NO_CREDIT and credits_ > credit.debits_posted)
        ):
            return self._move(t, timestamp)
        debit.debits_posted, credit.credits_posted = debits_posted, credits_posted
        debit.touched = credit.touched = timestamp
        row = self.transfers[id_] = TransferRow(
            id_,
            debit_id,
            credit_id,
            0,
            t.user_data_128,
            debits_pending,
            debits_posted,
            credits_pending,
            credits_posted,
            timestamp,
            ledger,
            t.user_data_32,
            0,
            t.code,
            flags,
            amount,
            t.user_data_64,
        )
        self.log.append(row)
        return _CREATED

    def _move(self, t: Transfer, timestamp: int) -> TransferStatus:
        """A transfer that resolves nothing: posted at once, or pending."""
        flags = t.flags
        pending = flags & _PENDING
        debit = self.accounts.get(t.debit_account_id)
        credit = self.accounts.get(t.credit_account_id)
        if (
            debit is None
            or credit is None
            or debit is credit
            or debit.ledger != t.ledger
            or credit.ledger != t.ledger
            or not t.code
            or t.pending_id
            or (not pending and (t.timeout or flags & _CLOSING))
        ):
            return precedence.misfit(t, debit, credit)
        if (debit.flags | credit.flags) & _CLOSED:
            return _DEBIT_CLOSED if debit.flags & _CLOSED else _CREDIT_CLOSED
        debits_pending, debits_posted = debit.debits_pending, debit.debits_posted
        credits_pending, credits_posted = credit.credits_pending, credit.credits_posted
        amount = t.amount
        if flags & _BALANCING:
            amount = _balanced(amount, flags, debit, credit)
        debits = debits_pending + debits_posted + amount
        credits_ = credits_pending + credits_posted + amount
        # Each balance alone is at most their sum, so two comparisons rule out all six overflows.
        if debits > AMOUNT_MAX or credits_ > AMOUNT_MAX:
            return precedence.overflow(amount, debit, credit, pending=bool(pending))
        if t.timeout and timestamp + t.timeout * NS_PER_S > TIMESTAMP_MAX:
            return TransferStatus.OVERFLOWS_TIMEOUT
        if debit.flags & _NO_DEBT and debits > debit.credits_posted:
            return TransferStatus.EXCEEDS_CREDITS
        if credit.flags & _NO_CREDIT and credits_ > credit.debits_posted:
            return TransferStatus.EXCEEDS_DEBITS

        if pending:
            debit.debits_pending = debits_pending = debits_pending + amount
            credit.credits_pending = credits_pending = credits_pending + amount
        else:
            debit.debits_posted = debits_posted = debits_posted + amount
            credit.credits_posted = credits_posted = credits_posted + amount
        debit.touched = credit.touched = timestamp
        row = TransferRow(
            t.id,
            t.debit_account_id,
            t.credit_account_id,
            0,
            t.user_data_128,
            debits_pending,
            debits_posted,
            credits_pending,
            credits_posted,
            timestamp,
            t.ledger,
            t.user_data_32,
            t.timeout,
            t.code,
            flags,
            amount,
            t.user_data_64,
        )
        self.transfers[t.id] = row
        if pending:
            self.open[t.id] = row
            if t.timeout or flags & _CLOSING:
                self._schedule(row)
                self._close(row, debit, credit)
        self.log.append(row)
        return _CREATED

    def _resolve(self, t: Transfer, timestamp: int) -> TransferStatus:
        """Post or void a pending transfer."""
        flags = t.flags
        pending = self.open.get(t.pending_id)
        if pending is None or not precedence.is_plain_resolution(t):
            # Whatever is not just a post or void of all of an open pending transfer is checked point by point.
            refused = precedence.malformed_resolution(t)
            if refused is not None:
                return refused
            known = pending or self._known(t.pending_id)
            if known is None:
                return TransferStatus.PENDING_TRANSFER_NOT_FOUND
            refused = precedence.misfit_of_resolution(t, known)
            if refused is not None:
                return refused
            if pending is None:
                return self.resolved[t.pending_id]
        if pending.timeout and pending.timestamp + pending.timeout * NS_PER_S <= timestamp:
            # Too late, even if `expire` has not come by yet.
            return _EXPIRED
        debit = self.accounts[pending.debit_account_id]
        credit = self.accounts[pending.credit_account_id]
        debits_pending = debit.debits_pending - pending.amount
        credits_pending = credit.credits_pending - pending.amount
        if flags & _POST_PENDING:
            if (debit.flags | credit.flags) & _CLOSED:
                return _DEBIT_CLOSED if debit.flags & _CLOSED else _CREDIT_CLOSED
            amount = pending.amount if t.amount == AMOUNT_MAX else t.amount
            debit.debits_posted += amount
            credit.credits_posted += amount
            self.resolved[pending.id] = _POSTED
        else:
            amount = pending.amount
            self.resolved[pending.id] = _VOIDED
            if pending.flags & _CLOSING:
                self._reopen(pending, debit, credit)
        debit.debits_pending = debits_pending
        credit.credits_pending = credits_pending
        debit.touched = credit.touched = timestamp
        del self.open[pending.id]
        self._taken_up.append(pending)
        row = TransferRow(
            t.id,
            pending.debit_account_id,
            pending.credit_account_id,
            pending.id,
            t.user_data_128 or pending.user_data_128,
            debits_pending,
            debit.debits_posted,
            credits_pending,
            credit.credits_posted,
            timestamp,
            pending.ledger,
            t.user_data_32 or pending.user_data_32,
            0,
            pending.code,
            flags,
            amount,
            t.user_data_64 or pending.user_data_64,
        )
        self.transfers[t.id] = row
        self.log.append(row)
        return _CREATED

    def _known(self, id_: int) -> TransferRow | None:
        """A transfer by its id; also one that was open when this call began and held in memory as such alone."""
        known = self.transfers.get(id_)
        return known or next((pending for pending in self._taken_up if pending.id == id_), None)

    def _take_back(self, chain_log: int) -> None:
        """Undo what a failed chain created, last first. Balances, flags and maps are as they were before it."""
        log = self.log
        while len(log) > chain_log:
            row = log.pop()
            assert type(row) is TransferRow  # A chain breaks at its first no: only what was created stands here.
            del self.transfers[row.id]
            debit = self.accounts[row.debit_account_id]
            credit = self.accounts[row.credit_account_id]
            if row.flags & _RESOLVING:
                pending = self._taken_up.pop()
                assert pending.id == row.pending_id
                del self.resolved[pending.id]
                self.open[pending.id] = pending
                debit.debits_pending += pending.amount
                credit.credits_pending += pending.amount
                if row.flags & _POST_PENDING:
                    debit.debits_posted -= row.amount
                    credit.credits_posted -= row.amount
                elif pending.flags & _CLOSING:
                    self._close(pending, debit, credit)
            elif row.flags & _PENDING:
                del self.open[row.id]
                debit.debits_pending -= row.amount
                credit.credits_pending -= row.amount
                if row.flags & _CLOSING:
                    self._reopen(row, debit, credit)
            else:
                debit.debits_posted -= row.amount
                credit.credits_posted -= row.amount

    def _schedule(self, pending: TransferRow) -> None:
        if not pending.timeout:
            return
        expires_at = pending.timestamp + pending.timeout * NS_PER_S
        heapq.heappush(self._expiries, (expires_at, pending.timestamp, pending.id))

    def _close(self, pending: TransferRow, debit: AccountState, credit: AccountState) -> None:
        if pending.flags & _CLOSING_DEBIT:
            debit.flags |= _CLOSED
            self.closed_by[pending.debit_account_id] = pending.id
        if pending.flags & _CLOSING_CREDIT:
            credit.flags |= _CLOSED
            self.closed_by[pending.credit_account_id] = pending.id

    def _reopen(self, pending: TransferRow, debit: AccountState, credit: AccountState) -> None:
        """Only the pending transfer that closed an account opens it again, so the flag is simply cleared."""
        if pending.flags & _CLOSING_DEBIT:
            debit.flags &= ~_CLOSED
            del self.closed_by[pending.debit_account_id]
        if pending.flags & _CLOSING_CREDIT:
            credit.flags &= ~_CLOSED
            del self.closed_by[pending.credit_account_id]


def _balanced(amount: int, flags: int, debit: AccountState, credit: AccountState) -> int:
    """At most `amount`, and no more than brings the named side to zero; it applies whether or not a limit does."""
    if flags & _BALANCING_DEBIT:
        amount = min(amount, max(0, debit.credits_posted - debit.debits_posted - debit.debits_pending))
    if flags & _BALANCING_CREDIT:
        amount = min(amount, max(0, credit.debits_posted - credit.credits_posted - credit.credits_pending))
    return amount
