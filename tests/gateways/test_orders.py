"""An order of a gateway is the merchant's own payment request: paid once, told once, given back in parts."""

import pytest

from hutong.gateways.notification import News
from hutong.gateways.order import TradeState
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund import RefundDraft, RefundProgress
from hutong.kernel.errors import Refusal
from tests.gateways.hall import Hall, order

PHONE = "+8613800138000"
URL = "https://shop.example/paid"


def refund(number: str, amount: int, **more: object) -> RefundDraft:
    return RefundDraft(out_refund_no=number, amount=amount, dialect="wechatpay-v3", **more)  # type: ignore[arg-type]


async def test_an_order_is_scanned_paid_told_and_given_back_in_parts(hall: Hall) -> None:
    payer = await hall.jing.user(PHONE, 100_000)
    caller, orders = hall.caller(), hall.gateways.orders
    placed = await orders.place(caller, order(notify_url=URL))
    assert (placed.state, placed.amount, placed.paid) == (TradeState.NOT_PAID, 1_280, 0)
    again = await orders.place(caller, order(notify_url=URL))
    assert (again.order, again.was_seen) == (placed.order, False)

    await hall.pay(payer, orders.code_url(placed))
    paid = await orders.find(caller, out_trade_no="T20261122001")
    assert (paid.state, paid.paid, paid.left) == (TradeState.PAID, 1_280, 1_280)
    assert (await orders.find(caller, trade_no=paid.order.trade_no)).order == paid.order
    assert len(paid.order.trade_no) == 32
    (told,) = hall.gateways.notifications.all.everything()
    assert (told.kind, told.subject_id, told.url) == (News.PAID, paid.order.id, URL)

    refunds = hall.gateways.refunds
    first = await refunds.refund(caller, paid.order, refund("R1", 280, total=1_280, notify_url=URL), wait=True)
    assert (first.progress, first.repeated) == (RefundProgress.SUCCESS, False)
    repeated = await refunds.refund(caller, paid.order, refund("R1", 280, total=1_280), wait=True)
    assert (repeated.row, repeated.repeated) == (first.row, True)
    await refunds.refund(caller, paid.order, refund("R2", 1_000), wait=True)
    assert (await orders.find(caller, trade_no=paid.order.trade_no)).left == 0
    assert (await refunds.find(caller, refund_no=first.row.refund_no)).row == first.row
    assert [each.kind for each in hall.gateways.notifications.all.everything()] == [News.PAID, News.REFUND]
    assert (await payer.get("/v1/balance"))["balance"] == 100_000


async def test_what_ends_an_order_ends_it_for_good(hall: Hall) -> None:
    payer = await hall.jing.user(PHONE, 100_000)
    caller, orders = hall.caller(), hall.gateways.orders
    placed = await orders.place(caller, order())
    assert (await orders.close(caller, out_trade_no="T20261122001")).state is TradeState.CLOSED
    assert (await orders.close(caller, out_trade_no="T20261122001")).state is TradeState.CLOSED
    with pytest.raises(Refusal) as refused:
        await orders.place(caller, order())
    assert refused.value.reason is GatewayReason.ORDER_CLOSED
    await payer.post("/v1/codes/consult", 422, {"code": orders.code_url(placed)})

    paid = await orders.place(caller, order("T2"))
    await hall.pay(payer, orders.code_url(paid))
    for ask in (orders.place(caller, order("T2")), orders.close(caller, out_trade_no="T2")):
        with pytest.raises(Refusal) as refused:
            await ask
        assert refused.value.reason is GatewayReason.ORDER_PAID


async def test_the_same_number_with_other_content_is_refused(hall: Hall) -> None:
    caller, orders = hall.caller(), hall.gateways.orders
    await orders.place(caller, order(content=b"one"))
    for other in (order(content=b"two"), order(amount=1_281, content=b"one")):
        with pytest.raises(Refusal) as refused:
            await orders.place(caller, other)
        assert refused.value.reason is GatewayReason.ORDER_DIFFERS


async def test_doors_have_numbers_of_their_own_and_strangers_see_nothing(hall: Hall) -> None:
    orders = hall.gateways.orders
    here = await orders.place(hall.caller(), order())
    there = await orders.place(hall.caller(hall.alipay), order(amount=5))
    assert here.order.id != there.order.id
    await hall.merchant.post("/v1/payment-requests", 201, {"reference": "T20261122001", "amount": 7})
    with pytest.raises(Refusal) as refused:
        await orders.find(hall.caller(hall.alipay), trade_no=here.order.trade_no)
    assert refused.value.reason is GatewayReason.ORDER_UNKNOWN


async def test_a_payment_code_is_charged_and_reversed(hall: Hall) -> None:
    payer = await hall.jing.user(PHONE, 100_000)
    caller, orders = hall.caller(), hall.gateways.orders
    failed = await orders.collect(caller, order(product="MICROPAY", payer_code="310000000000000000"))
    assert failed.state is TradeState.FAILED
    code = await hall.payment_code(payer)
    paid = await orders.collect(caller, order(product="MICROPAY", payer_code=code))
    assert (paid.state, paid.order.attempt) == (TradeState.PAID, 2)
    assert (await orders.collect(caller, order(product="MICROPAY", payer_code=code))).order == paid.order
    trade = await orders.cancel(caller, out_trade_no="T20261122001")
    await hall.gateways.refunds.refund(caller, trade.order, refund("reverse", trade.left), wait=True)
    assert hall.gateways.orders.reversed(trade).state is TradeState.REVERSED
    assert (await payer.get("/v1/balance"))["balance"] == 100_000
