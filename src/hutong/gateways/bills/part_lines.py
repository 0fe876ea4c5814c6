"""Lines of what is one merchant's of a combined order: told as if its part were an order of its own."""

from msgspec.structs import replace

from hutong.gateways.bills.line import FundKind, FundLine, TradeKind, TradeLine, yuan
from hutong.gateways.combined.combined import CombinedPart, PartTaking
from hutong.gateways.refund import GatewayRefund

NUMBER = "out_refund_no"  # In the facts of a refund: the part's merchant's own.


def part_trade(whole: TradeLine, part: CombinedPart) -> TradeLine:
    """The part, from the line of the whole order."""
    told = part.told
    return replace(
        whole,
        trade_no=part.trade_no,
        out_trade_no=part.out_trade_no,
        amount=part.amount,
        fee=part.fee,
        discount=0,
        description=str(told.get("description") or ""),
        attach=str(told.get("attach") or ""),
    )


def part_refund(sale: TradeLine, taking: PartTaking, row: GatewayRefund | None, at_ns: int) -> TradeLine:
    """What was given back of a part, from the part's own line."""
    return replace(
        sale,
        kind=TradeKind.REFUND,
        at_ns=at_ns,
        ended_ns=at_ns,
        amount=taking.gross,
        fee=taking.gross - taking.amount,
        refund_no=row.refund_no if row is not None else "",
        out_refund_no=str(row.told.get(NUMBER, "")) if row is not None else "",
    )


def part_funds(line: FundLine, part: CombinedPart) -> list[FundLine]:
    """What came of a part: all of it, and its share of the fee that left."""
    line = replace(
        line,
        kind=FundKind.PAYMENT,
        trade_no=part.trade_no,
        voucher=part.out_trade_no,
        description=str(part.told.get("description") or ""),
    )
    if not part.fee:
        return [line]
    before = line.balance - line.change
    return [
        replace(line, change=part.amount, balance=before + part.amount),
        replace(line, kind=FundKind.FEE, flow_no=f"{line.at_ns}1", change=-part.fee),
    ]


def part_refund_fund(line: FundLine, taking: PartTaking, part: CombinedPart, row: GatewayRefund | None) -> FundLine:
    """What went for a refund of a part; or came back, when that failed."""
    if line.change > 0 or row is None:
        return replace(line, trade_no=part.trade_no, voucher=part.out_trade_no)
    return replace(
        line,
        kind=FundKind.REFUND,
        trade_no=row.refund_no,
        voucher=str(row.told.get(NUMBER, "")),
        remark=f"退款总金额{yuan(taking.gross)}元;含手续费{yuan(taking.gross - taking.amount)}元",
    )
