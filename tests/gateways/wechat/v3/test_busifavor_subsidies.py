"""Subsidies of merchants' own coupons through the v3 wire: wechatpay-alipay specification, section 7.6."""

import asyncio
from typing import Any

import pytest

from hutong.institution import chart
from hutong.kernel.money import Currency
from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Answer, Merchant, neighbour
from tests.gateways.wechat.v3.test_busifavor import BEGINS, BUSIFAVOR, act, batch, sent, use
from tests.gateways.wechat.v3.test_favor import asked, buy, funded


class Subsidised:
    """A platform's stock of coupons that a shop took one of, for a payment of what was left to pay."""

    sponsor: Merchant
    shop: Merchant
    stock: str
    code: str
    trade_no: str

    async def begin(self, hall: Hall, *, subsidy: bool = True, fund: bool = True) -> None:
        self.sponsor, person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
        self.shop = Merchant(hall, await neighbour(hall, self.sponsor.mchid))
        if fund:
            await funded(hall)
        draft = batch(self.shop, subsidy=subsidy)
        self.stock = (await self.sponsor.post(f"{BUSIFAVOR}/stocks", draft)).json["stock_id"]
        self.code = await sent(hall, self.sponsor, self.stock, person)
        await buy(hall, self.shop, person, total=2_300)
        self.trade_no = (await asked(self.shop))["transaction_id"]

    def body(self, number: str = "P1", **more: Any) -> dict[str, Any]:
        told = {
            "stock_id": self.stock,
            "coupon_code": self.code,
            "transaction_id": self.trade_no,
            "payer_merchant": self.sponsor.mchid,
            "payee_merchant": self.shop.mchid,
            "amount": 500,
            "description": "平台补贴",
            "out_subsidy_no": number,
        }
        return told | more

    async def take(self) -> None:
        more = {"transaction_id": self.trade_no, "out_trade_no": "T20261122001"}
        assert (await use(self.shop, self.stock, self.code, **more)).status == 200

    async def pay(self, number: str = "P1", *, by: Merchant | None = None, **more: Any) -> Answer:
        return await (by or self.sponsor).post(f"{BUSIFAVOR}/subsidy/pay-receipts", self.body(number, **more))

    async def give_back(self, number: str = "B1", *, by: Merchant | None = None, **more: Any) -> Answer:
        body = self.body("") | {"refund_id": "", "out_subsidy_return_no": number} | more
        return await (by or self.shop).post(f"{BUSIFAVOR}/subsidy/return-receipts", body)

    async def balances(self, hall: Hall) -> tuple[int, int]:
        accounts = [
            chart.merchant_account(each.account.row.merchant_id, Currency.CNY) for each in (self.sponsor, self.shop)
        ]
        found = {each.id: each for each in await hall.jing.ledger.lookup_accounts(accounts)}
        sponsor, shop = (found[id_].credits_posted - found[id_].debits_posted for id_ in accounts)
        return sponsor, shop


@pytest.fixture
async def subsidised(hall: Hall) -> Subsidised:
    subsidised = Subsidised()
    await subsidised.begin(hall)
    return subsidised


