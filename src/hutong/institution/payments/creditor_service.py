"""
The creditor's side: somebody elsewhere pays a payee of ours.

ACCEPTED (the row, its pending transfers and the claim of the request, in one durable step) -> COMPLETED | REJECTED. It may
refuse only before ACCEPTED; after that the switch decides, and we enquire until told. The merchant hears at COMPLETED.
"""

from collections.abc import Callable
from functools import partial

from hutong.institution.chart import Chart
from hutong.institution.payments import verdict
from hutong.institution.payments.cashier import Cashier, Discount, Occasion
from hutong.institution.payments.charge_service import ChargeService
from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.payment import ROWS_MAX, Outcome, Why, claimant, payer_text
from hutong.institution.payments.ports import Notices, Payable, Payee
from hutong.institution.payments.pursuit import Pursuit, Undecided
from hutong.institution.payments.quotes import fee_of, payee_occasion
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.receipt import RECEIPT_OUTCOMES, RECEIPTS, Receipt
from hutong.institution.payments.request_to_pay import ASKED_FOR
from hutong.institution.payments.views import receipt_data
from hutong.institution.payments.wording import network_reason, network_text
from hutong.institution.policy.policy import Policies, Policy
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.ledger import recipes
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

# A request and what paid it, in the decision that completes the payment.
Received = Callable[[int, Receipt], None]


