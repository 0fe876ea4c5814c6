"""Nothing is taken without the person's consent, nothing beyond it, and nothing when it has ended."""

import asyncio

import pytest

from hutong.gateways.account import Caller
from hutong.gateways.agreements.agreement import OFFER_LIFE_S, Agreement, AgreementDraft, AgreementState
from hutong.gateways.agreements.reasons import AgreementReason
from hutong.gateways.notification import News
from hutong.gateways.order import Dialect, OrderDraft, Trade, TradeState
from hutong.gateways.refund import RefundDraft, RefundProgress
from hutong.kernel.errors import Refusal
from tests.gateways.street import House, Street
from tests.gateways.telling import in_order

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "https://shop.example/agreed"


async def taker(house: House) -> Caller:
    account = await house.account(await house.merchant())
    return Caller(account, account)


async def offer(house: House, caller: Caller, number: str = "A-1", day_max: int = 10_000) -> Agreement:
    draft = AgreementDraft(
        number=number, dialect="wechatpay-v2", plan="42", shown="王小明", day_max=day_max, notify_url=URL
    )
    return await house.gateways.agreements.offer(caller, draft)


async def take(house: House, caller: Caller, agreement: Agreement, number: str, amount: int) -> Trade:
    draft = OrderDraft(
        out_trade_no=number,
        amount=amount,
        product="PAP",
        description="月费",
        dialect=Dialect.WECHATPAY_V2,
        notify_url=URL,
    )
    return await house.gateways.agreements.deduct(caller, agreement, draft)


async def found(house: House, caller: Caller, number: str = "A-1") -> Agreement:
    return await house.gateways.agreements.find(caller, plan="42", number=number)


def news(house: House, caller: Caller) -> list[str]:
    rows = in_order(house.gateways.notifications)
    return [row.kind for row in rows if row.account_id == caller.account.row.id]


async def test_a_person_signs_and_money_is_taken_within_the_limit_and_given_back(street: Street) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.wei.person()
    offered = await offer(house, caller)
    assert (await offer(house, caller)).id == offered.id
    with pytest.raises(Refusal) as unsigned:
        await take(house, caller, offered, "T-1", 100)
    assert unsigned.value.reason is AgreementReason.AGREEMENT_NOT_SIGNED
    signed = await person.sign(offered.creditor)
    assert (signed["state"], signed["merchant_name"], signed["day_max"]) == ("SIGNED", "胡同面馆", 10_000)
    assert (await person.sign(offered.creditor))["signed_at_ms"] == signed["signed_at_ms"]
    agreement = await found(house, caller)
    assert agreement.state == AgreementState.SIGNED
    with pytest.raises(Refusal) as again:
        await offer(house, caller)
    assert again.value.reason is AgreementReason.AGREEMENT_SIGNED

    paid = await take(house, caller, agreement, "T-1", 6_000)
    assert paid.state is TradeState.PAID
    assert (await take(house, caller, agreement, "T-1", 6_000)).order.trade_no == paid.order.trade_no
    too_much = await take(house, caller, agreement, "T-2", 4_001)
    assert too_much.state is TradeState.FAILED
    assert too_much.charge is not None
    assert too_much.charge.reason == "MANDATE_LIMIT_EXCEEDED"
    assert (await take(house, caller, agreement, "T-2", 4_001)).state is TradeState.FAILED
    assert (await take(house, caller, agreement, "T-3", 4_000)).state is TradeState.PAID
    assert await person.balance() == 1_000_000 - 10_000
    refund = RefundDraft(out_refund_no="R-1", amount=1_000, dialect="wechatpay-v2")
    state = await house.gateways.refunds.refund(caller, paid.order, refund, wait=True)
    assert state.progress is RefundProgress.SUCCESS
    assert await person.balance() == 1_000_000 - 9_000
    assert news(house, caller) == [News.AGREEMENT_SIGNED, News.PAID, News.FAILED, News.PAID]


async def test_the_same_taken_twice_at_once_is_answered_as_one_after_the_other_and_told_of_once(street: Street) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.wei.person()
    await person.sign((await offer(house, caller)).creditor)
    agreement = await found(house, caller)
    for number, amount, state in (("T-1", 6_000, TradeState.PAID), ("T-2", 4_001, TradeState.FAILED)):
        async with house.slow_disk():
            both = await asyncio.gather(*(take(house, caller, agreement, number, amount) for _ in range(3)))
        assert [trade.state for trade in both] == [state] * 3
        assert len({trade.order.trade_no for trade in both}) == 1
    assert await person.balance() == 1_000_000 - 6_000
    assert news(house, caller) == [News.AGREEMENT_SIGNED, News.PAID, News.FAILED]


