"""A shop on wechatpayv3 (PyPI): the whole of P0, as its manual writes it."""

import json
import sys
from typing import Any

from story import ACCOUNT, BASE_URL, MADE, Callbacks, do, eventually, number, pay, payment_code, race, tell
from wechatpayv3 import WeChatPay, WeChatPayType

mode = sys.argv[3] if len(sys.argv) > 3 else "key"
account, secrets, platform = MADE["account"], MADE["secrets"], MADE["platform"]


def accept(headers: dict[str, str], body: bytes) -> tuple[Any, int, bytes]:
    """As the manual: verify and decrypt, else refuse."""
    told = shop.callback(headers, body)
    if not told:
        return None, 500, b'{"code":"FAIL","message":"signature"}'
    return told, 200, b'{"code":"SUCCESS","message":"OK"}'


callbacks = Callbacks(accept)
trust = {"public_key": platform["public_key"], "public_key_id": platform["public_key_id"]} if mode == "key" else {}
if BASE_URL and mode != "key":
    import wechatpayv3.core

    class Core(wechatpayv3.core.Core):
        """It downloads certificates while it is made: the address must be there before."""

        _gate_way = property(lambda _: BASE_URL, lambda *_: None)

    wechatpayv3.core.Core = Core
shop = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE,
    mchid=account["number"],
    private_key=(ACCOUNT / "apiclient_key.pem").read_text(),
    cert_serial_no=account["keys"][-1]["serial"],
    appid=account["appids"][0],
    apiv3_key=secrets["api_v3_key"],
    notify_url=callbacks.url,
    **trust,
)
if BASE_URL:
    shop._core._gate_way = BASE_URL


def good(answer: tuple[int, str], status: int = 200) -> Any:
    """The body of an answer that must have this status."""
    code, body = answer
    assert code == status, answer
    return json.loads(body) if body else {}


def refused(answer: tuple[int, str], status: int, code: str) -> Any:
    told = good(answer, status)
    assert told["code"] == code, told
    return told


def native(out_trade_no: str, total: int = 1250, **more: Any) -> tuple[int, str]:
    return shop.pay(
        description="两碗炸酱面",
        out_trade_no=out_trade_no,
        amount={"total": total, "currency": "CNY"},
        attach="桌七",
        **more,
    )


def story_of_an_order() -> None:
    """Asked for, scanned at another institution, told, queried, given back in parts."""
    mine = number()
    code_url = good(native(mine))["code_url"]
    assert good(native(mine))["code_url"] == code_url
    refused(native(mine, 1300), 403, "OUT_TRADE_NO_USED")
    asked = good(shop.query(out_trade_no=mine))
    assert asked["trade_state"] == "NOTPAY", asked
    pay(code_url)
    told = callbacks.next()
    assert told["event_type"] == "TRANSACTION.SUCCESS", told
    paid = told["resource"]
    assert (paid["out_trade_no"], paid["attach"], paid["amount"]["total"]) == (mine, "桌七", 1250), paid
    assert paid["trade_state"] == "SUCCESS", paid
    for found in (shop.query(out_trade_no=mine), shop.query(transaction_id=paid["transaction_id"])):
        queried = good(found)
        assert queried["trade_state"] == "SUCCESS", queried
        assert queried["payer"]["openid"] == paid["payer"]["openid"], queried
        assert queried["trade_type"] == "NATIVE", queried
    refused(native(mine), 400, "ORDERPAID")
    refused(shop.close(mine), 400, "ORDERPAID")
    story_of_refunds(mine, paid["transaction_id"])


def story_of_refunds(mine: str, transaction_id: str) -> None:
    first, second = number("R"), number("R")
    refund = lambda out, part, **by: shop.refund(  # noqa: E731
        out_refund_no=out,
        amount={"refund": part, "total": 1250, "currency": "CNY"},
        reason="少一碗",
        notify_url=callbacks.url,
        **by,
    )
    begun = good(refund(first, 500, out_trade_no=mine))
    assert begun["status"] in {"PROCESSING", "SUCCESS"}, begun
    told = callbacks.next()
    assert told["event_type"] == "REFUND.SUCCESS", told
    assert told["resource"]["refund_status"] == "SUCCESS", told
    assert told["resource"]["amount"]["refund"] == 500, told
    assert good(refund(first, 500, out_trade_no=mine))["refund_id"] == begun["refund_id"]
    refused(refund(number("R"), 751, transaction_id=transaction_id), 400, "INVALID_REQUEST")
    good(refund(second, 750, transaction_id=transaction_id))
    assert callbacks.next()["resource"]["out_refund_no"] == second
    queried = good(shop.query_refund(second))
    assert (queried["status"], queried["amount"]["refund"]) == ("SUCCESS", 750), queried
    refused(shop.query_refund(number("R")), 404, "RESOURCE_NOT_EXISTS")
    assert good(shop.query(out_trade_no=mine))["trade_state"] == "REFUND"


