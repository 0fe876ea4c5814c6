"""The product's auditor as the network's tests use it: patiently, and with the outcomes it read beside the findings."""

import asyncio
import time
from typing import Any

import asyncpg

from hutong.audit.network import audit as audit_all
from hutong.runtime.address import parse_address

_OUTCOMES = 'SELECT p.id, o.completed FROM "{}".payments AS p LEFT JOIN "{}".payment_outcomes AS o USING (id)'

_BOOKS = ["account", "transfer", "payments", "payment_outcomes"]  # Rows are only ever added to them.
_TABLES = "SELECT schemaname, tablename FROM pg_tables WHERE tablename = ANY($1) ORDER BY schemaname, tablename"


class Audit:
    """What is wrong with a network; nothing, if `wrong` is empty. What is under way counts: a test waits until it ended."""

    def __init__(self, url: str, ignoring: str = "") -> None:
        self.wrong: list[str] = []
        self.figures: dict[tuple[str, int], tuple[int, ...]] = {}  # Every balance: the same where nothing moved.
        self.completed: dict[str, set[int]] = {}
        self.rejected: dict[str, set[int]] = {}
        self.intended: dict[str, set[int]] = {}
        asyncio.run(self._read(url, ignoring))

    async def _read(self, url: str, ignoring: str) -> None:
        found = await audit_all([parse_address(url)])
        wrong = [str(finding) for finding in found.report.findings]
        wrong += [f"{each.node}: {each.what} {each.id} is under way" for each in found.report.under_way]
        connection = await asyncpg.connect(url)
        try:
            for name, books in found.books.items():
                wrong += [f"{name}: pending {id_.hex()}" for id_ in books.open]
                for id_, each in books.accounts.items():
                    balances = each.debits_pending, each.debits_posted, each.credits_pending, each.credits_posted
                    if any(balances):
                        self.figures[name, int.from_bytes(id_, "big")] = balances
                if name != "switch":
                    self._ended(name, await connection.fetch(_OUTCOMES.format(name, name)))
        finally:
            await connection.close()
        self.wrong = [text for text in wrong if not ignoring or ignoring not in text]

    def _ended(self, name: str, payments: list[Any]) -> None:
        self.intended[name] = {id_.int for id_, _ in payments}
        self.completed[name] = {id_.int for id_, completed in payments if completed}
        self.rejected[name] = {id_.int for id_, completed in payments if completed is False}


class Stillness:
    """
    Tells whether a network's books changed, without an audit where nothing was written into them.

    Balances are what the transfers left: where there is no other account, transfer, payment or outcome than before, every
    balance and every finding is what it was.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._written: list[Any] = []
        self._audit: Audit | None = None

    def look(self) -> Audit:
        """The audit of the books as they are, once they are quiet."""
        if self._audit is None or self._written != asyncio.run(self._last_rows()):
            while True:
                self._written = asyncio.run(self._last_rows())
                self._audit = audit_when_quiet(self._url)
                if self._written == asyncio.run(self._last_rows()):
                    break
        return self._audit

    async def _last_rows(self) -> list[Any]:
        """How far each of these tables has come, in every schema."""
        connection = await asyncpg.connect(self._url)
        try:
            tables = await connection.fetch(_TABLES, _BOOKS)
            last = " UNION ALL ".join(
                f"SELECT '{schema}', '{table}', max(position) FROM \"{schema}\".{table}"  # noqa: S608
                for schema, table in tables
            )
            return [tuple(row) for row in await connection.fetch(last)]
        finally:
            await connection.close()


def audit_when_quiet(url: str, within_s: float = 60, *, ignoring: str = "") -> Audit:
    """The audit once nothing is under way any more, or as it stands when the time is over."""
    ends_at = time.monotonic() + within_s
    while True:
        found = Audit(url, ignoring)
        if not found.wrong or time.monotonic() > ends_at:
            return found
        time.sleep(0.3)
