"""Merchants' own coupons through the v3 wire: wechatpay-alipay specification, section 7.6."""

import asyncio
from typing import Any

import pytest

from tests.gateways.hall import Hall
from tests.gateways.wechat.v3.client import Answer, Merchant, neighbour
from tests.gateways.wechat.v3.test_favor import buy, openid
from tests.gateways.wechat.v3.test_papay import events
from tests.institution.payments.test_http import Phone

BUSIFAVOR = "/v3/marketing/busifavor"
BEGINS, ENDS = "2026-01-01T08:00:00+08:00", "2026-02-01T00:00:00+08:00"
AT = {"available_begin_time": BEGINS, "available_end_time": ENDS}
NORMAL = {"fixed_normal_coupon": {"discount_amount": 500, "transaction_minimum": 2_000}}


def batch(merchant: Merchant, number: str = "S1", **more: Any) -> dict[str, Any]:
    """Ten coupons of five yuan off twenty; `more` changes any field, wherever it is."""
    use = {"coupon_available_time": AT, "use_method": "OFF_LINE"} | NORMAL
    send = {"max_coupons": 10, "max_coupons_per_user": 3, "natural_person_limit": False}
    body = {
        "stock_name": "面馆满20减5",
        "belong_merchant": merchant.mchid,
        "comment": "开业",
        "goods_name": "面",
        "stock_type": "NORMAL",
        "coupon_use_rule": use | more.pop("use", {}),
        "stock_send_rule": send | more.pop("send", {}),
        "out_request_no": number,
        "display_pattern_info": {"description": "每单限用一张", "background_color": "Color010"},
        "coupon_code_mode": "WECHATPAY_MODE",
    }
    return body | more


async def made(merchant: Merchant, number: str = "S1", **more: Any) -> str:
    answer = await merchant.post(f"{BUSIFAVOR}/stocks", batch(merchant, number, **more))
    assert answer.status == 200, answer.json
    return str(answer.json["stock_id"])


async def send(hall: Hall, merchant: Merchant, stock: str, person: Phone, number: str = "C1", **more: Any) -> Answer:
    body = {"openid": openid(hall, merchant, person), "appid": merchant.appid, "stock_id": stock}
    return await merchant.post(f"{BUSIFAVOR}/coupons/send", body | {"out_request_no": number} | more)


async def sent(hall: Hall, merchant: Merchant, stock: str, person: Phone, number: str = "C1", **more: Any) -> str:
    answer = await send(hall, merchant, stock, person, number, **more)
    assert answer.status == 200, answer.json
    return str(answer.json["coupon_code"])


async def use(merchant: Merchant, stock: str, code: str, number: str = "U1", **more: Any) -> Answer:
    body = {"coupon_code": code, "stock_id": stock, "appid": merchant.appid, "use_time": BEGINS}
    return await merchant.post(f"{BUSIFAVOR}/coupons/use", body | {"use_request_no": number} | more)


async def act(merchant: Merchant, verb: str, stock: str, code: str, number: str = "A1", **more: Any) -> Answer:
    name = {"return": "return_request_no", "deactivate": "deactivate_request_no"}.get(verb, "out_request_no")
    body = {"coupon_code": code, "stock_id": stock, name: number}
    return await merchant.post(f"{BUSIFAVOR}/coupons/{verb}", body | more)


async def shown(hall: Hall, merchant: Merchant, person: Phone, code: str) -> dict[str, Any]:
    path = f"{BUSIFAVOR}/users/{openid(hall, merchant, person)}/coupons/{code}/appids/{merchant.appid}"
    return (await merchant.get(path)).json


