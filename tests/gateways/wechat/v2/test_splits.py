"""Profit sharing by v2: real money in real accounts, frozen until it is split."""

import json

import pytest

from hutong.gateways.wechat.v2.signature import SignType
from tests.gateways.street import Street
from tests.gateways.wechat.v2.shop import V2Shop, open_shop

HMAC = SignType.HMAC_SHA256
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def sold(street: Street) -> tuple[V2Shop, V2Shop, str]:
    """A merchant that has sold something to be split, one to split to, and what was sold."""
    shop, partner = await open_shop(street, HMAC), await open_shop(street, HMAC)
    payer = await street.jing.person()
    fields = shop.micropay(await payer.payment_code(), total_fee=10_000)
    paid = await shop.done("/pay/micropay", **fields, profit_sharing="Y")
    receiver = {"type": "MERCHANT_ID", "account": partner.account.row.number, "relation_type": "PARTNER"}
    await shop.done("/pay/profitsharingaddreceiver", receiver=json.dumps(receiver))
    return shop, partner, paid["transaction_id"]


def receivers(partner: V2Shop, amount: int) -> str:
    told = {"type": "MERCHANT_ID", "account": partner.account.row.number, "amount": amount, "description": "分成"}
    return json.dumps([told], ensure_ascii=False)


async def test_an_order_is_split_given_back_and_finished(street: Street) -> None:
    shop, partner, transaction_id = await sold(street)
    which = {"transaction_id": transaction_id, "out_order_no": "S-1"}
    assert await street.wei.merchant_balance(shop.owner) == 0
    split = await shop.done("/secapi/pay/multiprofitsharing", **which, receivers=receivers(partner, 2_000))
    again = await shop.done("/secapi/pay/multiprofitsharing", **which, receivers=receivers(partner, 2_000))
    assert split["order_id"] == again["order_id"]
    assert await street.wei.merchant_balance(partner.owner) == 2_000
    found = await shop.done("/pay/profitsharingquery", **which)
    assert found["status"] == "FINISHED"
    (part,) = json.loads(found["receivers"])
    assert (part["amount"], part["result"], part["account"]) == (2_000, "SUCCESS", partner.account.row.number)
    left = await shop.done("/pay/profitsharingorderamountquery", transaction_id=transaction_id)
    assert int(left["unsplit_amount"]) == 10_000 - 60 - 2_000
    returned = {
        "out_order_no": "S-1",
        "out_return_no": "B-1",
        "return_account_type": "MERCHANT_ID",
        "return_account": partner.account.row.number,
        "return_amount": 500,
        "description": "退回",
    }
    assert (await shop.done("/secapi/pay/profitsharingreturn", **returned))["result"] == "SUCCESS"
    query = {"out_order_no": "S-1", "out_return_no": "B-1"}
    assert (await shop.done("/pay/profitsharingreturnquery", **query))["return_amount"] == "500"
    finish = {"transaction_id": transaction_id, "out_order_no": "S-2", "description": "完结"}
    await shop.done("/secapi/pay/profitsharingfinish", **finish)
    assert await street.wei.merchant_balance(shop.owner) == 10_000 - 60 - 1_500
    assert (await shop.done("/pay/profitsharingmerchantratioquery", appid=None))["max_ratio"] == "3000"


async def test_what_cannot_be_split_is_refused_and_moves_nothing(street: Street) -> None:
    shop, partner, transaction_id = await sold(street)
    stranger = await open_shop(street, HMAC)
    path, which = "/secapi/pay/profitsharing", {"transaction_id": transaction_id, "out_order_no": "S-1"}
    for told, code in (
        ("[", "PARAM_ERROR"),
        ('[{"type": "MERCHANT_ID", "account": "1", "amount": 1, "description": "x"}]', "PARAM_ERROR"),
        ('[{"type": "PERSONAL_OPENID", "account": "o", "amount": 1, "description": "x"}]', "PARAM_ERROR"),
        (receivers(stranger, 1), "RECEIVER_INVALID"),
        (receivers(partner, 3_001), "RULELIMIT"),
        (receivers(partner, 0), "PARAM_ERROR"),
    ):
        assert (await shop.call(path, **which, receivers=told))["err_code"] == code, told
    assert (await shop.call("/pay/profitsharingquery", **which))["err_code"] == "NOT_FOUND"
    assert await street.wei.merchant_balance(partner.owner) == 0
