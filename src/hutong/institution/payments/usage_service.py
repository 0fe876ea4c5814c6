"""
What a person has used of the limits today and this year.

The counters are written with each payment, in the same row, so they are durable with the same commit and reading them
back after a restart is one look at the newest row, however long the history. That row is found through the wallet's
account; what was paid out of anything else, or given back, has a row of its own.
"""

from collections.abc import Iterable
from typing import Protocol

from hutong.institution.payments.allowance import Allowances, allowances
from hutong.institution.payments.payment import PAYMENTS, SPENDING, Payment, Spending, Why
from hutong.institution.payments.ports import Payer
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.policy.policy import COUNTERS, Limits, Policies
from hutong.kernel.errors import Refusal
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import AccountQuery, TransferFlag
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Cold

_DECIDES = TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING
_PAGE = 50
_USERS_MAX = 1_000_000


class HasCounters(Protocol):
    """A row that says what was used, itself included."""

    @property
    def spent_year(self) -> int: ...
    @property
    def spent_static(self) -> int: ...
    @property
    def spent_unverified(self) -> int: ...
    @property
    def spent_verified(self) -> int: ...


class Spent(Protocol):
    """What took of the limits: a payment, a red packet."""

    @property
    def id(self) -> int: ...
    @property
    def user_id(self) -> int: ...
    @property
    def paid(self) -> int: ...
    @property
    def counter(self) -> int: ...
    @property
    def counted(self) -> bool: ...
    @property
    def created_ns(self) -> int: ...


class Usage:
    """One person's counters: the year's, and one for each of COUNTERS today (the first counts nothing)."""

    __slots__ = ("counted_ns", "day", "position", "today", "year", "year_spent")

    def __init__(self) -> None:
        self.day = 0
        self.year = 0
        self.year_spent = 0
        self.today = [0] * len(COUNTERS)
        self.position = 0  # Of the last row that says this.
        self.counted_ns = 0  # Of that row: what comes after it is of no earlier day, even if the clock is put back.

    def read(self, row: HasCounters, day: int, year: int) -> None:
        self.day, self.year, self.year_spent = day, year, row.spent_year
        self.today = [0, row.spent_static, row.spent_unverified, row.spent_verified]

    def turn(self, day: int, year: int) -> None:
        """A new day begins at zero, and so does a new year."""
        if year != self.year:
            self.year, self.year_spent = year, 0
        if day != self.day:
            self.day, self.today = day, [0] * len(COUNTERS)

    def check(self, limits: Limits, amount: int) -> None:
        """Refuses DAILY_LIMIT_EXCEEDED and ANNUAL_LIMIT_EXCEEDED, saying how much is left."""
        counter = limits.counter
        if limits.daily is not None and self.today[counter] + amount > limits.daily:
            raise Refusal(
                PaymentReason.DAILY_LIMIT_EXCEEDED,
                counted=COUNTERS[counter],
                limit=limits.daily,
                left=max(limits.daily - self.today[counter], 0),
            )
        if limits.annual is not None and self.year_spent + amount > limits.annual:
            raise Refusal(
                PaymentReason.ANNUAL_LIMIT_EXCEEDED, limit=limits.annual, left=max(limits.annual - self.year_spent, 0)
            )

    def take(self, limits: Limits, amount: int) -> None:
        if limits.counter:
            self.today[limits.counter] += amount
        if limits.counted:
            self.year_spent += amount

    def give_back(self, payment: Spent, day: int, year: int) -> None:
        """What a refused payment of that day and year had taken. Another day's counters are gone anyway."""
        if payment.counter and day == self.day:
            self.today[payment.counter] -= payment.paid
        if payment.counted and year == self.year:
            self.year_spent -= payment.paid


