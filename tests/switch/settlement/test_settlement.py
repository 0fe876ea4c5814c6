"""Windows settled between reserves: who pays, who gets, who waits, and who bears what cannot be paid."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency
from hutong.scheme.messages import AccountStatement, StatementRequest
from hutong.switch import chart
from hutong.switch.fees import FeeRule
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.rules import Fund, LossSource, SettlementRules
from tests.switch.world import CNY, World, accepts, books_balance, complete

W1 = "2026-01-01/1"
SCHEME = "switch"


class Desk(World):
    """The switch's world with an operator who funds and settles."""

    async def fund(self, node: str, amount: int, fund: Fund = Fund.RESERVE, change_id: int = 0) -> str:
        return await self._change(self.switch.reserves.top_up, node, amount, fund, change_id)

    async def take(self, node: str, amount: int, fund: Fund = Fund.RESERVE, change_id: int = 0) -> str:
        return await self._change(self.switch.reserves.withdraw, node, amount, fund, change_id)

    async def _change(self, change: object, node: str, amount: int, fund: Fund, change_id: int) -> str:
        said: list[SettlementReason | None] = []
        assert callable(change)
        try:
            await change(change_id or self.mint.mint(), node, CNY, amount, fund, said.append)
        except Refusal as refusal:
            return f"{refusal.reason.name} {refusal.facts['field']}"
        self.journal.seal()
        return said[0].name if said[0] else "done"

    def close(self, window: str = W1) -> str:
        self.switch.windows.close(window)
        self.journal.seal()
        return self.switch.windows.window(window).state

    async def reserve(self, node: str) -> int:
        account = await self.account(chart.reserve_account(node, CNY))
        return account.credits_posted - account.debits_posted

    async def cap(self, node: str) -> int:
        account = await self.account(chart.reserve_caps_account(node, CNY))
        return account.debits_posted - account.credits_posted

    async def contribution(self, node: str) -> int:
        account = await self.account(chart.contribution_account(node, CNY))
        return account.credits_posted - account.debits_posted


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    await desk.boot()
    desk.admit("jing", "wei", "zhi", cap=0)
    yield desk
    await books_balance(desk)
    books = await desk.switch.positions.books("CNY")
    assert books.is_balanced
    for node in ("jing", "wei", "zhi", SCHEME):
        assert await desk.reserve(node) == desk.switch.accounts.balance(node, "CNY")


async def test_a_reserve_stands_behind_a_cap_and_the_ledger_holds_both_to_it(desk: Desk) -> None:
    assert await desk.fund("jing", 1_000) == "done"
    assert await desk.headroom("jing") == 1_000
    complete(desk, desk.payment(amount=700))
    assert await desk.take("jing", 301) == "POSITION_UNCOVERED"
    assert await desk.take("wei", 1) == "RESERVE_INSUFFICIENT"
    assert await desk.take("jing", 300) == "done"
    assert (await desk.reserve("jing"), await desk.headroom("jing")) == (700, 0)


async def test_a_change_under_a_known_id_is_the_same_change_or_refused(desk: Desk) -> None:
    change_id = desk.mint.mint()
    assert [await desk.fund("jing", 1_000, change_id=change_id) for _ in range(2)] == ["done", "done"]
    assert await desk.fund("jing", 999, change_id=change_id) == "RESERVE_CHANGE_CONFLICTS amount"
    assert await desk.fund("wei", 1_000, change_id=change_id) == "RESERVE_CHANGE_CONFLICTS node or fund"
    assert await desk.take("jing", 1_000, change_id=change_id) == "RESERVE_CHANGE_CONFLICTS change"
    assert await desk.reserve("jing") == 1_000
    refused = desk.mint.mint()
    assert await desk.take("jing", 2_000, change_id=refused) == "RESERVE_INSUFFICIENT"
    await desk.fund("jing", 2_000)
    assert await desk.take("jing", 2_000, change_id=refused) == "RESERVE_CHANGE_REFUSED_EARLIER"


