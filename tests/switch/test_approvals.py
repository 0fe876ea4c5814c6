"""What takes two operators at a switch, over HTTP: proposed by one, approved by another, done once."""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from hutong.kernel.ids import id_text
from hutong.operators.operator import Role
from hutong.operators.service import Operators
from hutong.runtime.http_app import make_app
from hutong.runtime.shelf import decided
from hutong.switch.api import FIRST_OPERATOR, switch_api
from tests.switch.world import CAP, World, complete

TOKEN = "op_secret"


class Desk:
    """Two operators, `operator` and `li`, of a switch where one may not act alone."""

    def __init__(self, world: World) -> None:
        self.world = world
        switch = world.switch
        self.operators = Operators(switch.node, switch.audit, {FIRST_OPERATOR: TOKEN}, two_person=True)
        app = make_app(switch_api(switch, self.operators), title="Switch", version="1")
        transport = httpx.ASGITransport(cast("Any", app))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://switch")
        self.li = ""

    async def ask(self, method: str, path: str, status: int, body: Any = None, token: str = TOKEN) -> Any:
        headers = {"authorization": f"Bearer {token}"}
        answer = await self.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def propose(self, kind: str, subject: str, facts: dict[str, Any], status: int = 200) -> Any:
        id_ = id_text("apr", self.world.mint.mint())
        body = {"approval_id": id_, "kind": kind, "subject": subject, "reason": "agreed", "facts": facts}
        return await self.ask("POST", "/v1/approvals", status, body)

    async def done(self, kind: str, subject: str, **facts: Any) -> str:
        """Propose, approve, and tell how it stands."""
        made = await self.propose(kind, subject, facts)
        assert made["state"] == "PROPOSED"
        path = f"/v1/approvals/{made['approval_id']}"
        await self.ask("POST", f"{path}/approve", 200, token=self.li)
        return str((await self.ask("GET", path, 200))["state"])

    async def cap(self, node: str) -> int:
        return int((await self.ask("GET", f"/v1/participants/{node}/position", 200))["cap"])


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    world = World()
    await world.boot()
    world.admit("jing", "wei")
    desk = Desk(world)
    node = world.switch.node
    desk.li = (await decided(node.journal, lambda: desk.operators.appoint("li", Role.OPERATOR, "test")))[1]
    yield desk
    await desk.client.aclose()


@pytest.mark.parametrize(
    ("path", "body", "propose"),
    [
        ("/v1/participants/jing/suspend", None, "participant.suspend"),
        ("/v1/participants/jing/resume", None, "participant.resume"),
        (
            "/v1/participants/jing/cap",
            {"change_id": id_text("cap", 1), "change": "GRANT", "amount": 1},
            "cap.change",
        ),
        (
            "/v1/participants/jing/reserve",
            {"change_id": id_text("rsv", 1), "change": "TOP_UP", "amount": 1},
            "reserve.change",
        ),
        ("/v1/windows/2026-01-01.1/default", None, "settlement.default"),
    ],
)
async def test_one_alone_is_told_what_to_propose(desk: Desk, path: str, body: Any, propose: str) -> None:
    refused = await desk.ask("POST", path, 422, body)
    assert (refused["reason"], refused["facts"]["propose"]) == ("TWO_PEOPLE_NEEDED", propose)
    assert propose in desk.operators.approvals.kinds
    assert await desk.cap("jing") == CAP


async def test_a_cap_is_raised_and_taken_back_as_far_as_it_is_unused(desk: Desk) -> None:
    assert await desk.done("cap.change", "jing", change="GRANT", amount=50) == "DONE"
    assert await desk.cap("jing") == CAP + 50
    complete(desk.world, desk.world.payment(amount=CAP))
    assert await desk.done("cap.change", "jing", change="LOWER", amount=CAP) == "DONE"
    assert await desk.cap("jing") == CAP


async def test_a_reserve_comes_and_goes_and_what_is_not_there_fails_by_name(desk: Desk) -> None:
    assert await desk.done("reserve.change", "jing", change="TOP_UP", amount=700) == "DONE"
    reserve = await desk.ask("GET", "/v1/participants/jing/reserve", 200)
    assert reserve["reserve"] == 700
    assert await desk.done("reserve.change", "jing", change="WITHDRAW", amount=701) == "FAILED"
    failed = (await desk.ask("GET", "/v1/approvals", 200))[0]
    assert failed["outcome"] == "RESERVE_INSUFFICIENT"
    assert (await desk.ask("GET", "/v1/participants/jing/reserve", 200))["reserve"] == 700


async def test_a_node_is_admitted_suspended_and_taken_back_and_both_names_are_on_record(desk: Desk) -> None:
    assert await desk.done("participant.admit", "zhi", name="Zhi Pay") == "DONE"
    assert await desk.done("participant.suspend", "zhi") == "DONE"
    assert (await desk.ask("GET", "/v1/participants/zhi", 200))["status"] == "SUSPENDED"
    assert await desk.done("participant.resume", "zhi") == "DONE"
    passages = await desk.world.switch.admission.passages("zhi")
    assert [(each.step, each.taken_by) for each in passages] == [
        (step, "operator, approved by li") for step in ("ADMIT", "SUSPEND", "RESUME")
    ]


@pytest.mark.parametrize(
    ("kind", "subject", "facts", "reason", "status"),
    [
        ("participant.suspend", "nobody", {}, "PARTICIPANT_UNKNOWN", 404),
        ("participant.admit", "jing", {"name": "Jing"}, "PARTICIPANT_EXISTS", 409),
        ("participant.admit", "NO", {"name": "No"}, "FIELD_INVALID", 400),
        ("cap.change", "nobody", {"change": "GRANT", "amount": 1}, "PARTICIPANT_UNKNOWN", 404),
        ("cap.change", "jing", {"change": "GRANT", "amount": 0}, "APPROVAL_FACTS_INVALID", 400),
        ("cap.change", "jing", {"change": "GRANT", "amount": 1, "currency": "USD"}, "CURRENCY_NOT_CLEARED_HERE", 400),
        ("settlement.default", "2026-01-01/1", {}, "WINDOW_NOT_CLOSED", 422),
        ("settlement.default", "2020-01-01/1", {}, "WINDOW_UNKNOWN", 404),
    ],
)
async def test_what_could_not_be_done_now_is_not_proposed(
    desk: Desk, kind: str, subject: str, facts: dict[str, Any], reason: str, status: int
) -> None:
    assert (await desk.propose(kind, subject, facts, status))["reason"] == reason
