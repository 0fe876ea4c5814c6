"""
Alipay's bills: a ZIP with two CSV files, both file names and texts in GBK; values are followed by a tab, lines end in CRLF.

The first file has a line for each thing, the second their sums by shop. What GBK lacks is told as a question mark.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec

from hutong.gateways.bills.archive import zipped
from hutong.gateways.bills.line import (
    FundKind,
    FundLine,
    TradeLine,
    TradeSums,
    fund_sums,
    in_one_line,
    trade_sums,
    yuan,
)
from hutong.kernel.clock import instant

_CURRENCY = "0156"  # ISO 4217's number of the renminbi: an account is a pid and this.
_TRADE_HEADER = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
_TRADE_SUMS_HEADER = (
    "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,"
    "卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）"
)
_FUND_HEADER = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,"
    "业务类型,备注"
)
_FUND_SUMS_HEADER = "业务类型,收入笔数,收入金额（+元）,支出笔数,支出金额（-元）,总金额（元）"
_TYPES = {
    FundKind.PAYMENT: "在线支付",
    FundKind.FEE: "收费",
    FundKind.REFUND: "交易退款",
    FundKind.SPLIT: "交易分账",
    FundKind.SPLIT_RETURNED: "交易分账退回",
    FundKind.FROZEN: "保证金",
    FundKind.UNFROZEN: "保证金",
    FundKind.COMBINED: "交易分账",
    FundKind.COMBINED_RETURNED: "交易分账退回",
    FundKind.TRANSFER: "转账",
    FundKind.SUBSIDY: "其它",
    FundKind.SUBSIDY_RETURNED: "其它",
    FundKind.WITHDRAWAL: "提现",
    FundKind.PAID_IN: "充值",
    FundKind.DISPUTED: "其它",
    FundKind.OTHER: "其它",
}


class BillHead(msgspec.Struct, frozen=True, kw_only=True):
    """Whose bill, of which day, and when it was written."""

    pid: str
    day: date
    written_ns: int
    zone: ZoneInfo
    last: date | None = None  # Of a month's bill: its last day.

    @property
    def ends(self) -> date:
        """The day behind it."""
        return (self.last or self.day) + timedelta(days=1)

    @property
    def account(self) -> str:
        return self.pid + _CURRENCY


def trade_bill(head: BillHead, lines: Sequence[TradeLine]) -> bytes:
    """The `trade` bill: what was sold and given back."""
    sums = trade_sums(lines)
    details = [
        *_top(head, "支付宝业务明细查询"),
        _rule("业务明细列表", 41, 40),
        _TRADE_HEADER,
        *(_row(_trade_fields(line, head.zone)) for line in lines),
        _rule("业务明细列表结束", 41, 36),
        f"#交易合计：{sums.payments}笔，商家实收共{yuan(sums.paid)}元，商家优惠共0.00元",
        f"#退款合计：{sums.refunds}笔，商家实收退款共{yuan(-sums.refunded)}元，商家优惠退款共0.00元",
        _written(head),
    ]
    shops: dict[tuple[str, str], list[TradeLine]] = {}
    for line in lines:
        shops.setdefault((line.shop_no, line.shop_name), []).append(line)
    totals = [
        *_top(head, "支付宝业务汇总查询"),
        _rule("业务汇总列表", 41, 40),
        _TRADE_SUMS_HEADER,
        *(_row(_shop_fields(*shop, trade_sums(its))) for shop, its in sorted(shops.items())),
        _row(_shop_fields("合计", "", sums)),
        _rule("业务汇总列表结束", 40, 37),
        _written(head),
    ]
    return _archive(head, "业务明细", details, totals)


def account_bill(head: BillHead, lines: Sequence[FundLine]) -> bytes:
    """The `signcustomer` bill: everything that moved on the account."""
    sums = fund_sums(lines)
    details = [
        *_top(head, "支付宝账务明细查询"),
        _rule("账务明细列表", 41, 40),
        _FUND_HEADER,
        *(_row(_fund_fields(line, head.zone)) for line in lines),
        _rule("账务明细列表结束", 40, 37),
        f"#支出合计：{sums.outs}笔，共{yuan(sums.went)}元",
        f"#收入合计：{sums.ins}笔，共{yuan(sums.came)}元",
        _written(head),
    ]
    types: dict[str, list[FundLine]] = {}
    for line in lines:
        types.setdefault(_TYPES[line.kind], []).append(line)
    totals = [
        *_top(head, "支付宝账务汇总查询"),
        _rule("账务汇总列表", 41, 40),
        _FUND_SUMS_HEADER,
        *(_row(_type_fields(name, its)) for name, its in sorted(types.items())),
        _row(_type_fields("合计", lines)),
        _rule("账务汇总列表结束", 40, 37),
        _written(head),
    ]
    return _archive(head, "账务明细", details, totals)


def _trade_fields(line: TradeLine, zone: ZoneInfo) -> list[str]:
    sign = -1 if line.is_refund else 1
    return [
        line.trade_no,
        line.out_trade_no,
        "退款" if line.is_refund else "交易",
        line.description,
        _time(line.created_ns or line.at_ns, zone),
        _time(line.ended_ns or line.at_ns, zone),
        line.shop_no,
        line.shop_name,
        line.operator,
        line.terminal,
        line.payer,
        yuan(sign * line.amount),
        yuan(sign * line.amount),
        "0.00",
        "0.00",
        yuan(sign * line.discount),
        "0.00",
        "0.00",
        "",
        "0.00",
        "0.00",
        line.out_refund_no,
        yuan(-sign * line.fee),
        yuan(-line.shared),
        line.attach,
    ]


def _shop_fields(number: str, name: str, sums: TradeSums) -> list[str]:
    taken = sums.paid - sums.refunded
    return [
        number,
        name,
        str(sums.payments),
        str(sums.refunds),
        yuan(taken),
        yuan(taken),
        yuan(sums.discounts - sums.discounts_back),
        "0.00",
        "0.00",
        yuan(-sums.fees),
        yuan(-sums.shared),
        yuan(taken - sums.fees - sums.shared),
    ]


def _fund_fields(line: FundLine, zone: ZoneInfo) -> list[str]:
    return [
        line.flow_no,
        line.trade_no,
        line.voucher,
        line.description,
        _time(line.at_ns, zone),
        line.counterparty,
        yuan(max(line.change, 0)),
        yuan(min(line.change, 0)),
        yuan(line.balance),
        "支付宝",
        _TYPES[line.kind],
        line.remark,
    ]


def _type_fields(name: str, lines: Sequence[FundLine]) -> list[str]:
    sums = fund_sums(lines)
    return [name, str(sums.ins), yuan(sums.came), str(sums.outs), yuan(-sums.went), yuan(sums.came - sums.went)]


def _top(head: BillHead, title: str) -> list[str]:
    return [
        f"#{title}",
        f"#账号：[{head.account}]",
        f"#起始日期：[{head.day:%Y年%m月%d日} 00:00:00]   终止日期：[{head.ends:%Y年%m月%d日} 00:00:00]",
    ]


def _rule(title: str, before: int, behind: int) -> str:
    return f"#{'-' * before}{title}{'-' * behind}"


def _written(head: BillHead) -> str:
    return f"#导出时间：[{instant(head.written_ns).astimezone(head.zone):%Y年%m月%d日 %H:%M:%S}]"


def _time(at_ns: int, zone: ZoneInfo) -> str:
    return f"{instant(at_ns).astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _row(fields: Sequence[str]) -> str:
    return ",".join(in_one_line(field) + "\t" for field in fields)


def _archive(head: BillHead, name: str, details: Sequence[str], totals: Sequence[str]) -> bytes:
    stem = f"{head.account}_{head.day:%Y%m%d}_{name}"
    at = instant(head.written_ns).astimezone(head.zone)
    return zipped(
        [(_gbk(f"{stem}.csv"), _file(details)), (_gbk(f"{stem}(汇总).csv"), _file(totals))],
        (at.year, at.month, at.day, at.hour, at.minute, at.second),
    )


def _file(lines: Sequence[str]) -> bytes:
    return _gbk("".join(f"{line}\r\n" for line in lines))


def _gbk(text: str) -> bytes:
    return text.encode("gbk", "replace")
