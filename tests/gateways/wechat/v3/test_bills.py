"""Bills and balances through the v3 wire: wechatpay-alipay specification, sections 6 and 7.11."""

import base64
import gzip
import hashlib
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hutong.gateways.wechat.v3 import cipher
from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Answer, Merchant, neighbour

PHONE = "+8613800138000"
TRADES, FUNDS = "/v3/bill/tradebill?bill_date=2026-01-01", "/v3/bill/fundflowbill?bill_date=2026-01-01"


async def day_of_trade(hall: Hall) -> Merchant:
    """A payment and a refund on the first of January, from the second at ten on."""
    merchant, payer = Merchant(hall), await hall.jing.user(PHONE, 100_000)
    placed = await merchant.post("/v3/pay/transactions/native", merchant.order(attach="桌,3"))
    await hall.pay(payer, placed.json["code_url"])
    refund = {
        "out_trade_no": "T20261122001",
        "out_refund_no": "R1",
        "amount": {"refund": 280, "total": 1_280, "currency": "CNY"},
    }
    await merchant.post("/v3/refund/domestic/refunds", refund)
    hall.jing.clock.advance(seconds=26 * 3600)
    return merchant


async def downloaded(merchant: Merchant, url: str) -> Answer:
    """The file at an address on the host that was asked."""
    origin, path = url[: len("http://jing.example")], url[len("http://jing.example") :]
    assert origin == "http://jing.example"
    return await merchant.send("GET", path, authorization=merchant.authorization("GET", path, b""))


async def test_a_bill_is_offered_downloaded_and_adds_up(hall: Hall) -> None:
    merchant = await day_of_trade(hall)

    offered = (await merchant.get(TRADES)).json
    assert offered["hash_type"] == "SHA1"
    file = await downloaded(merchant, offered["download_url"])
    assert (file.status, "wechatpay-signature" in file.headers) == (200, False)
    assert hashlib.sha1(file.body, usedforsecurity=False).hexdigest() == offered["hash_value"]
    lines = file.body.decode("utf-8-sig").split("\r\n")
    assert lines[-1] == ""
    paid, refunded, sums = lines[1].split(",`"), lines[2].split(",`"), lines[4].split(",`")
    assert (paid[0], paid[2], paid[9], paid[12]) == ("`2026-01-01 08:00:00", merchant.mchid, "SUCCESS", "12.80")
    assert (refunded[9], refunded[15], refunded[16]) == ("REFUND", "R1", "2.80")
    assert (sums[0], sums[1], sums[2]) == ("`2", "12.80", "2.80")

    again = (await merchant.get(f"{TRADES}&tar_type=GZIP&bill_type=ALL")).json
    assert again["download_url"].endswith("&tartype=gzip")
    assert again["hash_value"] == offered["hash_value"], "the hash is of the text"
    assert gzip.decompress((await downloaded(merchant, again["download_url"])).body) == file.body

    funds = (await merchant.get(FUNDS)).json
    text = (await downloaded(merchant, funds["download_url"])).body.decode("utf-8-sig").split("\r\n")
    assert text[0].startswith("记账时间,微信支付业务单号,资金流水单号")
    assert text[-3].startswith("资金流水总笔数")


async def test_a_bill_is_there_from_ten_in_the_morning_of_the_next_day_for_three_months(hall: Hall) -> None:
    merchant = await day_of_trade(hall)
    hall.jing.clock.ns -= 1
    creating = await merchant.get(TRADES)
    assert (creating.status, creating.code) == (400, "STATEMENT_CREATING")
    hall.jing.clock.ns += 1
    table: list[tuple[str, int, str]] = [
        ("/v3/bill/tradebill?bill_date=2026-01-02", 400, "PARAM_ERROR"),
        ("/v3/bill/tradebill?bill_date=2026-01-03", 400, "PARAM_ERROR"),
        ("/v3/bill/tradebill?bill_date=2025-09-01", 400, "PARAM_ERROR"),
        ("/v3/bill/tradebill?bill_date=20260101", 400, "PARAM_ERROR"),
        ("/v3/bill/tradebill", 400, "PARAM_ERROR"),
        ("/v3/bill/tradebill?bill_date=2025-12-31", 400, "NO_STATEMENT_EXIST"),
        (f"{TRADES}&bill_type=RECHARGE_REFUND", 400, "NO_STATEMENT_EXIST"),
        (f"{TRADES}&bill_type=OTHER", 400, "PARAM_ERROR"),
        (f"{TRADES}&tar_type=ZIP", 400, "PARAM_ERROR"),
        (f"{TRADES}&sub_mchid=1600000000", 400, "MCH_NOT_EXISTS"),
        (f"{FUNDS}&account_type=FEES", 400, "NO_STATEMENT_EXIST"),
    ]
    for target, status, code in table:
        answer = await merchant.get(target)
        assert (answer.status, answer.code) == (status, code), target


