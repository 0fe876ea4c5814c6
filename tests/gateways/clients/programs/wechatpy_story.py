"""A shop on wechatpy (PyPI): WeChat Pay's API of version 2."""

from story import ACCOUNT, do, number, pay, payment_code, race, tell
from wechatpy.exceptions import WeChatPayException
from wechatpy_shop import LOCAL, callbacks, collect, native, refused, shop


def story_of_an_order() -> None:
    mine = number()
    code_url = native(mine)["code_url"]
    assert native(mine)["code_url"] == code_url
    refused("OUT_TRADE_NO_USED", native, mine, 1300)
    assert shop.order.query(out_trade_no=mine)["trade_state"] == "NOTPAY"
    pay(code_url)
    told = callbacks.next()
    assert (told["out_trade_no"], told["total_fee"], told["attach"]) == (mine, 1250, "桌七"), told
    paid = shop.order.query(out_trade_no=mine)
    assert paid["trade_state"] == "SUCCESS", paid
    assert shop.order.query(transaction_id=paid["transaction_id"])["out_trade_no"] == mine
    refused("ORDERPAID", native, mine)
    refused("ORDERPAID", shop.order.close, mine)
    first = number("R")
    begun = shop.refund.apply(1250, 500, first, out_trade_no=mine, notify_url=callbacks.url)
    assert begun["refund_fee"] == "500", begun
    told = callbacks.next()
    assert (told["out_refund_no"], told["refund_status"]) == (first, "SUCCESS"), told
    found = shop.refund.query(out_refund_no=first)
    assert (found["refund_status_0"], found["refund_fee_0"]) == ("SUCCESS", "500"), found
    assert shop.refund.apply(1250, 500, first, out_trade_no=mine)["refund_id"] == begun["refund_id"]
    shop.refund.apply(1250, 750, number("R"), transaction_id=paid["transaction_id"])
    assert shop.order.query(out_trade_no=mine)["trade_state"] == "REFUND"


def story_of_closing() -> None:
    mine = number()
    code_url = native(mine)["code_url"]
    shop.order.close(mine)
    assert shop.order.query(out_trade_no=mine)["trade_state"] == "CLOSED"
    refused("ORDERCLOSED", native, mine)
    assert "refused" in do("pay", code=code_url)
    refused("ORDERNOTEXIST", shop.order.query, out_trade_no=number())


def story_of_a_race() -> None:
    mine = number()

    def close() -> bool:
        try:
            shop.order.close(mine)
        except WeChatPayException:
            return False
        return True

    paid = race(native(mine)["code_url"], close)
    assert shop.order.query(out_trade_no=mine)["trade_state"] == ("SUCCESS" if paid else "CLOSED")
    if paid:
        assert callbacks.next()["out_trade_no"] == mine


def story_of_payment_codes() -> None:
    mine = number()
    paid = collect(mine, payment_code())
    assert (paid["trade_type"], paid["total_fee"]) == ("MICROPAY", "800"), paid
    refused("AUTH_CODE_INVALID", collect, number(), "1")
    dear = number()
    refused("USERPAYING", collect, dear, payment_code(), 150_000)
    assert shop.order.query(out_trade_no=dear)["trade_state"] == "USERPAYING"
    assert do("answer")["state"] == "COMPLETED"
    assert shop.order.query(out_trade_no=dear)["trade_state"] == "SUCCESS"
    given_up = number()
    refused("USERPAYING", collect, given_up, payment_code(), 150_000)
    assert shop.order.reverse(out_trade_no=given_up)["recall"] == "N"
    assert shop.order.query(out_trade_no=given_up)["trade_state"] == "REVOKED"
    assert shop.order.reverse(out_trade_no=mine)["recall"] == "N"
    assert shop.order.query(out_trade_no=mine)["trade_state"] == "REVOKED"


def story_of_jsapi() -> None:
    made = shop.order.create(
        "JSAPI",
        "面",
        1,
        callbacks.url,
        client_ip=LOCAL,
        out_trade_no=number(),
        user_id="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
    )
    assert shop.jsapi.get_jsapi_params(made["prepay_id"])["package"] == f"prepay_id={made['prepay_id']}"


story_of_an_order()
story_of_closing()
story_of_a_race()
story_of_payment_codes()
story_of_jsapi()
tell(done=True, account=str(ACCOUNT))
