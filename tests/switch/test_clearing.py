"""Every path of a payment and a return through the switch, and its positions after each."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from hutong.kernel.money import Currency
from hutong.scheme.messages import Channel, PaymentStatus, TransactionStatus
from hutong.switch import chart
from hutong.switch.fees import FeeRule
from hutong.switch.policy import ClearingPolicy
from tests.switch.world import CAP, World, accepts, answer, books_balance, complete, enquiry, rejects, told

OFFERED = [("wei", "pacs.008")]
COMPLETED = [("jing", "ACSC"), ("wei", "ACSC")]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.boot()
    world.admit("jing", "wei", "zhi")
    yield world
    await books_balance(world)


async def test_a_payment_is_reserved_offered_and_completed_by_the_acceptance(world: World) -> None:
    payment = world.payment()
    letters = world.say("jing", payment)
    assert letters == [("wei", payment)]  # As it came: the creditor agent sees what the debtor agent signed.
    position = await world.position("jing")
    assert (position.debits_pending, position.debits_posted) == (1_000, 0)
    letters = world.say("wei", accepts(payment))
    assert told(letters) == COMPLETED
    status = letters[0][1]
    assert isinstance(status, PaymentStatus)
    assert status.settles_on == "2026-01-01"
    assert await world.headroom("jing") == CAP - 1_000
    assert await world.headroom("wei") == CAP + 1_000


async def test_what_is_decided_from_the_cut_off_on_settles_the_next_day(world: World) -> None:
    world.pass_time(15 * 3600 - 1)  # It was 08:00 in Shanghai; the cut-off is at 23:00.
    days = []
    for _ in range(2):
        payment = world.payment()
        world.say("jing", payment)
        (status, _) = (letter[1] for letter in world.say("wei", accepts(payment)))
        assert isinstance(status, PaymentStatus)
        days.append(status.settles_on)
        world.pass_time(1)
    assert days == ["2026-01-01", "2026-01-02"]


async def test_a_rejection_by_the_creditor_agent_releases_everything_and_keeps_its_reason(world: World) -> None:
    payment = world.payment()
    world.say("jing", payment)
    letters = world.say("wei", rejects(payment, "REQUEST_ALREADY_PAID", "AM05"))
    assert told(letters) == [("jing", "RJCT REQUEST_ALREADY_PAID"), ("wei", "RJCT REQUEST_ALREADY_PAID")]
    assert await world.headroom("jing") == CAP
    assert told(world.say("wei", accepts(payment))) == [("wei", "RJCT REQUEST_ALREADY_PAID")]


async def test_a_rejection_without_a_reason_gets_the_switchs_own(world: World) -> None:
    payment = world.payment()
    world.say("jing", payment)
    assert told(world.say("wei", rejects(payment)))[0] == ("jing", "RJCT CREDITOR_AGENT_REJECTED")


async def test_the_cap_can_be_reached_and_not_be_passed_by_one_fen(world: World) -> None:
    complete(world, world.payment(amount=CAP))
    assert await world.headroom("jing") == 0
    refused = world.payment(amount=1)
    assert told(world.say("jing", refused)) == [("jing", "RJCT NET_DEBIT_CAP_EXCEEDED")]
    assert told(world.say("jing", refused)) == [("jing", "RJCT NET_DEBIT_CAP_EXCEEDED")]
    complete(world, world.payment(amount=1, debtor_agent="wei", creditor_agent="jing"))
    complete(world, world.payment(amount=1))


async def test_one_fen_over_the_cap_at_once_is_refused(world: World) -> None:
    assert told(world.say("jing", world.payment(amount=CAP + 1))) == [("jing", "RJCT NET_DEBIT_CAP_EXCEEDED")]


async def test_what_is_only_reserved_counts_against_the_cap_and_what_is_not_yet_received_does_not_help(
    world: World,
) -> None:
    reserved = world.payment(amount=CAP)
    world.say("jing", reserved)
    assert told(world.say("jing", world.payment(amount=1))) == [("jing", "RJCT NET_DEBIT_CAP_EXCEEDED")]
    assert told(world.say("wei", world.payment(amount=CAP + 1, debtor_agent="wei", creditor_agent="zhi"))) == [
        ("wei", "RJCT NET_DEBIT_CAP_EXCEEDED")
    ]


async def test_a_node_without_a_cap_can_be_paid_and_then_pay_what_it_was_paid(world: World) -> None:
    world.admit("yun", cap=0)
    assert told(world.say("yun", world.payment(debtor_agent="yun"))) == [("yun", "RJCT NET_DEBIT_CAP_EXCEEDED")]
    complete(world, world.payment(amount=500, creditor_agent="yun"))
    complete(world, world.payment(amount=500, debtor_agent="yun"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"currency": "USD"}, "CURRENCY_NOT_CLEARED_HERE"),
        ({"creditor_agent": "nobody"}, "PARTICIPANT_UNKNOWN"),
        ({"creditor_agent": "jing"}, "AGENTS_ARE_THE_SAME"),
        ({"settlement": 999}, "AMOUNTS_DO_NOT_ADD_UP"),
        ({"settlement": 1_001}, "AMOUNTS_DO_NOT_ADD_UP"),
        ({"settlement": 990, "interchange": 10}, "FEES_DIFFER"),
        ({"settlement": 999, "switch_fee": 1}, "FEES_DIFFER"),
        ({"settlement": 900, "creditor_discount": 99}, "AMOUNTS_DO_NOT_ADD_UP"),
    ],
)
async def test_a_payment_that_breaks_a_rule_is_rejected_for_good(
    world: World, changes: dict[str, object], reason: str
) -> None:
    payment = world.payment(**changes)
    assert told(world.say("jing", payment)) == [("jing", f"RJCT {reason}")]
    assert told(world.say("jing", payment)) == [("jing", f"RJCT {reason}")]
    assert told(world.say("jing", enquiry(payment))) == [("jing", f"RJCT {reason}")]
    assert await world.headroom("jing") == CAP


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0, "DEADLINE_PASSED"), (-1, "DEADLINE_PASSED"), (600, None), (601, "DEADLINE_TOO_FAR")]
)
async def test_a_deadline_is_in_the_next_ten_minutes(world: World, seconds: int, reason: str | None) -> None:
    letters = told(world.say("jing", world.payment(expires_at_ms=world.now_ms(seconds))))
    assert letters == ([("jing", f"RJCT {reason}")] if reason else OFFERED)


async def test_a_discount_of_the_creditor_side_does_not_cross(world: World) -> None:
    complete(world, world.payment(amount=1_000, creditor_discount=300, settlement=700))
    assert await world.headroom("wei") == CAP + 700


async def test_nothing_is_cleared_on_behalf_of_another(world: World) -> None:
    payment = world.payment()
    assert world.say("zhi", payment) == []
    world.say("jing", payment)
    assert world.say("zhi", accepts(payment)) == []
    assert world.say("jing", accepts(payment)) == []  # Not even who pays may accept.
    assert world.say("zhi", rejects(payment)) == []
    assert world.say("zhi", enquiry(payment)) == []
    assert told(world.say("wei", accepts(payment))) == COMPLETED


async def test_two_nodes_may_use_the_same_id_for_different_payments(world: World) -> None:
    first = world.payment()
    second = world.payment(payment_id=first.payment_id, debtor_agent="zhi", amount=2_000)
    complete(world, first)
    complete(world, second)
    assert await world.headroom("wei") == CAP + 3_000


class TestRepeats:
    async def test_an_undecided_payment_is_offered_again_and_reserved_once(self, world: World) -> None:
        payment = world.payment()
        world.say("jing", payment)
        assert told(world.say("jing", payment)) == OFFERED
        assert told(world.say("jing", payment, payment)) == OFFERED * 2
        assert (await world.position("jing")).debits_pending == 1_000

    async def test_a_decided_payment_is_told_its_decision_and_moves_nothing(self, world: World) -> None:
        payment = world.payment()
        complete(world, payment)
        assert told(world.say("jing", payment)) == [("jing", "ACSC")]
        for late in (accepts(payment), rejects(payment)):
            assert told(world.say("wei", late)) == [("wei", "ACSC")]
        assert await world.headroom("jing") == CAP - 1_000

    async def test_acceptance_and_rejection_in_one_batch_are_decided_by_the_first(self, world: World) -> None:
        payment = world.payment()
        world.say("jing", payment)
        letters = told(world.say("wei", accepts(payment), rejects(payment)))
        assert sorted(set(letters)) == COMPLETED

    @pytest.mark.parametrize("decide", [None, accepts, rejects])
    async def test_other_content_under_the_same_id_changes_nothing(self, world: World, decide: object) -> None:
        payment = world.payment()
        world.say("jing", payment)
        standing = "PDNG"
        if callable(decide):
            world.say("wei", decide(payment))
            standing = "ACSC" if decide is accepts else "RJCT"
        other = msgspec.structs.replace(payment, amount=2_000, settlement=2_000)
        assert told(world.say("jing", other)) == [("jing", f"{standing} SAME_ID_OTHER_CONTENT")]
        position = await world.position("jing")
        assert position.debits_pending + position.debits_posted in {0, 1_000}
        if decide is None:
            assert told(world.say("wei", accepts(payment))) == COMPLETED

    async def test_a_pending_answer_from_the_creditor_agent_decides_nothing(self, world: World) -> None:
        payment = world.payment()
        world.say("jing", payment)
        assert world.say("wei", answer(payment, TransactionStatus.PENDING)) == []
        assert world.say("wei", answer(payment, TransactionStatus.COMPLETED)) == []
        assert told(world.say("wei", accepts(payment))) == COMPLETED


class TestDeadline:
    async def test_what_nobody_accepted_in_time_is_rejected_and_released(self, world: World) -> None:
        payment = world.payment()
        world.say("jing", payment)
        assert world.pass_time(29) == []
        assert told(world.pass_time(1)) == [("jing", "RJCT DEADLINE_PASSED"), ("wei", "RJCT DEADLINE_PASSED")]
        assert world.pass_time(60) == []
        assert await world.headroom("jing") == CAP
        assert told(world.say("wei", accepts(payment))) == [("wei", "RJCT DEADLINE_PASSED")]

    async def test_an_acceptance_counts_until_the_switch_has_voided(self, world: World) -> None:
        payment = world.payment()
        world.say("jing", payment)
        world.clock.advance(seconds=31)  # And no tick came.
        assert told(world.say("wei", accepts(payment))) == COMPLETED
        assert world.pass_time(1) == []

    async def test_a_decided_payment_does_not_expire(self, world: World) -> None:
        complete(world, world.payment())
        assert world.pass_time(60) == []


class TestSuspension:
    @pytest.mark.parametrize("node", ["jing", "wei"])
    async def test_nothing_new_is_admitted_from_or_to_a_suspended_node(self, world: World, node: str) -> None:
        world.switch.admission.suspend(node)
        payment = world.payment()
        assert told(world.say("jing", payment)) == [("jing", "RJCT PARTICIPANT_SUSPENDED")]
        world.switch.admission.resume(node)
        assert told(world.say("jing", payment)) == [("jing", "RJCT PARTICIPANT_SUSPENDED")]  # A no stays a no.
        complete(world, world.payment())

    @pytest.mark.parametrize("node", ["jing", "wei"])
    async def test_what_was_reserved_before_is_still_decided(self, world: World, node: str) -> None:
        accepted, rejected, expired = (world.payment() for _ in range(3))
        world.say("jing", accepted, rejected, expired)
        world.switch.admission.suspend(node)
        assert told(world.say("jing", accepted)) == OFFERED
        assert told(world.say("wei", accepts(accepted))) == COMPLETED
        assert told(world.say("wei", rejects(rejected)))[0] == ("jing", "RJCT CREDITOR_AGENT_REJECTED")
        assert len(world.pass_time(30)) == 2


class TestEnquiry:
    async def test_an_undecided_payment_is_pending_and_is_offered_again(self, world: World) -> None:
        payment = world.payment()
        world.say("jing", payment)
        for asks in ("jing", "wei"):
            assert sorted(told(world.say(asks, enquiry(payment)))) == sorted([(asks, "PDNG"), *OFFERED])

    async def test_a_decided_payment_is_told_to_either_side(self, world: World) -> None:
        payment = world.payment()
        complete(world, payment)
        for asks in ("jing", "wei"):
            assert told(world.say(asks, enquiry(payment))) == [(asks, "ACSC")]

    async def test_a_payment_never_seen_is_rejected_for_good(self, world: World) -> None:
        payment = world.payment()
        assert told(world.say("jing", enquiry(payment))) == [("jing", "RJCT NEVER_SEEN")]
        assert told(world.say("jing", payment)) == [("jing", "RJCT NEVER_SEEN")]
        assert world.say("wei", accepts(payment)) == []
        assert await world.headroom("jing") == CAP

    async def test_nobody_can_bury_anothers_payment(self, world: World) -> None:
        payment = world.payment()
        assert world.say("wei", enquiry(payment)) == []
        complete(world, payment)

    async def test_a_storm_of_enquiries_is_dropped_and_payments_go_on(self) -> None:
        world = World(ClearingPolicy(enquiries_per_s=2, enquiries_burst=3))
        await world.boot()
        world.admit("jing", "wei")
        payment = world.payment()
        world.say("jing", payment)
        storm = [enquiry(payment)] * 10
        assert told(world.say("jing", *storm)).count(("jing", "PDNG")) == 3
        assert told(world.say("wei", enquiry(payment))).count(("wei", "PDNG")) == 1
        assert told(world.say("wei", accepts(payment))) == COMPLETED
        world.pass_time(1)
        assert len(told(world.say("jing", *storm))) == 2


class TestFees:
    RULES = (FeeRule(interchange_bps=20, switch_fee_bps=5), FeeRule("5812", interchange_bps=0, switch_fee_bps=10))

    async def test_interchange_and_switch_fee_are_the_schedules(self, world: World) -> None:
        world.switch.admission.publish_fees("2026-1", world.clock.now_ns(), list(self.RULES))
        complete(
            world,
            world.payment(
                amount=10_000, mcc="5411", settlement=9_975, interchange=20, switch_fee=5, fee_version="2026-1"
            ),
        )
        # The interchange stays at the debtor agent: it never crosses.
        assert await world.headroom("jing") == CAP - 9_980
        assert await world.headroom("wei") == CAP + 9_975
        assert (await world.account(chart.income_account(Currency.CNY))).credits_posted == 5

    async def test_the_longest_mcc_prefix_wins_and_people_pay_nothing(self, world: World) -> None:
        world.switch.admission.publish_fees("2026-1", world.clock.now_ns(), list(self.RULES))
        complete(world, world.payment(amount=10_000, settlement=9_990, switch_fee=10, fee_version="2026-1"))
        complete(world, world.payment(channel=Channel.PERSONAL_CODE, fee_version="2026-1"))

    async def test_a_quote_under_the_schedule_just_replaced_is_honoured_for_a_while(self, world: World) -> None:
        world.switch.admission.publish_fees("2026-1", world.clock.now_ns(), list(self.RULES))
        complete(world, world.payment())  # Quoted when everything was free.
        world.pass_time(901)
        stale = told(world.say("jing", world.payment()))
        assert stale == [("jing", "RJCT FEES_DIFFER")]

    async def test_a_schedule_that_has_not_started_does_not_apply(self, world: World) -> None:
        world.switch.admission.publish_fees("2026-1", world.clock.now_ns() + 10**12, list(self.RULES))
        complete(world, world.payment())


async def test_an_id_from_far_ahead_of_every_clock_is_dropped_unanswered(world: World) -> None:
    payment = world.payment()
    ahead = f"{(2**48 - 1) << 80:032x}"
    assert world.say("jing", msgspec.structs.replace(payment, payment_id=ahead)) == []
    assert world.say("jing", msgspec.structs.replace(enquiry(payment), payment_id=ahead)) == []
    assert told(world.say("wei", accepts(payment))) == []
    assert world.say("jing", payment) == [("wei", payment)]
    assert told(world.say("wei", accepts(payment))) == COMPLETED
