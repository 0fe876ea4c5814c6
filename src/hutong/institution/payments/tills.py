"""A merchant scans a payer's code: the payment request and the asking for it, in one decision."""

from typing import Protocol

from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.payments.charges import Answer, Charges
from hutong.institution.payments.ports import Payee
from hutong.institution.payments.request_to_pay import Charge, ChargeState
from hutong.institution.requests.draft import RequestDraft
from hutong.institution.requests.request import PaymentRequest, RequestState
from hutong.kernel.clock import Clock


class Desk(Protocol):
    """Where merchants' requests are made."""

    def create(self, key: StaffKey, draft: RequestDraft) -> PaymentRequest: ...

    def payee(self, request_or_code_id: int, now_ns: int) -> Payee: ...


class Tills:
    """Charges by payment code."""

    def __init__(self, clock: Clock, desk: Desk, charges: Charges) -> None:
        self._clock = clock
        self._desk = desk
        self._charges = charges

    def charge(self, key: StaffKey, draft: RequestDraft, answer: Answer | None = None) -> PaymentRequest:
        """
        Ask the holder of `draft.payer_code` to pay.

        `answer` is called when the payer's side has said something, or after a while as it stands.
        Repeats:  the request as it is now; asks again while nobody has answered.
        """
        request = self._desk.create(key, draft)
        now_ns = self._clock.now_ns()
        charge = self._charges.charges.get(request.id)
        if charge is None and request.state_at(now_ns) is RequestState.OPEN:
            payee = self._desk.payee(request.id, now_ns)
            charge = Charge(
                id=request.id,
                merchant_id=request.merchant_id,
                shop_id=request.shop_id,
                code=request.payer_code,
                creditor_name=payee.name,
                mcc=payee.mcc,
                channel=request.channel,
                amount=request.amount,
                currency=request.currency,
                remark=request.remark,
                state=ChargeState.ASKED,
                created_ns=now_ns,
                expires_ns=request.expires_ns,
            )
        if charge is not None:
            self._charges.collect(charge, answer)
        return request
