"""A position: how far a node may still go, and what it owes the others net."""

from collections.abc import Sequence

import msgspec

from hutong.ledger.transfer import Account


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One node's position in one currency, in minor units."""

    node_id: str
    currency: str
    cap_minor: int  # The net debit cap by now: granted by hand, and what the reserve stands behind.
    balance_minor: int  # Cap, plus what others paid it, less what it paid others.
    outgoing_minor: int  # Of payments that are reserved and not decided.
    incoming_minor: int
    reserve_minor: int  # On its settlement account.

    @property
    def headroom_minor(self) -> int:
        """What the node may still pay: reserved is gone already, incoming is not there yet."""
        return self.balance_minor - self.outgoing_minor

    @property
    def net_minor(self) -> int:
        """What the others owe the node net; below zero, what it owes them."""
        return self.balance_minor - self.cap_minor


class SwitchBooks(msgspec.Struct, frozen=True, kw_only=True):
    """The switch's whole ledger in one currency: its positions, the caps behind them and the scheme's income."""

    currency: str
    positions: tuple[Position, ...]
    caps_minor: int
    income_minor: int  # Not yet settled.
    custody_minor: int  # The money behind reserves and contributions.
    reserves_minor: int  # The scheme's own among them.
    contributions_minor: int
    debits_minor: int  # Of all accounts, posted and pending.
    credits_minor: int

    @property
    def is_balanced(self) -> bool:
        """Invariants 1 and 2."""
        balances = sum(position.balance_minor for position in self.positions)
        funded = self.custody_minor == self.reserves_minor + self.contributions_minor
        return self.debits_minor == self.credits_minor and balances == self.caps_minor - self.income_minor and funded


def total_debits(accounts: Sequence[Account]) -> int:
    """Posted and pending together."""
    return sum(account.debits_posted + account.debits_pending for account in accounts)


def total_credits(accounts: Sequence[Account]) -> int:
    """Posted and pending together."""
    return sum(account.credits_posted + account.credits_pending for account in accounts)