async def test_a_person_elsewhere_signs_with_a_mandate_of_their_own_wallet(street: Street) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.jing.person()
    offered = await offer(house, caller)
    granted = await person.said("POST", "/v1/mandates", {"grantee": "wei", "daily_max": 5_000, "name": "面馆"})
    path = f"/v1/agreements/offers/{offered.creditor}/mandate"
    for _ in range(2):
        signed = await house.said("POST", path, {"mandate": granted["text"]})
        assert signed["state"] == "SIGNED"
        assert granted["text"] not in str(signed)
    agreement = await found(house, caller)
    paid = await take(house, caller, agreement, "T-1", 5_000)
    assert paid.state is TradeState.PAID
    assert paid.order.payer == agreement.payer, "who signed and who pays are one to the merchant"
    assert (await take(house, caller, agreement, "T-2", 1)).state is TradeState.FAILED
    assert await person.balance() == 1_000_000 - 5_000
    await person.said("DELETE", f"/v1/mandates/{granted['mandate_id']}")
    street.clock.advance(seconds=86_400)
    revoked = await take(house, caller, agreement, "T-3", 1)
    assert revoked.charge is not None
    assert (revoked.state, revoked.charge.reason) == (TradeState.FAILED, "MANDATE_REVOKED")


async def test_a_browser_shows_what_is_offered_and_takes_a_mandate(street: Street) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.jing.person()
    offered = await offer(house, caller)
    path = f"/agreements/{offered.creditor}"
    assert "¥100.00" in (await house.client.get(path)).text
    assert "MANDATE_MALFORMED" in (await house.client.post(path, data={"mandate": "<b>"})).text
    granted = await person.said("POST", "/v1/mandates", {"grantee": "wei", "daily_max": 5_000, "name": "面馆"})
    assert "已签约" in (await house.client.post(path, data={"mandate": granted["text"]})).text
    assert (await found(house, caller)).state == AgreementState.SIGNED
    assert (await house.client.get("/agreements/agr_0")).status_code == 404


@pytest.mark.parametrize("by", ["MERCHANT", "PERSON"])
async def test_whoever_is_bound_ends_it_and_nothing_more_is_taken(street: Street, by: str) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.wei.person()
    await person.sign((await offer(house, caller)).creditor)
    agreement = await found(house, caller)
    for _ in range(2):
        if by == "PERSON":
            assert (await person.said("POST", f"/v1/agreements/{agreement.creditor}/end"))["state"] == "ENDED"
        else:
            await house.gateways.agreements.terminate(caller, agreement)
    ended = await found(house, caller)
    assert (ended.state, ended.ended_by, ended.mandate) == (AgreementState.ENDED, by, "")
    with pytest.raises(Refusal) as refused:
        await take(house, caller, ended, "T-1", 1)
    assert refused.value.reason is AgreementReason.AGREEMENT_ENDED
    # Who still has it as it was gets no further than the person's wallet.
    assert (await take(house, caller, agreement, "T-2", 1)).state is TradeState.FAILED
    assert await person.balance() == 1_000_000
    assert [each["state"] for each in await person.said("GET", "/v1/agreements")] == ["ENDED"]
    assert (await offer(house, caller)).id != agreement.id


async def test_an_offer_lapses_and_may_be_made_again(street: Street) -> None:
    house, caller, person = street.wei, await taker(street.wei), await street.wei.person()
    offered = await offer(house, caller)
    street.clock.advance(seconds=OFFER_LIFE_S)
    with pytest.raises(AssertionError, match="AGREEMENT_LAPSED"):
        await person.sign(offered.creditor)
    assert (await offer(house, caller)).id != offered.id


async def test_nobody_takes_or_ends_what_is_not_theirs(street: Street) -> None:
    house, caller, other = street.wei, await taker(street.wei), await taker(street.wei)
    person, stranger = await street.wei.person(), await street.wei.person()
    offered = await offer(house, caller)
    await person.sign(offered.creditor)
    with pytest.raises(AssertionError, match="AGREEMENT_SIGNED"):
        await stranger.sign(offered.creditor)
    with pytest.raises(AssertionError, match="AGREEMENT_UNKNOWN"):
        await stranger.said("POST", f"/v1/agreements/{offered.creditor}/end")
    with pytest.raises(Refusal) as unknown:
        await house.gateways.agreements.find(other, contract_no=offered.contract_no)
    assert unknown.value.reason is AgreementReason.AGREEMENT_UNKNOWN
    wrong = {"pin_token": "pin_" + "A" * 40}
    second = await offer(house, caller, "A-2")
    with pytest.raises(AssertionError, match="PIN_TOKEN"):
        await stranger.said("POST", f"/v1/agreements/{second.creditor}/sign", wrong)
    assert await stranger.said("GET", "/v1/agreements") == []
