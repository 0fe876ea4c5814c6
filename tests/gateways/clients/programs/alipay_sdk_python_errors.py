"""
What a shop on alipay-sdk-python (PyPI, the vendor's own) is told when something is wrong: the answer as it came.

It raises only where it can't believe an answer.
"""

import json

from alipay.aop.api.exception.Exception import ResponseException
from alipay.aop.api.request.AlipayMarketingCardOpenRequest import AlipayMarketingCardOpenRequest
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradePayRequest import AlipayTradePayRequest
from alipay.aop.api.request.AlipayTradePrecreateRequest import AlipayTradePrecreateRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
from alipay_sdk_python_shop import app_id, ask, callbacks, good, made_for, refused, seen
from Crypto.PublicKey import RSA
from story import do, number, pay, payment_code, tell


def queried(client: object) -> dict[str, str]:
    asked = AlipayTradeQueryRequest()
    asked.biz_content = {"out_trade_no": "T1"}
    return dict(json.loads(client.execute(asked)))


def order(mine: str, amount: str = "12.50") -> dict[str, str]:
    return {"out_trade_no": mine, "total_amount": amount, "subject": "面"}


def bare(pem: bytes) -> str:
    return "".join(pem.decode().splitlines()[1:-1])


another = RSA.generate(2048)
refused(queried(made_for(app_private_key=bare(another.export_key()))), "isv.invalid-signature", "40002")
refused(queried(made_for(app_id="2021000000000000")), "isv.invalid-app-id", "40002")
refused(queried(made_for(charset="latin-1")), "isv.invalid-charset", "40002")
refused(ask(AlipayMarketingCardOpenRequest), "isv.insufficient-isv-permissions", "40006")
try:
    queried(made_for(alipay_public_key=bare(another.public_key().export_key())))
except ResponseException as no:
    doubted = str(no)
assert "response sign verify failed" in doubted, doubted

mine = number()
refused(ask(AlipayTradePrecreateRequest, **order(mine, "0")), "ACQ.INVALID_PARAMETER")
code = good(ask(AlipayTradePrecreateRequest, **order(mine)))["qr_code"]
refused(ask(AlipayTradePrecreateRequest, **order(mine, "13.00")), "ACQ.CONTEXT_INCONSISTENT")
pay(code)
callbacks.next()
refused(ask(AlipayTradePrecreateRequest, **order(mine)), "ACQ.TRADE_HAS_SUCCESS")
refused(ask(AlipayTradeCloseRequest, out_trade_no=mine), "ACQ.TRADE_STATUS_ERROR")
refused(ask(AlipayTradeRefundRequest, out_trade_no=mine, refund_amount="12.51"), "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
refused(ask(AlipayTradeQueryRequest, out_trade_no=number()), "ACQ.TRADE_NOT_EXIST")
dear = order(number(), "1500.00") | {"scene": "bar_code", "auth_code": payment_code()}
good(ask(AlipayTradePayRequest, **dear), "10003")
do("answer", reject=True)
refused(ask(AlipayTradePayRequest, **dear), "ACQ.PAYMENT_FAIL")
do("faults", at="zhi", number=app_id, faults={"system_error": 1, "only": "trade.query"})
refused(ask(AlipayTradeQueryRequest, out_trade_no=mine), "ACQ.SYSTEM_ERROR", "20000")
tell(done=True, seen=sorted(seen))