async def test_a_window_is_settled_to_the_fen_and_nobodys_headroom_changes(desk: Desk) -> None:
    desk.switch.admission.publish_fees("2026-1", desk.clock.now_ns(), [FeeRule(switch_fee_bps=10)])
    for node in ("jing", "wei", "zhi"):
        await desk.fund(node, 10_000)
    fee = {"switch_fee": 4, "settlement": 3_996, "fee_version": "2026-1"}
    one = {"switch_fee": 1, "settlement": 999, "fee_version": "2026-1"}
    complete(desk, desk.payment(amount=4_000, **fee))
    complete(desk, desk.payment(amount=1_000, debtor_agent="wei", creditor_agent="zhi", **one))
    before = {node: await desk.headroom(node) for node in ("jing", "wei", "zhi")}
    assert desk.close() == "SETTLED"
    assert {node: await desk.headroom(node) for node in before} == before
    reserves = {node: await desk.reserve(node) for node in ("jing", "wei", "zhi", SCHEME)}
    assert reserves == {"jing": 6_000, "wei": 12_996, "zhi": 10_999, SCHEME: 5}
    assert reserves == {node: await desk.cap(node) for node in before} | {SCHEME: 5}
    row = desk.switch.windows.window(W1)
    assert (row.payments, row.returns, row.reason) == (2, 0, "")


async def test_what_was_received_and_paid_on_before_settlement_is_settled_all_the_same(desk: Desk) -> None:
    await desk.fund("jing", 500)
    complete(desk, desk.payment(amount=500))
    desk.switch.windows.close(W1)  # Not durable yet, and so not settled.
    payment = desk.payment(amount=500, debtor_agent="wei", creditor_agent="zhi")
    desk.say("wei", payment)
    desk.say("zhi", accepts(payment))
    assert desk.switch.windows.window(W1).state == "SETTLED"
    assert [await desk.reserve(node) for node in ("jing", "wei", "zhi")] == [0, 500, 0]
    assert await desk.headroom("wei") == 0
    assert desk.close("2026-01-01/2") == "SETTLED"
    assert [await desk.reserve(node) for node in ("jing", "wei", "zhi")] == [0, 0, 500]


async def test_returns_that_exceed_a_windows_fees_are_paid_by_the_scheme(desk: Desk) -> None:
    desk.switch.admission.publish_fees("2026-1", desk.clock.now_ns(), [FeeRule(switch_fee_bps=100)])
    await desk.fund("jing", 1_000)
    payment = desk.payment(amount=1_000, settlement=990, switch_fee=10, fee_version="2026-1")
    complete(desk, payment)
    assert desk.close() == "SETTLED"
    refund = desk.refund(payment)
    desk.say("wei", refund)
    desk.say("jing", accepts(refund))
    assert desk.close("2026-01-01/2") == "SETTLED"
    assert [await desk.reserve(node) for node in ("jing", "wei", SCHEME)] == [1_000, 0, 0]


async def test_a_window_waits_for_money_and_those_behind_it_wait_for_it(desk: Desk) -> None:
    desk.grant("jing", 1_000)  # By hand: no reserve behind it.
    await desk.fund("jing", 400)
    complete(desk, desk.payment(amount=1_000))
    assert desk.close() == "NETTED"
    assert desk.switch.windows.window(W1).reason == "OBLIGATION_UNCOVERED: jing CNY 600"
    assert desk.close("2026-01-01/2") in {"CLOSED", "NETTED"}
    complete(desk, desk.payment(amount=400))  # Payments go on.
    await desk.fund("jing", 600)
    desk.pass_time(5)
    states = [desk.switch.windows.window(f"2026-01-01/{number}").state for number in (1, 2)]
    assert states == ["SETTLED", "SETTLED"]
    assert await desk.reserve("wei") == 1_000


RULES = SettlementRules()


