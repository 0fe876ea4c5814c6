"""
One ledger, added up again from its transfers: invariants 1, 7 and 10.

Every transfer's row carries the balances it left. They are compared with the fold of the amounts, row by row, so the two
check each other, and a restart that reads the last rows finds what a replay would have given.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hutong.audit.finding import Report
from hutong.audit.snapshot import Advance, NodeRows

# Flags of transfers and accounts: as written in the tables.
_PENDING, _POST, _VOID = 2, 4, 8
_DEBITS_BOUNDED, _CREDITS_BOUNDED = 2, 4

_ACCOUNTS = "SELECT uuid_send(id), ledger, code, flags, uuid_send(user_data_128) FROM {s}.account"
# An amount that does not fit is no amount: -1, which the fold reports.
_TRANSFERS = """
SELECT position, uuid_send(id), uuid_send(debit_account_id), uuid_send(credit_account_id), uuid_send(pending_id),
    uuid_send(user_data_128), uuid_send(debits_pending), uuid_send(debits_posted), uuid_send(credits_pending),
    uuid_send(credits_posted), timestamp, ledger, flags,
    CASE WHEN amount >= 0 AND amount < 9223372036854775807 AND amount = trunc(amount) THEN amount::bigint ELSE -1 END
FROM {s}.transfer ORDER BY position"""
_EXPIRIES = "SELECT position, uuid_send(pending_id) FROM {s}.expiry ORDER BY position"
_CHECKPOINT = "SELECT position, open_pending_position FROM {s}.checkpoint ORDER BY position DESC LIMIT 1"
_LISTED = "SELECT uuid_send(pending_id) FROM {s}.open_pending WHERE position >= $1"


class Balance:
    """One account, added up from the transfers alone."""

    __slots__ = (
        "code",
        "credits_pending",
        "credits_posted",
        "debits_pending",
        "debits_posted",
        "flags",
        "is_reported",
        "ledger",
        "owner",
    )

    def __init__(self, ledger: int, code: int, flags: int, owner: bytes) -> None:
        self.ledger = ledger
        self.code = code
        self.flags = flags
        self.owner = owner
        self.debits_pending = self.debits_posted = self.credits_pending = self.credits_posted = 0
        self.is_reported = False  # One wrong amount makes every later row of its accounts differ: the first is told.

    @property
    def debit(self) -> int:
        return self.debits_posted - self.credits_posted


@dataclass(slots=True)
class Open:
    """A pending transfer that nothing has resolved."""

    position: int
    about: bytes  # The payment it belongs to.
    debit_account: bytes
    credit_account: bytes
    amount: int


@dataclass(slots=True)
class Books:
    """One node's ledger as its transfers make it."""

    node: str
    accounts: dict[bytes, Balance] = field(default_factory=dict)
    open: dict[bytes, Open] = field(default_factory=dict)

    def debit_of(self, codes: Iterable[int]) -> int:
        """What accounts of these codes come to, as a debit balance."""
        wanted = frozenset(codes)
        return sum(balance.debit for balance in self.accounts.values() if balance.code in wanted)


async def read_books(node: NodeRows, report: Report, advance: Advance) -> Books:
    """Fold every transfer of a node; what does not add up is reported."""
    books = Books(node.name)
    async for id_, ledger, code, flags, owner in node.rows(_ACCOUNTS):
        books.accounts[id_] = Balance(ledger, code, flags, owner)
    expiries = [tuple(row) async for row in node.rows(_EXPIRIES)] if "expiry" in node.tables else []
    fold = _Fold(books, report, expiries[::-1])
    count = 0
    async for row in node.rows(_TRANSFERS, advance=advance):
        fold.take(*row)
        count += 1
    fold.expire(1 << 63)
    fold.check_totals()
    report.count(node.name, "accounts", len(books.accounts))
    report.count(node.name, "transfers", count)
    await _check_checkpoint(node, books, report)
    return books