class Story:
    """A merchant with a stock and a person who has a coupon of it."""

    merchant: Merchant
    person: Phone
    stock: str
    code: str

    async def begin(self, hall: Hall) -> None:
        self.merchant, self.person = Merchant(hall), await hall.jing.user("+8613800138000", 10_000)
        told = {"mchid": self.merchant.mchid, "notify_url": "https://shop.example/sent"}
        set_ = await self.merchant.post(f"{BUSIFAVOR}/callbacks", told)
        assert set_.json == told | {"update_time": BEGINS}
        assert (await self.merchant.get(f"{BUSIFAVOR}/callbacks?mchid={self.merchant.mchid}")).json == told
        self.stock = await made(self.merchant)
        self.code = await sent(hall, self.merchant, self.stock, self.person)


@pytest.fixture
async def story(hall: Hall) -> Story:
    story = Story()
    await story.begin(hall)
    return story


async def test_a_coupon_is_sent_told_shown_in_the_wallet_and_taken_once(hall: Hall, story: Story) -> None:
    merchant, person, stock, code = story.merchant, story.person, story.stock, story.code
    assert len(code) == 22, code
    assert code.isdecimal()
    assert await sent(hall, merchant, stock, person) == code, "the same number sends the same coupon"
    held = await shown(hall, merchant, person, code)
    assert held == {
        "stock_name": "面馆满20减5",
        "belong_merchant": merchant.mchid,
        "comment": "开业",
        "goods_name": "面",
        "stock_type": "NORMAL",
        "coupon_use_rule": {"coupon_available_time": AT, "use_method": "OFF_LINE"} | NORMAL,
        "display_pattern_info": {"description": "每单限用一张", "background_color": "Color010"},
        "coupon_code": code,
        "coupon_state": "SENDED",
        "stock_id": stock,
        "transferable": False,
        "shareable": False,
        "send_request_no": "C1",
        "available_start_time": BEGINS,
        "expire_time": ENDS,
        "receive_time": BEGINS,
    }
    (mine,) = await person.get("/v1/me/coupons")
    assert (mine["label"], mine["state"], mine["till_code"]) == ("面馆满20减5", "AVAILABLE", code)
    assert dict(await events(hall, merchant))["COUPON.SEND"] == {
        "event_type": "EVENT_TYPE_BUSICOUPON_SEND",
        "coupon_code": code,
        "stock_id": stock,
        "send_time": BEGINS,
        "openid": openid(hall, merchant, person),
        "send_channel": "BUSICOUPON_SEND_CHANNEL_API",
        "send_merchant": merchant.mchid,
        "send_req_no": "C1",
    }

    hall.jing.clock.advance(seconds=60)
    later = "2026-01-01T08:01:00+08:00"
    taken = {"stock_id": stock, "openid": openid(hall, merchant, person), "wechatpay_use_time": later}
    assert (await use(merchant, "", code, openid=openid(hall, merchant, person))).json == taken
    hall.jing.clock.advance(seconds=60)
    assert (await use(merchant, "", code, openid=openid(hall, merchant, person))).json == taken, "asked again"
    other = await use(merchant, stock, code, "U2")
    assert (other.status, other.code) == (400, "INVALID_REQUEST")
    used = {"coupon_state": "USED", "use_request_no": "U1", "use_time": later}
    assert await shown(hall, merchant, person, code) == held | used
    (mine,) = await person.get("/v1/me/coupons")
    assert (mine["state"], mine["payment_id"]) == ("REDEEMED", "")
    listed = f"{BUSIFAVOR}/users/{openid(hall, merchant, person)}/coupons?appid={merchant.appid}&stock_id={stock}"
    found = (await merchant.get(f"{listed}&coupon_state=USED")).json
    assert found == {"total_count": 1, "offset": 0, "limit": 20, "data": [held | used]}
    assert (await merchant.get(f"{listed}&coupon_state=SENDED")).json["total_count"] == 0


async def test_many_tills_take_a_coupon_at_once_and_one_has_it(hall: Hall, story: Story) -> None:
    merchant, stock, code = story.merchant, story.stock, story.code
    answers = await asyncio.gather(*(use(merchant, stock, code, f"U{number % 4}") for number in range(12)))
    assert [each.status for each in answers].count(200) == 3, "the same number is answered each time"
    assert {each.code for each in answers if each.status != 200} == {"INVALID_REQUEST"}


