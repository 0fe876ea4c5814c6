"""Orders by v2: whoever scans pays them, at another institution too, and what is told of them is what happened."""

import asyncio
from typing import Any

import pytest

from hutong.gateways.wechat.v2.moment import wire_time
from hutong.gateways.wechat.v2.signature import SignType, is_signed
from hutong.kernel.clock import NS_PER_S
from tests.gateways.street import Street
from tests.gateways.wechat.v2.shop import NOTIFY_URL, V2Shop, open_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
PIN_FREE = 100_000


@pytest.mark.parametrize("sign_type", SignType)
async def test_an_order_is_placed_scanned_elsewhere_found_paid_and_told_of(street: Street, sign_type: SignType) -> None:
    shop, payer = await open_shop(street, sign_type), await street.jing.person()
    placed = await shop.order(attach="table 4", device_info="till-1")
    assert (placed["trade_type"], placed["appid"], placed["device_info"]) == ("NATIVE", shop.appid, "till-1")
    assert len(placed["prepay_id"]) <= 64
    found = await shop.done("/pay/orderquery", out_trade_no="T-1")
    assert (found["trade_state"], found["attach"], found["total_fee"]) == ("NOTPAY", "table 4", "1200")
    assert "transaction_id" not in found

    assert (await payer.pay(placed["code_url"]))["state"] == "COMPLETED"
    found = await shop.done("/pay/orderquery", out_trade_no="T-1")
    paid = {
        "trade_type": "NATIVE",
        "total_fee": "1200",
        "cash_fee": "1200",
        "fee_type": "CNY",
        "out_trade_no": "T-1",
        "attach": "table 4",
        "device_info": "till-1",
        "is_subscribe": "N",
        "time_end": wire_time(street.clock.now_ns()),
    }
    assert found | paid | {"trade_state": "SUCCESS"} == found
    by_ours = await shop.done("/pay/orderquery", transaction_id=found["transaction_id"])
    assert by_ours | {"nonce_str": "", "sign": ""} == found | {"nonce_str": "", "sign": ""}
    assert await payer.balance() == 1_000_000 - 1_200
    assert await shop.house.merchant_balance(shop.owner) == 1_200 - 7

    ((url, told),) = shop.told()
    assert url == NOTIFY_URL
    assert is_signed(told, shop.key, sign_type)
    same = {name: found[name] for name in ("openid", "transaction_id", "bank_type", "appid", "mch_id")}
    assert told | paid | same | {"return_code": "SUCCESS", "result_code": "SUCCESS"} == told


async def test_an_order_asked_for_again_is_the_same_and_otherwise_refused(street: Street) -> None:
    shop, payer = await open_shop(street), await street.jing.person()
    placed = await shop.order(time_expire=wire_time(street.clock.now_ns() + 600 * NS_PER_S))
    again = await shop.order(time_expire=wire_time(street.clock.now_ns() + 900 * NS_PER_S), nonce_str="other")
    assert (again["code_url"], again["prepay_id"]) == (placed["code_url"], placed["prepay_id"])
    fields = {"body": "牛肉面", "out_trade_no": "T-1", "spbill_create_ip": "127.0.0.1", "notify_url": NOTIFY_URL}
    fields |= {"trade_type": "NATIVE", "product_id": "noodles"}
    assert (await shop.call("/pay/unifiedorder", total_fee=1, **fields))["err_code"] == "OUT_TRADE_NO_USED"
    await payer.pay(placed["code_url"])
    assert (await shop.call("/pay/unifiedorder", total_fee=1_200, **fields))["err_code"] == "ORDERPAID"
    assert (await shop.call("/pay/closeorder", out_trade_no="T-1"))["err_code"] == "ORDERPAID"


async def test_what_is_closed_can_be_paid_no_more_and_nothing_is_told(street: Street) -> None:
    shop, payer = await open_shop(street), await street.jing.person()
    placed = await shop.order()
    await shop.done("/pay/closeorder", out_trade_no="T-1")
    await shop.done("/pay/closeorder", out_trade_no="T-1")
    assert await shop.state() == "CLOSED"
    with pytest.raises(AssertionError, match="REQUEST_CANCELLED"):
        await payer.pay(placed["code_url"])
    assert shop.told() == []
    assert (await shop.call("/pay/closeorder", out_trade_no="T-2"))["err_code"] == "ORDERNOTEXIST"


