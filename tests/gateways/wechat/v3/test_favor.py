"""Coupons through the v3 wire: wechatpay-alipay specification, section 7.6."""

import hashlib
from typing import Any

import pytest

from hutong.gateways.payer import payer_here
from hutong.institution import chart
from tests.gateways.hall import Hall, user_id
from tests.gateways.wechat.v3.client import HEADERS, Answer, Merchant, neighbour
from tests.gateways.wechat.v3.test_papay import events
from tests.institution.payments.test_http import Phone

FAVOR = "/v3/marketing/favor"
BEGINS, ENDS = "2026-01-01T08:00:00+08:00", "2026-02-01T00:00:00+08:00"


def batch(
    merchant: Merchant, number: str = "S1", *, coupons: int = 10, amount: int = 500, **more: Any
) -> dict[str, Any]:
    """Ten coupons of five yuan off twenty; `more` changes any field, wherever it is."""
    rule = {
        "max_coupons": coupons,
        "max_amount": coupons * amount,
        "max_coupons_per_user": 2,
        "natural_person_limit": False,
        "prevent_api_abuse": False,
    }
    use = {"fixed_normal_coupon": {"coupon_amount": amount, "transaction_minimum": 2_000}, "combine_use": False}
    body = {
        "stock_name": "面馆满20减5",
        "comment": "开业",
        "belong_merchant": merchant.mchid,
        "available_begin_time": BEGINS,
        "available_end_time": ENDS,
        "stock_use_rule": rule | {name: more.pop(name) for name in list(more) if name in _RULE},
        "pattern_info": {"description": "每单限用一张", "merchant_name": "面馆"},
        "coupon_use_rule": use | {name: more.pop(name) for name in list(more) if name in _USE},
        "no_cash": False,
        "stock_type": "NORMAL",
        "out_request_no": number,
    }
    return body | more


_RULE = ("max_amount", "max_amount_by_day", "max_coupons_per_user", "max_coupons", "natural_person_limit")
_USE = (
    *("fixed_normal_coupon", "combine_use", "coupon_available_time", "goods_tag", "available_items"),
    *("available_merchants", "limit_pay", "trade_type"),
)


async def funded(hall: Hall, amount: int = 50_000) -> None:
    """The merchant has sold something before."""
    rich = await hall.jing.user("+8613800138777", amount)
    draft = Merchant(hall).order("FUNDED1", amount)
    native = await Merchant(hall).post("/v3/pay/transactions/native", draft)
    await hall.pay(rich, native.json["code_url"])


async def made(merchant: Merchant, number: str = "S1", **more: Any) -> str:
    answer = await merchant.post(f"{FAVOR}/coupon-stocks", batch(merchant, number, **more))
    assert answer.status == 200, answer.json
    return str(answer.json["stock_id"])


async def moved(merchant: Merchant, stock: str, verb: str) -> Answer:
    return await merchant.post(f"{FAVOR}/stocks/{stock}/{verb}", {"stock_creator_mchid": merchant.mchid})


async def started(hall: Hall, merchant: Merchant, number: str = "S1", **more: Any) -> str:
    stock = await made(merchant, number, **more)
    assert (await moved(merchant, stock, "start")).status == 200
    return stock


async def shown(merchant: Merchant, stock: str) -> dict[str, Any]:
    return (await merchant.get(f"{FAVOR}/stocks/{stock}?stock_creator_mchid={merchant.mchid}")).json


def openid(hall: Hall, merchant: Merchant, person: Phone) -> str:
    return hall.gateways.orders.payers.openid(merchant.appid, payer_here(user_id(person)))


async def send(hall: Hall, merchant: Merchant, stock: str, person: Phone, number: str = "C1", **more: Any) -> Answer:
    body = {
        "stock_id": stock,
        "out_request_no": number,
        "appid": merchant.appid,
        "stock_creator_mchid": merchant.mchid,
    } | more
    return await merchant.post(f"{FAVOR}/users/{openid(hall, merchant, person)}/coupons", body)


