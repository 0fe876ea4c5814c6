"""What a person lets a merchant hold is there when it is taken, and is theirs again when it is not."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from hutong.codes.plate import hold_plate_id
from hutong.gateways.account import Caller
from hutong.gateways.notification import News
from hutong.gateways.order import Dialect, OrderDraft, Trade, TradeState
from hutong.gateways.preauth.preauth import OFFER_LIFE_S, OperationState, Preauth, PreauthDraft, PreauthState
from hutong.gateways.preauth.reasons import PreauthReason
from hutong.gateways.refund import RefundDraft, RefundProgress
from hutong.institution.holds.hold import HELD_DAYS
from hutong.kernel.errors import Reason, Refusal
from tests.gateways.street import House, Person, Street

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "https://hotel.example/held"
START = 1_000_000


async def hotel(house: House) -> Caller:
    account = await house.account(await house.merchant())
    return Caller(account, account)


def draft(number: str = "H-1", amount: int = 50_000) -> PreauthDraft:
    return PreauthDraft(
        number=number, request_number="R-1", dialect="alipay", amount=amount, title="押金", notify_url=URL
    )


async def held(street: Street, amount: int = 50_000) -> tuple[House, Caller, Person, Preauth]:
    house = street.wei
    caller, person = await hotel(house), await house.person(START)
    offered = await house.gateways.preauths.offer(caller, draft(amount=amount))
    assert (await person.agree(offered.creditor))["state"] == "HELD"
    return house, caller, person, await house.gateways.preauths.newest(offered)


async def take(house: House, caller: Caller, preauth: Preauth, number: str, amount: int) -> Trade:
    order = OrderDraft(
        out_trade_no=number, amount=amount, product="PRE_AUTH", description="房费", dialect=Dialect.ALIPAY
    )
    return await house.gateways.preauths.take(caller, preauth, order)


async def money(house: House, preauth: Preauth) -> tuple[int, int, int, str]:
    """What is left, was let go, was taken; and how it stands."""
    standing = await house.gateways.preauths.standing(preauth)
    return standing.left, standing.let_go, standing.taken, standing.preauth.state


def reason_of(caught: pytest.ExceptionInfo[Refusal]) -> Reason:
    return caught.value.reason


async def test_whoever_holds_by_payment_code_hears_how_it_ended_though_the_ledger_must_look_first(
    street: Street,
) -> None:
    house = street.wei
    caller, person, errands = await hotel(house), await house.person(START), list[Coroutine[Any, Any, None]]()
    code, spawn = await person.payment_code(), house.ledger._spawn
    house.ledger._spawn = errands.append  # The database takes its time.
    holding = asyncio.create_task(house.gateways.preauths.hold_by_code(caller, draft(), code))
    for _ in range(100):
        await asyncio.sleep(0)
    assert errands
    house.ledger._spawn = spawn
    for errand in errands:
        await errand
    assert (await holding).state == "HELD"


async def test_what_is_held_is_taken_in_parts_and_the_rest_goes_back(street: Street) -> None:
    house, caller, person, preauth = await held(street)
    assert await spendable(person) == START - 50_000
    assert await money(house, preauth) == (50_000, 0, 0, "HELD")
    paid = await take(house, caller, preauth, "T-1", 20_000)
    assert paid.state is TradeState.PAID
    assert (await take(house, caller, preauth, "T-1", 20_000)).order.trade_no == paid.order.trade_no
    assert await house.merchant_balance(caller.key) == 20_000 - 120
    assert await spendable(person) == START - 50_000
    preauths = house.gateways.preauths
    done = await preauths.let_go(caller, preauth, number="U-1", amount=10_000)
    assert done.state == OperationState.DONE
    assert (await preauths.let_go(caller, preauth, number="U-1", amount=10_000)).operation_no == done.operation_no
    assert await spendable(person) == START - 40_000
    assert await money(house, preauth) == (20_000, 10_000, 20_000, "HELD")
    for amount in (20_001, 50_000):
        with pytest.raises(Refusal) as refused:
            await take(house, caller, preauth, f"T-{amount}", amount)
        assert reason_of(refused) is PreauthReason.PREAUTH_EXCEEDS_HELD
        with pytest.raises(Refusal) as refused:
            await preauths.let_go(caller, preauth, number=f"U-{amount}", amount=amount)
        assert reason_of(refused) is PreauthReason.PREAUTH_EXCEEDS_HELD
    await take(house, caller, preauth, "T-2", 20_000)
    assert await money(house, preauth) == (0, 10_000, 40_000, "ENDED")
    back = RefundDraft(out_refund_no="B-1", amount=5_000, dialect="alipay")
    state = await house.gateways.refunds.refund(caller, paid.order, back, wait=True)
    assert state.progress is RefundProgress.SUCCESS
    assert await spendable(person) == START - 35_000  # To the balance, and not to what was held.
    kinds = [row.kind for row in house.gateways.notifications.all.everything() if row.url == URL]
    assert kinds[-2:] == [News.PREAUTH_HELD, News.PREAUTH_LET_GO]
    with pytest.raises(Refusal) as ended:
        await take(house, caller, preauth, "T-3", 1)
    assert reason_of(ended) is PreauthReason.PREAUTH_NOT_HELD


async def test_who_takes_at_the_same_moment_never_takes_more_than_is_held(street: Street) -> None:
    house, caller, person, preauth = await held(street)
    takes = (take(house, caller, preauth, f"T-{n}", 20_000) for n in range(4))
    taken = await asyncio.gather(*takes, return_exceptions=True)
    assert sum(isinstance(each, Trade) for each in taken) == 2
    assert await money(house, preauth) == (10_000, 0, 40_000, "HELD")
    assert await spendable(person) == START - 50_000


async def test_a_balance_that_does_not_cover_it_holds_nothing(street: Street) -> None:
    house, caller, person = street.wei, await hotel(street.wei), await street.wei.person(49_999)
    offered = await house.gateways.preauths.offer(caller, draft())
    assert (await person.agree(offered.creditor))["reason"] == "PREAUTH_BALANCE_INSUFFICIENT"
    assert await spendable(person) == 49_999
    with pytest.raises(Refusal) as refused:
        await take(house, caller, await house.gateways.preauths.newest(offered), "T-1", 1)
    assert reason_of(refused) is PreauthReason.PREAUTH_NOT_HELD


async def test_a_payment_code_holds_at_once_or_asks_for_the_pin(street: Street) -> None:
    house, caller, person = street.wei, await hotel(street.wei), await street.wei.person(START)
    preauths = house.gateways.preauths
    small = await preauths.hold_by_code(caller, draft("H-1", 10_000), await person.payment_code())
    assert small.state == PreauthState.HELD
    street.clock.advance(seconds=60)
    big = await preauths.hold_by_code(caller, draft("H-2", 100_001), await person.payment_code())
    assert big.state == PreauthState.OFFERED
    assert [each["state"] for each in await person.said("GET", "/v1/preauths")] == ["HELD", "OFFERED"]
    await person.agree(big.creditor)
    assert await spendable(person) == START - 110_001
    stranger = await street.wei.person()
    street.clock.advance(seconds=60)
    fourth = await preauths.hold_by_code(caller, draft("H-4", 100_001), await person.payment_code())
    with pytest.raises(AssertionError, match="PREAUTH_UNKNOWN"):
        await stranger.agree(fourth.creditor)
    assert (await person.said("POST", f"/v1/preauths/{fourth.creditor}/decline"))["state"] == "CLOSED"
    with pytest.raises(AssertionError, match="PREAUTH_NOT_OPEN"):
        await person.agree(fourth.creditor)


async def test_a_browser_shows_who_asks_and_whose_wallet_can_agree(street: Street) -> None:
    house, caller = street.wei, await hotel(street.wei)
    offered = await house.gateways.preauths.offer(caller, draft())
    path = f"/agreements/{offered.creditor}"
    page = (await house.client.get(path)).text
    assert "¥500.00" in page
    assert f'href="/wallet/agreements/{offered.creditor}"' in page
    assert "任何机构的钱包都可以授权" in page
    link = f"/q/{hold_plate_id(offered.id)}"
    assert link in page
    assert (await house.client.get(link)).text == page
    await house.gateways.preauths.cancel(caller, offered)
    assert "已关闭" in (await house.client.get(path)).text
    assert (await house.client.get("/agreements/pra_0")).status_code == 404
    assert (await house.client.get("/q/H123")).status_code == 404


async def test_what_nobody_takes_goes_back_by_itself(street: Street) -> None:
    house, caller, person, preauth = await held(street)
    lapsing = await house.gateways.preauths.offer(caller, draft("H-2"))
    street.clock.advance(seconds=OFFER_LIFE_S)
    with pytest.raises(AssertionError, match="PREAUTH_NOT_OPEN"):
        await person.agree(lapsing.creditor)
    street.clock.advance(seconds=HELD_DAYS * 86_400)
    house.tick()
    assert await money(house, preauth) == (0, 50_000, 0, "ENDED")
    assert await spendable(person) == START


async def test_what_is_cancelled_goes_back_whole(street: Street) -> None:
    house, caller, person, preauth = await held(street)
    for _ in range(2):
        assert (await house.gateways.preauths.cancel(caller, preauth)).state == PreauthState.ENDED
    assert await spendable(person) == START
    offered = await house.gateways.preauths.offer(caller, draft("H-2"))
    assert (await house.gateways.preauths.cancel(caller, offered)).state == PreauthState.CLOSED


async def test_a_person_can_neither_spend_nor_pay_with_what_is_held(street: Street) -> None:
    house, _, person, preauth = await held(street, START)
    user = house.institution.people.user(person.user_id)
    assert await house.institution.balance_of(user) == START  # It is still theirs: nobody closes a wallet over it.
    assert await person.balance() == 0
    other = await hotel(house)
    code = OrderDraft(out_trade_no="T-1", amount=1, product="NATIVE", description="x", dialect=Dialect.ALIPAY)
    url = house.gateways.orders.code_url(await house.gateways.orders.place(other, code))
    with pytest.raises(AssertionError, match="BALANCE_INSUFFICIENT"):
        await person.pay(url)
    with pytest.raises(AssertionError, match="FUNDING_UNKNOWN"):
        await person.pay(url, funding=f"held:{preauth.id:032x}")
    with pytest.raises(Refusal) as unknown:
        await house.gateways.preauths.find(other, auth_no=preauth.auth_no)
    assert reason_of(unknown) is PreauthReason.PREAUTH_UNKNOWN


async def spendable(person: Person) -> int:
    """What is on the wallet's own account."""
    return person.house.balance(person.wallet)
