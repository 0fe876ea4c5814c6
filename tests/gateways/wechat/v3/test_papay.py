"""Entrusted deduction through the v3 wire: wechatpay-alipay specification, section 7.4."""

from typing import Any

from hutong.kernel.ids import id_text
from hutong.runtime.shelf import decided
from tests.gateways.hall import Hall, user_id
from tests.gateways.telling import in_order
from tests.gateways.wechat.v3.client import Merchant, neighbour
from tests.gateways.wechat.v3.test_postman import letter, opened
from tests.institution.payments.test_http import Phone

SIGN = "/v3/papay/scheduled-deduct-sign/contracts/pre-entrust-sign"
CONTRACT = "/v3/papay/sign/contracts/plan-id/66/out-contract-code/C1"
TAKE = "/v3/papay/pay/transactions/apply"


def offer(merchant: Merchant, **more: Any) -> dict[str, Any]:
    return {
        "appid": merchant.appid,
        "plan_id": 66,
        "out_contract_code": "C1",
        "contract_display_account": "小明的会员",
        "contract_notify_url": "https://shop.example/signed",
        "out_user_code": "U1",
    } | more


def take(merchant: Merchant, contract_id: str, number: str = "T20261122001", total: int = 1_280) -> dict[str, Any]:
    return {
        "appid": merchant.appid,
        "out_trade_no": number,
        "description": "月费",
        "transaction_notify_url": "https://shop.example/taken",
        "contract_id": contract_id,
        "amount": {"total": total, "currency": "CNY"},
    }


async def sign(hall: Hall, person: Phone) -> None:
    """The person says yes to the one agreement that is offered."""
    agreements, journal = hall.gateways.agreements, hall.jing.node.journal
    (offered,) = agreements.all.everything()
    token = await person.token(id_text("pay", offered.id), offered.day_max, offered.creditor)
    await decided(journal, lambda: agreements.sign(user_id(person), offered.id, token))


async def events(hall: Hall, merchant: Merchant) -> list[tuple[str, dict[str, Any]]]:
    told = [opened(merchant, letter(hall, each)) for each in in_order(hall.gateways.notifications)]
    return [(event["event_type"], resource) for event, resource in told]


async def test_an_agreement_is_signed_taken_under_and_ended(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 1_500)
    for kind, led in (("h5", "redirect_url"), ("jsapi", "redirect_url"), ("app", "pre_entrustweb_id")):
        offered = await merchant.post(f"{SIGN}/{kind}", offer(merchant))
        assert (offered.status, list(offered.json)) == (200, [led])
    assert (await merchant.get(CONTRACT)).code == "RESOURCE_NOT_EXISTS", "nobody has signed it yet"
    await sign(hall, person)

    contract = (await merchant.get(CONTRACT)).json
    assert contract == {
        "appid": merchant.appid,
        "mchid": merchant.mchid,
        "contract_id": contract["contract_id"],
        "plan_id": 66,
        "out_contract_code": "C1",
        "contract_display_account": "小明的会员",
        "contract_state": "SIGNED",
        "contract_signed_time": "2026-01-01T08:00:00+08:00",
        "contract_expired_time": "2099-12-31T23:59:59+08:00",
        "openid": contract["openid"],
        "out_user_code": "U1",
    }
    announced = {"mchid": merchant.mchid, "appid": merchant.appid, "estimated_amount": {"amount": 1_280}}
    assert (await merchant.post(f"/v3/papay/contracts/{contract['contract_id']}/notify", announced)).status == 204

    body = take(merchant, contract["contract_id"])
    for _ in range(2):
        taken = await merchant.post(TAKE, body)
        assert taken.json == {"out_trade_no": "T20261122001", "amount": {"total": 1_280, "currency": "CNY"}}
    assert (await person.get("/v1/balance"))["balance"] == 220
    query = f"/v3/pay/transactions/out-trade-no/T20261122001?mchid={merchant.mchid}"
    paid = (await merchant.get(query)).json
    assert (paid["trade_state"], paid["trade_type"]) == ("SUCCESS", "PAP")
    assert paid["payer"]["openid"] == contract["openid"]
    assert (await merchant.post(TAKE, take(merchant, contract["contract_id"], "T20261122002"))).status == 200

    ended = await merchant.post(f"{CONTRACT}/terminate", {"contract_termination_remark": "不再使用"})
    assert (ended.status, ended.json["contract_state"]) == (200, "TERMINATED")
    assert ended.json["contract_terminate_info"]["contract_termination_mode"] == "MCH_API_TERMINATE"
    assert (await merchant.post(TAKE, take(merchant, contract["contract_id"], "T20261122003"))).status == 400
    told = await events(hall, merchant)
    assert [event for event, _ in told] == [
        "PAPAY.SIGN",
        "TRANSACTION.SUCCESS",
        "TRANSACTION.FAIL",
        "PAPAY.TERMINATE",
    ]
    assert told[0][1] == contract, "what was signed is told as it was signed"
    assert (told[1][1], told[2][1]["trade_state"]) == (paid, "PAY_FAIL")
    assert told[3][1]["contract_state"] == "TERMINATED"