async def coupon(hall: Hall, merchant: Merchant, person: Phone, number: str) -> dict[str, Any]:
    path = f"{FAVOR}/users/{openid(hall, merchant, person)}/coupons/{number}?appid={merchant.appid}"
    return (await merchant.get(path)).json


async def buy(
    hall: Hall, merchant: Merchant, person: Phone, number: str = "T20261122001", total: int = 2_800
) -> dict[str, Any]:
    native = await merchant.post("/v3/pay/transactions/native", merchant.order(number, total))
    return await hall.pay(person, native.json["code_url"])


async def asked(merchant: Merchant, number: str = "T20261122001") -> dict[str, Any]:
    return (await merchant.get(f"/v3/pay/transactions/out-trade-no/{number}?mchid={merchant.mchid}")).json


async def refund(merchant: Merchant, amount: int, number: str = "R1", total: int = 2_800) -> dict[str, Any]:
    told = {"refund": amount, "total": total, "currency": "CNY"}
    body = {"out_trade_no": "T20261122001", "out_refund_no": number, "amount": told}
    assert (await merchant.post("/v3/refund/domestic/refunds", body)).status == 200
    return (await merchant.get(f"/v3/refund/domestic/refunds/{number}")).json


async def downloaded(merchant: Merchant, target: str, hash_name: str = "hash_value") -> list[list[str]]:
    """The lines of a file, the first one its heads, once its hash was found right."""
    offered = (await merchant.get(target)).json
    path = offered["url"].removeprefix("http://jing.example")
    sent = HEADERS | {"authorization": merchant.authorization("GET", path, b"")}
    content = (await merchant.hall.http.get(path, headers=sent)).content
    assert hashlib.sha1(content, usedforsecurity=False).hexdigest() == offered[hash_name]
    return [line.replace("`", "").split(",") for line in content.decode().strip().split("\r\n")]


async def in_stock(hall: Hall, stock: str) -> int:
    """What the ledger has for it."""
    (row,) = [each for each in hall.gateways.vouchers.stocks.all.everything() if each.number == stock]
    (account,) = await hall.jing.ledger.lookup_accounts([chart.campaign_account(row.id)])
    return account.credits_posted - account.debits_posted


class Story:
    """A merchant with a running stock that tells of its coupons' use, and a person who has one."""

    merchant: Merchant
    person: Phone
    had: int  # What the merchant had before.
    stock: str
    number: str
    held: dict[str, Any]

    async def begin(self, hall: Hall) -> None:
        self.merchant, self.person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
        await funded(hall)
        self.had = await hall.merchant_balance()
        self.stock = await started(hall, self.merchant)
        told = {"mchid": self.merchant.mchid, "notify_url": "https://shop.example/used", "switch": True}
        assert (await self.merchant.post(f"{FAVOR}/callbacks", told)).json["update_time"] == BEGINS
        sent = await send(hall, self.merchant, self.stock, self.person)
        self.number = sent.json["coupon_id"]
        self.held = await coupon(hall, self.merchant, self.person, self.number)


@pytest.fixture
async def story(hall: Hall) -> Story:
    story = Story()
    await story.begin(hall)
    return story


