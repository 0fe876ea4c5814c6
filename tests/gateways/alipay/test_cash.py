"""Cash campaigns through Alipay's wire: wechatpay-alipay specification, section 15.4."""

import asyncio
from typing import Any

import pytest

from hutong.institution import chart
from tests.gateways.alipay.conftest import Payer, another
from tests.gateways.alipay.merchant import Merchant
from tests.gateways.alipay.test_vouchers import sold
from tests.gateways.hall import Hall
from tests.institution.payments.test_http import Phone

pytestmark = pytest.mark.asyncio(loop_scope="module")
CASH = "alipay.marketing.campaign.cash."
NOW, ENDS = "2026-01-01 08:00:00", "2026-05-01 00:00:00"


def terms(**more: Any) -> dict[str, Any]:
    return {
        "coupon_name": "周年庆红包",
        "prize_type": "fixed",
        "total_money": "10.00",
        "total_num": "4",
        "prize_msg": "面馆送您红包",
        "start_time": NOW,
        "end_time": ENDS,
        "merchant_link": "https://shop.example/red",
        "send_freqency": "D3|L3",
    } | more


class Shop:
    """A merchant that sold something, and a buyer by number."""

    merchant: Merchant
    phone: Phone
    person: Phone
    buyer: str

    async def balance(self) -> int:
        return int((await self.phone.get("/v1/merchant/balance"))["balance"])

    async def made(self, **more: Any) -> str:
        made = await self.merchant.ask(CASH + "create", terms(**more))
        assert (made["code"], made["origin_crowd_no"]) == ("10000", made["crowd_no"]), made
        return str(made["crowd_no"])

    async def moved(self, number: str, status: str) -> dict[str, Any]:
        return await self.merchant.ask(CASH + "status.modify", {"crowd_no": number, "camp_status": status})

    async def trigger(self, number: str, out_biz_no: str, **more: Any) -> dict[str, Any]:
        asked = {"crowd_no": number, "user_id": self.buyer, "out_biz_no": out_biz_no}
        return await self.merchant.ask(CASH + "trigger", asked | more)

    async def detail(self, number: str) -> dict[str, Any]:
        return await self.merchant.ask(CASH + "detail.query", {"crowd_no": number})


async def opened(hall: Hall, payer: Payer, amount: str = "300.00") -> Shop:
    shop = Shop()
    shop.phone, shop.merchant = await another(hall)
    shop.person = await payer(100_000)
    await sold(hall, shop.merchant, shop.person, "F1", amount)
    shop.buyer = (await shop.merchant.ask("alipay.trade.query", {"out_trade_no": "F1"}))["buyer_user_id"]
    return shop


async def wallet(person: Phone) -> int:
    return int((await person.get("/v1/balance"))["balance"])


async def test_money_reaches_a_person_once_for_each_number_and_the_rest_comes_home(hall: Hall, payer: Payer) -> None:
    shop = await opened(hall, payer)
    had = await shop.balance()
    number = await shop.made()
    assert (await shop.detail(number))["camp_status"] == "CREATED"
    assert (await shop.trigger(number, "A1"))["sub_code"] == "CAMPAIGN_STATUS_ERROR"
    assert (await shop.moved(number, "PAUSE"))["sub_code"] == "CAMPAIGN_STATUS_ERROR"
    assert await shop.balance() == had, "nothing moves before it is started"
    for _ in range(2):
        assert (await shop.moved(number, "READY"))["code"] == "10000"
    assert await shop.balance() == had - 1_000

    before = await wallet(shop.person)
    answers = await asyncio.gather(*(shop.trigger(number, "A1") for _ in range(5)))
    assert {each["trigger_result"] for each in answers} == {"true"}
    assert sorted(each["repeat_trigger_flag"] for each in answers) == ["false", *["true"] * 4]
    first = answers[0]
    assert (first["prize_amount"], first["coupon_name"], first["out_biz_no"]) == ("2.50", "周年庆红包", "A1")
    assert await wallet(shop.person) == before + 250
    other = await payer(1_000)
    await sold(hall, shop.merchant, other, "F2", "1.00")
    somebody = (await shop.merchant.ask("alipay.trade.query", {"out_trade_no": "F2"}))["buyer_user_id"]
    assert (await shop.trigger(number, "A1", user_id=somebody))["sub_code"] == "OUT_BIZ_NO_REPEAT"

    assert (await shop.moved(number, "PAUSE"))["code"] == "10000"
    assert (await shop.detail(number))["camp_status"] == "PAUSE"
    assert (await shop.trigger(number, "A2"))["sub_code"] == "CAMPAIGN_STATUS_ERROR"
    assert (await shop.moved(number, "READY"))["code"] == "10000"
    for each in ("A2", "A3"):
        assert (await shop.trigger(number, each))["trigger_result"] == "true"
    enough = await shop.trigger(number, "A4")
    assert (enough["trigger_result"], enough["repeat_trigger_flag"]) == ("false", "true")
    assert enough["error_msg"] == "用户已达到领取次数上限"
    told = await shop.detail(number)
    assert (told["send_amount"], told["total_count"], told["total_amount"]) == ("7.50", "3", "10.00")

    listed = await shop.merchant.ask(
        CASH + "list.query", {"camp_status": "READY", "page_index": "1", "page_size": "10"}
    )
    assert (listed["total_size"], [each["crowd_no"] for each in listed["camp_list"]]) == ("1", [number])
    for _ in range(2):
        assert (await shop.moved(number, "CLOSED"))["code"] == "10000"
    hall.jing.institution.tick()
    assert (await shop.detail(number))["camp_status"] == "SETTLE"
    assert (await shop.moved(number, "READY"))["sub_code"] == "CAMPAIGN_STATUS_ERROR"
    fee_of_another_sale = 1
    assert await shop.balance() == had - 750 + 100 - fee_of_another_sale
    (row,) = [each for each in hall.gateways.cash.all.everything() if each.number == number]
    (account,) = await hall.jing.ledger.lookup_accounts([chart.campaign_account(row.id)])
    assert account.credits_posted == account.debits_posted