async def test_an_order_closes_by_itself(street: Street) -> None:
    shop = await open_shop(street)
    await shop.order(time_expire=wire_time(street.clock.now_ns() + 61 * NS_PER_S))
    street.clock.advance(seconds=60)
    assert await shop.state() == "NOTPAY"
    street.clock.advance(seconds=2)
    assert await shop.state() == "CLOSED"


@pytest.mark.parametrize(
    ("trade_type", "fields", "led"),
    [("JSAPI", {"openid": "o1"}, None), ("APP", {}, None), ("MWEB", {"scene_info": "{}"}, "mweb_url")],
)
async def test_an_order_for_a_page_or_an_app_leads_to_the_wallet(
    street: Street, trade_type: str, fields: dict[str, Any], led: str | None
) -> None:
    shop = await open_shop(street)
    placed = await shop.order(trade_type=trade_type, **fields)
    assert placed["prepay_id"].startswith("wx")
    assert ("mweb_url" in placed, "code_url" in placed) == (led == "mweb_url", False)


async def test_a_payers_code_pays_at_once(street: Street) -> None:
    shop, payer = await open_shop(street), await street.jing.person()
    code = await payer.payment_code()
    paid = await shop.done("/pay/micropay", **shop.micropay(code), attach="x")
    assert (paid["trade_type"], paid["total_fee"], paid["attach"]) == ("MICROPAY", "1200", "x")
    again = await shop.done("/pay/micropay", **shop.micropay(code), attach="x")
    assert again["transaction_id"] == paid["transaction_id"]
    used = await shop.call("/pay/micropay", **shop.micropay(code, "T-2"))
    assert (await shop.call("/pay/micropay", **shop.micropay(code, "T-3"), deposit="Y"))["err_code"] == "NOAUTH"
    assert (used["err_code"], used["err_code_des"]) == ("AUTH_CODE_INVALID", "101 每个二维码仅限使用一次，请刷新再试")
    assert await payer.balance() == 1_000_000 - 1_200
    assert shop.told() == []  # It has asked, and was told.


async def test_the_same_code_scanned_twice_at_once_pays_once_and_is_answered_twice(street: Street) -> None:
    shop, payer = await open_shop(street), await street.jing.person()
    fields = shop.micropay(await payer.payment_code())
    # A till that asks again says anew when it is, and from where.
    calls = [fields | {"time_start": f"2026010108000{each}", "spbill_create_ip": f"10.0.0.{each}"} for each in range(3)]
    async with shop.house.slow_disk():
        paid = await asyncio.gather(*(shop.done("/pay/micropay", **each) for each in calls))
    assert len({said["transaction_id"] for said in paid}) == 1
    assert (await shop.call("/pay/micropay", **fields | {"total_fee": 1_201}))["err_code"] == "ORDERPAID"
    assert await payer.balance() == 1_000_000 - 1_200


async def test_a_payer_is_asked_for_the_pin_and_says_yes(street: Street) -> None:
    shop, payer = await open_shop(street), await street.jing.person()
    fields = shop.micropay(await payer.payment_code(), total_fee=PIN_FREE + 1)
    said = await shop.call("/pay/micropay", **fields)
    assert (said["result_code"], said["err_code"]) == ("FAIL", "USERPAYING")
    assert await shop.state() == "USERPAYING"
    await payer.approve()
    assert await shop.state() == "SUCCESS"


async def test_a_payer_is_asked_for_the_pin_and_says_no(street: Street) -> None:
    shop, payer = await open_shop(street), await street.jing.person()
    await shop.call("/pay/micropay", **shop.micropay(await payer.payment_code(), total_fee=PIN_FREE + 1))
    await payer.decline()
    assert await shop.state() == "PAYERROR"


async def test_what_waits_for_a_pin_is_reversed_and_can_be_paid_no_more(street: Street) -> None:
    shop, payer = await open_shop(street), await street.jing.person()
    await shop.call("/pay/micropay", **shop.micropay(await payer.payment_code(), total_fee=PIN_FREE + 1))
    for _ in range(2):
        assert (await shop.done("/secapi/pay/reverse", out_trade_no="T-1"))["recall"] == "N"
    assert await shop.state() == "REVOKED"
    with pytest.raises(AssertionError, match="CANCELLED"):
        await payer.approve()
    assert await payer.balance() == 1_000_000


