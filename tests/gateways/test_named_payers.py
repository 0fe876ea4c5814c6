"""An order that names who is to pay, by an id that this institution gave, is paid by nobody else."""

from typing import Any

import pytest

from hutong.gateways.account import Caller
from hutong.gateways.order import Dialect, OrderDraft, Trade, TradeState
from hutong.gateways.payer import payer_here
from tests.gateways.street import House, Person, Street

pytestmark = pytest.mark.asyncio(loop_scope="module")
APP = "wx0123456789abcdef"


async def place(house: House, caller: Caller, number: str, **facts: str) -> Trade:
    draft = OrderDraft(
        out_trade_no=number,
        amount=1_000,
        product="JSAPI",
        description="两碗面",
        dialect=Dialect.WECHATPAY_V3,
        facts=facts,
    )
    return await house.gateways.orders.place(caller, draft)


async def caller_of(house: House) -> Caller:
    account = await house.account(await house.merchant())
    return Caller(account, account)


async def refused(person: Person, code: str) -> Any:
    """What a payer hears of an order that is for another."""
    with pytest.raises(AssertionError) as said:
        await person.pay(code)
    return said.value


async def state(house: House, caller: Caller, number: str) -> TradeState:
    return (await house.gateways.orders.find(caller, out_trade_no=number)).state


async def known(house: House, caller: Caller, person: Person, number: str) -> str:
    """By what the application knows somebody: they pay something first."""
    orders = house.gateways.orders
    first = await place(house, caller, number)
    await person.pay(orders.code_url(first))
    paid = await orders.find(caller, out_trade_no=number)
    return orders.payers.openid(APP, paid.order.payer)


async def test_a_person_here_pays_what_is_for_them_and_nothing_that_is_not(street: Street) -> None:
    house, caller = street.wei, await caller_of(street.wei)
    named, other = await house.person(), await house.person()
    openid = house.gateways.orders.payers.openid(APP, payer_here(named.user_id))
    placed = await place(house, caller, "T-1", appid=APP, openid=openid)
    code = house.gateways.orders.code_url(placed)

    assert "ORDER_FOR_ANOTHER" in str(await refused(other, code))
    assert await state(house, caller, "T-1") is TradeState.NOT_PAID
    await named.pay(code)

    assert await state(house, caller, "T-1") is TradeState.PAID
    assert (await named.balance(), await other.balance()) == (999_000, 1_000_000)


async def test_a_person_elsewhere_is_known_again(street: Street) -> None:
    house, caller = street.wei, await caller_of(street.wei)
    named, other, here = await street.jing.person(), await street.jing.person(), await house.person()
    openid = await known(house, caller, named, "T-0")
    placed = await place(house, caller, "T-2", sub_appid=APP, sub_openid=openid)
    code = house.gateways.orders.code_url(placed)

    for somebody in (other, here):
        assert "ORDER_FOR_ANOTHER" in str(await refused(somebody, code))
    await named.pay(code)

    assert await state(house, caller, "T-2") is TradeState.PAID
    assert (await named.balance(), await other.balance()) == (998_000, 1_000_000)


async def test_a_number_names_its_person_too(street: Street) -> None:
    house, caller = street.wei, await caller_of(street.wei)
    named, other, far = await house.person(), await house.person(), await street.jing.person()
    payers = house.gateways.orders.payers
    number = payers.number_here(house.institution.people.user(named.user_id).number)
    code = house.gateways.orders.code_url(await place(house, caller, "T-3", buyer_id=number))

    for somebody in (other, far):
        assert "ORDER_FOR_ANOTHER" in str(await refused(somebody, code))
    await named.pay(code)
    assert await state(house, caller, "T-3") is TradeState.PAID


async def test_an_id_that_is_none_of_ours_says_nothing(street: Street) -> None:
    house, caller, somebody = street.wei, await caller_of(street.wei), await street.jing.person()
    foreign = ("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "x", "o" * 28)
    for each, openid in enumerate(foreign):
        placed = await place(house, caller, f"F-{each}", appid=APP, openid=openid, buyer_id="2088102146225135")
        await somebody.pay(house.gateways.orders.code_url(placed))
        assert await state(house, caller, f"F-{each}") is TradeState.PAID
