"""What an order brought is shared with those the merchant bound, and comes back before a refund."""

from typing import Any

import pytest

from tests.gateways.alipay.conftest import Payer, another
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def paid(merchant: Merchant, payer: Payer, number: str, amount: str = "100.00", **more: Any) -> str:
    """The number of a trade that was paid."""
    person = await payer(100_000)
    order = {"out_trade_no": number, "total_amount": amount, "subject": "面", **more}
    shown = await merchant.ask("alipay.trade.precreate", order)
    await merchant.hall.pay(person, shown["qr_code"])
    found = await merchant.ask("alipay.trade.query", {"out_trade_no": number})
    return str(found["trade_no"])


async def test_a_frozen_order_is_settled_with_a_merchant_and_a_person_and_finished(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    _, other = await another(hall)
    trade_no = await paid(merchant, payer, "T1", extend_params={"royalty_freeze": "true"})
    buyer = (await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"}))["buyer_user_id"]
    seller = other.account.facts.seller_id
    part = {"trans_in": seller, "trans_in_type": "userId", "amount": "10.00", "desc": "分成"}
    settle = {"out_request_no": "S1", "trade_no": trade_no, "royalty_parameters": [part]}

    refused = await merchant.ask("alipay.trade.order.settle", settle)
    assert refused["sub_code"] == "ACQ.ROYALTY_RELATION_NOT_EXIST"
    receivers = [{"type": "userId", "account": seller, "memo": "分店"}, {"type": "userId", "account": buyer}]
    bound = await merchant.ask(
        "alipay.trade.royalty.relation.bind", {"out_request_no": "B1", "receiver_list": receivers}
    )
    assert (bound["code"], bound["result_code"]) == ("10000", "SUCCESS")
    known = await merchant.ask("alipay.trade.royalty.relation.batchquery", {"out_request_no": "B2", "page_size": "1"})
    assert (known["total_record_num"], known["total_page_num"], len(known["receiver_list"])) == (2, 2, 1)
    assert (await merchant.ask("alipay.trade.royalty.rate.query", {"out_request_no": "B3"}))["max_ratio"] == "30"

    before = await merchant.ask("alipay.trade.order.onsettle.query", {"trade_no": trade_no})
    assert before["unsettled_amount"] == "99.40"  # What it brought: less the merchant's fee.
    settled = await merchant.ask("alipay.trade.order.settle", settle)
    assert (settled["code"], settled["trade_no"], len(settled["settle_no"])) == ("10000", trade_no, 47)
    assert await merchant.ask("alipay.trade.order.settle", settle) == settled
    other_amount = settle | {"royalty_parameters": [part | {"amount": "10.01"}]}
    refused = await merchant.ask("alipay.trade.order.settle", other_amount)
    assert refused["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    too_much = settle | {"out_request_no": "S2", "royalty_parameters": [part | {"amount": "20.01"}]}
    refused = await merchant.ask("alipay.trade.order.settle", too_much)
    assert refused["sub_code"] == "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"
    person = {"trans_in": buyer, "amount_percentage": "5", "trans_out": merchant.account.facts.seller_id}
    last = {"out_request_no": "S3", "trade_no": trade_no, "royalty_parameters": [person]}
    await merchant.ask("alipay.trade.order.settle", last | {"extend_params": {"royalty_finish": "true"}})
    for which in ({"settle_no": settled["settle_no"]}, {"out_request_no": "S1", "trade_no": trade_no}):
        told = await merchant.ask("alipay.trade.order.settle.query", which)
        (detail,) = told["royalty_detail_list"]
        assert (detail["state"], detail["amount"], detail["trans_in"]) == ("SUCCESS", "10.00", seller)
    told = await merchant.ask("alipay.trade.order.settle.query", {"out_request_no": "S3"})
    assert [(each["operation_type"], each["amount"]) for each in told["royalty_detail_list"]] == [
        ("transfer", "5.00"),
        ("royalty_finish", "84.40"),
    ]
    after = await merchant.ask("alipay.trade.order.onsettle.query", {"trade_no": trade_no})
    assert after["unsettled_amount"] == "0.00"
    done = await merchant.ask("alipay.trade.order.settle", settle | {"out_request_no": "S4"})
    assert done["sub_code"] == "ACQ.TRADE_SETTLE_ERROR"
    unknown = await merchant.ask("alipay.trade.order.settle.query", {"settle_no": "1" * 47})
    assert unknown["sub_code"] == "ACQ.TRADE_SETTLE_NOT_EXIST"


async def test_an_order_that_was_not_frozen_is_settled_from_the_balance_and_refunded_with_what_comes_back(
    hall: Hall, merchant: Merchant, payer: Payer
) -> None:
    _, other = await another(hall)
    seller = other.account.facts.seller_id
    trade_no = await paid(merchant, payer, "T1")
    await merchant.ask("alipay.trade.royalty.relation.bind", {"receiver_list": [{"type": "userId", "account": seller}]})
    part = {"trans_in": seller, "amount": "30.00"}
    settle = {"out_request_no": "S1", "trade_no": trade_no, "royalty_parameters": [part]}
    assert (await merchant.ask("alipay.trade.order.settle", settle))["code"] == "10000"
    back = [{"trans_out": seller, "amount": "30.01"}]
    refund = {"trade_no": trade_no, "refund_amount": "100.00", "refund_royalty_parameters": back}
    refused = await merchant.ask("alipay.trade.refund", refund)
    assert refused["sub_code"] == "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"
    refund["refund_royalty_parameters"] = [{"trans_out": seller, "amount": "30.00"}]
    given = await merchant.ask("alipay.trade.refund", refund)
    assert (given["code"], given["fund_change"], given["refund_fee"]) == ("10000", "Y", "100.00")
    again = await merchant.ask("alipay.trade.refund", refund)
    assert (again["code"], again["fund_change"]) == ("10000", "N")


async def test_who_is_nobody_here_is_bound_to_nothing(merchant: Merchant) -> None:
    for type_, account in (
        ("userId", "2088000000000000"),
        ("userId", "2088100000000000"),
        ("userId", "2088200000000000"),
        ("loginName", "nobody@shop.example"),
        ("loginName", "13000000000"),
        ("openId", "oAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("userId", merchant.account.facts.seller_id),
    ):
        receivers = [{"type": type_, "account": account}]
        refused = await merchant.ask("alipay.trade.royalty.relation.bind", {"receiver_list": receivers})
        assert (refused["code"], refused["sub_code"][:20]) == ("40004", "ACQ.ROYALTY_RECEIVER")
