"""
Refunds: the merchant's side, across nodes and on us.

Mirrored from a payment: here is held first, the switch decides, the debtor agent credits. What was given back before, also
what is still under way, is taken from the payment's matrix in the same durable step, so refunds never exceed it.
"""

from collections.abc import Callable
from functools import partial

from hutong.institution.chart import Chart
from hutong.institution.payments import verdict
from hutong.institution.payments.cashier import Cashier
from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.holding import Holdings, NoHoldings
from hutong.institution.payments.matrix import Shares, left_of
from hutong.institution.payments.payment import (
    REMARK_LENGTH_MAX,
    Outcome,
    Payment,
    Why,
    check_amount,
    check_new_id,
    check_same,
)
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.pursuit import Pursuit, Undecided
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import REFUND_OUTCOMES, REFUNDS, Refund, RefundOrder, return_id_of
from hutong.institution.payments.refund_gateway import NoRefundGateway, RefundGateway
from hutong.institution.payments.views import refund_data
from hutong.institution.payments.wording import network_reason
from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.ledger import recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import Transfer, TransferStatus
from hutong.runtime.figures import Outcomes
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import PaymentReturn, PaymentStatus, StatusRequest, TransactionStatus, hex_id, id_hex

REFUND_LIFE_NS = 120 * NS_PER_S
RESENDS_MAX = 4
FOLLOWS_RECALL = "FOCR"  # ISO 20022 ExternalReturnReason1Code: following cancellation request.

Answer = Callable[[Refund, Outcome | None], None]


