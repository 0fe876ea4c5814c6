"""A participant's life over the switch's API, by two operators: every step, every refusal, and what a crash leaves."""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from hutong.kernel.ids import id_text
from hutong.operators.operator import Role
from hutong.operators.service import Operators
from hutong.runtime.http_app import make_app
from hutong.switch.api import FIRST_OPERATOR, switch_api
from hutong.switch.node import SwitchNode
from hutong.switch.settlement.window import WindowState
from tests.switch.lifecycle.papers import PUBLIC, application, certificate, fingerprint_of
from tests.switch.world import World, accepts, books_balance, complete, told

LIFE = "/v1/participants/yun"
TOKEN = "op_secret"


class Desk:
    """The switch's operators: `operator` of its secrets, and lin."""

    def __init__(self) -> None:
        self.world = World()
        self.tokens = {FIRST_OPERATOR: TOKEN}

    async def open(self) -> None:
        await self.world.boot()
        self.world.admit("jing", "wei")
        self._serve()

    async def crash(self) -> None:
        self.world.journal.flush()
        await self.world.crash()
        self._serve()

    def _serve(self) -> None:
        self.operators = Operators(self.switch.node, self.switch.audit, {FIRST_OPERATOR: TOKEN})
        app = make_app(switch_api(self.switch, self.operators), title="Switch", version="1")
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(cast("Any", app)), base_url="http://switch")

    @property
    def switch(self) -> SwitchNode:
        return self.world.switch

    async def appoint(self, name: str, role: Role) -> None:
        answer = await self.ask("PUT", f"/v1/operators/{name}", {"role": role.value})
        self.tokens[name] = answer["token"]

    async def ask(self, method: str, path: str, body: Any = None, *, by: str = FIRST_OPERATOR) -> Any:
        """The answer; of a refusal its name."""
        headers = {"authorization": f"Bearer {self.tokens[by]}"}
        response = await self.client.request(method, path, json=body, headers=headers)
        told: Any = response.json() if response.content else None
        return told["reason"] if response.is_error else told

    async def apply(self, **changes: Any) -> Any:
        return await self.ask("POST", "/v1/applications", application(self.world.now_ms(), **changes))

    async def certify(self, **changes: Any) -> Any:
        return await self.ask(
            "POST", f"{LIFE}/certificate", {"certificate": certificate(self.world.now_ms(), **changes)}
        )

    async def confirm(self, *, by: str = "lin", key_id: str = "yun-1", said: str = "") -> Any:
        body = {"fingerprint": said or fingerprint_of(PUBLIC)}
        return await self.ask("POST", f"{LIFE}/keys/{key_id}/confirm", body, by=by)

    async def admit(self, **facts: Any) -> Any:
        return await self.ask("POST", f"{LIFE}/admit", facts or {"reserve": 100_000})

    async def join(self) -> Any:
        await self.appoint("lin", Role.OPERATOR)
        await self.apply()
        await self.certify()
        await self.confirm()
        return await self.admit()

    def valid_keys(self) -> dict[str, str]:
        """What yun may sign with now."""
        now_ns, known = self.world.clock.now_ns(), self.switch.admission.keys()
        return {
            key.key_id: key.public_key.hex() for key in known if key.node_id == "yun" and key.valid_until_ns > now_ns
        }

    async def settle(self) -> None:
        """Close the open window, and have it settled."""
        window = self.switch.windows.windows()[-1].window
        await self.ask("POST", f"/v1/windows/{window.replace('/', '.')}/close")
        for _ in range(20):
            self.world.clock.advance(seconds=1)
            self.switch.tick()
        assert self.switch.windows.window(window).state == WindowState.SETTLED.value

    async def pay_out(self, minor: int) -> Any:
        body = {"change_id": id_text("rsv", self.world.mint.mint()), "change": "WITHDRAW", "amount": minor}
        return await self.ask("POST", f"{LIFE}/reserve", body)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    await desk.open()
    yield desk
    await desk.client.aclose()


