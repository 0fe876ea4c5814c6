"""What users ask banks for, as something to be paid: at most once, like every payment request."""

from msgspec.structs import replace

from hutong.institution.payments.mandate import TOP_UPS, TopUp, TopUpState
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf


class TopUpService:
    """What is to be paid by banks: it satisfies `ports.Payable`."""

    def __init__(self, node: NodeRuntime) -> None:
        self._clock = node.clock
        self.rows = Shelf(TOP_UPS, node.journal, node.store, timed=True)

    async def start(self) -> None:
        await self.rows.start()

    def request(self, request_id: int, /) -> TopUp:
        """Refuses REQUEST_TO_PAY_UNKNOWN."""
        top_up = self.rows.get(request_id)
        if top_up is None:
            raise Refusal(PaymentReason.REQUEST_TO_PAY_UNKNOWN)
        return top_up

    def payee(self, request_or_code_id: int, now_ns: int) -> TopUp:
        """Refuses one that is paid, claimed, rejected or expired."""
        top_up = self.request(request_or_code_id)
        if top_up.state != TopUpState.OPEN:
            raise Refusal(PaymentReason.REQUEST_TO_PAY_DECIDED, state=str(top_up.state))
        if top_up.expires_ns <= now_ns:
            raise Refusal(PaymentReason.REQUEST_EXPIRED)
        return top_up

    def claim(self, request_id: int, payment_id: int, now_ns: int, payer: str = "") -> None:  # noqa: ARG002  # For one person.
        top_up = self.request(request_id)
        if top_up.claimed_by != payment_id:
            self.payee(request_id, now_ns)
            self.rows.put(replace(top_up, state=TopUpState.CLAIMED, claimed_by=payment_id))

    def release(self, request_id: int, payment_id: int) -> None:
        top_up = self.request(request_id)
        if top_up.claimed_by == payment_id:
            assert top_up.state == TopUpState.CLAIMED
            self.rows.put(top_up.released())

    def paid(self, request_id: int, payment_id: int) -> None:
        top_up = self.request(request_id)
        assert top_up.claimed_by == payment_id
        if top_up.state != TopUpState.PAID:
            self.rows.put(replace(top_up, state=TopUpState.PAID, reason=""))