@pytest.mark.parametrize(
    ("contributions", "order", "wanted"),
    [
        # jing owes 1,000 and has 400: 600 are missing. wei is owed 700, zhi 300.
        ({}, RULES.loss_order, {"jing": 0, "wei": 280, "zhi": 120}),
        ({"jing": 600}, RULES.loss_order, {"jing": 0, "wei": 700, "zhi": 300}),
        ({"jing": 599}, RULES.loss_order, {"jing": 0, "wei": 699, "zhi": 300}),
        ({"jing": 100, "wei": 300, "zhi": 700}, RULES.loss_order, {"jing": 0, "wei": 700, "zhi": 300}),
        ({"jing": 100, "wei": 100, "zhi": 200}, RULES.loss_order, {"jing": 0, "wei": 560, "zhi": 240}),
        ({"wei": 900}, (LossSource.CONTRIBUTION,), {"jing": 0, "wei": 280, "zhi": 120}),
        ({"jing": 600}, (), {"jing": 0, "wei": 280, "zhi": 120}),
    ],
)
async def test_a_default_is_borne_as_the_rules_say(
    desk: Desk, contributions: dict[str, int], order: tuple[LossSource, ...], wanted: dict[str, int]
) -> None:
    rules = SettlementRules(loss_order=list(order))
    desk.switch.settlement_rules.publish("order", desk.clock.now_ns(), rules)
    for node, amount in contributions.items():
        assert await desk.fund(node, amount, Fund.CONTRIBUTION) == "done"
    desk.grant("jing", 600)
    await desk.fund("jing", 400)
    complete(desk, desk.payment(amount=700))
    complete(desk, desk.payment(amount=300, creditor_agent="zhi"))
    assert desk.close() == "NETTED"
    desk.switch.settlement.declare_default(W1)
    desk.journal.seal()
    row = desk.switch.windows.window(W1)
    assert row.state == "SETTLED"
    assert {node: await desk.reserve(node) for node in wanted} == wanted
    assert desk.switch.admission.participant("jing").status == "SUSPENDED"
    used = sum(contributions.values()) - sum([await desk.contribution(node) for node in wanted])
    assert used + 400 + (1_000 - sum(wanted.values())) == 1_000
    entries = {entry.node_id: entry for entry in await desk.switch.accounts.entries_of_window(W1)}
    assert (entries["jing"].moved_minor, entries["jing"].missing_minor) == (-400, 600)
    assert entries["wei"].moved_minor + entries["wei"].loss_minor == 700


async def test_time_alone_makes_a_default_where_the_rules_say_so(desk: Desk) -> None:
    rules = SettlementRules(default_after_s=3_600, suspends=False)
    desk.switch.settlement_rules.publish("hour", desk.clock.now_ns(), rules)
    desk.grant("jing", 500)
    complete(desk, desk.payment(amount=500))
    assert desk.close() == "NETTED"
    desk.pass_time(3_599)
    assert desk.switch.windows.window(W1).state == "NETTED"
    desk.pass_time(5)
    assert desk.switch.windows.window(W1).state == "SETTLED"
    assert desk.switch.admission.participant("jing").status == "ACTIVE"
    assert await desk.reserve("wei") == 0


async def test_a_default_is_declared_of_a_window_that_waits_and_of_no_other(desk: Desk) -> None:
    for window, reason in ((W1, "WINDOW_NOT_CLOSED"), ("2026-01-01/9", "WINDOW_UNKNOWN")):
        with pytest.raises(Refusal) as refused:
            desk.switch.settlement.declare_default(window)
        assert refused.value.reason.name == reason
    assert desk.close() == "SETTLED"
    with pytest.raises(Refusal) as refused:
        desk.switch.settlement.declare_default(W1)
    assert refused.value.reason is SettlementReason.WINDOW_NOT_SETTLEABLE


async def test_caps_follow_the_rules_as_far_as_they_are_unused(desk: Desk) -> None:
    await desk.fund("jing", 1_000)
    complete(desk, desk.payment(amount=900))
    rules = SettlementRules(cap_bps=5_000, caps_max={"wei": 100})
    desk.switch.settlement_rules.publish("half", desk.clock.now_ns(), rules)
    desk.pass_time(5)
    assert await desk.cap("jing") == 900  # The rest is in use.
    complete(desk, desk.payment(amount=900, debtor_agent="wei", creditor_agent="jing"))
    desk.pass_time(5)
    assert await desk.cap("jing") == 500
    await desk.fund("wei", 1_000)
    assert await desk.cap("wei") == 100


