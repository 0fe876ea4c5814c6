"""The ledger's rows in the store of tests and simulations: the same answers, as folds."""

import heapq
from collections.abc import Collection
from operator import attrgetter

from hutong.ledger import history
from hutong.ledger.repository import LedgerStart, StoredAccount, resolution
from hutong.ledger.rows import ACCOUNT, BURNED_ID, CHECKPOINT, EXPIRY, OPEN_PENDING, TRANSFER, TransferRow
from hutong.ledger.transfer import AccountBalance, AccountFlag, AccountQuery, Transfer, TransferFlag, TransferStatus
from hutong.runtime.tables import MemoryStore

_HISTORY = int(AccountFlag.HISTORY)
_PENDING = int(TransferFlag.PENDING)
_by_timestamp = attrgetter("timestamp")


class MemoryLedgerRepository:
    """A `LedgerRepository` on a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def start(self) -> LedgerStart:
        checkpoints = await self._store.scan(CHECKPOINT)
        position, listed_from, checkpoint_timestamp = 0, 0, 0
        if checkpoints:
            position, checkpoint = checkpoints[-1]
            listed_from, checkpoint_timestamp = checkpoint.open_pending_position, checkpoint.timestamp
        listed = [row.pending_id for at, row in await self._store.scan(OPEN_PENDING) if at >= listed_from]
        recent = [row for _, row in await self._store.scan(TRANSFER, after=position) if row.flags & _PENDING]
        candidates = {row.id: row for row in [*await self.transfers(listed), *recent]}
        ended = await self.resolutions(candidates)
        tables = [await self._store.scan(table) for table in (TRANSFER, ACCOUNT, EXPIRY, BURNED_ID)]
        newest_ids = await self._store.greatest(TRANSFER, "id"), await self._store.greatest(BURNED_ID, "id")
        return LedgerStart(
            timestamp=max((rows[-1][1].timestamp for rows in tables if rows), default=0),
            newest_id=max(id_ or 0 for id_ in newest_ids),
            open=sorted((row for row in candidates.values() if row.id not in ended), key=_by_timestamp),
            checkpoint_timestamp=checkpoint_timestamp,
            open_pending_position=listed_from,
            listed=len(listed),
        )

    async def accounts(self, ids: Collection[int]) -> list[StoredAccount]:
        found = []
        for _, row in await self._store.find(ACCOUNT, "id", ids):
            debits = await self._last("debit_account_id", row.id)
            credits_ = await self._last("credit_account_id", row.id)
            found.append(
                StoredAccount(
                    row,
                    debits.debits_pending if debits else 0,
                    debits.debits_posted if debits else 0,
                    credits_.credits_pending if credits_ else 0,
                    credits_.credits_posted if credits_ else 0,
                )
            )
        return found

    async def transfers(self, ids: Collection[int]) -> list[TransferRow]:
        return [row for _, row in await self._store.find(TRANSFER, "id", ids)]

    async def burned_ids(self, ids: Collection[int]) -> list[int]:
        return [row.id for _, row in await self._store.find(BURNED_ID, "id", ids)]

    async def resolutions(self, pending_ids: Collection[int]) -> dict[int, TransferStatus]:
        transfers = await self._store.find(TRANSFER, "pending_id", pending_ids)
        expiries = await self._store.find(EXPIRY, "pending_id", pending_ids)
        ended = {row.pending_id: resolution(row.flags) for _, row in transfers}
        return ended | {row.pending_id: resolution(0) for _, row in expiries}

    async def account_transfers(self, query: AccountQuery) -> list[Transfer]:
        return history.account_transfers(self._events(), query)

    async def account_balances(self, query: AccountQuery) -> list[AccountBalance]:
        accounts = await self._store.find(ACCOUNT, "id", [query.account_id])
        if not accounts or not accounts[0][1].flags & _HISTORY:
            return []
        return history.account_balances(self._events(), query)

    async def balance_at(self, account_id: int, timestamp: int) -> AccountBalance | None:
        accounts = await self._store.find(ACCOUNT, "id", [account_id])
        if not accounts or accounts[0][1].timestamp > timestamp:
            return None
        return history.balance_at(self._events(), account_id, timestamp)

    async def _last(self, side: str, account_id: int) -> history.Event | None:
        """The last event on one side of an account."""
        events: list[history.Event] = [row for _, row in (await self._store.find(TRANSFER, side, [account_id]))[-1:]]
        events += [row for _, row in (await self._store.find(EXPIRY, side, [account_id]))[-1:]]
        return max(events, key=_by_timestamp, default=None)

    def _events(self) -> list[history.Event]:
        transfers = (row for _, row in self._store.rows[TRANSFER.name])
        expiries = (row for _, row in self._store.rows[EXPIRY.name])
        return list(heapq.merge(transfers, expiries, key=_by_timestamp))