async def test_what_was_paid_is_reversed_and_all_of_it_comes_back(street: Street) -> None:
    shop, payer = await open_shop(street), await street.jing.person()
    paid = await shop.done("/pay/micropay", **shop.micropay(await payer.payment_code()))
    both = await asyncio.gather(
        *(shop.done("/secapi/pay/reverse", transaction_id=paid["transaction_id"]) for _ in range(2))
    )
    assert [said["recall"] for said in both] == ["N", "N"]
    assert await shop.state() == "REVOKED"
    assert await payer.balance() == 1_000_000
    assert await shop.house.merchant_balance(shop.owner) == 0
    assert (await shop.call("/secapi/pay/reverse", out_trade_no="T-9"))["err_code"] == "ORDERNOTEXIST"


async def test_another_merchants_order_is_unknown(street: Street) -> None:
    shop, other, payer = await open_shop(street), await open_shop(street), await street.jing.person()
    paid = await shop.done("/pay/micropay", **shop.micropay(await payer.payment_code()))
    for fields in ({"out_trade_no": "T-1"}, {"transaction_id": paid["transaction_id"]}):
        assert (await other.call("/pay/orderquery", **fields))["err_code"] == "ORDERNOTEXIST"
        assert (await other.call("/secapi/pay/reverse", **fields))["err_code"] == "ORDERNOTEXIST"


async def test_a_payer_is_the_same_to_one_application_and_a_stranger_to_another(street: Street) -> None:
    shop, other, payer = await open_shop(street), await open_shop(street), await street.jing.person()
    seen = []
    for where, number in ((shop, "T-1"), (shop, "T-2"), (other, "T-1")):
        street.clock.advance(seconds=60)
        paid = await where.done("/pay/micropay", **where.micropay(await payer.payment_code(), number))
        seen.append(paid["openid"])
    assert seen[0] == seen[1] != seen[2]


async def test_a_service_provider_acts_for_a_merchant_of_its_own_and_for_no_other(street: Street) -> None:
    provider, payer = await open_shop(street), await street.jing.person()
    owner = await street.wei.merchant()
    sub = await street.wei.account(owner, partners=(provider.account.row.number,))
    stranger = await open_shop(street)
    placed = await provider.order(sub_mch_id=sub.row.number)
    assert placed["sub_mch_id"] == sub.row.number
    await payer.pay(placed["code_url"])
    found = await provider.done("/pay/orderquery", out_trade_no="T-1", sub_mch_id=sub.row.number)
    assert (found["trade_state"], found["sub_mch_id"]) == ("SUCCESS", sub.row.number)
    assert await street.wei.merchant_balance(owner) == 1_200 - 7
    assert await street.wei.merchant_balance(provider.owner) == 0
    ((_, told),) = provider.told()
    assert (told["mch_id"], told["sub_mch_id"]) == (provider.account.row.number, sub.row.number)
    refused = await provider.call("/pay/orderquery", out_trade_no="T-1", sub_mch_id=stranger.account.row.number)
    assert refused["err_code"] == "NOAUTH"
    refused = await provider.call("/pay/orderquery", out_trade_no="T-1", sub_mch_id="1")
    assert refused["err_code"] == "MCHID_NOT_EXIST"


async def test_below_the_sandbox_another_key_signs_the_same(street: Street) -> None:
    shop, payer = await open_shop(street), await street.jing.person()
    body = shop.body({"appid": None})
    told = await shop.post("/sandboxnew/pay/getsignkey", body)
    sandbox = V2Shop(shop.house, shop.owner, shop.account, shop.sign_type)
    sandbox.key = told["sandbox_signkey"]
    fields = sandbox.micropay(await payer.payment_code())
    assert (await sandbox.post("/pay/micropay", sandbox.body(fields)))["return_msg"] == "签名错误"
    paid = await sandbox.done("/sandboxnew/pay/micropay", **fields)
    found = await sandbox.done("/sandboxnew/pay/orderquery", out_trade_no="T-1")
    assert found["transaction_id"] == paid["transaction_id"]
    placed = await sandbox.post("/sandboxnew/pay/unifiedorder", sandbox.body({**fields, "out_trade_no": "T-2"}))
    assert placed["err_code"] == "LACK_PARAMS"