async def test_no_payment_spends_a_coupon_that_its_merchant_takes(hall: Hall, story: Story) -> None:
    await buy(hall, story.merchant, story.person)
    assert (await story.person.get("/v1/balance"))["balance"] == 10_000 - 2_800
    assert (await shown(hall, story.merchant, story.person, story.code))["coupon_state"] == "SENDED"
    draft = story.merchant.order("T20261122002", 2_500)
    code = (await story.merchant.post("/v3/pay/transactions/native", draft)).json["code_url"]
    (worth,) = await story.person.post("/v1/me/coupons/worth", 200, {"code": code})
    assert (worth["gives"], worth["reason"]) == (0, "COUPON_AT_THE_TILL")


async def test_what_was_taken_comes_back_for_a_day_and_is_taken_again(hall: Hall, story: Story) -> None:
    merchant, stock, code = story.merchant, story.stock, story.code
    assert (await act(merchant, "return", stock, code)).code == "INVALID_REQUEST", "it is not taken"
    assert (await use(merchant, stock, code)).status == 200
    for _ in range(2):
        assert (await act(merchant, "return", stock, code)).json == {"wechatpay_return_time": BEGINS}
    back = await shown(hall, merchant, story.person, code)
    assert (back["coupon_state"], back["return_request_no"], back["return_time"]) == ("SENDED", "A1", BEGINS)
    assert (await use(merchant, stock, code, "U2")).status == 200
    hall.jing.clock.advance(seconds=86_401)
    assert (await act(merchant, "return", stock, code, "A2")).code == "INVALID_REQUEST"


async def test_a_coupon_is_bound_to_one_order(hall: Hall, story: Story) -> None:
    merchant, stock, code = story.merchant, story.stock, story.code
    for _ in range(2):
        bound = await act(merchant, "associate", stock, code, out_trade_no="T1")
        assert bound.json == {"wechatpay_associate_time": BEGINS}
    assert (await shown(hall, merchant, story.person, code))["associate_out_trade_no"] == "T1"
    assert (await act(merchant, "associate", stock, code, "A2", out_trade_no="T2")).code == "INVALID_REQUEST"
    assert (await use(merchant, stock, code, out_trade_no="T2")).code == "INVALID_REQUEST"
    assert (await act(merchant, "disassociate", stock, code, "A3", out_trade_no="T2")).code == "INVALID_REQUEST"
    freed = await act(merchant, "disassociate", stock, code, "A4", out_trade_no="T1")
    assert freed.json == {"wechatpay_disassociate_time": BEGINS}
    assert "associate_out_trade_no" not in await shown(hall, merchant, story.person, code)
    assert (await use(merchant, stock, code, out_trade_no="T2")).status == 200


async def test_who_made_a_coupon_ends_it(hall: Hall, story: Story) -> None:
    merchant, stock, code = story.merchant, story.stock, story.code
    for _ in range(2):
        ended = await act(merchant, "deactivate", stock, code, deactivate_reason="时间设置错误")
        assert ended.json == {"wechatpay_deactivate_time": BEGINS}
    assert (await use(merchant, stock, code)).code == "INVALID_REQUEST"
    over = await shown(hall, merchant, story.person, code)
    assert (
        over["coupon_state"],
        over["deactivate_request_no"],
        over["deactivate_time"],
        over["deactivate_reason"],
    ) == (
        "DEACTIVATED",
        "A1",
        BEGINS,
        "时间设置错误",
    )
    (mine,) = await story.person.get("/v1/me/coupons")
    assert mine["state"] == "EXPIRED"