async def test_a_stock_sets_its_money_aside_when_it_starts_and_sends_each_coupon_once(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
    await funded(hall)
    had = await hall.merchant_balance()
    first, again = [await merchant.post(f"{FAVOR}/coupon-stocks", batch(merchant)) for _ in range(2)]
    assert (first.status, first.json["create_time"]) == (200, BEGINS)
    assert again.json == first.json
    stock = first.json["stock_id"]
    assert (await shown(merchant, stock))["status"] == "unactivated"
    assert (await send(hall, merchant, stock, person)).code == "INVALID_REQUEST"
    assert await hall.merchant_balance() == had

    for _ in range(2):
        assert (await moved(merchant, stock, "start")).json == {"start_time": BEGINS, "stock_id": stock}
    assert (await hall.merchant_balance(), await in_stock(hall, stock)) == (had - 5_000, 5_000)
    for _ in range(2):
        sent = await send(hall, merchant, stock, person)
        assert sent.status == 200, sent.json
    number = sent.json["coupon_id"]
    assert await coupon(hall, merchant, person, number) == {
        "stock_creator_mchid": merchant.mchid,
        "stock_id": stock,
        "coupon_id": number,
        "coupon_name": "面馆满20减5",
        "status": "SENDED",
        "description": "每单限用一张",
        "create_time": BEGINS,
        "coupon_type": "NORMAL",
        "no_cash": False,
        "available_begin_time": BEGINS,
        "available_end_time": ENDS,
        "singleitem": False,
        "normal_coupon_information": {"coupon_amount": 500, "transaction_minimum": 2_000},
    }
    assert await shown(merchant, stock) == {
        "stock_id": stock,
        "stock_creator_mchid": merchant.mchid,
        "stock_name": "面馆满20减5",
        "status": "running",
        "create_time": BEGINS,
        "description": "每单限用一张",
        "stock_use_rule": {
            "max_coupons": 10,
            "max_amount": 5_000,
            "max_coupons_per_user": 2,
            "natural_person_limit": False,
            "prevent_api_abuse": False,
            "fixed_normal_coupon": {"coupon_amount": 500, "transaction_minimum": 2_000},
            "coupon_type": "NORMAL",
            "combine_use": False,
        },
        "available_begin_time": BEGINS,
        "available_end_time": ENDS,
        "distributed_coupons": 1,
        "no_cash": False,
        "singleitem": False,
        "stock_type": "NORMAL",
        "start_time": BEGINS,
    }


async def test_a_coupon_makes_an_order_cheaper_and_whoever_asks_hears_of_it(hall: Hall, story: Story) -> None:
    merchant, person, stock, number = story.merchant, story.person, story.stock, story.number
    await buy(hall, merchant, person)
    assert (await person.get("/v1/balance"))["balance"] == 10_000 - 2_300
    fee = 17
    assert await hall.merchant_balance() == story.had - 5_000 + 2_800 - fee, "the coupon's money came, too"
    assert await in_stock(hall, stock) == 4_500
    paid = await asked(merchant)
    assert paid["amount"] == {"total": 2_800, "currency": "CNY", "payer_total": 2_300, "payer_currency": "CNY"}
    assert paid["promotion_detail"] == [
        {
            "coupon_id": number,
            "name": "面馆满20减5",
            "scope": "GLOBAL",
            "type": "CASH",
            "amount": 500,
            "stock_id": stock,
            "wechatpay_contribute": 0,
            "merchant_contribute": 500,
            "other_contribute": 0,
            "currency": "CNY",
        }
    ]
    consumed = {"consume_time": BEGINS, "consume_mchid": merchant.mchid, "transaction_id": paid["transaction_id"]}
    used = story.held | {"status": "USED", "consume_information": consumed}
    assert await coupon(hall, merchant, person, number) == used
    news = dict(await events(hall, merchant))
    assert news["COUPON.USE"] == used
    assert news["TRANSACTION.SUCCESS"]["promotion_detail"] == paid["promotion_detail"]
    listed = f"{FAVOR}/users/{openid(hall, merchant, person)}/coupons?appid={merchant.appid}&stock_id={stock}"
    assert (await merchant.get(listed)).json == {"total_count": 1, "offset": 0, "limit": 20, "data": [used]}
    assert (await merchant.get(f"{listed}&status=SENDED")).json["total_count"] == 0


async def test_refunds_bring_the_budget_back_and_the_files_equal_the_ledger(hall: Hall, story: Story) -> None:
    merchant, person, stock, number = story.merchant, story.person, story.stock, story.number
    await buy(hall, merchant, person)
    paid = await asked(merchant)
    used = await coupon(hall, merchant, person, number)
    given_back = await refund(merchant, 1_400)
    assert given_back["promotion_detail"] == [
        {"promotion_id": number, "scope": "GLOBAL", "type": "COUPON", "amount": 500, "refund_amount": 250}
    ]
    assert await in_stock(hall, stock) == 4_750
    assert (await coupon(hall, merchant, person, number))["status"] == "USED", "some of it is still given"
    await refund(merchant, 1_400, "R2")
    assert (await person.get("/v1/balance"))["balance"] == 10_000
    assert (await hall.merchant_balance(), await in_stock(hall, stock)) == (story.had - 5_000, 5_000)
    assert await coupon(hall, merchant, person, number) == story.held, "it is the person's again"
    assert dict(await events(hall, merchant))["COUPON.USE"] == used, "its use is told, whatever came back since"

    uses = await downloaded(merchant, f"{FAVOR}/stocks/{stock}/use-flow")
    returns = await downloaded(merchant, f"{FAVOR}/stocks/{stock}/refund-flow")
    line = [stock, number, "满减券", "5.00", "28.00", "NATIVE", paid["transaction_id"], BEGINS, merchant.mchid]
    assert uses[1:] == [[*line, "", "", ""]]
    assert [each[3] for each in returns[1:]] == ["2.50", "2.50"]
    spent, back = [sum(int(each[3].replace(".", "")) for each in lines[1:]) for lines in (uses, returns)]
    assert await in_stock(hall, stock) == 5_000 - spent + back
    by_day = f"{FAVOR}/stocks/{stock}/use-flow-by-day?bill_date=2026-01-01"
    assert (await downloaded(merchant, by_day, "stock_useflow_hash"))[1:] == uses[1:]
    assert (await merchant.get(by_day)).json["stock_useflow_count"] == "1"


async def test_what_a_stock_did_not_give_is_back_in_the_merchants_account_when_it_ends(
    hall: Hall, story: Story
) -> None:
    merchant, person, stock = story.merchant, story.person, story.stock
    await buy(hall, merchant, person)
    before = await hall.merchant_balance()
    hall.jing.clock.advance(seconds=40 * 86_400)
    for _ in range(3):
        hall.jing.institution.tick()
    assert (await shown(merchant, stock))["status"] == "stoped"
    assert (await hall.merchant_balance(), await in_stock(hall, stock)) == (before + 4_500, 0)
    assert (await moved(merchant, stock, "start")).status == 200, "it was started once, and stays so"
    assert (await moved(merchant, stock, "pause")).code == "INVALID_REQUEST"
    assert (await send(hall, merchant, stock, person, "C2")).code == "INVALID_REQUEST"
    await refund(merchant, 2_800)
    for _ in range(3):
        hall.jing.institution.tick()
    assert await in_stock(hall, stock) == 0
    assert await hall.merchant_balance() == story.had, "not a fen is left behind"


async def test_a_stock_that_is_paused_sends_nothing_and_what_was_sent_stays_good(hall: Hall, story: Story) -> None:
    merchant, person, stock = story.merchant, story.person, story.stock
    for _ in range(2):
        assert (await moved(merchant, stock, "pause")).json == {"pause_time": BEGINS, "stock_id": stock}
    assert (await shown(merchant, stock))["status"] == "paused"
    assert (await send(hall, merchant, stock, person, "C2")).code == "INVALID_REQUEST"
    assert (await send(hall, merchant, stock, person)).json["coupon_id"] == story.number, "it was sent before"
    await buy(hall, merchant, person)
    assert (await asked(merchant))["amount"]["payer_total"] == 2_300
    assert (await moved(merchant, stock, "restart")).json == {"restart_time": BEGINS, "stock_id": stock}
    assert (await send(hall, merchant, stock, person, "C2")).status == 200


async def test_another_merchants_stock_is_unknown_and_its_coupon_is_good_with_it_alone(
    hall: Hall, story: Story
) -> None:
    other = Merchant(hall, await neighbour(hall))
    stranger = f"stock_creator_mchid={other.mchid}"
    assert (await other.get(f"{FAVOR}/stocks/{story.stock}?{stranger}")).code == "RESOURCE_NOT_EXISTS"
    assert (await other.get(f"{FAVOR}/stocks/{story.stock}/use-flow")).code == "RESOURCE_NOT_EXISTS"
    assert (await send(hall, other, story.stock, story.person)).code == "RESOURCE_NOT_EXISTS"
    assert (await other.get(f"{FAVOR}/stocks?{stranger}&offset=0&limit=10")).json["total_count"] == 0
    assert (await coupon(hall, other, story.person, story.number))["code"] == "RESOURCE_NOT_EXISTS"
    acting = await send(hall, other, story.stock, story.person, stock_creator_mchid=story.merchant.mchid)
    assert (acting.status, acting.code) == (403, "NO_AUTH")
    await buy(hall, other, story.person)
    assert "promotion_detail" not in await asked(other)
    listed = f"{FAVOR}/stocks?stock_creator_mchid={story.merchant.mchid}&offset=0&limit=10&status=running"
    assert (await story.merchant.get(listed)).json["data"] == [await shown(story.merchant, story.stock)]
    part = f"offset=0&limit=10&stock_creator_mchid={story.merchant.mchid}"
    merchants = (await story.merchant.get(f"{FAVOR}/stocks/{story.stock}/merchants?{part}")).json
    assert (merchants["total_count"], merchants["data"]) == (1, [story.merchant.mchid])
    assert (await story.merchant.get(f"{FAVOR}/stocks/{story.stock}/items?{part}")).json["data"] == []


UNSOUND: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"no_cash": True}, 400, "INVALID_REQUEST"),
    ({"stock_type": "DISCOUNT"}, 400, "INVALID_REQUEST"),
    ({"stock_type": "FREE"}, 400, "PARAM_ERROR"),
    ({"max_amount": 4_999}, 400, "PARAM_ERROR"),
    ({"max_amount_by_day": 501}, 400, "PARAM_ERROR"),
    ({"max_coupons_per_user": 0}, 400, "PARAM_ERROR"),
    ({"fixed_normal_coupon": {"coupon_amount": 500, "transaction_minimum": 500}}, 400, "PARAM_ERROR"),
    ({"goods_tag": ["noodles"]}, 400, "INVALID_REQUEST"),
    ({"trade_type": ["MICROAPP"]}, 400, "INVALID_REQUEST"),
    ({"available_merchants": ["1900000001"]}, 400, "INVALID_REQUEST"),
    ({"available_end_time": "2026-04-01T08:00:01+08:00"}, 400, "PARAM_ERROR"),  # A second more than 90 days.
    (
        {"available_begin_time": "2027-01-02T08:00:00+08:00", "available_end_time": "2027-01-03T08:00:00+08:00"},
        400,
        "PARAM_ERROR",
    ),
    ({"available_end_time": "2025-12-31T00:00:00+08:00"}, 400, "PARAM_ERROR"),
    ({"available_end_time": "9999-12-31T00:00:00+08:00"}, 400, "PARAM_ERROR"),
    ({"available_begin_time": "today"}, 400, "PARAM_ERROR"),
    ({"belong_merchant": "1900000001"}, 400, "MCH_NOT_EXISTS"),
    ({"coupon_available_time": {"available_time_after_receive": 0}}, 400, "PARAM_ERROR"),
)