async def test_a_difference_between_decisions_and_ledger_halts_the_window(desk: Desk) -> None:
    await desk.fund("jing", 1_000)
    payment = desk.payment(amount=700)
    complete(desk, payment)
    rows = desk.store.rows["cleared_payment"]
    position, row = rows[-1]
    rows[-1] = position, msgspec.structs.replace(row, settlement_minor=699)
    desk.store._indexes.clear()
    assert desk.close() == "HALTED"
    assert desk.switch.windows.window(W1).reason.startswith("OBLIGATIONS_DIFFER: 1 pairs")
    assert await desk.reserve("jing") == 1_000
    complete(desk, desk.payment(amount=1))  # Payments go on.
    rows[:] = [(at, row if at == position else each) for at, each in rows]
    desk.store._indexes.clear()
    desk.switch.settlement.look_again(W1)
    desk.journal.seal()
    assert desk.switch.windows.window(W1).state == "SETTLED"


async def test_a_window_is_netted_when_all_of_it_is_durable_however_often_the_timer_comes() -> None:
    """What it comes to is read from the rows; memory is ahead of them until the commit."""
    desk = Desk(immediate=False)
    await desk.boot()
    desk.admit("jing", "wei", cap=0)
    desk.flush()
    await desk.fund("jing", 1_000)
    desk.flush()
    payment = desk.payment(amount=700)
    desk.say("jing", payment)
    desk.flush()
    desk.say("wei", accepts(payment))
    desk.switch.windows.close(W1)
    for _ in range(3):
        desk.clock.advance(seconds=5)
        desk.switch.tick()
    for _ in range(6):
        desk.flush()
    row = desk.switch.windows.window(W1)
    assert (row.state, row.payments) == ("SETTLED", 1)
    assert [await desk.reserve(node) for node in ("jing", "wei")] == [300, 700]


async def test_a_node_is_told_its_entries_until_it_says_it_knows_them(desk: Desk) -> None:
    await desk.fund("jing", 1_000)
    complete(desk, desk.payment(amount=300))
    desk.letters.clear()
    assert desk.close() == "SETTLED"
    told = {peer: each for peer, each in desk.letters if isinstance(each, AccountStatement)}
    assert (told["jing"].number, told["jing"].opening, told["jing"].closing) == (2, 1_000, 700)
    assert (told["jing"].window, told["jing"].is_credit, told["jing"].debits) == (W1, False, 300)
    assert (told["wei"].number, told["wei"].closing) == (1, 300)
    again = [(peer, each.number) for peer, each in desk.pass_time(4) if isinstance(each, AccountStatement)]
    assert again == [("jing", 1), ("jing", 2), ("wei", 1)]
    letters = desk.say("jing", StatementRequest(currency="CNY", number=1))
    assert [each.number for _, each in letters if isinstance(each, AccountStatement)] == [1, 2]
    assert desk.say("jing", StatementRequest(currency="CNY", number=3)) == []
    assert desk.say("jing", StatementRequest(currency="CNY", number=9)) == []
    later = [peer for peer, each in desk.pass_time(300) if isinstance(each, AccountStatement)]
    assert later == ["wei"]
    await desk.crash()
    assert [peer for peer, each in desk.pass_time(1) if isinstance(each, AccountStatement)] == ["wei"]


async def test_a_crash_between_any_two_steps_settles_once() -> None:
    """The journal is durable when we say so: cut it off behind every single flush on the way."""
    for flushes in range(6):
        desk = Desk(immediate=False)
        await desk.boot()
        desk.admit("jing", "wei", cap=0)
        desk.flush()
        await desk.fund("jing", 1_000)
        desk.flush()
        payment = desk.payment(amount=700)
        for sender, message in (("jing", payment), ("wei", accepts(payment))):
            desk.say(sender, message)
            desk.flush()
        desk.switch.windows.close(W1)
        for _ in range(flushes):
            desk.journal.flush()
        await desk.crash()
        for _ in range(3):
            desk.flush()
            desk.pass_time(5)
        desk.flush()
        if flushes:
            assert desk.switch.windows.window(W1).state == "SETTLED"
            assert [await desk.reserve(node) for node in ("jing", "wei")] == [300, 700]
        assert sum([await desk.reserve(node) for node in ("jing", "wei")]) == 1_000
        custody = await desk.account(chart.custody_account(Currency.CNY))
        assert custody.debits_posted == 1_000
