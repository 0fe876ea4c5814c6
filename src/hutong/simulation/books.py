"""One node's ledger, added up from its durable rows alone: not by the product's engine, but against what it wrote."""

from collections import defaultdict
from collections.abc import Callable

from hutong.ledger.rows import AccountRow, ExpiryRow, TransferRow

PENDING, POST, VOID = 2, 4, 8
RESOLVES = POST | VOID
DEBITS_BOUNDED, CREDITS_BOUNDED = 2, 4
LEG = 0xFF  # An id's last byte: which part of its payment a transfer is.

# To and from budgets and red packets: more than once about one sponsor, campaign, award or packet. See `MarketingAudit`.
_IN_PARTS = {90, 91, 92, 100, 101, 102}

Thing = tuple[int, int]  # Why money moves (a transfer's code), and for which payment.


class Balance:
    """One account, added up."""

    __slots__ = ("code", "credits_pending", "credits_posted", "debits_pending", "debits_posted", "flags")

    def __init__(self, row: AccountRow) -> None:
        self.code = row.code
        self.flags = row.flags
        self.debits_pending = self.debits_posted = self.credits_pending = self.credits_posted = 0

    @property
    def credit(self) -> int:
        return self.credits_posted - self.debits_posted


class BooksFold:
    """The balances; what is held; and every way in which the rows contradict each other or an account's bounds."""

    def __init__(self, wrong: Callable[[str], None]) -> None:
        self.accounts: dict[int, Balance] = {}
        self.open: dict[int, TransferRow] = {}
        self.held: dict[Thing, int] = defaultdict(int)  # Legs that are pending.
        self.posted: dict[Thing, int] = defaultdict(int)  # Legs that were posted, at once or from pending.
        self.moved: dict[Thing, int] = defaultdict(int)  # Of the first leg, what was posted.
        self.transfers = 0
        self._wrong = wrong
        self._seen: set[int] = set()
        self._legs: set[tuple[int, int, int]] = set()
        self._timestamp = 0

    def credit_of(self, account_id: int) -> int:
        """What an account has: nothing, where a crash has kept it from being opened until there is something for it."""
        account = self.accounts.get(account_id)
        return account.credit if account is not None else 0

    def opened(self, row: AccountRow) -> None:
        if row.id in self.accounts:
            self._wrong(f"account {row.id:032x} was opened twice")
        self.accounts[row.id] = Balance(row)

    def expired(self, row: ExpiryRow) -> None:
        self._wrong(f"pending {row.pending_id:032x} expired; only a decision ends one")

    def transferred(self, row: TransferRow) -> TransferRow | None:
        """Add a transfer up; returns the pending one that it resolves."""
        self.transfers += 1
        if row.id in self._seen:
            self._wrong(f"transfer {row.id:032x} is there twice")
        self._seen.add(row.id)
        if row.timestamp <= self._timestamp:
            self._wrong(f"transfer {row.id:032x} is out of time")
        self._timestamp = row.timestamp
        debit, credit = self.accounts[row.debit_account_id], self.accounts[row.credit_account_id]
        amount, pending = row.amount, None
        if row.flags & RESOLVES:
            pending = self.open.pop(row.pending_id, None)
            if pending is None:
                self._wrong(f"pending {row.pending_id:032x} was resolved, and it is not open")
                return None
            self._resolved(row, pending, debit, credit)
        else:
            self._noted(row)
            if row.flags & PENDING:
                self.open[row.id] = row
                debit.debits_pending += amount
                credit.credits_pending += amount
            else:
                debit.debits_posted += amount
                credit.credits_posted += amount
        self._check(row, debit, credit)
        return pending

    def _resolved(self, row: TransferRow, pending: TransferRow, debit: Balance, credit: Balance) -> None:
        thing = pending.code, pending.user_data_128
        self.held[thing] -= 1
        debit.debits_pending -= pending.amount
        credit.credits_pending -= pending.amount
        if row.flags & POST:
            if row.amount != pending.amount:
                self._wrong(f"transfer {row.id:032x} posts {row.amount} of {pending.amount}")
            debit.debits_posted += row.amount
            credit.credits_posted += row.amount
            self.posted[thing] += 1
            self.moved[thing] += row.amount

    def _noted(self, row: TransferRow) -> None:
        """Each part of a payment is moved once, whatever the ids of the transfers are (invariant 3)."""
        if row.user_data_128 and row.code not in _IN_PARTS:
            leg = row.code, row.user_data_128, row.id & LEG
            if leg in self._legs:
                self._wrong(f"a part of {row.user_data_128:032x} moves twice (code {row.code})")
            self._legs.add(leg)
            thing = row.code, row.user_data_128
            if row.flags & PENDING:
                self.held[thing] += 1
            else:
                self.posted[thing] += 1
                self.moved[thing] += row.amount

    def _check(self, row: TransferRow, debit: Balance, credit: Balance) -> None:
        """The row says what it left behind (invariant 1), and no bound was passed (invariant 7)."""
        if (row.debits_pending, row.debits_posted, row.credits_pending, row.credits_posted) != (
            debit.debits_pending,
            debit.debits_posted,
            credit.credits_pending,
            credit.credits_posted,
        ):
            self._wrong(f"transfer {row.id:032x} left other balances than its row says")
        if debit.flags & DEBITS_BOUNDED and debit.debits_pending + debit.debits_posted > debit.credits_posted:
            self._wrong(f"transfer {row.id:032x} overdraws an account of code {debit.code}")
        if credit.flags & CREDITS_BOUNDED and credit.credits_pending + credit.credits_posted > credit.debits_posted:
            self._wrong(f"transfer {row.id:032x} takes more out of an account of code {credit.code} than is in it")

    def totals(self) -> tuple[int, int, int, int]:
        """Debits pending, credits pending, debits posted, credits posted: of all accounts."""
        found = self.accounts.values()
        return (
            sum(account.debits_pending for account in found),
            sum(account.credits_pending for account in found),
            sum(account.debits_posted for account in found),
            sum(account.credits_posted for account in found),
        )

    def of_code(self, code: int) -> int:
        """What the accounts of a code are worth, credits less debits."""
        return sum(account.credit for account in self.accounts.values() if account.code == code)