async def test_a_stock_that_cannot_be_is_refused(hall: Hall) -> None:
    merchant = Merchant(hall)
    for changed, status, code in UNSOUND:
        answer = await merchant.post(f"{FAVOR}/coupon-stocks", batch(merchant, **changed))
        assert (answer.status, answer.code) == (status, code), changed
    assert not hall.gateways.vouchers.stocks.all.everything()


async def test_what_is_asked_in_vain(hall: Hall, story: Story) -> None:
    merchant, person, stock = story.merchant, story.person, story.stock
    differs = await merchant.post(f"{FAVOR}/coupon-stocks", batch(merchant, stock_name="别的"))
    assert (differs.status, differs.code) == (400, "ALREADY_EXISTS")
    elsewhere = await merchant.post(
        f"{FAVOR}/users/oUpF8uMuAJO_M2pxb1Q9zNjWeS6o/coupons",
        {"stock_id": stock, "out_request_no": "C9", "appid": merchant.appid, "stock_creator_mchid": merchant.mchid},
    )
    assert (elsewhere.status, elsewhere.code) == (400, "INVALID_REQUEST")
    friend = await hall.jing.user("+8613800138001", 0)
    assert (await send(hall, merchant, stock, friend)).code == "INVALID_REQUEST", "the number was another's"
    assert (await send(hall, merchant, stock, person, "C2")).status == 200
    third = await send(hall, merchant, stock, person, "C3")
    assert (third.status, third.code) == (403, "RULE_LIMIT")
    assert (await send(hall, merchant, stock, person, "C4", coupon_value=100)).code == "INVALID_REQUEST"
    foreign = await send(hall, merchant, stock, person, "C5", appid="wx0000000000000000")
    assert foreign.code == "APPID_MCHID_NOT_MATCH"
    single = await started(hall, merchant, "S2", coupons=1)
    assert (await send(hall, merchant, single, person, "C6")).status == 200
    gone = await send(hall, merchant, single, friend, "C7")
    assert (gone.status, gone.code) == (403, "NOT_ENOUGH")
    daily = await started(hall, merchant, "S3", max_amount_by_day=500)
    assert (await send(hall, merchant, daily, person, "C8")).status == 200
    assert (await send(hall, merchant, daily, friend, "C9")).code == "RULE_LIMIT"
    dear = await made(merchant, "S4", coupons=1_000, amount=1_000)
    poor = await moved(merchant, dear, "start")
    assert (poor.status, poor.code) == (403, "NOT_ENOUGH")
    assert (await shown(merchant, dear))["status"] == "unactivated"
    assert (await moved(merchant, dear, "pause")).code == "INVALID_REQUEST"
    assert (await coupon(hall, merchant, person, "1"))["code"] == "RESOURCE_NOT_EXISTS"
    assert (await merchant.get(f"{FAVOR}/callbacks?mchid=1900000001")).code == "PARAM_ERROR"
    nobody = f"{FAVOR}/users/{openid(hall, merchant, person)}/coupons?appid={merchant.appid}"
    assert (await merchant.get(nobody)).code == "PARAM_ERROR"