async def test_a_sponsor_bears_a_coupon_once_and_has_it_back_with_a_refund(hall: Hall, subsidised: Subsidised) -> None:
    had = await subsidised.balances(hall)
    assert (await subsidised.pay()).code == "INVALID_REQUEST", "it is not taken yet"
    await subsidised.take()
    answers = await asyncio.gather(*(subsidised.pay(f"P{number % 3}") for number in range(9)))
    good = [each.json for each in answers if each.status == 200]
    assert len(good) == 3, "one number of three; it is worth five yuan once"
    assert good[0] == good[1] == good[2]
    number = good[0]["out_subsidy_no"]
    assert good[0] == {
        "subsidy_receipt_id": good[0]["subsidy_receipt_id"],
        "stock_id": subsidised.stock,
        "coupon_code": subsidised.code,
        "transaction_id": subsidised.trade_no,
        "payer_merchant": subsidised.sponsor.mchid,
        "payee_merchant": subsidised.shop.mchid,
        "amount": 500,
        "description": "平台补贴",
        "status": "SUCCESS",
        "success_time": BEGINS,
        "out_subsidy_no": number,
        "create_time": BEGINS,
    }
    assert await subsidised.balances(hall) == (had[0] - 500, had[1] + 500)
    one = await subsidised.shop.get(f"{BUSIFAVOR}/subsidy/pay-receipts/{good[0]['subsidy_receipt_id']}")
    assert one.json == good[0]
    query = f"stock_id={subsidised.stock}&coupon_code={subsidised.code}&out_subsidy_no={number}"
    listed = await subsidised.sponsor.get(f"{BUSIFAVOR}/subsidy/pay-receipts?{query}")
    assert listed.json == {"pay_receipt_list": [good[0]]}

    assert (await act(subsidised.shop, "return", subsidised.stock, subsidised.code)).code == "INVALID_REQUEST"
    told = {"refund": 2_300, "total": 2_300, "currency": "CNY"}
    refund = {"out_trade_no": "T20261122001", "out_refund_no": "R1", "amount": told}
    refund_id = (await subsidised.shop.post("/v3/refund/domestic/refunds", refund)).json["refund_id"]
    refunded = await subsidised.balances(hall)
    assert (await subsidised.give_back(refund_id="50000000000000")).code == "INVALID_REQUEST"
    assert (await subsidised.give_back(refund_id=refund_id, amount=501)).code == "INVALID_REQUEST"
    for _ in range(2):
        back = await subsidised.give_back(refund_id=refund_id)
    assert back.json == {
        "stock_id": subsidised.stock,
        "coupon_code": subsidised.code,
        "transaction_id": subsidised.trade_no,
        "payer_merchant": subsidised.sponsor.mchid,
        "payee_merchant": subsidised.shop.mchid,
        "amount": 500,
        "description": "平台补贴",
        "status": back.json["status"],
        "subsidy_return_receipt_id": back.json["subsidy_return_receipt_id"],
        "out_subsidy_return_no": "B1",
        "refund_id": refund_id,
        "subsidy_receipt_id": good[0]["subsidy_receipt_id"],
        "return_done_time": BEGINS,
        "return_create_time": BEGINS,
    }
    assert await subsidised.balances(hall) == (refunded[0] + 500, refunded[1] - 500)
    asked_after = f"{BUSIFAVOR}/subsidy/return-receipts/{back.json['subsidy_return_receipt_id']}"
    assert (await subsidised.sponsor.get(asked_after)).json == back.json
    assert (await act(subsidised.shop, "return", subsidised.stock, subsidised.code, "A2")).status == 200


async def test_what_the_sponsor_has_not_is_a_subsidy_that_failed(hall: Hall) -> None:
    story = Subsidised()
    await story.begin(hall, fund=False)
    await story.take()
    had = await story.balances(hall)
    failed = await story.pay()
    assert (failed.json["status"], failed.json["fail_reason"]) == ("FAIL", "NOT_ENOUGH")
    assert (await story.pay()).json == failed.json, "the same number is the same try"
    assert await story.balances(hall) == had


async def test_nobody_spends_what_is_another_merchants(hall: Hall, subsidised: Subsidised) -> None:
    await subsidised.take()
    had = await subsidised.balances(hall)
    shop, sponsor = subsidised.shop, subsidised.sponsor
    stolen = await subsidised.pay(by=shop)
    assert (stolen.status, stolen.code) == (403, "NO_AUTH"), "the sponsor let nobody act for it"
    own = await subsidised.pay(by=sponsor, payee_merchant=sponsor.mchid)
    assert own.code == "INVALID_REQUEST"
    assert (await subsidised.pay(payee_merchant="1999999999")).code == "MCH_NOT_EXISTS"
    assert (await subsidised.pay(transaction_id="4200000000000000000000000000")).code == "INVALID_REQUEST"
    assert (await subsidised.pay(amount=501)).code == "INVALID_REQUEST"
    assert (await subsidised.give_back(refund_id="1")).code == "INVALID_REQUEST"
    assert await subsidised.balances(hall) == had


async def test_a_stock_without_subsidies_has_none(hall: Hall) -> None:
    story = Subsidised()
    await story.begin(hall, subsidy=False)
    await story.take()
    assert (await story.pay()).code == "INVALID_REQUEST"
