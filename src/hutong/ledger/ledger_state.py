"""What the books hold in memory."""

from hutong.ledger.account_state import AccountState
from hutong.ledger.rows import LedgerRow, TransferRow
from hutong.ledger.transfer import TransferStatus


class LedgerState:
    """
    Every account and transfer, or the part of the world that was brought in.

    `log` gathers the rows of what was decided, in order; who holds the books takes them from there.
    """

    def __init__(self) -> None:
        self.accounts: dict[int, AccountState] = {}
        self.transfers: dict[int, TransferRow] = {}
        self.open: dict[int, TransferRow] = {}  # Pending transfers not yet resolved: always all of them.
        self.resolved: dict[int, TransferStatus] = {}  # By pending id: what a second resolution is told.
        self.burned: set[int] = set()
        self.closed_by: dict[int, int] = {}  # Account to the open pending transfer that closed it.
        self.timestamp = 0  # The last one given out: unique across accounts, transfers and expiries.
        self.log: list[LedgerRow] = []