async def test_an_address_is_its_merchants_for_five_minutes(hall: Hall) -> None:
    merchant = await day_of_trade(hall)
    url = (await merchant.get(TRADES)).json["download_url"]
    stranger = Merchant(hall, await neighbour(hall))

    assert (await downloaded(stranger, url)).code == "INVALID_REQUEST"
    assert (await downloaded(merchant, url[:-4] + "AAAA")).code == "INVALID_REQUEST"
    assert (await downloaded(merchant, url.partition("?")[0])).code == "INVALID_REQUEST"
    hall.jing.clock.advance(seconds=300)
    assert (await downloaded(merchant, url)).status == 200
    hall.jing.clock.advance(seconds=1)
    assert (await downloaded(merchant, url)).code == "INVALID_REQUEST"


async def test_the_vendors_own_names_are_called_with_tls(hall: Hall) -> None:
    merchant = await day_of_trade(hall)
    authorization = merchant.authorization("GET", TRADES, b"")

    answer = await merchant.send("GET", TRADES, authorization=authorization, host="api.mch.weixin.qq.com")

    assert answer.json["download_url"].startswith("https://api.mch.weixin.qq.com/v3/billdownload/file?token=")


async def test_a_service_provider_gets_its_merchants_funds_encrypted(hall: Hall) -> None:
    provider = Merchant(hall)
    merchant = Merchant(hall, await neighbour(hall, provider.mchid))
    payer = await hall.jing.user(PHONE, 100_000)
    placed = await merchant.post("/v3/pay/transactions/native", merchant.order())
    await hall.pay(payer, placed.json["code_url"])
    hall.jing.clock.advance(seconds=26 * 3600)
    target = f"/v3/bill/sub-merchant-fundflowbill?bill_date=2026-01-01&sub_mchid={merchant.mchid}&account_type=BASIC&algorithm=AEAD_AES_256_GCM"

    told: dict[str, Any] = (await provider.get(target)).json
    (offered,) = told["download_bill_list"]
    key = cipher.decrypt_field(hall.merchant_key, offered["encrypt_key"])
    assert key is not None
    file = (await downloaded(provider, offered["download_url"])).body
    text = AESGCM(key.encode()).decrypt(offered["nonce"].encode(), file, None)
    assert hashlib.sha1(text, usedforsecurity=False).hexdigest() == offered["hash_value"]
    assert base64.b64encode(text[:3]) == b"77u/", "a byte order mark"


async def test_a_merchant_asks_what_it_has_now_and_had(hall: Hall) -> None:
    merchant = await day_of_trade(hall)
    balance = await hall.merchant_balance()

    for account in ("BASIC", "OPERATION"):
        now = await merchant.get(f"/v3/merchant/fund/balance/{account}")
        assert now.json == {"available_amount": balance, "pending_amount": 0}
    assert (await merchant.get("/v3/merchant/fund/balance/FEES")).json["available_amount"] == 0
    assert (await merchant.get("/v3/merchant/fund/balance/GOLD")).code == "PARAM_ERROR"
    before = "/v3/merchant/fund/dayendbalance/BASIC?date=2025-12-31"
    ended = "/v3/merchant/fund/dayendbalance/BASIC?date=2026-01-01"
    assert (await merchant.get(before)).json == {"available_amount": 0, "pending_amount": 0}
    assert (await merchant.get(ended)).json == {"available_amount": balance, "pending_amount": 0}
    for day in ("", "?date=2026-01-02", "?date=x"):
        assert (await merchant.get(f"/v3/merchant/fund/dayendbalance/BASIC{day}")).code == "PARAM_ERROR"
    provider = Merchant(hall, await neighbour(hall))
    refused = await provider.get(f"/v3/ecommerce/fund/balance/{merchant.mchid}")
    assert (refused.status, refused.code) == (403, "NO_AUTH")
