"""What two operators decide together, over HTTP: the same at the switch and at institutions."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.operators.approval import PREFIX, WORDS_MAX, Approval, ApprovalState
from hutong.operators.service import Operators
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

Staff = NamedDependency[SkipValidation[Operators]]
Node = NamedDependency[SkipValidation[NodeRuntime]]
OperatorName = NamedDependency[SkipValidation[str]]
Words = Annotated[str, msgspec.Meta(max_length=WORDS_MAX)]


class NewApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is proposed. `facts` are those of its kind, as docs/operate.md has them."""

    approval_id: Annotated[
        str,
        msgspec.Meta(
            description="`apr_` and 26 letters, minted by the caller", examples=["apr_01JZ8Q5V7XN8E2M4T9B3K6C0D1"]
        ),
    ]
    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["participant.suspend"])]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    reason: Words
    facts: dict[str, Any] = {}


class Remark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the one who decides says to it."""

    remark: Words = ""


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as it stands."""

    approval_id: str
    kind: str
    subject: str
    facts: dict[str, Any]
    reason: str
    state: ApprovalState
    proposed_by: str
    proposed_at_ms: int
    expires_at_ms: int
    decided_by: str
    decided_at_ms: int  # 0: not yet.
    remark: str
    outcome: str


class ApprovalController(Controller):
    """What takes two people."""

    path = "/approvals"
    tags = ("Approvals",)

    @get()
    async def list_approvals(self, node: Node, staff: Staff, *, waiting: FromQuery[bool] = False) -> list[ApprovalView]:
        """Every proposal, the newest first; or those that wait for somebody, the oldest first."""
        asked = staff.approvals.waiting if waiting else staff.approvals.everything
        now_ns = node.clock.now_ns()
        return [approval_view(each, now_ns) for each in await decided(node.journal, asked)]

    @get("/{approval_id:str}")
    async def show(self, node: Node, staff: Staff, approval_id: FromPath[str]) -> ApprovalView:
        """One proposal. Refuses APPROVAL_UNKNOWN."""
        id_ = parse_id(PREFIX, approval_id)
        found = await decided(node.journal, lambda: staff.approvals.approval(id_))
        return approval_view(found, node.clock.now_ns())

    @post(status_code=200)
    async def propose(
        self, node: Node, staff: Staff, operator: OperatorName, data: JSONBody[NewApproval]
    ) -> ApprovalView:
        """
        Propose something for another operator to decide; where none is needed it is carried out at once.

        Refuses APPROVAL_KIND_UNKNOWN, APPROVAL_FACTS_INVALID, APPROVAL_CONFLICTS, and what the act itself would refuse now.
        """
        id_ = parse_id(PREFIX, data.approval_id)
        made = await decided(
            node.journal,
            lambda: staff.approvals.propose(id_, data.kind, data.subject, data.facts, data.reason, operator),
        )
        return approval_view(made, node.clock.now_ns())

    @post("/{approval_id:str}/approve", status_code=200)
    async def approve(
        self,
        node: Node,
        staff: Staff,
        operator: OperatorName,
        approval_id: FromPath[str],
        data: JSONBody[Remark | None] = None,
    ) -> ApprovalView:
        """
        Have it done, now. What the act refuses leaves the proposal open.

        Refuses APPROVAL_NEEDS_ANOTHER_OPERATOR, APPROVAL_DECIDED, APPROVAL_EXPIRED, and what the act refuses.
        """
        id_, remark = parse_id(PREFIX, approval_id), data.remark if data else ""
        made = await decided(node.journal, lambda: staff.approvals.approve(id_, operator, remark))
        return approval_view(made, node.clock.now_ns())

    @post("/{approval_id:str}/decline", status_code=200)
    async def decline(
        self,
        node: Node,
        staff: Staff,
        operator: OperatorName,
        approval_id: FromPath[str],
        data: JSONBody[Remark | None] = None,
    ) -> ApprovalView:
        """Decline it; one's own is withdrawn. Refuses APPROVAL_DECIDED, APPROVAL_EXPIRED."""
        id_, remark = parse_id(PREFIX, approval_id), data.remark if data else ""
        made = await decided(node.journal, lambda: staff.approvals.turn_down(id_, operator, remark))
        return approval_view(made, node.clock.now_ns())


def approval_view(approval: Approval, now_ns: int) -> ApprovalView:
    return ApprovalView(
        approval_id=id_text(PREFIX, approval.id),
        kind=approval.kind,
        subject=approval.subject,
        facts=msgspec.json.decode(approval.facts),
        reason=approval.reason,
        state=approval.state_at(now_ns),
        proposed_by=approval.proposed_by,
        proposed_at_ms=approval.proposed_ns // NS_PER_MS,
        expires_at_ms=approval.expires_ns // NS_PER_MS,
        decided_by=approval.decided_by,
        decided_at_ms=approval.decided_ns // NS_PER_MS,
        remark=approval.remark,
        outcome=approval.outcome,
    )
