# ruff: noqa: S608  # Every piece of SQL is a literal of this file; values travel as parameters.
"""The ledger's durable rows: what the engine brings back into memory, and the answers to its queries, in SQL."""

from collections.abc import Collection
from operator import attrgetter
from typing import Any, LiteralString, Protocol

import asyncpg
import msgspec

from hutong.ledger.rows import AccountRow, TransferRow
from hutong.ledger.transfer import AccountBalance, AccountFlag, AccountQuery, Transfer, TransferFlag, TransferStatus
from hutong.ledger.trial_balance import TrialBalance, TrialLine
from hutong.runtime.database import unavailable_when_gone

_HISTORY = int(AccountFlag.HISTORY)
_POST_PENDING = int(TransferFlag.POST_PENDING)


class StoredAccount(msgspec.Struct, frozen=True):
    """An account as it was opened, with its balances as the rows have them."""

    row: AccountRow
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


class LedgerStart(msgspec.Struct, frozen=True):
    """What a restart begins with; everything else is brought in when it is asked for."""

    timestamp: int  # The last one given out.
    newest_id: int  # No transfer and no burned id is greater.
    open: list[TransferRow]  # Every pending transfer that nothing has resolved, by time.
    checkpoint_timestamp: int  # Of the last checkpoint; 0 before the first.
    open_pending_position: int
    listed: int  # Rows in `open_pending` at or behind that position.


class LedgerRepository(Protocol):
    """Durable rows. What was decided since is in the engine's memory."""

    async def start(self) -> LedgerStart: ...

    async def accounts(self, ids: Collection[int]) -> list[StoredAccount]: ...

    async def transfers(self, ids: Collection[int]) -> list[TransferRow]: ...

    async def burned_ids(self, ids: Collection[int]) -> list[int]: ...

    async def resolutions(self, pending_ids: Collection[int]) -> dict[int, TransferStatus]:
        """How each of these pending transfers ended, in the words of the refusal of another attempt."""
        ...

    async def account_transfers(self, query: AccountQuery) -> list[Transfer]: ...

    async def account_balances(self, query: AccountQuery) -> list[AccountBalance]: ...

    async def balance_at(self, account_id: int, timestamp: int) -> AccountBalance | None: ...


_ACCOUNT_COLUMNS: LiteralString = (
    "a.id, a.user_data_128, a.timestamp, a.ledger, a.user_data_32, a.code, a.flags, a.user_data_64"
)
_TRANSFER_COLUMNS: LiteralString = (
    "t.id, t.debit_account_id, t.credit_account_id, t.pending_id, t.user_data_128, t.debits_pending, t.debits_posted,"
    " t.credits_pending, t.credits_posted, t.timestamp, t.ledger, t.user_data_32, t.timeout, t.code, t.flags, t.amount,"
    " t.user_data_64"
)
# A checkpoint, or the beginning of time.
_CHECKPOINT: LiteralString = (
    "SELECT position, open_pending_position, timestamp FROM checkpoint ORDER BY position DESC LIMIT 1"
)
_LISTED: LiteralString = "SELECT pending_id FROM open_pending WHERE position >= $1 ORDER BY position"
_RECENT_PENDINGS: LiteralString = (
    f"SELECT {_TRANSFER_COLUMNS} FROM transfer AS t WHERE t.position > $1 AND t.flags & 2 <> 0 ORDER BY t.position"
)
# On a table that was never analysed the planner guesses "a third of it" for whatever lies behind a position.
_BY_INDEX: LiteralString = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"
_NEWEST_TIMESTAMP: LiteralString = """
SELECT coalesce(max(timestamp), 0) FROM (
    (SELECT timestamp FROM transfer ORDER BY position DESC LIMIT 1)
    UNION ALL (SELECT timestamp FROM account ORDER BY position DESC LIMIT 1)
    UNION ALL (SELECT timestamp FROM expiry ORDER BY position DESC LIMIT 1)
    UNION ALL (SELECT timestamp FROM burned_id ORDER BY position DESC LIMIT 1)
) AS newest"""
_NEWEST_ID: LiteralString = """
SELECT id FROM (
    (SELECT id FROM transfer ORDER BY id DESC LIMIT 1)
    UNION ALL (SELECT id FROM burned_id ORDER BY id DESC LIMIT 1)
) AS newest ORDER BY id DESC LIMIT 1"""
_TRANSFERS: LiteralString = f"SELECT {_TRANSFER_COLUMNS} FROM transfer AS t WHERE t.id = ANY($1::uuid[])"
_BURNED_IDS: LiteralString = "SELECT id FROM burned_id WHERE id = ANY($1::uuid[])"
_RESOLUTIONS: LiteralString = """
SELECT pending_id, flags FROM transfer WHERE pending_id = ANY($1::uuid[]) AND flags & 12 <> 0
UNION ALL
SELECT pending_id, 0 FROM expiry WHERE pending_id = ANY($1::uuid[])"""


