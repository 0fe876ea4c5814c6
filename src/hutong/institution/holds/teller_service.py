"""Telling a creditor agent how holds stand, until it says that it knows."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hutong.institution.holds.hold import HOLDING_MONEY, Hold
from hutong.institution.payments.debtor_service import debtor_reference
from hutong.institution.recalls.recall import Rounds
from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.scheme.hold import HoldReport, HoldRequest, HoldStatus
from hutong.scheme.messages import hex_id, id_hex

_TOLD_NS = 30 * NS_PER_DAY  # Whoever hasn't heard of a state by then must ask.


class TellerService:
    """`get` is of a hold that exists, and may raise `Cold`. All of it but `tick` is within a decision."""

    def __init__(self, node: NodeRuntime, get: Callable[[int], Hold], send: Callable[[HoldReport], None]) -> None:
        self._node = node
        self._get = get
        self._send = send
        self._rounds = Rounds()
        self._heard: dict[int, int] = {}  # Of each: the newest state that the creditor agent knows.

    def changed(self, hold: Hold, act_id: int = 0) -> None:
        """Tell a new state, and again until it is known."""
        self.expect(hold)
        self.tell(hold, act_id)

    def expect(self, hold: Hold) -> None:
        """Its creditor agent may not know how it stands: tell it, in a while."""
        self._rounds.begin(hold.id, self._node.clock.now_ns())

    def known(self, hold: Hold, number: int) -> None:
        """Its creditor agent knows so much of it."""
        if self._rounds.is_on(hold.id):  # Else it is told nothing.
            self._heard[hold.id] = max(number, self._heard.get(hold.id, 0))

    def tick(self) -> None:
        """Tell again what the other side may not know."""
        due = self._rounds.due(self._node.clock.now_ns())
        self._node.decide_each(partial(self._again, id_) for id_ in due)

    def tell(self, hold: Hold, act_id: int = 0, refusal: Refusal | None = None) -> None:
        """How it stands, in answer to an act; with a refusal, that this was not done."""
        if not hold.number:
            return  # Somebody has opened a link, and nobody is to know.
        is_held = hold.held_ns > 0
        self._send(
            HoldReport(
                hold_id=id_hex(hold.hold_id),
                creditor_agent=hold.creditor_agent,
                debtor_agent=self._node.node_id,
                number=hold.number,
                status=hold.status,
                amount=hold.amount if is_held else 0,
                taken=hold.taken,
                released=hold.released,
                currency=hold.currency,
                act_id=id_hex(act_id) if act_id else "",
                code=hold.code(self._node.node_id) if is_held else "",
                debtor_name=hold.debtor_name,
                debtor_ref=debtor_reference(hold.user_id, hold.creditor_agent) if is_held else "",
                lapses_at_ms=hold.due_day * NS_PER_DAY // NS_PER_MS,
                at_ms=hold.changed_ns // NS_PER_MS,
                reason=refusal.reason.iso_code if refusal is not None else hold.iso_code,
                reason_name=refusal.reason.name if refusal is not None else hold.reason,
            )
        )

    def refuse(self, message: HoldRequest, hold: Hold | None, refusal: Refusal) -> None:
        """What was asked is not done; of no hold there is nothing to say but that."""
        if hold is not None and hold.number:
            self.tell(hold, hex_id(message.act_id or "0"), refusal)
            return
        self._send(
            HoldReport(
                hold_id=message.hold_id,
                creditor_agent=message.creditor_agent,
                debtor_agent=self._node.node_id,
                number=0,
                status=HoldStatus.REJECTED,
                currency=message.currency,
                act_id=message.act_id,
                at_ms=self._node.clock.now_ns() // NS_PER_MS,
                reason=refusal.reason.iso_code,
                reason_name=refusal.reason.name,
            )
        )

    def _again(self, id_: int) -> None:
        hold, now_ns = self._get(id_), self._node.clock.now_ns()
        is_known = self._heard.get(id_, 0) >= hold.number
        if is_known or (hold.state not in HOLDING_MONEY and now_ns > hold.changed_ns + _TOLD_NS):
            self._heard.pop(id_, None)
            self._rounds.end(id_)
            return
        self._rounds.again(id_, now_ns)
        self.tell(hold)


def hold_data(hold: Hold) -> dict[str, Any]:
    """What its person is told."""
    return {
        "hold_id": hold.text,
        "merchant_name": hold.creditor_name,
        "title": hold.title,
        "amount": hold.amount,
        "taken": hold.taken,
        "released": hold.released,
        "state": str(hold.state),
    }