async def test_an_applicant_becomes_a_participant_step_by_step(desk: Desk) -> None:
    await desk.appoint("lin", Role.OPERATOR)
    life = await desk.apply()
    assert (life["stage"], life["keys"][0]["pending"]) == ("APPLIED", True)
    assert life["keys"][0]["fingerprint"] == fingerprint_of(PUBLIC)
    assert [participant["node"] for participant in await desk.ask("GET", "/v1/participants")] == ["jing", "wei"]
    assert (await desk.certify())["stage"] == "CERTIFIED"
    assert await desk.admit() == "KEY_NOT_CONFIRMED"
    assert await desk.confirm(by=FIRST_OPERATOR) == "KEY_NEEDS_ANOTHER_OPERATOR"
    assert await desk.confirm(said="0000 " * 10) == "KEY_FINGERPRINT_DIFFERS"
    assert (await desk.confirm())["next"].startswith("hutong participant admit yun")
    assert await desk.ask("POST", f"{LIFE}/admit", {}) == "RESERVE_OR_ZERO_CAP_MISSING"
    life = await desk.admit()
    assert await desk.admit() == life, "again it is the same"
    assert (life["stage"], [check["done"] for check in life["checklist"]]) == ("ACTIVE", [True] * 5)
    assert [(step["step"], step["by"]) for step in life["history"]] == [
        ("APPLY", "operator"),
        ("CERTIFY", "operator"),
        ("ADMIT", "operator"),
    ]
    position = await desk.ask("GET", f"{LIFE}/position")
    assert (position["cap"], position["reserve"]) == (100_000, 100_000)
    assert desk.switch.admission.directory.resolve("https://yun.example/q/1").node == "yun"
    assert desk.valid_keys() == {"yun-1": PUBLIC}
    complete(desk.world, desk.world.payment(debtor_agent="yun"))
    await books_balance(desk.world)
    before = await desk.ask("GET", f"{LIFE}/life")
    await desk.crash()
    assert await desk.ask("GET", f"{LIFE}/life") == before


async def test_who_begins_with_nothing_says_so(desk: Desk) -> None:
    await desk.apply()
    await desk.certify()
    await desk.confirm(by=FIRST_OPERATOR)  # Alone: there is no second person.
    life = await desk.admit(zero_cap=True)
    assert life["history"][-1]["reason"] == "zero cap"
    assert (await desk.ask("GET", f"{LIFE}/position"))["cap"] == 0


async def test_a_corrected_application_is_certified_anew(desk: Desk) -> None:
    await desk.apply()
    assert (await desk.certify())["stage"] == "CERTIFIED"
    life = await desk.apply(url="https://new.yun.example")
    assert (life["stage"], life["application"]["url"]) == ("APPLIED", "https://new.yun.example")
    assert await desk.admit() == "STEP_OUT_OF_ORDER"
    assert await desk.certify() == "CERTIFICATE_OF_ANOTHER"


async def test_a_certificate_may_become_too_old_before_admission(desk: Desk) -> None:
    await desk.apply()
    await desk.certify()
    await desk.confirm(by=FIRST_OPERATOR)
    desk.world.clock.advance(seconds=31 * 86_400)
    assert await desk.admit() == "CERTIFICATE_TOO_OLD"
    assert (await desk.certify())["stage"] == "CERTIFIED"
    assert (await desk.admit())["stage"] == "ACTIVE"


async def test_code_forms_of_others_take_somebodys_consent(desk: Desk) -> None:
    desk.switch.admission.register_form("jing", "url:https://yun.example/")
    await desk.apply()
    await desk.certify()
    await desk.confirm(by=FIRST_OPERATOR)
    assert await desk.admit() == "FORM_OVERLAPS"
    assert (await desk.ask("GET", f"{LIFE}/life"))["stage"] == "CERTIFIED"
    assert (await desk.admit(reserve=1, consented_by="Li of Jing"))["stage"] == "ACTIVE"


