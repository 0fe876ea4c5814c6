"""
What is undecided at an institution, how old it is and whose turn it is; and the story of one payment.

An operator may have it asked about again. Money is moved by the switch's decision and by nothing else.
"""

from typing import Any

from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.payment import Outcome, Payment
from hutong.institution.payments.pursuit import Undecided
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.payments.return_service import ReturnService
from hutong.institution.payments.statement import Subject
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import StatusRequest, id_hex
from hutong.scheme.standing import Kind, Moment, Nudge, Standing, in_order, oldest

DEBTOR_AGENT, CREDITOR_AGENT = "DEBTOR_AGENT", "CREDITOR_AGENT"
_PREFIX: dict[Kind, str] = {"PAYMENT": "pay", "RETURN": "rtn"}


class OversightService:
    """For the institution's operator."""

    def __init__(
        self,
        node: NodeRuntime,
        debtor: DebtorService,
        creditor: CreditorService,
        refunds: RefundService,
        returns: ReturnService,
        switch: str,
    ) -> None:
        self._node = node
        self._debtor = debtor
        self._creditor = creditor
        self._refunds = refunds
        self._returns = returns
        self._switch = switch

    def undecided(self) -> list[Standing]:
        """Everything undecided here, the oldest first."""
        own = self._node.node_id
        found = [self._standing("PAYMENT", DEBTOR_AGENT, own, each) for each in self._debtor.undecided.values()]
        found += [self._standing("RETURN", CREDITOR_AGENT, own, each) for each in self._refunds.undecided.values()]
        for each in self._creditor.undecided.values():
            found.append(self._standing("PAYMENT", CREDITOR_AGENT, each.row.debtor_agent, each))
        for each in self._returns.undecided.values():
            found.append(self._standing("RETURN", DEBTOR_AGENT, each.row.creditor_agent, each))
        return sorted(found, key=lambda each: -each.age_ms)

    def nudge(self, nudge: Nudge) -> list[Standing]:
        """Ask the switch about what is undecided, now. Refuses PAYMENT_UNKNOWN if one is meant and it is decided, or none."""
        meant = oldest(self.undecided(), nudge)
        if nudge.id and not meant:
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN, field="id")
        for each in meant:
            if each.owner == self._switch:
                enquiry = StatusRequest(
                    payment_id=id_hex(parse_id(_PREFIX[each.kind], each.id)), originator=each.originator
                )
                self._node.journal.tell(self._switch, enquiry)
        return meant

    def story(self, id_: int) -> list[Moment]:
        """What this node wrote down of a payment or return, by time. Refuses PAYMENT_UNKNOWN; may raise `Cold`."""
        sides: tuple[tuple[Kind, str, Any, Any], ...] = (
            ("PAYMENT", "HELD", self._debtor.payments, self._debtor),
            ("PAYMENT", "ACCEPTED", self._creditor.receipts, self._creditor),
            ("RETURN", "HELD", self._refunds.refunds, self._refunds),
            ("RETURN", "ACCEPTED", self._returns.returns, self._returns),
        )
        rows = [(kind, began, shelf.get(id_), side.outcomes.get(id_)) for kind, began, shelf, side in sides]
        moments: list[Moment] = []
        for kind, began, row, outcome in rows:
            if row is not None:
                on_us = isinstance(row, Payment) and bool(row.payee_account)
                began_as = "ADMITTED" if on_us else began
                note = _words(row)
                moments.append(self._moment(row.created_ns, kind, began_as, note))
            if outcome is not None:
                moments.append(self._decided(kind, outcome))
        if not moments:
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN)
        return sorted(moments, key=lambda moment: in_order(moment.at_ms, moment.state))

    def subject(self, id_: int) -> Subject:
        """The payment or return of this id, whatever became of it; None: none of ours. May raise `Cold`."""
        shelves: tuple[Any, ...] = (
            self._debtor.payments,
            self._creditor.receipts,
            self._refunds.refunds,
            self._returns.returns,
        )
        return next((row for shelf in shelves if (row := shelf.get(id_)) is not None), None)

    def _standing(self, kind: Kind, role: str, originator: str, undecided: Undecided) -> Standing:
        row = undecided.row
        # Only what began here waits for our own ledger; what we accepted is held by the time it is listed.
        is_held = undecided.held or originator != self._node.node_id
        age_ms = (self._node.clock.now_ns() - row.created_ns) // NS_PER_MS
        return Standing(
            id=id_text(_PREFIX[kind], row.id),
            originator=originator,
            kind=kind,
            role=role,
            state=("HELD" if originator == self._node.node_id else "ACCEPTED") if is_held else "ADMITTED",
            owner=self._switch if is_held else self._node.node_id,
            why="decide, and tell us" if is_held else "hold it on the ledger",
            amount=row.gross,
            currency=row.currency,
            age_ms=max(0, age_ms),
            asked=undecided.attempts,
            expires_at_ms=row.expires_ns // NS_PER_MS,
        )

    def _decided(self, kind: Kind, outcome: Outcome) -> Moment:
        state = "COMPLETED" if outcome.completed else "REJECTED"
        return self._moment(outcome.decided_ns, kind, state, outcome.reason or outcome.window)

    def _moment(self, at_ns: int, kind: Kind, state: str, note: str) -> Moment:
        return Moment(at_ms=at_ns // NS_PER_MS, node=self._node.node_id, kind=kind, state=state, note=note)


def _words(row: Any) -> str:
    """The other side, and how much."""
    other = getattr(row, "creditor_agent", "") or getattr(row, "debtor_agent", "")
    return f"{row.gross} {row.currency}, with {other}"
