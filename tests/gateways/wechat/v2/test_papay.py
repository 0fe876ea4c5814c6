"""Entrusted deduction by v2: signed in the wallet, taken, told of, ended."""

import asyncio
from urllib.parse import urlencode

import pytest

from hutong.gateways.wechat.v2.signature import is_signed, sign
from tests.gateways.street import Person, Street
from tests.gateways.wechat.v2.shop import V2Shop, open_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
URL = "https://shop.example/papay"
OFFER = {
    "plan_id": "12535",
    "contract_code": "C-1",
    "request_serial": "1000",
    "contract_display_account": "王小明",
    "notify_url": URL,
    "version": "1.0",
    "timestamp": "1767225600",
    "nonce_str": None,
}
WHICH = {"plan_id": "12535", "contract_code": "C-1", "version": "1.0", "nonce_str": None}


async def signed(street: Street) -> tuple[V2Shop, Person, str]:
    """A merchant, who has signed with it, and the number of what they signed."""
    shop, person = await open_shop(street), await street.wei.person()
    offered = await shop.done("/papay/preentrustweb", **OFFER)
    await person.sign(offered["pre_entrustweb_id"])
    found = await shop.done("/papay/querycontract", **WHICH)
    return shop, person, found["contract_id"]


def take(contract_id: str, number: str = "T-1", total_fee: int = 3_000) -> dict[str, object]:
    return {
        "body": "月费",
        "out_trade_no": number,
        "total_fee": total_fee,
        "spbill_create_ip": "127.0.0.1",
        "notify_url": URL,
        "trade_type": "PAP",
        "contract_id": contract_id,
    }


async def test_what_is_signed_in_the_wallet_is_taken_and_told_of(street: Street) -> None:
    shop, person, contract_id = await signed(street)
    found = await shop.done("/papay/querycontract", contract_id=contract_id, version="1.0", nonce_str=None)
    assert (found["contract_state"], found["contract_code"], found["request_serial"]) == ("0", "C-1", "1000")
    assert (await shop.call("/papay/preentrustweb", **OFFER))["err_code"] == "CONTRACT_EXISTED"
    await shop.done("/pay/pappayapply", **take(contract_id))
    await shop.done("/pay/pappayapply", **take(contract_id))
    paid = await shop.done("/pay/paporderquery", out_trade_no="T-1")
    assert (paid["trade_state"], paid["trade_type"]) == ("SUCCESS", "PAP")
    assert paid["openid"] == found["openid"]
    assert await person.balance() == 1_000_000 - 3_000
    await shop.done("/pay/pappayapply", **take(contract_id, "T-2", 100_000))  # More than a day's limit allows.
    assert (await shop.done("/pay/paporderquery", out_trade_no="T-2"))["trade_state"] == "PAYERROR"
    (_, added), (_, told), (_, failed) = shop.told()
    assert all(is_signed(each, shop.key, shop.sign_type) for each in (added, told, failed))
    assert (added["change_type"], added["contract_id"], added["openid"]) == ("ADD", contract_id, found["openid"])
    assert (told["result_code"], told["contract_id"], told["out_trade_no"]) == ("SUCCESS", contract_id, "T-1")
    assert (failed["result_code"], failed["err_code"], failed["out_trade_no"]) == ("FAIL", "RULELIMIT", "T-2")
    same = await shop.done(
        "/papay/querycontract", plan_id="12535", openid=found["openid"], version="1.0", nonce_str=None
    )
    assert same["contract_id"] == contract_id


async def test_what_is_taken_again_later_or_at_once_is_the_same_and_what_differs_is_told_to_be_paid(
    street: Street,
) -> None:
    """A client writes the time of each call, and where it calls from: neither is of what it takes."""
    shop, person, contract_id = await signed(street)
    calls = [take(contract_id) | {"timestamp": 1767225600 + each, "clientip": f"10.0.0.{each}"} for each in range(4)]
    async with shop.house.slow_disk():
        await asyncio.gather(*(shop.done("/pay/pappayapply", **each) for each in calls[:3]))
    paid = await shop.done("/pay/paporderquery", out_trade_no="T-1")
    await shop.done("/pay/pappayapply", **calls[3])
    assert (await shop.done("/pay/paporderquery", out_trade_no="T-1"))["transaction_id"] == paid["transaction_id"]
    assert (await shop.call("/pay/pappayapply", **take(contract_id, total_fee=3_001)))["err_code"] == "ORDERPAID"
    assert await person.balance() == 1_000_000 - 3_000