def _last_side(side: LiteralString, account: LiteralString, until: LiteralString) -> LiteralString:
    """The balances that the last event on one side of an account left there; two index entries at most."""
    return f"""
LEFT JOIN LATERAL (
    SELECT pending, posted FROM (
        (SELECT timestamp, {side}s_pending AS pending, {side}s_posted AS posted FROM transfer
            WHERE {side}_account_id = {account}{until} ORDER BY timestamp DESC LIMIT 1)
        UNION ALL
        (SELECT timestamp, {side}s_pending, {side}s_posted FROM expiry
            WHERE {side}_account_id = {account}{until} ORDER BY timestamp DESC LIMIT 1)
    ) AS last ORDER BY timestamp DESC LIMIT 1
) AS {side} ON true"""


_FOUR_BALANCES: LiteralString = "debit.pending, debit.posted, credit.pending, credit.posted"
_ACCOUNTS: LiteralString = (
    f"SELECT {_ACCOUNT_COLUMNS}, {_FOUR_BALANCES} FROM account AS a"
    + _last_side("debit", "a.id", "")
    + _last_side("credit", "a.id", "")
    + " WHERE a.id = ANY($1::uuid[])"
)
_BALANCE_AT: LiteralString = (
    f"SELECT {_FOUR_BALANCES} FROM account AS a"
    + _last_side("debit", "a.id", " AND timestamp <= $2")
    + _last_side("credit", "a.id", " AND timestamp <= $2")
    + " WHERE a.id = $1 AND a.timestamp <= $2"
)


# A balance is nearly always below 2**63: then reading it costs a fiftieth of what `u128` does.
def _amount(balance: LiteralString) -> LiteralString:
    return (
        f"CASE WHEN {balance} < '00000000-0000-0000-8000-000000000000'"
        f" THEN ('x' || encode(substr(uuid_send({balance}), 9), 'hex'))::bit(64)::bigint::numeric ELSE u128({balance}) END"
    )


_TRIAL_BALANCE: LiteralString = (
    "SELECT a.ledger, a.code, count(*)"
    + "".join(
        f", coalesce(sum({_amount(balance)}), 0)"
        for balance in ("debit.pending", "debit.posted", "credit.pending", "credit.posted")
    )
    + " FROM account AS a"
    + _last_side("debit", "a.id", " AND timestamp <= $1")
    + _last_side("credit", "a.id", " AND timestamp <= $1")
    + " WHERE a.timestamp <= $1 GROUP BY a.ledger, a.code ORDER BY a.ledger, a.code"
)
_ACCOUNTS_OF: LiteralString = (
    "SELECT id FROM account WHERE code = $1 AND timestamp < $2 ORDER BY position DESC LIMIT $3"
)


def _account_page(order: LiteralString) -> LiteralString:
    """
    A page of an account's transfers: account, times, code, limit, whether debits, whether credits.

    No transfer debits and credits the same account, so the two halves never overlap.
    """
    matches: LiteralString = (
        f"AND t.timestamp BETWEEN $2 AND $3 AND ($4 = 0 OR t.code = $4) ORDER BY t.timestamp {order} LIMIT $5"
    )
    return f"""
(SELECT {_TRANSFER_COLUMNS} FROM transfer AS t WHERE $6::boolean AND t.debit_account_id = $1 {matches})
UNION ALL
(SELECT {_TRANSFER_COLUMNS} FROM transfer AS t WHERE $7::boolean AND t.credit_account_id = $1 {matches})
ORDER BY timestamp {order} LIMIT $5"""


def _balances_page(order: LiteralString) -> LiteralString:
    return (
        f"WITH page AS ({_account_page(order)}) SELECT page.timestamp, {_FOUR_BALANCES} FROM page"
        + _last_side("debit", "$1", " AND timestamp <= page.timestamp")
        + _last_side("credit", "$1", " AND timestamp <= page.timestamp")
        + f" WHERE EXISTS (SELECT FROM account WHERE id = $1 AND flags & {_HISTORY} <> 0) ORDER BY page.timestamp {order}"
    )


_TRANSFERS_FORWARD: LiteralString = _account_page("ASC")
_TRANSFERS_BACKWARD: LiteralString = _account_page("DESC")
_BALANCES_FORWARD: LiteralString = _balances_page("ASC")
_BALANCES_BACKWARD: LiteralString = _balances_page("DESC")
_TIMESTAMP_MAX = 2**63 - 1


