"""Every path of a return through the switch, and its positions after each."""

from collections.abc import AsyncIterator

import pytest

from hutong.runtime.node import run_now
from hutong.switch.fees import FeeRule
from tests.switch.world import CAP, Errand, World, accepts, books_balance, complete, rejects, told

OFFERED = [("wei", "pacs.008")]
COMPLETED = [("jing", "ACSC"), ("wei", "ACSC")]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.boot()
    world.admit("jing", "wei", "zhi")
    yield world
    await books_balance(world)


class TestReturns:
    async def test_a_return_is_decided_like_a_payment_and_mirrors_it(self, world: World) -> None:
        payment = world.payment()
        complete(world, payment)
        refund = world.refund(payment, amount=400, settlement=400)
        assert told(world.say("wei", refund)) == [("jing", "pacs.004")]
        assert (await world.position("wei")).debits_pending == 400
        assert told(world.say("jing", accepts(refund))) == [("wei", "ACSC"), ("jing", "ACSC")]
        assert await world.headroom("jing") == CAP - 600
        assert told(world.say("wei", refund)) == [("wei", "ACSC")]

    async def test_returns_that_come_while_the_ledger_looks_something_up_never_exceed_the_payment(
        self, world: World
    ) -> None:
        payment = world.payment()
        complete(world, payment)
        first, second = world.refund(payment), world.refund(payment, amount=1, settlement=1)
        await world.crash()  # Then ids of this millisecond are looked up.
        errands: list[Errand] = []
        world.switch.ledger._spawn = errands.append  # type: ignore[attr-defined]
        assert world.say("wei", first) == []
        assert told(world.say("wei", second)) == [("wei", "RJCT RETURNS_EXCEED_PAYMENT")]
        world.switch.ledger._spawn = run_now  # type: ignore[attr-defined]
        for errand in errands:
            run_now(errand)
        assert told(world.say("jing", accepts(first))) == [("wei", "ACSC"), ("jing", "ACSC")]

    async def test_a_return_the_cap_refuses_can_be_asked_for_again(self, world: World) -> None:
        payment = world.payment()
        complete(world, payment)
        world.lower("wei", CAP + 1_000)
        assert told(world.say("wei", world.refund(payment))) == [("wei", "RJCT NET_DEBIT_CAP_EXCEEDED")]
        world.grant("wei", 1_000)
        assert told(world.say("wei", world.refund(payment))) == [("jing", "pacs.004")]

    async def test_a_return_never_accepted_expires(self, world: World) -> None:
        payment = world.payment()
        complete(world, payment)
        refund = world.refund(payment)
        world.say("wei", refund)
        assert told(world.pass_time(30))[0] == ("wei", "RJCT DEADLINE_PASSED")
        assert told(world.say("wei", world.refund(payment))) == [("jing", "pacs.004")]

    async def test_the_creditor_agents_cap_bounds_its_returns(self, world: World) -> None:
        payment = world.payment(amount=1_000)
        complete(world, payment)
        complete(world, world.payment(amount=CAP + 1_000, debtor_agent="wei", creditor_agent="zhi"))
        assert told(world.say("wei", world.refund(payment))) == [("wei", "RJCT NET_DEBIT_CAP_EXCEEDED")]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"payment_id": "0" * 31 + "1"}, "ORIGINAL_PAYMENT_UNKNOWN"),
            ({"debtor_agent": "zhi"}, "ORIGINAL_PAYMENT_UNKNOWN"),
            ({"amount": 1_001, "settlement": 1_001}, "RETURNS_EXCEED_PAYMENT"),
            ({"settlement": 999}, "AMOUNTS_DO_NOT_ADD_UP"),
            ({"settlement": 999, "switch_fee": 1}, "RETURNS_EXCEED_PAYMENT"),
            ({"expires_at_ms": 1}, "DEADLINE_PASSED"),
        ],
    )
    async def test_a_return_that_breaks_a_rule_is_rejected(
        self, world: World, changes: dict[str, object], reason: str
    ) -> None:
        payment = world.payment()
        complete(world, payment)
        assert told(world.say("wei", world.refund(payment, **changes))) == [("wei", f"RJCT {reason}")]

    async def test_nobody_returns_what_another_was_paid(self, world: World) -> None:
        payment = world.payment()
        complete(world, payment)
        refund = world.refund(payment, creditor_agent="zhi")
        assert told(world.say("zhi", refund)) == [("zhi", "RJCT ORIGINAL_PAYMENT_UNKNOWN")]
        assert world.say("jing", world.refund(payment)) == []

    @pytest.mark.parametrize("decide", [None, rejects])
    async def test_what_was_not_completed_is_not_returned(self, world: World, decide: object) -> None:
        payment = world.payment()
        world.say("jing", payment)
        if callable(decide):
            world.say("wei", decide(payment))
        refused = told(world.say("wei", world.refund(payment)))
        assert refused == [("wei", "RJCT ORIGINAL_PAYMENT_NOT_COMPLETED")]

    async def test_a_return_is_not_returned(self, world: World) -> None:
        payment = world.payment()
        complete(world, payment)
        refund = world.refund(payment)
        world.say("wei", refund)
        world.say("jing", accepts(refund))
        again = world.refund(payment, payment_id=refund.return_id, debtor_agent="wei", creditor_agent="jing")
        assert told(world.say("jing", again)) == [("jing", "RJCT ORIGINAL_PAYMENT_UNKNOWN")]

    async def test_returns_together_never_exceed_the_payment_by_one_fen(self, world: World) -> None:
        payment = world.payment()
        complete(world, payment)
        first = world.refund(payment, amount=600, settlement=600)
        world.say("wei", first)  # Undecided returns count, too.
        over = world.refund(payment, amount=401, settlement=401)
        assert told(world.say("wei", over)) == [("wei", "RJCT RETURNS_EXCEED_PAYMENT")]
        world.say("jing", accepts(first))
        await world.crash()
        over = world.refund(payment, amount=401, settlement=401)
        assert told(world.say("wei", over)) == [("wei", "RJCT RETURNS_EXCEED_PAYMENT")]
        rest = world.refund(payment, amount=400, settlement=400)
        assert told(world.say("wei", rest)) == [("jing", "pacs.004")]
        world.say("jing", accepts(rest))
        assert told(world.say("wei", world.refund(payment, amount=1, settlement=1)))[0][1].startswith("RJCT")

    async def test_two_agents_cannot_return_themselves_the_schemes_income(self, world: World) -> None:
        world.switch.admission.publish_fees("2026-1", world.clock.now_ns(), [FeeRule(switch_fee_bps=100)])
        payment = world.payment(settlement=990, switch_fee=10, fee_version="2026-1")
        complete(world, payment)
        complete(world, world.payment(settlement=990, switch_fee=10, fee_version="2026-1", debtor_agent="zhi"))
        first = world.refund(payment, amount=10, settlement=0, switch_fee=10)
        world.say("wei", first)
        world.say("jing", accepts(first))
        second = world.refund(payment, amount=10, settlement=0, switch_fee=10)
        assert told(world.say("wei", second)) == [("wei", "RJCT RETURNS_EXCEED_PAYMENT")]

    async def test_a_return_of_discount_alone_moves_nothing_between_the_agents(self, world: World) -> None:
        payment = world.payment(amount=1_000, creditor_discount=999, settlement=1)
        complete(world, payment)
        refund = world.refund(payment, amount=5, creditor_discount=5, settlement=0)
        assert told(world.say("wei", refund)) == [("jing", "pacs.004")]
        assert told(world.say("jing", accepts(refund))) == [("wei", "ACSC"), ("jing", "ACSC")]
