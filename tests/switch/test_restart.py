"""The switch loses what was not durable, and nothing else."""

from collections.abc import AsyncIterator

import pytest

from tests.switch.world import CAP, Errand, World, accepts, books_balance, enquiry, rejects, told

OFFERED = [("wei", "pacs.008")]
COMPLETED = [("jing", "ACSC"), ("wei", "ACSC")]


class TestRestart:
    @pytest.fixture
    async def slow(self) -> AsyncIterator[World]:
        """A world where nothing is durable until the test says so."""
        world = World(immediate=False)
        await world.boot()
        world.admit("jing", "wei", "zhi")
        world.flush()
        yield world
        world.flush()
        await books_balance(world)

    async def test_nothing_leaves_before_it_is_durable(self, slow: World) -> None:
        payment = slow.payment()
        assert slow.say("jing", payment) == []
        assert told(slow.flush()) == OFFERED
        assert slow.say("wei", accepts(payment)) == []
        assert told(slow.flush()) == COMPLETED
        unseen = slow.payment()
        assert slow.say("jing", enquiry(unseen)) == []
        await slow.crash()  # The tombstone was never told, and is no more.
        slow.say("jing", unseen)
        assert told(slow.flush()) == OFFERED

    async def test_a_reservation_that_was_lost_never_was(self, slow: World) -> None:
        payment = slow.payment()
        slow.say("jing", payment)
        await slow.crash()
        assert await slow.headroom("jing") == CAP
        slow.say("jing", payment)
        assert told(slow.flush()) == OFFERED

    async def test_a_decision_that_was_lost_is_taken_again(self, slow: World) -> None:
        payment = slow.payment()
        slow.say("jing", payment)
        slow.flush()
        slow.say("wei", accepts(payment))
        await slow.crash()
        assert [row.payment_id for row in slow.switch.clearing.undecided.values()] == [int(payment.payment_id, 16)]
        slow.say("wei", accepts(payment))
        assert told(slow.flush()) == COMPLETED

    async def test_after_a_lost_acceptance_the_deadline_decides(self, slow: World) -> None:
        payment = slow.payment()
        slow.say("jing", payment)
        slow.flush()
        slow.say("wei", accepts(payment))
        await slow.crash()
        slow.pass_time(31)
        assert told(slow.flush()) == [("jing", "RJCT DEADLINE_PASSED"), ("wei", "RJCT DEADLINE_PASSED")]

    @pytest.mark.parametrize("decide", [accepts, rejects])
    async def test_a_durable_decision_is_told_after_a_restart(self, slow: World, decide: object) -> None:
        assert callable(decide)
        payment = slow.payment()
        slow.say("jing", payment)
        slow.flush()
        slow.say("wei", decide(payment))
        slow.flush()
        await slow.crash()
        for sender, message in (("jing", payment), ("jing", enquiry(payment)), ("wei", accepts(payment))):
            slow.say(sender, message)
            assert told(slow.flush())[0] == (sender, "ACSC" if decide is accepts else "RJCT CREDITOR_AGENT_REJECTED")

    async def test_a_crash_between_the_row_and_its_reservation_is_healed_by_a_repeat(self, slow: World) -> None:
        for repeat in (lambda payment: payment, enquiry):
            errands: list[Errand] = []
            slow.clock.advance(seconds=1)  # Ids from now on are known to be new.
            await slow.crash(errands.append)  # The positions are cold, and looking them up takes its time.
            payment = slow.payment()
            slow.say("jing", payment)
            assert slow.flush() == []
            slow.say("jing", repeat(payment))
            slow.say("wei", accepts(payment))  # Nobody was offered it.
            assert "pacs.008" not in [message for _, message in told(slow.flush())]
            for errand in errands:
                errand.close()
            await slow.crash()  # The payment was durable, its reservation was never made.
            slow.say("jing", repeat(payment))
            assert ("wei", "pacs.008") in told(slow.flush())
            slow.say("wei", accepts(payment))
            assert told(slow.flush()) == COMPLETED

    async def test_undecided_returns_still_count_after_a_restart(self, slow: World) -> None:
        payment = slow.payment()
        slow.say("jing", payment)
        slow.say("wei", accepts(payment))
        slow.flush()
        first = slow.refund(payment, amount=600, settlement=600)
        slow.say("wei", first)
        slow.flush()
        await slow.crash()
        slow.say("wei", slow.refund(payment, amount=401, settlement=401))
        assert told(slow.flush()) == [("wei", "RJCT RETURNS_EXCEED_PAYMENT")]
        slow.say("jing", accepts(first))
        assert told(slow.flush()) == [("wei", "ACSC"), ("jing", "ACSC")]

    async def test_a_crash_between_admission_and_the_position_is_healed_by_the_start(self, slow: World) -> None:
        slow.clock.advance(seconds=1)
        errands: list[Errand] = []
        await slow.crash(errands.append)  # Whether there is such an account has to be looked up, and takes its time.
        slow.switch.admission.admit("hai", "hai", "Hai", "")
        slow.flush()
        for errand in errands:
            errand.close()
        await slow.crash()
        slow.admit("hai")
        payment = slow.payment(creditor_agent="hai")
        slow.say("jing", payment)
        assert told(slow.flush()) == [("hai", "pacs.008")]
        slow.say("hai", accepts(payment))
        slow.flush()
        assert await slow.headroom("hai") == CAP + 1_000
