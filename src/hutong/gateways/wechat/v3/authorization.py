"""
Who signed a request, and over what text.

The text is `METHOD`, target, timestamp, nonce and body, a line feed behind each. Several clients in the field spell it a
little differently; `canonical_texts` knows how, for accounts that are lenient.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wire import WireRequest

SCHEME = "WECHATPAY2-SHA256-RSA2048"
CLOCK_SKEW_MAX_S = 300
HEADER_LENGTH_MAX = 4096
_PAIR = re.compile(r'([a-z_]+)="([^"]*)"')
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_NAMES = {"mchid", "nonce_str", "timestamp", "serial_no", "signature"}
_ECHOED_MAX = 512  # Of the text that was to be signed, in characters.
_FORMAT_TEXT = "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
_SKEW_TEXT = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"
SERIAL_TEXT = "商户证书序列号有误。请使用签名私钥匹配的证书序列号"
_MISMATCH_TEXT = "错误的签名，验签失败"


class Authorization(msgspec.Struct, frozen=True):
    """What an Authorization header says."""

    mchid: str
    serial_no: str
    timestamp: str
    nonce_str: str
    signature: str


def parse(header: str, path: str) -> Authorization:
    """
    Read an Authorization header: five quoted pairs in any order, commas between them.

    Refuses:  SIGN_ERROR: another scheme, a pair missing, repeated, unknown or unquoted, a timestamp that is no number.
    """
    scheme, _, rest = header.partition(" ")
    pairs = _PAIR.findall(rest)
    found = dict(pairs)
    well_formed = ",".join(f'{name}="{value}"' for name, value in pairs) == rest.strip()
    if (
        len(header) > HEADER_LENGTH_MAX
        or scheme != SCHEME
        or not well_formed
        or len(pairs) != len(found)
        or found.keys() != _NAMES
        or not all(found.values())
        or not _TIMESTAMP.fullmatch(found["timestamp"])
    ):
        # Payment paths are served by older machines than the rest, which say less.
        raise Fault(Code.SIGN_ERROR, "" if path.startswith("/v3/pay/") else _FORMAT_TEXT)
    return Authorization(**found)


def check_time(authorization: Authorization, now_s: int) -> None:
    """Refuses SIGN_ERROR: signed more than five minutes ago, or from now."""
    if abs(int(authorization.timestamp) - now_s) > CLOCK_SKEW_MAX_S:
        raise Fault(Code.SIGN_ERROR, _SKEW_TEXT)


def canonical_text(method: str, target: bytes, authorization: Authorization, body: bytes) -> bytes:
    """What is signed: five lines, each ended."""
    head = f"{method}\n".encode(), target, f"\n{authorization.timestamp}\n{authorization.nonce_str}\n".encode()
    return b"".join(head) + body + b"\n"


def canonical_texts(
    request: WireRequest, authorization: Authorization, body: bytes, *, lenient: bool
) -> Iterator[bytes]:
    """
    The texts that this request may have been signed over, the true one first.

    Then, if `lenient`: the target with its percent-encoding undone (a client that signs before its HTTP library encodes),
    the whole address for the target (one that signs a download address as it got it), a question mark that nothing follows,
    and without the last line feed when there is no body.
    """
    target = request.target
    yield canonical_text(request.method, target, authorization, body)
    if not lenient:
        return
    if b"%" in target:
        yield canonical_text(request.method, unquote_to_bytes(target), authorization, body)
    if request.method == "GET":
        for scheme in (b"https://", b"http://"):
            address = scheme + request.host.encode("latin-1", "replace") + target
            yield canonical_text(request.method, address, authorization, body)
    if not request.query:  # A question mark with nothing behind it is lost on the way in.
        yield canonical_text(request.method, target + b"?", authorization, body)
    if not body:
        yield canonical_text(request.method, target, authorization, body)[:-1]


def mismatch(request: WireRequest, authorization: Authorization, body: bytes) -> Fault:
    """A signature that is not over this request: the text it should have been over is shown, to be compared."""
    text = canonical_text(request.method, request.target, authorization, body)
    detail: dict[str, Any] = {
        "detail": {"issue": "sign not match"},
        "field": "signature",
        "location": "authorization",
        "sign_information": {
            "method": request.method,
            "url": request.target.decode("utf-8", "replace"),
            "sign_message_length": len(text),
            "truncated_sign_message": text.decode("utf-8", "replace")[:_ECHOED_MAX],
        },
    }
    return Fault(Code.SIGN_ERROR, _MISMATCH_TEXT, detail=detail)
