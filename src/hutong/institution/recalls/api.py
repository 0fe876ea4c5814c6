"""Recalls, disputes and traces over HTTP: for payers and payees, for merchants' staff keys, and for the desk."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from hutong.institution.door_api import Doors
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.payments.payment import Payment
from hutong.institution.people.device import Session
from hutong.institution.recalls.dispute import Stance
from hutong.institution.recalls.reasons import RecallRefused
from hutong.institution.recalls.recall import RecallOrder
from hutong.institution.recalls.service import RecallDesk
from hutong.institution.recalls.trace import DEPTH_MAX, Trace
from hutong.institution.recalls.trace_view import TraceView, joined_view, trace_view
from hutong.institution.recalls.views import (
    DISPUTE_PREFIX,
    RECALL_PREFIX,
    AcceptBody,
    DisputeView,
    RecallView,
    RejectBody,
    ReportBody,
    StanceBody,
    dispute_view,
    recall_view,
)
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.runtime.shelf import decided
from hutong.scheme.messages import TraceAnswer, TraceKind, hex_id

Answer = TypeVar("Answer")
OpenOnly = Annotated[bool, QueryParameter(description="Only those that have not ended.")]
Depth = Annotated[int, QueryParameter(ge=1, le=DEPTH_MAX, description="How many hands the money is followed through.")]


@dataclass(frozen=True, slots=True)
class RecallEdge:
    """What the handlers need."""

    desk: RecallDesk

    async def decided(self, decide: Callable[[], Answer]) -> Answer:
        """Decide, and answer when that is durable."""
        return await decided(self.desk.node.journal, decide)

    async def open(self, data: ReportBody, decide: Callable[[RecallOrder], Any]) -> RecallView:
        order = RecallOrder(
            recall_id=parse_id(RECALL_PREFIX, data.recall_id),
            payment_id=parse_id("pay", data.payment_id),
            reason=data.reason.value,
            amount=data.amount,
            remark=data.remark,
        )
        recall = await self.decided(lambda: decide(order))
        return recall_view(recall, self.desk.node.clock.now_ns())

    async def asked(self, payment_id: int, originator: str, amount: int, depth: int) -> TraceAnswer:
        """What the switch has joined. Refuses TRACE_SILENT."""
        answered = self.desk.node.journal.promise()

        def answer(message: TraceAnswer | None) -> None:
            if not answered.done():
                answered.set_result(message)

        self.desk.traces.ask(payment_id, originator, amount, depth, answer)
        self.desk.node.journal.seal()
        joined: TraceAnswer | None = await answered
        if joined is None:
            raise Refusal(RecallRefused.TRACE_SILENT)
        return joined

    async def trace(self, payment_id: int, depth: int) -> TraceView:
        """Our own part, and what the switch knows of whatever left us."""
        traces = self.desk.traces
        paid = await traces.payment(payment_id)
        if isinstance(paid, Payment) and not paid.payee_account:
            joined = await self.asked(payment_id, self.desk.node.node_id, paid.gross, depth)
            return joined_view(paid, joined)
        own: Trace = await traces.follow(payment_id, paid.gross, depth)
        view = trace_view(own, paid)
        for number, hop in enumerate(own.hops):
            if hop.kind is TraceKind.PAYMENT and hop.agent not in (None, self.desk.node.node_id) and depth > 1:
                joined = await self.asked(hex_id(hop.payment_id), self.desk.node.node_id, hop.amount, depth - 1)
                view = view.joined(number, joined)
        return view


Edge = NamedDependency[SkipValidation[RecallEdge]]
Signed = NamedDependency[SkipValidation[Session]]
Key = NamedDependency[SkipValidation[StaffKey]]
OperatorName = NamedDependency[SkipValidation[str]]


class Reporting(Controller):
    """What a person may do: ask a payment back, and have a say where one's own is asked back."""

    tags = ("Recalls",)

    @post("/recalls", status_code=200)
    async def report(self, edge: Edge, session: Signed, data: JSONBody[ReportBody]) -> RecallView:
        """Ask for a payment of mine back: fraud or a mistake. The desk may look at it first (REPORTED)."""
        return await edge.open(data, lambda order: edge.desk.recalls.report(session.user_id, order))

    @get("/recalls")
    async def list_recalls(self, edge: Edge, session: Signed) -> list[RecallView]:
        """What I asked back, oldest first."""
        found = await edge.decided(lambda: edge.desk.recalls.recalls.find("user_id", session.user_id))
        return [recall_view(each, edge.desk.node.clock.now_ns()) for each in found]

    @get("/recalls/{recall_id:str}")
    async def show_recall(self, edge: Edge, session: Signed, recall_id: FromPath[str]) -> RecallView:
        """How one stands."""
        id_ = parse_id(RECALL_PREFIX, recall_id)
        found = await edge.decided(lambda: edge.desk.recalls.recall(id_, session.user_id))
        return recall_view(found, edge.desk.node.clock.now_ns())

    @get("/disputes")
    async def list_disputes(self, edge: Edge, session: Signed) -> list[DisputeView]:
        """What somebody asks back of me."""
        found = await edge.decided(lambda: edge.desk.disputes.disputes.find("user_id", session.user_id))
        return [dispute_view(each, to_payee=True) for each in found]

    @post("/disputes/{dispute_id:str}/consent", status_code=200)
    async def consent(
        self, edge: Edge, session: Signed, dispute_id: FromPath[str], data: JSONBody[StanceBody]
    ) -> DisputeView:
        """I agree that it goes back. The desk decides."""
        return await _stance(edge, dispute_id, Stance.CONSENTS, data, user_id=session.user_id)

    @post("/disputes/{dispute_id:str}/object", status_code=200)
    async def object(
        self, edge: Edge, session: Signed, dispute_id: FromPath[str], data: JSONBody[StanceBody]
    ) -> DisputeView:
        """I don't agree. The desk decides."""
        return await _stance(edge, dispute_id, Stance.OBJECTS, data, user_id=session.user_id)


