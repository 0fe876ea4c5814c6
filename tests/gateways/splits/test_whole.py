"""Splits through the gateways of a whole institution: an order placed with the fact, paid, split, and given back."""

from hutong.gateways.balance_service import MerchantBalance
from hutong.gateways.refund import RefundDraft, RefundProgress
from hutong.gateways.splits.receiver import Receiver
from hutong.gateways.splits.split import PartDraft, SplitDraft
from tests.gateways.hall import Hall, order, user_id


async def test_an_order_placed_to_be_split_is_frozen_split_and_refunded(hall: Hall) -> None:
    gateways, sharing, caller = hall.gateways, hall.gateways.sharing, hall.caller()
    payer = await hall.jing.user("+8613800138000", 100_000)
    courier = await hall.jing.user("+8613800138001")
    trade = await gateways.orders.place(caller, order(facts={"split": True}))
    await hall.pay(payer, gateways.orders.code_url(trade))
    assert await hall.merchant_balance() == 0
    unsplit = await sharing.splits.unsplit(caller, trade.order.id)
    assert 0 < unsplit <= trade.amount
    assert await sharing.balances.now(caller) == MerchantBalance(0, unsplit)
    receiver = Receiver(type="PERSONAL_OPENID", account="o1", user_id=user_id(courier))
    await sharing.receivers.add(caller, receiver, relation="PARTNER")
    parts = (PartDraft(receiver=receiver, amount=280),)
    split = await sharing.splits.split(caller, trade.order.id, SplitDraft(number="S1", parts=parts))
    assert split.state == "FINISHED"
    assert (await courier.get("/v1/balance"))["balance"] == 280
    trade = await gateways.orders.find(caller, trade_no=trade.order.trade_no)
    draft = RefundDraft(out_refund_no="R1", amount=900, dialect="wechatpay-v3")
    refund = await gateways.refunds.refund(caller, trade.order, draft, wait=True)
    assert refund.progress is RefundProgress.SUCCESS
    left = unsplit - 280 - (900 - refund.refund.fee)
    assert await sharing.splits.unsplit(caller, trade.order.id) == left
    await sharing.splits.split(caller, trade.order.id, SplitDraft(number="U1", finish=True))
    assert await hall.merchant_balance() == left
    assert await sharing.balances.now(caller) == MerchantBalance(left, 0)
    assert await sharing.balances.at(caller, hall.jing.clock.now_ns() + 10**9) == left
