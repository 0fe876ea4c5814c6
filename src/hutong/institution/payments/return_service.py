"""
Returns: another node's merchant gives money back to a payer of ours.

The mirror of the creditor's side of a payment: ACCEPTED with the pending credit, then what the switch decides.
"""

from collections.abc import Callable
from functools import partial

from hutong.institution.chart import Chart
from hutong.institution.payments import verdict
from hutong.institution.payments.cashier import Cashier
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.matrix import Shares, left_of
from hutong.institution.payments.payment import Outcome, Payment, Why
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.pursuit import Pursuit, Undecided
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.refund import RETURN_OUTCOMES, RETURNS, Return
from hutong.institution.payments.views import return_data
from hutong.institution.payments.wording import network_reason, network_text
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import derive
from hutong.ledger import recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import Transfer, TransferStatus
from hutong.runtime.figures import Outcomes
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import PaymentReturn, PaymentStatus, StatusRequest, TransactionStatus, hex_id, id_hex


class ReturnService:
    """Returns to our users."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        chart: Chart,
        debtor: DebtorService,
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
        self._notices = notices
        self._cashier = cashier
        self._pursuit = pursuit
        self._switch = switch
        self.returns = Shelf(RETURNS, node.journal, node.store, by=("payment_id",), timed=True)
        self.outcomes = Shelf(RETURN_OUTCOMES, node.journal, node.store, timed=True)
        self.undecided: dict[int, Undecided] = {}
        self.figures = Outcomes()
        self.on_given_back: list[Callable[[Return], None]] = []  # Effects: what a crash loses is to be looked for.
        self._moving: set[int] = set()  # Written down, and the ledger has yet to answer.

    async def start(self) -> None:
        await self.returns.start()
        await self.outcomes.start()

    def offered(self, message: PaymentReturn) -> None:
        """
        The switch holds a return for a payer of ours: accept or refuse it, once.

        Moves:    clearing -> payer; clearing -> budget; interchange income -> clearing. All pending.
        Refuses:  by telling the switch RJCT with the reason: RETURN_MISMATCH, PAYMENT_NOT_COMPLETED,
                  REFUND_EXCEEDS_REMAINDER, CURRENCY_DIFFERS, REQUEST_EXPIRED.
        Repeats:  the same answer.
        """
        return_id, payment_id = hex_id(message.return_id), hex_id(message.payment_id)
        return_ = self.returns.get(return_id)
        outcome = self.outcomes.get(return_id)
        if return_ is not None and return_.creditor_agent != message.creditor_agent:
            self._tell(message.return_id, message.creditor_agent, PaymentReason.ID_TAKEN)
        elif outcome is not None:
            if not outcome.completed:
                self._tell(message.return_id, message.creditor_agent, None, outcome)
        elif return_ is not None:
            if return_id in self.undecided:
                self._tell(message.return_id, message.creditor_agent)
            else:
                self.take_up(return_)
        elif payment_id in self._debtor.undecided:
            # Its completion is still on its way to us. Ask for it; the return will be offered again.
            enquiry = StatusRequest(payment_id=message.payment_id, originator=self._node.node_id)
            self._journal.tell(self._switch, enquiry)
        else:
            self._accept(return_id, message)

    def take_up(self, return_: Return) -> None:
        """After a restart: a return was written down, and nothing was held for it."""
        if return_.id not in self._moving:
            self._move(return_)

    def knows(self, id_: int) -> bool:
        """Whether anything is written down under this id."""
        outcome = self.outcomes.get(id_)
        return self.returns.get(id_) is not None or outcome is not None

    def told(self, status: PaymentStatus) -> None:
        """The switch says how a return to us stands. A rejection of what we never saw leaves a tombstone."""
        return_id = hex_id(status.payment_id)
        undecided = self.undecided.get(return_id)
        if undecided is None:
            if status.status is TransactionStatus.REJECTED and self._unheld(return_id, status.originator):
                self._bury(return_id, PaymentReason.NEVER_ACCEPTED.name, PaymentReason.NEVER_ACCEPTED.iso_code)
            return
        return_: Return = undecided.row
        if return_.creditor_agent != status.originator:
            return
        payment = self._debtor.payments.get(return_.payment_id)
        assert payment is not None, "a return is of a payment"
        self._cashier.look_up(payment)
        taker = self._cashier.takers.get(payment.funding)
        if taker is not None:
            taker.look_up(payment)
        if status.status is TransactionStatus.COMPLETED:
            self._end(undecided)
            verdict.post(self._ledger, self._holds(return_))
            now_ns = self._node.clock.now_ns()
            self.outcomes.put(Outcome(id=return_id, completed=True, decided_ns=now_ns, window=status.window))
            self._cashier.returned(payment, return_id, return_.shares)
            if taker is not None:
                taker.returned(payment, return_id, return_.paid_back)
            self.figures.ended(return_id, return_.created_ns, now_ns, completed=True)
            for hear in self.on_given_back:
                self._journal.effect(partial(hear, return_))
            self._notices.tell_user(return_.user_id, "payment.refunded", return_data(return_))
        elif status.status is TransactionStatus.REJECTED:
            self._end(undecided)
            verdict.void(self._ledger, self._holds(return_))
            self._bury(return_id, *network_reason(status.reason_name, status.reason, PaymentReason.REJECTED_BY_NETWORK))

    def resume(self, return_: Return) -> None:
        """After a restart: what we hold for this return is still pending, whatever else was durable."""
        outcome = self.outcomes.get(return_.id)
        if outcome is None:
            self._await_decision(return_)
        elif outcome.completed:
            verdict.post(self._ledger, self._holds(return_))
        else:
            verdict.void(self._ledger, self._holds(return_))

    def _accept(self, return_id: int, message: PaymentReturn) -> None:
        try:
            return_ = self._accepted(return_id, message)
        except Refusal as refusal:
            if refusal.reason is PaymentReason.REFUND_EXCEEDS_REMAINDER and self._ask_about(hex_id(message.payment_id)):
                return  # It will be offered again.
            self._bury(return_id, refusal.reason.name, refusal.reason.iso_code)
            self._tell(message.return_id, message.creditor_agent, refusal.reason)
            return
        self.returns.put(return_)
        self._move(return_)

    def _accepted(self, return_id: int, message: PaymentReturn) -> Return:
        now_ns = self._node.clock.now_ns()
        payment = self._debtor.payments.get(hex_id(message.payment_id))
        if payment is None or payment.creditor_agent != message.creditor_agent:
            raise Refusal(PaymentReason.RETURN_MISMATCH)
        outcome = self._debtor.outcomes.get(payment.id)
        if outcome is None or not outcome.completed:
            raise Refusal(PaymentReason.PAYMENT_NOT_COMPLETED)
        if payment.currency != message.currency:
            raise Refusal(PaymentReason.CURRENCY_DIFFERS)
        if message.expires_at_ms * NS_PER_MS <= now_ns:
            raise Refusal(PaymentReason.REQUEST_EXPIRED)
        shares = self.left(payment).returned(
            message.amount, message.creditor_discount, message.interchange, message.switch_fee
        )
        remark = network_text("remittance", message.remittance)
        if shares is None or shares.settlement != message.settlement:
            raise Refusal(PaymentReason.REFUND_EXCEEDS_REMAINDER)
        return Return(
            id=return_id,
            payment_id=payment.id,
            creditor_agent=message.creditor_agent,
            user_id=payment.user_id,
            account=payment.account,
            budget_account=payment.budget_account,
            currency=payment.currency,
            gross=shares.gross,
            payer_discount=shares.payer_discount,
            payee_discount=shares.payee_discount,
            interchange=shares.interchange,
            switch_fee=shares.switch_fee,
            payee_name=payment.payee_name,
            remark=remark,
            created_ns=now_ns,
            expires_ns=message.expires_at_ms * NS_PER_MS,
        )

    def _ask_about(self, payment_id: int) -> bool:
        """
        Ask about the payment's returns that are undecided, if there are any: one that the switch rejected, and whose
        rejection was lost, must not have another refused for it.
        """
        waiting = [return_ for return_ in self.returns.find("payment_id", payment_id) if return_.id in self.undecided]
        for return_ in waiting:
            enquiry = StatusRequest(payment_id=id_hex(return_.id), originator=return_.creditor_agent)
            self._journal.tell(self._switch, enquiry)
        return bool(waiting)

    def left(self, payment: Payment) -> Shares:
        """What is left of a payment of ours: what was refused came back, what is under way counts as gone."""
        given = [
            return_.shares
            for return_ in self.returns.find("payment_id", payment.id)
            if (outcome := self.outcomes.get(return_.id)) is None or outcome.completed
        ]
        return left_of(payment.shares, given)

    def _move(self, return_: Return) -> None:
        transfers = self._holds(return_)
        self._moving.add(return_.id)
        self._ledger.create_transfers(transfers, partial(self._held, return_, transfers))

    def _held(self, return_: Return, transfers: list[Transfer], statuses: list[TransferStatus]) -> None:
        self._moving.discard(return_.id)
        reason = verdict.refused(transfers, statuses, PaymentReason.ACCOUNT_REFUSED)
        if reason is None:
            self._await_decision(return_)
            self._tell(id_hex(return_.id), return_.creditor_agent)
        else:
            self._bury(return_.id, reason.name, reason.iso_code)
            self._tell(id_hex(return_.id), return_.creditor_agent, reason)

    def _holds(self, return_: Return) -> list[Transfer]:
        return recipes.accept_refund(
            derive(return_.id, f"{return_.creditor_agent}/return"),
            return_.id,
            payer=return_.account,
            clearing=self._chart.clearing,
            budget=return_.budget_account,
            interchange_income=self._chart.interchange_income,
            gross=return_.gross,
            payer_discount=return_.payer_discount,
            payee_discount=return_.payee_discount,
            interchange=return_.interchange,
            ledger=self._chart.currency.ledger,
            code=Why.RETURN,
        )

    def _await_decision(self, return_: Return) -> None:
        undecided = self.undecided[return_.id] = Undecided(return_, self._again, return_.expires_ns)
        self._pursuit.begin(undecided)

    def _end(self, undecided: Undecided) -> None:
        undecided.decided = True
        del self.undecided[undecided.row.id]

    def _again(self, undecided: Undecided) -> None:
        return_: Return = undecided.row
        if undecided.attempts == 1:
            self._tell(id_hex(return_.id), return_.creditor_agent)
        else:
            enquiry = StatusRequest(payment_id=id_hex(return_.id), originator=return_.creditor_agent)
            self._journal.tell(self._switch, enquiry)

    def _unheld(self, return_id: int, originator: str) -> bool:
        """Never seen; or written down, and a crash kept it from being held."""
        return_ = self.returns.get(return_id)
        if self.outcomes.get(return_id) is not None or return_id in self._moving:
            return False
        return return_ is None or return_.creditor_agent == originator

    def _bury(self, return_id: int, reason: str, iso_code: str) -> None:
        now_ns = self._node.clock.now_ns()
        self.outcomes.put(Outcome(id=return_id, completed=False, reason=reason, iso_code=iso_code, decided_ns=now_ns))
        self.figures.refused(reason)

    def _tell(
        self, return_id: str, originator: str, reason: Reason | None = None, outcome: Outcome | None = None
    ) -> None:
        """Accepted; or, with a reason or an earlier outcome, refused."""
        refused = reason is not None or outcome is not None
        name = reason.name if reason is not None else outcome.reason if outcome is not None else ""
        code = reason.iso_code if reason is not None else outcome.iso_code if outcome is not None else ""
        self._journal.tell(
            self._switch,
            PaymentStatus(
                payment_id=return_id,
                originator=originator,
                status=TransactionStatus.REJECTED if refused else TransactionStatus.ACCEPTED,
                reason=code,
                reason_name=name,
            ),
        )
