"""
At the wallet: linked bank accounts, money in (充值) and money out (提现).

A top-up is a request to pay under the bank's mandate; a withdrawal is a payment to the user's own code at the bank.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Collection
from functools import partial

import structlog
from msgspec.structs import replace

from hutong.institution.payments.charge_service import Answer as ChargeAnswer
from hutong.institution.payments.charge_service import ChargeService
from hutong.institution.payments.consult_service import CODE_LENGTH_MAX, ConsultService
from hutong.institution.payments.debtor_service import Answer, DebtorService
from hutong.institution.payments.mandate import (
    BANK_ACCOUNTS,
    BankAccount,
    TopUp,
    TopUpState,
    account_question,
    bank_of,
    mandate_id,
    proof_of,
    withdrawal_creditor,
)
from hutong.institution.payments.mandate_service import MandateService
from hutong.institution.payments.payment import Order, check_amount, check_new_id, check_same
from hutong.institution.payments.ports import People
from hutong.institution.payments.quotes import Terms
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import Charge, ChargeState
from hutong.institution.payments.top_up_service import TopUpService
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, warmed
from hutong.scheme.messages import Channel

log = structlog.get_logger()
_TO_PEOPLE = (Channel.PERSONAL_CODE, Channel.WITHDRAWAL)
ACCOUNTS_MAX = 20
TOP_UP_LIFE_NS = 120 * NS_PER_S
_ANSWER_WITHIN_NS = 60 * NS_PER_S
NAME_LENGTH_MAX = 70


class BankLinkService:
    """A user's own accounts at banks."""

    def __init__(
        self,
        node: NodeRuntime,
        people: People,
        consults: ConsultService,
        mandates: MandateService,
        debtor: DebtorService,
        charges: ChargeService,
        top_ups: TopUpService,
        currency: str,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._people = people
        self._consults = consults
        self._mandates = mandates
        self._debtor = debtor
        self._charges = charges
        self._top_ups = top_ups
        self._currency = currency
        self._accounts = Shelf(BANK_ACCOUNTS, node.journal, node.store, by=("user_id",))
        self._asked: deque[tuple[int, int]] = deque()  # Consults about whose account it is, with when each was sent.

    def link(self, user_id: int, bank_account_id: int, *, name: str, mandate: str, code: str) -> BankAccount:
        """
        Link an account at a bank: its mandate lets money in, its code lets money out; at least one.

        The bank is asked which account it is, under whichever mandate: see `is_known`.
        Refuses:  MANDATE_MALFORMED, ID_TAKEN, BANK_ACCOUNTS_TOO_MANY.
        Repeats:  the account as it is.
        """
        check_new_id("bank_account_id", bank_account_id, self._node.clock.now_ns())
        check_text("name", name, length_max=NAME_LENGTH_MAX)
        check_text("code", code, length_max=512, empty=bool(mandate))
        if mandate:
            mandate_id(mandate)
        id_ = derive(bank_account_id, f"{user_id:032x}/bank-account")
        known = self._accounts.get(id_)
        linked = self.accounts(user_id)
        if known is not None:
            check_same("name", known.name, name)
            check_same("mandate", known.mandate, mandate)
            check_same("code", known.code, code)
            return known
        if len(linked) >= ACCOUNTS_MAX:
            raise Refusal(PaymentReason.BANK_ACCOUNTS_TOO_MANY, accounts_max=ACCOUNTS_MAX)
        account = BankAccount(
            id=id_,
            user_id=user_id,
            bank=bank_of(mandate),
            name=name,
            mandate=mandate,
            code=code,
            created_ns=self._node.clock.now_ns(),
        )
        self._accounts.put(account)
        self._ask(account, None)
        return account

    def unlink(self, user_id: int, id_: int) -> BankAccount:
        """Forget the account; the mandate is revoked at the bank. Repeats: the same."""
        account = self._account(user_id, id_)
        if not account.unlinked_ns:
            account = replace(account, unlinked_ns=self._node.clock.now_ns(), mandate="", code="")
            self._accounts.put(account)
        return account

    def accounts(self, user_id: int) -> list[BankAccount]:
        return [account for account in self._accounts.find("user_id", user_id) if not account.unlinked_ns]

    # Which account it is.

    def is_known(self, user_id: int) -> bool:
        """Whether a bank said of an account that is linked here which of its own it is. May raise `Cold`."""
        return any(account.mandate and account.mark for account in self.accounts(user_id))

    def ask_banks(self, user_id: int, then: Callable[[], None] | None = None) -> None:
        """
        Ask about every account of this person's of which its bank has not said which it is; `then` follows each answer that does.

        Whoever links an account writes down a mandate, and anybody can make one up. May raise `Cold`, before anything is asked.
        """
        for account in self.accounts(user_id):
            if account.mandate and not account.mark:
                self._ask(account, then)

    def named(self, id_: int, mark: int, then: Callable[[], None] | None = None) -> None:
        """Its bank says which account this is. Repeats: nothing."""
        account = self._accounts.get(id_)
        if account is not None and mark and not account.mark:
            self._accounts.put(replace(account, mark=mark))
            if then is not None:
                self._journal.effect(then)

    def _ask(self, account: BankAccount, then: Callable[[], None] | None) -> None:
        if not account.mandate:
            return
        if account.bank == self._node.node_id:
            self._journal.effect(partial(self._node.decide, partial(self._name_ours, account, then)))
            return
        now_ns = self._node.clock.now_ns()
        while self._asked and self._asked[0][0] + _ANSWER_WITHIN_NS <= now_ns:
            self._consults.forget(self._asked.popleft()[1])
        told = partial(self._told, account.id, account.bank, then)
        self._asked.append((now_ns, self._consults.ask(account_question(account.mandate), told)))

    def _name_ours(self, account: BankAccount, then: Callable[[], None] | None) -> None:
        """A decision of its own: the bank are we, and the mandate may have to be loaded."""
        try:
            mark = self._mandates.account_mark(account.mandate, self._node.node_id)
        except Refusal as refusal:
            log.info("bank account not named", bank=account.bank, because=refusal.reason.name)
        else:
            self.named(account.id, mark, then)

    def _told(self, id_: int, bank: str, then: Callable[[], None] | None, terms: Terms | Refusal) -> None:
        if isinstance(terms, Refusal) or terms.creditor_agent != bank:
            because = terms.facts.get("because", "") if isinstance(terms, Refusal) else terms.creditor_agent
            log.info("bank account not named", bank=bank, because=because)
            return
        named = partial(self.named, id_, terms.request_id, then)
        self._journal.effect(partial(self._node.decide, named))

    async def marks_of(self, user_ids: Collection[int]) -> dict[int, frozenset[int]]:
        """Of all accounts that each user ever linked: marks that are equal where those are, and say nothing else."""
        found: dict[int, set[int]] = {user_id: set() for user_id in user_ids}
        for _, account in await self._node.store.find(BANK_ACCOUNTS, "user_id", user_ids):
            found[account.user_id] |= {_mark(text) for text in (account.mandate, account.code) if text}
            found[account.user_id] |= {account.mark} - {0}
        return {user_id: frozenset(marks) for user_id, marks in found.items()}

    # Money in.

    def top_up(
        self, user_id: int, top_up_id: int, bank_account_id: int, amount: int, answer: ChargeAnswer | None = None
    ) -> TopUp:
        """
        Ask the bank for the user's own money.

        Refuses:  BANK_ACCOUNT_UNKNOWN, BANK_ACCOUNT_UNLINKED; who may not receive.
        Repeats:  the top-up as it is, asking again if it is undecided; ID_TAKEN, naming the field, for other content.
        """
        id_ = derive(top_up_id, f"{user_id:032x}/top-up")
        known = self._top_ups.rows.get(id_)
        self._charges.look_up(id_)
        account = self._account(user_id, bank_account_id)
        now_ns = self._node.clock.now_ns()
        if known is not None:
            check_same("amount", known.amount, amount)
            check_same("bank_account_id", known.bank_account_id, bank_account_id)
        else:
            check_new_id("top_up_id", top_up_id, now_ns)
            check_amount(amount)
            if account.unlinked_ns or not account.mandate:
                raise Refusal(PaymentReason.BANK_ACCOUNT_UNLINKED)
            user = self._people.user(user_id)
            user.may_receive(now_ns)
            known = TopUp(
                id=id_,
                top_up_id=top_up_id,
                user_id=user_id,
                account=user.wallet_account,
                bank_account_id=bank_account_id,
                amount=amount,
                currency=self._currency,
                state=TopUpState.OPEN,
                created_ns=now_ns,
                expires_ns=now_ns + TOP_UP_LIFE_NS,
            )
            self._top_ups.rows.put(known)
        self._charges.collect(_charge(known, account.mandate), answer)
        return known

    def refused(self, charge: Charge) -> None:
        """The bank's no is the top-up's end."""
        if charge.channel == Channel.TOP_UP.value:
            top_up = self._top_ups.rows.get(charge.id)
            if top_up is not None and (refused := top_up.refused(charge.reason)) is not top_up:
                self._top_ups.rows.put(refused)

    def found(self, user_id: int, top_up_id: int) -> TopUp:
        """A user's top-up by the user's own id. Refuses REQUEST_TO_PAY_UNKNOWN."""
        return self._top_ups.request(derive(top_up_id, f"{user_id:032x}/top-up"))

    # Money out.

    async def withdraw(
        self, user_id: int, payment_id: int, bank_account_id: int, amount: int, pin_token: str, answer: Answer
    ) -> None:
        """
        Pay to the linked account. The PIN token is bound to `withdrawal_creditor`.

        To an account that its bank says is the user's own, it is a withdrawal, which the year's limit does not count.
        To any other it is a payment to a person, and counted like one: else a linked account would be the way around
        every limit.
        Refuses:  BANK_ACCOUNT_UNKNOWN, BANK_ACCOUNT_UNLINKED; what a payment refuses.
        Repeats:  the same answer.
        """
        order = Order(payment_id=payment_id, quote_id=bank_account_id, amount=amount, pin_token=pin_token)
        if await warmed(self._journal, lambda: self._repeated(user_id, order, answer)):
            self._journal.seal()
            return
        account = await warmed(self._journal, lambda: self._account(user_id, bank_account_id))
        if account.unlinked_ns or not account.code:
            raise Refusal(PaymentReason.BANK_ACCOUNT_UNLINKED)
        terms = await self._own_terms(user_id, account)
        if terms is None:
            terms = await self._consults.terms(account.code)
        await warmed(self._journal, lambda: self._withdraw(user_id, terms, order, answer))
        self._journal.seal()

    async def _own_terms(self, user_id: int, account: BankAccount) -> Terms | None:
        """The terms of a withdrawal, if the account's bank proves the account to be the user's own; asked each time."""
        if not account.mandate:
            return None
        user = await warmed(self._journal, lambda: self._people.user(user_id))
        proof = str(proof_of(account.mandate, user.name, account.code))
        if len(proof) > CODE_LENGTH_MAX:
            return None
        try:
            terms = await self._consults.terms(proof)
        except Refusal as refusal:
            if refusal.reason is PaymentReason.NETWORK_SILENT:
                raise
            log.info("bank account not proven", bank=account.bank, because=refusal.facts.get("because", ""))
            return None
        return replace(terms, channel=Channel.WITHDRAWAL) if terms.channel is Channel.PERSONAL_CODE else None

    def _withdraw(self, user_id: int, terms: Terms, order: Order, answer: Answer) -> None:
        if self._repeated(user_id, order, answer):
            return
        now_ns = self._node.clock.now_ns()
        check_new_id("payment_id", order.payment_id, now_ns)
        if terms.channel not in _TO_PEOPLE:
            raise Refusal(PaymentReason.CHANNEL_DIFFERS, channel=terms.channel.value)
        payer = self._people.user(user_id)
        creditor = withdrawal_creditor(order.quote_id)
        if order.pin_token:
            self._people.check_pin_token(order.pin_token, user_id, order.payment_id, order.amount, creditor, now_ns)
        self._debtor.admit(payer, terms, order, order.amount, answer)

    def _repeated(self, user_id: int, order: Order, answer: Answer) -> bool:
        known = self._debtor.payments.get(order.payment_id)
        if known is None:
            return False
        if known.user_id != user_id:
            raise Refusal(PaymentReason.ID_TAKEN, field="payment_id")
        check_same("amount", known.gross, order.amount)
        check_same("bank_account_id", known.quote_id, order.quote_id)
        self._debtor.repeat(known, answer)
        return True

    def _account(self, user_id: int, id_: int) -> BankAccount:
        account = self._accounts.get(id_)
        if account is None or account.user_id != user_id:
            raise Refusal(PaymentReason.BANK_ACCOUNT_UNKNOWN, field="bank_account_id")
        return account


def _mark(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16, person=b"hutong account").digest())


def _charge(top_up: TopUp, mandate: str) -> Charge:
    return Charge(
        id=top_up.id,
        merchant_id=0,
        shop_id=0,
        code=mandate,
        creditor_name=top_up.name,
        mcc=top_up.mcc,
        channel=Channel.TOP_UP.value,
        amount=top_up.amount,
        currency=top_up.currency,
        remark="",
        state=ChargeState.ASKED,
        created_ns=top_up.created_ns,
        expires_ns=top_up.expires_ns,
    )
