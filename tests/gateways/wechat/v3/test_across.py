"""A merchant at one institution, payers at another: what v3 says of it is what happened on both."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hutong.gateways import keys
from hutong.gateways.account import WechatAccount
from hutong.runtime.shelf import decided
from tests.gateways.hall import MERCHANT_KEY, Hall
from tests.gateways.street import House, Street
from tests.gateways.wechat.v3.client import Merchant

pytestmark = pytest.mark.asyncio(loop_scope="module")
NATIVE, CODEPAY = "/v3/pay/transactions/native", "/v3/pay/transactions/codepay"
PIN_FREE = 100_000


async def shop(house: House) -> Merchant:
    """A merchant's software, with a key of its own."""
    owner = await house.merchant()
    account, accounts = await house.account(owner), house.gateways.accounts
    public = keys.public_pem(MERCHANT_KEY.public_key())
    keyed = await decided(house.journal, lambda: accounts.add_key(owner, account.row.id, public))
    assert isinstance(keyed, WechatAccount)
    place: Any = SimpleNamespace(
        jing=SimpleNamespace(clock=house.world.clock),
        gateways=house.gateways,
        merchant_key=MERCHANT_KEY,
        http=house.client,
        wechat=keyed,
    )
    return Merchant(cast("Hall", place), keyed)


async def state(merchant: Merchant) -> str:
    answer = await merchant.get(f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={merchant.mchid}")
    return str(answer.json["trade_state"])


def charge(merchant: Merchant, code: str, total: int) -> dict[str, Any]:
    return merchant.order(total=total, payer={"auth_code": code}, scene_info={"store_info": {"id": "1"}})


async def test_an_order_is_paid_from_elsewhere_and_given_back_in_parts(street: Street) -> None:
    merchant, payer = await shop(street.wei), await street.jing.person()
    placed = await merchant.post(NATIVE, merchant.order())
    assert (await payer.pay(placed.json["code_url"]))["state"] == "COMPLETED"
    assert await state(merchant) == "SUCCESS"
    assert await payer.balance() == 1_000_000 - 1_280
    for number, amount in (("R1", 280), ("R2", 1_000)):
        body = {"out_trade_no": "T20261122001", "out_refund_no": number, "amount": {"refund": amount, "total": 1_280, "currency": "CNY"}}  # fmt: skip
        asked = await merchant.post("/v3/refund/domestic/refunds", body)
        assert (asked.status, asked.json["status"]) == (200, "PROCESSING")
        assert (await merchant.get(f"/v3/refund/domestic/refunds/{number}")).json["status"] == "SUCCESS"
    assert await payer.balance() == 1_000_000
    assert await state(merchant) == "REFUND"


async def test_a_payment_code_of_elsewhere_waits_for_the_password_and_is_paid(street: Street) -> None:
    merchant, payer = await shop(street.wei), await street.jing.person()
    body = charge(merchant, await payer.payment_code(), PIN_FREE + 1)
    waiting = await merchant.post(CODEPAY, body)
    assert (waiting.status, waiting.json) == (202, {"trade_state": "USERPAYING"})
    assert await state(merchant) == "USERPAYING"
    await payer.approve()
    for _ in range(100):
        if await state(merchant) == "SUCCESS":
            break
        await asyncio.sleep(0.01)
    assert (await merchant.post(CODEPAY, body)).json["trade_state"] == "SUCCESS"
    reverse = {"appid": merchant.appid, "mchid": merchant.mchid}
    assert (await merchant.post("/v3/pay/transactions/out-trade-no/T20261122001/reverse", reverse)).status == 200
    assert await payer.balance() == 1_000_000


async def test_a_payer_elsewhere_who_says_no_is_a_failed_payment(street: Street) -> None:
    merchant, payer = await shop(street.wei), await street.jing.person()
    body = charge(merchant, await payer.payment_code(), PIN_FREE + 1)
    await merchant.post(CODEPAY, body)
    await payer.decline()
    for _ in range(100):
        if await state(merchant) == "PAYERROR":
            break
        await asyncio.sleep(0.01)

    refused = await merchant.post(CODEPAY, body)

    assert (refused.status, refused.code, refused.json["message"]) == (403, "TRADE_ERROR", "用户取消支付")
    assert await payer.balance() == 1_000_000


async def test_two_merchants_with_one_number_have_two_orders(street: Street) -> None:
    one, other = await shop(street.wei), await shop(street.wei)
    payer = await street.jing.person()
    placed = await one.post(NATIVE, one.order())
    await other.post(NATIVE, other.order())
    await payer.pay(placed.json["code_url"])

    assert (await state(one), await state(other)) == ("SUCCESS", "NOTPAY")
    theirs = await one.get(f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={other.mchid}")
    assert theirs.code == "PARAM_ERROR", "nobody asks in another's name"


async def test_an_order_closed_while_it_is_paid_ends_one_way(street: Street) -> None:
    merchant = await shop(street.wei)
    payer = await street.jing.person()
    ends = []
    for number, ahead_s in enumerate((0.0, 0.002, 0.01)):
        out_trade_no = f"RACE-{number}"
        placed = await merchant.post(NATIVE, merchant.order(out_trade_no))
        path = f"/v3/pay/transactions/out-trade-no/{out_trade_no}"

        async def close(path: str = path, ahead_s: float = ahead_s) -> int:
            await asyncio.sleep(ahead_s)
            return (await merchant.post(f"{path}/close", {"mchid": merchant.mchid})).status

        before = await payer.balance()
        await asyncio.gather(payer.pay(placed.json["code_url"]), close(), return_exceptions=True)
        for _ in range(100):
            end = (await merchant.get(f"{path}?mchid={merchant.mchid}")).json["trade_state"]
            if end in {"SUCCESS", "CLOSED"}:
                break
            await asyncio.sleep(0.01)
        paid = before - await payer.balance()
        assert (end, paid) in {("SUCCESS", 1_280), ("CLOSED", 0)}
        ends.append(end)
    assert len(ends) == 3