async def test_a_merchants_own_codes_are_given_with_each_or_brought_beforehand(hall: Hall, story: Story) -> None:
    merchant, person = story.merchant, story.person
    said = await made(merchant, "S2", coupon_code_mode="MERCHANT_API")
    assert (await send(hall, merchant, said, person, "C2")).code == "PARAM_ERROR"
    assert await sent(hall, merchant, said, person, "C2", coupon_code="ABC-1") == "ABC-1"
    assert (await send(hall, merchant, said, person, "C3", coupon_code="ABC-1")).code == "INVALID_REQUEST"
    assert (await use(merchant, "", "ABC-1")).code == "PARAM_ERROR", "whose code it is, its stock says"
    assert (await send(hall, merchant, story.stock, person, "C4", coupon_code="X")).code == "PARAM_ERROR"

    brought = await made(merchant, "S3", coupon_code_mode="MERCHANT_UPLOAD")
    codes = f"{BUSIFAVOR}/stocks/{brought}/couponcodes"
    assert (await send(hall, merchant, brought, person, "C5")).code == "NOT_ENOUGH"
    body = {"coupon_code_list": ["ABC-1", "ABC-2", "ABC-2", "坏"], "upload_request_no": "L1"}
    for _ in range(2):
        loaded = (await merchant.post(codes, body)).json
        assert loaded == {
            "stock_id": brought,
            "total_count": 4,
            "success_count": 2,
            "success_codes": ["ABC-1", "ABC-2"],
            "success_time": BEGINS,
            "fail_count": 1,
            "fail_codes": [
                {
                    "coupon_code": "坏",
                    "code": "PARAM_ERROR",
                    "message": "券code格式错误：仅支持32位以内的数字、字母、-、_",
                }
            ],
            "exist_codes": [],
            "duplicate_codes": ["ABC-2"],
        }
    again = (await merchant.post(codes, body | {"upload_request_no": "L2"})).json
    assert (again["success_count"], again["exist_codes"]) == (0, ["ABC-1", "ABC-2"])
    assert (await merchant.post(codes, body | {"coupon_code_list": ["Z"]})).code == "INVALID_REQUEST"
    assert (await merchant.post(f"{BUSIFAVOR}/stocks/{said}/couponcodes", body)).code == "INVALID_REQUEST"

    got = await sent(hall, merchant, brought, person, "C6")
    (left,) = {"ABC-1", "ABC-2"} - {got}
    listed = (await merchant.get(f"{codes}?appid={merchant.appid}")).json
    assert (listed["total_count"], listed["limit"], listed["offset"]) == (2, 10, 0)
    by_code = {each["code"]: each for each in listed["data"]}
    assert by_code[got] == {
        "code": got,
        "coupon_code": got,
        "code_status": "SENDED",
        "upload_time": BEGINS,
        "dispatched_time": BEGINS,
        "openid": openid(hall, merchant, person),
    }
    assert by_code[left] == {"code": left, "coupon_code": left, "upload_time": BEGINS}
    one = (await merchant.get(f"{codes}/{got}?appid={merchant.appid}")).json
    assert one["code_information"] == by_code[got]
    assert (one["coupon_information"]["stock_name"], one["coupon_information"]["coupon_state"]) == (
        "面馆满20减5",
        "SENDED",
    )
    counted = (await merchant.get(f"{BUSIFAVOR}/stocks/{brought}")).json["coupon_code_count"]
    assert counted == {"total_count": 2, "available_count": 1}
    for _ in range(2):
        deleted = await merchant.call("DELETE", f"{codes}/{left}?delete_request_no=D1")
        assert deleted.json == {"stock_id": brought, "delete_time": BEGINS}
    assert (await merchant.call("DELETE", f"{codes}/{got}?delete_request_no=D2")).code == "INVALID_REQUEST"
    assert (await send(hall, merchant, brought, person, "C7")).code == "NOT_ENOUGH"
    assert (await merchant.get(f"{codes}?status=DELETED")).json["total_count"] == 1


