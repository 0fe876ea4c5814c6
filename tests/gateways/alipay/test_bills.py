"""A bill is asked for, fetched without proof for half a minute, and says what the ledger moved."""

import io
import zipfile
from datetime import UTC, datetime

import pytest

from hutong.kernel.clock import instant_ns
from tests.gateways.alipay.conftest import Payer
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.hall import Hall

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASK = "alipay.data.dataservice.bill.downloadurl.query"


def until(hall: Hall, *at: int) -> None:
    """Let time pass until then."""
    hall.jing.clock.ns = max(hall.jing.clock.ns, instant_ns(datetime(*at, tzinfo=UTC)))  # type: ignore[misc, arg-type]


async def fetched(hall: Hall, url: str) -> dict[str, str]:
    """The files of a bill; their names are in GBK, which ZIP knows nothing of."""
    answer = await hall.http.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {
            each.filename.encode("cp437").decode("gbk"): archive.read(each).decode("gbk") for each in archive.infolist()
        }


async def test_bills_of_a_day_and_a_month(hall: Hall, merchant: Merchant, payer: Payer) -> None:
    until(hall, 2026, 1, 9, 20)  # The tenth, in Beijing.
    person = await payer(100_000)
    order = {"out_trade_no": "T1", "total_amount": "100.00", "subject": "面,一碗"}
    await hall.pay(person, (await merchant.ask("alipay.trade.precreate", order))["qr_code"])
    hall.jing.clock.advance(seconds=60)
    await merchant.ask("alipay.trade.refund", {"out_trade_no": "T1", "refund_amount": "30.00", "out_request_no": "R1"})
    trade_no = (await merchant.ask("alipay.trade.query", {"out_trade_no": "T1"}))["trade_no"]

    early = await merchant.ask(ASK, {"bill_type": "trade", "bill_date": "2026-01-10"})
    assert early["sub_code"] == "BILL_NOT_EXIST"
    until(hall, 2026, 1, 11, 1, 0, 1)
    offered = await merchant.ask(ASK, {"bill_type": "trade", "bill_date": "2026-01-10"})
    assert offered["bill_download_url"].startswith("http://jing.example/alipay/bills/")
    files = await fetched(hall, offered["bill_download_url"])
    pid = merchant.account.facts.seller_id
    assert [*files] == [f"{pid}0156_20260110_业务明细.csv", f"{pid}0156_20260110_业务明细(汇总).csv"]
    details = files[f"{pid}0156_20260110_业务明细.csv"]
    rows = [line.split("\t,") for line in details.split("\r\n") if line.startswith(trade_no)]
    assert [(row[1], row[2], row[3], row[11], row[21]) for row in rows] == [
        ("T1", "交易", "面，一碗", "100.00", ""),
        ("T1", "退款", "面，一碗", "-30.00", "R1"),
    ]
    assert "#交易合计：1笔，商家实收共100.00元" in details
    assert "#退款合计：1笔，商家实收退款共-30.00元" in details
    funds = await merchant.ask(ASK, {"bill_type": "signcustomer", "bill_date": "2026-01-10"})
    assert any("账务明细" in name for name in await fetched(hall, funds["bill_download_url"]))

    hall.jing.clock.advance(seconds=31)
    for url in (offered["bill_download_url"], "/alipay/bills/" + "A" * 80, "/alipay/bills/"):
        assert (await hall.http.get(url)).status_code == 403

    until(hall, 2026, 2, 1, 1, 0, 1)
    month = await merchant.ask(ASK, {"bill_type": "trade", "bill_date": "2026-01"})
    (first, *_) = (await fetched(hall, month["bill_download_url"])).values()
    assert "#起始日期：[2026年01月01日 00:00:00]   终止日期：[2026年02月01日 00:00:00]" in first
    assert first.count(trade_no) == 2


async def test_why_there_is_no_bill(hall: Hall, merchant: Merchant) -> None:
    until(hall, 2026, 2, 1, 1, 0, 1)
    for asked, said in (
        ({"bill_type": "trade", "bill_date": "2026-13-01"}, "INVAILID_ARGUMENTS"),
        ({"bill_type": "trade", "bill_date": "2026-1"}, "INVAILID_ARGUMENTS"),
        ({"bill_type": "trade"}, "ACQ.INVALID_PARAMETER"),
        ({"bill_type": "merchant_act", "bill_date": "2026-01-10"}, "BILL_NOT_EXIST"),
        ({"bill_type": "trade", "bill_date": "2024-01-10"}, "BILL_NOT_EXIST"),
        ({"bill_type": "trade", "bill_date": "2026-01-20"}, "NO_BILL_DATA"),
    ):
        assert (await merchant.ask(ASK, asked))["sub_code"] == said, asked