class PgLedgerRepository:
    """The rows in PostgreSQL, read through the node's pool; all of it may raise `DatabaseUnavailable`."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def start(self) -> LedgerStart:
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(_BY_INDEX)
                checkpoint = await connection.fetchrow(_CHECKPOINT)
                position, listed_from, checkpoint_timestamp = checkpoint or (0, 0, 0)
                listed = [record[0] for record in await connection.fetch(_LISTED, listed_from)]
                recent = [TransferRow(*record) for record in await connection.fetch(_RECENT_PENDINGS, position)]
                timestamp = await connection.fetchval(_NEWEST_TIMESTAMP)
                newest_id = await connection.fetchval(_NEWEST_ID) or 0
        # The node's only writer is the one who starts, so what is read next is of the same moment.
        candidates = {row.id: row for row in [*await self.transfers(listed), *recent]}
        ended = await self.resolutions(candidates)
        return LedgerStart(
            timestamp=timestamp,
            newest_id=newest_id,
            open=sorted((row for row in candidates.values() if row.id not in ended), key=attrgetter("timestamp")),
            checkpoint_timestamp=checkpoint_timestamp,
            open_pending_position=listed_from,
            listed=len(listed),
        )

    async def accounts(self, ids: Collection[int]) -> list[StoredAccount]:
        if not ids:
            return []
        return [
            StoredAccount(AccountRow(*record[:8]), *(balance or 0 for balance in record[8:]))
            for record in await self._fetch(_ACCOUNTS, list(ids))
        ]

    async def transfers(self, ids: Collection[int]) -> list[TransferRow]:
        if not ids:
            return []
        return [TransferRow(*record) for record in await self._fetch(_TRANSFERS, list(ids))]

    async def burned_ids(self, ids: Collection[int]) -> list[int]:
        if not ids:
            return []
        return [record[0] for record in await self._fetch(_BURNED_IDS, list(ids))]

    async def resolutions(self, pending_ids: Collection[int]) -> dict[int, TransferStatus]:
        if not pending_ids:
            return {}
        records = await self._fetch(_RESOLUTIONS, list(pending_ids))
        return {pending_id: resolution(flags) for pending_id, flags in records}

    async def account_transfers(self, query: AccountQuery) -> list[Transfer]:
        sql = _TRANSFERS_BACKWARD if query.reversed else _TRANSFERS_FORWARD
        return [TransferRow(*record).transfer() for record in await self._fetch(sql, *_page_arguments(query))]

    async def account_balances(self, query: AccountQuery) -> list[AccountBalance]:
        sql = _BALANCES_BACKWARD if query.reversed else _BALANCES_FORWARD
        records = await self._fetch(sql, *_page_arguments(query))
        return [AccountBalance(record[0], *(balance or 0 for balance in record[1:])) for record in records]

    async def balance_at(self, account_id: int, timestamp: int) -> AccountBalance | None:
        found = await self._fetch(_BALANCE_AT, account_id, timestamp)
        return AccountBalance(timestamp, *(balance or 0 for balance in found[0])) if found else None

    async def _fetch(self, query: LiteralString, *values: object) -> list[asyncpg.Record]:
        with unavailable_when_gone():
            records: list[asyncpg.Record] = await self._pool.fetch(query, *values)
        return records


class PgAllAccounts:
    """What is asked of all accounts together, in PostgreSQL: as long as there are accounts, and nobody waits for it."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def trial_balance(self, at_ns: int) -> TrialBalance:
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute("SET LOCAL statement_timeout = 0")
                records = await connection.fetch(_TRIAL_BALANCE, at_ns)
        return TrialBalance(at_ns, [TrialLine(*map(int, record)) for record in records])

    async def accounts(self, code: int, *, before_ns: int, limit: int) -> list[int]:
        with unavailable_when_gone():
            return [record[0] for record in await self._pool.fetch(_ACCOUNTS_OF, code, before_ns, limit)]


def resolution(flags: int) -> TransferStatus:
    """How a pending transfer ended, from the flags of the transfer that resolved it; 0 stands for its expiry."""
    if flags == 0:
        return TransferStatus.PENDING_TRANSFER_EXPIRED
    if flags & _POST_PENDING:
        return TransferStatus.PENDING_TRANSFER_ALREADY_POSTED
    return TransferStatus.PENDING_TRANSFER_ALREADY_VOIDED


def _page_arguments(query: AccountQuery) -> tuple[int | bool, ...]:
    until = query.timestamp_max or _TIMESTAMP_MAX
    return (query.account_id, query.timestamp_min, until, query.code, query.limit, query.debits, query.credits)
