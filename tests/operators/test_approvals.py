"""What takes two people is done once, by two people, and not otherwise."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.operators.approval import LIFE_S, PREFIX, Approval, ApprovalState
from hutong.operators.approval_service import ApprovalKind, Approvals, Ended
from tests.operators.office import THINGS, Office, OfficeReason, Thing

KIND = "paint"
APR = 1 << 100


class Paint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    colour: str


class Workshop:
    """An office where paint takes two people; `answers` has those whose paint is still drying."""

    def __init__(self, *, two_person: bool, slow: bool = False) -> None:
        self.office = Office()
        self.two_person, self.slow = two_person, slow
        self.answers: list[Ended] = []
        self.build()

    def build(self) -> None:
        approvals = Approvals(self.office.node, self.office.operators.others_than, two_person=self.two_person)
        approvals.register(ApprovalKind(KIND, Paint, self._check, self._paint))
        self.approvals = self.office.operators.approvals = approvals

    def restart(self) -> None:
        self.office.restart()
        self.build()

    def _check(self, subject: str, facts: Paint) -> None:
        if facts.colour == "sunday":
            raise Refusal(OfficeReason.NOT_ON_SUNDAYS, subject=subject)

    def _paint(self, approval: Approval, facts: Paint, ended: Ended) -> None:
        if facts.colour == "wet":
            raise Refusal(OfficeReason.NOT_ON_SUNDAYS)
        self.office.journal.append(THINGS, Thing(f"{approval.subject} {facts.colour}"))
        if self.slow:
            self.answers.append(ended)
        else:
            ended("")

    async def ask(self, decide: Callable[[], Any]) -> Any:
        return await self.office.ask(decide)

    async def propose(self, by: str, colour: str = "red", id_: int = APR) -> Approval:
        made: Approval = await self.ask(
            lambda: self.approvals.propose(id_, KIND, "door", {"colour": colour}, "it is grey", by)
        )
        return made

    async def approve(self, by: str, id_: int = APR) -> Approval:
        made: Approval = await self.ask(lambda: self.approvals.approve(id_, by, ""))
        return made

    def painted(self) -> list[str]:
        return [row.name for _, row in self.office.store.rows[THINGS.name]]


@pytest.fixture
async def workshop() -> Workshop:
    workshop = Workshop(two_person=True)
    await workshop.office.appoint("li", "OPERATOR")
    return workshop


async def test_nothing_is_done_before_another_approves_and_then_it_is_done_at_once(workshop: Workshop) -> None:
    assert (await workshop.propose("root")).state == "PROPOSED"
    assert workshop.painted() == []
    with pytest.raises(Refusal, match="APPROVAL_NEEDS_ANOTHER_OPERATOR"):
        await workshop.approve("root")
    assert (await workshop.approve("li")).state == "DONE"
    assert workshop.painted() == ["door red"]


async def test_it_is_done_once_however_often_anybody_approves(workshop: Workshop) -> None:
    await workshop.propose("root")
    first = await workshop.approve("li")
    assert await workshop.approve("li") == first
    with pytest.raises(Refusal, match="APPROVAL_DECIDED"):
        await workshop.approve("root")
    workshop.restart()
    assert await workshop.approve("li") == first
    assert workshop.painted() == ["door red"]


async def test_a_proposal_again_is_the_same_and_another_under_its_id_is_refused(workshop: Workshop) -> None:
    made = await workshop.propose("root")
    assert await workshop.propose("root") == made
    for by, colour in (("root", "blue"), ("li", "red")):
        with pytest.raises(Refusal, match="APPROVAL_CONFLICTS"):
            await workshop.propose(by, colour)


async def test_what_could_not_be_done_is_not_proposed(workshop: Workshop) -> None:
    with pytest.raises(Refusal, match="NOT_ON_SUNDAYS"):
        await workshop.propose("root", "sunday")
    refused: list[tuple[str, dict[str, Any], str]] = [
        ("polish", {"colour": "red"}, "APPROVAL_KIND_UNKNOWN"),
        (KIND, {"color": "red"}, "APPROVAL_FACTS_INVALID"),
        (KIND, {"colour": 5}, "APPROVAL_FACTS_INVALID"),
    ]
    for kind, facts, why in refused:
        with pytest.raises(Refusal, match=why):
            await workshop.ask(partial(workshop.approvals.propose, 2, kind, "door", facts, "x", "li"))
    with pytest.raises(Refusal, match="TEXT_EMPTY"):
        await workshop.ask(lambda: workshop.approvals.propose(2, KIND, "door", {"colour": "red"}, "", "li"))
    assert workshop.approvals.everything() == []


async def test_what_the_act_refuses_leaves_the_proposal_open(workshop: Workshop) -> None:
    await workshop.propose("root", "wet")
    with pytest.raises(Refusal, match="NOT_ON_SUNDAYS"):
        await workshop.approve("li")
    assert [each.id for each in workshop.approvals.waiting()] == [APR]
    assert workshop.painted() == []


@pytest.mark.parametrize(("by", "state"), [("li", "DECLINED"), ("root", "WITHDRAWN")])
async def test_what_is_turned_down_is_never_done(workshop: Workshop, by: str, state: str) -> None:
    await workshop.propose("root")
    turned_down = await workshop.ask(lambda: workshop.approvals.turn_down(APR, by, "no"))
    assert (turned_down.state, turned_down.remark) == (state, "no")
    for again in ("li", "root"):
        with pytest.raises(Refusal, match="APPROVAL_DECIDED"):
            await workshop.approve(again)
    assert workshop.painted() == []


async def test_what_nobody_decided_in_time_expires(workshop: Workshop) -> None:
    made = await workshop.propose("root")
    workshop.office.clock.advance(ns=LIFE_S * NS_PER_S - 1)
    assert workshop.approvals.waiting() == [made]
    workshop.office.clock.advance(ns=1)
    assert workshop.approvals.waiting() == []
    assert made.state_at(workshop.office.clock.now_ns()) is ApprovalState.EXPIRED
    with pytest.raises(Refusal, match="APPROVAL_EXPIRED"):
        await workshop.approve("li")
    with pytest.raises(Refusal, match="APPROVAL_EXPIRED"):
        await workshop.ask(lambda: workshop.approvals.turn_down(APR, "li"))


@pytest.mark.parametrize(("two_person", "state"), [(True, "PROPOSED"), (False, "DONE")])
async def test_who_is_alone_acts_alone_only_where_the_node_lets_one(two_person: bool, state: str) -> None:
    workshop = Workshop(two_person=two_person)
    assert (await workshop.propose("root")).state == state
    assert workshop.painted() == ["door red"] * (state == "DONE")


async def test_where_there_are_two_the_second_is_asked_whatever_the_setting() -> None:
    workshop = Workshop(two_person=False)
    await workshop.office.appoint("viewer", "VIEWER")
    assert (await workshop.propose("root", id_=1)).state == "DONE"
    await workshop.office.appoint("li", "OPERATOR")
    assert (await workshop.propose("root", id_=2)).state == "PROPOSED"


async def test_what_ends_later_is_noted_then() -> None:
    workshop = Workshop(two_person=False, slow=True)
    assert (await workshop.propose("root")).state == "APPROVED"
    (ended,) = workshop.answers
    await workshop.ask(lambda: ended("NOT_ON_SUNDAYS"))
    stands = workshop.approvals.approval(APR)
    assert (stands.state, stands.outcome) == ("FAILED", "NOT_ON_SUNDAYS")


async def test_what_a_crash_cut_off_is_carried_on_at_the_next_start() -> None:
    workshop = Workshop(two_person=False, slow=True)
    await workshop.propose("root")
    workshop.slow = False
    workshop.restart()
    await workshop.approvals.start()
    assert workshop.approvals.approval(APR).state == "DONE"
    workshop.restart()
    await workshop.approvals.start()
    assert workshop.painted() == ["door red", "door red"], "carried on once: the executor repeats without harm"


async def test_the_api_takes_it_from_the_proposal_to_the_end_and_the_log_has_all_of_it(workshop: Workshop) -> None:
    office, li = workshop.office, await workshop.office.appoint("wang", "OPERATOR")
    viewer = await office.appoint("zhao", "VIEWER")
    id_ = id_text(PREFIX, APR)
    body = {"approval_id": id_, "kind": KIND, "subject": "door", "reason": "grey", "facts": {"colour": "red"}}
    assert (await office.call("POST", "/v1/approvals", 403, body, viewer))["reason"] == "OPERATOR_MAY_NOT"
    assert (await office.call("POST", "/v1/approvals", 200, body))["state"] == "PROPOSED"
    assert [each["approval_id"] for each in await office.call("GET", "/v1/approvals?waiting=true", 200)] == [id_]
    assert (await office.call("POST", f"/v1/approvals/{id_}/approve", 403))[
        "reason"
    ] == "APPROVAL_NEEDS_ANOTHER_OPERATOR"
    done = await office.call("POST", f"/v1/approvals/{id_}/approve", 200, {"remark": "seen"}, li)
    assert (done["state"], done["decided_by"], done["remark"]) == ("DONE", "wang", "seen")
    assert await office.call("GET", f"/v1/approvals/{id_}", 200, token=viewer) == done
    assert (await office.call("GET", f"/v1/approvals/{id_text(PREFIX, 5)}", 404))["reason"] == "APPROVAL_UNKNOWN"
    said = [(each.actor, each.action, each.outcome) for each in await office.log() if "approvals" in each.action]
    assert [entry for entry in said if entry[1].startswith("POST")] == [
        ("zhao", "POST /v1/approvals", "OPERATOR_MAY_NOT"),
        ("root", "POST /v1/approvals", "DONE"),
        ("root", "POST /v1/approvals/{approval_id}/approve", "APPROVAL_NEEDS_ANOTHER_OPERATOR"),
        ("wang", "POST /v1/approvals/{approval_id}/approve", "DONE"),
    ]


async def test_who_acts_at_once_is_told_what_to_propose(workshop: Workshop) -> None:
    with pytest.raises(Refusal, match="TWO_PEOPLE_NEEDED") as refused:
        workshop.approvals.check_alone(KIND)
    assert refused.value.facts["propose"] == KIND
    Workshop(two_person=False).approvals.check_alone(KIND)
