"""
The two vendors' layouts, byte for byte.

The golden files hold the texts as the vendors lay them out: columns, marks and rules from their documentation of the trade
bill, the fund-flow bill, the business bill and the account bill; the lines are a day at a tea shop, written here.
"""

import csv
import gzip
import hashlib
import io
import zipfile
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hutong.gateways.bills import alipay_bill, wechat_bill
from hutong.gateways.bills.alipay_bill import BillHead
from hutong.gateways.bills.line import FundKind, FundLine, RefundProgress, TradeKind, TradeLine, fund_sums, trade_sums
from hutong.gateways.bills.wechat_bill import TradeBillType
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S

GOLDEN = Path(__file__).parent / "golden"
SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = 1_795_222_800 * NS_PER_S  # 2026-11-21 09:00:00 there.
HEAD = BillHead(pid="2088000000000001", day=date(2026, 11, 21), written_ns=MORNING + NS_PER_DAY, zone=SHANGHAI)

PAID = TradeLine(
    kind=TradeKind.PAYMENT,
    at_ns=MORNING,
    appid="wx0000000000000001",
    number="1900000001",
    trade_no="4200000000202611210000000001",
    out_trade_no="T20261121-1",
    payer="oHutong0000000000000000000001",
    product="NATIVE",
    amount=12_800,
    discount=100,
    description="茶, 一壶",
    attach="table=7",
    fee=77,
    fee_bps=60,
    shared=3_000,
    created_ns=MORNING - 5 * NS_PER_S,
    shop_no="S1",
    shop_name="胡同口店",
)
REFUNDED = replace(
    PAID,
    kind=TradeKind.REFUND,
    at_ns=MORNING + 60 * NS_PER_S,
    amount=2_800,
    discount=0,
    shared=0,
    refund_no="50300000000202611210000000001",
    out_refund_no="R20261121-1",
    ended_ns=MORNING + 61 * NS_PER_S,
    fee=17,
)
REVOKED = replace(REFUNDED, kind=TradeKind.REVERSED, progress=RefundProgress.PROCESSING, ended_ns=0)
TRADES = [PAID, REFUNDED]
FUNDS = [
    FundLine(
        at_ns=MORNING,
        kind=FundKind.PAYMENT,
        trade_no=PAID.trade_no,
        flow_no="0001",
        change=12_800,
        balance=13_800,
        voucher=PAID.out_trade_no,
        description="茶",
    ),
    FundLine(at_ns=MORNING, kind=FundKind.FEE, trade_no=PAID.trade_no, flow_no="0002", change=-77, balance=13_723),
    FundLine(
        at_ns=MORNING + 60 * NS_PER_S,
        kind=FundKind.REFUND,
        trade_no=REFUNDED.refund_no,
        flow_no="0003",
        change=-2_783,
        balance=10_940,
        remark="退款总金额28.00元;含手续费0.17元",
        voucher=REFUNDED.out_refund_no,
    ),
]


def golden(name: str, made: bytes) -> None:
    assert made == (GOLDEN / name).read_bytes()


@pytest.mark.parametrize("kind", TradeBillType)
def test_a_wechat_trade_bill_is_as_the_vendor_lays_it_out(kind: TradeBillType) -> None:
    golden(f"wechat-trade-{kind.lower()}.csv", wechat_bill.trade_bill(TRADES, kind, SHANGHAI))


def test_a_wechat_fund_flow_bill_is_as_the_vendor_lays_it_out() -> None:
    golden("wechat-fund.csv", wechat_bill.fund_bill(FUNDS, SHANGHAI))


def test_a_day_without_lines_has_a_bill_of_nothing() -> None:
    text = wechat_bill.trade_bill([], TradeBillType.ALL, SHANGHAI).decode("utf-8-sig")
    assert text.splitlines()[-1] == "`0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00"
    assert wechat_bill.fund_bill([], SHANGHAI).decode().splitlines()[-1] == "`0,`0,`0.00,`0,`0.00"


