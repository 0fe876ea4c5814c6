"""A line of an account, and a page of them."""

from dataclasses import dataclass

from hutong.ledger.transfer import Account, Transfer


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an account: the transfer, what it changed of the posted balance, and that balance after it."""

    transfer: Transfer
    change: int
    balance: int


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Newest first. `newer` and `older` are what the pages beside it begin behind; None: there is none."""

    account: Account
    entries: list[Entry]
    newer: int | None
    older: int | None
