"""What was cleared in a window, read off the durable rows: for the files, and for what everybody owes."""

from collections.abc import AsyncIterator
from typing import Any, LiteralString, Protocol

import asyncpg
import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.runtime.export import csv_of
from hutong.runtime.tables import Store
from hutong.scheme.clearing_file import COLUMNS
from hutong.scheme.messages import CreditTransfer, PaymentReturn, id_hex
from hutong.switch.payment import ClearedPayment, Decision
from hutong.switch.repository import DECISIONS, PAYMENTS
from hutong.switch.settlement.window import WindowRow

_decode = msgspec.json.Decoder(CreditTransfer | PaymentReturn).decode


class ClearingRepository(Protocol):
    """The durable rows of a closed window; nothing here is in the way of payments."""

    def clearing_file(self, window: WindowRow, node_id: str) -> AsyncIterator[bytes]:
        """The node's clearing file, in pieces, in the order of the decisions."""
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


class PgClearingRepository:
    """The rows in PostgreSQL, on connections of their own."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    def clearing_file(self, window: WindowRow, node_id: str) -> AsyncIterator[bytes]:
        return csv_of(self._pool, _CLEARING_FILE, window.window, window.from_position, window.to_position, node_id)


class ScannedClearingRepository:
    """The same by looking at every row: for stores without SQL, which are small."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def clearing_file(self, window: WindowRow, node_id: str) -> AsyncIterator[bytes]:
        yield (",".join(COLUMNS) + "\n").encode()
        for decision, payment in await self._completed(window):
            if node_id in (payment.debtor_agent, payment.creditor_agent):
                yield (",".join(str(value) for value in _line(decision, payment, node_id)) + "\n").encode()

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
