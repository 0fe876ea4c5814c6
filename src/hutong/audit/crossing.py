"""
Payments and returns between nodes: alike on all three ledgers, or under way (invariants 2, 3 and 5).

Three sorted streams are walked side by side: what each node intended, what the switch reserved and decided, and what
the other agent accepted. So memory does not grow with the number of payments.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hutong.audit.finding import Report, UnderWay
from hutong.audit.snapshot import Advance, NodeRows

_COMPLETED, _REJECTED = "ACSC", "RJCT"
CLEARING = 1101
_LATE_NS = 60 * 1_000_000_000  # What the clocks of two databases may differ by.

# What posted transfers brought to the clearing account, less what they took, by payment.
_MOVED = """
SELECT user_data_128 AS id, sum(CASE WHEN credit_account_id = ANY($1) THEN amount ELSE 0 END
    - CASE WHEN debit_account_id = ANY($1) THEN amount ELSE 0 END)::bigint AS moved
FROM {s}.transfer WHERE flags & 10 = 0 AND (credit_account_id = ANY($1) OR debit_account_id = ANY($1)) GROUP BY 1"""
_INTENDED = f"""
WITH moved AS ({_MOVED})
SELECT uuid_send(id) AS sent, 'payment', completed, creditor_agent, gross - payee_discount - interchange,
    gross - payee_discount - interchange, coalesce(moved, 0), created_ns
FROM {{s}}.payments LEFT JOIN {{s}}.payment_outcomes USING (id) LEFT JOIN moved USING (id)
WHERE payee_account = '00000000-0000-0000-0000-000000000000'
UNION ALL
SELECT uuid_send(id), 'refund', completed, debtor_agent, gross - payee_discount - interchange,
    gross - payee_discount - interchange - switch_fee, coalesce(moved, 0), created_ns
FROM {{s}}.refunds LEFT JOIN {{s}}.refund_outcomes USING (id) LEFT JOIN moved USING (id)
WHERE NOT on_us
ORDER BY sent"""
_ACCEPTED = f"""
WITH moved AS ({_MOVED})
SELECT replace(debtor_agent, '-', '_') COLLATE "C" AS originator, uuid_send(id) AS sent, 'receipt', completed,
    -(gross - payee_discount - interchange - switch_fee), coalesce(moved, 0), created_ns
FROM {{s}}.receipts LEFT JOIN {{s}}.receipt_outcomes USING (id) LEFT JOIN moved USING (id)
UNION ALL
SELECT replace(creditor_agent, '-', '_'), uuid_send(id), 'return', completed, -(gross - payee_discount - interchange),
    coalesce(moved, 0), created_ns
FROM {{s}}.returns LEFT JOIN {{s}}.return_outcomes USING (id) LEFT JOIN moved USING (id)
ORDER BY originator, sent"""
_DECIDED = """
WITH posted AS (
    SELECT user_data_128 AS id, sum(amount)::bigint AS posted FROM {s}.transfer WHERE flags & 4 <> 0 GROUP BY 1
)
SELECT replace(originator, '-', '_') COLLATE "C" AS source, uuid_send(payment_id) AS sent, originator, uuid_send(id), c.id IS NOT NULL,
    d.status, coalesce(posted, 0), CASE WHEN c.originator = c.debtor_agent THEN c.creditor_agent ELSE c.debtor_agent END,
    coalesce(reserved_ns, decided_ns)
