"""The ledger's port: what every engine does, and all that anybody above may know of one."""

from collections.abc import Callable, Sequence
from typing import Protocol

from hutong.ledger.transfer import Account, AccountBalance, AccountQuery, AccountStatus, Transfer, TransferStatus

AccountsAnswered = Callable[[list[AccountStatus]], None]
TransfersAnswered = Callable[[list[TransferStatus]], None]


class LedgerEngine(Protocol):
    """
    Double entry and nothing else: no wallets, no merchants, no caps.

    Both writes take a continuation. An engine that has everything in memory calls it before it returns; one
    that must look something up first, or that answers from elsewhere, calls it later, in the order of the calls.
    In both cases the statuses are decided but not yet durable: let news of them out through the journal.
    """

    def create_accounts(self, accounts: Sequence[Account], then: AccountsAnswered) -> None:
        """Create accounts; one status each, in their order."""
        ...

    def create_transfers(self, transfers: Sequence[Transfer], then: TransfersAnswered) -> None:
        """Create transfers; one status each, in their order. Linked chains succeed or fail as one."""
        ...

    def expire(self) -> int:
        """Release what has timed out by now; returns how many. The node's timer calls it."""
        ...

    async def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        """The accounts that exist among `ids`, in the order asked, with their balances as decided."""
        ...

    async def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        """The transfers that exist among `ids`, in the order asked."""
        ...

    async def pending_transfers(self) -> list[Transfer]:
        """Every pending transfer not yet posted, voided or expired, as decided: what a restart goes on with."""
        ...

    async def account_transfers(self, query: AccountQuery) -> list[Transfer]:
        """An account's transfers by time, durable ones only."""
        ...

    async def account_balances(self, query: AccountQuery) -> list[AccountBalance]:
        """The account's balances after each of its transfers; only for an account with the HISTORY flag, else nothing."""
        ...

    async def balance_at(self, account_id: int, timestamp: int) -> AccountBalance | None:
        """Any account's balances as they were at a time (inclusive), from its durable rows; None if it did not exist yet."""
        ...
