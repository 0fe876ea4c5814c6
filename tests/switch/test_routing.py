"""Consults and requests to pay find the owner of a code; only who was asked can answer."""

from typing import Any

import msgspec
import pytest

from hutong.scheme.messages import (
    AnyMessage,
    Channel,
    CodeConsult,
    CodeResolve,
    ConsultStatus,
    RequestStatus,
    RequestToPay,
    TransactionStatus,
    id_hex,
)
from hutong.switch.fees import FeeRule
from tests.switch.world import World

PLATE = "https://wei.hutong.example/q/M4T9"
PAYMENT_CODE = "310000000000000000"


@pytest.fixture
async def world() -> World:
    world = World()
    await world.boot()
    world.admit("jing", "wei", "yun")
    world.switch.admission.register_form("wei", "url:https://wei.hutong.example/q/")
    world.switch.admission.register_form("jing", "digits:31:18")
    world.switch.admission.publish_fees("2026-1", world.clock.now_ns(), [FeeRule("58", 20, 5)])
    return world


def consult(world: World, **changes: Any) -> CodeConsult:
    facts = {"consult_id": id_hex(world.mint.mint()), "code": PLATE, "debtor_agent": "jing"}
    return CodeConsult(**(facts | changes))


def resolve(question: CodeConsult, **changes: Any) -> CodeResolve:
    facts: dict[str, Any] = {
        "consult_id": question.consult_id,
        "debtor_agent": question.debtor_agent,
        "status": ConsultStatus.FOUND,
        "creditor_agent": "wei",
        "creditor_name": "面馆",
        "mcc": "5812",
    }
    return CodeResolve(**(facts | changes))


def request(world: World, **changes: Any) -> RequestToPay:
    facts: dict[str, Any] = {
        "request_id": id_hex(world.mint.mint()),
        "code": PAYMENT_CODE,
        "amount": 100,
        "currency": "CNY",
        "channel": Channel.PAYMENT_CODE,
        "mcc": "5812",
        "creditor_agent": "wei",
        "creditor_name": "面馆",
        "expires_at_ms": world.now_ms(30),
    }
    return RequestToPay(**(facts | changes))


def standing(asked: RequestToPay, **changes: Any) -> RequestStatus:
    facts: dict[str, Any] = {
        "request_id": asked.request_id,
        "creditor_agent": asked.creditor_agent,
        "status": TransactionStatus.PENDING,
    }
    return RequestStatus(**(facts | changes))


def refusal(letters: list[tuple[str, AnyMessage]]) -> tuple[str, str]:
    """Who was told no, and why."""
    ((peer, message),) = letters
    assert isinstance(message, CodeResolve | RequestStatus)
    assert message.status in {ConsultStatus.REFUSED, TransactionStatus.REJECTED}
    return peer, message.reason_name


