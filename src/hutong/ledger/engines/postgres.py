"""
The engine whose rows are the log: it decides in memory and appends what it decided to the node's journal.

One writer, no locks. A call that finds everything it needs in memory is decided and answered before it returns; one
that does not waits, with every later call behind it, until all that the waiting ones need has been fetched at once.
Memory is bounded: old transfers and idle accounts are let go of once they are durable, open pendings never.

With a memory journal and repository the same engine runs in tests and simulations.
"""

from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from itertools import islice
from typing import Any

from hutong.kernel.clock import Clock
from hutong.kernel.ids import minted_ms
from hutong.ledger.account_state import AccountState
from hutong.ledger.books import Books
from hutong.ledger.engine import AccountsAnswered, TransfersAnswered
from hutong.ledger.repository import LedgerRepository, StoredAccount
from hutong.ledger.rows import (
    ACCOUNT,
    BURNED_ID,
    CHECKPOINT,
    EXPIRY,
    OPEN_PENDING,
    TRANSFER,
    AccountRow,
    BurnedIdRow,
    CheckpointRow,
    ExpiryRow,
    LedgerRow,
    OpenPendingRow,
    TransferRow,
)
from hutong.ledger.transfer import Account, AccountBalance, AccountFlag, AccountQuery, Transfer, TransferFlag
from hutong.runtime.journal import Journal
from hutong.runtime.tables import Table

_PENDING = int(TransferFlag.PENDING)
_RESOLVING = int(TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING)
_CLOSED = int(AccountFlag.CLOSED)
_TABLES: dict[type, Table[Any]] = {
    AccountRow: ACCOUNT,
    BurnedIdRow: BURNED_ID,
    ExpiryRow: EXPIRY,
    TransferRow: TRANSFER,
}
_MS_SHIFT = 80  # `kernel.ids.minted_ms`, without the call.


class _Needs:
    """What some calls name that is not in memory and may be in the database."""

    __slots__ = ("account_ids", "pending_ids", "transfer_ids")

    def __init__(self) -> None:
        self.account_ids: set[int] = set()
        self.transfer_ids: set[int] = set()
        self.pending_ids: set[int] = set()  # Known transfers of which we don't know how they ended.

    def __bool__(self) -> bool:
        return bool(self.account_ids or self.transfer_ids or self.pending_ids)


