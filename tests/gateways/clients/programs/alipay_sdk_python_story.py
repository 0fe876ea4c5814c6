"""A shop on alipay-sdk-python (PyPI, the vendor's own)."""

from alipay.aop.api.request.AlipayTradeCancelRequest import AlipayTradeCancelRequest
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import AlipayTradeFastpayRefundQueryRequest
from alipay.aop.api.request.AlipayTradePagePayRequest import AlipayTradePagePayRequest
from alipay.aop.api.request.AlipayTradePayRequest import AlipayTradePayRequest
from alipay.aop.api.request.AlipayTradePrecreateRequest import AlipayTradePrecreateRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
from alipay_sdk_python_shop import ask, callbacks, client, good, refused
from story import do, number, pay, payment_code, race, tell

mine = number()
code = good(ask(AlipayTradePrecreateRequest, out_trade_no=mine, total_amount="12.50", subject="两碗炸酱面"))["qr_code"]
pay(code)
told = callbacks.next()
assert (told["out_trade_no"], told["trade_status"]) == (mine, "TRADE_SUCCESS"), told
assert good(ask(AlipayTradeQueryRequest, out_trade_no=mine))["trade_status"] == "TRADE_SUCCESS"
assert (
    good(ask(AlipayTradeRefundRequest, out_trade_no=mine, refund_amount="5.00", out_request_no="1"))["refund_fee"]
    == "5.00"
)
assert callbacks.next()["refund_fee"] == "5.00"
found = good(ask(AlipayTradeFastpayRefundQueryRequest, out_trade_no=mine, out_request_no="1"))
assert found["refund_status"] == "REFUND_SUCCESS", found
refused(ask(AlipayTradeQueryRequest, out_trade_no=number()), "ACQ.TRADE_NOT_EXIST")

coded = number()
good(
    ask(
        AlipayTradePayRequest,
        out_trade_no=coded,
        scene="bar_code",
        auth_code=payment_code(),
        total_amount="8.00",
        subject="牛肉面",
    )
)
assert good(ask(AlipayTradeCancelRequest, out_trade_no=coded))["action"] == "refund"

closed = number()
code = good(ask(AlipayTradePrecreateRequest, out_trade_no=closed, total_amount="1.00", subject="面"))["qr_code"]
do("pay", code=code, reject=True)
good(ask(AlipayTradeCloseRequest, out_trade_no=closed))

raced = number()
code = good(ask(AlipayTradePrecreateRequest, out_trade_no=raced, total_amount="1.00", subject="面"))["qr_code"]
won = race(code, lambda: ask(AlipayTradeCloseRequest, out_trade_no=raced)["code"] == "10000")
stands = good(ask(AlipayTradeQueryRequest, out_trade_no=raced))["trade_status"]
assert stands == ("TRADE_SUCCESS" if won else "TRADE_CLOSED"), stands

dear = {"scene": "bar_code", "auth_code": payment_code(), "total_amount": "1500.00", "subject": "宴席"}
waiting = number()
good(ask(AlipayTradePayRequest, out_trade_no=waiting, **dear), "10003")
assert good(ask(AlipayTradeCancelRequest, out_trade_no=waiting))["retry_flag"] == "N"

page = AlipayTradePagePayRequest()
page.biz_content = {
    "out_trade_no": number(),
    "total_amount": "1.00",
    "subject": "面",
    "product_code": "FAST_INSTANT_TRADE_PAY",
}
assert "sign" in client.page_execute(page)
tell(done=True)
