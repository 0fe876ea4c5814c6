"""What two operators decide together: proposed, approved by another, and carried out once, in that same decision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec
import structlog

from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.operators.approval import (
    APPROVALS,
    WORDS_MAX,
    Approval,
    ApprovalReason,
    ApprovalState,
    proposal,
)
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Cold, Shelf

log = structlog.get_logger()
Facts = TypeVar("Facts", bound=msgspec.Struct)
# Told when it is carried out: "", or the name of the reason why it was not.
Ended = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ApprovalKind(Generic[Facts]):
    """
    Something that takes two people.

    `check` refuses, before it is proposed, what could not be done now. `execute` does it: it decides as services do
    (refuses, or raises `Cold`, before it appends), repeats without harm under the same approval's id, and calls `ended`
    once, at once or when the ledger has answered.
    """

    name: str
    facts: type[Facts]
    check: Callable[[str, Facts], None]
    execute: Callable[[Approval, Facts, Ended], None]


class Approvals:
    """
    A node's proposals: few, and all in memory.

    With `two_person` what takes two people is refused to one, also where there is nobody else yet. Without it an
    operator who is alone acts alone: the proposal is approved by who made it.
    """

    def __init__(self, node: NodeRuntime, others_than: Callable[[str], bool], *, two_person: bool) -> None:
        self.two_person = two_person
        self.has_colleague = False  # Of a network for trying out: whom anybody may sign in as, and has not yet.
        self._node = node
        self._others_than = others_than
        self._kinds: dict[str, ApprovalKind[Any]] = {}
        self._shelf = Shelf(APPROVALS, node.journal, node.store)
        self._loaded = False

    def register(self, kind: ApprovalKind[Any]) -> None:
        """Let this be proposed: when the node is wired."""
        assert kind.name not in self._kinds, kind.name
        self._kinds[kind.name] = kind

    async def start(self) -> None:
        """Load what there is, and carry on what was approved when the node stopped."""
        await self._shelf.load_all()
        self._loaded = True
        for approval in self._shelf.everything():
            # What an older version does not know waits for the newer one.
            if approval.state == ApprovalState.APPROVED.value and approval.kind in self._kinds:
                self._node.decide(partial(self._carry_on, approval))

    async def load(self) -> None:
        """As `start`, once."""
        if not self._loaded:
            await self.start()

    @property
    def kinds(self) -> Mapping[str, ApprovalKind[Any]]:
        """What may be proposed here, by name."""
        return self._kinds

    def everything(self) -> list[Approval]:
        """All there were, the newest first."""
        self._check_loaded()
        return sorted(self._shelf.everything(), key=lambda each: (-each.proposed_ns, -each.id))

    def waiting(self) -> list[Approval]:
        """What somebody is to decide, the oldest first."""
        now_ns = self._node.clock.now_ns()
        return [each for each in reversed(self.everything()) if each.state_at(now_ns) is ApprovalState.PROPOSED]

    def approval(self, id_: int) -> Approval:
        """Refuses APPROVAL_UNKNOWN."""
        self._check_loaded()
        found = self._shelf.get(id_)
        if found is None:
            raise Refusal(ApprovalReason.APPROVAL_UNKNOWN)
        return found

    def needs_second(self, by: str) -> bool:
        """Whether what this operator proposes waits for somebody else."""
        return self.two_person or self.has_colleague or self._others_than(by)

    def check_alone(self, kind: str) -> None:
        """For endpoints that act at once. Refuses TWO_PEOPLE_NEEDED, where the node is set so, naming what to propose."""
        if self.two_person:
            raise Refusal(ApprovalReason.TWO_PEOPLE_NEEDED, propose=kind, at="POST /v1/approvals")

    def propose(self, id_: int, kind: str, subject: str, facts: Any, reason: str, by: str) -> Approval:
        """
        Propose something; where nobody else is needed it is carried out at once.

        Refuses:  APPROVAL_KIND_UNKNOWN, APPROVAL_FACTS_INVALID; APPROVAL_CONFLICTS, for another under this id; what the
                  kind refuses, and `check_text` for the reason.
        Repeats:  the proposal as it stands.
        """
        self._check_loaded()
        check_text("reason", reason, length_max=WORDS_MAX)
        known = self._kind(kind)
        read = _read(known, facts)
        text, now_ns = msgspec.json.encode(read).decode(), self._node.clock.now_ns()
        made, before = proposal(id_, kind, subject, text, reason, by, now_ns), self._shelf.get(id_)
        if before is not None:
            before.check_same(made)
            return before
        known.check(subject, read)
        if self.needs_second(by):
            self._shelf.put(made)
            return made
        return self._execute(made.approved(by, "", alone=True, now_ns=now_ns))

    def approve(self, id_: int, by: str, remark: str = "") -> Approval:
        """
        Have it done; it is done in this decision, and what it refuses leaves the proposal open.

        Refuses:  APPROVAL_UNKNOWN, APPROVAL_DECIDED, APPROVAL_EXPIRED, APPROVAL_NEEDS_ANOTHER_OPERATOR; what the act refuses.
        Repeats:  what this operator has approved.
        """
        check_text("remark", remark, length_max=WORDS_MAX, empty=True)
        known = self.approval(id_)
        if known.decided_by == by and known.state not in {ApprovalState.DECLINED.value, ApprovalState.WITHDRAWN.value}:
            return known
        alone, now_ns = not self.needs_second(by), self._node.clock.now_ns()
        return self._execute(known.approved(by, remark, alone=alone, now_ns=now_ns))

    def turn_down(self, id_: int, by: str, remark: str = "") -> Approval:
        """Decline it, or withdraw one's own. Refuses APPROVAL_UNKNOWN, APPROVAL_DECIDED, APPROVAL_EXPIRED."""
        check_text("remark", remark, length_max=WORDS_MAX, empty=True)
        turned_down = self.approval(id_).turned_down(by, remark, now_ns=self._node.clock.now_ns())
        self._shelf.put(turned_down)
        return turned_down

    def _execute(self, approved: Approval) -> Approval:
        """Carry it out, then write down how it stands: nothing is written where the act refuses."""
        kind = self._kind(approved.kind)
        answers: list[str] = []
        is_written = False

        def ended(failed: str) -> None:
            if is_written:
                self._shelf.put(approved.ended(failed))
            else:
                answers.append(failed)

        kind.execute(approved, _read(kind, msgspec.json.decode(approved.facts)), ended)
        stands = approved.ended(answers[0]) if answers else approved
        self._shelf.put(stands)
        is_written = True
        return stands

    def _carry_on(self, approved: Approval) -> None:
        try:
            self._execute(approved)
        except Refusal as refusal:
            log.warning("approval_failed", kind=approved.kind, reason=refusal.reason.name)
            self._shelf.put(approved.ended(refusal.reason.name))

    def _kind(self, name: str) -> ApprovalKind[Any]:
        kind = self._kinds.get(name)
        if kind is None:
            known = ", ".join(sorted(self._kinds))
            raise Refusal(ApprovalReason.APPROVAL_KIND_UNKNOWN, field="kind", kind=name, known=known)
        return kind

    def _check_loaded(self) -> None:
        if not self._loaded:
            raise Cold(self.start)


def _read(kind: ApprovalKind[Any], facts: Any) -> Any:
    try:
        return msgspec.convert(facts, kind.facts)
    except msgspec.ValidationError as error:
        raise Refusal(ApprovalReason.APPROVAL_FACTS_INVALID, field="facts", problem=str(error)) from None
