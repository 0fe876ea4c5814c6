"""An account as the books keep it in memory."""

from hutong.ledger.rows import AccountRow
from hutong.ledger.transfer import Account


class AccountState:
    """
    One account as it is now.

    A plain class with slots: a transfer writes four or six of them, and writing a msgspec struct's costs nine times as
    much (0.11 to 0.013 us). The garbage collector sees these, so it must look at old objects seldom (`GC_THRESHOLDS`):
    80 ms for half a million.
    """

    __slots__ = (
        "credits_pending",
        "credits_posted",
        "debits_pending",
        "debits_posted",
        "flags",
        "ledger",
        "row",
        "touched",
    )

    def __init__(self, row: AccountRow, ledger: int, flags: int, touched: int) -> None:
        self.row = row
        self.ledger = ledger
        self.flags = flags
        self.touched = touched  # When it was last moved: what is not yet durable must not be let go.
        self.debits_pending = 0
        self.debits_posted = 0
        self.credits_pending = 0
        self.credits_posted = 0

    @staticmethod
    def of(row: AccountRow) -> "AccountState":
        return AccountState(row, row.ledger, row.flags, row.timestamp)

    def account(self) -> Account:
        """The account as callers see it."""
        row = self.row
        return Account(
            id=row.id,
            ledger=row.ledger,
            code=row.code,
            flags=self.flags,
            user_data_128=row.user_data_128,
            user_data_64=row.user_data_64,
            user_data_32=row.user_data_32,
            debits_pending=self.debits_pending,
            debits_posted=self.debits_posted,
            credits_pending=self.credits_pending,
            credits_posted=self.credits_posted,
            timestamp=row.timestamp,
        )
