"""Whoever pays has a wallet elsewhere: what is held is held there, and is there when it is taken."""

import asyncio

import pytest

from hutong.codes.plate import hold_plate_id
from hutong.gateways.notification import News
from hutong.gateways.order import Dialect, OrderDraft, TradeState
from hutong.gateways.preauth.preauth import OperationState, Preauth, PreauthState
from hutong.gateways.preauth.reasons import PreauthReason
from hutong.gateways.refund import RefundDraft, RefundProgress
from hutong.institution import chart
from hutong.institution.holds.hold import HELD_DAYS
from hutong.kernel.errors import Refusal
from tests.gateways.preauth.test_preauths import START, URL, draft, hotel, money, reason_of, take
from tests.gateways.street import House, Person, Street

pytestmark = pytest.mark.asyncio(loop_scope="module")


def link_of(house: House, preauth: Preauth) -> str:
    return house.institution.plates.site.url(hold_plate_id(preauth.id))


async def until(preauth: Preauth, house: House, state: PreauthState) -> Preauth:
    """What the network is still carrying arrives."""
    for _ in range(500):
        found = await house.gateways.preauths.newest(preauth)
        if found.state == state:
            return found
        await asyncio.sleep(0.002)
    raise AssertionError(found)


async def spendable(person: Person) -> int:
    return person.house.balance(person.wallet)


async def test_a_code_shown_at_another_institution_holds_there_and_is_paid_in_parts(street: Street) -> None:
    house, caller, person = street.wei, await hotel(street.wei), await street.jing.person(START)
    preauths, clearing = house.gateways.preauths, street.jing.institution.chart.clearing
    before = street.jing.balance(clearing)
    held = await preauths.hold_by_code(caller, draft("H-1", 50_000), await person.payment_code())
    assert (held.state, held.debtor_agent) == (PreauthState.HELD, "jing")
    assert held.payer.startswith("jing/")
    assert await spendable(person) == START - 50_000
    (hold,) = await person.holds()
    assert (hold["state"], hold["left"], hold["institution"], hold["amount"]) == ("HELD", 50_000, "wei", 50_000)
    assert street.jing.balance(clearing) == before, "nothing has crossed"

    first = await take(house, caller, held, "T-1", 20_000)
    assert first.state is TradeState.PAID
    assert (await take(house, caller, held, "T-1", 20_000)).order.trade_no == first.order.trade_no
    with pytest.raises(Refusal) as refused:
        await take(house, caller, held, "T-2", 30_001)
    assert reason_of(refused) is PreauthReason.PREAUTH_EXCEEDS_HELD
    second = await take(house, caller, held, "T-3", 10_000)
    assert await money(house, held) == (20_000, 0, 30_000, "HELD")
    assert await house.merchant_balance(caller.key) == 30_000 - 180
    assert await spendable(person) == START - 50_000
    assert second.order.trade_no != first.order.trade_no

    back = RefundDraft(out_refund_no="B-1", amount=5_000, dialect="alipay")
    assert (
        await house.gateways.refunds.refund(caller, first.order, back, wait=True)
    ).progress is RefundProgress.SUCCESS
    assert await spendable(person) == START - 45_000  # To the balance, and not to what is held.

    done = await preauths.let_go(caller, held, number="U-1", amount=8_000)
    assert done.state == OperationState.DONE
    assert (await preauths.let_go(caller, held, number="U-1", amount=8_000)).operation_no == done.operation_no
    assert await money(house, held) == (12_000, 8_000, 30_000, "HELD")
    with pytest.raises(Refusal) as refused:
        await preauths.let_go(caller, held, number="U-2", amount=12_001)
    assert reason_of(refused) is PreauthReason.PREAUTH_EXCEEDS_HELD
    assert (await preauths.cancel(caller, held)).state == PreauthState.ENDED
    assert await spendable(person) == START - 25_000
    (hold,) = await person.holds()
    assert (hold["state"], hold["taken"], hold["released"]) == ("ENDED", 30_000, 20_000)
    kinds = [row.kind for row in house.gateways.notifications.all.everything() if row.url == URL]
    assert kinds[-3:] == [News.PREAUTH_HELD, News.PREAUTH_LET_GO, News.PREAUTH_LET_GO]
    with pytest.raises(Refusal) as ended:
        await take(house, caller, held, "T-4", 1)
    assert reason_of(ended) is PreauthReason.PREAUTH_NOT_HELD