async def test_chance_gives_all_of_it_and_to_nobody_less_than_half_or_half_as_much_again(
    hall: Hall, payer: Payer
) -> None:
    shop = await opened(hall, payer)
    number = await shop.made(prize_type="random", total_money="7.03", total_num="7", send_freqency="L9")
    assert (await shop.moved(number, "READY"))["code"] == "10000"
    before = await wallet(shop.person)
    named = await shop.trigger(number, "B0", order_price="120")
    assert named["prize_amount"] == "1.20"
    assert (await shop.trigger(number, "B9", order_price="151"))["sub_code"] == "INVALID_PARAMETER"
    amounts = [(await shop.trigger(number, f"B{each}"))["prize_amount"] for each in range(1, 7)]
    assert await wallet(shop.person) == before + 703
    assert all(51 <= int(each.replace(".", "")) <= 150 for each in amounts), amounts
    gone = await shop.trigger(number, "B8")
    assert (gone["trigger_result"], gone["repeat_trigger_flag"], gone["error_msg"]) == ("false", "false", "红包已领完")


async def test_a_merchant_that_has_less_starts_nothing(hall: Hall, payer: Payer) -> None:
    shop = await opened(hall, payer, "5.00")
    had = await shop.balance()
    number = await shop.made()
    for _ in range(2):
        assert (await shop.moved(number, "READY"))["sub_code"] == "BALANCE_IS_NOT_ENOUGH"
    assert ((await shop.detail(number))["camp_status"], await shop.balance()) == ("CREATED", had)
    await sold(hall, shop.merchant, shop.person, "F3", "20.00")
    assert (await shop.moved(number, "READY"))["code"] == "10000"
    assert (await shop.detail(number))["camp_status"] == "READY"


@pytest.mark.parametrize(
    "changed",
    [
        {"prize_type": "free"},
        {"total_num": "0"},
        {"total_num": "3"},
        {"total_money": "0.03"},
        {"send_freqency": "X1"},
        {"end_time": NOW},
        {"end_time": "2026-12-01 00:00:00"},
        {"start_time": "soon"},
        {"prize_msg": ""},
    ],
)
async def test_a_campaign_that_cannot_be_is_refused(merchant: Merchant, changed: dict[str, Any]) -> None:
    assert (await merchant.ask(CASH + "create", terms(**changed)))["sub_code"] == "INVALID_PARAMETER"


async def test_what_is_not_there_is_told_by_name(hall: Hall, payer: Payer, merchant: Merchant) -> None:
    shop = await opened(hall, payer)
    number = await shop.made()
    await shop.moved(number, "READY")
    assert (await shop.trigger(number, "C1", user_id="2088102146225135"))["sub_code"] == "USER_NOT_EXIST"
    stranger = await merchant.ask(CASH + "detail.query", {"crowd_no": number})
    assert stranger["sub_code"] == "CAMPAIGN_NOT_EXIST"
