"""What was cleared in a window, read off the durable rows: for the files, and for what everybody owes."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, LiteralString, Protocol

import asyncpg
import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.ledger.rows import TRANSFER
from hutong.ledger.transfer import TransferFlag
from hutong.runtime.database import unavailable_when_gone
from hutong.runtime.export import csv_of
from hutong.runtime.tables import Store
from hutong.scheme.clearing_file import COLUMNS
from hutong.scheme.messages import CreditTransfer, PaymentReturn, id_hex
from hutong.switch.payment import ClearedPayment, Decision
from hutong.switch.repository import DECISIONS, PAYMENTS
from hutong.switch.settlement.obligation import Flow, Postings
from hutong.switch.settlement.window import WindowRow

_decode = msgspec.json.Decoder(CreditTransfer | PaymentReturn).decode
_POST = int(TransferFlag.POST_PENDING)


class ClearingRepository(Protocol):
    """The durable rows of a closed window; nothing here is in the way of payments."""

    def clearing_file(self, window: WindowRow, node_id: str) -> AsyncIterator[bytes]:
        """The node's clearing file, in pieces, in the order of the decisions."""
        ...

    async def flows(self, window: WindowRow) -> list[Flow]:
        """What was decided: between any two nodes."""
        ...

    async def postings(self, window: WindowRow) -> Postings:
        """What the ledger posted for what was decided."""
        ...


# A return is asked for by the creditor agent, whose position goes down; a payment by the debtor agent.
_CLEARING_FILE: LiteralString = """
SELECT
    d."window",
    CASE WHEN p.originator = p.creditor_agent THEN 'RETURN' ELSE 'PAYMENT' END AS kind,
    p.originator,
    replace(p.payment_id::text, '-', '') AS id,
    CASE WHEN p.originator = p.creditor_agent THEN m.message ->> 'OrgnlTxId' ELSE '' END AS original_id,
    p.debtor_agent,
    p.creditor_agent,
    p.currency,
    p.amount_minor AS amount,
    p.settlement_minor AS settlement,
    coalesce((m.message ->> 'IntrchgAmt')::bigint, 0) AS interchange,
    p.switch_fee_minor AS switch_fee,
    CASE WHEN p.originator = $4 THEN 'DEBIT' ELSE 'CREDIT' END AS direction,
    p.settlement_minor + CASE WHEN p.debtor_agent = $4 THEN p.switch_fee_minor ELSE 0 END AS cleared,
    d.decided_ns / 1000000 AS decided_at_ms
FROM decision AS d
JOIN cleared_payment AS p ON p.id = d.id
CROSS JOIN LATERAL (SELECT convert_from(p.message, 'UTF8')::json AS message) AS m
WHERE d.position > $2 AND d.position <= $3 AND d."window" = $1 AND (p.debtor_agent = $4 OR p.creditor_agent = $4)
ORDER BY d.position"""


FLOWS: LiteralString = """
SELECT
    $1,
    p.originator = p.creditor_agent AS is_return,
    p.debtor_agent,
    p.creditor_agent,
    p.currency,
    p.fee_version,
    count(*)::bigint,
    sum(p.amount_minor)::bigint,
    sum(p.settlement_minor)::bigint,
    sum(p.switch_fee_minor)::bigint
FROM decision AS d
JOIN cleared_payment AS p ON p.id = d.id
WHERE d.position > $2 AND d.position <= $3 AND d."window" = $1
GROUP BY 2, 3, 4, 5, 6
ORDER BY 2, 3, 4, 5, 6"""

# A post carries what its reservation was about: the row of the payment. 4 is the flag of a post.
POSTINGS: LiteralString = """
SELECT t.debit_account_id, t.credit_account_id, sum(t.amount)
FROM decision AS d
JOIN transfer AS t ON t.user_data_128 = d.id
WHERE d.position > $2 AND d.position <= $3 AND d."window" = $1
AND t.position > $2 AND t.position <= $3 AND t.flags & 4 <> 0 AND t.amount <> 0
GROUP BY 1, 2"""


# As long as it takes, in one process: payments come first. Of the newest window statistics know next to nothing; by their
# guess it has a handful of rows, and each of those would be looked for among all the others.
SUMMING: LiteralString = """
SET LOCAL statement_timeout = 0;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL work_mem = '256MB';
SET LOCAL jit = off;
SET LOCAL enable_nestloop = off"""