FROM {s}.cleared_payment AS c FULL JOIN {s}.decision AS d USING (id, originator, payment_id)
LEFT JOIN posted USING (id)
ORDER BY source, sent"""
_CLEARING_ACCOUNTS = f"SELECT array_agg(id) FROM {{s}}.account WHERE code = {CLEARING}"


@dataclass(frozen=True, slots=True)
class _Intended:
    what: str
    completed: bool | None
    other: str
    cleared: int  # What leaves or enters the originator's position.
    moves: int  # What its clearing account must have got.
    moved: int
    created_ns: int


@dataclass(frozen=True, slots=True)
class _Accepted:
    node: str
    what: str
    completed: bool | None
    moves: int
    moved: int
    created_ns: int


@dataclass(frozen=True, slots=True)
class _Decided:
    originator: str
    own_id: bytes
    is_reserved: bool
    status: str | None
    posted: int
    other: str
    since_ns: int


@dataclass(slots=True)
class Crossing:
    """What the walk leaves behind: what each node's clearing account still lacks of what the switch decided."""

    lacking: Counter[str] = field(default_factory=Counter)
    too_new: set[str] = field(default_factory=set)  # Nodes read before something began that the switch has.


async def check_crossings(
    switch: NodeRows, institutions: Sequence[NodeRows], report: Report, advance: Advance, overdue_ns: int
) -> Crossing:
    """Walk every payment and return between nodes; what is under way is reported as such until it is overdue."""
    walk = _Walk(switch, {node.name: node for node in institutions}, report, overdue_ns)
    streams = [_intended(node, advance) for node in sorted(institutions, key=lambda node: node.name)]
    intended = _one_after_the_other(streams)
    decided = _decided(switch, advance)
    accepted = await _merged([_accepted(node, advance) for node in institutions])
    a, b, c = await anext(intended, None), await anext(decided, None), await anext(accepted, None)
    while a is not None or b is not None or c is not None:
        key = min(entry[0] for entry in (a, b, c) if entry is not None)
        of_a = of_b = of_c = None
        if a is not None and a[0] == key:
            of_a, a = a[1], await anext(intended, None)
        if b is not None and b[0] == key:
            of_b, b = b[1], await anext(decided, None)
        if c is not None and c[0] == key:
            of_c, c = c[1], await anext(accepted, None)
        walk.check(*key, of_a, of_b, of_c)
    return walk.crossing


class _Walk:
    """One payment or return after the other."""

    def __init__(self, switch: NodeRows, institutions: dict[str, NodeRows], report: Report, overdue_ns: int) -> None:
        self.crossing = Crossing()
        self._switch = switch
        self._nodes = institutions
        self._report = report
        self._overdue_ns = overdue_ns

    def check(self, originator: str, id_: bytes, a: _Intended | None, b: _Decided | None, c: _Accepted | None) -> None:
        name = id_.hex()
        if b is not None:
            self._check_decided(originator, id_, b, a, c)
        if a is not None:
            self._check_intended(originator, name, a, b)
        if c is not None:
            self._check_accepted(name, c, b)

    def _check_decided(
        self, originator: str, id_: bytes, b: _Decided, a: _Intended | None, c: _Accepted | None
    ) -> None:
        switch, name = self._switch.name, id_.hex()
        if b.own_id != derived(id_, b.originator):
            self._report.find(switch, 3, f"{name} of {originator} is kept under another payment's id")
        if b.status is None:
            self._under_way(switch, "clearing", name, b.since_ns)
        completed = b.status == _COMPLETED
        if completed != bool(b.posted):
            self._report.find(switch, 3, f"{name} of {originator} is {b.status or 'undecided'}, and posted {b.posted}")
        source = self._nodes.get(originator)
        if a is None and b.is_reserved and source is not None and not self._is_too_new(source, b.since_ns):
            self._report.find(switch, 5, f"{name} comes from {originator}, which knows nothing of it")
        other = self._nodes.get(_schema(b.other)) if b.other else None
        if completed and c is None and other is not None and not self._is_too_new(other, b.since_ns):
            self._report.find(other.name, 5, f"{name} of {originator} completed at the switch, and is unknown here")
        if completed and a is not None and a.completed is None:
            self.crossing.lacking[originator] += a.moves
        if completed and c is not None and c.completed is None:
            self.crossing.lacking[c.node] += c.moves

    def _check_intended(self, originator: str, name: str, a: _Intended, b: _Decided | None) -> None:
        said = b.status if b is not None and b.status else "nothing"
        if a.completed is None:
            self._under_way(originator, a.what, name, a.created_ns)
        elif a.completed != (said == _COMPLETED) or (b is not None and b.is_reserved and b.status is None):
            self._report.find(originator, 5, f"{a.what} {name}: completed is {a.completed}, the switch says {said}")
        elif a.completed and b is not None and b.posted != a.cleared:
            self._report.find(originator, 3, f"{a.what} {name}: the switch moved {b.posted}, not {a.cleared}")
        expected = a.moves if a.completed else 0
        if a.moved != expected:
            self._report.find(originator, 3, f"{a.what} {name}: {a.moved} came to clearing, not {expected}")

    def _check_accepted(self, name: str, c: _Accepted, b: _Decided | None) -> None:
        said = b.status if b is not None and b.status else "nothing"
        if c.completed is None:
            self._under_way(c.node, c.what, name, c.created_ns)
        elif c.completed and said != _COMPLETED:
            self._report.find(c.node, 5, f"{c.what} {name}: completed is True, the switch says {said}")
        elif not c.completed and said == _COMPLETED:
            self._report.find(c.node, 5, f"{c.what} {name}: completed is False, the switch says {said}")
        expected = c.moves if c.completed else 0
        if c.moved != expected:
            self._report.find(c.node, 3, f"{c.what} {name}: {c.moved} came to clearing, not {expected}")

    def _under_way(self, node: str, what: str, name: str, since_ns: int) -> None:
        taken_ns = self._nodes.get(node, self._switch).taken_ns
        self._report.begun(UnderWay(node, what, name, since_ns), taken_ns, self._overdue_ns)

    def _is_too_new(self, node: NodeRows, since_ns: int) -> bool:
        """Whether it may have begun after that node's snapshot, which another database took earlier."""
        if node.connection is self._switch.connection or since_ns <= node.taken_ns - _LATE_NS:
            return False
        self.crossing.too_new.add(node.name)
        return True