async def test_limits_hold_and_can_be_changed_by_who_knows_what_they_are(hall: Hall, story: Story) -> None:
    merchant, person = story.merchant, story.person
    stock = await made(merchant, "S2", send={"max_coupons": 2, "max_coupons_per_user": 9, "max_coupons_by_day": 1})
    budget = f"{BUSIFAVOR}/stocks/{stock}/budget"
    await sent(hall, merchant, stock, person, "D1")
    assert (await send(hall, merchant, stock, person, "D2")).code == "RULE_LIMIT"
    day = {"target_max_coupons_by_day": 9, "current_max_coupons_by_day": 1, "modify_budget_request_no": "B1"}
    for _ in range(2):
        changed = await merchant.call("PATCH", budget, day)
        assert changed.json == {"max_coupons": 2, "max_coupons_by_day": 9}
    assert (await merchant.call("PATCH", budget, day | {"modify_budget_request_no": "B2"})).code == "INVALID_REQUEST"
    await sent(hall, merchant, stock, person, "D2")
    assert (await send(hall, merchant, stock, person, "D3")).code == "NOT_ENOUGH"
    both = day | {"target_max_coupons": 5, "current_max_coupons": 2, "modify_budget_request_no": "B3"}
    assert (await merchant.call("PATCH", budget, both)).code == "PARAM_ERROR"
    total = {"target_max_coupons": 3, "current_max_coupons": 2, "modify_budget_request_no": "B4"}
    assert (await merchant.call("PATCH", budget, total)).json["max_coupons"] == 3
    less = {"target_max_coupons": 1, "current_max_coupons": 3, "modify_budget_request_no": "B5"}
    assert (await merchant.call("PATCH", budget, less)).code == "INVALID_REQUEST"
    await sent(hall, merchant, stock, person, "D3")
    now = (await merchant.get(f"{BUSIFAVOR}/stocks/{stock}")).json
    assert now["stock_send_rule"] == {
        "max_coupons": 3,
        "max_coupons_per_user": 9,
        "natural_person_limit": False,
        "max_coupons_by_day": 9,
    }
    assert now["send_count_information"] == {
        "total_send_num": 3,
        "total_send_amount": 1_500,
        "today_send_num": 3,
        "today_send_amount": 1_500,
    }


async def test_a_stock_is_shown_otherwise_and_its_people_see_it(hall: Hall, story: Story) -> None:
    merchant, target = story.merchant, f"{BUSIFAVOR}/stocks/{story.stock}"
    change = {
        "out_request_no": "M1",
        "stock_name": "周年满20减5",
        "comment": "周年",
        "display_pattern_info": {"background_color": "Color020"},
    }
    for _ in range(2):
        assert (await merchant.call("PATCH", target, change)).status == 204
    assert (await merchant.call("PATCH", target, change | {"comment": "别的"})).code == "INVALID_REQUEST"
    now = (await merchant.get(target)).json
    assert (now["stock_name"], now["comment"], now["stock_state"]) == ("周年满20减5", "周年", "RUNNING")
    assert now["display_pattern_info"] == {"description": "每单限用一张", "background_color": "Color020"}
    (mine,) = await story.person.get("/v1/me/coupons")
    assert mine["label"] == "周年满20减5"
    hall.jing.clock.advance(seconds=40 * 86_400)
    assert (await merchant.get(target)).json["stock_state"] == "STOPED"
    assert (await merchant.call("PATCH", target, change | {"out_request_no": "M2"})).code == "INVALID_REQUEST"
    assert (await send(hall, merchant, story.stock, story.person, "C9")).code == "INVALID_REQUEST"
    assert (await shown(hall, merchant, story.person, story.code))["coupon_state"] == "EXPIRED"
    assert (await use(merchant, story.stock, story.code)).code == "INVALID_REQUEST"


async def test_the_same_number_is_the_same_stock_and_another_content_is_not(hall: Hall, story: Story) -> None:
    merchant = story.merchant
    assert await made(merchant) == story.stock
    other = await merchant.post(f"{BUSIFAVOR}/stocks", batch(merchant, goods_name="饺子"))
    assert (other.status, other.code) == (400, "INVALID_REQUEST")


