"""
What is undecided at the switch, how old it is and whose turn it is; and the story of one payment.

An operator may have it offered again. It is decided by the creditor's answer or by its deadline, and by nobody's hand.
"""

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import id_hex
from hutong.scheme.standing import Kind, Moment, Nudge, Standing, oldest
from hutong.switch.admission import AdmissionService
from hutong.switch.payment import ClearedPayment, Decision, row_id
from hutong.switch.reason import SwitchReason
from hutong.switch.service import ClearingService

_PREFIX: dict[Kind, str] = {"PAYMENT": "pay", "RETURN": "rtn"}


class OversightService:
    """For the scheme's operator."""

    def __init__(self, node: NodeRuntime, admission: AdmissionService, clearing: ClearingService) -> None:
        self._node = node
        self._admission = admission
        self._clearing = clearing

    def undecided(self) -> list[Standing]:
        """Everything undecided, the oldest first. Until its deadline it is for the agent asked to accept; then for us."""
        now_ns = self._node.clock.now_ns()
        found = [self._standing(payment, now_ns) for payment in self._clearing.undecided.values()]
        return sorted(found, key=lambda each: -each.age_ms)

    def nudge(self, nudge: Nudge) -> list[Standing]:
        """Offer what is undecided again, now. Refuses PAYMENT_UNKNOWN if one is meant and it is decided, or none."""
        meant = oldest(self.undecided(), nudge)
        if nudge.id and not meant:
            raise Refusal(SwitchReason.PAYMENT_UNKNOWN, field="id")
        for each in meant:
            self._clearing.offer_again(row_id(id_hex(parse_id(_PREFIX[each.kind], each.id)), each.originator))
        return meant

    def story(self, payment_id: int) -> list[Moment]:
        """What was written down of a payment or return, whoever began it. Refuses PAYMENT_UNKNOWN; may raise `Cold`."""
        moments: list[Moment] = []
        for payment, decision in self.payments(payment_id):
            kind: Kind = "RETURN" if payment is not None and payment.is_return else "PAYMENT"
            if payment is not None:
                note = f"{payment.amount_minor} {payment.currency}, {payment.originator} to {payment.paid_agent}"
                moments.append(self._moment(payment.reserved_ns, kind, "RESERVED", note))
            if decision is not None:
                state = "COMPLETED" if decision.window else "REJECTED"
                moments.append(self._moment(decision.decided_ns, kind, state, decision.reason_name or decision.window))
        return moments

    def payments(self, payment_id: int) -> list[tuple[ClearedPayment | None, Decision | None]]:
        """Every payment or return of that id, whoever began it. Refuses PAYMENT_UNKNOWN; may raise `Cold`."""
        found = []
        for participant in self._admission.participants():
            id_ = row_id(id_hex(payment_id), participant.node_id)
            payment, decision = self._clearing.payments.get(id_), self._clearing.decisions.get(id_)
            if payment is not None or decision is not None:
                found.append((payment, decision))
        if not found:
            raise Refusal(SwitchReason.PAYMENT_UNKNOWN)
        return found

    def _standing(self, payment: ClearedPayment, now_ns: int) -> Standing:
        kind: Kind = "RETURN" if payment.is_return else "PAYMENT"
        is_over = payment.expires_ns <= now_ns
        return Standing(
            id=id_text(_PREFIX[kind], payment.payment_id),
            originator=payment.originator,
            kind=kind,
            role="SWITCH",
            state="RESERVED",
            owner=self._node.node_id if is_over else payment.paid_agent,
            why="reject it: its deadline has passed" if is_over else "accept or refuse it",
            amount=payment.amount_minor,
            currency=payment.currency,
            age_ms=max(0, (now_ns - payment.reserved_ns) // NS_PER_MS),
            asked=0,
            expires_at_ms=payment.expires_ns // NS_PER_MS,
        )

    def _moment(self, at_ns: int, kind: Kind, state: str, note: str) -> Moment:
        return Moment(at_ms=at_ns // NS_PER_MS, node=self._node.node_id, kind=kind, state=state, note=note)
