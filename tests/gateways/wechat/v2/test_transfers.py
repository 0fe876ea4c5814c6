"""Money to people by v2: it moves once for each number; a red packet is opened, or comes back."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from hutong.gateways.wechat.v2 import document
from tests.gateways.street import Person, Street
from tests.gateways.wechat.v2.shop import V2Shop, open_shop

SHARED = pytest.mark.asyncio(loop_scope="module")
START = 1_000_000


async def funded(street: Street) -> tuple[V2Shop, Person, str]:
    """A merchant with money, and a person of its institution whom it knows by an openid."""
    shop, person = await open_shop(street), await street.wei.person(START)
    paid = await shop.done("/pay/micropay", **shop.micropay(await person.payment_code(), total_fee=90_000))
    return shop, person, paid["openid"]


def transfer(shop: V2Shop, openid: str, amount: int = 3_000, **more: Any) -> dict[str, Any]:
    told = {
        "appid": None,
        "mch_id": None,
        "mch_appid": shop.appid,
        "mchid": shop.account.row.number,
        "partner_trade_no": "P-1",
        "openid": openid,
        "check_name": "NO_CHECK",
        "amount": amount,
        "desc": "返现",
        "spbill_create_ip": "127.0.0.1",
    }
    return told | more


def packet(shop: V2Shop, openid: str, amount: int = 500) -> dict[str, Any]:
    return {
        "appid": None,
        "wxappid": shop.appid,
        "mch_billno": "B-1",
        "send_name": "面馆",
        "re_openid": openid,
        "total_amount": amount,
        "total_num": 1,
        "wishing": "恭喜发财",
        "act_name": "新春",
        "remark": "早来早得",
        "client_ip": "127.0.0.1",
    }


async def said(shop: V2Shop, path: str, fields: dict[str, Any]) -> dict[str, str]:
    return await shop.post(f"/mmpaymkttransfers/{path}", shop.body(fields))


@SHARED
async def test_money_is_sent_once_for_each_number(street: Street) -> None:
    shop, person, openid = await funded(street)
    first = await said(shop, "promotion/transfers", transfer(shop, openid))
    again = await said(shop, "promotion/transfers", transfer(shop, openid))
    assert first["payment_no"] == again["payment_no"]
    assert (first["mchid"], first["result_code"], "sign" in first) == (shop.account.row.number, "SUCCESS", False)
    assert await person.balance() == START - 90_000 + 3_000
    found = await said(shop, "gettransferinfo", {"partner_trade_no": "P-1"})
    assert (found["status"], found["payment_amount"], found["detail_id"]) == ("SUCCESS", "3000", first["payment_no"])
    for fields, code in (
        (transfer(shop, openid, 3_001), "FATAL_ERROR"),
        (transfer(shop, openid, partner_trade_no="P-2", amount=1), "AMOUNT_LIMIT"),
        (transfer(shop, openid, partner_trade_no="P-2", amount=95_000), "NOTENOUGH"),
        (transfer(shop, "o" * 28, partner_trade_no="P-2"), "OPENID_ERROR"),
        (transfer(shop, openid, partner_trade_no="P-2", check_name="FORCE_CHECK"), "LACK_PARAMS"),
        (
            transfer(shop, openid, partner_trade_no="P-3", check_name="FORCE_CHECK", re_user_name="李四"),
            "NAME_MISMATCH",
        ),
    ):
        refused = await said(shop, "promotion/transfers", fields)
        assert (refused["result_code"], refused["err_code"]) == ("FAIL", code)
    assert (await said(shop, "gettransferinfo", {"partner_trade_no": "P-9"}))["err_code"] == "NOT_FOUND"
    assert await person.balance() == START - 90_000 + 3_000


@SHARED
async def test_a_red_packet_is_opened(street: Street) -> None:
    shop, person, openid = await funded(street)
    sent = await said(shop, "sendredpack", packet(shop, openid))
    assert (sent["result_code"], sent["wxappid"], sent["total_amount"]) == ("SUCCESS", shop.appid, "500")
    assert (await said(shop, "gethbinfo", {"mch_billno": "B-1", "bill_type": "MCHT"}))["status"] == "SENT"
    assert await person.balance() == START - 90_000
    transfers = street.wei.gateways.sharing.transfers
    (waiting,) = await transfers.waiting(person.user_id)
    await transfers.take(person.user_id, waiting.id)
    assert await person.balance() == START - 90_000 + 500
    body = shop.body({"mch_billno": "B-1", "bill_type": "MCHT"})
    response = await shop.house.client.post("/mmpaymkttransfers/gethbinfo", content=body)
    told = ET.fromstring(response.content)  # noqa: S314  # Our own.
    assert told.findtext("status") == "RECEIVED"
    assert (told.findtext("hblist/hbinfo/openid"), told.findtext("hblist/hbinfo/amount")) == (openid, "500")


@SHARED
async def test_a_red_packet_that_nobody_opens_comes_back(street: Street) -> None:
    shop, person, openid = await funded(street)
    before = await street.wei.merchant_balance(shop.owner)
    await said(shop, "sendredpack", packet(shop, openid))
    street.clock.advance(seconds=86_401)
    street.wei.tick()
    found = await said(shop, "gethbinfo", {"mch_billno": "B-1", "bill_type": "MCHT"})
    assert (found["status"], found["refund_amount"]) == ("REFUND", "500")
    assert await street.wei.merchant_balance(shop.owner) == before
    assert await person.balance() == START - 90_000
    for amount in (99, 20_001):
        refused = await said(shop, "sendredpack", packet(shop, openid, amount) | {"mch_billno": "B-2"})
        assert refused["err_code"] == "MONEY_LIMIT"


def test_elements_within_a_document_are_written_where_they_belong() -> None:
    written = document.write({"a": "1"}, inner=document.write({"b": "2"}, "c"))
    assert ET.fromstring(written).findtext("c/b") == "2"  # noqa: S314  # Our own.
