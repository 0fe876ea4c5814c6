"""A shop on wechatpayv3 (PyPI) and its own coupons: sent, taken, given back, and borne by somebody else."""

import json
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

from story import ACCOUNT, do, number, pay, tell
from wechatpayv3 import WeChatPayType
from wechatpayv3.type import RequestType
from wechatpayv3_shop import appid, callbacks, good, made_for, mchid, refused, shop

OTHER = json.loads((ACCOUNT / "other.json").read_text())["account"]["number"]  # It lets this one act for it.
provider = made_for(partner=True)
NOW = datetime.now(timezone(timedelta(hours=8))).replace(microsecond=0)
AT = {"available_begin_time": NOW.isoformat(), "available_end_time": (NOW + timedelta(days=9)).isoformat()}


def customer() -> str:
    """The openid of somebody of the shop's own institution who bought something."""
    shown = do("payment_code", at="wei")
    bought = shop.pay(
        description="面",
        out_trade_no=number(),
        amount={"total": 50_000},
        payer={"auth_code": shown["payment_code"]},
        scene_info={"device_ip": "127.0.0.1", "store_info": {"id": "0001"}},
        pay_type=WeChatPayType.CODEPAY,
    )
    return str(good(bought)["payer"]["openid"])


def stock(belongs: str = mchid, mode: str = "WECHATPAY_MODE", **more: Any) -> str:
    normal = {"discount_amount": 500, "transaction_minimum": 2_000}
    made = shop.marketing_busifavor_stock_create(
        stock_name="满20减5",
        belong_merchant=belongs,
        goods_name="面",
        stock_type="NORMAL",
        coupon_use_rule={
            "coupon_available_time": AT,
            "fixed_normal_coupon": normal,
            "use_method": "OFF_LINE",
        },
        stock_send_rule={"max_coupons": 10, "max_coupons_per_user": 5},
        out_request_no=number("S"),
        coupon_code_mode=mode,
        **more,
    )
    return str(good(made)["stock_id"])


def send(of: str, openid: str) -> str:
    """The client has no call of its own for it: its own signing does."""
    body = {"openid": openid, "appid": appid, "stock_id": of, "out_request_no": number("C")}
    path = "/v3/marketing/busifavor/coupons/send"
    return str(good(shop._core.request(path, method=RequestType.POST, data=body))["coupon_code"])


def use(code: str, of: str, request: str, openid: str | None = None) -> Any:
    at = datetime.now(timezone(timedelta(hours=8))).isoformat(timespec="seconds")
    return shop.marketing_busifavor_coupon_use(code, at, request, stock_id=of, openid=openid)


def story_of_merchant_coupons() -> None:
    """Told when it is sent; taken once; given back; bound to an order; ended."""
    openid = customer()
    good(shop.marketing_busifavor_callback_update())
    assert good(shop.marketing_busifavor_callback_query())["notify_url"] == callbacks.url
    of = stock()
    code = send(of, openid)
    told = callbacks.next()
    assert (told["event_type"], told["resource"]["coupon_code"]) == ("COUPON.SEND", code), told
    assert told["resource"]["openid"] == openid, told
    detail = good(shop.marketing_busifavor_coupon_detail(code, openid))
    assert (detail["coupon_state"], detail["stock_id"]) == ("SENDED", of), detail
    mine = number()
    good(shop.marketing_busifavor_coupon_associate(of, code, mine, number("A")))
    refused(shop.marketing_busifavor_coupon_associate(of, code, number(), number("A")), 400, "INVALID_REQUEST")
    good(shop.marketing_busifavor_coupon_disassociate(of, code, mine, number("A")))

    first = number("U")
    taken = good(use(code, of, first, openid))
    assert (taken["stock_id"], taken["openid"]) == (of, openid), taken
    refused(use(code, of, number("U")), 400, "INVALID_REQUEST")
    listed = good(shop.marketing_busifavor_user_coupon(openid, stock_id=of, coupon_state="USED"))
    assert [each["use_request_no"] for each in listed["data"]] == [first], listed
    good(shop.marketing_busifavor_coupon_return(code, of, number("B")))
    good(shop.marketing_busifavor_coupon_deactivate(code, of, number("D"), "活动取消"))
    assert good(shop.marketing_busifavor_coupon_detail(code, openid))["coupon_state"] == "DEACTIVATED"
    refused(use(code, of, number("U")), 400, "INVALID_REQUEST")

    good(shop.marketing_busifavor_stock_budget(of, number("M"), target_max_coupons=20, current_max_coupons=10))
    good(shop.marketing_busifavor_stock_modify(of, number("M"), comment="周年"), 204)
    shown = good(shop.marketing_busifavor_stock_query(of))
    assert (shown["stock_send_rule"]["max_coupons"], shown["comment"]) == (20, "周年"), shown
    refused(shop.marketing_busifavor_stock_query("1999999999999999"), 404, "RESOURCE_NOT_EXISTS")

    brought = stock(mode="MERCHANT_UPLOAD")
    codes = [number("K"), number("K")]
    loaded = good(shop.marketing_busifavor_couponcode_upload(brought, number("L"), codes))
    assert loaded["success_codes"] == codes, loaded
    assert send(brought, openid) in codes
    callbacks.next()


def story_of_a_subsidy() -> None:
    """A platform's coupons, taken by a shop that it acts for: it bears what they are worth."""
    openid = customer()
    of = stock(OTHER, subsidy=True)
    code, mine = send(of, openid), number()
    made = provider.pay(description="面", out_trade_no=mine, amount={"total": 2_300}, sub_mchid=OTHER)
    pay(good(made)["code_url"])
    paid = callbacks.next()
    while paid["event_type"] != "TRANSACTION.SUCCESS":  # The other story asked to hear of coupons.
        paid = callbacks.next()
    trade = paid["resource"]["transaction_id"]
    good(use(code, of, number("U")))

    def bear(amount: int, request: str) -> Any:
        return shop.marketing_busifavor_subsidy_pay(of, code, trade, mchid, OTHER, amount, "平台补贴", request)

    request = number("P")
    refused(bear(501, number("P")), 400, "INVALID_REQUEST")
    borne = good(bear(500, request))
    assert (borne["status"], borne["amount"]) == ("SUCCESS", 500), borne
    assert good(bear(500, request)) == borne
    refused(bear(500, number("P")), 400, "INVALID_REQUEST")
    assert good(shop.marketing_busifavor_subsidy_query(borne["subsidy_receipt_id"])) == borne


only = sys.argv[3:]
for story in (story_of_merchant_coupons, story_of_a_subsidy):
    if not only or story.__name__ in only:
        story()
tell(done=True)
