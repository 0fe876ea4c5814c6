"""The operator's use cases: each can be repeated, and all of it is there after a restart."""

import pytest

from hutong.codes.code import CodeReason
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.money import Currency
from hutong.ledger.transfer import TransferStatus
from hutong.scheme.messages import Channel
from hutong.switch.fees import NO_FEES, FeeRule, Fees
from hutong.switch.reason import SwitchReason
from tests.switch.world import CAP, World, accepts

KEY = bytes(range(32))


@pytest.fixture
async def world() -> World:
    world = World()
    await world.boot()
    world.admit("jing", "wei")
    return world


def refused(reason: Reason) -> "pytest.RaisesExc[Refusal]":
    return pytest.raises(Refusal, check=lambda refusal: refusal.reason is reason)


async def test_everything_is_there_after_a_restart(world: World) -> None:
    admission = world.switch.admission
    admission.suspend("wei")
    admission.add_key("jing", "jing-1", KEY, 0, 10**19 // 10)
    admission.register_form("jing", "url:https://jing.example/q/")
    admission.register_form("wei", "digits:28:18")
    admission.withdraw_form("wei", "digits:28:18")
    admission.publish_fees("2026-1", world.clock.now_ns(), [FeeRule(switch_fee_bps=10)])
    before = (admission.participants(), admission.keys(), admission.forms())
    world.journal.flush()
    await world.crash()
    admission = world.switch.admission
    assert (admission.participants(), admission.keys(), admission.forms()) == before
    assert [each.status for each in before[0]] == ["ACTIVE", "SUSPENDED"]
    assert admission.directory.resolve("https://jing.example/q/M1").node == "jing"
    with refused(CodeReason.CODE_UNKNOWN):
        admission.directory.resolve("280000000000000000")
    assert admission.fees_now("5812", Channel.STATIC_CODE) == Fees(0, 10, "2026-1")
    assert await world.headroom("jing") == CAP


class TestParticipants:
    async def test_admitting_again_changes_nothing_but_name_and_address(self, world: World) -> None:
        before = world.journal.position
        known = world.switch.admission.participant("jing")
        assert world.switch.admission.admit("jing", "jing", "Jing", "") == known
        assert world.journal.position == before
        moved = world.switch.admission.admit("jing", "jing", "Jing Pay", "https://jing.example")
        assert (moved.name, moved.url, moved.status) == ("Jing Pay", "https://jing.example", "ACTIVE")
        assert await world.headroom("jing") == CAP

    async def test_a_suspended_node_does_not_come_back_by_being_admitted_again(self, world: World) -> None:
        world.switch.admission.suspend("jing")
        assert world.switch.admission.admit("jing", "jing", "Other", "").status == "SUSPENDED"

    async def test_a_node_of_another_participant_is_refused(self, world: World) -> None:
        with refused(SwitchReason.PARTICIPANT_EXISTS):
            world.switch.admission.admit("jing", "wei", "Jing", "")

    async def test_who_was_never_admitted_is_unknown(self, world: World) -> None:
        admission = world.switch.admission
        for verb in (admission.participant, admission.suspend, admission.resume):
            with refused(SwitchReason.PARTICIPANT_UNKNOWN):
                verb("nobody")

    async def test_suspending_twice_is_suspending_once(self, world: World) -> None:
        first = world.switch.admission.suspend("jing")
        position = world.journal.position
        assert world.switch.admission.suspend("jing") == first
        assert world.journal.position == position


class TestKeys:
    async def test_a_key_is_added_once_and_not_changed(self, world: World) -> None:
        admission = world.switch.admission
        admission.add_key("jing", "jing-1", KEY, 0, 100)
        admission.add_key("jing", "jing-1", KEY, 0, 100)
        assert len(admission.keys()) == 1
        for other in (("wei", KEY, 100), ("jing", KEY[::-1], 100), ("jing", KEY, 101)):
            with refused(SwitchReason.KEY_CONFLICTS):
                admission.add_key(other[0], "jing-1", other[1], 0, other[2])

    async def test_two_keys_overlap_and_one_is_retired(self, world: World) -> None:
        admission = world.switch.admission
        for key_id in ("jing-1", "jing-2"):
            admission.add_key("jing", key_id, KEY, 0, 2**62)
        admission.retire_key("jing-1")
        world.pass_time(1)
        admission.retire_key("jing-1")  # It stays retired from when it was.
        keys = admission.keys()
        until = {key.key_id: key.valid_until_ns for key in keys}
        assert until == {"jing-1": world.clock.now_ns() - 10**9, "jing-2": 2**62}
        with refused(SwitchReason.KEY_UNKNOWN):
            admission.retire_key("jing-3")


class TestForms:
    async def test_one_pattern_is_one_nodes(self, world: World) -> None:
        admission = world.switch.admission
        registered = admission.register_form("jing", "digits:28:18")
        assert admission.register_form("jing", "digits:28:18") == registered
        assert len(admission.forms()) == 1
        with refused(CodeReason.FORM_TAKEN):
            admission.register_form("wei", "digits:28:18", consented_by="operator")

    async def test_a_longer_form_inside_anothers_takes_the_operators_consent(self, world: World) -> None:
        admission = world.switch.admission
        admission.register_form("jing", "digits:28:18")
        with refused(CodeReason.FORM_OVERLAPS):
            admission.register_form("wei", "digits:2861:18")
        assert admission.register_form("wei", "digits:2861:18", consented_by="li").consented == "li"
        assert admission.directory.resolve("286100000000000000").node == "wei"
        assert admission.directory.resolve("286200000000000000").node == "jing"

    async def test_a_withdrawn_form_can_be_registered_by_another(self, world: World) -> None:
        admission = world.switch.admission
        admission.register_form("jing", "digits:28:18")
        with refused(CodeReason.FORM_UNKNOWN):
            admission.withdraw_form("wei", "digits:28:18")
        admission.withdraw_form("jing", "digits:28:18")
        with refused(CodeReason.FORM_UNKNOWN):
            admission.withdraw_form("jing", "digits:28:18")
        assert admission.register_form("wei", "digits:28:18").active
        assert admission.directory.resolve("286200000000000000").node == "wei"

    async def test_only_participants_have_forms(self, world: World) -> None:
        with refused(SwitchReason.PARTICIPANT_UNKNOWN):
            world.switch.admission.register_form("nobody", "digits:28:18")


class TestCaps:
    async def test_the_same_change_again_changes_nothing(self, world: World) -> None:
        answers: list[TransferStatus] = []
        change = world.mint.mint()
        for amount in (500, 500, 501):
            world.switch.admission.grant_cap(change, "jing", Currency.CNY, amount, answers.append)
        assert answers == [
            TransferStatus.CREATED,
            TransferStatus.EXISTS,
            TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT,
        ]
        assert await world.headroom("jing") == CAP + 500

    async def test_lowering_takes_back_at_most_what_is_unused(self, world: World) -> None:
        payment = world.payment(amount=30_000)
        world.say("jing", payment)
        world.lower("jing", CAP)
        assert await world.headroom("jing") == 0
        world.say("wei", accepts(payment))
        world.lower("jing", CAP)
        assert await world.headroom("jing") == 0
        assert await world.headroom("wei") == CAP + 30_000

    async def test_only_participants_have_caps(self, world: World) -> None:
        with refused(SwitchReason.PARTICIPANT_UNKNOWN):
            world.grant("nobody", 1)


class TestFees:
    async def test_a_version_is_published_once_and_for_the_future(self, world: World) -> None:
        admission, now_ns = world.switch.admission, world.clock.now_ns()
        schedule = admission.publish_fees("2026-1", now_ns, [FeeRule(switch_fee_bps=10)])
        world.pass_time(10)
        assert admission.publish_fees("2026-1", now_ns, [FeeRule(switch_fee_bps=10)]) == schedule
        for starts_ns, bps in ((now_ns + 1, 10), (now_ns, 11)):
            with refused(SwitchReason.FEE_SCHEDULE_CONFLICTS):
                admission.publish_fees("2026-1", starts_ns, [FeeRule(switch_fee_bps=bps)])
        with refused(SwitchReason.FEE_SCHEDULE_STARTS_IN_THE_PAST):
            admission.publish_fees("2026-2", now_ns, [])
        with refused(SwitchReason.FEE_SCHEDULE_CONFLICTS):
            admission.publish_fees(NO_FEES.version, world.clock.now_ns(), [])

    async def test_the_latest_to_have_started_is_in_force(self, world: World) -> None:
        admission, now_ns = world.switch.admission, world.clock.now_ns()
        for version, after_s in (("b", 20), ("a", 10)):
            admission.publish_fees(version, now_ns + after_s * 10**9, [])
        seen = []
        for _ in range(3):
            seen.append(admission.fees_now("5812", Channel.STATIC_CODE).version)
            world.pass_time(10)
        assert seen == [NO_FEES.version, "a", "b"]
