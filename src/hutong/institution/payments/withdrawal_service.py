"""
A merchant's money on its way to the merchant's bank.

A withdrawal is a payment through the network, to a code of the merchant's own account at a bank: held here, decided by
the switch, credited there. So it is done once, resumed after a crash, and never unknown for ever, as payments are.
"""

from hutong.institution.chart import merchant_account
from hutong.institution.merchants.merchant import MerchantStatus
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.payments.cashier import MERCHANT
from hutong.institution.payments.debtor_service import Answer
from hutong.institution.payments.own_payment_service import Spender, network_shares, own_payment
from hutong.institution.payments.payment import Outcome, Payment, check_amount, check_new_id, check_same
from hutong.institution.payments.quotes import Terms
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.service import PaymentService
from hutong.institution.payments.withdrawal import (
    ACCOUNTS_MAX,
    LABEL_LENGTH_MAX,
    MERCHANT_BANK_ACCOUNTS,
    WITHDRAWALS,
    MerchantBankAccount,
    Withdrawal,
    WithdrawalLimits,
    WithdrawalReason,
    WithdrawalState,
)
from hutong.institution.policy.policy import Policies
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided, warmed
from hutong.scheme.messages import Channel

_CODE_LENGTH_MAX = 512


class WithdrawalService:
    """Everything answers to an owner's key, of the whole merchant (invariant 8). Whose PIN it was, the edge has checked."""

    def __init__(
        self,
        node: NodeRuntime,
        payments: PaymentService,
        merchants: MerchantService,
        policies: Policies,
        limits: WithdrawalLimits | None = None,
    ) -> None:
        self._node = node
        self._chart = payments.chart
        self._policies = policies
        self._merchants = merchants
        self._consults = payments.consults
        self._debtor = payments.debtor
        self.limits = limits or WithdrawalLimits()
        self._accounts = Shelf(MERCHANT_BANK_ACCOUNTS, node.journal, node.store, by=("merchant_id",))
        self._withdrawals = Shelf(WITHDRAWALS, node.journal, node.store, by=("merchant_id",), timed=True)

    async def start(self) -> None:
        await self._withdrawals.start()

    # Accounts at banks.

    async def link(self, key: StaffKey, bank_account_id: int, label: str, code: str) -> MerchantBankAccount:
        """
        Link the merchant's account at a bank: the bank is asked whose it is.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; ID_FROM_THE_FUTURE; the text refusals; BANK_ACCOUNTS_TOO_MANY; what a
                  consult refuses; BANK_IS_THIS_INSTITUTION; BANK_CODE_NOT_AN_ACCOUNT; CURRENCY_DIFFERS.
        Repeats:  the account as it is; ID_TAKEN, naming the field, for other content.
        """
        _check_owner(key)
        check_new_id("bank_account_id", bank_account_id, self._node.clock.now_ns())
        check_text("label", label, length_max=LABEL_LENGTH_MAX)
        check_text("code", code, length_max=_CODE_LENGTH_MAX)
        id_ = derive(bank_account_id, f"{key.merchant_id:032x}/merchant-bank-account")

        def known() -> MerchantBankAccount | None:
            found = self._accounts.get(id_)
            if found is not None:
                check_same("label", found.label, label)
                check_same("code", found.code, code)
            elif len(self.accounts(key)) >= ACCOUNTS_MAX:
                raise Refusal(PaymentReason.BANK_ACCOUNTS_TOO_MANY, accounts_max=ACCOUNTS_MAX)
            return found

        found = await warmed(self._node.journal, known)
        if found is not None:
            return found
        terms = self._checked(await self._consults.terms(code))

        def put() -> MerchantBankAccount:
            before = known()
            if before is not None:
                return before
            account = MerchantBankAccount(
                id=id_,
                merchant_id=key.merchant_id,
                bank=terms.creditor_agent,
                label=label,
                holder=terms.payee_name,
                code=code,
                created_ns=self._node.clock.now_ns(),
            )
            self._accounts.put(account)
            return account

        return await decided(self._node.journal, put)

    def unlink(self, key: StaffKey, account_id: int) -> MerchantBankAccount:
        """Forget an account. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS, BANK_ACCOUNT_UNKNOWN. Repeats: it, forgotten."""
        account = self._account(key, account_id)
        if not account.unlinked_ns:
            account = account.forgotten(self._node.clock.now_ns())
            self._accounts.put(account)
        return account

    def accounts(self, key: StaffKey) -> list[MerchantBankAccount]:
        """The linked ones, oldest first. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        _check_owner(key)
        return [each for each in self._accounts.find("merchant_id", key.merchant_id) if not each.unlinked_ns]

    # Money out.

    async def withdraw(
        self, key: StaffKey, withdrawal_id: int, account_id: int, amount: int, approved_by: int, answer: Answer
    ) -> None:
        """
        Send money of the merchant's to its bank.

        Moves:    merchant -> clearing, held until the switch decides.
        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; ID_MALFORMED, ID_FROM_THE_FUTURE; AMOUNT_NOT_POSITIVE;
                  BANK_ACCOUNT_UNKNOWN, BANK_ACCOUNT_UNLINKED; what a consult refuses; WITHDRAWAL_TOO_SMALL;
                  WITHDRAWAL_LIMIT_EXCEEDED; MERCHANT_SUSPENDED. That the balance does not cover it is an answered, rejected withdrawal.
        Repeats:  the same answer; ID_TAKEN, naming the field, for other content under the same id.
        """
        _check_owner(key)
        journal = self._node.journal
        if await warmed(journal, lambda: self._repeated(key, withdrawal_id, account_id, amount, answer)):
            journal.seal()
            return
        account = await warmed(journal, lambda: self._account(key, account_id))
        if account.unlinked_ns:
            raise Refusal(PaymentReason.BANK_ACCOUNT_UNLINKED)
        terms = self._checked(await self._consults.terms(account.code))

        def send() -> None:
            if self._repeated(key, withdrawal_id, account_id, amount, answer):
                return
            now_ns = self._node.clock.now_ns()
            check_new_id("withdrawal_id", withdrawal_id, now_ns)
            check_amount(amount)
            self.limits.check(amount, self._today(key.merchant_id, now_ns))
            payment = self._payment(key, account, terms, withdrawal_id, amount, now_ns)
            withdrawal = Withdrawal(
                id=withdrawal_id,
                merchant_id=key.merchant_id,
                bank_account_id=account.id,
                amount=amount,
                currency=terms.currency,
                approved_by=approved_by,
                created_ns=now_ns,
            )
            self._withdrawals.put(withdrawal)
            self._debtor.send(payment, answer)

        await warmed(journal, send)
        journal.seal()

    def withdrawals(self, key: StaffKey) -> list[WithdrawalState]:
        """All of them, newest first. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        _check_owner(key)
        found = self._withdrawals.find("merchant_id", key.merchant_id)
        return [self._stand(each) for each in sorted(found, key=lambda each: -each.created_ns)]

    def withdrawal(self, key: StaffKey, withdrawal_id: int) -> WithdrawalState:
        """One of them. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS, WITHDRAWAL_UNKNOWN."""
        _check_owner(key)
        found = self._withdrawals.get(withdrawal_id)
        if found is None or found.merchant_id != key.merchant_id:
            raise Refusal(WithdrawalReason.WITHDRAWAL_UNKNOWN)
        return self._stand(found)

    def _stand(self, withdrawal: Withdrawal) -> WithdrawalState:
        account = self._accounts.get(withdrawal.bank_account_id)
        assert account is not None, "what was withdrawn went to an account that was linked"
        outcome = self._debtor.outcomes.get(withdrawal.id)
        return WithdrawalState(withdrawal=withdrawal, account=account, outcome=outcome)

    def _today(self, merchant_id: int, now_ns: int) -> list[int]:
        """The amounts of those of this day that were not rejected."""
        day = self._policies.day_of(now_ns)
        return [
            each.amount
            for each in self._withdrawals.find("merchant_id", merchant_id)
            if self._policies.day_of(each.created_ns) == day and not _failed(self._debtor.outcomes.get(each.id))
        ]

    def _repeated(self, key: StaffKey, withdrawal_id: int, account_id: int, amount: int, answer: Answer) -> bool:
        known = self._debtor.payments.get(withdrawal_id)
        if known is None:
            return False
        withdrawal = self._withdrawals.get(withdrawal_id)
        if withdrawal is None or withdrawal.merchant_id != key.merchant_id:
            raise Refusal(PaymentReason.ID_TAKEN, field="withdrawal_id")
        check_same("amount", withdrawal.amount, amount)
        check_same("bank_account_id", withdrawal.bank_account_id, account_id)
        self._debtor.repeat(known, answer)
        return True

    def _checked(self, terms: Terms) -> Terms:
        """Refuses what is no account at a bank elsewhere."""
        if terms.creditor_agent == self._node.node_id:
            raise Refusal(WithdrawalReason.BANK_IS_THIS_INSTITUTION, field="code")
        if terms.channel is not Channel.PERSONAL_CODE or terms.amount or terms.payee_discount:
            raise Refusal(WithdrawalReason.BANK_CODE_NOT_AN_ACCOUNT, field="code")
        if terms.currency != self._chart.currency.alpha:
            raise Refusal(PaymentReason.CURRENCY_DIFFERS, field="code", currency=terms.currency)
        return terms

    def _account(self, key: StaffKey, account_id: int) -> MerchantBankAccount:
        _check_owner(key)
        account = self._accounts.get(account_id)
        if account is None or account.merchant_id != key.merchant_id:
            raise Refusal(PaymentReason.BANK_ACCOUNT_UNKNOWN, field="bank_account_id")
        return account

    def _payment(
        self, key: StaffKey, account: MerchantBankAccount, terms: Terms, id_: int, amount: int, now_ns: int
    ) -> Payment:
        """As an institution tells it to the network: the merchant pays its bank's customer."""
        merchant = self._merchants.merchant(key.merchant_id)
        if merchant.status != MerchantStatus.CLOSED:  # Who has closed takes out what is left.
            merchant.check_open()
        policy, _, _ = self._policies.today(now_ns)
        shares = network_shares(terms, amount)
        if not shares.sound:
            raise Refusal(PaymentReason.SHARES_UNSOUND, amount=amount)
        return own_payment(
            id_,
            Spender(merchant.id, merchant_account(merchant.id, self._chart.currency), merchant.name),
            terms,
            shares,
            funding=MERCHANT,
            policy_version=policy.version,
            now_ns=now_ns,
            quote_id=account.id,
        )


def _failed(outcome: Outcome | None) -> bool:
    return outcome is not None and not outcome.completed


def _check_owner(key: StaffKey) -> None:
    key.check_right(Right.MANAGE)
    key.check_whole_merchant()