async def test_what_cannot_be_taken_is_refused(hall: Hall) -> None:
    merchant = Merchant(hall)
    table: list[tuple[str, dict[str, Any], int, str]] = [
        (f"{SIGN}/h5", offer(merchant, contract_notify_url="x"), 400, "PARAM_ERROR"),
        (f"{SIGN}/h5", offer(merchant, plan_id="66"), 400, "PARAM_ERROR"),
        (f"{SIGN}/h5", offer(merchant, appid="wx1"), 400, "APPID_MCHID_NOT_MATCH"),
        (TAKE, take(merchant, "20"), 404, "RESOURCE_NOT_EXISTS"),
        (TAKE, take(merchant, "20", total=0), 400, "PARAM_ERROR"),
        (f"{CONTRACT}/terminate", {"contract_termination_remark": "x"}, 404, "RESOURCE_NOT_EXISTS"),
    ]
    for path, body, status, code in table:
        answer = await merchant.post(path, body)
        assert (answer.status, answer.code) == (status, code), body


async def test_a_service_provider_takes_for_its_merchant(hall: Hall) -> None:
    provider, person = Merchant(hall), await hall.jing.user("+8613800138000", 5_000)
    merchant = await neighbour(hall, provider.mchid)
    sub = {"sp_appid": provider.appid, "sub_mchid": merchant.row.number}
    body = {name: value for name, value in offer(provider).items() if name != "appid"} | sub
    signing = "/v3/papay/scheduled-deduct-sign/partner/contracts/pre-entrust-sign/mini-program"
    assert (await provider.post(signing, body)).status == 200
    await sign(hall, person)

    contract = "/v3/papay/sign/partner/contracts/plan-id/66/out-contract-code/C1"
    told = (await provider.get(f"{contract}?sub_mchid={merchant.row.number}")).json
    assert (told["sp_mchid"], told["sub_mchid"]) == (provider.mchid, merchant.row.number)
    asked = {name: value for name, value in take(provider, told["contract_id"]).items() if name != "appid"} | sub
    assert (await provider.post("/v3/papay/pay/partner/transactions/apply", asked)).status == 200
    assert (await person.get("/v1/balance"))["balance"] == 3_720


async def test_a_browser_goes_back_to_where_the_merchant_said(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 0)
    offered = await merchant.post(f"{SIGN}/h5", offer(merchant, return_url="https://shop.example/back?a=1&b=2"))
    path = offered.json["redirect_url"].removeprefix("https://jing.example")
    assert "shop.example" not in (await hall.http.get(path)).text

    await sign(hall, person)

    assert 'href="https://shop.example/back?a=1&amp;b=2"' in (await hall.http.get(path)).text


def planned(merchant: Merchant, day: str = "2026-01-05", total: int = 1_500) -> dict[str, Any]:
    """An offer that says on which day something is taken, and how much it may be."""
    schedule = {"estimated_deduct_date": day, "estimated_deduct_amount": {"total": total}, "description": "年费"}
    return offer(merchant, deduct_schedule=schedule)


