"""Bills of a day with everything in it: their lines are what happened, and their sums what the ledger moved."""

from zoneinfo import ZoneInfo

from hutong.gateways.bills.line import FundKind, TradeKind, fund_sums, trade_sums
from hutong.gateways.order import Dialect
from hutong.gateways.refund import RefundDraft
from hutong.gateways.splits.receiver import Receiver
from hutong.gateways.splits.split import PartDraft, SplitDraft
from hutong.institution.bills.bill import BillDay
from tests.gateways.combined.test_combined import Mall
from tests.gateways.hall import Hall, order, user_id

SHANGHAI = ZoneInfo("Asia/Shanghai")


async def test_the_lines_of_a_day_are_what_happened_and_add_up_to_the_ledger(hall: Hall) -> None:
    gateways, sharing, caller = hall.gateways, hall.gateways.sharing, hall.caller()
    payer = await hall.jing.user("+8613800138000", 100_000)
    courier = await hall.jing.user("+8613800138001")
    plain = await gateways.orders.place(caller, order("T1", facts={"attach": "table=7", "description": "两碗面"}))
    other = await gateways.orders.place(hall.caller(hall.alipay), order("T1", 500, dialect=Dialect.ALIPAY))
    split = await gateways.orders.place(caller, order("T2", 10_000, facts={"profit_sharing": True}))
    for trade in (plain, other, split):
        await hall.pay(payer, gateways.orders.code_url(trade))
    receiver = Receiver(type="PERSONAL_OPENID", account="o1", user_id=user_id(courier))
    await sharing.receivers.add(caller, receiver, relation="STAFF")
    parts = (PartDraft(receiver=receiver, amount=280),)
    await sharing.splits.split(caller, split.order.id, SplitDraft(number="S1", parts=parts))
    plain = await gateways.orders.find(caller, out_trade_no="T1")
    draft = RefundDraft(out_refund_no="R1", amount=300, dialect="wechatpay-v3")
    refund = await gateways.refunds.refund(caller, plain.order, draft, wait=True)
    day = await today(hall)

    lines = await sharing.bills.trades(caller, day)
    assert [(line.kind, line.out_trade_no, line.amount) for line in lines] == [
        (TradeKind.PAYMENT, "T1", 1_280),
        (TradeKind.PAYMENT, "T2", 10_000),
        (TradeKind.REFUND, "T1", 300),
    ]
    first, second, third = lines
    assert (first.attach, first.description, first.fee, first.fee_bps) == ("table=7", "两碗面", 8, 60)
    assert first.trade_no == plain.order.trade_no
    assert first.payer == gateways.orders.payers.openid(hall.wechat.facts.appids[0], plain.order.payer)
    assert (second.shared, second.fee) == (280, 60)
    assert (third.refund_no, third.out_refund_no, third.fee) == (refund.row.refund_no, "R1", refund.refund.fee)
    sums = trade_sums(lines)

    funds = await sharing.bills.funds(caller, day)
    assert [line.kind for line in funds] == [
        *(FundKind.PAYMENT, FundKind.FEE),
        *(FundKind.PAYMENT, FundKind.FEE),
        *(FundKind.PAYMENT, FundKind.FEE, FundKind.FROZEN),
        FundKind.REFUND,
    ]
    assert funds[-1].balance == await hall.merchant_balance() == fund_sums(funds).came - fund_sums(funds).went
    moved = sum(line.change for line in funds if line.kind not in (FundKind.FROZEN, FundKind.UNFROZEN))
    assert moved == sums.paid - sums.refunded - sums.fees + (500 - 3)
    assert len({line.flow_no for line in funds}) == len(funds)
    assert [line.out_trade_no for line in await sharing.bills.trades(hall.caller(hall.alipay), day)] == ["T1"]


async def test_a_day_of_many_pages_has_every_line_once(hall: Hall) -> None:
    payer = await hall.jing.user("+8613800138000", 100_000)
    caller, orders, bills = hall.caller(), hall.gateways.orders, hall.gateways.sharing.bills
    for number in range(7):
        trade = await orders.place(caller, order(f"T{number}", 100 + number))
        await hall.pay(payer, orders.code_url(trade))
    day = await today(hall)
    whole = await bills.funds(caller, day), await bills.trades(caller, day)
    for size in (1, 2, 3, 5):
        bills.page = size
        assert (await bills.funds(caller, day), await bills.trades(caller, day)) == whole
    assert [line.amount for line in whole[1]] == [100 + number for number in range(7)]


async def test_each_merchant_of_a_combined_order_has_its_part_in_its_bills(hall: Hall) -> None:
    mall = await Mall(hall).open()
    paid = await mall.paid("C1", 7_000, 2_990, 10)
    tea = paid.parts[1]
    await mall.refund(mall.tea, tea, "R1", 1_000)
    await mall.refund(mall.platform, paid.parts[2], "R1", 4)
    day, bills = await today(hall), hall.gateways.sharing.bills
    sale, refund = await bills.trades(mall.tea, day)
    assert (sale.kind, sale.trade_no, sale.out_trade_no) == (TradeKind.PAYMENT, tea.trade_no, "C1-1")
    assert (sale.amount, sale.fee, sale.description) == (2_990, tea.fee, "面")
    assert (refund.kind, refund.amount, refund.out_refund_no) == (TradeKind.REFUND, 1_000, "R1")
    funds = await bills.funds(mall.tea, day)
    assert [line.kind for line in funds] == [FundKind.PAYMENT, FundKind.FEE, FundKind.REFUND]
    assert funds[-1].balance == await mall.balance(mall.tea) == sale.amount - sale.fee - refund.amount + refund.fee
    assert [line.voucher for line in funds] == ["C1-1", "C1-1", "R1"]
    own = await bills.trades(mall.platform, day)
    assert [(line.kind, line.amount) for line in own] == [(TradeKind.PAYMENT, 10), (TradeKind.REFUND, 4)]
    platform = await bills.funds(mall.platform, day)
    assert platform[-1].balance == await mall.balance(mall.platform)


async def today(hall: Hall) -> BillDay:
    """The day it is in the hall, which is not over yet."""
    now_ns = hall.jing.clock.now_ns()
    text = f"{hall.jing.institution.policies.date_of(now_ns):%Y-%m-%d}"
    return BillDay.read(text, SHANGHAI, now_ns)
