"""
Who asks too often is told so in the words of the protocol it asks in, and before anything of what it asks is read.

A client of Alipay's fails in its own error path on any status but 200, and one of WeChat Pay v2 reads nothing but XML: to both
a plain 429 is a broken line, which they try again at once.
"""

from urllib.parse import parse_qs

from hutong.gateways.alipay import classic, rest
from hutong.gateways.alipay.answer import compose, object_text, response_key
from hutong.gateways.alipay.charset import UTF8
from hutong.gateways.alipay.errors import TITLES, AlipayError
from hutong.gateways.wechat.v2 import answer as v2
from hutong.gateways.wechat.v2.errors import Code as V2Code
from hutong.gateways.wechat.v2.errors import Unreadable
from hutong.gateways.wechat.v3 import envelope
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wire import WireAnswer, WireRequest


def too_many(request: WireRequest, *, is_v2: bool) -> WireAnswer | None:
    """
    The no of whichever protocol a request's path and authorization are of; None for what is of none.

    Nobody has proved who they are, so nothing is signed.
    """
    if request.path == classic.PATH:
        error = AlipayError("isv.app-call-limited")
        told = {"code": error.code, "msg": TITLES[error.code], "sub_code": error.sub_code, "sub_msg": error.sub_msg}
        method = parse_qs(request.query.decode("latin-1")).get("method", [""])[0]
        body = compose(response_key(method), object_text(told), UTF8, None)
        return WireAnswer(body=body, content_type=f"text/html;charset={UTF8}")
    if request.headers.get("authorization", "").startswith(rest.SCHEME):
        return rest.refused(AlipayError("isv.app-call-limited"))
    if request.path.startswith(envelope.PREFIX):
        return Fault(Code.FREQUENCY_LIMITED).answer()
    return v2.unread(Unreadable(V2Code.FREQUENCY_LIMITED.text)) if is_v2 else None
