"""Statements, lists and balances: read from the ledger, which has every account indexed, and joined with what it was for."""

from collections.abc import Sequence

from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.payment import Outcome, Payment, Why
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.payments.return_service import ReturnService
from hutong.institution.payments.statement import StatementPage, Subject, moves_money, statement_line
from hutong.kernel.errors import Refusal
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import AccountBalance, AccountQuery, Transfer

PAGE_MAX = 200
_DEBTORS = frozenset({Why.PAYMENT_HELD, Why.PAYMENT_ON_US})
_REFUNDS = frozenset({Why.REFUND_HELD, Why.REFUND_ON_US})


class StatementService:
    """What moved on one account. Whose account it is, the edge has made sure."""

    def __init__(
        self,
        ledger: LedgerEngine,
        debtor: DebtorService,
        creditor: CreditorService,
        refunds: RefundService,
        returns: ReturnService,
        currency: str,
    ) -> None:
        self._ledger = ledger
        self._debtor = debtor
        self._creditor = creditor
        self._refunds = refunds
        self._returns = returns
        self._currency = currency

    async def balance(self, account_id: int) -> tuple[int, int]:
        """What can be spent now, and what is held for payments under way."""
        (account,) = await self._ledger.lookup_accounts([account_id])
        return account.credits_posted - account.debits_posted - account.debits_pending, account.debits_pending

    async def balance_at(self, account_id: int, at_ns: int) -> int:
        """What was posted on the account at a time; nothing before it was opened."""
        balance: AccountBalance | None = await self._ledger.balance_at(account_id, at_ns)
        return balance.credits_posted - balance.debits_posted if balance is not None else 0

    async def statement(self, account_id: int, *, before: int | None = None, limit: int = 50) -> StatementPage:
        """The newest lines before a cursor."""
        limit = min(limit, PAGE_MAX)
        transfers: list[Transfer] = []
        more = True
        while more and len(transfers) < limit:
            page = await self._page(account_id, before, limit)
            more = len(page) == limit
            before = page[-1].timestamp if page else None
            transfers += filter(moves_money, page)
        more = more or len(transfers) > limit
        transfers = transfers[:limit]
        subjects = await self.subjects(transfers)
        return StatementPage(
            currency=self._currency,
            lines=[statement_line(each, account_id, subjects.get(each.user_data_128)) for each in transfers],
            next_cursor=transfers[-1].timestamp if transfers and more else None,
        )

    async def payments(
        self, account_id: int, *, before: int | None = None, limit: int = 50
    ) -> tuple[list[tuple[Payment | Receipt, Outcome | None]], int | None]:
        """The newest payments from and to an account, undecided ones too, and the cursor for more."""
        limit = min(limit, PAGE_MAX)
        transfers = await self._page(account_id, before, limit)
        subjects = await self.subjects(transfers)
        found = [subjects[id_] for id_ in dict.fromkeys(each.user_data_128 for each in transfers) if id_ in subjects]
        payments = [each for each in found if isinstance(each, Payment | Receipt)]
        await self._debtor.outcomes.load([each.id for each in payments if isinstance(each, Payment)])
        await self._creditor.outcomes.load([each.id for each in payments if isinstance(each, Receipt)])
        more = transfers[-1].timestamp if len(transfers) == limit else None
        return [(each, self._outcome(each)) for each in payments], more

    async def payment(self, payment_id: int, account_id: int) -> tuple[Payment | Receipt, Outcome | None]:
        """One payment from or to this account. Refuses PAYMENT_UNKNOWN, also for everybody else's."""
        await self._debtor.payments.load([payment_id])
        await self._debtor.outcomes.load([payment_id])
        payment = self._debtor.payments.get(payment_id)
        if payment is not None and account_id in (payment.account, payment.payee_account):
            return payment, self._outcome(payment)
        await self._creditor.receipts.load([payment_id])
        await self._creditor.outcomes.load([payment_id])
        receipt = self._creditor.receipts.get(payment_id)
        if receipt is not None and receipt.account == account_id:
            return receipt, self._outcome(receipt)
        raise Refusal(PaymentReason.PAYMENT_UNKNOWN)

    async def subject(self, transfer: Transfer) -> Subject:
        """What a transfer of ours is about; None: no payment, receipt, refund or return."""
        return (await self.subjects([transfer])).get(transfer.user_data_128)

    def _outcome(self, payment: Payment | Receipt) -> Outcome | None:
        outcomes = self._debtor.outcomes if isinstance(payment, Payment) else self._creditor.outcomes
        return outcomes.get(payment.id)

    async def _page(self, account_id: int, before: int | None, limit: int) -> list[Transfer]:
        timestamp_max = before - 1 if before is not None else 0
        return await self._ledger.account_transfers(
            AccountQuery(account_id, timestamp_max=timestamp_max, limit=limit, reversed=True)
        )

    async def subjects(self, transfers: Sequence[Transfer]) -> dict[int, Subject]:
        """What each transfer is about, by its `user_data_128`: loaded together, one look-up a table."""
        subjects: dict[int, Subject] = {}
        for codes, shelf in (
            (_DEBTORS, self._debtor.payments),
            ({Why.RECEIPT}, self._creditor.receipts),
            (_REFUNDS, self._refunds.refunds),
            ({Why.RETURN}, self._returns.returns),
        ):
            ids = {each.user_data_128 for each in transfers if each.code in codes}
            await shelf.load(ids)
            subjects |= {id_: shelf.get(id_) for id_ in ids}
        return subjects
