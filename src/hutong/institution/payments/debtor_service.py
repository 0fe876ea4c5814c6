"""
The debtor's side: a payer of ours pays.

ADMITTED (the row) -> HELD (the ledger's pending transfers) -> COMPLETED | REJECTED (the outcome's row). When the payee is
ours too there is no switch: one posted chain, whose commit is the decision.
"""

from collections.abc import Callable
from functools import lru_cache, partial

from hutong.institution.chart import Chart, held_account
from hutong.institution.payments import verdict
from hutong.institution.payments.admission_service import AdmissionService
from hutong.institution.payments.cashier import ELSEWHERE, MERCHANT, Cashier
from hutong.institution.payments.charge_service import ChargeService
from hutong.institution.payments.mandate_service import MandateService
from hutong.institution.payments.payment import (
    HELD_MONEY,
    PAYMENT_OUTCOMES,
    REMARK_LENGTH_MAX,
    ROWS_MAX,
    Order,
    Outcome,
    Payment,
    Why,
    check_new_id,
    check_same,
    claimant,
)
from hutong.institution.payments.ports import Notices, Payable, Payer, People, Requests
from hutong.institution.payments.pursuit import Pursuit, Undecided
from hutong.institution.payments.quotes import Quote, QuoteBook, Terms
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import ASKED_FOR
from hutong.institution.payments.views import payment_notice, received, withdrawal_notice
from hutong.institution.payments.wording import network_reason
from hutong.institution.policy.policy import Policies
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.ledger import holding_recipes, recipes, sharing_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import Transfer, TransferStatus
from hutong.runtime.figures import Outcomes
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import (
    Channel,
    CreditTransfer,
    PaymentStatus,
    StatusRequest,
    TransactionStatus,
    hex_id,
    id_hex,
)

RESENDS_MAX = 2  # Then, and once expired, we enquire: the switch will tell, or reject for good.

Answer = Callable[[Payment, Outcome | None], None]


