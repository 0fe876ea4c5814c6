"""Coupons by v2, on the stocks that version 3 makes; and who shows a payment code."""

from typing import Any

import pytest

from hutong.gateways.account import Caller
from hutong.gateways.payer import payer_here
from hutong.gateways.vouchers.stock import StockDraft
from hutong.kernel.clock import NS_PER_DAY, NS_PER_MS
from hutong.marketing.coupons.template import ClaimLimits, CouponKind, CouponTerms
from hutong.marketing.coupons.validity import Validity
from tests.gateways.street import Person, Street
from tests.gateways.wechat.v2.shop import V2Shop, open_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def stocked(street: Street, *, begin: bool = True) -> tuple[V2Shop, str]:
    """A merchant that has money and a stock of two coupons of five yuan off twenty, one for each person."""
    shop, rich = await open_shop(street), await street.wei.person()
    native = await shop.order("T-0", 50_000)
    await rich.pay(native["code_url"])
    now_ns = street.wei.world.clock.now_ns()
    until_ns = now_ns + 9 * NS_PER_DAY
    terms = CouponTerms(
        kind=CouponKind.AMOUNT_OFF,
        amount_off=500,
        threshold=2_000,
        validity=Validity(until_ms=until_ns // NS_PER_MS),
        limits=ClaimLimits(per_person=1, per_device=0),
    )
    draft = StockDraft(
        number="S-1",
        dialect="wechatpay-v3",
        name="满20减5",
        terms=terms,
        count=2,
        from_ns=now_ns,
        until_ns=until_ns,
        facts={"description": "每单限用一张"},
    )
    stocks, caller = street.wei.gateways.vouchers.stocks, Caller(shop.account, shop.account)
    stock = await stocks.make(caller, draft)
    if begin:
        await stocks.begin(caller, stock.number)
    return shop, stock.number


def openid(street: Street, shop: V2Shop, person: Person) -> str:
    return street.wei.gateways.orders.payers.openid(shop.appid, payer_here(person.user_id))


def sending(street: Street, shop: V2Shop, stock: str, person: Person, number: str = "C-1") -> dict[str, Any]:
    told = {"coupon_stock_id": stock, "openid_count": 1, "partner_trade_no": number}
    return told | {"openid": openid(street, shop, person)}


async def test_a_coupon_is_sent_once_used_and_told(street: Street) -> None:
    shop, stock = await stocked(street)
    person = await street.wei.person()
    asked = sending(street, shop, stock, person)
    sent, again = [await shop.done("/mmpaymkttransfers/send_coupon", **asked) for _ in range(2)]
    assert (sent["ret_code"], sent["success_count"], sent["failed_count"]) == ("SUCCESS", "1", "0")
    assert again["coupon_id"] == sent["coupon_id"]
    more = await shop.call("/mmpaymkttransfers/send_coupon", **(asked | {"partner_trade_no": "C-2"}))
    assert (more["result_code"], more["err_code"], more["ret_code"]) == ("FAIL", "USER_AL_GET_COUPON", "FAILED")
    other = await street.wei.person()
    wrong = sending(street, shop, stock, other)
    assert (await shop.call("/mmpaymkttransfers/send_coupon", **wrong))["err_code"] == "PARAM_ERROR"

    about = await shop.done("/mmpaymkttransfers/query_coupon_stock", coupon_stock_id=stock)
    told = {name: about[name] for name in ("coupon_value", "coupon_mininumn", "coupon_total", "is_send_num")}
    assert told == {"coupon_value": "500", "coupon_mininumn": "2000", "coupon_total": "2", "is_send_num": "1"}
    assert (about["coupon_stock_status"], about["coupon_budget"], about["max_quota"]) == ("4", "1000", "1")

    which = {"coupon_id": sent["coupon_id"], "openid": openid(street, shop, person), "stock_id": stock}
    held = await shop.done("/mmpaymkttransfers/querycouponsinfo", **which)
    assert (held["coupon_state"], held["coupon_remain_value"]) == ("SENDED", "500")
    native = await shop.order("T-1", 2_800)
    await person.pay(native["code_url"])
    paid = await shop.done("/pay/orderquery", out_trade_no="T-1")
    assert (paid["cash_fee"], paid["coupon_fee"]) == ("2300", "500")
    used = await shop.done("/mmpaymkttransfers/querycouponsinfo", **which)
    assert (used["coupon_state"], used["coupon_use_value"], used["coupon_remain_value"]) == ("USED", "500", "0")


async def test_what_is_not_there_or_not_yet_is_refused_by_its_code(street: Street) -> None:
    shop, stock = await stocked(street, begin=False)
    person = await street.wei.person()
    asked = sending(street, shop, stock, person)
    assert (await shop.call("/mmpaymkttransfers/send_coupon", **asked))["err_code"] == "AL_STOCK_OVER"
    unknown = asked | {"coupon_stock_id": "1999999999999999"}
    assert (await shop.call("/mmpaymkttransfers/send_coupon", **unknown))["err_code"] == "NOT_FOUND"
    nobody = await shop.call("/mmpaymkttransfers/send_coupon", **(asked | {"openid": "o-nobody"}))
    assert (nobody["err_code"], nobody["failed_count"]) == ("OPENID_ERROR", "1")
    stranger = await open_shop(street)
    seen = await stranger.call("/mmpaymkttransfers/query_coupon_stock", coupon_stock_id=stock)
    assert seen["err_code"] == "NOT_FOUND"
    which = {"coupon_id": "1", "openid": openid(street, shop, person), "stock_id": stock}
    assert (await shop.call("/mmpaymkttransfers/querycouponsinfo", **which))["err_code"] == "NOT_FOUND"


async def test_who_shows_a_payment_code_is_told_and_it_is_paid_with_once(street: Street) -> None:
    shop, person = await open_shop(street), await street.wei.person()
    code = await person.payment_code()
    for _ in range(2):
        told = await shop.done("/tools/authcodetoopenid", auth_code=code)
    assert told["openid"] == openid(street, shop, person)
    paid = await shop.done("/pay/micropay", **shop.micropay(code))
    assert paid["openid"] == told["openid"]
    used = await shop.call("/tools/authcodetoopenid", auth_code=code)
    assert used["err_code"] == "AUTH_CODE_INVALID"
    other = await shop.call("/pay/micropay", **shop.micropay(code, "T-2"))
    assert other["err_code"] == "AUTH_CODE_INVALID"
    elsewhere = await (await street.jing.person()).payment_code()
    assert (await shop.call("/tools/authcodetoopenid", auth_code=elsewhere))["err_code"] == "AUTH_CODE_INVALID"
    assert (await shop.done("/pay/micropay", **shop.micropay(elsewhere, "T-3")))["result_code"] == "SUCCESS"


async def test_whoever_guesses_payment_codes_is_told_no_long_before_one_is_right(street: Street) -> None:
    shop = await open_shop(street)
    codes = [await shop.call("/tools/authcodetoopenid", auth_code=f"13{number:016d}") for number in range(120)]
    assert codes[-1]["err_code"] == "AUTH_CODE_ERROR"
    paying = await (await street.wei.person()).payment_code()
    assert (await shop.done("/pay/micropay", **shop.micropay(paying)))["result_code"] == "SUCCESS"