def test_a_packed_bill_is_the_same_file_every_time_and_hashed_as_its_text() -> None:
    text = wechat_bill.trade_bill(TRADES, TradeBillType.ALL, SHANGHAI)
    assert gzip.decompress(wechat_bill.packed(text)) == text
    assert wechat_bill.packed(text) == wechat_bill.packed(text)
    assert wechat_bill.sha1(text) == hashlib.sha1(text, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("made", "stem"),
    [
        (alipay_bill.trade_bill(HEAD, TRADES), "业务明细"),
        (alipay_bill.account_bill(HEAD, FUNDS), "账务明细"),
    ],
    ids=["trade", "signcustomer"],
)
def test_an_alipay_bill_is_an_archive_of_two_files_in_gbk(made: bytes, stem: str) -> None:
    with zipfile.ZipFile(io.BytesIO(made), metadata_encoding="gbk") as archive:
        assert archive.testzip() is None
        names = [f"20880000000000010156_20261121_{stem}.csv", f"20880000000000010156_20261121_{stem}(汇总).csv"]
        assert archive.namelist() == names
        kind = "trade" if stem == "业务明细" else "signcustomer"
        for name, part in zip(names, ("details", "totals"), strict=True):
            golden(f"alipay-{kind}-{part}.csv", archive.read(name))


def test_a_name_that_gbk_lacks_spoils_no_bill() -> None:
    odd = replace(PAID, description="🍵茶\t,\r\n")
    with zipfile.ZipFile(io.BytesIO(alipay_bill.trade_bill(HEAD, [odd])), metadata_encoding="gbk") as archive:
        text = archive.read(archive.namelist()[0]).decode("gbk")
    assert "?茶 ，  \t," in text


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
LINES = st.lists(
    st.builds(
        lambda amount, fee, refund, text: replace(
            REFUNDED if refund else PAID, amount=amount, fee=fee, description=text, attach=text, payer=text
        ),
        st.integers(1, 10**9),
        st.integers(0, 10**6),
        st.booleans(),
        TEXTS,
    ),
    max_size=8,
)


@given(LINES)
def test_whatever_the_fields_hold_the_lines_and_sums_of_a_wechat_bill_can_be_read(lines: list[TradeLine]) -> None:
    text = wechat_bill.trade_bill(lines, TradeBillType.ALL, SHANGHAI).decode("utf-8-sig")
    rows = [row.split(",") for row in text.removesuffix("\r\n").split("\r\n")]
    assert [len(row) for row in rows] == [27] * (len(lines) + 1) + [7, 7]
    assert all(field.startswith("`") for row in rows[1:-2] for field in row)
    fees = sum(cents(row[22]) for row in rows[1:-2])
    assert cents(rows[-1][4]) == fees == 1000 * trade_sums(lines).fees
    assert cents(rows[-1][1]) == sum(cents(row[24]) for row in rows[1:-2]) == trade_sums(lines).paid
    assert cents(rows[-1][2]) == sum(cents(row[16]) for row in rows[1:-2]) == trade_sums(lines).refunded


@given(LINES)
def test_whatever_the_fields_hold_the_lines_and_sums_of_an_alipay_bill_can_be_read(lines: list[TradeLine]) -> None:
    with zipfile.ZipFile(io.BytesIO(alipay_bill.trade_bill(HEAD, lines)), metadata_encoding="gbk") as archive:
        details, totals = (archive.read(name).decode("gbk") for name in archive.namelist())
    rows = [line.replace("\t", "").split(",") for line in details.split("\r\n") if line and not line.startswith("#")][
        1:
    ]
    assert [len(row) for row in rows] == [25] * len(lines)
    sums = trade_sums(lines)
    assert sum(cents(row[12]) for row in rows) == sums.paid - sums.refunded
    total = next(line for line in totals.split("\r\n") if line.startswith("合计")).replace("\t", "").split(",")
    assert cents(total[9]) == sum(cents(row[22]) for row in rows) == -sums.fees
    assert cents(total[11]) == sums.paid - sums.refunded - sums.fees - sums.shared


def test_the_sums_of_a_fund_bill_are_what_came_less_what_went() -> None:
    sums = fund_sums(FUNDS)
    assert (sums.lines, sums.ins, sums.outs) == (3, 1, 2)
    assert 1_000 + sums.came - sums.went == FUNDS[-1].balance


def test_the_trade_bill_is_read_by_a_plain_csv_reader() -> None:
    text = wechat_bill.trade_bill([REVOKED], TradeBillType.ALL, SHANGHAI).decode("utf-8-sig")
    (row, *_) = csv.DictReader(io.StringIO(text))
    assert (row["交易状态"], row["退款状态"], row["应结订单金额"]) == ("`REVOKED", "`PROCESSING", "`0.00")


def cents(text: str) -> int:
    """The digits of an amount as a number, whatever its decimals."""
    return int(text.removeprefix("`").replace(".", ""))