async def test_what_was_agreed_for_a_day_is_scheduled_and_taken_once(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 5_000)
    link = (await merchant.post(f"{SIGN}/h5", planned(merchant))).json["redirect_url"]
    page = (await hall.http.get(link.removeprefix("https://jing.example"))).text
    assert "年费：2026-01-05起预计扣款一次，至多¥15.00" in page, "the person reads it before they sign"
    await sign(hall, person)
    contract_id = (await merchant.get(CONTRACT)).json["contract_id"]
    path = f"/v3/papay/pay/schedules/contract-id/{contract_id}"
    assert (await merchant.get(path)).json == {"schedule_state": "NO_SCHEDULED"}
    refused = await merchant.post(TAKE, take(merchant, contract_id))
    assert (refused.status, refused.code) == (403, "RULE_LIMIT"), "what is not scheduled is not taken"

    def amount(total: int) -> dict[str, Any]:
        return {"appid": merchant.appid, "schedule_amount": {"total": total, "currency": "CNY"}}

    assert (await merchant.post(f"{path}/schedule", amount(1_501))).code == "RULE_LIMIT"
    scheduled = {
        "schedule_state": "SCHEDULED",
        "deduct_start_date": "2026-01-05",
        "deduct_end_date": "2026-01-11",
        "scheduled_amount": {"total": 1_280, "currency": "CNY"},
    }
    for _ in range(2):
        assert (await merchant.post(f"{path}/schedule", amount(1_280))).json == scheduled
    assert (await merchant.post(f"{path}/schedule", amount(1_279))).code == "INVALID_REQUEST"
    assert (await merchant.post(TAKE, take(merchant, contract_id))).code == "RULE_LIMIT", "its day has not come"

    hall.jing.clock.advance(seconds=4 * 86_400)
    assert (await merchant.post(TAKE, take(merchant, contract_id, total=1_281))).code == "RULE_LIMIT"
    for _ in range(2):
        assert (await merchant.post(TAKE, take(merchant, contract_id))).status == 200
    assert (await person.get("/v1/balance"))["balance"] == 3_720
    assert (await merchant.post(TAKE, take(merchant, contract_id, "T20261122002"))).code == "RULE_LIMIT", "once"
    paid = scheduled | {
        "schedule_state": "PAID",
        "deduct_amount": {"total": 1_280, "currency": "CNY"},
        "deduct_date": "2026-01-05",
    }
    assert (await merchant.get(path)).json == paid
    told = (await merchant.get(CONTRACT)).json["deduct_schedule"]
    assert (told["schedule_state"], told["deduct_date"]) == ("PAID", "2026-01-05")
    assert told["estimated_deduct_amount"] == {"total": 1_500, "currency": "CNY"}


async def test_a_day_that_went_by_is_over(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 0)
    await merchant.post(f"{SIGN}/h5", planned(merchant))
    await sign(hall, person)
    contract_id = (await merchant.get(CONTRACT)).json["contract_id"]
    path = f"/v3/papay/pay/schedules/contract-id/{contract_id}"
    body = {"appid": merchant.appid, "schedule_amount": {"total": 100}}
    hall.jing.clock.advance(seconds=9 * 86_400)
    assert (await merchant.post(f"{path}/schedule", body)).json["deduct_start_date"] == "2026-01-11", "a day's notice"
    assert (await merchant.post(TAKE, take(merchant, contract_id, total=100))).code == "RULE_LIMIT"
    hall.jing.clock.advance(seconds=1 * 86_400)
    assert (await merchant.post(TAKE, take(merchant, contract_id, total=100))).status == 200
    assert (await merchant.get(path)).json["schedule_state"] == "SCHEDULED", "there was no money: it may be tried again"
    hall.jing.clock.advance(seconds=1 * 86_400)
    assert (await merchant.get(path)).json["schedule_state"] == "EXPIRED"
    assert (await merchant.post(TAKE, take(merchant, contract_id, "T20261122002", 100))).code == "RULE_LIMIT"


async def test_a_day_must_be_one_that_comes_and_an_agreement_made_for_one(hall: Hall) -> None:
    merchant, person = Merchant(hall), await hall.jing.user("+8613800138000", 0)
    for day in ("2025-12-31", "20260105", "soon", "2026-02-30"):
        assert (await merchant.post(f"{SIGN}/h5", planned(merchant, day))).code == "PARAM_ERROR", day
    assert (await merchant.post(f"{SIGN}/h5", planned(merchant, total=9_999_999))).status == 400
    await merchant.post(f"{SIGN}/h5", offer(merchant))
    await sign(hall, person)
    path = f"/v3/papay/pay/schedules/contract-id/{(await merchant.get(CONTRACT)).json['contract_id']}"
    assert (await merchant.get(path)).code == "RESOURCE_NOT_EXISTS"
    assert (await merchant.get("/v3/papay/pay/schedules/contract-id/20")).code == "RESOURCE_NOT_EXISTS"
