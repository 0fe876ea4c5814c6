"""Orders through the v3 wire, paid by people: wechatpay-alipay specification, sections 3.1 and 3.2."""

from typing import Any

from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Merchant

PHONE = "+8613800138000"
NATIVE = "/v3/pay/transactions/native"
BY_NUMBER = "/v3/pay/transactions/out-trade-no/T20261122001"


async def test_a_native_order_is_scanned_paid_and_asked_after(hall: Hall) -> None:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    placed = await merchant.post(
        NATIVE, merchant.order(attach="桌3", scene_info={"payer_client_ip": "1.2.3.4", "device_id": "d1"})
    )
    assert (placed.status, list(placed.json)) == (200, ["code_url"])
    query = f"{BY_NUMBER}?mchid={merchant.mchid}"
    before = await merchant.get(query)
    assert before.json == {
        "appid": merchant.appid,
        "mchid": merchant.mchid,
        "out_trade_no": "T20261122001",
        "trade_state": "NOTPAY",
        "trade_state_desc": "订单未支付",
        "attach": "桌3",
        "amount": {"total": 1280, "currency": "CNY"},
        "scene_info": {"device_id": "d1"},
    }

    await hall.pay(payer, placed.json["code_url"])
    after = (await merchant.get(query)).json
    assert len(after["transaction_id"]) == 32
    assert len(after["payer"]["openid"]) == 28
    assert after == before.json | {
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "transaction_id": after["transaction_id"],
        "trade_type": "NATIVE",
        "bank_type": "OTHERS",
        "success_time": "2026-01-01T08:00:00+08:00",
        "payer": after["payer"],
        "amount": {"total": 1280, "currency": "CNY", "payer_total": 1280, "payer_currency": "CNY"},
    }
    by_id = await merchant.get(f"/v3/pay/transactions/id/{after['transaction_id']}?mchid={merchant.mchid}")
    assert by_id.json == after


async def test_every_kind_of_order_leads_somewhere(hall: Hall) -> None:
    merchant = Merchant(hall)
    table: list[tuple[str, dict[str, Any], str]] = [
        ("native", {}, "code_url"),
        ("jsapi", {"payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}, "prepay_id"),
        ("app", {}, "prepay_id"),
        ("h5", {"scene_info": {"payer_client_ip": "1.2.3.4", "h5_info": {"type": "Wap"}}}, "h5_url"),
    ]
    for kind, more, led in table:
        body = merchant.order(f"T2026112200-{kind}", **more)
        answer = await merchant.post(f"/v3/pay/transactions/{kind}", body)
        again = await merchant.post(f"/v3/pay/transactions/{kind}", body)
        assert (answer.status, list(answer.json)) == (200, [led])
        assert again.json == answer.json, "the same number with the same content is the same order"
        assert len(answer.json[led]) <= (512 if led == "h5_url" else 64)
        other = await merchant.post(f"/v3/pay/transactions/{kind}", body | {"description": "三碗面"})
        assert (other.status, other.code) == (403, "OUT_TRADE_NO_USED")


async def test_an_order_is_closed_once_and_for_all(hall: Hall) -> None:
    merchant = Merchant(hall)
    await merchant.post(NATIVE, merchant.order())
    for _ in range(2):
        closed = await merchant.post(f"{BY_NUMBER}/close", {"mchid": merchant.mchid})
        assert (closed.status, closed.body) == (204, b"")
    assert (await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}")).json["trade_state"] == "CLOSED"
    again = await merchant.post(NATIVE, merchant.order())
    assert (again.status, again.code) == (400, "ORDER_CLOSED")


async def test_a_paid_order_is_neither_closed_nor_placed_again(hall: Hall) -> None:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    placed = await merchant.post(NATIVE, merchant.order())
    await hall.pay(payer, placed.json["code_url"])
    for answer in (
        await merchant.post(NATIVE, merchant.order()),
        await merchant.post(f"{BY_NUMBER}/close", {"mchid": merchant.mchid}),
    ):
        assert (answer.status, answer.code) == (400, "ORDERPAID")


async def test_what_is_not_there_is_not_found(hall: Hall) -> None:
    merchant = Merchant(hall)
    for answer in (
        await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}"),
        await merchant.get(f"/v3/pay/transactions/id/42000?mchid={merchant.mchid}"),
        await merchant.post(f"{BY_NUMBER}/close", {"mchid": merchant.mchid}),
    ):
        assert (answer.status, answer.code) == (404, "ORDER_NOT_EXIST")


async def test_an_order_lives_until_the_time_it_names(hall: Hall) -> None:
    merchant = Merchant(hall)
    body = merchant.order(time_expire="2026-01-01T08:02:00+08:00")
    await merchant.post(NATIVE, body)
    hall.jing.clock.advance(seconds=61)
    assert (await merchant.post(NATIVE, body)).code == "PARAM_ERROR", "less than a minute is left"
    assert (await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}")).json["trade_state"] == "NOTPAY"
    hall.jing.clock.advance(seconds=59)
    assert (await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}")).json["trade_state"] == "CLOSED"


NOT_AS_THEY_MUST_BE: list[tuple[dict[str, object], str]] = [
    ({"time_expire": "tomorrow"}, "/body/time_expire"),
    ({"time_expire": "2026-01-01T08:00:59+08:00"}, "/body/time_expire"),
    ({"time_expire": "2026-01-09T08:00:00+08:00"}, "/body/time_expire"),
    ({"time_expire": "2026-01-01T09:00:00"}, "/body/time_expire"),
    ({"notify_url": "shop.example/paid"}, "/body/notify_url"),
    ({"notify_url": "https://shop.example/paid?x=1"}, "/body/notify_url"),
    ({"amount": {"total": 0}}, "/body/amount/total"),
    ({"amount": {"total": 1, "currency": "USD"}}, "/body/amount/currency"),
    ({"out_trade_no": "T-1"}, "/body/out_trade_no"),
    ({"out_trade_no": "T 2026112"}, "/body/out_trade_no"),
    ({"description": ""}, "/body/description"),
    ({"description": "面" * 128}, "/body/description"),
    ({"mchid": "1900000109"}, "/body/mchid"),
    ({"detail": {"invoice_id": "1", "goods_detail": [{"merchant_goods_id": "1", "quantity": 1, "unit_price": 1, "goods_name": "名" * 200}] * 20}}, "/body/detail"),
]  # fmt: skip


async def test_an_order_that_is_not_as_it_must_be_is_refused(hall: Hall) -> None:
    merchant = Merchant(hall)
    for change, field in NOT_AS_THEY_MUST_BE:
        answer = await merchant.post(NATIVE, merchant.order() | change)
        assert (answer.status, answer.code, answer.json["detail"]["field"]) == (400, "PARAM_ERROR", field)


async def test_an_application_must_be_the_merchants(hall: Hall) -> None:
    merchant = Merchant(hall)

    answer = await merchant.post(NATIVE, merchant.order(appid="wx0000000000000000"))

    assert (answer.status, answer.code) == (400, "APPID_MCHID_NOT_MATCH")


async def test_any_printable_description_may_be_paid(hall: Hall) -> None:
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    placed = await merchant.post(NATIVE, merchant.order(description=" 面\n\t汤\u202e "))
    await hall.pay(payer, placed.json["code_url"])
    assert (await merchant.get(f"{BY_NUMBER}?mchid={merchant.mchid}")).json["trade_state"] == "SUCCESS"