class DebtorService:
    """Payments of our users, on us and through the switch."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        chart: Chart,
        policies: Policies,
        people: People,
        requests: Requests,
        top_ups: Payable,
        notices: Notices,
        quotes: QuoteBook,
        cashier: Cashier,
        mandates: MandateService,
        charges: ChargeService,
        pursuit: Pursuit,
        switch: str,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._chart = chart
        self._people = people
        self._requests = requests
        self._top_ups = top_ups
        self._notices = notices
        self._quotes = quotes
        self._cashier = cashier
        self._mandates = mandates
        self._charges = charges
        self._pursuit = pursuit
        self._switch = switch
        self._base_label = f"{node.node_id}/debit"
        self._admission = AdmissionService(node, ledger, chart, policies, requests, top_ups, cashier)
        self.usages = self._admission.usages
        self.payments = self._admission.payments
        self.outcomes = Shelf(PAYMENT_OUTCOMES, node.journal, node.store, timed=True, rows_max=ROWS_MAX)
        self.undecided: dict[int, Undecided] = {}
        self.figures = Outcomes()
        self.on_received: Callable[[int, Payment], None] = lambda _request_id, _payment: None
        self.on_completed: list[Callable[[Payment], None]] = []  # Effects: what a crash loses is to be looked for.

    async def start(self) -> None:
        await self.payments.start()
        await self.outcomes.start()

    # The payer's order.

    def pay(self, user_id: int, order: Order, answer: Answer) -> None:
        """
        Pay a quote, once, however often this is called with the same payment id.

        Moves:    payer -> clearing, held until the switch decides; on us payer -> payee at once.
        Refuses:  whatever is wrong with the order, the payer, the payee or a limit, before anything is written. What the
                  ledger refuses (BALANCE_INSUFFICIENT) is an answered, rejected payment.
        Repeats:  the same answer; ID_TAKEN, naming the field, for other content under the same id.
        """
        known = self.payments.get(order.payment_id)
        if known is not None:
            self._repeat(user_id, order, known, answer)
            return
        now_ns = self._node.clock.now_ns()
        check_new_id("payment_id", order.payment_id, now_ns)
        if order.funding.startswith(HELD_MONEY):  # That is the merchant's to take, under what the person agreed to.
            raise Refusal(PaymentReason.FUNDING_UNKNOWN, field="funding")
        quote = self._quotes.quote(order.quote_id, user_id, now_ns)
        terms = quote.terms
        amount = order.amount or terms.amount
        if order.remark:
            check_text("remark", order.remark, length_max=REMARK_LENGTH_MAX)
        if not amount and not terms.amount:
            raise Refusal(PaymentReason.AMOUNT_MISSING, field="amount")
        if order.currency and order.currency != terms.currency:
            raise Refusal(PaymentReason.CURRENCY_DIFFERS, field="currency", currency=terms.currency)
        payer = self._people.user(user_id)
        if order.pin_token:
            self._people.check_pin_token(order.pin_token, user_id, order.payment_id, amount, terms.creditor, now_ns)
        self.admit(payer, terms, order, amount, answer, quote=quote)

    def shown(self, quote_id: int, user_id: int, terms: Terms) -> Quote:
        """What this payer was shown of the same request. Refuses QUOTE_UNKNOWN, also for a quote of another."""
        quote = self._quotes.quote(quote_id, user_id, self._node.clock.now_ns())
        if quote.terms.creditor != terms.creditor:
            raise Refusal(PaymentReason.QUOTE_UNKNOWN, field="quote_id")
        return quote

    def admit(
        self,
        payer: Payer,
        terms: Terms,
        order: Order,
        amount: int,
        answer: Answer | None = None,
        *,
        quote: Quote | None = None,
        consented: bool = False,
        then: Answer | None = None,
    ) -> None:
        """
        Pay on known terms; what `Admission.admit` says of `quote` and `consented` holds here.

        `answer` is somebody waiting, who may be told that it is still undecided; `then` hears the outcome alone.
        """
        if terms.creditor_agent == self._node.node_id and terms.channel.code in ASKED_FOR:
            self._charges.look_up(terms.request_id)
        payment = self._admission.admit(payer, terms, order, amount, quote=quote, consented=consented)
        undecided = self.undecided[payment.id] = Undecided(payment, self._again, payment.expires_ns)
        if answer is not None:
            undecided.answers.append(answer)
        undecided.then = then
        self._move(undecided)

    def send(self, payment: Payment, answer: Answer | None = None, *, then: Answer | None = None) -> None:
        """
        Pay what was admitted elsewhere: a merchant's withdrawal, a share of a red packet. No person's limits count it.

        `answer` and `then` are as in `admit`.
        """
        assert payment.funding in ELSEWHERE
        self.payments.put(payment)
        undecided = self.undecided[payment.id] = Undecided(payment, self._again, payment.expires_ns)
        if answer is not None:
            undecided.answers.append(answer)
        undecided.then = then
        self._move(undecided)

    def _repeat(self, user_id: int, order: Order, known: Payment, answer: Answer) -> None:
        """The same id again: the same answer, at once or when there is one."""
        if known.user_id != user_id:
            raise Refusal(PaymentReason.ID_TAKEN, field="payment_id")
        check_same("quote_id", known.quote_id, order.quote_id)
        check_same("amount", known.gross, order.amount or known.gross)
        check_same("currency", known.currency, order.currency or known.currency)
        check_same("remark", known.remark, order.remark or known.remark)
        check_same("funding", known.funding, order.funding)
        self.repeat(known, answer)

    def repeat(self, known: Payment, answer: Answer) -> None:
        """Answer with a known payment's outcome, now or when there is one."""
        outcome = self.outcomes.get(known.id)
        if outcome is not None:
            self._journal.effect(partial(answer, known, outcome))
        else:
            self.taken_up(known).answers.append(answer)

    def taken_up(self, payment: Payment) -> Undecided:
        """The undecided payment; one that a restart forgot is moved again: same ids, so the ledger answers `exists`."""
        undecided = self.undecided.get(payment.id)
        if undecided is None:
            self._look_up_for_rejection(payment)
            self._cashier.look_up(payment)
            undecided = self.undecided[payment.id] = Undecided(payment, self._again, payment.expires_ns)
            self._move(undecided)
        return undecided

    def take_up(self, payment: Payment) -> None:
        """After a restart: a payment of ours was written down, and nothing was held for it."""
        self.taken_up(payment)

    # The money.

    def _move(self, undecided: Undecided) -> None:
        payment: Payment = undecided.row
        given = payment.adjuster or payment.sponsor
        if payment.payee_account:
            transfers = self._on_us(payment)
            self._ledger.create_transfers(transfers, partial(self._paid_on_us, undecided, transfers))
            if given and not undecided.decided:  # The ledger has to look something up first.
                self._cashier.keep(payment)
        else:
            if given:
                self._cashier.keep(payment)
            transfers = self._holds(payment)
            if payment.held_id:
                transfers = sharing_recipes.chained([self._let_go(payment), *transfers])
            self._ledger.create_transfers(transfers, partial(self._held, undecided, transfers))

    def _on_us(self, payment: Payment) -> list[Transfer]:
        legs = recipes.pay_on_us(
            self.hold_id(payment),
            payment.id,
            payer=payment.account,
            payee=payment.payee_account,
            fee_income=self._chart.fee_income,
            budget=payment.budget_account,
            sponsor=payment.sponsor_account,
            gross=payment.gross,
            payer_discount=payment.payer_discount,
            payee_discount=payment.payee_discount,
            fee=payment.fee,
            ledger=self._chart.currency.ledger,
            code=Why.PAYMENT_ON_US,
        )
        return sharing_recipes.chained([self._let_go(payment), *legs]) if payment.held_id else legs

    def _let_go(self, payment: Payment) -> Transfer:
        """What is paid of a hold, out of it."""
        return holding_recipes.let_go(
            derive(payment.id, "let go"),
            payment.held_id,
            held=held_account(payment.held_id, self._chart.currency),
            wallet=payment.account,
            amount=payment.paid,
            ledger=self._chart.currency.ledger,
            code=Why.LET_GO,
        )

    def _void(self, payment: Payment, holds: list[Transfer]) -> None:
        """The switch said no. What was to be paid of a hold is held again, in the same chain."""
        if not payment.held_id:
            verdict.void(self._ledger, holds)
            return
        back = holding_recipes.hold_back(
            derive(payment.id, "hold back"),
            payment.held_id,
            wallet=payment.account,
            held=held_account(payment.held_id, self._chart.currency),
            amount=payment.paid,
            ledger=self._chart.currency.ledger,
            code=Why.HELD,
        )
        verdict.void(self._ledger, holds, back)

    def hold_id(self, payment: Payment) -> int:
        """The id of the transfer that holds, or on us moves, what the payer himself pays."""
        return derive(payment.id, self._base_label)

    def _holds(self, payment: Payment) -> list[Transfer]:
        return recipes.hold(
            self.hold_id(payment),
            payment.id,
            payer=payment.account,
            clearing=self._chart.clearing,
            budget=payment.budget_account,
            interchange_income=self._chart.interchange_income,
            gross=payment.gross,
            payer_discount=payment.payer_discount,
            payee_discount=payment.payee_discount,
            interchange=payment.interchange,
            ledger=self._chart.currency.ledger,
            code=Why.PAYMENT_HELD,
        )

    def _paid_on_us(self, undecided: Undecided, transfers: list[Transfer], statuses: list[TransferStatus]) -> None:
        payment: Payment = undecided.row
        reason = verdict.refused(transfers, statuses, PaymentReason.BALANCE_INSUFFICIENT)
        if reason is None:
            if not payment.is_static:
                self._payable(payment).paid(payment.request_id, claimant(self._node.node_id, payment.id))
                if payment.channel in ASKED_FOR:
                    self._charges.paid(payment.request_id)
            self._complete(undecided)
            self._tell_payee(payment)
            if payment.merchant_id and not payment.is_static:
                self.on_received(payment.request_id, payment)
        else:
            if not payment.is_static:
                self._payable(payment).release(payment.request_id, claimant(self._node.node_id, payment.id))
            self._reject(undecided, reason.name, reason.iso_code)

    def _held(self, undecided: Undecided, transfers: list[Transfer], statuses: list[TransferStatus]) -> None:
        reason = verdict.refused(transfers, statuses, PaymentReason.BALANCE_INSUFFICIENT)
        if reason is None:
            undecided.held = True
            undecided.holds = self._holds(undecided.row) if undecided.row.held_id else transfers
            self._pursuit.begin(undecided)
            self._journal.tell(self._switch, self._message(undecided.row))
        else:
            self._reject(undecided, reason.name, reason.iso_code)

    def _message(self, payment: Payment) -> CreditTransfer:
        shares = payment.shares
        return CreditTransfer(
            payment_id=id_hex(payment.id),
            request_id=id_hex(payment.request_id),
            amount=payment.gross,
            currency=payment.currency,
            settlement=shares.settlement,
            creditor_discount=payment.payee_discount,
            interchange=payment.interchange,
            switch_fee=payment.switch_fee,
            fee_version=payment.fee_version,
            channel=_CHANNELS[payment.channel],
            mcc=payment.mcc,
            debtor_agent=self._node.node_id,
            creditor_agent=payment.creditor_agent,
            debtor_name=payment.debtor_name,
            debtor_ref=debtor_reference(payment.user_id, payment.creditor_agent),
            accepted_at_ms=payment.created_ns // NS_PER_MS,
            expires_at_ms=payment.expires_ns // NS_PER_MS,
            remittance=payment.remark,
        )

    # The decision, and the asking for it.

    def told(self, status: PaymentStatus) -> None:
        """The switch says how one of our payments stands: its ACSC and RJCT are final, and nothing else is."""
        undecided = self.undecided.get(hex_id(status.payment_id))
        if undecided is None or not undecided.held:
            return  # Decided before, or never sent: a repeat, or somebody's mistake.
        payment: Payment = undecided.row
        self._cashier.look_up(payment)
        if payment.held_id:
            self._cashier.source(payment.funding)  # May be cold, too.
        if status.status is TransactionStatus.COMPLETED:
            undecided.held = False  # Said once: a repeat of the message finds it decided.
            verdict.post(self._ledger, undecided.holds)
            self._complete(undecided, status.window)
        elif status.status is TransactionStatus.REJECTED:
            self._look_up_for_rejection(payment)
            undecided.held = False
            self._void(payment, undecided.holds)
            self._reject(
                undecided, *network_reason(status.reason_name, status.reason, PaymentReason.REJECTED_BY_NETWORK)
            )

    def _look_up_for_rejection(self, payment: Payment) -> None:
        """What a rejection gives back to; may be cold, so before anything is written."""
        if payment.funding in ELSEWHERE:
            return
        self.usages.of(payment.user_id, self._people.user(payment.user_id).wallet_account)
        if payment.mandate_id:
            self._mandates.look_up(payment)
        if payment.payee_account and not payment.is_static:
            self._payable(payment).request(payment.request_id)
            self._charges.look_up(payment.request_id)

    def _payable(self, payment: Payment) -> Payable:
        return self._top_ups if payment.channel == Channel.TOP_UP.value else self._requests

    def _complete(self, undecided: Undecided, window: str = "") -> None:
        payment: Payment = undecided.row
        self._cashier.commit(payment)
        self._cashier.source(payment.funding).commit(payment)
        now_ns = self._node.clock.now_ns()
        self._conclude(undecided, Outcome(id=payment.id, completed=True, decided_ns=now_ns, window=window))

    def _reject(self, undecided: Undecided, reason: str, iso_code: str) -> None:
        payment: Payment = undecided.row
        self._cashier.release(payment)
        self._cashier.source(payment.funding).release(payment)
        if payment.mandate_id:
            self._mandates.rejected(payment)
        if payment.funding not in ELSEWHERE:
            self.usages.give_back(payment)
        now_ns = self._node.clock.now_ns()
        outcome = Outcome(id=payment.id, completed=False, reason=reason, iso_code=iso_code, decided_ns=now_ns)
        self._conclude(undecided, outcome)

    def _conclude(self, undecided: Undecided, outcome: Outcome) -> None:
        payment: Payment = undecided.row
        undecided.decided = True
        del self.undecided[payment.id]
        self.outcomes.put(outcome)
        self.figures.ended(
            payment.id, payment.created_ns, outcome.decided_ns, completed=outcome.completed, reason=outcome.reason
        )
        if undecided.then is not None:
            self._journal.effect(partial(undecided.then, payment, outcome))
        if outcome.completed:
            for hear in self.on_completed:
                self._journal.effect(partial(hear, payment))
        if payment.funding == MERCHANT:
            self._notices.tell_merchant(payment.user_id, *withdrawal_notice(payment, outcome))
        if undecided.answers:
            for answer in undecided.answers:
                self._journal.effect(partial(answer, payment, outcome))
        elif payment.funding not in ELSEWHERE:
            # Nobody waits for the answer: it went to the till, or the payer has left.
            self._notices.tell_user(payment.user_id, *payment_notice(payment, outcome))

    def _tell_payee(self, payment: Payment) -> None:
        if payment.merchant_id:
            self._notices.tell_merchant(payment.merchant_id, "payment.completed", received(payment))
        elif payment.payee_user_id:
            self._notices.tell_user(payment.payee_user_id, "payment.received", received(payment))

    def _again(self, undecided: Undecided) -> None:
        """Nobody has told us: tell those who wait, and send or ask again."""
        payment: Payment = undecided.row
        answers, undecided.answers = undecided.answers, []
        for answer in answers:
            self._journal.effect(partial(answer, payment, None))
        if undecided.held:
            if undecided.attempts <= RESENDS_MAX and self._node.clock.now_ns() < payment.expires_ns:
                self._journal.tell(self._switch, self._message(payment))
            else:
                enquiry = StatusRequest(payment_id=id_hex(payment.id), originator=self._node.node_id)
                self._journal.tell(self._switch, enquiry)

    def resume(self, payment: Payment) -> None:
        """After a restart: our hold of this payment is still pending, whatever else was durable."""
        outcome, holds = self.outcomes.get(payment.id), self._holds(payment)
        if outcome is None:
            undecided = self.undecided[payment.id] = Undecided(payment, self._again, payment.expires_ns)
            undecided.held, undecided.holds = True, holds
            self._pursuit.begin(undecided)
        elif outcome.completed:
            verdict.post(self._ledger, holds)
        else:
            self._void(payment, holds)


@lru_cache(100_000)
def debtor_reference(user_id: int, creditor_agent: str) -> str:
    """`DbtrRef`: the same payer towards the same agent, and of no use to two agents that compare theirs."""
    return id_hex(derive(user_id, creditor_agent))


_CHANNELS = {channel.value: channel for channel in Channel}
