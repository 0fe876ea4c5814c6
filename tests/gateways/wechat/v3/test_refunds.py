"""Refunds through the v3 wire: wechatpay-alipay specification, section 4."""

from typing import Any

from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant

PHONE = "+8613800138000"
PATH = "/v3/refund/domestic/refunds"
BY_NUMBER = "/v3/pay/transactions/out-trade-no/T20261122001"


async def paid(hall: Hall) -> Merchant:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    placed = await merchant.post("/v3/pay/transactions/native", merchant.order())
    await hall.pay(payer, placed.json["code_url"])
    return merchant


def refund(number: str = "R1", amount: int = 280, total: int = 1_280, **more: Any) -> dict[str, Any]:
    return {
        "out_trade_no": "T20261122001",
        "out_refund_no": number,
        "amount": {"refund": amount, "total": total, "currency": "CNY"},
    } | more


async def test_a_refund_is_accepted_done_and_asked_after(hall: Hall) -> None:
    merchant = await paid(hall)
    trade = (await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}")).json
    asked = refund(reason="少了一碗", notify_url="https://shop.example/back")

    accepted = await merchant.post(PATH, asked)
    assert accepted.status == 200
    assert accepted.json == {
        "refund_id": accepted.json["refund_id"],
        "out_refund_no": "R1",
        "transaction_id": trade["transaction_id"],
        "out_trade_no": "T20261122001",
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": "2026-01-01T08:00:00+08:00",
        "status": "PROCESSING",
        "funds_account": "AVAILABLE",
        "amount": {
            "total": 1280,
            "refund": 280,
            "from": [],
            "payer_total": 1280,
            "payer_refund": 280,
            "settlement_total": 1280,
            "settlement_refund": 280,
            "discount_refund": 0,
            "currency": "CNY",
            "refund_fee": accepted.json["amount"]["refund_fee"],
        },
    }
    done = (await merchant.get(f"{PATH}/R1")).json
    assert done == accepted.json | {"status": "SUCCESS", "success_time": "2026-01-01T08:00:00+08:00"}
    assert (await merchant.post(PATH, asked)).json == done, "a repeat is the refund as it is"
    assert (await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}")).json["trade_state"] == "REFUND"

    rest = refund("R2", 1_000) | {"transaction_id": trade["transaction_id"], "out_trade_no": ""}
    assert (await merchant.post(PATH, rest)).status == 200
    over = await merchant.post(PATH, refund("R3", 1))
    assert (over.status, over.code) == (400, "INVALID_REQUEST")


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    (refund(total=1_281), 400, "INVALID_REQUEST"),
    (refund(amount=1_281), 400, "PARAM_ERROR"),
    (refund(amount=0), 400, "PARAM_ERROR"),
    (refund(out_trade_no=""), 400, "PARAM_ERROR"),
    (refund(out_trade_no="T20261122999"), 404, "RESOURCE_NOT_EXISTS"),
    (refund(transaction_id="4200"), 404, "RESOURCE_NOT_EXISTS"),
    (refund(sub_mchid="1900000109"), 404, "MCH_NOT_EXISTS"),
    (refund(notify_url="https://shop.example/?a=1"), 400, "PARAM_ERROR"),
    (refund("R 1"), 400, "PARAM_ERROR"),
    (refund() | {"amount": {"refund": 280, "total": 1_280}}, 400, "PARAM_ERROR"),
    (refund() | {"amount": {"refund": 280, "total": 1_280, "currency": "CNY", "from": [{"account": "AVAILABLE", "amount": 1}]}}, 400, "PARAM_ERROR"),
]  # fmt: skip


async def test_a_refund_that_cannot_be_is_refused(hall: Hall) -> None:
    merchant = await paid(hall)
    balance = await hall.merchant_balance()
    for body, status, code in REFUSED:
        answer = await merchant.post(PATH, body)
        assert (answer.status, answer.code) == (status, code), body
        assert await hall.merchant_balance() == balance


async def test_a_number_with_another_amount_is_another_refund(hall: Hall) -> None:
    merchant = await paid(hall)
    await merchant.post(PATH, refund())

    other = await merchant.post(PATH, refund(amount=281))

    assert (other.status, other.code) == (400, "REFUND_FEE_MISMATCH")


async def test_what_nobody_paid_is_not_given_back(hall: Hall) -> None:
    merchant = Merchant(hall)
    await merchant.post("/v3/pay/transactions/native", merchant.order())

    answer = await merchant.post(PATH, refund())

    assert (answer.status, answer.code) == (400, "INVALID_REQUEST")


async def test_a_refund_nobody_asked_for_is_not_there(hall: Hall) -> None:
    answer = await Merchant(hall).get(f"{PATH}/R1")

    assert (answer.status, answer.code) == (404, "RESOURCE_NOT_EXISTS")


async def test_no_refund_is_abnormal(hall: Hall) -> None:
    merchant = await paid(hall)
    made = (await merchant.post(PATH, refund())).json
    body = {"out_refund_no": "R1", "type": "MERCHANT_BANK_CARD"}

    answer = await merchant.post(f"{PATH}/{made['refund_id']}/apply-abnormal-refund", body)

    assert (answer.status, answer.code) == (400, "INVALID_REQUEST")
