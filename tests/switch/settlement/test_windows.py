"""Closing windows: every completed payment is in one, the one the switch said, whatever happens around it."""

import csv
import random
from collections import Counter
from contextlib import suppress

import pytest

from hutong.kernel.errors import Refusal
from hutong.scheme.clearing_file import COLUMNS
from hutong.scheme.messages import CreditTransfer, PaymentStatus, TransactionStatus
from hutong.switch.payment import Decision
from hutong.switch.settlement.calendar import CalendarRules
from hutong.switch.settlement.reason import SettlementReason
from tests.switch.world import World, accepts, complete, rejects

HOUR = 3600  # The world begins at 08:00 in Shanghai.
RULES = CalendarRules(zone="Asia/Shanghai", cut_offs=["12:00"])


@pytest.fixture
async def world() -> World:
    world = World()
    await world.boot()
    world.admit("jing", "wei", "zhi")
    return world


def paid(world: World) -> str:
    """Complete a payment; the window both agents were told."""
    payment = world.payment()
    world.say("jing", payment)
    told = {message.window for _, message in world.say("wei", accepts(payment)) if isinstance(message, PaymentStatus)}
    (window,) = told
    return window


async def test_a_payments_window_is_told_kept_and_never_changes(world: World) -> None:
    payment = world.payment()
    complete(world, payment)
    assert world.switch.windows.windows()[-1].window == "2026-01-01/1"
    world.pass_time(5 * HOUR)
    (_, again) = world.say("jing", payment)[0]
    assert isinstance(again, PaymentStatus)
    assert again.window == "2026-01-01/1"
    assert paid(world) == "2026-01-01/2"


async def test_the_timer_closes_windows_at_their_cut_offs(world: World) -> None:
    world.pass_time(3 * HOUR - 1)
    assert [(row.window, row.state) for row in world.switch.windows.windows()] == [("2026-01-01/1", "OPEN")]
    world.pass_time(1)
    states = {row.window: row.state for row in world.switch.windows.windows()}
    assert list(states) == ["2026-01-01/1", "2026-01-01/2"]
    assert (states["2026-01-01/1"] != "OPEN", states["2026-01-01/2"]) == (True, "OPEN")


async def test_a_payment_at_the_cut_off_is_in_the_next_window_also_before_the_timer_comes(world: World) -> None:
    world.clock.advance(seconds=3 * HOUR)
    assert paid(world) == "2026-01-01/2"
    world.clock.ns -= 300 * 10**9  # A clock put back: the earlier window may be closed.
    assert paid(world) == "2026-01-01/2"


async def test_a_restart_across_cut_offs_catches_up_with_every_window(world: World) -> None:
    paid(world)
    world.clock.advance(seconds=27 * HOUR)
    await world.crash()
    assert paid(world) == "2026-01-02/2"
    world.pass_time(1)
    rows = world.switch.windows.windows()
    assert [row.window for row in rows] == [f"2026-01-01/{n}" for n in (1, 2, 3)] + ["2026-01-02/1", "2026-01-02/2"]
    assert [row.state == "OPEN" for row in rows] == [False, False, False, False, True]


async def test_an_operator_closes_a_window_before_its_time_and_once(world: World) -> None:
    paid(world)
    closed = world.switch.windows.close("2026-01-01/1")
    world.journal.seal()
    assert paid(world) == "2026-01-01/2"
    assert world.switch.windows.close("2026-01-01/1").closed_ns == closed.closed_ns
    world.pass_time(3 * HOUR)
    assert paid(world) == "2026-01-01/2"  # It keeps its own cut-off.
    for number in (2, 3):
        world.switch.windows.close(f"2026-01-01/{number}")
    with pytest.raises(Refusal) as refused:
        world.switch.windows.close("2026-01-02/1")
    assert refused.value.reason is SettlementReason.WINDOW_NOT_OPEN_YET
    world.journal.seal()
    await world.crash()
    assert paid(world) == "2026-01-02/1"


async def test_a_closing_that_was_not_durable_has_not_been() -> None:
    world = World(immediate=False)
    await world.boot()
    world.flush()
    world.switch.windows.close("2026-01-01/1")
    await world.crash()
    assert [(row.window, row.state) for row in world.switch.windows.windows()] == [("2026-01-01/1", "OPEN")]


async def test_calendars_are_announced_for_days_that_have_not_begun(world: World) -> None:
    windows = world.switch.windows
    announced = windows.publish_calendar("noon", "2026-01-02", RULES)
    assert windows.publish_calendar("noon", "2026-01-02", RULES) == announced
    for version, first_on, reason in (
        ("noon", "2026-01-03", SettlementReason.CALENDAR_CONFLICTS),
        ("other", "2026-01-02", SettlementReason.CALENDAR_CONFLICTS),
        ("early", "2026-01-01", SettlementReason.CALENDAR_STARTS_TOO_EARLY),
        ("never", "2026-02-30", SettlementReason.CALENDAR_INVALID),
    ):
        with pytest.raises(Refusal) as refused:
            windows.publish_calendar(version, first_on, RULES)
        assert refused.value.reason is reason
    world.journal.seal()
    world.pass_time(27 * HOUR)  # 11:00 the next day.
    assert paid(world) == "2026-01-02/1"
    await world.crash()
    world.pass_time(HOUR)
    assert paid(world) == "2026-01-03/1"