def story_of_closing() -> None:
    mine = number()
    code_url = good(native(mine))["code_url"]
    assert good(shop.close(mine), 204) == {}
    assert good(shop.close(mine), 204) == {}
    assert good(shop.query(out_trade_no=mine))["trade_state"] == "CLOSED"
    refused(native(mine), 400, "ORDER_CLOSED")
    assert "refused" in do("pay", code=code_url), "nobody pays what was closed"
    refused(shop.close(number()), 404, "ORDER_NOT_EXIST")
    refused(shop.query(out_trade_no=number()), 404, "ORDER_NOT_EXIST")


def story_of_a_race() -> None:
    """The shop closes what somebody is just paying: one of the two wins, and all say which."""
    mine = number()
    code_url = good(native(mine))["code_url"]
    paid = race(code_url, lambda: shop.close(mine)[0] == 204)
    assert good(shop.query(out_trade_no=mine))["trade_state"] == ("SUCCESS" if paid else "CLOSED")
    if paid:
        assert callbacks.next()["resource"]["out_trade_no"] == mine


def story_of_payment_codes() -> None:
    def collect(out_trade_no: str, code: str, total: int) -> tuple[int, str]:
        return shop.pay(
            description="牛肉面",
            out_trade_no=out_trade_no,
            amount={"total": total},
            payer={"auth_code": code},
            scene_info={"device_ip": "127.0.0.1", "store_info": {"id": "0001"}},
            pay_type=WeChatPayType.CODEPAY,
        )

    mine, shown = number(), do("payment_code")
    paid = good(collect(mine, shown["payment_code"], 800))
    assert (paid["trade_state"], paid["trade_type"]) == ("SUCCESS", "MICROPAY"), paid
    # A payer of the very institution, whose codes begin as shops expect.
    assert good(collect(number(), payment_code("wei"), 800))["trade_state"] == "SUCCESS"
    refused(collect(number(), "1", 100), 400, "AUTH_CODE_INVALID")
    refused(collect(number(), "310000000000000000", 100), 400, "AUTH_CODE_INVALID")
    # Dear: the wallet asks for the password.
    dear = number()
    assert good(collect(dear, payment_code(), 150_000), 202)["trade_state"] == "USERPAYING"
    assert good(shop.query(out_trade_no=dear))["trade_state"] == "USERPAYING"
    assert do("answer")["state"] == "COMPLETED"
    assert good(shop.query(out_trade_no=dear))["trade_state"] == "SUCCESS"
    # Dear, and the shop gives up.
    given_up = number()
    assert good(collect(given_up, payment_code(), 150_000), 202)["trade_state"] == "USERPAYING"
    assert good(shop.codepay_reverse(given_up))["out_trade_no"] == given_up
    assert good(shop.query(out_trade_no=given_up))["trade_state"] == "REVOKED"
    # Paid, and taken back.
    before = do("balance", payer=shown["payer"])["balance"]
    assert good(shop.codepay_reverse(mine))["out_trade_no"] == mine
    assert good(shop.query(out_trade_no=mine))["trade_state"] == "REVOKED"
    eventually(lambda: do("balance", payer=shown["payer"])["balance"], before + 800)


def story_of_other_ways_in() -> None:
    for pay_type, scene, key in (
        (WeChatPayType.APP, None, "prepay_id"),
        (WeChatPayType.H5, {"payer_client_ip": "127.0.0.1", "h5_info": {"type": "Wap"}}, "h5_url"),
    ):
        found = good(native(number(), pay_type=pay_type, scene_info=scene))
        assert found[key], found
    found = good(native(number(), pay_type=WeChatPayType.JSAPI, payer={"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}))
    assert len(found["prepay_id"]) <= 64, found


story_of_an_order()
story_of_closing()
story_of_a_race()
story_of_payment_codes()
story_of_other_ways_in()
tell(done=True)