class PgClearingRepository:
    """The rows in PostgreSQL, on connections of their own."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    def clearing_file(self, window: WindowRow, node_id: str) -> AsyncIterator[bytes]:
        return csv_of(self._pool, _CLEARING_FILE, window.window, window.from_position, window.to_position, node_id)

    async def flows(self, window: WindowRow) -> list[Flow]:
        records = await self._sum(FLOWS, window)
        return [Flow(**dict(zip(Flow.__struct_fields__, record, strict=True))) for record in records]

    async def postings(self, window: WindowRow) -> Postings:
        return {(debit, credit): int(minor) for debit, credit, minor in await self._sum(POSTINGS, window)}

    async def _sum(self, query: LiteralString, window: WindowRow) -> list[asyncpg.Record]:
        with unavailable_when_gone():
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute(SUMMING)
                found: list[asyncpg.Record] = await connection.fetch(
                    query, window.window, window.from_position, window.to_position
                )
                return found


class ScannedClearingRepository:
    """The same by looking at every row: for stores without SQL, which are small."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def clearing_file(self, window: WindowRow, node_id: str) -> AsyncIterator[bytes]:
        yield (",".join(COLUMNS) + "\n").encode()
        for decision, payment in await self._completed(window):
            if node_id in (payment.debtor_agent, payment.creditor_agent):
                yield (",".join(str(value) for value in _line(decision, payment, node_id)) + "\n").encode()

    async def flows(self, window: WindowRow) -> list[Flow]:
        sums: dict[tuple[bool, str, str, str, str], list[int]] = {}
        for _, payment in await self._completed(window):
            key = (
                payment.is_return,
                payment.debtor_agent,
                payment.creditor_agent,
                payment.currency,
                payment.fee_version,
            )
            amounts = (1, payment.amount_minor, payment.settlement_minor, payment.switch_fee_minor)
            sums[key] = [so_far + more for so_far, more in zip(sums.get(key, (0, 0, 0, 0)), amounts, strict=True)]
        values: list[tuple[Any, ...]] = [(window.window, *key, *sums[key]) for key in sorted(sums)]
        return [Flow(**dict(zip(Flow.__struct_fields__, each, strict=True))) for each in values]

    async def postings(self, window: WindowRow) -> Postings:
        decided = {decision.id for decision, _ in await self._completed(window)}
        posted: Counter[tuple[int, int]] = Counter()
        for position, transfer in await self._store.scan(TRANSFER, after=window.from_position):
            if position <= window.to_position and transfer.user_data_128 in decided and transfer.flags & _POST:
                posted[transfer.debit_account_id, transfer.credit_account_id] += transfer.amount
        return {pair: minor for pair, minor in posted.items() if minor}

    async def _completed(self, window: WindowRow) -> list[tuple[Decision, ClearedPayment]]:
        """Each decision of the window with what it decided, in order."""
        found = await self._store.scan(DECISIONS, after=window.from_position)
        decisions = [decision for _, decision in found if decision.window == window.window]
        rows = await self._store.find(PAYMENTS, "id", [decision.id for decision in decisions])
        payments = {payment.id: payment for _, payment in rows}
        return [(decision, payments[decision.id]) for decision in decisions]


def _line(decision: Decision, payment: ClearedPayment, node_id: str) -> tuple[str | int, ...]:
    instruction = _decode(payment.message)
    is_return = isinstance(instruction, PaymentReturn)
    fee = payment.switch_fee_minor if node_id == payment.debtor_agent else 0
    return (
        decision.window,
        "RETURN" if is_return else "PAYMENT",
        payment.originator,
        id_hex(payment.payment_id),
        instruction.payment_id if is_return else "",
        payment.debtor_agent,
        payment.creditor_agent,
        payment.currency,
        payment.amount_minor,
        payment.settlement_minor,
        instruction.interchange,
        payment.switch_fee_minor,
        "DEBIT" if node_id == payment.paying_agent else "CREDIT",
        payment.settlement_minor + fee,
        decision.decided_ns // NS_PER_MS,
    )