def derived(parent: bytes, label: str) -> bytes:
    """How ids that are no thing of a moment are named: docs/scheme/payment.md, "Ids"."""
    digest = hashlib.blake2b(parent + label.encode(), digest_size=9).digest()
    return parent[:6] + digest + b"\0"


def _schema(node_id: str) -> str:
    """The schema a node keeps its rows in."""
    return node_id.replace("-", "_")


_Keyed = tuple[tuple[str, bytes], Any]


async def _intended(node: NodeRows, advance: Advance) -> AsyncIterator[_Keyed]:
    accounts = await node.value(_CLEARING_ACCOUNTS) or []
    async for id_, *facts in node.rows(_INTENDED, accounts, advance=advance):
        yield (node.name, id_), _Intended(*facts)


async def _accepted(node: NodeRows, advance: Advance) -> AsyncIterator[_Keyed]:
    accounts = await node.value(_CLEARING_ACCOUNTS) or []
    async for originator, id_, *facts in node.rows(_ACCEPTED, accounts, advance=advance):
        yield (originator, id_), _Accepted(node.name, *facts)


async def _decided(switch: NodeRows, advance: Advance) -> AsyncIterator[_Keyed]:
    async for source, id_, *facts in switch.rows(_DECIDED, advance=advance):
        yield (source, id_), _Decided(*facts)


async def _one_after_the_other(streams: Sequence[AsyncIterator[_Keyed]]) -> AsyncIterator[_Keyed]:
    for stream in streams:
        async for entry in stream:
            yield entry


async def _merged(streams: Sequence[AsyncIterator[_Keyed]]) -> AsyncIterator[_Keyed]:
    """Sorted streams as one."""

    async def merge() -> AsyncIterator[_Keyed]:
        heap: list[tuple[tuple[str, bytes], int, Any]] = []
        for number, stream in enumerate(streams):
            first = await anext(stream, None)
            if first is not None:
                heapq.heappush(heap, (first[0], number, first[1]))
        while heap:
            key, number, value = heap[0]
            following = await anext(streams[number], None)
            if following is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (following[0], number, following[1]))
            yield key, value

    return merge()