async def test_who_has_applied_is_not_admitted_by_hand(desk: Desk) -> None:
    await desk.appoint("lin", Role.OPERATOR)
    await desk.apply()
    assert await desk.ask("PUT", LIFE, {"name": "Yun"}) == "STEP_OUT_OF_ORDER"
    hand = {"name": "Hai", "waiver": "moved from another switch"}
    assert await desk.ask("PUT", "/v1/participants/hai", hand, by="lin") == "OPERATOR_MAY_NOT"
    assert (await desk.ask("PUT", "/v1/participants/hai", hand))["status"] == "ACTIVE"
    (step,) = (await desk.ask("GET", "/v1/participants/hai/life"))["history"]
    assert (step["by"], step["reason"]) == ("operator", "moved from another switch")


async def test_an_application_is_rejected_withdrawn_and_made_again(desk: Desk) -> None:
    await desk.apply()
    assert (await desk.ask("POST", f"{LIFE}/reject", {"reason": "no licence"}))["stage"] == "REJECTED"
    assert await desk.confirm(by=FIRST_OPERATOR) == "KEY_NOT_PENDING"
    assert (await desk.apply(name="Yun"))["stage"] == "APPLIED"
    assert (await desk.ask("POST", f"{LIFE}/withdraw", {"reason": "merged"}))["stage"] == "WITHDRAWN"
    (applicant,) = await desk.ask("GET", "/v1/applications")
    assert (applicant["node"], applicant["stage"]) == ("yun", "WITHDRAWN")


async def test_a_later_key_counts_when_a_second_operator_has_confirmed_it(desk: Desk) -> None:
    await desk.join()
    other = "22" * 32
    key = {"public_key": other, "valid_from_ms": 0, "valid_until_ms": desk.world.now_ms(86_400 * 10)}
    assert (await desk.ask("PUT", f"{LIFE}/keys/yun-2", key))["pending"] is True
    assert "yun-2" not in desk.valid_keys()
    life = await desk.confirm(key_id="yun-2", said=fingerprint_of(other))
    assert "yun-2" in desk.valid_keys()
    assert life["warnings"] == []
    await desk.ask("DELETE", f"{LIFE}/keys/yun-1")
    assert (await desk.ask("GET", f"{LIFE}/life"))["warnings"] == [
        "its last key ends in 10 days: have the next one registered"
    ]
    assert (await desk.ask("PUT", f"{LIFE}/keys/yun-3", key | {"public_key": "33" * 32}))["pending"] is True
    await desk.ask("DELETE", f"{LIFE}/keys/yun-3")
    assert await desk.confirm(key_id="yun-3", said=fingerprint_of("33" * 32)) == "KEY_NOT_PENDING"


