"""Bills by v2: the file itself, equal to what happened; or the vendor's words for why there is none."""

import gzip
from typing import Any

import pytest

from hutong.gateways.wechat.v2 import document
from tests.gateways.street import Street
from tests.gateways.wechat.v2.shop import V2Shop, open_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def file(shop: V2Shop, path: str, **fields: Any) -> bytes:
    return (await shop.house.client.post(path, content=shop.body(fields))).content


async def test_a_days_bills_are_its_story(street: Street) -> None:
    shop = await open_shop(street)
    for number, amount in (("T-1", 1_200), ("T-2", 800)):
        payer = await street.jing.person()
        await shop.done("/pay/micropay", **shop.micropay(await payer.payment_code(), number, amount))
    await shop.done("/secapi/pay/refund", out_trade_no="T-1", out_refund_no="R-1", total_fee=1_200, refund_fee=200)
    day = {"bill_date": "20260101"}
    early = document.read(await file(shop, "/pay/downloadbill", **day))
    assert (early["return_code"], early["error_code"]) == ("FAIL", "20001")  # The day isn't over.
    street.clock.advance(seconds=30 * 3600)
    text = (await file(shop, "/pay/downloadbill", **day, bill_type="ALL")).decode("utf-8-sig")
    lines = text.strip().split("\r\n")
    assert len(lines) == 1 + 3 + 2
    sums = lines[-1].removeprefix("`").split(",`")
    assert sums[:3] == ["3", "20.00", "2.00"]
    packed = await file(shop, "/pay/downloadbill", **day, tar_type="GZIP")
    assert gzip.decompress(packed).decode("utf-8-sig") == text
    funds = (await file(shop, "/pay/downloadfundflow", **day, account_type="Basic")).decode("utf-8-sig")
    row = funds.strip().split("\r\n")[-1].removeprefix("`").split(",`")
    came, went = row[2], row[4]
    fen = [int(text.replace(".", "")) for text in (came, went)]
    assert fen[0] - fen[1] == await street.wei.merchant_balance(shop.owner)
    none = document.read(await file(shop, "/pay/downloadbill", bill_date="20260102", bill_type="REVOKED"))
    assert (none["return_msg"], none["error_code"]) == ("No Bill Exist", "20002")
    for wrong in ("20261301", "20300101", "20250101"):
        told = document.read(await file(shop, "/pay/downloadbill", bill_date=wrong))
        assert told["error_code"] == "20001"
    fees = await shop.post("/pay/downloadfundflow", shop.body(day | {"account_type": "Fees"}))
    assert (fees["result_code"], fees["err_code"]) == ("FAIL", "NO_BILL_EXIST")
