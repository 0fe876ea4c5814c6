"""What signed-in staff do with money at a counter: each act of theirs is noted with it, in the same decision."""

from collections.abc import Callable, Collection

from hutong.institution.merchants.staff import StaffMember
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.merchants.staff_service import StaffService
from hutong.institution.payments.payment import Outcome
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.refund import Refund, RefundOrder, return_id_of
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.payments.request_to_pay import Charge
from hutong.institution.payments.staff_act import STAFF_ACTS, ActKind, StaffAct
from hutong.institution.payments.till_service import TillService
from hutong.institution.requests.draft import RequestDraft
from hutong.institution.requests.reasons import RequestReason
from hutong.institution.requests.request import PaymentRequest
from hutong.institution.requests.service import RequestService
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided, warmed


class CounterService:
    """Takes the key of a member of staff: `StaffMember.key`, perhaps narrowed to the shop where they stand."""

    def __init__(
        self,
        node: NodeRuntime,
        staff: StaffService,
        requests: RequestService,
        tills: TillService,
        refunds: RefundService,
    ) -> None:
        self._node = node
        self._staff = staff
        self._requests = requests
        self._tills = tills
        self._refunds = refunds
        self._acts = Shelf(STAFF_ACTS, node.journal, node.store, rows_max=100_000)

    async def ask(self, key: StaffKey, draft: RequestDraft) -> PaymentRequest:
        """Ask to be paid: see `RequestService.create`."""
        return await decided(self._node.journal, lambda: self._asked(key, draft, self._requests.create))

    async def charge(self, key: StaffKey, draft: RequestDraft) -> Charge:
        """Ask the holder of `draft.payer_code` to pay, and wait for what their side says: see `TillService.charge`."""
        answered = self._node.journal.promise()

        def answer(charge: Charge) -> None:
            if not answered.done():  # Who waited may have gone.
                answered.set_result(charge)

        def failed(error: Exception) -> None:
            if not answered.done():
                answered.set_exception(error)

        def create(key: StaffKey, draft: RequestDraft) -> PaymentRequest:
            return self._tills.charge(key, draft, answer, failed)

        await decided(self._node.journal, lambda: self._asked(key, draft, create))
        charge: Charge = await answered
        return charge

    async def refund(
        self, key: StaffKey, order: RefundOrder, *, approver_id: int = 0, pin: str = ""
    ) -> tuple[Refund, Outcome | None]:
        """
        Give back part or all of a payment, with a colleague's PIN where the role alone may not. No outcome: not known yet.

        Refuses:  ROLE_MAY_NOT to who may not even charge; APPROVAL_NEEDED; what `StaffService.approve` and
                  `RefundService.refund` refuse.
        Repeats:  the same answer, as `RefundService.refund`; who did it stays who did it first.
        """
        approver: StaffMember | None = None
        if not key.has_right(Right.REFUND):
            key.check_right(Right.CHARGE)
            if not approver_id:
                raise Refusal(PaymentReason.APPROVAL_NEEDED)
            approver = await self._staff.approve(key, approver_id, pin, Right.REFUND)
        answered = self._node.journal.promise()

        def answer(refund: Refund, outcome: Outcome | None) -> None:
            if not answered.done():
                answered.set_result((refund, outcome))

        def decide() -> None:
            id_ = return_id_of(key.merchant_id, order.refund_id)
            is_new = self._refunds.refunds.get(id_) is None
            self._refunds.refund(key.merchant_id, order, answer)
            if is_new:
                self._note(ActKind.REFUNDED, id_, key, approver)

        await warmed(self._node.journal, decide)
        self._node.journal.seal()
        concluded: tuple[Refund, Outcome | None] = await answered
        return concluded

    async def acts(self, subjects: Collection[int]) -> dict[int, StaffAct]:
        """Who did these: requests and refunds, by their ids; what no member of staff did is missing."""
        await self._acts.load(subjects)
        return {id_: act for id_ in subjects if (act := self._acts.get(id_)) is not None}

    def _asked(
        self, key: StaffKey, draft: RequestDraft, create: Callable[[StaffKey, RequestDraft], PaymentRequest]
    ) -> PaymentRequest:
        try:
            self._requests.get_by_reference(key, draft.reference)
        except Refusal as refusal:
            if refusal.reason is not RequestReason.REQUEST_UNKNOWN:
                raise
            request = create(key, draft)
            self._note(ActKind.ASKED, request.id, key, None)
            return request
        return create(key, draft)

    def _note(self, kind: ActKind, subject_id: int, key: StaffKey, approver: StaffMember | None) -> None:
        self._acts.put(
            StaffAct(
                id=subject_id,
                kind=kind,
                member_id=key.id,
                approved_by=0 if approver is None else approver.id,
                at_ns=self._node.clock.now_ns(),
            )
        )