class _Fold:
    """The transfers of one ledger, one after the other."""

    def __init__(self, books: Books, report: Report, expiries: list[tuple[int, bytes]]) -> None:
        self._books = books
        self._accounts = books.accounts
        self._open = books.open
        self._report = report
        self._expiries = expiries  # The latest first.
        self._last_time = 0

    def take(
        self,
        position: int,
        id_: bytes,
        debit_id: bytes,
        credit_id: bytes,
        pending_id: bytes,
        about: bytes,
        debits_pending: bytes,
        debits_posted: bytes,
        credits_pending: bytes,
        credits_posted: bytes,
        time: int,
        ledger: int,
        flags: int,
        amount: int,
    ) -> None:
        if self._expiries and self._expiries[-1][0] < position:
            self.expire(position)
        if time <= self._last_time:
            self._find(10, f"transfer {id_.hex()} is out of time: not later than the one before it")
        self._last_time = time
        debit, credit = self._accounts.get(debit_id), self._accounts.get(credit_id)
        if debit is None or credit is None:
            self._find(1, f"transfer {id_.hex()} names an account that does not exist")
            return
        if amount < 0:
            self._find(1, f"transfer {id_.hex()} has an amount that is none")
            return
        if ledger != debit.ledger or ledger != credit.ledger:
            self._find(1, f"transfer {id_.hex()} of ledger {ledger} joins ledgers {debit.ledger} and {credit.ledger}")
        if flags & (_POST | _VOID):
            if not self._resolve(id_, pending_id, flags, amount, debit_id, credit_id):
                return
        elif flags & _PENDING:
            self._open[id_] = Open(position, about, debit_id, credit_id, amount)
            debit.debits_pending += amount
            credit.credits_pending += amount
        else:
            debit.debits_posted += amount
            credit.credits_posted += amount
        if (
            debits_posted != debit.debits_posted.to_bytes(16, "big")
            or credits_posted != credit.credits_posted.to_bytes(16, "big")
            or debits_pending != debit.debits_pending.to_bytes(16, "big")
            or credits_pending != credit.credits_pending.to_bytes(16, "big")
        ):
            self._differs(id_, debit, credit, (debits_pending, debits_posted, credits_pending, credits_posted))
        if debit.flags & _DEBITS_BOUNDED and debit.debits_pending + debit.debits_posted > debit.credits_posted:
            self._overdrawn(id_, debit, "overdraws")
        if credit.flags & _CREDITS_BOUNDED and credit.credits_pending + credit.credits_posted > credit.debits_posted:
            self._overdrawn(id_, credit, "takes more out than is in")

    def expire(self, position: int) -> None:
        """Release what expired before a position."""
        while self._expiries and self._expiries[-1][0] < position:
            _, pending_id = self._expiries.pop()
            pending = self._open.pop(pending_id, None)
            if pending is None:
                self._find(3, f"pending {pending_id.hex()} expired, though it was resolved or never pending")
            else:
                self._accounts[pending.debit_account].debits_pending -= pending.amount
                self._accounts[pending.credit_account].credits_pending -= pending.amount

    def check_totals(self) -> None:
        """Per ledger, debits are credits, posted and pending each; an overdraft shows whatever the rows say."""
        for ledger in {balance.ledger for balance in self._accounts.values()}:
            of_ledger = [balance for balance in self._accounts.values() if balance.ledger == ledger]
            for kind in ("posted", "pending"):
                debits = sum(getattr(balance, f"debits_{kind}") for balance in of_ledger)
                credits_ = sum(getattr(balance, f"credits_{kind}") for balance in of_ledger)
                if debits != credits_:
                    self._find(1, f"ledger {ledger}: {kind} debits {debits}, credits {credits_}")

    def _resolve(
        self, id_: bytes, pending_id: bytes, flags: int, amount: int, debit_id: bytes, credit_id: bytes
    ) -> bool:
        pending = self._open.pop(pending_id, None)
        if pending is None:
            self._find(3, f"transfer {id_.hex()} resolves {pending_id.hex()}, which was resolved or never pending")
            return False
        debit, credit = self._accounts[pending.debit_account], self._accounts[pending.credit_account]
        debit.debits_pending -= pending.amount
        credit.credits_pending -= pending.amount
        if (debit_id, credit_id) != (pending.debit_account, pending.credit_account):
            self._find(1, f"transfer {id_.hex()} resolves {pending_id.hex()} on other accounts")
        if flags & _POST:
            if amount > pending.amount:
                self._find(7, f"transfer {id_.hex()} posts {amount} of {pending.amount} that were pending")
            self._accounts[debit_id].debits_posted += amount
            self._accounts[credit_id].credits_posted += amount
        return True

    def _differs(self, id_: bytes, debit: Balance, credit: Balance, told: tuple[bytes, ...]) -> None:
        if debit.is_reported or credit.is_reported:
            debit.is_reported = credit.is_reported = True
            return
        debit.is_reported = credit.is_reported = True
        real = (debit.debits_pending, debit.debits_posted, credit.credits_pending, credit.credits_posted)
        said = tuple(int.from_bytes(each, "big") for each in told)
        self._find(10, f"transfer {id_.hex()} left balances {real}, and its row says {said}")

    def _overdrawn(self, id_: bytes, account: Balance, how: str) -> None:
        if not account.is_reported:
            account.is_reported = True
            self._find(7, f"transfer {id_.hex()} {how} of an account of code {account.code}")

    def _find(self, invariant: int, text: str) -> None:
        self._report.find(self._books.node, invariant, text)


async def _check_checkpoint(node: NodeRows, books: Books, report: Report) -> None:
    """A restart finds every open pending: listed at the last checkpoint, or behind it."""
    if "checkpoint" not in node.tables:
        return
    async for position, listed_from in node.rows(_CHECKPOINT):
        listed = {id_ async for (id_,) in node.rows(_LISTED, listed_from)}
        for id_, pending in books.open.items():
            if pending.position <= position and id_ not in listed:
                report.find(node.name, 10, f"pending {id_.hex()} is open, and a restart would not find it")