class TestConsults:
    async def test_the_owner_is_asked_with_the_form_that_matched(self, world: World) -> None:
        question = consult(world)
        form = "url:https://wei.hutong.example/q/"
        assert world.say("jing", question) == [("wei", msgspec.structs.replace(question, form=form))]

    async def test_the_answer_comes_back_with_the_schemes_fees(self, world: World) -> None:
        question = consult(world)
        world.say("jing", question)
        answer = resolve(question, creditor_agent="yun", interchange_bps=999, fee_version="mine")
        ((peer, told),) = world.say("wei", answer)
        assert isinstance(told, CodeResolve)
        assert peer == "jing"
        assert (told.interchange_bps, told.switch_fee_bps, told.fee_version) == (20, 5, "2026-1")
        assert told.creditor_agent == "wei"  # Whoever answers is who will be paid.
        assert told.creditor_name == "面馆"

    async def test_an_owners_no_comes_back_with_its_reason(self, world: World) -> None:
        question = consult(world)
        world.say("jing", question)
        no = resolve(question, status=ConsultStatus.REFUSED, reason_name="PLATE_UNKNOWN", creditor_agent=None)
        assert refusal(world.say("wei", no)) == ("jing", "PLATE_UNKNOWN")

    @pytest.mark.parametrize("code", ["https://nobody.example/q/1", "190000000000000000"])
    async def test_a_code_nobody_registered_is_unknown(self, world: World, code: str) -> None:
        assert refusal(world.say("jing", consult(world, code=code))) == ("jing", "CODE_UNKNOWN")

    async def test_a_text_that_is_no_code_is_refused(self, world: World) -> None:
        assert refusal(world.say("jing", consult(world, code="hello"))) == ("jing", "CODE_KIND_UNKNOWN")

    async def test_a_suspended_owner_is_not_asked_and_a_suspended_node_may_not_ask(self, world: World) -> None:
        world.switch.admission.suspend("wei")
        assert refusal(world.say("jing", consult(world))) == ("jing", "PARTICIPANT_SUSPENDED")
        mine = consult(world, debtor_agent="wei", code=PAYMENT_CODE)
        assert refusal(world.say("wei", mine)) == ("wei", "PARTICIPANT_SUSPENDED")

    async def test_nobody_asks_in_anothers_name(self, world: World) -> None:
        letters = world.say("yun", consult(world))
        assert refusal(letters) == ("yun", "SENDER_IS_NOT_THE_INSTRUCTING_AGENT")

    async def test_an_answer_from_a_stranger_goes_nowhere(self, world: World) -> None:
        question = consult(world)
        world.say("jing", question)
        assert world.say("yun", resolve(question)) == []
        assert world.say("jing", resolve(question)) == []
        assert world.say("wei", resolve(question, debtor_agent="yun")) == []
        assert world.say("wei", resolve(consult(world))) == []
        assert len(world.say("wei", resolve(question))) == 1

    async def test_an_answer_that_took_a_minute_goes_nowhere(self, world: World) -> None:
        question = consult(world)
        world.say("jing", question)
        world.pass_time(60)
        assert world.say("wei", resolve(question)) == []
        world.say("jing", question)  # Asked again, it is answered.
        assert len(world.say("wei", resolve(question))) == 1

    async def test_an_id_that_is_anothers_question_is_refused(self, world: World) -> None:
        question = consult(world)
        world.say("jing", question)
        squatter = consult(world, consult_id=question.consult_id, debtor_agent="yun")
        assert refusal(world.say("yun", squatter)) == ("yun", "SAME_ID_OTHER_CONTENT")
        assert len(world.say("wei", resolve(question))) == 1

    async def test_an_id_asked_again_about_another_code_is_answered_by_the_new_owner_alone(self, world: World) -> None:
        question = consult(world)
        world.say("jing", question)
        world.say("jing", consult(world, consult_id=question.consult_id, code=PAYMENT_CODE))
        assert world.say("wei", resolve(question)) == []


class TestRequestsToPay:
    async def test_an_id_from_far_ahead_of_every_clock_is_dropped_unanswered(self, world: World) -> None:
        ahead = request(world, request_id=f"{(2**48 - 1) << 80:032x}")
        assert world.say("wei", ahead) == []

    async def test_the_owner_of_the_payment_code_is_asked_with_the_schemes_fees(self, world: World) -> None:
        asked = request(world)
        ((peer, told),) = world.say("wei", asked)
        assert peer == "jing"
        assert told == msgspec.structs.replace(asked, interchange_bps=20, switch_fee_bps=5, fee_version="2026-1")

    async def test_a_mandate_names_its_bank(self, world: World) -> None:
        ((peer, told),) = world.say("wei", request(world, code="mandate:yun:token", channel=Channel.TOP_UP))
        assert peer == "yun"
        assert isinstance(told, RequestToPay)
        assert (told.interchange_bps, told.switch_fee_bps) == (0, 0)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"code": "mandate:nobody:token"}, "PARTICIPANT_UNKNOWN"),
            ({"code": "mandate:"}, "PARTICIPANT_UNKNOWN"),
            ({"code": "190000000000000000"}, "CODE_UNKNOWN"),
            ({"code": "hello"}, "CODE_KIND_UNKNOWN"),
            ({"expires_at_ms": 1}, "REQUEST_EXPIRED"),
            ({"creditor_agent": "yun"}, "SENDER_IS_NOT_THE_INSTRUCTING_AGENT"),
        ],
    )
    async def test_what_cannot_be_asked_is_refused_by_name(
        self, world: World, changes: dict[str, Any], reason: str
    ) -> None:
        assert refusal(world.say("wei", request(world, **changes))) == ("wei", reason)

    async def test_how_it_stands_is_passed_on_until_it_expires(self, world: World) -> None:
        asked = request(world)
        world.say("wei", asked)
        assert world.say("jing", standing(asked)) == [("wei", standing(asked))]
        world.pass_time(29)
        no = standing(asked, status=TransactionStatus.REJECTED, reason_name="PIN_WRONG")
        assert refusal(world.say("jing", no)) == ("wei", "PIN_WRONG")
        world.pass_time(1)
        assert world.say("jing", no) == []

    async def test_only_who_was_asked_answers(self, world: World) -> None:
        asked = request(world)
        world.say("wei", asked)
        assert world.say("yun", standing(asked)) == []
        assert world.say("jing", standing(asked, creditor_agent="yun")) == []
        assert world.say("jing", standing(request(world))) == []

    async def test_a_request_repeated_is_asked_again(self, world: World) -> None:
        asked = request(world)
        assert world.say("wei", asked) == world.say("wei", asked)
