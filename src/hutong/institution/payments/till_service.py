"""A merchant scans a payer's code: the payment request and the asking for it, in one decision."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.payments.charge_service import Answer, ChargeService
from hutong.institution.payments.ports import Payee
from hutong.institution.payments.request_to_pay import Charge, ChargeState
from hutong.institution.requests.draft import RequestDraft
from hutong.institution.requests.payee import PERSONS_MCC
from hutong.institution.requests.request import PaymentRequest
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime


class Desk(Protocol):
    """Where merchants' requests are made."""

    def create(self, key: StaffKey, draft: RequestDraft) -> PaymentRequest: ...

    def payee(self, request_or_code_id: int, now_ns: int) -> Payee: ...


class TillService:
    """Charges by payment code."""

    def __init__(self, node: NodeRuntime, desk: Desk, charges: ChargeService) -> None:
        self._node = node
        self._desk = desk
        self._charges = charges

    def charge(
        self,
        key: StaffKey,
        draft: RequestDraft,
        answer: Answer | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> PaymentRequest:
        """
        Ask the holder of `draft.payer_code` to pay.

        `answer` is called when the payer's side has said something, or after a while as it stands; `failed` when nothing
        could be asked, because what that needs could not be loaded.
        Repeats:  the request as it is now; asks again while nobody has answered.
        """
        request = self._desk.create(key, draft)
        # A decision of its own: who is paid, and how it stands, may have to be loaded.
        collect = partial(self._collect, request, answer)
        self._node.journal.effect(partial(self._node.decide, collect, failed))
        return request

    def _collect(self, request: PaymentRequest, answer: Answer | None) -> None:
        charge = self._charges.charges.get(request.id)
        if charge is None:
            charge = self._charge(request)
        self._charges.collect(charge, answer)

    def _charge(self, request: PaymentRequest) -> Charge:
        now_ns = self._node.clock.now_ns()
        rejected = ""
        name, mcc, discount = "", PERSONS_MCC, 0
        try:
            payee = self._desk.payee(request.id, now_ns)
            name, mcc = payee.name, payee.mcc
            discount = self._charges.discount(payee, request.id, request.payer_code, request.amount)
        except Refusal as refusal:
            rejected = refusal.reason.name  # It expired, or the merchant was suspended, while it was on its way here.
        return Charge(
            id=request.id,
            merchant_id=request.merchant_id,
            shop_id=request.shop_id,
            code=request.payer_code,
            creditor_name=name,
            mcc=mcc,
            channel=request.channel,
            amount=request.amount,
            currency=request.currency,
            remark=request.remark,
            state=ChargeState.REJECTED if rejected else ChargeState.ASKED,
            reason=rejected,
            created_ns=now_ns,
            expires_ns=request.expires_ns,
            payee_discount=discount,
        )
