"""
Safety, at every event: what has just become durable, what leaves a node and what a client is told.

It believes nothing a node says of itself: durable rows are folded here, and each new one is held against the others of
all nodes. So a violation is met in the event that commits it.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.payment import Why
from hutong.kernel.clock import NS_PER_DAY, NS_PER_HOUR
from hutong.kernel.ids import derive
from hutong.runtime.tables import Relation, Table
from hutong.scheme.messages import (
    AnyMessage,
    CreditTransfer,
    PaymentReturn,
    PaymentStatus,
    TransactionStatus,
    hex_id,
)
from hutong.simulation.books import POST, BooksFold

SWITCH = "switch"
CHINA_NS = 8 * NS_PER_HOUR  # Limits are of local days.
# What a day's counters may reach, in fen, and a year's by tier: the shipped policy, said once more.
DAILY_MAX = {1: 50_000, 2: 100_000, 3: 500_000}
ANNUAL_MAX = {1: 100_000, 2: 10_000_000, 3: 20_000_000}
_AT_SWITCH = (10, 11)  # Clearing and returns.
DAY_ZERO = date(1970, 1, 1).toordinal()
_UNKEPT = frozenset({"ID_TAKEN", "SAME_ID_OTHER_CONTENT"})  # Refusals of a message, not of a payment.


class Counted(NamedTuple):
    """Whom limits count something for, on which day, and with which counters."""

    user_id: int
    local_day: int
    counter: int
    counted: bool


class NodeView:
    """What is durable at one node, by table."""

    def __init__(self, node_id: str, wrong: Callable[[str], None]) -> None:
        self.node_id = node_id
        self.books = BooksFold(wrong)
        self.rows: dict[str, dict[int, Any]] = defaultdict(dict)
        self.outcomes: dict[str, dict[int, bool]] = defaultdict(dict)
        self.paid_requests: dict[int, int] = {}
        self.given: dict[tuple[str, int], Shares] = {}  # By side and payment: what refunds took, or are to take.
        self.spent: dict[tuple[int, int, int], int] = defaultdict(int)  # By user, local day and counter.
        self.spent_year: dict[tuple[int, int], int] = defaultdict(int)
        self.decisions: dict[int, Any] = {}
        self.decided_at: dict[int, int] = {}  # By id, the position.
        self.windows: dict[str, Any] = {}


class Audit:
    """All nodes' views, and the rules between them. `wrong` is what was found."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.on_wrong: Callable[[], None] = lambda: None
        self.nodes: dict[str, NodeView] = {}
        self._watching: dict[str, list[Callable[[NodeView, Any], None]]] = defaultdict(list)
        self._kept = {
            "account": lambda view, row: view.books.opened(row),
            "transfer": self._transfer,
            "expiry": lambda view, row: view.books.expired(row),
            "decision": self._decision,
            "settlement_window": self._window,
            "payments": self._payment,
            "payment_outcomes": self._payment_outcome,
            "receipt_outcomes": self._receipt_outcome,
            "refunds": self._refund,
            "refund_outcomes": self._refund_outcome,
            "returns": self._return,
            "return_outcomes": self._return_outcome,
            "returned": self._returned,
        }

    def add(self, node_id: str) -> None:
        self.nodes[node_id] = NodeView(node_id, lambda said: self.say(f"{node_id}: {said}"))

    def watch(self, table: str, check: Callable[[NodeView, Any], None]) -> None:
        """Have somebody else look at each row of a table, too, before it is among the others."""
        self._watching[table].append(check)

    def say(self, said: str) -> None:
        self.wrong.append(said)
        self.on_wrong()

    @property
    def switch(self) -> NodeView:
        return self.nodes[SWITCH]

    # What became durable.

    def kept(self, node_id: str, table: Table[Any], position: int, row: Any) -> None:
        self._seen(node_id, table, position, row)
        for view, shown in table.shown_in:
            seen = shown(row)
            if seen is not None:
                self._seen(node_id, view, position, seen)

    def _seen(self, node_id: str, table: Relation[Any], position: int, row: Any) -> None:
        view = self.nodes[node_id]
        if table.name == "decision":
            view.decided_at[row.id] = position
        check = self._kept.get(table.name)
        if check is not None:
            check(view, row)
        for watch in self._watching.get(table.name, ()):
            watch(view, row)
        key = getattr(row, "id", None)
        if isinstance(key, int):
            view.rows[table.name][key] = row

    def _transfer(self, view: NodeView, row: Any) -> None:
        pending = view.books.transferred(row)
        if pending is None:
            return
        if view is not self.switch:
            self._only_the_switch_decides(view, row, pending)
        elif pending.code in _AT_SWITCH and row.flags & POST:
            self._both_hold(view, pending)

    def _only_the_switch_decides(self, view: NodeView, row: Any, pending: Any) -> None:
        """What an agent posts or voids, the switch has decided before, durably and so (invariants 3, 5)."""
        id_ = pending.user_data_128
        match pending.code:
            case Why.PAYMENT_HELD | Why.REFUND_HELD:
                originator = view.node_id
            case Why.RECEIPT:
                originator = view.rows["receipts"][id_].debtor_agent
            case Why.RETURN:
                originator = view.rows["returns"][id_].creditor_agent
            case _:
                return
        decision = self.switch.decisions.get(derive(id_, originator))
        wanted = TransactionStatus.COMPLETED if row.flags & POST else TransactionStatus.REJECTED
        if decision is None or decision.status != wanted.value:
            stands = decision.status if decision is not None else "nothing"
            self.say(f"{view.node_id}: {id_:032x} resolved as {wanted.value}, and the switch has decided {stands}")

    def _both_hold(self, view: NodeView, pending: Any) -> None:
        """What the switch completes, both agents hold, durably."""
        cleared = view.rows["cleared_payment"][pending.user_data_128]
        asked, accepted = (Why.REFUND_HELD, Why.RETURN) if cleared.is_return else (Why.PAYMENT_HELD, Why.RECEIPT)
        id_ = cleared.payment_id
        for agent, why in ((cleared.paying_agent, asked), (cleared.paid_agent, accepted)):
            if not self.nodes[agent].books.held[why, id_]:
                self.say(f"switch: {id_:032x} was completed, and {agent} holds nothing for it")

    def _decision(self, view: NodeView, row: Any) -> None:
        known = view.decisions.get(row.id)
        if known is not None:
            self.say(f"switch: {row.payment_id:032x} was decided twice, {known.status} and {row.status}")
        view.decisions[row.id] = row
        posted = any(view.books.posted.get((code, row.id)) for code in _AT_SWITCH)
        if posted != (row.status == TransactionStatus.COMPLETED.value):
            self.say(f"switch: {row.payment_id:032x} was decided {row.status}, its transfers say otherwise")

        window = view.windows.get(row.window)
        if row.status == TransactionStatus.COMPLETED.value and (window is None or window.state != "OPEN"):
            stands = window.state if window is not None else "unknown"
            self.say(f"switch: {row.payment_id:032x} was decided in window {row.window}, which is {stands}")

    def _window(self, view: NodeView, row: Any) -> None:
        view.windows[row.window] = row

    def _payment(self, view: NodeView, row: Any) -> None:
        if row.id in view.rows["payments"]:
            self.say(f"{view.node_id}: payment {row.id:032x} was admitted twice")
        self.spend(view, _counted(row), row.paid)
        self.check_limits(view, _counted(row), f"payment {row.id:032x}")

    def spend(self, view: NodeView, by: "Counted", amount: int) -> None:
        """Somebody used so much of the limits; less than nothing came back."""
        if by.counter:
            view.spent[by.user_id, by.local_day, by.counter] += amount
        if by.counted:
            view.spent_year[by.user_id, _year(by.local_day)] += amount

    def check_limits(self, view: NodeView, by: "Counted", what: str) -> None:
        """The day's and the year's hold (invariant 7)."""
        if by.counter and view.spent[by.user_id, by.local_day, by.counter] > DAILY_MAX[by.counter]:
            self.say(f"{view.node_id}: {what} passes the limit of its day")
        if by.counted:
            most = ANNUAL_MAX[view.rows["users"][by.user_id].tier]
            if view.spent_year[by.user_id, _year(by.local_day)] > most:
                self.say(f"{view.node_id}: {what} passes the limit of its year")

    def _outcome(self, view: NodeView, table: str, row: Any) -> bool:
        outcomes = view.outcomes[table]
        if row.id in outcomes:
            self.say(f"{view.node_id}: {table}: {row.id:032x} ended twice")
            return False
        outcomes[row.id] = row.completed
        return True

    def _payment_outcome(self, view: NodeView, row: Any) -> None:
        if not self._outcome(view, "payment_outcomes", row):
            return
        payment = view.rows["payments"][row.id]
        if payment.creditor_agent == view.node_id:
            if row.completed != bool(view.books.posted.get((Why.PAYMENT_ON_US, row.id))):
                self.say(f"{view.node_id}: payment {row.id:032x} on us, completed is {row.completed}, money disagrees")
            if row.completed and not payment.is_static:
                self._paid_request(view, payment.request_id)
        elif row.completed:
            self._was_completed(view, row.id, view.node_id)
        if not row.completed:
            self.spend(view, _counted(payment), -payment.paid)

    def _receipt_outcome(self, view: NodeView, row: Any) -> None:
        if not self._outcome(view, "receipt_outcomes", row) or not row.completed:
            return
        receipt = view.rows["receipts"][row.id]
        self._was_completed(view, row.id, receipt.debtor_agent)
        if not receipt.is_static:
            self._paid_request(view, receipt.request_id)

    def _paid_request(self, view: NodeView, request_id: int) -> None:
        paid = view.paid_requests[request_id] = view.paid_requests.get(request_id, 0) + 1
        if paid > 1:
            self.say(f"{view.node_id}: request {request_id:032x} was paid {paid} times")

    def _was_completed(self, view: NodeView, id_: int, originator: str) -> None:
        decision = self.switch.decisions.get(derive(id_, originator))
        if decision is None or decision.status != TransactionStatus.COMPLETED.value:
            self.say(f"{view.node_id}: {id_:032x} completed, and the switch did not say so")

    # Refunds never exceed their payment, in all or in any share (invariant 6).

    def _refund(self, view: NodeView, row: Any) -> None:
        paid = view.rows["receipts"].get(row.payment_id) if not row.on_us else None
        self._give(view, "refunds", paid or view.rows["payments"][row.payment_id], row.shares)

    def _refund_outcome(self, view: NodeView, row: Any) -> None:
        if self._outcome(view, "refund_outcomes", row):
            refund = view.rows["refunds"][row.id]
            if not row.completed:
                self._give_back(view, "refunds", refund)
            elif not refund.on_us:
                self._was_completed(view, row.id, view.node_id)

    def _return(self, view: NodeView, row: Any) -> None:
        self._give(view, "returns", view.rows["payments"][row.payment_id], row.shares)

    def _return_outcome(self, view: NodeView, row: Any) -> None:
        if self._outcome(view, "return_outcomes", row):
            return_ = view.rows["returns"].get(row.id)
            if row.completed:
                assert return_ is not None
                self._was_completed(view, row.id, return_.creditor_agent)
            elif return_ is not None:
                self._give_back(view, "returns", return_)

    def _give(self, view: NodeView, side: str, paid: Any, shares: Shares) -> None:
        given = _sum(view.given.get((side, paid.id), Shares(0)), shares)
        view.given[side, paid.id] = given
        left = paid.shares.less(given)
        parts = (left.gross, left.payer_discount, left.payee_discount, left.interchange, left.switch_fee)
        if min(parts) < 0 or (side == "refunds" and left.fee < 0):
            self.say(f"{view.node_id}: {side} of {paid.id:032x} exceed it: {left} would be left")
        if not left.gross and (any(parts) or (side == "refunds" and left.fee)):
            self.say(f"{view.node_id}: {side} gave all of {paid.id:032x} back, but for {left}")

    def _give_back(self, view: NodeView, side: str, row: Any) -> None:
        view.given[side, row.payment_id] = view.given[side, row.payment_id].less(row.shares)

    def _returned(self, view: NodeView, row: Any) -> None:
        cleared = view.rows["cleared_payment"][row.id]
        if row.amount_minor > cleared.amount_minor or row.switch_fee_minor > cleared.switch_fee_minor:
            self.say(f"switch: returns of {cleared.payment_id:032x} exceed it")

    # What a node says: it is durable there (nothing leaves before).

    def heard(self, sender: str, peer: str, messages: list[AnyMessage]) -> None:
        view = self.nodes[sender]
        for message in messages:
            if view is self.switch:
                self._switch_says(view, peer, message)
            else:
                self._agent_says(view, message)

    def _agent_says(self, view: NodeView, message: AnyMessage) -> None:
        match message:
            case CreditTransfer():
                self._stands(view, "payment", Why.PAYMENT_HELD, hex_id(message.payment_id))
            case PaymentReturn():
                self._stands(view, "refund", Why.REFUND_HELD, hex_id(message.return_id))
            case PaymentStatus(status=TransactionStatus.ACCEPTED):
                id_ = hex_id(message.payment_id)
                side, why = ("return", Why.RETURN) if id_ in view.rows["returns"] else ("receipt", Why.RECEIPT)
                self._stands(view, side, why, id_)
            case PaymentStatus(status=TransactionStatus.REJECTED) if message.reason_name not in _UNKEPT:
                id_ = hex_id(message.payment_id)
                ends = [view.outcomes[table].get(id_) for table in ("receipt_outcomes", "return_outcomes")]
                if False not in ends:
                    self.say(f"{view.node_id} refuses {id_:032x}, and no durable row says so")

    def _stands(self, view: NodeView, side: str, why: Why, id_: int) -> None:
        held = view.books.held.get((why, id_)) or id_ in view.outcomes[f"{side}_outcomes"]
        if not held or id_ not in view.rows[f"{side}s"]:
            self.say(f"{view.node_id} speaks of {side} {id_:032x}, which it does not durably hold")

    def _switch_says(self, view: NodeView, peer: str, message: AnyMessage) -> None:
        match message:
            case PaymentStatus(status=TransactionStatus.COMPLETED | TransactionStatus.REJECTED):
                decision = view.decisions.get(derive(hex_id(message.payment_id), message.originator))
                if decision is None or decision.status != message.status.value:
                    self.say(f"switch tells {peer} {message.status.value} of {message.payment_id}: no durable decision")
            case CreditTransfer() | PaymentReturn():
                is_return = isinstance(message, PaymentReturn)
                own_id = message.return_id if isinstance(message, PaymentReturn) else message.payment_id
                row_id = derive(hex_id(own_id), message.creditor_agent if is_return else message.debtor_agent)
                held = any(view.books.held.get((code, row_id)) for code in _AT_SWITCH)
                if not held and row_id not in view.decisions:
                    self.say(f"switch offers {own_id}, and holds nothing for it")

    # What a client is told is so, durably (invariant 4).

    def told(self, node_id: str, table: str, id_: int, *, completed: bool) -> None:
        known = self.nodes[node_id].outcomes[table].get(id_)
        if known is not completed:
            self.say(f"{node_id}: a client was told that {id_:032x} ended {completed}, and durable is {known}")

    def charge_told(self, node_id: str, request_id: int) -> None:
        """A till was told that its charge is paid."""
        if not self.nodes[node_id].paid_requests.get(request_id):
            self.say(f"{node_id}: a till was told that {request_id:032x} is paid, and nothing paid it")


def _counted(row: Any) -> Counted:
    return Counted(row.user_id, (row.created_ns + CHINA_NS) // NS_PER_DAY, row.counter, row.counted)


def _sum(one: Shares, other: Shares) -> Shares:
    return Shares(
        one.gross + other.gross,
        one.payer_discount + other.payer_discount,
        one.payee_discount + other.payee_discount,
        one.fee + other.fee,
        one.interchange + other.interchange,
        one.switch_fee + other.switch_fee,
    )


@cache
def _year(local_day: int) -> int:
    return date.fromordinal(DAY_ZERO + local_day).year