class RefundService:
    """Refunds of our merchants."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        chart: Chart,
        debtor: DebtorService,
        creditor: CreditorService,
        notices: Notices,
        cashier: Cashier,
        pursuit: Pursuit,
        switch: str,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._chart = chart
        self._debtor = debtor
        self._creditor = creditor
        self._notices = notices
        self._cashier = cashier
        self._pursuit = pursuit
        self._switch = switch
        self.refunds = Shelf(REFUNDS, node.journal, node.store, by=("payment_id",), timed=True)
        self.outcomes = Shelf(REFUND_OUTCOMES, node.journal, node.store, timed=True)
        self.undecided: dict[int, Undecided] = {}
        self.figures = Outcomes()
        self.on_recalled: Callable[[Refund, Outcome], None] = _nobody_recalls
        self.gateway: RefundGateway = NoRefundGateway()
        self.holdings: Holdings = NoHoldings()
        self.on_completed: list[Callable[[Refund], None]] = []  # Within the decision; nothing of it may be cold.
        self.on_given_back: list[
            Callable[[Refund], None]
        ] = []  # Effects, on us: what a crash loses is to be looked for.

    async def start(self) -> None:
        await self.refunds.start()
        await self.outcomes.start()

    def refund(self, merchant_id: int, order: RefundOrder, answer: Answer | None = None) -> None:
        """
        Give back part or all of a payment, once per (merchant, refund id).

        Moves:    the merchant's share -> clearing, held until the switch decides; on us to the payer at once.
        Refuses:  PAYMENT_UNKNOWN, also for another merchant's; REFUND_OF_A_REFUND; PAYMENT_NOT_COMPLETED;
                  REFUND_EXCEEDS_REMAINDER. What the ledger refuses (MERCHANT_BALANCE_INSUFFICIENT) is an answered,
                  rejected refund.
        Repeats:  the same answer; ID_TAKEN, naming the field, for other content.
        """
        id_ = return_id_of(merchant_id, order.refund_id)
        known = self.refunds.get(id_)
        if known is not None:
            self._repeat(known, order, answer)
            return
        now_ns = self._node.clock.now_ns()
        check_new_id("refund_id", order.refund_id, now_ns)
        check_amount(order.amount)
        check_text("remark", order.remark, length_max=REMARK_LENGTH_MAX, empty=True)
        paid = self._payment(merchant_id, order)
        left = self.left(order.payment_id, paid.shares)
        if order.amount > left.gross:
            self._ask_about(order.payment_id)
            raise Refusal(PaymentReason.REFUND_EXCEEDS_REMAINDER, field="amount", left=left.gross)
        refund = self._intent(id_, merchant_id, order, paid, left.share(order.amount), now_ns)
        self._look_up(refund)
        self.refunds.put(refund)
        if refund.door:
            self.gateway.begun(refund)
        undecided = self.undecided[id_] = Undecided(refund, self._again, refund.expires_ns)
        if answer is not None:
            undecided.answers.append(answer)
        self._move(undecided)

    def found(self, id_: int, shop_id: int) -> tuple[Refund, Outcome | None]:
        """A refund and its outcome. Refuses REFUND_UNKNOWN, also for another shop's."""
        refund = self.refunds.get(id_)
        outcome = self.outcomes.get(id_)
        if refund is None or shop_id not in (0, refund.shop_id):
            raise Refusal(PaymentReason.REFUND_UNKNOWN)
        return refund, outcome

    def look_up(self, merchant_id: int, order: RefundOrder) -> Shares:
        """What is left of an order's payment. May be cold, or refuse as `refund`; afterwards `refund` is not cold."""
        id_ = return_id_of(merchant_id, order.refund_id)
        self.refunds.get(id_)
        self.outcomes.get(id_)
        self.holdings.look_up(order.payment_id, id_)
        paid = self._payment(merchant_id, order)
        self._cashier.look_up(paid)
        return self.left(order.payment_id, paid.shares)

    def of_payment(self, payment_id: int) -> list[tuple[Refund, Outcome | None]]:
        """All that was given back of a payment, or is, or was to be; oldest first."""
        return [(refund, self.outcomes.get(refund.id)) for refund in self.refunds.find("payment_id", payment_id)]

    def none_yet(self, payment_id: int) -> None:
        """A payment has just come: nothing of it can have been given back, so nobody need look."""
        self.refunds.all_known("payment_id", payment_id)

    def left(self, payment_id: int, shares: Shares) -> Shares:
        """What is left of a payment: what was refused came back, what is under way counts as gone."""
        of_payment = self.of_payment(payment_id)
        given = [refund.shares for refund, outcome in of_payment if outcome is None or outcome.completed]
        return left_of(shares, given)

    def _ask_about(self, payment_id: int) -> None:
        """What is undecided of a payment's refunds may have been rejected, and the news lost: then it is in the way."""
        for refund in self.refunds.find("payment_id", payment_id):
            undecided = self.undecided.get(refund.id)
            if undecided is not None and undecided.held and undecided.attempts:
                enquiry = StatusRequest(payment_id=id_hex(refund.id), originator=self._node.node_id)
                self._journal.tell(self._switch, enquiry)

    def told(self, status: PaymentStatus) -> None:
        """The switch says how one of our refunds stands."""
        undecided = self.undecided.get(hex_id(status.payment_id))
        if undecided is None or not undecided.held:
            return
        if undecided.row.door:
            self.gateway.look_up(undecided.row)
        self._look_up(undecided.row)
        if status.status is TransactionStatus.COMPLETED:
            verdict.post(self._ledger, self._holds(undecided.row))
            self._conclude(undecided, "", "", status.window)
        elif status.status is TransactionStatus.REJECTED:
            verdict.void(self._ledger, self._holds(undecided.row))
            self._conclude(
                undecided, *network_reason(status.reason_name, status.reason, PaymentReason.REJECTED_BY_NETWORK)
            )

    def resume(self, refund: Refund) -> None:
        """After a restart: our hold of this refund is still pending, whatever else was durable."""
        outcome = self.outcomes.get(refund.id)
        if outcome is None:
            undecided = self.undecided[refund.id] = Undecided(refund, self._again, refund.expires_ns)
            undecided.held = True
            self._pursuit.begin(undecided)
        elif outcome.completed:
            verdict.post(self._ledger, self._holds(refund))
        else:
            verdict.void(self._ledger, self._holds(refund))

    def take_up(self, refund: Refund, answer: Answer | None = None) -> None:
        """A refund that was written down. If a restart forgot it before the ledger had it: the same ids again."""
        self._look_up(refund)
        undecided = self.undecided.get(refund.id)
        forgotten = undecided is None
        if undecided is None:
            undecided = self.undecided[refund.id] = Undecided(refund, self._again, refund.expires_ns)
        if answer is not None:
            undecided.answers.append(answer)
        if forgotten:
            self._move(undecided)

    # Its checks.

    def _repeat(self, known: Refund, order: RefundOrder, answer: Answer | None) -> None:
        outcome = self.outcomes.get(known.id)
        if order.shop_id not in (0, known.shop_id):
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN, field="payment_id")
        check_same("payment_id", known.payment_id, order.payment_id)
        check_same("amount", known.gross, order.amount)
        check_same("remark", known.remark, order.remark)
        if outcome is None:
            self.take_up(known, answer)
        elif answer is not None:
            self._journal.effect(partial(answer, known, outcome))

    def _payment(self, merchant_id: int, order: RefundOrder) -> Receipt | Payment:
        """The completed payment to this merchant: from elsewhere, or on us."""
        as_shown = return_id_of(merchant_id, order.payment_id)  # Merchants see their own ids of refunds.
        if self.refunds.get(order.payment_id) is not None or self.refunds.get(as_shown) is not None:
            raise Refusal(PaymentReason.REFUND_OF_A_REFUND, field="payment_id")
        paid: Receipt | Payment | None = self._creditor.receipts.get(order.payment_id)
        outcomes = self._creditor.outcomes
        if paid is None or paid.merchant_id != merchant_id:
            paid = self._debtor.payments.get(order.payment_id)
            outcomes = self._debtor.outcomes
        if paid is None or paid.merchant_id != merchant_id or order.shop_id not in (0, paid.shop_id):
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN, field="payment_id")
        outcome = outcomes.get(paid.id)
        if outcome is None or not outcome.completed:
            raise Refusal(PaymentReason.PAYMENT_NOT_COMPLETED, field="payment_id")
        return paid

    def _intent(
        self, id_: int, merchant_id: int, order: RefundOrder, paid: Receipt | Payment, shares: Shares, now_ns: int
    ) -> Refund:
        on_us = isinstance(paid, Payment)
        return Refund(
            id=id_,
            refund_id=order.refund_id,
            merchant_id=merchant_id,
            shop_id=paid.shop_id,
            payment_id=paid.id,
            debtor_agent=self._node.node_id if isinstance(paid, Payment) else paid.debtor_agent,
            on_us=on_us,
            account=order.account or (paid.payee_account if isinstance(paid, Payment) else paid.account),
            payer_account=paid.account if isinstance(paid, Payment) else 0,
            payer_user_id=paid.user_id if isinstance(paid, Payment) else 0,
            budget_account=paid.budget_account if isinstance(paid, Payment) else 0,
            sponsor_account=paid.sponsor_account,
            currency=paid.currency,
            gross=shares.gross,
            payer_discount=shares.payer_discount,
            payee_discount=shares.payee_discount,
            fee=shares.fee,
            interchange=shares.interchange,
            switch_fee=shares.switch_fee,
            remark=order.remark,
            created_ns=now_ns,
            expires_ns=now_ns + REFUND_LIFE_NS,
            dispute_id=order.dispute_id,
            door=order.door,
        )

    def _look_up(self, refund: Refund) -> None:
        """What a decision about a refund changes; may be cold, so before anything is written."""
        self.holdings.look_up(refund.payment_id, refund.id)
        self._cashier.look_up(self._paid(refund))

    def _paid(self, refund: Refund) -> Receipt | Payment:
        paid: Receipt | Payment | None
        paid = (self._debtor.payments if refund.on_us else self._creditor.receipts).get(refund.payment_id)
        assert paid is not None, "a refund is of a payment"
        return paid

    # The money.

    def _move(self, undecided: Undecided) -> None:
        refund: Refund = undecided.row
        if not refund.dispute_id:  # What is given back there was set aside.
            self.holdings.release(refund)
        transfers = self._on_us(refund) if refund.on_us else self._holds(refund)
        self._ledger.create_transfers(transfers, partial(self._moved, undecided, transfers))

    def _moved(self, undecided: Undecided, transfers: list[Transfer], statuses: list[TransferStatus]) -> None:
        refund: Refund = undecided.row
        short = PaymentReason.MERCHANT_BALANCE_INSUFFICIENT
        reason = verdict.refused(transfers, statuses, short, short)
        if reason is not None:
            self._conclude(undecided, reason.name, reason.iso_code)
        elif refund.on_us:
            self._conclude(undecided, "", "")
        else:
            undecided.held = True
            self._pursuit.begin(undecided)
            self._journal.tell(self._switch, self._message(refund))

    def _on_us(self, refund: Refund) -> list[Transfer]:
        return recipes.refund_on_us(
            derive(refund.id, f"{self._node.node_id}/refund"),
            refund.id,
            payer=refund.payer_account,
            payee=refund.account,
            fee_income=self._chart.fee_income,
            budget=refund.budget_account,
            sponsor=refund.sponsor_account,
            gross=refund.gross,
            payer_discount=refund.payer_discount,
            payee_discount=refund.payee_discount,
            fee=refund.fee,
            ledger=self._chart.currency.ledger,
            code=Why.REFUND_ON_US,
        )

    def _holds(self, refund: Refund) -> list[Transfer]:
        return recipes.hold_refund(
            derive(refund.id, f"{self._node.node_id}/refund"),
            refund.id,
            clearing=self._chart.clearing,
            payee=refund.account,
            fee_income=self._chart.fee_income,
            acquiring_expense=self._chart.acquiring_expense,
            sponsor=refund.sponsor_account,
            gross=refund.gross,
            payee_discount=refund.payee_discount,
            fee=refund.fee,
            interchange=refund.interchange,
            switch_fee=refund.switch_fee,
            ledger=self._chart.currency.ledger,
            code=Why.REFUND_HELD,
        )

    def _message(self, refund: Refund) -> PaymentReturn:
        return PaymentReturn(
            return_id=id_hex(refund.id),
            payment_id=id_hex(refund.payment_id),
            amount=refund.gross,
            currency=refund.currency,
            settlement=refund.shares.settlement,
            creditor_discount=refund.payee_discount,
            interchange=refund.interchange,
            switch_fee=refund.switch_fee,
            debtor_agent=refund.debtor_agent,
            creditor_agent=self._node.node_id,
            reason=FOLLOWS_RECALL if refund.dispute_id else "CUST",
            remittance=refund.remark,
            accepted_at_ms=refund.created_ns // NS_PER_MS,
            expires_at_ms=refund.expires_ns // NS_PER_MS,
        )

    def _conclude(self, undecided: Undecided, reason: str, iso_code: str, window: str = "") -> None:
        """Write the outcome down; no reason: it completed."""
        refund: Refund = undecided.row
        undecided.decided = True
        del self.undecided[refund.id]
        now_ns = self._node.clock.now_ns()
        outcome = Outcome(
            id=refund.id, completed=not reason, reason=reason, iso_code=iso_code, decided_ns=now_ns, window=window
        )
        self.outcomes.put(outcome)
        self.figures.ended(refund.id, refund.created_ns, now_ns, completed=not reason, reason=reason)
        for answer in undecided.answers:
            self._journal.effect(partial(answer, refund, outcome))
        if outcome.completed:
            self._cashier.returned(self._paid(refund), refund.id, refund.shares)
            for hear in self.on_completed:
                hear(refund)
        if refund.dispute_id:
            self.on_recalled(refund, outcome)
        else:
            self._tell_merchant(refund, outcome)
            self.holdings.concluded(refund, outcome)
        if refund.door:
            self.gateway.concluded(refund, outcome)
        if outcome.completed and refund.on_us:
            self._notices.tell_user(refund.payer_user_id, "payment.refunded", refund_data(refund, outcome))
            for hear in self.on_given_back:
                self._journal.effect(partial(hear, refund))

    def _tell_merchant(self, refund: Refund, outcome: Outcome) -> None:
        news = "refund.completed" if outcome.completed else "refund.rejected"
        self._notices.tell_merchant(refund.merchant_id, news, refund_data(refund, outcome))

    def _again(self, undecided: Undecided) -> None:
        refund: Refund = undecided.row
        answers, undecided.answers = undecided.answers, []
        for answer in answers:
            self._journal.effect(partial(answer, refund, None))
        if undecided.held:
            if undecided.attempts <= RESENDS_MAX and self._node.clock.now_ns() < refund.expires_ns:
                self._journal.tell(self._switch, self._message(refund))
            else:
                enquiry = StatusRequest(payment_id=id_hex(refund.id), originator=self._node.node_id)
                self._journal.tell(self._switch, enquiry)


def _nobody_recalls(refund: Refund, _outcome: Outcome) -> None:
    raise AssertionError(refund)  # Who orders a return for a recall hears how it ended.
