"""Receipts of what was sent: wechatpay-alipay specification, section 7.2. What they say is what the ledger has."""

import hashlib
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pypdfium2
import pytest

from hutong.gateways.transfers import receipt
from hutong.gateways.transfers.transfer import money_id
from hutong.gateways.wechat.v3.transfers import own_id
from tests.gateways.hall import Hall, user_id
from tests.gateways.wechat.v3.client import Answer, Merchant, neighbour
from tests.gateways.wechat.v3.test_transfers import BATCHES, BILLS, bill, openid, rich

ELECSIGN = "/v3/fund-app/mch-transfer/elecsign"


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


async def downloaded(merchant: Merchant, told: Answer) -> str:
    """The document behind an answer, its hash found right."""
    assert (told.status, told.json["hash_type"]) == (200, "SHA256"), told.json
    parts = urlsplit(told.json["download_url"])
    target = f"{parts.path}?{parts.query}"
    authorization = merchant.authorization("GET", target, b"")
    answer = await merchant.send("GET", target, authorization=authorization)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    assert hashlib.sha256(answer.body).hexdigest() == told.json["hash_value"]
    assert "wechatpay-signature" not in answer.headers
    return text_of(answer.body)


async def test_the_receipt_of_a_transfer_says_what_the_ledger_has(hall: Hall) -> None:
    merchant, person = await rich(hall), await hall.jing.user("+8613800138001", 0)
    sent = (await merchant.post(BILLS, bill(hall, merchant, person))).json
    number = sent["transfer_bill_no"]
    early = await merchant.post(f"{ELECSIGN}/out-bill-no", {"out_bill_no": "B1"})
    assert (early.status, early.code) == (400, "INVALID_REQUEST")
    assert (await merchant.get(f"{ELECSIGN}/out-bill-no/B1")).code == "INVALID_REQUEST"
    await hall.gateways.sharing.transfers.take(user_id(person), own_id(number))

    for place, body in (("out-bill-no", {"out_bill_no": "B1"}), ("transfer-bill-no", {"transfer_bill_no": number})):
        applied = await merchant.post(f"{ELECSIGN}/{place}", body)
        assert applied.json == {"state": "FINISHED", "create_time": "2026-01-01T08:00:00+08:00"}
    (moved,) = await hall.jing.ledger.lookup_transfers([money_id(own_id(number))])
    for which in ("out-bill-no/B1", f"transfer-bill-no/{number}"):
        told = await merchant.get(f"{ELECSIGN}/{which}")
        assert told.json["state"] == "FINISHED"
        text = await downloaded(merchant, told)
        assert f"CNY {moved.amount // 100}.{moved.amount % 100:02d}" in text
        for fact in (number, "B1", merchant.mchid, "Jing Pay", "2026-01-01 08:00:00", "新会员有礼", "转账电子回单"):
            assert fact in text, fact


async def test_the_receipts_of_a_batch_and_of_its_details(hall: Hall) -> None:
    merchant, person = await rich(hall), await hall.jing.user("+8613800138001", 0)
    details = [
        {
            "out_detail_no": f"D000{number}",
            "transfer_amount": 100 * number,
            "transfer_remark": "报销",
            "openid": openid(hall, merchant, person) if number < 3 else "nobody",
        }
        for number in (1, 2, 3)
    ]
    batch = {
        "appid": merchant.appid,
        "out_batch_no": "C0001",
        "batch_name": "一月报销",
        "batch_remark": "报销",
        "total_amount": 600,
        "total_num": 3,
        "transfer_detail_list": details,
        "transfer_scene_id": "1000",
    }
    assert (await merchant.post(BATCHES, batch)).status == 200
    hall.jing.institution.tick()

    told = await merchant.post("/v3/transfer/bill-receipt", {"out_batch_no": "C0001"})
    assert told.json["signature_status"] == "FINISHED"
    assert told.json["hash_value"] == (await merchant.get("/v3/transfer/bill-receipt/C0001")).json["hash_value"]
    text = await downloaded(merchant, told)
    assert "CNY 3.00" in text
    assert "一月报销" in text
    assert ("D0001" in text, "D0002" in text, "D0003" in text) == (True, True, False)
    path = "/v3/transfer-detail/electronic-receipts"
    one = {"accept_type": "BATCH_TRANSFER", "out_batch_no": "C0001", "out_detail_no": "D0002"}
    query = "&".join(f"{name}={value}" for name, value in one.items())
    applied, asked = await merchant.post(path, one), await merchant.get(f"{path}?{query}")
    assert applied.json["hash_value"] == asked.json["hash_value"]
    assert "CNY 2.00" in await downloaded(merchant, asked)
    assert (await merchant.post(path, one | {"out_detail_no": "D0003"})).code == "INVALID_REQUEST", "it never arrived"


async def test_what_has_no_receipt_is_refused(hall: Hall) -> None:
    merchant, other = Merchant(hall), Merchant(hall, await neighbour(hall))
    path = "/v3/transfer-detail/electronic-receipts"
    for target, body, status, code in (
        (f"{ELECSIGN}/out-bill-no", {"out_bill_no": "B9"}, 404, "RESOURCE_NOT_EXISTS"),
        (f"{ELECSIGN}/out-bill-no", {}, 400, "PARAM_ERROR"),
        (f"{ELECSIGN}/transfer-bill-no", {"transfer_bill_no": "x"}, 404, "NOT_FOUND"),
        ("/v3/transfer/bill-receipt", {"out_batch_no": "C9"}, 404, "RESOURCE_NOT_EXISTS"),
        (path, {"accept_type": "TRANSFER_TO_BANK", "out_detail_no": "D1"}, 403, "NO_AUTH"),
        (path, {"accept_type": "BATCH_TRANSFER", "out_detail_no": "D1"}, 400, "PARAM_ERROR"),
        (path, {"accept_type": "GIFT", "out_detail_no": "D1"}, 400, "PARAM_ERROR"),
    ):
        answer = await merchant.post(target, body)
        assert (answer.status, answer.code) == (status, code), body
    rich_one, person = await rich(hall), await hall.jing.user("+8613800138001", 0)
    sent = (await rich_one.post(BILLS, bill(hall, rich_one, person))).json
    theirs = await other.get(f"{ELECSIGN}/transfer-bill-no/{sent['transfer_bill_no']}")
    assert theirs.status == 404, "another's"


def test_without_a_font_for_chinese_a_receipt_says_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt, "font_file", lambda _text: None)
    made = receipt.Receipt(
        title=("回单", "Receipt"),
        facts=(("金额", "Amount", "CNY 1.00"), ("名称", "Name", "王")),
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    pdf = receipt.receipt_pdf(made)
    receipt.receipt_pdf.cache_clear()
    assert pdf == receipt.receipt_pdf(made), "the same facts are the same bytes"
    text = text_of(pdf)
    assert "CNY 1.00" in text
    assert "Name" in text
