"""
An order that a merchant's own campaign made cheaper: what the wire and the bills say of it is what the ledger did.

The merchant has put the campaign's money aside, and receives it with the payment: to the vendor that is a coupon of the CASH kind.
"""

from typing import Any

import pytest

from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant
from tests.gateways.wechat.v3.test_bills import FUNDS, TRADES, downloaded

ORDERS, REFUNDS = "/v3/pay/transactions", "/v3/refund/domestic/refunds"


async def discounted(hall: Hall, *, by_code: bool = False) -> Merchant:
    """An order of 30 yuan, of which the merchant's campaign gave one, paid by whoever scanned it or whose code was scanned."""
    merchant, payer = Merchant(hall), await hall.jing.user("+8613800138000", 100_000)
    first = await merchant.post(f"{ORDERS}/native", merchant.order("T0000001", 10_000))
    await hall.pay(payer, first.json["code_url"])
    owner, now_ms = hall.merchant, hall.jing.clock.now_ns() // 1_000_000
    await owner.post("/v1/merchant/budget/deposits", 200, {"deposit_id": owner.new_id("dep"), "amount": 2_000})
    id_ = owner.new_id("cmp")
    terms = {"rules": {"rows": [{"off": 100}]}, "holdout_bps": 0}
    told = {"campaign_id": id_, "name": "立减", "ends_at_ms": now_ms + 5 * 86_400_000, "terms": terms, "budget": 2_000}
    await owner.post("/v1/merchant/campaigns", 201, told)
    await owner.post(f"/v1/merchant/campaigns/{id_}/start", 200, {})
    before = await hall.merchant_balance()
    if by_code:
        charge = merchant.order("T0000002", 3_000, payer={"auth_code": await hall.payment_code(payer)})
        paid = await merchant.post(f"{ORDERS}/codepay", charge | {"scene_info": {"store_info": {"id": "1"}}})
        assert paid.json["amount"]["payer_total"] == 2_900
    else:
        placed = await merchant.post(f"{ORDERS}/native", merchant.order("T0000002", 3_000))
        await hall.pay(payer, placed.json["code_url"])
    assert await hall.merchant_balance() - before > 2_900, "the campaign's money came with the payment"
    return merchant


async def given_back(merchant: Merchant) -> dict[str, Any]:
    """A third of the order."""
    amount = {"refund": 1_000, "total": 3_000, "currency": "CNY"}
    asked = {"out_trade_no": "T0000002", "out_refund_no": "R1", "amount": amount}
    return (await merchant.post(REFUNDS, asked)).json


@pytest.mark.parametrize("by_code", [False, True])
async def test_what_the_merchants_campaign_gave_is_a_coupon_of_cash(hall: Hall, *, by_code: bool) -> None:
    merchant = await discounted(hall, by_code=by_code)
    paid = (await merchant.get(f"{ORDERS}/out-trade-no/T0000002?mchid={merchant.mchid}")).json
    assert paid["amount"] == {"total": 3_000, "payer_total": 2_900, "currency": "CNY", "payer_currency": "CNY"}
    (coupon,) = paid["promotion_detail"]
    assert (coupon["type"], coupon["amount"], coupon["merchant_contribute"]) == ("CASH", 100, 100)

    given = await given_back(merchant)
    share = given["amount"]["discount_refund"]
    assert (given["amount"]["settlement_total"], given["amount"]["settlement_refund"]) == (3_000, 1_000)
    assert (given["amount"]["payer_refund"], share) == (1_000 - share, 33)
    (back,) = given["promotion_detail"]
    assert (back["type"], back["promotion_id"], back["refund_amount"]) == ("COUPON", coupon["coupon_id"], share)


async def test_bills_say_what_came_and_what_of_it_was_a_coupons(hall: Hall) -> None:
    merchant = await discounted(hall)
    await given_back(merchant)
    hall.jing.clock.advance(seconds=26 * 3600)
    trades = await downloaded(merchant, (await merchant.get(TRADES)).json["download_url"])
    line = trades.body.decode("utf-8-sig").split("\r\n")[2].split(",`")
    assert (line[12], line[13], line[24]) == ("30.00", "1.00", "30.00")
    back = trades.body.decode("utf-8-sig").split("\r\n")[3].split(",`")
    assert (back[9], back[16], back[17], back[25]) == ("REFUND", "10.00", "0.33", "10.00")
    funds = await downloaded(merchant, (await merchant.get(FUNDS)).json["download_url"])
    last = funds.body.decode("utf-8-sig").split("\r\n")[-4].split(",`")
    assert last[7].replace(".", "") == str(await hall.merchant_balance())
