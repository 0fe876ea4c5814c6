"""A person's history: found, filtered and paged; a month that equals the statement to the fen; a payment's whole life."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.payments import history_service
from hutong.institution.payments.history import EntryKind, Month, Search, StepKind
from hutong.institution.payments.payment import Payment, PaymentState
from hutong.institution.payments.statement import Direction
from hutong.kernel.clock import NS_PER_S, instant
from hutong.kernel.errors import Refusal
from tests.institution.payments.neighbours import Person
from tests.institution.payments.test_refunds import sold
from tests.institution.payments.world import Institution, World, now

ZONE = ZoneInfo("Asia/Shanghai")
PLATE = "https://wei.example/q/1"
DAY_S = 86_400
EVERYTHING = Search()


def street() -> tuple[World, Institution, Person]:
    """A payer at jing, a shop at wei whose name is 胡同面馆."""
    world = World("jing", "wei")
    world.register("wei", "url:https://wei.example/q/")
    wei = world["wei"]
    wei.asks(wei.merchant(), code=PLATE, name="胡同面馆", fee_bps=60)
    return world, world["jing"], world["jing"].user(1_000_000)


def buy(place: Institution, payer: Person, amount: int, **fields: Any) -> Payment:
    ((payment, _),) = place.pay(payer, place.order(place.quote(payer, PLATE), amount, **fields))
    return payment


def entries(place: Institution, who: Person, search: Search = EVERYTHING, **page: Any) -> list[Any]:
    found = now(place.payments.history.page(who.wallet_account, search, **page))
    return list(found.entries)


def test_an_entry_says_what_happened_to_whom_and_why() -> None:
    _, jing, payer = street()
    payment = buy(jing, payer, 2_800, remark="两碗炸酱面")
    paid, put_in = entries(jing, payer)
    assert (paid.kind, paid.direction, paid.state, paid.amount) == (
        EntryKind.PAID,
        Direction.OUT,
        PaymentState.COMPLETED,
        2_800,
    )
    assert (paid.counterparty, paid.remark, paid.payment_id) == ("胡同面馆", "两碗炸酱面", payment.id)
    assert (put_in.kind, put_in.direction, put_in.amount) == (EntryKind.TOP_UP, Direction.IN, 1_000_000)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("面馆", [2_800, 1_300, 1_250]),
        ("炸酱", [2_800]),
        ("TEA", [1_250]),
        ("12.5", [1_250]),
        ("¥12.50", [1_250]),
        ("13", [1_300]),
        ("nothing of it", []),
    ],
)
def test_names_remarks_and_amounts_are_found(words: str, found: list[int]) -> None:
    _, jing, payer = street()
    for amount, remark in ((1_250, "Tea for two"), (1_300, ""), (2_800, "两碗炸酱面")):
        buy(jing, payer, amount, remark=remark)
    assert [entry.amount for entry in entries(jing, payer, Search(words=words))] == found


def test_each_kind_is_found_alone() -> None:
    _, jing, payer = street()
    friend = jing.user()
    jing.asks(user=friend, code="jing:friend")
    ((sent, _),) = jing.pay(payer, jing.order(jing.quote(payer, "jing:friend"), 700))
    buy(jing, payer, 2_800)
    kinds = {kind: [e.amount for e in entries(jing, payer, Search(kind=kind))] for kind in EntryKind}
    assert kinds == {
        EntryKind.PAID: [2_800, 700],
        EntryKind.RECEIVED: [],
        EntryKind.REFUND: [],
        EntryKind.TOP_UP: [1_000_000],
        EntryKind.WITHDRAWAL: [],
        EntryKind.RED_PACKET: [],
        EntryKind.REWARD: [],
        EntryKind.OTHER: [],
    }
    (received,) = entries(jing, friend, Search(kind=EntryKind.RECEIVED))
    assert (received.amount, received.payment_id, received.counterparty) == (700, sent.id, sent.debtor_name)


def test_pages_join_without_a_gap_whatever_their_size() -> None:
    _, jing, payer = street()
    for amount in range(101, 120):
        buy(jing, payer, amount)
    whole = entries(jing, payer, limit=100)
    assert [entry.amount for entry in whole] == [*reversed(range(101, 120)), 1_000_000]
    for limit in (1, 7, 20):
        joined: list[Any] = []
        cursor, pages = None, 0
        while pages == 0 or cursor is not None:
            page = now(jing.payments.history.page(payer.wallet_account, Search(), before=cursor, limit=limit))
            joined, cursor, pages = [*joined, *page.entries], page.next_cursor, pages + 1
        assert joined == whole


def test_who_searches_long_goes_on_where_the_search_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    _, jing, payer = street()
    buy(jing, payer, 777, remark="needle")
    for _ in range(12):
        buy(jing, payer, 100)
    monkeypatch.setattr(history_service, "SCANNED_MAX", 5)
    monkeypatch.setattr(history_service, "PAGE_MAX", 5)
    found: list[Any] = []
    cursor, looks = None, 0
    while looks == 0 or cursor is not None:
        page = now(jing.payments.history.page(payer.wallet_account, Search(words="needle"), before=cursor))
        found, cursor, looks = [*found, *page.entries], page.next_cursor, looks + 1
    assert [entry.amount for entry in found] == [777]
    assert looks > 2


@pytest.mark.parametrize("is_lost", [True, False])
def test_what_is_under_way_and_what_was_let_go_are_in_the_history(is_lost: bool) -> None:
    world, jing, payer = street()
    quote = jing.quote(payer, PLATE)
    world.posting = True  # Messages wait.
    jing.pay(payer, jing.order(quote, 900))
    (pending,) = entries(jing, payer, Search(kind=EntryKind.PAID))
    assert (pending.state, pending.amount) == (PaymentState.PENDING, 900)
    life = now(jing.payments.history.life(pending.payment_id, payer.wallet_account))
    assert [step.kind for step in life.steps] == [StepKind.CONFIRMED, StepKind.HELD]
    assert life.state is PaymentState.PENDING
    if is_lost:
        world.letters.clear()
    world.posting = False
    world.settle()
    for _ in range(10):
        world.tick(600)
    state, last = (
        (PaymentState.REJECTED, StepKind.REJECTED) if is_lost else (PaymentState.COMPLETED, StepKind.COMPLETED)
    )
    (ended,) = entries(jing, payer, Search(kind=EntryKind.PAID))
    assert (ended.state, ended.amount, ended.payment_id) == (state, 900, pending.payment_id)
    step = now(jing.payments.history.life(pending.payment_id, payer.wallet_account)).steps[-1]
    assert (step.kind, bool(step.reason)) == (last, is_lost)


@pytest.mark.parametrize("on_us", [True, False])
def test_a_bill_knows_its_refunds(on_us: bool) -> None:
    sale = sold(on_us=on_us)
    sale.refund(2_500)
    sale.refund(500)
    place, payer = sale.debtor, sale.payer
    second, first, paid, _ = entries(place, payer)
    assert (paid.kind, paid.refunded, paid.refunding) == (EntryKind.PAID, 3_000, 0)
    assert [(e.kind, e.amount, e.payment_id) for e in (first, second)] == [
        (EntryKind.REFUND, 2_500, sale.payment.id),
        (EntryKind.REFUND, 500, sale.payment.id),
    ]
    assert first.counterparty == paid.counterparty
    assert [e.amount for e in entries(place, payer, Search(kind=EntryKind.REFUND))] == [500, 2_500]
    life = now(place.payments.history.life(sale.payment.id, payer.wallet_account))
    kinds = [step.kind for step in life.steps]
    assert kinds[: 2 if on_us else 3] == [StepKind.CONFIRMED, *([] if on_us else [StepKind.HELD]), StepKind.COMPLETED]
    assert sorted(kinds[2 if on_us else 3 :]) == [StepKind.REFUNDED] * 2 + [StepKind.REFUND_BEGUN] * 2
    assert (life.refunded, life.refunding, life.direction) == (3_000, 0, Direction.OUT)


def test_nobody_else_sees_a_life() -> None:
    _, jing, payer = street()
    payment = buy(jing, payer, 2_800)
    stranger = jing.user()
    for id_ in (payment.id, payment.id + 256):
        with pytest.raises(Refusal, match="PAYMENT_UNKNOWN"):
            now(jing.payments.history.life(id_, stranger.wallet_account))


def test_a_month_equals_the_statement_to_the_fen() -> None:
    sale = sold(on_us=False)
    world, jing, payer = sale.world, sale.debtor, sale.payer
    for n in range(9):
        world.tick(4 * DAY_S + n)
        ((payment, _),) = jing.pay(payer, jing.order(jing.quote(payer, PLATE), 1_001 + n))
        if n % 3 == 0:
            sale.refund(500 + n, payment_id=payment.id)
    lines = now(jing.payments.statements.statement(payer.wallet_account, limit=200)).lines
    months = sorted({Month.of(line.cursor, ZONE) for line in lines})
    assert len(months) > 1
    for month in months:
        summary = now(jing.payments.history.month(payer.wallet_account, month, ZONE))
        of_month = [line for line in lines if Month.of(line.cursor, ZONE) == month]
        came, went = (
            sum(line.amount for line in of_month if line.direction is way) for way in (Direction.IN, Direction.OUT)
        )
        refunded = sum(line.amount for line in of_month if line.kind == "REFUND")
        assert (summary.came, summary.went, summary.refunded) == (came, went, refunded)
        assert sum(day.came for day in summary.days) == came
        assert sum(day.went for day in summary.days) == went
        for day in summary.days:
            of_day = [line for line in of_month if instant(line.cursor).astimezone(ZONE).date() == day.day]
            assert day.came - day.went == sum(
                line.amount if line.direction is Direction.IN else -line.amount for line in of_day
            )
    assert Month.of(jing.node.clock.now_ns(), ZONE) == months[-1]
    assert len(now(jing.payments.history.month(payer.wallet_account, months[-1].later, ZONE)).days) == 0


@given(st.integers(2000, 2099), st.integers(1, 12))
def test_months_follow_each_other(year: int, number: int) -> None:
    month = Month(year, number)
    assert month.later.earlier == month == month.earlier.later
    assert Month.read(str(month)) == month
    since_ns, until_ns = month.span_ns(ZONE)
    assert Month.of(since_ns, ZONE) == Month.of(until_ns - NS_PER_S, ZONE) == month
    assert Month.of(until_ns, ZONE) == month.later
    assert (month.days()[0].day, len(month.days()) * DAY_S * NS_PER_S) == (1, until_ns - since_ns)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "1926-01", "2026-1", "２０２６-01", "2026-11-01"])
def test_what_is_no_month_is_none(text: str) -> None:
    assert Month.read(text) is None