class Disputing(Controller):
    """What a merchant has to say where its money is asked back. Its own refunds are another thing, and come as ever."""

    path = "/merchant/disputes"
    tags = ("Merchants: disputes",)

    @get()
    async def list_disputes(self, edge: Edge, key: Key) -> list[DisputeView]:
        """What is asked back of this merchant."""
        key.check_whole_merchant()
        found = await edge.decided(lambda: edge.desk.disputes.disputes.find("merchant_id", key.merchant_id))
        return [dispute_view(each, to_payee=True) for each in found]

    @post("/{dispute_id:str}/consent", status_code=200)
    async def consent(self, edge: Edge, key: Key, dispute_id: FromPath[str], data: JSONBody[StanceBody]) -> DisputeView:
        """The merchant agrees that it goes back."""
        key.check_whole_merchant()
        key.check_right(Right.REFUND)
        return await _stance(edge, dispute_id, Stance.CONSENTS, data, merchant_id=key.merchant_id)

    @post("/{dispute_id:str}/object", status_code=200)
    async def object(self, edge: Edge, key: Key, dispute_id: FromPath[str], data: JSONBody[StanceBody]) -> DisputeView:
        """The merchant doesn't agree."""
        key.check_whole_merchant()
        key.check_right(Right.REFUND)
        return await _stance(edge, dispute_id, Stance.OBJECTS, data, merchant_id=key.merchant_id)