async def test_above_the_pin_free_amount_the_wallet_there_asks(street: Street) -> None:
    house, caller, person = street.wei, await hotel(street.wei), await street.jing.person(START)
    preauths = house.gateways.preauths
    asked = await preauths.hold_by_code(caller, draft("H-1", 100_001), await person.payment_code())
    assert asked.state == PreauthState.OFFERED
    (hold,) = await person.holds()
    assert (hold["state"], hold["merchant_name"], hold["title"]) == ("WAITING", "胡同面馆", "押金")
    assert (await person.agree_to_hold(hold))["state"] == "HELD"
    await until(asked, house, PreauthState.HELD)
    street.clock.advance(seconds=60)
    other = await preauths.hold_by_code(caller, draft("H-2", 100_002), await person.payment_code())
    await person.said("POST", f"/v1/holds/{(await person.holds())[-1]['hold_id']}/decline")
    await until(other, house, PreauthState.CLOSED)
    assert await spendable(person) == START - 100_001


async def test_a_code_that_is_not_good_is_refused_and_another_may_be_tried(street: Street) -> None:
    house, caller, person = street.wei, await hotel(street.wei), await street.jing.person(START)
    preauths = house.gateways.preauths
    for code in ("31" + "0" * 16, "99" + "0" * 16):
        with pytest.raises(Refusal) as refused:
            await preauths.hold_by_code(caller, draft("H-1", 10_000), code)
        assert reason_of(refused) is PreauthReason.PREAUTH_CODE_REFUSED
    held = await preauths.hold_by_code(caller, draft("H-1", 10_000), await person.payment_code())
    assert held.state == PreauthState.HELD
    poor = await street.jing.person(100)
    failed = await preauths.hold_by_code(caller, draft("H-2", 10_000), await poor.payment_code())
    assert (failed.state, failed.reason) == (PreauthState.FAILED, "HOLD_BALANCE_INSUFFICIENT")


async def test_a_link_is_opened_and_agreed_to_in_a_wallet_elsewhere(street: Street) -> None:
    house, caller, person = street.wei, await hotel(street.wei), await street.jing.person(START)
    preauths = house.gateways.preauths
    offered = await preauths.offer(caller, draft("H-1", 60_000))
    link = link_of(house, offered)
    with pytest.raises(AssertionError, match="CODE_ASKS_TO_HOLD"):
        await person.quote(link)  # It is no code to be paid.
    hold = await person.said("POST", "/v1/holds", {"link": link})
    assert (hold["state"], hold["amount"], hold["merchant_name"]) == ("WAITING", 60_000, "胡同面馆")
    assert (await person.agree_to_hold(hold))["state"] == "HELD"
    held = await until(offered, house, PreauthState.HELD)
    assert await spendable(person) == START - 60_000
    assert (await take(house, caller, held, "T-1", 60_000)).state is TradeState.PAID
    assert await money(house, held) == (0, 0, 60_000, "ENDED")
    late = await street.jing.person(START)
    with pytest.raises(AssertionError, match="HOLD_NOT_OPEN"):
        await late.said("POST", "/v1/holds", {"link": link})


async def test_of_two_who_agree_at_two_institutions_one_holds_and_the_other_has_it_back(street: Street) -> None:
    house, caller = street.wei, await hotel(street.wei)
    near, far = await street.wei.person(START), await street.jing.person(START)
    offered = await house.gateways.preauths.offer(caller, draft("H-1", 60_000))
    hold = await far.said("POST", "/v1/holds", {"link": link_of(house, offered)})
    assert (await near.agree(offered.creditor))["state"] == "HELD"
    await far.agree_to_hold(hold)
    for _ in range(500):
        (hold,) = await far.holds()
        if hold["state"] == "ENDED":
            break
        await asyncio.sleep(0.002)
    assert (hold["state"], hold["released"]) == ("ENDED", 60_000)
    assert (await spendable(near), await spendable(far)) == (START - 60_000, START)


