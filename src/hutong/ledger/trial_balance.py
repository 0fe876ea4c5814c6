"""A trial balance: what all accounts of a code come to, at a moment. Debits and credits are equal, or the books are not."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class TrialLine(msgspec.Struct, frozen=True):
    """All accounts of one ledger and code together."""

    ledger: int
    code: int
    accounts: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


class TrialBalance(msgspec.Struct, frozen=True):
    """The lines of every code, in order, as of `at_ns`."""

    at_ns: int
    lines: Sequence[TrialLine]

    def total(self, ledger: int) -> TrialLine:
        """The sum of one ledger's lines."""
        lines = [line for line in self.lines if line.ledger == ledger]
        return TrialLine(
            ledger,
            0,
            sum(line.accounts for line in lines),
            sum(line.debits_pending for line in lines),
            sum(line.debits_posted for line in lines),
            sum(line.credits_pending for line in lines),
            sum(line.credits_posted for line in lines),
        )

    @property
    def balances(self) -> bool:
        """Invariant 1: in each ledger debits are credits, pending and posted."""
        totals = [self.total(ledger) for ledger in {line.ledger for line in self.lines}]
        return all(
            (each.debits_pending, each.debits_posted) == (each.credits_pending, each.credits_posted) for each in totals
        )


class AllAccounts(Protocol):
    """What is asked of all accounts together: from the durable rows, on connections of their own, beside every payment."""

    async def trial_balance(self, at_ns: int) -> TrialBalance:
        """The books as of a time, inclusive."""
        ...

    async def accounts(self, code: int, *, before_ns: int, limit: int) -> list[int]:
        """The ids of accounts of a code that were opened before a time, the newest first."""
        ...