class CreditorService:
    """Payments of other nodes' users to payees of ours."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        chart: Chart,
        policies: Policies,
        requests: Payable,
        top_ups: Payable,
        charges: ChargeService,
        notices: Notices,
        cashier: Cashier,
        pursuit: Pursuit,
        switch: str,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._ledger = ledger
        self._chart = chart
        self._policies = policies
        self._requests = requests
        self._top_ups = top_ups
        self._charges = charges
        self._notices = notices
        self._cashier = cashier
        self._pursuit = pursuit
        self._switch = switch
        self.receipts = Shelf(RECEIPTS, node.journal, node.store, timed=True, rows_max=ROWS_MAX)
        self.outcomes = Shelf(RECEIPT_OUTCOMES, node.journal, node.store, timed=True, rows_max=ROWS_MAX)
        self.undecided: dict[int, Undecided] = {}
        self.figures = Outcomes()
        self.on_received: Received = _nobody_asks
        self._moving: set[int] = set()  # Written down, and the ledger has yet to answer.

    async def start(self) -> None:
        await self.receipts.start()
        await self.outcomes.start()

    def offered(self, message: CreditTransfer) -> None:
        """
        The switch holds a payment for a payee of ours: accept or refuse it, once.

        Moves:    clearing -> payee, net of the fee; clearing -> fee income; sponsor -> payee. All pending.
        Refuses:  by telling the switch RJCT with the reason, behind a durable row that says so.
        Repeats:  the same answer.
        """
        payment_id = hex_id(message.payment_id)
        receipt = self.receipts.get(payment_id)
        outcome = self.outcomes.get(payment_id)
        if receipt is not None and receipt.debtor_agent != message.debtor_agent:
            self._refuse(message, PaymentReason.ID_TAKEN.name, PaymentReason.ID_TAKEN.iso_code)
        elif outcome is not None:
            if not outcome.completed:
                self._refuse(message, outcome.reason, outcome.iso_code)
        elif receipt is None:
            self._accept(payment_id, message)
        elif receipt.id in self.undecided:
            self._tell(receipt, TransactionStatus.ACCEPTED)
        else:
            self.take_up(receipt)  # Same ids, so the ledger answers `exists`.

    def knows(self, id_: int) -> bool:
        """Whether anything is written down under this id."""
        outcome = self.outcomes.get(id_)
        return self.receipts.get(id_) is not None or outcome is not None

    def told(self, status: PaymentStatus) -> None:
        """The switch says how a payment to us stands. A rejection of what we never saw leaves a tombstone."""
        payment_id = hex_id(status.payment_id)
        undecided = self.undecided.get(payment_id)
        if undecided is None:
            if status.status is TransactionStatus.REJECTED:
                self._told_of_nothing_held(payment_id, status.originator)
            return
        receipt: Receipt = undecided.row
        if receipt.debtor_agent != status.originator:
            return
        self._look_up(receipt)
        if status.status is TransactionStatus.COMPLETED:
            self._complete(undecided, status.window)
        elif status.status is TransactionStatus.REJECTED:
            self._reject(
                undecided, *network_reason(status.reason_name, status.reason, PaymentReason.REJECTED_BY_NETWORK)
            )

    def resume(self, receipt: Receipt) -> None:
        """After a restart: what we hold for this receipt is still pending, whatever else was durable."""
        outcome = self.outcomes.get(receipt.id)
        holds = self._holds(receipt)
        if outcome is None:
            self._await_decision(receipt, holds)
        elif outcome.completed:
            verdict.post(self._ledger, holds)
        else:
            verdict.void(self._ledger, holds)

    def take_up(self, receipt: Receipt) -> None:
        """After a restart: a receipt was written down, and nothing was held for it."""
        if receipt.id not in self._moving:
            self._look_up(receipt)
            self._move(receipt)

    def _told_of_nothing_held(self, payment_id: int, originator: str) -> None:
        """A rejection of what we never saw leaves a tombstone; of what a crash kept from being held, it is the end."""
        receipt = self.receipts.get(payment_id)
        if self.outcomes.get(payment_id) is not None or payment_id in self._moving:
            return
        if receipt is not None:
            if receipt.debtor_agent != originator:
                return
            self._look_up(receipt)
            self._give_up(receipt)
        self._bury(payment_id, PaymentReason.NEVER_ACCEPTED.name, PaymentReason.NEVER_ACCEPTED.iso_code)

    def _look_up(self, receipt: Receipt) -> None:
        """What a decision will change; may be cold, so before anything is written."""
        self._cashier.look_up(receipt)
        if not receipt.is_static:
            self._payable(receipt.channel).request(receipt.request_id)
            if receipt.channel in ASKED_FOR:
                self._charges.look_up(receipt.request_id)

    # Accepting.

    def _accept(self, payment_id: int, message: CreditTransfer) -> None:
        try:
            receipt = self._accepted(payment_id, message)
        except Refusal as refusal:
            # An answer that leaves is durable: else a repeat might be accepted after we said no.
            self._bury(payment_id, refusal.reason.name, refusal.reason.iso_code)
            self._refuse(message, refusal.reason.name, refusal.reason.iso_code)
            return
        self.receipts.put(receipt)
        self._cashier.keep(receipt)
        self._move(receipt)

    def _accepted(self, payment_id: int, message: CreditTransfer) -> Receipt:
        """The receipt of an acceptable payment, the request claimed for it; refuses before anything is written."""
        now_ns = self._node.clock.now_ns()
        request_id = hex_id(message.request_id)
        payable = self._payable(message.channel.code)
        payee = payable.payee(request_id, now_ns)
        if message.creditor_agent != self._node.node_id:
            raise Refusal(PaymentReason.RETURN_MISMATCH, creditor_agent=message.creditor_agent)
        if message.expires_at_ms * NS_PER_MS <= now_ns:
            raise Refusal(PaymentReason.REQUEST_EXPIRED)
        if payee.currency != message.currency or message.currency != self._chart.currency.alpha:
            raise Refusal(PaymentReason.CURRENCY_DIFFERS, currency=payee.currency)
        if payee.amount and payee.amount != message.amount:
            raise Refusal(PaymentReason.AMOUNT_DIFFERS, asked=payee.amount)
        if message.channel is not payee.channel and not (payee.user_id and message.channel is Channel.WITHDRAWAL):
            raise Refusal(PaymentReason.CHANNEL_DIFFERS, channel=payee.channel.value)
        if message.mcc != payee.mcc:
            # By it the switch computes what we pay the debtor agent: it is ours to say.
            raise Refusal(PaymentReason.MCC_DIFFERS, mcc=payee.mcc)
        policy = self._policies.today(now_ns)[0]
        shares = self._shares(message, payee, policy)
        debtor_name = network_text("debtor_name", message.debtor_name)
        debtor_ref = network_text("debtor_ref", message.debtor_ref)
        remark = network_text("remittance", message.remittance)
        fee_version = network_text("fee_version", message.fee_version)
        sponsored = self._sponsored(message, payee, now_ns, policy) if message.creditor_discount else None
        if not payee.is_static:
            payer = payer_text(message.debtor_agent, debtor_ref)
            payable.claim(request_id, claimant(message.debtor_agent, payment_id), now_ns, payer)
        if sponsored is not None:
            name, discount, occasion = sponsored
            claiming = claimant(message.debtor_agent, payment_id)
            self._cashier.sponsor(name).reserve(claiming, occasion, discount, payment_id)
        return Receipt(
            id=payment_id,
            debtor_agent=message.debtor_agent,
            request_id=request_id,
            account=payee.account,
            merchant_id=payee.merchant_id,
            user_id=payee.user_id,
            shop_id=payee.shop_id,
            mcc=payee.mcc,
            channel=message.channel.code,
            is_static=payee.is_static,
            currency=message.currency,
            gross=message.amount,
            payee_discount=message.creditor_discount,
            fee=shares.fee,
            interchange=message.interchange,
            switch_fee=message.switch_fee,
            sponsor_account=sponsored[1].budget_account if sponsored is not None else 0,
            sponsor=sponsored[0] if sponsored is not None else "",
            fee_version=fee_version,
            policy_version=policy.version,
            debtor_name=debtor_name,
            debtor_ref=debtor_ref,
            remark=remark,
            created_ns=now_ns,
            expires_ns=message.expires_at_ms * NS_PER_MS,
        )

    def _shares(self, message: CreditTransfer, payee: Payee, policy: Policy) -> Shares:
        fee = fee_of(policy, payee, message.amount)
        shares = Shares(message.amount, 0, message.creditor_discount, fee, message.interchange, message.switch_fee)
        if not shares.sound or shares.settlement != message.settlement:
            raise Refusal(PaymentReason.SHARES_UNSOUND, settlement=shares.settlement)
        return shares

    def _sponsored(
        self, message: CreditTransfer, payee: Payee, now_ns: int, policy: Policy
    ) -> tuple[str, Discount, Occasion]:
        """What our side takes off. Refuses DISCOUNT_GONE, also for what we asked without. May raise `Cold`."""
        if message.channel.code in ASKED_FOR:
            charge = self._charges.charges.get(hex_id(message.request_id))
            if charge is None or charge.payee_discount != message.creditor_discount:
                raise Refusal(PaymentReason.DISCOUNT_GONE, discount=message.creditor_discount, side="payee")
        occasion = payee_occasion(
            payee, hex_id(message.request_id), self._node.node_id, message.debtor_agent, message.amount, now_ns
        )
        offer = self._cashier.payee_offer(occasion, fee_of(policy, payee, message.amount))
        if offer is None or offer[1].amount != message.creditor_discount:
            raise Refusal(PaymentReason.DISCOUNT_GONE, discount=message.creditor_discount, side="payee")
        return *offer, occasion

    def _move(self, receipt: Receipt) -> None:
        transfers = self._holds(receipt)
        self._moving.add(receipt.id)
        self._ledger.create_transfers(transfers, partial(self._held, receipt, transfers))

    def _holds(self, receipt: Receipt) -> list[Transfer]:
        return recipes.accept(
            derive(receipt.id, f"{receipt.debtor_agent}/credit"),
            receipt.id,
            clearing=self._chart.clearing,
            payee=receipt.account,
            fee_income=self._chart.fee_income,
            acquiring_expense=self._chart.acquiring_expense,
            sponsor=receipt.sponsor_account,
            gross=receipt.gross,
            payee_discount=receipt.payee_discount,
            fee=receipt.fee,
            interchange=receipt.interchange,
            switch_fee=receipt.switch_fee,
            ledger=self._chart.currency.ledger,
            code=Why.RECEIPT,
        )

    def _held(self, receipt: Receipt, transfers: list[Transfer], statuses: list[TransferStatus]) -> None:
        self._moving.discard(receipt.id)
        reason = verdict.refused(transfers, statuses, PaymentReason.ACCOUNT_REFUSED)
        if reason is None:
            self._await_decision(receipt, transfers)
            self._tell(receipt, TransactionStatus.ACCEPTED)
        else:
            self._give_up(receipt)
            self._bury(receipt.id, reason.name, reason.iso_code)
            self._tell(receipt, TransactionStatus.REJECTED, reason.name, reason.iso_code)

    def _await_decision(self, receipt: Receipt, holds: list[Transfer]) -> None:
        undecided = self.undecided[receipt.id] = Undecided(receipt, self._again, receipt.expires_ns)
        undecided.holds = holds
        self._pursuit.begin(undecided)

    # The decision, and the asking for it.

    def _complete(self, undecided: Undecided, window: str) -> None:
        receipt: Receipt = undecided.row
        self._end(undecided)
        if not receipt.is_static:
            self._payable(receipt.channel).paid(receipt.request_id, claimant(receipt.debtor_agent, receipt.id))
            if receipt.channel in ASKED_FOR:
                self._charges.paid(receipt.request_id)
        self._cashier.commit(receipt)
        verdict.post(self._ledger, undecided.holds)
        now_ns = self._node.clock.now_ns()
        self.outcomes.put(Outcome(id=receipt.id, completed=True, decided_ns=now_ns, window=window))
        self.figures.ended(receipt.id, receipt.created_ns, now_ns, completed=True)
        self._tell_payee(receipt)
        if receipt.merchant_id and not receipt.is_static:
            self.on_received(receipt.request_id, receipt)

    def _reject(self, undecided: Undecided, reason: str, iso_code: str) -> None:
        receipt: Receipt = undecided.row
        self._end(undecided)
        verdict.void(self._ledger, undecided.holds)
        self._give_up(receipt)  # A sponsor has it again once it is held no more.
        self._bury(receipt.id, reason, iso_code)

    def _end(self, undecided: Undecided) -> None:
        undecided.decided = True
        del self.undecided[undecided.row.id]

    def _give_up(self, receipt: Receipt) -> None:
        if not receipt.is_static:
            self._payable(receipt.channel).release(receipt.request_id, claimant(receipt.debtor_agent, receipt.id))
        self._cashier.release(receipt)

    def _again(self, undecided: Undecided) -> None:
        """We hold it and nobody has told us: say so again, then ask."""
        receipt: Receipt = undecided.row
        if undecided.attempts == 1:
            self._tell(receipt, TransactionStatus.ACCEPTED)
        else:
            enquiry = StatusRequest(payment_id=id_hex(receipt.id), originator=receipt.debtor_agent)
            self._journal.tell(self._switch, enquiry)

    def _payable(self, channel: str) -> Payable:
        return self._top_ups if channel == Channel.TOP_UP.value else self._requests

    def _bury(self, payment_id: int, reason: str, iso_code: str) -> None:
        now_ns = self._node.clock.now_ns()
        self.outcomes.put(Outcome(id=payment_id, completed=False, reason=reason, iso_code=iso_code, decided_ns=now_ns))
        self.figures.refused(reason)

    def _refuse(self, message: CreditTransfer, reason: str, iso_code: str) -> None:
        self._journal.tell(
            self._switch,
            PaymentStatus(
                payment_id=message.payment_id,
                originator=message.debtor_agent,
                status=TransactionStatus.REJECTED,
                reason=iso_code,
                reason_name=reason,
            ),
        )

    def _tell(self, receipt: Receipt, status: TransactionStatus, reason: str = "", iso_code: str = "") -> None:
        self._journal.tell(
            self._switch,
            PaymentStatus(
                payment_id=id_hex(receipt.id),
                originator=receipt.debtor_agent,
                status=status,
                reason=iso_code,
                reason_name=reason,
            ),
        )

    def _tell_payee(self, receipt: Receipt) -> None:
        if receipt.merchant_id:
            self._notices.tell_merchant(receipt.merchant_id, "payment.completed", receipt_data(receipt))
        else:
            self._notices.tell_user(receipt.user_id, "payment.received", receipt_data(receipt))


def _nobody_asks(_request_id: int, _receipt: Receipt) -> None:
    """Until somebody else keeps something of requests."""
