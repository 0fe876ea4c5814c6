"""
WeChat Pay's bills: UTF-8 with a byte order mark, CRLF, every field behind a backtick, and two lines of sums at the end.

What a field holds may hold neither a comma nor a line's end, for nothing is quoted: they are replaced.
"""

import gzip
import hashlib
from collections.abc import Sequence
from enum import StrEnum
from zoneinfo import ZoneInfo

from hutong.gateways.bills.line import (
    FundKind,
    FundLine,
    TradeKind,
    TradeLine,
    fund_sums,
    in_one_line,
    trade_sums,
    yuan,
)
from hutong.kernel.clock import instant

_BOM = "\ufeff"
_REFUND_COLUMNS = "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态"
_HEAD = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额"
_TAIL = "商品名称,商户数据包,手续费,费率,订单金额"
_TRADE_SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
_FUND_HEADER = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号"
_FUND_SUMS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
_STATES = {TradeKind.PAYMENT: "SUCCESS", TradeKind.REFUND: "REFUND", TradeKind.REVERSED: "REVOKED"}
_NAMES = {  # Business name and type.
    FundKind.PAYMENT: ("交易", "交易"),
    FundKind.FEE: ("交易", "扣除交易手续费"),
    FundKind.REFUND: ("退款", "退款"),
    FundKind.SPLIT: ("分账", "分账"),
    FundKind.SPLIT_RETURNED: ("分账", "分账回退"),
    FundKind.FROZEN: ("分账", "分账冻结"),
    FundKind.UNFROZEN: ("分账", "分账解冻"),
    FundKind.COMBINED: ("合单支付", "合单分配"),
    FundKind.COMBINED_RETURNED: ("合单支付", "合单退回"),
    FundKind.TRANSFER: ("商家转账", "商家转账"),
    FundKind.SUBSIDY: ("营销补差", "营销补差"),
    FundKind.SUBSIDY_RETURNED: ("营销补差", "营销补差回退"),
    FundKind.WITHDRAWAL: ("提现", "提现"),
    FundKind.PAID_IN: ("充值", "充值"),
    FundKind.DISPUTED: ("资金冻结", "争议款"),
    FundKind.OTHER: ("其他", "其他"),
}


class TradeBillType(StrEnum):
    """Which trades, and with it which columns."""

    ALL = "ALL"
    SUCCESS = "SUCCESS"
    REFUND = "REFUND"


def trade_bill(lines: Sequence[TradeLine], kind: TradeBillType, zone: ZoneInfo) -> bytes:
    """The trade bill of these lines, those of its kind alone."""
    if kind is TradeBillType.SUCCESS:
        lines = [line for line in lines if not line.is_refund]
    elif kind is TradeBillType.REFUND:
        lines = [line for line in lines if line.is_refund]
    sums = trade_sums(lines)
    told = [_header(kind), *(_row(_trade_fields(line, kind, zone)) for line in lines), _TRADE_SUMS]
    told.append(
        _row(
            [
                str(len(lines)),
                yuan(sums.paid),
                yuan(sums.refunded),
                yuan(sums.discounts_back),
                _fee(sums.fees),
                yuan(sums.paid),
                yuan(sums.refunded),
            ]
        )
    )
    return _text(told)


def fund_bill(lines: Sequence[FundLine], zone: ZoneInfo) -> bytes:
    """The fund-flow bill of these lines."""
    sums = fund_sums(lines)
    told = [_FUND_HEADER, *(_row(_fund_fields(line, zone)) for line in lines), _FUND_SUMS]
    told.append(_row([str(sums.lines), str(sums.ins), yuan(sums.came), str(sums.outs), yuan(sums.went)]))
    return _text(told)


def sha1(bill: bytes) -> str:
    """What the download is checked by: of the text, packed or not."""
    return hashlib.sha1(bill, usedforsecurity=False).hexdigest()


def packed(bill: bytes) -> bytes:
    """The text as a gzip file; the same text is the same file."""
    return gzip.compress(bill, mtime=0)


def _header(kind: TradeBillType) -> str:
    match kind:
        case TradeBillType.ALL:
            return f"{_HEAD},{_REFUND_COLUMNS},{_TAIL},申请退款金额,费率备注"
        case TradeBillType.SUCCESS:
            return f"{_HEAD},{_TAIL},费率备注"
        case TradeBillType.REFUND:
            return f"{_HEAD},退款申请时间,退款成功时间,{_REFUND_COLUMNS},{_TAIL},申请退款金额,费率备注"


def _trade_fields(line: TradeLine, kind: TradeBillType, zone: ZoneInfo) -> list[str]:
    paid = 0 if line.is_refund else line.amount
    fields = [
        _time(line.at_ns, zone),
        line.appid,
        line.number,
        line.sub_number or "0",
        line.device,
        line.trade_no,
        line.out_trade_no,
        line.payer,
        line.product,
        _STATES[line.kind],
        line.bank,
        line.currency,
        yuan(paid),
        "0.00" if line.is_refund else yuan(line.discount),
    ]
    if kind is TradeBillType.REFUND:
        fields += [_time(line.at_ns, zone), _time(line.ended_ns, zone) if line.ended_ns else ""]
    if kind is not TradeBillType.SUCCESS:
        fields += (
            [line.refund_no, line.out_refund_no, yuan(line.amount), yuan(line.discount), "ORIGINAL", line.progress]
            if line.is_refund
            else ["0", "0", "0.00", "0.00", "", ""]
        )
    fields += [
        line.description,
        line.attach,
        _fee(-line.fee if line.is_refund else line.fee),
        _rate(line.fee_bps),
        yuan(paid),
    ]
    if kind is not TradeBillType.SUCCESS:
        fields.append(yuan(line.amount if line.is_refund else 0))
    return [*fields, ""]


def _fund_fields(line: FundLine, zone: ZoneInfo) -> list[str]:
    name, type_ = _NAMES[line.kind]
    return [
        _time(line.at_ns, zone),
        line.trade_no,
        line.flow_no,
        name,
        type_,
        "收入" if line.change >= 0 else "支出",
        yuan(abs(line.change)),
        yuan(line.balance),
        line.applicant,
        line.remark,
        line.voucher,
    ]


def _time(at_ns: int, zone: ZoneInfo) -> str:
    return f"{instant(at_ns).astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _fee(minor: int) -> str:
    return f"{yuan(minor)}000"


def _rate(bps: int) -> str:
    return f"{bps // 100}.{bps % 100:02d}%"


def _row(fields: Sequence[str]) -> str:
    return ",".join("`" + in_one_line(field).replace("`", "'") for field in fields)


def _text(lines: Sequence[str]) -> bytes:
    return (_BOM + "".join(f"{line}\r\n" for line in lines)).encode()
