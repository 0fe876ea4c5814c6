"""What invitations ask about payments, accounts at banks and merchants' staff, answered by the institution's services."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from hutong.institution.payments.payment import Payment, Why
from hutong.institution.payments.service import PaymentService
from hutong.institution.people.user import User
from hutong.ledger.transfer import AccountQuery, Transfer
from hutong.marketing.invitations.circle import PersonPayment
from hutong.runtime.shelf import UNFINISHED_WITHIN, warmed

_LOOKED_AT = 100  # Payments of each person, the newest.


class Staff(Protocol):
    """Who works where."""

    def works_for(self, phone: str, /) -> set[int]:
        """The merchants whose staff the holder of a number is. May raise `Cold`."""
        ...


class MoneyService:
    """Reads, and decides nothing. What is not in memory raises `Cold`."""

    def __init__(self, payments: PaymentService, staff: Staff) -> None:
        self._payments = payments
        self._staff = staff

    def paid_anything(self, user: User) -> bool:
        """Whether this person has ever paid, or tried to: then there is a row that counts it."""
        return self._payments.debtor.usages.of(user.id, user.wallet_account).position > 0

    def has_funding(self, user_id: int) -> bool:
        """Whether money can come from a linked account that its bank knows: a mandate that was made up is none."""
        return self._payments.bank_link.is_known(user_id)

    def ask_banks(self, user_id: int, then: Callable[[], None] | None = None) -> None:
        """Ask banks which accounts those are that the person linked; `then` follows each answer."""
        self._payments.bank_link.ask_banks(user_id, then)

    def left(self, payment_id: int) -> int:
        """How much of what the payer paid is neither back nor on its way back."""
        payment = self._payment(payment_id)
        if payment is None:
            return 0
        if payment.payee_account:
            return self._payments.refunds.left(payment_id, payment.shares).paid
        return self._payments.returns.left(payment).paid

    def is_returning(self, payment_id: int) -> bool:
        """Whether a refund of it is undecided."""
        payment = self._payment(payment_id)
        if payment is None:
            return False
        if payment.payee_account:
            return any(outcome is None for _, outcome in self._payments.refunds.of_payment(payment_id))
        returns = self._payments.returns
        return any(returns.outcomes.get(each.id) is None for each in returns.returns.find("payment_id", payment_id))

    def paid_at(self, payment_id: int) -> int:
        """When it was paid."""
        payment = self._payment(payment_id)
        return payment.created_ns if payment is not None else 0

    def works_at(self, user: User, merchant_id: int) -> bool:
        """Whether the person is of this merchant's staff: they are known by the same telephone number."""
        return bool(user.phone) and merchant_id in self._staff.works_for(user.phone)

    async def completed_lately(self) -> Sequence[Payment]:
        """
        The last payments that are complete.

        What a commit sets off runs right behind it, so what a crash kept from us was in one of the last commits.
        """
        debtor = self._payments.debtor
        outcomes = await debtor.outcomes.load_since(max(0, self._payments.node.journal.position - UNFINISHED_WITHIN))
        ids = [outcome.id for outcome in outcomes if outcome.completed]
        await debtor.payments.load(ids)
        return [payment for id_ in ids if (payment := debtor.payments.get(id_)) is not None]

    async def funding(self, user_ids: Collection[int]) -> Mapping[int, frozenset[int]]:
        """Marks of all accounts these people ever linked."""
        return await self._payments.bank_link.marks_of(user_ids)

    async def among(self, users: Collection[User]) -> Sequence[PersonPayment]:
        """What these people paid to each other, or at shops where another of them works."""
        ids = {user.id for user in users}
        journal = self._payments.node.journal
        keepers: dict[int, int] = {}
        for user in users:
            places = await warmed(journal, lambda phone=user.phone: self._staff.works_for(phone))  # type: ignore[misc]
            keepers |= dict.fromkeys(places, user.id)
        found = []
        for user in users:
            for payment in await self._newest(user):
                payee_id = payment.payee_user_id or keepers.get(payment.merchant_id, 0)
                if payee_id in ids and payee_id != user.id:
                    found.append(PersonPayment(user.id, payee_id, payment.paid, payment.created_ns))
        return [*found, *await self._packets(users)]

    async def _packets(self, users: Collection[User]) -> list[PersonPayment]:
        """Red packets that some of these people filled and others opened: each is an account that both moved money with."""
        fillers: dict[int, int] = {}
        for user in users:
            filled = await self._moved(user, Why.RED_PACKET_FILLED, debits=True)
            fillers |= {each.credit_account_id: user.id for each in filled}
        return [
            PersonPayment(fillers[each.debit_account_id], user.id, each.amount, each.timestamp)
            for user in users
            for each in (await self._moved(user, Why.RED_PACKET_CLAIMED, debits=False) if fillers else ())
            if fillers.get(each.debit_account_id, user.id) != user.id
        ]

    async def _newest(self, user: User) -> list[Payment]:
        """The person's newest payments to somebody of this institution."""
        debtor = self._payments.debtor
        transfers = await self._moved(user, Why.PAYMENT_ON_US, debits=True)
        ids = sorted({each.user_data_128 for each in transfers})
        await debtor.payments.load(ids)
        return [payment for id_ in ids if (payment := debtor.payments.get(id_)) is not None]

    async def _moved(self, user: User, code: Why, *, debits: bool) -> list[Transfer]:
        """The newest transfers of a kind from a person's wallet, or to it."""
        query = AccountQuery(
            user.wallet_account, debits=debits, credits=not debits, code=code, limit=_LOOKED_AT, reversed=True
        )
        return await self._payments.ledger.account_transfers(query)

    def _payment(self, payment_id: int) -> Payment | None:
        return self._payments.debtor.payments.get(payment_id)
