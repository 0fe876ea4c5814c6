"""What is agreed to be taken once in a period is taken once in a period, and not more than was said."""

import asyncio
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.gateways.account import Caller
from hutong.gateways.agreements.agreement import Agreement, AgreementDraft
from hutong.gateways.agreements.period import EARLY, AgreementTaking, PeriodRule, PeriodUnit
from hutong.gateways.order import Dialect, OrderDraft, Trade, TradeState
from hutong.kernel.errors import Refusal
from tests.gateways.street import House, Person, Street

FIRST = date(2026, 1, 31)
RULES = st.builds(
    PeriodRule,
    unit=st.sampled_from(PeriodUnit),
    count=st.integers(7, 40),
    first=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    single_max=st.just(100),
)


def monthly(**more: int) -> PeriodRule:
    return PeriodRule(unit=PeriodUnit.MONTH, count=1, first=FIRST, single_max=1_000, **more)


def taking(amount: int = 1, period: int = 0) -> AgreementTaking:
    return AgreementTaking(id=1, agreement_id=1, out_trade_no="T", amount=amount, period=period, created_ns=1)


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (date(2026, 1, 26), 0),
        (date(2026, 1, 31), 0),
        (date(2026, 2, 22), 0),
        (date(2026, 2, 23), 1),  # February has no 31st: it is due on the 28th.
        (date(2026, 3, 25), 1),
        (date(2026, 3, 26), 2),
        (date(2027, 1, 26), 12),
    ],
)
def test_a_day_is_in_one_months_turn(day: date, number: int) -> None:
    assert monthly().at(day) == number


def test_before_the_first_nothing_is_due() -> None:
    with pytest.raises(Refusal, match="AGREEMENT_NOT_DUE"):
        monthly().at(date(2026, 1, 25))
    assert monthly().next_due(date(2025, 6, 1), []) == FIRST


@given(RULES, st.integers(0, 2_000))
def test_periods_have_no_gap_and_no_overlap(rule: PeriodRule, days: int) -> None:
    day = rule.first - EARLY + timedelta(days=days)
    number = rule.at(day)
    assert rule.start(number) - EARLY <= day < rule.start(number + 1) - EARLY


@pytest.mark.parametrize(
    ("rule", "amount", "taken", "reason"),
    [
        (monthly(), 1_001, [], "AGREEMENT_SINGLE_EXCEEDED"),
        (monthly(), 1_000, [taking()], "AGREEMENT_NOT_DUE"),
        (monthly(total_max=2_500), 501, [taking(2_000, 7)], "AGREEMENT_TOTAL_EXCEEDED"),
        (monthly(times_max=2), 1, [taking(1, 7), taking(1, 8)], "AGREEMENT_TIMES_EXCEEDED"),
    ],
)
def test_what_goes_beyond_the_rule_is_refused(
    rule: PeriodRule, amount: int, taken: list[AgreementTaking], reason: str
) -> None:
    with pytest.raises(Refusal, match=reason):
        rule.check(FIRST, amount, taken)


def test_the_limits_can_be_reached() -> None:
    rule = monthly(total_max=2_500, times_max=3)
    assert rule.check(FIRST, 500, [taking(1_000, 7), taking(1_000, 8)]) == 0
    assert rule.next_due(FIRST, [taking()]) == date(2026, 2, 28)
    assert rule.shown == "每1个月一次，每次至多¥10.00，共3次，总计至多¥25.00"


async def signed(street: Street, rule: PeriodRule, balance: int = 1_000_000) -> tuple[House, Caller, Person, Agreement]:
    house = street.wei
    account = await house.account(await house.merchant())
    caller, person = Caller(account, account), await house.person(balance)
    draft = AgreementDraft(
        number="P-1", dialect="alipay", plan="CYCLE", shown="会员", day_max=rule.single_max, rule=rule
    )
    offered = await house.gateways.agreements.offer(caller, draft)
    await person.sign(offered.creditor)
    return house, caller, person, await house.gateways.agreements.find(caller, plan="CYCLE", number="P-1")


async def take(house: House, caller: Caller, agreement: Agreement, number: str, amount: int = 1_000) -> Trade:
    draft = OrderDraft(out_trade_no=number, amount=amount, product="PAP", description="月费", dialect=Dialect.ALIPAY)
    return await house.gateways.agreements.deduct(caller, agreement, draft)


@pytest.mark.asyncio(loop_scope="module")
async def test_each_period_is_taken_once_whoever_asks_at_once(street: Street) -> None:
    today = date(2026, 1, 1)
    rule = PeriodRule(unit=PeriodUnit.DAY, count=7, first=today, single_max=1_000, times_max=2)
    house, caller, person, agreement = await signed(street, rule)

    tried = await asyncio.gather(
        *(take(house, caller, agreement, f"T-{number}") for number in (1, 1, 2, 3)), return_exceptions=True
    )
    paid = [each for each in tried if not isinstance(each, BaseException)]
    assert {each.order.out_trade_no for each in paid} == {"T-1"}
    assert all(isinstance(each, Refusal) for each in tried if each not in paid)
    assert await person.balance() == 999_000
    street.clock.advance(seconds=7 * 86_400)
    assert (await take(house, caller, agreement, "T-1")).state is TradeState.PAID, "a repetition"
    with pytest.raises(Refusal, match="AGREEMENT_SINGLE_EXCEEDED"):
        await take(house, caller, agreement, "T-4", 1_001)
    assert (await take(house, caller, agreement, "T-4")).state is TradeState.PAID
    street.clock.advance(seconds=7 * 86_400)
    with pytest.raises(Refusal, match="AGREEMENT_TIMES_EXCEEDED"):
        await take(house, caller, agreement, "T-5")
    assert await person.balance() == 998_000


@pytest.mark.asyncio(loop_scope="module")
async def test_what_failed_may_be_taken_again_in_its_period_and_not_for_more(street: Street) -> None:
    rule = PeriodRule(unit=PeriodUnit.DAY, count=7, first=date(2026, 1, 1), single_max=6_000, total_max=15_000)
    house, caller, person, agreement = await signed(street, rule, 10_000)
    other = await house.gateways.orders.place(
        caller, OrderDraft(out_trade_no="N-1", amount=1, product="NATIVE", description="面", dialect=Dialect.ALIPAY)
    )
    assert (await take(house, caller, agreement, "T-1", 6_000)).state is TradeState.PAID
    street.clock.advance(seconds=7 * 86_400)
    failed = await take(house, caller, agreement, "T-2", 6_000)
    assert failed.state is TradeState.FAILED, "there is no more money"
    assert (await take(house, caller, agreement, "T-2", 6_000)).state is TradeState.FAILED
    with pytest.raises(Refusal, match="ORDER_DIFFERS"):
        await take(house, caller, agreement, other.order.out_trade_no, 1)

    assert (await take(house, caller, agreement, "T-2", 3_000)).state is TradeState.PAID
    with pytest.raises(Refusal, match="AGREEMENT_NOT_DUE"):
        await take(house, caller, agreement, "T-3", 1)
    assert await person.balance() == 1_000
