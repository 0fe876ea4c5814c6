"""Recalls and traces at the switch's API: what was asked back by whom, legal orders, and where money went."""

from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from hutong.kernel.ids import parse_id
from hutong.runtime.shelf import decided
from hutong.scheme.messages import TraceAnswer
from hutong.switch.node import SwitchNode
from hutong.switch.recall_views import (
    RECALL_PREFIX,
    LegalOrder,
    SwitchRecallView,
    SwitchTraceView,
    switch_recall_view,
    switch_trace_view,
)

Switch = NamedDependency[SkipValidation[SwitchNode]]
OpenOnly = Annotated[bool, QueryParameter(description="Only those that nobody has decided.")]
Depth = Annotated[int, QueryParameter(ge=1, le=10, description="How many hands the money is followed through.")]
Traced = Annotated[int, QueryParameter(ge=0, le=2**63 - 1, description="How much of it; 0: all.")]


class Recalls(Controller):
    """Who asked for which payment back, and what the payee's node said."""

    path = "/recalls"
    tags = ("Recalls",)

    @get()
    async def list_recalls(self, switch: Switch, *, open_only: OpenOnly = False) -> list[SwitchRecallView]:
        """Every recall, oldest first."""
        found = await decided(switch.node.journal, switch.recalls.recalls.everything)
        now_ns = switch.node.clock.now_ns()
        return [switch_recall_view(each, now_ns) for each in found if not (open_only and each.is_final)]

    @get("/{asker:str}/{recall_id:str}")
    async def show_recall(self, switch: Switch, asker: FromPath[str], recall_id: FromPath[str]) -> SwitchRecallView:
        """One recall, by who asked and its id. Refuses RECALL_UNKNOWN."""
        id_ = parse_id(RECALL_PREFIX, recall_id)
        found = await decided(switch.node.journal, lambda: switch.recalls.recall(asker, id_))
        return switch_recall_view(found, switch.node.clock.now_ns())

    @post(status_code=200)
    async def order(
        self, switch: Switch, request: Request[Any, Any, Any], data: JSONBody[LegalOrder]
    ) -> SwitchRecallView:
        """A legal order: ask a payment back in the switch's own name. The payee's node sets aside what is left of it."""
        recall_id, payment_id = parse_id(RECALL_PREFIX, data.recall_id), parse_id("pay", data.payment_id)
        found = await decided(
            switch.node.journal,
            lambda: switch.recalls.order(
                request.auth, recall_id, data.originator, payment_id, data.reason, data.amount, data.remark
            ),
        )
        return switch_recall_view(found, switch.node.clock.now_ns())


class Traces(Controller):
    """Where money went."""

    path = "/traces"
    tags = ("Recalls",)

    @get("/{originator:str}/{payment_id:str}")
    async def trace(
        self,
        switch: Switch,
        originator: FromPath[str],
        payment_id: FromPath[str],
        depth: Depth = 4,
        amount: Traced = 0,
    ) -> SwitchTraceView:
        """From the payee of a payment on, first in first out, joined from what each node says. Refuses PAYMENT_UNKNOWN."""
        id_ = parse_id("pay", payment_id)
        answered = switch.node.journal.promise()

        def answer(joined: TraceAnswer) -> None:
            if not answered.done():
                answered.set_result(joined)

        payment, _ = await decided(switch.node.journal, lambda: switch.clearing.look_up(originator, id_))
        traced = amount or (payment.amount_minor if payment is not None else 0)
        await decided(switch.node.journal, lambda: switch.traces.trace(originator, id_, traced, depth, answer))
        joined: TraceAnswer = await answered
        assert payment is not None, "only a payment that was completed is traced"
        return switch_trace_view(payment, traced, joined)
