"""
The debtor's side of a request to pay: claim the code, then pay, or ask the payer first.

Claiming is a decision of its own: who the payer is shows only then, and what is known of the payer may have to be loaded.
"""

from collections.abc import Callable
from functools import partial

import msgspec
from msgspec.structs import replace

from hutong.institution.payments.cashier import BALANCE
from hutong.institution.payments.consult_service import ConsultService
from hutong.institution.payments.debtor_service import Answer, DebtorService
from hutong.institution.payments.mandate import HOLD_PREFIX, MANDATE_PREFIX
from hutong.institution.payments.mandate_service import MandateService
from hutong.institution.payments.payment import Order, Outcome, Payment
from hutong.institution.payments.ports import Notices, Payer, People
from hutong.institution.payments.quotes import Quote, facts_heard
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import ToPay, ToPayState, to_pay_id
from hutong.institution.payments.views import to_pay_data
from hutong.institution.payments.wording import network_text
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, warmed
from hutong.scheme.messages import RequestStatus, RequestToPay, TransactionStatus, hex_id, id_hex


class ToPayService:
    """Requests to pay that others make of our users."""

    def __init__(
        self,
        node: NodeRuntime,
        people: People,
        debtor: DebtorService,
        consults: ConsultService,
        mandates: MandateService,
        notices: Notices,
        rows: Shelf[ToPay],
        switch: str,
    ) -> None:
        self._node = node
        self._journal = node.journal
        self._people = people
        self._debtor = debtor
        self._consults = consults
        self._mandates = mandates
        self._notices = notices
        self._switch = switch
        self.tell_ourselves: Callable[[RequestStatus], None] = _deaf
        # Whose hold is named, and what pays out of it; refuses what is not held. Holds are built upon payments.
        self.claim_hold: Callable[[RequestToPay], tuple[int, str]] = _unheld
        self.rows = rows

    async def start(self) -> None:
        await self.rows.start()

    def asked(self, message: RequestToPay) -> None:
        """
        Somebody asks a user of ours to pay, by the user's payment code or under a mandate.

        Refuses:  by telling RJCT: what the code's verification refuses, the mandate's rules, the payer's limits.
        Repeats:  says how it stands; a code is claimed once per request, and what a repeated message says is not looked at:
                  who pays, from what and how much was said the first time.
        """
        request_id = hex_id(message.request_id)
        id_ = to_pay_id(message.creditor_agent, request_id)
        known = self.rows.get(id_)
        if known is not None:
            self._repeat(known)
            return
        try:
            if message.code.startswith(HOLD_PREFIX):
                user_id, funding = self.claim_hold(message)
                row = replace(self._row(id_, request_id, message, user_id), funding=funding)
            else:
                row = self._claimed(id_, request_id, message)
        except Refusal as refusal:
            self._tell(message.request_id, message.creditor_agent, refusal.reason.name, refusal.reason.iso_code)
            return
        if row.state == ToPayState.WAITING:
            self._ask_payer(row)
            return
        self.rows.put(row)
        self._journal.seal()
        self._node.decide(partial(self._settle, row))

    async def waiting(self, user_id: int) -> list[ToPay]:
        """What waits for this payer's yes or no."""
        found = await warmed(self._journal, lambda: self.rows.find("waiting_user_id", user_id))
        now_ns = self._node.clock.now_ns()
        return [row for row in found if row.state == ToPayState.WAITING and row.expires_ns > now_ns]

    def quote(self, user_id: int, id_: int) -> Quote:
        """
        What the payer would pay now, and what is taken off on either side. Refuses as `approve`. May raise `Cold`.

        Repeats:  another quote; nothing is set aside by any.
        """
        row = self._row_of(user_id, id_)
        self._check_waiting(row)
        return self._consults.quote_asked(self._people.user(user_id), row.terms)

    def approve(self, user_id: int, id_: int, pin_token: str, answer: Answer, *, quote_id: int = 0) -> None:
        """
        The payer says yes, with a PIN token for the request's payment id, amount and creditor.

        `quote_id`: what the payer was shown (`quote`), and no more than that is taken; 0: whatever is best.

        Refuses:  REQUEST_TO_PAY_UNKNOWN, also for somebody else's; REQUEST_TO_PAY_DECIDED; REQUEST_EXPIRED; what a payment
                  refuses; QUOTE_UNKNOWN; DISCOUNT_GONE: of the payer's side ask for another quote, of the payee's say `end`.
        Repeats:  the same answer.
        """
        row = self._row_of(user_id, id_)
        payment = self._debtor.payments.get(row.payment_id)
        if payment is not None:
            self._debtor.repeat(payment, answer)
            return
        self._check_waiting(row)
        payer = self._people.user(user_id)
        now_ns = self._node.clock.now_ns()
        quote = self._debtor.shown(quote_id, user_id, row.terms) if quote_id else None
        self._people.check_pin_token(pin_token, user_id, row.payment_id, row.amount, row.terms.creditor, now_ns)
        self._pay(row, Order(payment_id=row.payment_id, quote_id=quote_id, pin_token=pin_token), payer, answer, quote)

    def end(self, user_id: int, id_: int, refusal: Refusal) -> None:
        """
        Nobody can pay it any more, as `approve` refused: its till is told. Repeats: nothing.

        A discount that is gone: another code may be scanned, and has the price of then.
        """
        row = self._row_of(user_id, id_)
        if row.state == ToPayState.WAITING:
            self._refuse(row, ToPayState.REJECTED, refusal.reason.name, refusal.reason.iso_code)

    def decline(self, user_id: int, id_: int) -> ToPay:
        """The payer says no. Refuses as `approve`; repeats: the same."""
        row = self._row_of(user_id, id_)
        if row.state == ToPayState.DECLINED:
            return row
        self._check_waiting(row)
        reason = PaymentReason.DECLINED_BY_PAYER
        return self._refuse(row, ToPayState.DECLINED, reason.name, reason.iso_code)

    def _claimed(self, id_: int, request_id: int, message: RequestToPay) -> ToPay:
        """Claim the code, or the mandate's room; refuses before it appends, but for a wrong code's count."""
        row = self._row(id_, request_id, message, 0)
        if message.code.startswith(MANDATE_PREFIX):
            mandate = self._mandates.claim(message.code, message.creditor_agent, message.amount, message.currency)
            return replace(row, user_id=mandate.user_id, mandate_id=mandate.id)
        holder = self._people.claim_payment_code(message.code, request_id, message.creditor_agent)
        state = ToPayState.WAITING if holder.is_to_be_asked else ToPayState.CLAIMED
        return replace(row, user_id=holder.user_id, state=state)

    def _row(self, id_: int, request_id: int, message: RequestToPay, user_id: int) -> ToPay:
        """
        What was asked, in our words.

        Refuses REQUEST_EXPIRED; SHARES_UNSOUND: nothing is left to pay; words that show another thing than they are.
        """
        now_ns = self._node.clock.now_ns()
        if message.expires_at_ms * NS_PER_MS <= now_ns:
            raise Refusal(PaymentReason.REQUEST_EXPIRED)
        if (
            message.creditor_discount >= message.amount
        ):  # Else somebody is asked what no yes can pay, and the till waits.
            raise Refusal(PaymentReason.SHARES_UNSOUND, amount=message.amount)
        said = facts_heard(message.merchant)
        return ToPay(
            id=id_,
            request_id=request_id,
            creditor_agent=message.creditor_agent,
            user_id=user_id,
            waiting_user_id=None,
            creditor_name=network_text("creditor_name", message.creditor_name),
            mcc=message.mcc,
            channel=message.channel.value,
            amount=message.amount,
            currency=message.currency,
            payee_discount=message.creditor_discount,
            interchange_bps=message.interchange_bps,
            switch_fee_bps=message.switch_fee_bps,
            fee_version=network_text("fee_version", message.fee_version),
            mandate_id=0,
            remark=network_text("remark", message.remittance),
            state=ToPayState.CLAIMED,
            created_ns=now_ns,
            expires_ns=message.expires_at_ms * NS_PER_MS,
            merchant_said=b"" if said is None else msgspec.json.encode(said),
        )

    def _settle(self, row: ToPay) -> None:
        """
        Pay at once if no PIN is needed, else ask the payer; with `funding`, out of what the payer lets the merchant hold.

        A crash may have left it claimed, and what was to be paid out of a hold may have ended with it meanwhile.
        """
        now = self.rows.get(row.id)
        if now is None or now.state != ToPayState.CLAIMED:
            return  # Settled meanwhile.
        try:
            payer = self._people.user(row.user_id)
            if row.mandate_id:
                self._mandates.mandate(row.mandate_id)  # May be cold: a rejection gives its part back.
            order = Order(payment_id=row.payment_id, quote_id=0, funding=row.funding or BALANCE)
            self._pay(row, order, payer, None)
        except Refusal as refusal:
            if refusal.reason is PaymentReason.PIN_NEEDED:
                self._ask_payer(row)
            else:
                if row.mandate_id:
                    self._mandates.give_back(row)
                self._refuse(row, ToPayState.REJECTED, refusal.reason.name, refusal.reason.iso_code)

    def _pay(self, row: ToPay, order: Order, payer: Payer, answer: Answer | None, quote: Quote | None = None) -> None:
        self._debtor.admit(
            payer,
            row.terms,
            order,
            row.amount,
            answer,
            quote=quote,
            consented=bool(row.mandate_id) or order.funding != BALANCE,
            then=partial(self._concluded, row),
        )
        self.rows.put(replace(row, state=ToPayState.PAYING, waiting_user_id=None))

    def _ask_payer(self, row: ToPay) -> None:
        waiting = replace(row, state=ToPayState.WAITING, waiting_user_id=row.user_id)
        self.rows.put(waiting)
        self._notices.tell_user(row.user_id, "payment.waiting", to_pay_data(waiting))
        self._tell(id_hex(row.request_id), row.creditor_agent)

    def _concluded(self, row: ToPay, _payment: Payment, outcome: Outcome | None) -> None:
        """The payment that answers it was rejected: tell the till, which may still be asking."""
        if outcome is not None and not outcome.completed:
            self._tell(id_hex(row.request_id), row.creditor_agent, outcome.reason, outcome.iso_code)

    def _repeat(self, row: ToPay) -> None:
        request_id = id_hex(row.request_id)
        match ToPayState(row.state):
            case ToPayState.CLAIMED:
                self._node.decide(partial(self._settle, row))
            case ToPayState.WAITING:
                self._tell(request_id, row.creditor_agent)
            case ToPayState.PAYING:
                outcome = self._debtor.outcomes.get(row.payment_id)
                payment = self._debtor.payments.get(row.payment_id)
                if payment is not None and outcome is None:
                    self._debtor.taken_up(payment)
                elif payment is not None:
                    self._concluded(row, payment, outcome)
            case ToPayState.DECLINED | ToPayState.REJECTED:
                self._tell(request_id, row.creditor_agent, row.reason, row.iso_code)

    def _row_of(self, user_id: int, id_: int) -> ToPay:
        row = self.rows.get(id_)
        if row is None or row.user_id != user_id:
            raise Refusal(PaymentReason.REQUEST_TO_PAY_UNKNOWN)
        return row

    def _check_waiting(self, row: ToPay) -> None:
        if row.state != ToPayState.WAITING:
            raise Refusal(PaymentReason.REQUEST_TO_PAY_DECIDED, state=str(row.state))
        if row.expires_ns <= self._node.clock.now_ns():
            raise Refusal(PaymentReason.REQUEST_EXPIRED)

    def _refuse(self, row: ToPay, state: ToPayState, reason: str, iso_code: str) -> ToPay:
        refused = replace(row, state=state, waiting_user_id=None, reason=reason, iso_code=iso_code)
        self.rows.put(refused)
        self._tell(id_hex(row.request_id), row.creditor_agent, reason, iso_code)
        return refused

    def _tell(self, request_id: str, creditor_agent: str, reason: str = "", iso_code: str = "") -> None:
        """PDNG; or, with a reason, RJCT."""
        status = RequestStatus(
            request_id=request_id,
            creditor_agent=creditor_agent,
            status=TransactionStatus.REJECTED if reason else TransactionStatus.PENDING,
            reason=iso_code,
            reason_name=reason,
        )
        if creditor_agent == self._node.node_id:
            self._journal.effect(partial(self._node.decide, partial(self.tell_ourselves, status)))
        else:
            self._journal.tell(self._switch, status)


def _unheld(_message: RequestToPay) -> tuple[int, str]:
    raise Refusal(PaymentReason.FUNDING_UNKNOWN)


def _deaf(_status: RequestStatus) -> None:
    raise AssertionError("not wired")