async def test_a_stock_that_could_not_be_paid_for_starts_once_its_merchant_has_sold_enough(hall: Hall) -> None:
    merchant = Merchant(hall)
    stock = await made(merchant)
    assert (await moved(merchant, stock, "start")).code == "NOT_ENOUGH"
    await funded(hall)
    assert (await moved(merchant, stock, "start")).status == 200
    assert await in_stock(hall, stock) == 5_000


async def test_a_service_provider_makes_a_stock_for_a_merchant_that_let_it_in(hall: Hall) -> None:
    provider = Merchant(hall)
    merchant = Merchant(hall, await neighbour(hall, provider.mchid))
    body = batch(provider, belong_merchant=merchant.mchid)
    stock = (await provider.post(f"{FAVOR}/coupon-stocks", body)).json["stock_id"]
    assert (await shown(provider, stock))["stock_creator_mchid"] == provider.mchid
    part = f"offset=0&limit=10&stock_creator_mchid={provider.mchid}"
    assert (await provider.get(f"{FAVOR}/stocks/{stock}/merchants?{part}")).json["data"] == [merchant.mchid]
    assert (await shown(merchant, stock))["status"] == "unactivated", "who pays for it sees it, too"


async def test_a_coupon_is_good_for_so_many_minutes_from_when_it_was_received(hall: Hall) -> None:
    """Minutes are minutes, whatever the hour: a day that begins in the evening does not end at midnight."""
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138002", 5_000)
    await funded(hall)
    for minutes, until in ((90, "2026-01-01T09:30:00+08:00"), (1_440, "2026-01-02T08:00:00+08:00")):
        time = {"available_time_after_receive": minutes}
        stock = await made(merchant, f"S{minutes}", coupon_available_time=time)
        await moved(merchant, stock, "start")
        number = (await send(hall, merchant, stock, person, f"C{minutes}")).json["coupon_id"]
        shown = await coupon(hall, merchant, person, number)
        assert (shown["available_begin_time"], shown["available_end_time"]) == (BEGINS, until)