class UsageService:
    """Everybody's counters, read when first asked for."""

    def __init__(self, node: NodeRuntime, ledger: LedgerEngine, policies: Policies) -> None:
        self._node = node
        self._ledger = ledger
        self._policies = policies
        self._usages: dict[int, Usage] = {}
        self._unheld: dict[int, list[int]] = {}  # By user: payments that a crash kept from the ledger.

    def expect(self, payment: Payment) -> None:
        """
        After a restart: this payment was written down, and the ledger has yet to hold it.

        So the ledger does not lead to its counters; they count all the same.
        """
        self._unheld.setdefault(payment.user_id, []).append(payment.id)

    def of(self, user_id: int, wallet_account: int) -> Usage:
        """A person's counters; raises `Cold`."""
        usage = self._usages.get(user_id)
        if usage is None:
            raise Cold(lambda: self._load(user_id, wallet_account))
        return usage

    def allowances(self, payer: Payer, tiers: Iterable[int]) -> Allowances:
        """What this person may still pay today and this year; raises `Cold`."""
        usage = self.of(payer.id, payer.wallet_account)
        policy, day, year = self._policies.today(self._node.clock.now_ns())
        today = usage.today if usage.day == day else [0] * len(COUNTERS)
        return allowances(policy, payer.tier, tiers, usage.year_spent if usage.year == year else 0, list(today))

    def note(self, payment: Spent) -> None:
        """Something out of something else than the wallet, or no payment at all: its counters in a row that is found without the wallet."""
        self._write(payment)

    def give_back(self, payment: Spent) -> None:
        """A payment was refused: what it took of the limits is free again, in the same commit."""
        usage = self._usages[payment.user_id]  # Read when the payment was decided or taken up again.
        usage.counted_ns = max(self._node.clock.now_ns(), usage.counted_ns)
        usage.turn(*self._policies.day_of(usage.counted_ns))
        usage.give_back(payment, *self._policies.day_of(payment.created_ns))
        self._write(payment)

    def _write(self, payment: Spent) -> None:
        usage = self._usages[payment.user_id]
        row = Spending(
            id=payment.id,
            user_id=payment.user_id,
            counted_ns=usage.counted_ns,
            spent_year=usage.year_spent,
            spent_static=usage.today[1],
            spent_unverified=usage.today[2],
            spent_verified=usage.today[3],
        )
        usage.position = self._node.journal.append(SPENDING, row)

    async def _load(self, user_id: int, wallet_account: int) -> None:
        newest: list[tuple[int, int, HasCounters]] = []
        corrections = await self._node.store.page(SPENDING, "user_id", user_id, limit=1, newest_first=True)
        newest += [(position, row.counted_ns, row) for position, row in corrections]
        ids = [*self._unheld.get(user_id, ()), *await self._newest_payments(wallet_account)]
        payments = await self._node.store.find(PAYMENTS, "id", ids)
        newest += [(position, row.created_ns, row) for position, row in payments]
        usage = Usage()
        if newest:
            position, counted_ns, row = max(newest, key=lambda entry: entry[0])
            usage.read(row, *self._policies.day_of(counted_ns))
            usage.position, usage.counted_ns = position, counted_ns
        if len(self._usages) > _USERS_MAX:
            self._forget()
        self._usages.setdefault(user_id, usage)

    async def _newest_payments(self, account: int) -> list[int]:
        """
        The last payments that held or took money of the account: the ledger has them indexed, the payments do not.

        Several, for those that a restart took up again were held in another order than they were admitted in.
        """
        timestamp_max = 0
        while True:
            page = await self._ledger.account_transfers(
                AccountQuery(account, credits=False, timestamp_max=timestamp_max, limit=_PAGE, reversed=True)
            )
            found = [
                transfer.user_data_128
                for transfer in page
                if transfer.code in {Why.PAYMENT_HELD, Why.PAYMENT_ON_US} and not transfer.flags & _DECIDES
            ]
            if found or len(page) < _PAGE:
                return found
            timestamp_max = page[-1].timestamp - 1

    def _forget(self) -> None:
        """Forget the tenth read longest ago, those that are durable."""
        durable = self._node.journal.durable_position
        for user_id in list(self._usages)[: _USERS_MAX // 10]:
            if self._usages[user_id].position <= durable:
                del self._usages[user_id]
