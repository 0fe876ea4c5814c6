"""The reference engine: the books without storage. It is the definition, and the oracle the others are tested against."""

from collections.abc import Sequence

from hutong.kernel.clock import Clock
from hutong.ledger import history
from hutong.ledger.books import Books
from hutong.ledger.engine import AccountsAnswered, TransfersAnswered
from hutong.ledger.rows import ExpiryRow, TransferRow
from hutong.ledger.transfer import Account, AccountBalance, AccountFlag, AccountQuery, Transfer

_HISTORY = int(AccountFlag.HISTORY)


class ReferenceLedger:
    """A `LedgerEngine` that keeps everything in memory and nothing anywhere else."""

    def __init__(self, clock: Clock) -> None:
        self.books = Books()
        self._clock = clock

    def create_accounts(self, accounts: Sequence[Account], then: AccountsAnswered) -> None:
        then(self.books.create_accounts(accounts, self._clock.now_ns()))

    def create_transfers(self, transfers: Sequence[Transfer], then: TransfersAnswered) -> None:
        then(self.books.create_transfers(transfers, self._clock.now_ns()))

    def expire(self) -> int:
        return self.books.expire(self._clock.now_ns())

    async def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        accounts = self.books.accounts
        return [accounts[id_].account() for id_ in ids if id_ in accounts]

    async def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        transfers = self.books.transfers
        return [transfers[id_].transfer() for id_ in ids if id_ in transfers]

    async def pending_transfers(self) -> list[Transfer]:
        return [row.transfer() for row in sorted(self.books.open.values(), key=lambda row: row.timestamp)]

    async def account_transfers(self, query: AccountQuery) -> list[Transfer]:
        return history.account_transfers(self._events(), query)

    async def account_balances(self, query: AccountQuery) -> list[AccountBalance]:
        account = self.books.accounts.get(query.account_id)
        if account is None or not account.flags & _HISTORY:
            return []
        return history.account_balances(self._events(), query)

    async def balance_at(self, account_id: int, timestamp: int) -> AccountBalance | None:
        account = self.books.accounts.get(account_id)
        if account is None or account.row.timestamp > timestamp:
            return None
        return history.balance_at(self._events(), account_id, timestamp)

    def _events(self) -> list[TransferRow | ExpiryRow]:
        return [row for row in self.books.log if isinstance(row, TransferRow | ExpiryRow)]