async def test_what_has_ended_takes_nothing_more(street: Street) -> None:
    shop, person, contract_id = await signed(street)
    fields = {"contract_id": contract_id, "version": "1.0", "nonce_str": None}
    assert (await shop.call("/papay/deletecontract", **fields))["err_code"] == "LACK_PARAMS"
    await shop.done("/papay/deletecontract", **fields, contract_termination_remark="x")
    found = await shop.done("/papay/querycontract", **fields)
    assert (found["contract_state"], found["contract_termination_mode"]) == ("1", "3")
    assert (await shop.call("/pay/pappayapply", **take(contract_id)))["err_code"] == "CONTRACTERROR"
    assert (await shop.call("/pay/pappayapply", **take("9" * 32)))["err_code"] == "CONTRACT_NOT_EXIST"
    assert await person.balance() == 1_000_000
    assert [told["change_type"] for _, told in shop.told()] == ["ADD", "DELETE"]


async def test_a_browser_is_led_to_where_it_is_signed(street: Street) -> None:
    shop = await open_shop(street)
    told = {name: text for name, text in (shop.names | OFFER).items() if text is not None}
    query = urlencode(told | {"sign": sign(told, shop.key, shop.sign_type)})
    response = await shop.house.client.get(f"/papay/entrustweb?{query}")
    assert response.status_code == 302
    agreement_id = response.headers["location"].rpartition("/")[2]
    shown = await shop.house.said("GET", f"/v1/agreements/offers/{agreement_id}")
    assert (shown["state"], shown["merchant_name"], shown["account_shown"]) == ("OFFERED", "胡同面馆", "王小明")
    response = await shop.house.client.get(f"/papay/entrustweb?{query}0")
    assert "签名错误" in response.text


async def test_a_browser_of_a_telephone_is_led_by_who_says_where_it_is(street: Street) -> None:
    shop = await open_shop(street)
    for where, answer in (({}, "clientip"), ({"clientip": "127.0.0.1"}, "redirect_url")):
        told = {name: text for name, text in (shop.names | OFFER | where).items() if text is not None}
        query = urlencode(told | {"sign": sign(told, shop.key, shop.sign_type)})
        assert answer in (await shop.house.client.get(f"/papay/h5entrustweb?{query}")).text


async def test_who_pays_an_order_is_asked_to_sign_what_came_with_it(street: Street) -> None:
    shop, person = await open_shop(street), await street.wei.person()
    contract = {name: value for name, value in OFFER.items() if name not in {"version", "timestamp", "nonce_str"}}
    fields = contract | {
        "body": "首月会员",
        "out_trade_no": "K-1",
        "total_fee": 1_000,
        "spbill_create_ip": "127.0.0.1",
        "trade_type": "NATIVE",
        "product_id": "1",
        "contract_mchid": shop.names["mch_id"],
        "contract_appid": shop.names["appid"],
        "contract_notify_url": URL,
    }
    wrong = await shop.call("/pay/contractorder", **fields | {"contract_mchid": "1"})
    assert wrong["err_code"] == "PARAM_ERROR"
    placed = await shop.done("/pay/contractorder", **fields)
    assert (placed["contract_result_code"], placed["contract_code"]) == ("SUCCESS", "C-1")
    assert await person.said("GET", "/v1/agreements") == []
    await person.pay(placed["code_url"])

    (asked,) = await person.said("GET", "/v1/agreements")
    assert (asked["state"], asked["account_shown"]) == ("OFFERED", "王小明")
    await person.sign(asked["agreement_id"])
    found = await shop.done("/papay/querycontract", **WHICH)
    assert found["contract_state"] == "0"
    await shop.done("/pay/pappayapply", **take(found["contract_id"], "K-2", 500))
    assert await person.balance() == 1_000_000 - 1_500
    again = await shop.done("/pay/contractorder", **fields | {"out_trade_no": "K-3"})
    assert (again["contract_result_code"], again["contract_err_code"]) == ("FAIL", "CONTRACT_EXISTED")
    assert again["code_url"]
