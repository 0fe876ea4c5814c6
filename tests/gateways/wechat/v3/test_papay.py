"""Entrusted deduction through the v3 wire: wechatpay-alipay specification, section 7.4."""

from typing import Any

from hutong.kernel.ids import id_text
from hutong.runtime.shelf import decided
from tests.gateways.hall import Hall, user_id
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
    told = [opened(merchant, letter(hall, each)) for each in hall.gateways.notifications.all.everything()]
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