class Desk(Controller):
    """What the institution's operator decides."""

    path = "/operator"
    tags = ("Operator: recalls",)

    @post("/recalls", status_code=200)
    async def open(self, edge: Edge, operator: OperatorName, data: JSONBody[ReportBody]) -> RecallView:
        """Ask for a payment of one of our users back; sent at once."""
        return await edge.open(data, lambda order: edge.desk.recalls.open(operator, order))

    @get("/recalls")
    async def list_recalls(self, edge: Edge, *, open_only: OpenOnly = False) -> list[RecallView]:
        """What we asked back of others, oldest first."""
        found = await edge.decided(edge.desk.recalls.recalls.everything)
        now_ns = edge.desk.node.clock.now_ns()
        return [recall_view(each, now_ns) for each in found if each.is_open or not open_only]

    @get("/recalls/{recall_id:str}")
    async def show_recall(self, edge: Edge, recall_id: FromPath[str]) -> RecallView:
        """How one stands."""
        id_ = parse_id(RECALL_PREFIX, recall_id)
        return recall_view(await edge.decided(lambda: edge.desk.recalls.recall(id_)), edge.desk.node.clock.now_ns())

    @post("/recalls/{recall_id:str}/approve", status_code=200)
    async def approve(self, edge: Edge, operator: OperatorName, recall_id: FromPath[str]) -> RecallView:
        """Send what a payer reported."""
        id_ = parse_id(RECALL_PREFIX, recall_id)
        found = await edge.decided(lambda: edge.desk.recalls.approve(operator, id_))
        return recall_view(found, edge.desk.node.clock.now_ns())

    @post("/recalls/{recall_id:str}/decline", status_code=200)
    async def decline(self, edge: Edge, operator: OperatorName, recall_id: FromPath[str]) -> RecallView:
        """Don't send it."""
        id_ = parse_id(RECALL_PREFIX, recall_id)
        found = await edge.decided(lambda: edge.desk.recalls.decline(operator, id_))
        return recall_view(found, edge.desk.node.clock.now_ns())

    @get("/disputes")
    async def list_disputes(
        self,
        edge: Edge,
        *,
        open_only: OpenOnly = False,
    ) -> list[DisputeView]:
        """What others ask back of our people and merchants, oldest first."""
        found = await edge.decided(edge.desk.disputes.disputes.everything)
        return [dispute_view(each) for each in found if not each.has_ended or not open_only]

    @get("/disputes/{dispute_id:str}")
    async def show_dispute(self, edge: Edge, dispute_id: FromPath[str]) -> DisputeView:
        """How one stands."""
        id_ = parse_id(DISPUTE_PREFIX, dispute_id)
        return dispute_view(await edge.decided(lambda: edge.desk.disputes.dispute(id_)))

    @post("/disputes/{dispute_id:str}/accept", status_code=200)
    async def accept(
        self, edge: Edge, operator: OperatorName, dispute_id: FromPath[str], data: JSONBody[AcceptBody]
    ) -> DisputeView:
        """Give it back, all that was set aside or a part. Refuses DISPUTED_AMOUNT_NOT_THERE, saying how much is."""
        id_ = parse_id(DISPUTE_PREFIX, dispute_id)
        return dispute_view(await edge.decided(lambda: edge.desk.disputes.accept(operator, id_, data.amount)))

    @post("/disputes/{dispute_id:str}/reject", status_code=200)
    async def reject(
        self, edge: Edge, operator: OperatorName, dispute_id: FromPath[str], data: JSONBody[RejectBody]
    ) -> DisputeView:
        """Give nothing back: what was set aside is the payee's again."""
        id_ = parse_id(DISPUTE_PREFIX, dispute_id)
        return dispute_view(await edge.decided(lambda: edge.desk.disputes.reject(operator, id_, data.code)))

    @get("/traces/{payment_id:str}")
    async def trace(self, edge: Edge, payment_id: FromPath[str], *, depth: Depth = 4) -> TraceView:
        """Where the money of a payment went, first in first out; other nodes' people are pseudonyms."""
        return await edge.trace(parse_id("pay", payment_id), depth)


def recall_api(desk: RecallDesk, doors: Doors) -> list[ControllerRouterHandler]:
    """The handlers for `make_app`."""
    edge = RecallEdge(desk)
    return [
        doors.people.router("/v1", [Reporting], edge=edge),
        doors.keys.router("/v1", [Disputing], edge=edge),
        doors.operators.router("/v1", [Desk], edge=edge),
    ]


async def _stance(
    edge: RecallEdge, dispute_id: str, stance: Stance, data: StanceBody, *, user_id: int = 0, merchant_id: int = 0
) -> DisputeView:
    id_, disputes = parse_id(DISPUTE_PREFIX, dispute_id), edge.desk.disputes

    def decide() -> DisputeView:
        theirs = disputes.theirs(id_, user_id=user_id, merchant_id=merchant_id)
        return dispute_view(disputes.take_stance(theirs, stance, data.remark), to_payee=True)

    return await edge.decided(decide)
