"""The whole audit: every node's books and rules, then what joins them."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol

from hutong.audit.books import Books, read_books
from hutong.audit.crossing import CLEARING, Crossing, check_crossings, derived
from hutong.audit.finding import Report
from hutong.audit.rules import check_rules
from hutong.audit.snapshot import NodeRows, snapshot
from hutong.audit.statements import check_statements
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.address import Address

OVERDUE_S = 900
_POSITION, _CAPS, _INCOME = 1, 2, 3
_CHART = (1 << 80).to_bytes(16, "big")
_ASSETS, _LIABILITIES = range(1000, 2000), range(2000, 3000)
_ROWS = "SELECT count(*) FROM {s}."
_NODES = "SELECT DISTINCT node_id FROM {s}.participant"
_CURRENCIES = "SELECT DISTINCT currency FROM {s}.cleared_payment UNION SELECT 'CNY'"
# What payments and returns brought to a node's clearing account, as a debit balance: settlement with the network goes
# through accounts of assets, and is no part of it.
_CLEARED = f"""
SELECT coalesce(sum(CASE WHEN d.code = {CLEARING} THEN t.amount ELSE -t.amount END), 0)::bigint
FROM {{s}}.transfer AS t
JOIN {{s}}.account AS d ON d.id = t.debit_account_id JOIN {{s}}.account AS c ON c.id = t.credit_account_id
WHERE t.flags & 10 = 0 AND ((d.code = {CLEARING} AND c.code NOT BETWEEN 1000 AND 1999)
    OR (c.code = {CLEARING} AND d.code NOT BETWEEN 1000 AND 1999))"""
# The same seen from the switch: what moved between a position and the other positions or the scheme's income.
_NET = f"""
SELECT uuid_send(id), sum(amount)::bigint FROM (
    SELECT d.id, -t.amount AS amount FROM {{s}}.transfer AS t
    JOIN {{s}}.account AS d ON d.id = t.debit_account_id JOIN {{s}}.account AS c ON c.id = t.credit_account_id
    WHERE t.flags & 10 = 0 AND d.code = {_POSITION} AND c.code IN ({_POSITION}, {_INCOME})
    UNION ALL
    SELECT c.id, t.amount FROM {{s}}.transfer AS t
    JOIN {{s}}.account AS d ON d.id = t.debit_account_id JOIN {{s}}.account AS c ON c.id = t.credit_account_id
    WHERE t.flags & 10 = 0 AND c.code = {_POSITION} AND d.code IN ({_POSITION}, {_INCOME})
) AS moved GROUP BY id"""


class AuditReason(Reason):
    """Why there is nothing to audit."""

    NO_NODES_FOUND = Kind.NOT_FOUND, "NARR"
    NODE_TWICE = Kind.CONFLICT, "NARR"


class Progress(Protocol):
    """What an audit tells of its way: how many rows there are, what it is at, and how many it has read."""

    def begin(self, rows: int) -> None: ...

    def at(self, what: str) -> None: ...

    def advance(self, rows: int) -> None: ...


class _Silence:
    """Nobody waits."""

    def begin(self, rows: int) -> None: ...

    def at(self, what: str) -> None: ...

    def advance(self, rows: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Audit:
    """A report, and the books it was made from."""

    report: Report
    books: dict[str, Books]


async def audit(addresses: Sequence[Address], *, overdue_s: int = OVERDUE_S, progress: Progress | None = None) -> Audit:
    """
    Read every node in these databases, once, and check everything. Nothing is written, and nodes may be at work.

    Refuses:  NO_NODES_FOUND; NODE_TWICE, when two databases have the same node. Raises `DatabaseUnavailable`.
    """
    async with AsyncExitStack() as stack:
        nodes: list[NodeRows] = []
        for address in addresses if len(addresses) == 1 else await _switch_last(addresses):
            nodes += await stack.enter_async_context(snapshot(address))
        if not nodes:
            places = ", ".join(f"{address.host}:{address.port}/{address.database}" for address in addresses)
            raise Refusal(AuditReason.NO_NODES_FOUND, databases=places)
        return await audit_nodes(nodes, overdue_s=overdue_s, progress=progress)


async def audit_nodes(
    nodes: Sequence[NodeRows], *, overdue_s: int = OVERDUE_S, progress: Progress | None = None
) -> Audit:
    """The audit of these nodes. Refuses NODE_TWICE."""
    progress = progress or _Silence()
    report = Report()
    overdue_ns = overdue_s * 1_000_000_000
    names = [node.name for node in nodes]
    for name in names:
        if names.count(name) > 1:
            raise Refusal(AuditReason.NODE_TWICE, node=name)
    progress.begin(sum([await _row_count(node) for node in nodes]))
    books = {}
    for node in nodes:
        progress.at(node.name)
        books[node.name] = await read_books(node, report, progress.advance)
        await check_rules(node, report, overdue_ns)
    institutions = [node for node in nodes if not node.is_switch]
    for switch in (node for node in nodes if node.is_switch):
        progress.at("what joins them")
        crossing = await check_crossings(switch, institutions, report, progress.advance, overdue_ns)
        await _check_positions(switch, institutions, crossing, report)
    await check_statements(institutions, report, progress.advance)
    for node in institutions:
        _check_backing(books[node.name], report)
    return Audit(report, books)


async def _switch_last(addresses: Sequence[Address]) -> list[Address]:
    """The switch's database behind all others: what a node was told by then is decided there."""
    found = []
    for address in addresses:
        async with snapshot(address) as nodes:
            found.append((any(node.is_switch for node in nodes), address))
    return [address for _, address in sorted(found, key=itemgetter(0))]


async def _row_count(node: NodeRows) -> int:
    """How many rows will be read, for who waits."""
    tables = ("transfer", "cleared_payment") if node.is_switch else ("transfer", "payments", "refunds", "receipts")
    return sum([await node.value(_ROWS + table) for table in tables if table in node.tables])


async def _check_positions(
    switch: NodeRows, institutions: Sequence[NodeRows], crossing: Crossing, report: Report
) -> None:
    """Invariant 2: each node's clearing account mirrors its position, but for what it has yet to hear."""
    net = {id_: amount async for id_, amount in switch.rows(_NET)}
    currencies = [currency async for (currency,) in switch.rows(_CURRENCIES)]
    here = {node.name: node for node in institutions}
    async for (node_id,) in switch.rows(_NODES):
        node = here.get(node_id.replace("-", "_"))
        if node is None:
            report.not_seen.append(node_id)
            continue
        accounts = [derived(_CHART, f"position/{node_id}/{currency}") for currency in currencies]
        position = sum(net.get(account, 0) for account in accounts)
        clearing = await node.value(_CLEARED) - crossing.lacking[node.name]
        if position != clearing and node.name not in crossing.too_new:
            report.find(node.name, 2, f"its position is {position}, its clearing account says {clearing}")


def _check_backing(books: Books, report: Report) -> None:
    """Invariant 2: what is owed to people, merchants and sponsors is covered by the reserve and what the network owes."""
    owed, has = -books.debit_of(_LIABILITIES), books.debit_of(_ASSETS)
    if owed > has:
        report.find(books.node, 2, f"owes {owed} and has {has}")
