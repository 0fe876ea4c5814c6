"""
Whose call is not even read is told so in the words of the protocol it is made in: who asks too often, and who comes too early.

A client of Alipay's fails in its own error path on any status but 200, and one of WeChat Pay v2 reads nothing but XML: to both
a plain 429 or 503 is a broken line, which they try again at once, or never.
"""

from enum import Enum
from urllib.parse import parse_qs

from msgspec.structs import replace

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

_UNAVAILABLE = 503  # Of the gateway itself; an error behind it is 500 there.


class Away(Enum):
    """Why nothing is read: what each protocol says of it. All of these say that the same call is to be made again."""

    TOO_OFTEN = "isv.app-call-limited", Code.FREQUENCY_LIMITED, V2Code.FREQUENCY_LIMITED
    STARTING = "isp.unknow-error", Code.SERVICE_UNAVAILABLE, V2Code.SYSTEMERROR


def turned_away(request: WireRequest, why: Away, *, is_v2: bool) -> WireAnswer | None:
    """
    The no of whichever protocol a request's path and authorization are of; None for what is of none.

    Nobody has proved who they are, so nothing is signed.
    """
    alipay, v3, v2_code = why.value
    if request.path == classic.PATH:
        error = AlipayError(alipay)
        told = {"code": error.code, "msg": TITLES[error.code], "sub_code": error.sub_code, "sub_msg": error.sub_msg}
        method = parse_qs(request.query.decode("latin-1")).get("method", [""])[0]
        body = compose(response_key(method), object_text(told), UTF8, None)
        return WireAnswer(body=body, content_type=f"text/html;charset={UTF8}")
    if request.headers.get("authorization", "").startswith(rest.SCHEME):
        answer = rest.refused(AlipayError(alipay))
        return replace(answer, status=_UNAVAILABLE) if why is Away.STARTING else answer
    if request.path.startswith(envelope.PREFIX):
        return Fault(v3).answer()
    return v2.unread(Unreadable(v2_code.text)) if is_v2 else None