async def test_what_is_held_elsewhere_goes_back_by_itself_and_the_merchant_hears_of_it(street: Street) -> None:
    house, caller, person = street.wei, await hotel(street.wei), await street.jing.person(START)
    held = await house.gateways.preauths.hold_by_code(caller, draft("H-1", 50_000), await person.payment_code())
    assert held.state == PreauthState.HELD
    street.clock.advance(seconds=HELD_DAYS * 86_400)
    street.jing.tick()
    await until(held, house, PreauthState.ENDED)
    assert await money(house, held) == (0, 50_000, 0, "ENDED")
    assert await spendable(person) == START
    kinds = [row.kind for row in house.gateways.notifications.all.everything() if row.url == URL]
    assert kinds[-1] == News.PREAUTH_LET_GO


async def test_nobody_but_that_merchant_is_paid_out_of_it(street: Street) -> None:
    house, caller, person = street.wei, await hotel(street.wei), await street.jing.person(START)
    held = await house.gateways.preauths.hold_by_code(caller, draft("H-1", 50_000), await person.payment_code())
    user = street.jing.institution.people.user(person.user_id)
    assert await street.jing.institution.balance_of(user) == START  # Still theirs: nobody closes a wallet over it.
    code = f"hold:jing:{held.id:032x}:{'0' * 32}"  # Whoever has the link knows this much, and the token is missing.
    thief = await hotel(house)
    trade = await house.gateways.orders.collect(
        thief,
        OrderDraft(
            out_trade_no="X-1",
            amount=1_000,
            product="PRE_AUTH",
            description="x",
            dialect=Dialect.ALIPAY,
            payer_code=code,
        ),
    )
    assert trade.state is TradeState.FAILED
    assert trade.charge is not None
    assert trade.charge.reason == "HOLD_UNKNOWN"
    (hold,) = await person.holds()
    assert hold["left"] == 50_000
    assert street.jing.balance(chart.user_account(person.user_id)) == START - 50_000


async def test_what_is_let_go_is_looked_for_before_anything_is_written(street: Street) -> None:
    """By a clock that was put back, its id is older than some that are in the database alone."""
    house, caller, person = street.wei, await hotel(street.wei), await street.jing.person(START)
    preauths = house.gateways.preauths
    held = await preauths.hold_by_code(caller, draft("H-1", 50_000), await person.payment_code())
    first = await preauths.let_go(caller, held, number="U-1", amount=1_000)
    house.institution.holds.authorisations.releases.forget([first.id])
    second = await preauths.let_go(caller, held, number="U-2", amount=2_000)
    assert second.state == OperationState.DONE
    assert await money(house, held) == (47_000, 3_000, 0, "HELD")


async def test_a_person_here_agrees_to_what_was_asked_before_others_were_let_go_of_in_memory(street: Street) -> None:
    """Whether somebody elsewhere was asked, too, is in the database alone: behind a restart, for one."""
    house, caller = street.wei, await hotel(street.wei)
    preauths, elsewhere, here = house.gateways.preauths, await street.jing.person(START), await street.wei.person(START)
    older = [await preauths.offer(caller, draft(number, 1_000)) for number in ("H-1", "H-2", "H-3")]
    street.clock.advance(seconds=1)
    newer = await preauths.hold_by_code(caller, draft("H-4", 1_000), await elsewhere.payment_code())
    house.institution.holds.authorisations.all.forget([newer.id])
    by_code = await preauths.hold_by_code(caller, draft("H-1", 1_000), await here.payment_code())
    assert by_code.state == PreauthState.HELD
    assert (await here.agree(older[1].creditor))["state"] == "HELD"
    assert (await preauths.cancel(caller, older[2])).state == PreauthState.CLOSED