async def test_discounts_and_exchanges_are_described_to_whoever_has_them(hall: Hall, story: Story) -> None:
    merchant, person = story.merchant, story.person
    percent = {"discount_coupon": {"discount_percent": 88, "transaction_minimum": 100}}
    swap = {"exchange_coupon": {"exchange_price": 100, "transaction_minimum": 0}}
    stocks = [
        await made(merchant, "S2", stock_type="DISCOUNT", use=percent),
        await made(merchant, "S3", stock_type="EXCHANGE", use=swap),
    ]
    for number, stock in enumerate(stocks):
        await sent(hall, merchant, stock, person, f"P{number}")
    terms = [each["terms"] for each in await person.get("/v1/me/coupons")]
    assert {each["percent_off_bps"] for each in terms} == {0, 1_200}
    assert {(each["item"], each["exchange_price"]) for each in terms} == {("", 0), ("面", 100)}


WRONG: list[tuple[str, Any, str, str]] = [
    ("stock_type", "DISCOUNT", "PARAM_ERROR", "coupon_use_rule/discount_coupon"),
    ("stock_type", "OTHER", "PARAM_ERROR", "stock_type"),
    ("coupon_code_mode", "OTHER", "PARAM_ERROR", "coupon_code_mode"),
    ("belong_merchant", "1900000001", "MCH_NOT_EXISTS", ""),
    ("out_request_no", "", "PARAM_ERROR", "out_request_no"),
    ("notify_config", {"notify_appid": "wx0000000000000000"}, "APPID_MCHID_NOT_MATCH", ""),
    ("use", {"use_method": "MINI_PROGRAMS"}, "PARAM_ERROR", "coupon_use_rule/mini_programs_appid"),
    ("use", {"fixed_normal_coupon": None}, "PARAM_ERROR", "coupon_use_rule/fixed_normal_coupon"),
    ("use", {"coupon_available_time": AT | {"irregulary_avaliable_time": [{}]}}, "INVALID_REQUEST", ""),
    (
        "use",
        {"coupon_available_time": AT | {"available_end_time": BEGINS}},
        "PARAM_ERROR",
        "coupon_use_rule/coupon_available_time/available_end_time",
    ),
    ("send", {"max_coupons": 0}, "PARAM_ERROR", "stock_send_rule/max_coupons"),
    ("send", {"max_coupons_per_user": 101}, "PARAM_ERROR", "stock_send_rule/max_coupons_per_user"),
]


async def test_a_stock_that_makes_no_sense_is_refused_by_name(hall: Hall) -> None:
    for field, value, code, pointer in WRONG:
        answer = await Merchant(hall).post(f"{BUSIFAVOR}/stocks", batch(Merchant(hall), **{field: value}))
        assert (answer.status, answer.code) == (400, code), answer.json
        if pointer:
            assert answer.json["detail"]["field"] == f"/body/{pointer}"


async def test_nobody_sees_or_takes_what_is_another_merchants(hall: Hall, story: Story) -> None:
    stranger = Merchant(hall, await neighbour(hall))
    assert (await use(stranger, "", story.code)).code == "RESOURCE_NOT_EXISTS"
    assert (await use(stranger, story.stock, story.code)).code == "RESOURCE_NOT_EXISTS"
    assert (await stranger.get(f"{BUSIFAVOR}/stocks/{story.stock}")).code == "RESOURCE_NOT_EXISTS"
    for verb in ("return", "deactivate", "associate"):
        answer = await act(stranger, verb, story.stock, story.code, out_trade_no="T1")
        assert answer.code == "RESOURCE_NOT_EXISTS"
    nobody = await send(hall, story.merchant, story.stock, story.person, "C2", openid="o-nobody")
    assert (nobody.status, nobody.code) == (400, "INVALID_REQUEST")
    other = await hall.jing.user("+8613800138001", 0)
    wrong = await use(story.merchant, story.stock, story.code, openid=openid(hall, story.merchant, other))
    assert (wrong.status, wrong.code) == (400, "INVALID_REQUEST")
    assert (await use(story.merchant, story.stock, "1234567890")).code == "RESOURCE_NOT_EXISTS"