class JournaledLedger:
    """
    A `LedgerEngine` on a journal and the rows it made durable. Call `start` before anything else.

    Who calls seals the journal behind its decision; what is decided later, because something had to be fetched, is
    sealed here.
    """

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        repository: LedgerRepository,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        *,
        transfers_max: int = 200_000,
        accounts_max: int = 500_000,
        checkpoint_rows: int = 50_000,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._repository = repository
        self._spawn = spawn
        self._transfers_max = transfers_max
        self._accounts_max = accounts_max
        self._checkpoint_rows = checkpoint_rows
        self._books = Books()
        self._waiting: deque[tuple[Callable[[_Needs], None], Callable[[], None]]] = deque()
        self._fetching = False
        # No id minted later than this is anywhere but in memory, so an unknown later one is new.
        self._newest_let_go_ms = 2**48
        self._no_transfers: set[int] = set()  # Ids the database did not have.
        self._no_accounts: set[int] = set()
        # Rows in memory by age, each batch with the position of its last row; 0 is durable already.
        self._window: deque[tuple[int, Sequence[LedgerRow]]] = deque()
        self._window_rows = 0
        self._durable_timestamp = 0
        self._sweep_after = 0
        self._swept_timestamp = 0
        self._rows_since_checkpoint = 0
        self._checkpoint_timestamp = 0
        self._open_pending_position = 0
        self._listed = 0

    async def start(self) -> None:
        """Take up where the durable rows end: a few look-ups and the open pending transfers, however long the log is."""
        start = await self._repository.start()
        books = self._books
        books.timestamp = start.timestamp
        for pending in start.open:
            books.keep_open(pending)
        self._newest_let_go_ms = minted_ms(start.newest_id)
        self._durable_timestamp = start.timestamp
        self._open_pending_position = start.open_pending_position
        self._listed = start.listed
        self._checkpoint_timestamp = start.checkpoint_timestamp
        # With the first rows: restarts that follow each other closely don't each read more than the last.
        self._rows_since_checkpoint = self._checkpoint_rows

    # Deciding

    def create_accounts(self, accounts: Sequence[Account], then: AccountsAnswered) -> None:
        def decide() -> None:
            statuses = self._books.create_accounts(accounts, self._clock.now_ns())
            self._write()
            then(statuses)

        self._decide_or_wait(lambda needs: self._accounts_need(needs, accounts), decide)

    def create_transfers(self, transfers: Sequence[Transfer], then: TransfersAnswered) -> None:
        if not self._waiting and self._is_warm(transfers):
            self._decide_transfers(transfers, then)
        else:
            self._decide_or_wait(
                lambda needs: self._transfers_need(needs, transfers), lambda: self._decide_transfers(transfers, then)
            )

    def expire(self) -> int:
        """Release what has timed out by now; what must be fetched first is released a little later, and not counted."""
        self._wake()  # A look-up that failed is tried again: the node's timer calls us.
        now_ns = self._clock.now_ns()
        due_ns = self._books.next_expiry_ns()
        if due_ns is None or due_ns > now_ns:
            return 0
        expired = 0

        def decide() -> None:
            nonlocal expired
            expired = self._books.expire(now_ns)
            self._write()
            self._journal.seal()

        self._decide_or_wait(lambda needs: self._expiries_need(needs, now_ns), decide)
        return expired

    def _decide_transfers(self, transfers: Sequence[Transfer], then: TransfersAnswered) -> None:
        try:
            statuses = self._books.create_transfers(transfers, self._clock.now_ns())
        except Exception as error:
            # What this batch already did to the books in memory has no rows: nothing may be decided on them.
            self._journal.break_off(f"{error!r} while deciding transfers")
            raise
        self._write()
        then(statuses)

    def _decide_or_wait(self, collect: Callable[[_Needs], None], decide: Callable[[], None]) -> None:
        if not self._waiting:
            needs = _Needs()
            collect(needs)
            if not needs:
                decide()
                return
        self._waiting.append((collect, decide))
        self._wake()

    def _wake(self) -> None:
        if self._waiting and not self._fetching:
            self._fetching = True
            self._spawn(self._fetch_and_decide())

    async def _fetch_and_decide(self) -> None:
        """Until nobody waits: fetch what all who wait need, then decide them in their order."""
        try:
            while self._waiting:
                needs = _Needs()
                for collect, _ in self._waiting:
                    collect(needs)
                if needs:
                    await self._fetch(needs)
                else:
                    self._decide_waiting()
        finally:
            self._fetching = False

    def _decide_waiting(self) -> None:
        while self._waiting:
            collect, decide = self._waiting[0]
            # A continuation may have brought a new call, or a decision before this one let something go.
            needs = _Needs()
            collect(needs)
            if needs:
                return
            try:
                decide()
            except Exception as error:
                self._journal.break_off(f"{error!r} in a decision that had to wait")
                raise
            finally:
                # Only now, so that whatever the continuation asks for stays behind those who were waiting already.
                self._waiting.popleft()
            self._journal.seal()

    def _write(self) -> None:
        """Append the rows of what was just decided, and keep memory bounded."""
        log = self._books.log
        if not log:
            return
        append, tables = self._journal.append, _TABLES
        position = 0
        for row in log:
            position = append(tables[type(row)], row)
        self._books.log = []
        self._window.append((position, log))
        count = len(log)
        self._window_rows += count
        self._rows_since_checkpoint += count
        if self._window_rows > self._transfers_max:
            self._let_go_of_transfers()
        if self._rows_since_checkpoint >= self._checkpoint_rows:
            self._checkpoint()
        if len(self._books.accounts) > self._accounts_max and self._journal.durable_position >= self._sweep_after:
            self._let_go_of_accounts()

    # What is in memory

    def _is_warm(self, transfers: Sequence[Transfer]) -> bool:
        """Whether everything these name is in memory, or surely nowhere: what most calls find."""
        books = self._books
        known, accounts, open_ = books.transfers, books.accounts, books.open
        let_go_ms = self._newest_let_go_ms
        for transfer in transfers:
            id_ = transfer.id
            if id_ >> _MS_SHIFT <= let_go_ms and id_ not in known and id_ not in books.burned:
                return False
            if transfer.flags & _RESOLVING:
                pending = open_.get(transfer.pending_id)
                if (
                    pending is None
                    or pending.debit_account_id not in accounts
                    or pending.credit_account_id not in accounts
                ):
                    return False
            elif transfer.debit_account_id not in accounts or transfer.credit_account_id not in accounts:
                return False
        return True

    def _accounts_need(self, needs: _Needs, accounts: Sequence[Account]) -> None:
        for account in accounts:
            self._need_account(needs, account.id)

    def _transfers_need(self, needs: _Needs, transfers: Sequence[Transfer]) -> None:
        for transfer in transfers:
            self._need_transfer(needs, transfer.id)
            if not transfer.flags & _RESOLVING:
                self._need_account(needs, transfer.debit_account_id)
                self._need_account(needs, transfer.credit_account_id)
                continue
            pending = self._books.open.get(transfer.pending_id)
            if pending is None:
                self._need_transfer(needs, transfer.pending_id)
            else:
                self._need_account(needs, pending.debit_account_id)
                self._need_account(needs, pending.credit_account_id)

    def _expiries_need(self, needs: _Needs, now_ns: int) -> None:
        for pending in self._books.expiring(now_ns):
            self._need_account(needs, pending.debit_account_id)
            self._need_account(needs, pending.credit_account_id)

    def _need_account(self, needs: _Needs, id_: int) -> None:
        if id_ not in self._books.accounts and id_ not in self._no_accounts:
            needs.account_ids.add(id_)

    def _need_transfer(self, needs: _Needs, id_: int) -> None:
        books = self._books
        known = books.transfers.get(id_)
        if known is None:
            if minted_ms(id_) <= self._newest_let_go_ms and id_ not in books.burned and id_ not in self._no_transfers:
                needs.transfer_ids.add(id_)
        elif known.flags & _PENDING and id_ not in books.open and id_ not in books.resolved:
            needs.pending_ids.add(id_)

    async def _fetch(self, needs: _Needs) -> None:
        """Bring in what the database has of it, and remember what it has not. Meanwhile nothing is decided."""
        repository, books = self._repository, self._books
        transfers = await repository.transfers(needs.transfer_ids)
        burned = await repository.burned_ids(needs.transfer_ids)
        unresolved = {row.id for row in transfers if row.flags & _PENDING and row.id not in books.open}
        unresolved = needs.pending_ids | (unresolved - books.resolved.keys())
        ended = await repository.resolutions(unresolved)
        assert ended.keys() == unresolved, "a pending transfer that is not open was resolved"
        accounts = await repository.accounts(needs.account_ids)
        for row in transfers:
            books.transfers[row.id] = row
        books.burned.update(burned)
        books.resolved.update(ended)
        for stored in accounts:
            books.accounts[stored.row.id] = self._state_of(stored)
        self._no_transfers |= needs.transfer_ids - books.transfers.keys() - books.burned
        self._no_accounts |= needs.account_ids - books.accounts.keys()
        # What was fetched ages like what was decided.
        fetched: list[LedgerRow] = [*transfers]
        fetched += [BurnedIdRow(id_, 0, 0) for id_ in burned]
        fetched += [ExpiryRow(id_, 0, 0, 0, 0, 0, 0, 0) for id_ in ended]
        self._window.append((0, fetched))
        self._window_rows += len(fetched)

    def _state_of(self, stored: StoredAccount) -> AccountState:
        state = AccountState.of(stored.row)
        state.debits_pending = stored.debits_pending
        state.debits_posted = stored.debits_posted
        state.credits_pending = stored.credits_pending
        state.credits_posted = stored.credits_posted
        if stored.row.id in self._books.closed_by:
            state.flags |= _CLOSED
        return state

    def _let_go_of_transfers(self) -> None:
        """Forget the oldest rows that are durable, down to what memory may hold."""
        books, durable = self._books, self._journal.durable_position
        newest = 0
        while self._window_rows > self._transfers_max and self._window[0][0] <= durable:
            _, rows = self._window.popleft()
            self._window_rows -= len(rows)
            for row in rows:
                if type(row) is TransferRow:
                    if row.id in books.transfers:
                        del books.transfers[row.id]
                    newest = max(newest, row.id)
                    if row.pending_id:
                        books.resolved.pop(row.pending_id, None)
                elif type(row) is BurnedIdRow:
                    books.burned.discard(row.id)
                    newest = max(newest, row.id)
                elif type(row) is ExpiryRow:
                    books.resolved.pop(row.pending_id, None)
        self._newest_let_go_ms = max(self._newest_let_go_ms, minted_ms(newest))
        # Whatever was absent may have come and gone by now.
        self._no_transfers.clear()

    def _let_go_of_accounts(self) -> None:
        """
        Forget what is too many and a tenth more, those longest in memory, half of that tenth spared if they moved lately.

        Never one whose last move is not durable.
        """
        for position, rows in self._window:
            if position > self._journal.durable_position:
                break
            if position:
                self._durable_timestamp = max(self._durable_timestamp, rows[-1].timestamp)
        accounts = self._books.accounts
        a_tenth = self._accounts_max // 10
        oldest = list(islice(accounts.items(), max(0, len(accounts) - self._accounts_max) + a_tenth))
        second_chances = a_tenth // 2
        for id_, state in oldest:
            del accounts[id_]
            if state.touched > self._durable_timestamp:
                accounts[id_] = state
            elif state.touched > self._swept_timestamp and second_chances:
                accounts[id_] = state
                second_chances -= 1
        self._swept_timestamp = self._books.timestamp
        # What was not durable now will be by then.
        self._sweep_after = self._journal.position
        self._no_accounts.clear()

    def _checkpoint(self) -> None:
        """
        Name the pending transfers that are still open, so that a restart need not look for them in the whole log.

        Each is named once, when it has outlived a checkpoint; when most of the list is history, those still open
        are listed anew and the list begins there.
        """
        books = self._books
        fresh = [row.id for row in books.open.values() if row.timestamp > self._checkpoint_timestamp]
        if self._listed + len(fresh) > 2 * len(books.open) + self._checkpoint_rows:
            fresh, self._listed, self._open_pending_position = list(books.open), 0, 0
        for id_ in fresh:
            position = self._journal.append(OPEN_PENDING, OpenPendingRow(id_))
            if not self._open_pending_position:
                self._open_pending_position = position
        self._listed += len(fresh)
        self._journal.append(
            CHECKPOINT, CheckpointRow(self._open_pending_position or self._journal.position + 1, books.timestamp)
        )
        self._checkpoint_timestamp = books.timestamp
        self._rows_since_checkpoint = 0

    # Asking

    async def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        found = await self._look_up(ids)
        if len(found) < len(ids) and self._waiting:
            # What was asked for before may be about to open them: it waits for rows, as the first of a new node does.
            decided = self._journal.promise()
            self._waiting.append((lambda _: None, lambda: None if decided.done() else decided.set_result(None)))
            self._wake()
            await decided
            found = await self._look_up(ids)
        return found

    async def _look_up(self, ids: Sequence[int]) -> list[Account]:
        accounts = self._books.accounts
        known = {id_: accounts[id_] for id_ in ids if id_ in accounts}
        cold = set(ids) - known.keys()
        stored = {found.row.id: self._state_of(found) for found in await self._repository.accounts(cold)}
        # What came into memory meanwhile is newer than what was read; what was let go of meanwhile is as it was known.
        states = (accounts.get(id_) or stored.get(id_) or known.get(id_) for id_ in ids)
        return [state.account() for state in states if state is not None]

    async def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        known = {id_: row for id_ in ids if (row := self._books.transfers.get(id_) or self._books.open.get(id_))}
        stored = {row.id: row for row in await self._repository.transfers(set(ids) - known.keys())}
        rows = (known.get(id_) or stored.get(id_) for id_ in ids)  # Rows never change.
        return [row.transfer() for row in rows if row is not None]

    async def pending_transfers(self) -> list[Transfer]:
        return [row.transfer() for row in sorted(self._books.open.values(), key=lambda row: row.timestamp)]

    async def account_transfers(self, query: AccountQuery) -> list[Transfer]:
        return await self._repository.account_transfers(query)

    async def account_balances(self, query: AccountQuery) -> list[AccountBalance]:
        return await self._repository.account_balances(query)

    async def balance_at(self, account_id: int, timestamp: int) -> AccountBalance | None:
        return await self._repository.balance_at(account_id, timestamp)