@pytest.mark.parametrize("seed", range(20))
async def test_every_completed_payment_is_in_exactly_one_window_under_any_interleaving(seed: int) -> None:
    """Payments, answers, cut-offs, early closings, crashes and clocks put back, in any order."""
    chance = random.Random(seed)
    world = World()
    await world.boot()
    world.admit("jing", "wei", "zhi", cap=10**12)
    under_way: list[CreditTransfer] = []
    told: dict[str, set[str]] = {}

    def hear() -> None:
        for _, message in world.letters:
            if isinstance(message, PaymentStatus) and message.status is TransactionStatus.COMPLETED:
                told.setdefault(message.payment_id, set()).add(message.window)

    for _ in range(150):
        match chance.randrange(10):
            case 0:
                world.pass_time(chance.randrange(3 * HOUR))
            case 1:
                with suppress(Refusal):
                    world.switch.windows.close(world.switch.windows.windows()[-1].window)
                world.journal.seal()
            case 2:
                await world.crash()
            case 3:
                world.clock.ns -= chance.randrange(300) * 10**9
            case 4 | 5 | 6:
                payment = world.payment(debtor_agent=chance.choice(["jing", "zhi"]), amount=chance.randrange(1, 999))
                world.say(payment.debtor_agent, payment)
                under_way.append(payment)
            case _:
                if under_way:
                    payment = chance.choice(under_way)
                    world.say("wei", accepts(payment) if chance.random() < 0.8 else rejects(payment))
        hear()
    world.pass_time(2 * 24 * HOUR)
    decisions: list[Decision] = [row for _, row in world.store.rows["decision"]]
    completed = {decision.id: decision for decision in decisions if decision.status == "ACSC"}
    # What was told is what was written down; a crash kept some from being told at all.
    assert all(
        told.get(f"{decision.payment_id:032x}", {decision.window}) == {decision.window}
        for decision in completed.values()
    )
    known = {row.window: row for row in world.switch.windows.windows()}
    keys = [(known[each.window].settles_on, known[each.window].number) for each in completed.values()]
    assert keys == sorted(keys)
    assert await lines_of_all_files(world) == len(completed)


async def lines_of_all_files(world: World) -> int:
    """How many payments and returns the clearing files of all closed windows have; each in both agents' files."""
    count = 0
    for row in world.switch.windows.windows():
        if row.state == "OPEN":
            continue
        lines: Counter[str] = Counter()
        for node in ("jing", "wei", "zhi"):
            pieces = [piece async for piece in world.switch.cleared.clearing_file(row, node)]
            read = list(csv.DictReader(b"".join(pieces).decode().splitlines()))
            assert all(line["window"] == row.window for line in read)
            lines.update(line["originator"] + line["id"] for line in read)
        assert set(lines.values()) <= {2}
        count += len(lines)
    return count


async def test_the_clearing_file_says_what_moved_on_the_nodes_position(world: World) -> None:
    payment = world.payment(amount=1_000, creditor_discount=300, settlement=700)
    complete(world, payment)
    refund = world.refund(payment, amount=100, settlement=70, creditor_discount=30)
    world.say("wei", refund)
    world.say("jing", accepts(refund))
    with pytest.raises(Refusal) as refused:
        world.switch.windows.closed_window("2026-01-01/1")
    assert refused.value.reason is SettlementReason.WINDOW_NOT_CLOSED
    world.switch.windows.close("2026-01-01/1")
    world.journal.seal()
    window = world.switch.windows.closed_window("2026-01-01/1")
    files = {}
    for node in ("jing", "wei", "zhi"):
        text = b"".join([piece async for piece in world.switch.cleared.clearing_file(window, node)]).decode()
        assert text.splitlines()[0] == ",".join(COLUMNS)
        files[node] = list(csv.DictReader(text.splitlines()))
    at = str(world.now_ms())
    common = {"window": "2026-01-01/1", "debtor_agent": "jing", "creditor_agent": "wei", "currency": "CNY"}
    common |= {"interchange": "0", "switch_fee": "0", "decided_at_ms": at}
    first = {"kind": "PAYMENT", "originator": "jing", "id": payment.payment_id, "original_id": "", "amount": "1000"}
    second = {"kind": "RETURN", "originator": "wei", "id": refund.return_id, "original_id": payment.payment_id}
    first |= common | {"settlement": "700", "cleared": "700"}
    second |= common | {"amount": "100", "settlement": "70", "cleared": "70"}
    assert files["jing"] == [first | {"direction": "DEBIT"}, second | {"direction": "CREDIT"}]
    assert files["wei"] == [first | {"direction": "CREDIT"}, second | {"direction": "DEBIT"}]
    assert files["zhi"] == []