async def test_a_participant_leaves_with_a_drained_position(desk: Desk) -> None:
    world = desk.world
    await desk.join()
    await desk.ask("POST", f"{LIFE}/suspend", {"reason": "audit"})
    assert told(world.say("jing", world.payment(creditor_agent="yun")))[-1] == ("jing", "RJCT PARTICIPANT_SUSPENDED")
    await desk.ask("POST", f"{LIFE}/resume", {"reason": "audited"})
    kept = world.payment(creditor_agent="yun", amount=2_000)
    complete(world, kept)
    open_one = world.payment(creditor_agent="yun", amount=500)
    world.say("jing", open_one)
    assert await desk.ask("POST", f"{LIFE}/depart", {}) == "STEP_OUT_OF_ORDER"
    life = await desk.ask("POST", f"{LIFE}/leave", {"reason": "merged", "forms_to": "wei", "consented_by": "Wei"})
    assert [blocker["what"] for blocker in life["blockers"]] == [
        "RETURNS_ALLOWED",
        "UNDECIDED",
        "WINDOWS_NOT_SETTLED",
        "POSITION_NOT_ZERO",
        "PAYMENTS_PENDING",
        "RESERVE_HELD",
    ]
    assert desk.switch.admission.directory.resolve("https://yun.example/q/1").node == "wei"
    assert told(world.say("jing", world.payment(creditor_agent="yun")))[-1] == ("jing", "RJCT PARTICIPANT_LEAVING")
    world.say("yun", accepts(open_one))
    refund = world.refund(kept, amount=300, settlement=300)
    world.say("yun", refund)
    assert told(world.say("jing", accepts(refund)))[0] == ("yun", "ACSC")
    assert await desk.ask("POST", f"{LIFE}/depart", {}) == "EXIT_BLOCKED"
    await desk.ask("POST", f"{LIFE}/leave", {"reason": "merged", "returns_for_s": 0})
    late = world.refund(kept, amount=100, settlement=100)
    assert told(world.say("yun", late))[-1] == ("yun", "RJCT PARTICIPANT_LEAVING")
    reserve = {"change_id": id_text("rsv", world.mint.mint()), "change": "TOP_UP", "amount": 50_000}
    await desk.ask("POST", "/v1/participants/jing/reserve", reserve)
    await desk.settle()
    await desk.crash()
    life = await desk.ask("GET", f"{LIFE}/life")
    assert [(blocker["what"], blocker["details"]) for blocker in life["blockers"]] == [("RESERVE_HELD", "1022.00 CNY")]
    await desk.pay_out(102_200)
    life = await desk.ask("POST", f"{LIFE}/depart", {"reason": "done"})
    assert (life["stage"], life["possible"]) == ("LEFT", ["DEPART"])
    assert [step["step"] for step in life["history"]][-2:] == ["LEAVE", "DEPART"]
    assert desk.valid_keys() == {}
    await books_balance(world)
    await nothing_reaches(desk)


async def nothing_reaches(desk: Desk) -> None:
    """Who has left."""
    world = desk.world
    assert told(world.say("jing", world.payment(creditor_agent="yun")))[-1] == ("jing", "RJCT PARTICIPANT_LEFT")
    key = {"public_key": "22" * 32, "valid_from_ms": 0, "valid_until_ms": 2**42}
    cap = {"change_id": id_text("cap", world.mint.mint()), "change": "GRANT", "amount": 1}
    reserve = {"change_id": id_text("rsv", world.mint.mint()), "change": "TOP_UP", "amount": 1}
    for method, path, body, reason in (
        ("PUT", f"{LIFE}/keys/yun-9", key, "PARTICIPANT_LEFT"),
        ("POST", f"{LIFE}/cap", cap, "PARTICIPANT_LEFT"),
        ("POST", f"{LIFE}/reserve", reserve, "PARTICIPANT_LEFT"),
        ("POST", f"{LIFE}/forms", {"form": "digits:77:18"}, "PARTICIPANT_LEFT"),
        ("PUT", LIFE, {"name": "Yun again"}, "PARTICIPANT_LEFT"),
        ("POST", f"{LIFE}/resume", None, "STEP_OUT_OF_ORDER"),
        ("POST", "/v1/applications", application(world.now_ms()), "STEP_OUT_OF_ORDER"),
    ):
        assert await desk.ask(method, path, body) == reason, path


async def test_each_step_is_in_the_audit_log_with_who_took_it(desk: Desk) -> None:
    await desk.join()
    entries = (await desk.ask("GET", "/v1/audit-log"))["entries"]
    said = [(entry["actor"], entry["action"], entry["outcome"]) for entry in entries]
    assert ("lin", "POST /v1/participants/{node}/keys/{key_id}/confirm", "DONE") in [
        (actor, action.replace(":str", ""), outcome) for actor, action, outcome in said
    ]
    assert sum("/admit" in action for _, action, _ in said) == 1
