"""An answer of `/gateway.do`, to the byte: clients find what was signed by searching the text."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hutong.gateways.alipay.charset import encode_json

Signer = Callable[[bytes], str]
ERROR_KEY = "error_response"
_METHOD = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def response_key(method: str) -> str:
    """Under which a method is answered; `error_response` for what can't be one."""
    if len(method) > 128 or not _METHOD.fullmatch(method):
        return ERROR_KEY
    return method.replace(".", "_") + "_response"


def object_text(fields: Mapping[str, Any]) -> str:
    """
    JSON on one line, whose braces balance even for who counts those within strings, and that opens no tag in a browser.

    One client counts braces without regard to strings; and the content type says HTML.
    """
    text = msgspec.json.encode(fields).decode().replace("<", "\\u003c").replace(">", "\\u003e")
    if text.count("{") == 1 and text.count("}") == 1:
        return text
    return _STRING.sub(_without_braces, text)


def _without_braces(string: re.Match[str]) -> str:
    return string[0].replace("{", "\\u007b").replace("}", "\\u007d")


def compose(key: str, value: str, codec: str, sign: Signer | None, *, certificate_sn: str = "") -> bytes:
    """
    `{"key":value,"sign":"…"}`, signed over the very bytes of `value`: an object, or a string with its quotes.

    In certificate mode the serial of the certificate that signed stands between them. Without a signer it is not signed.
    """
    data = encode_json(value, codec)
    if sign is None:
        return b'{"%s":%s}' % (key.encode(), data)
    serial = f'"alipay_cert_sn":"{certificate_sn}",' if certificate_sn else ""
    return b'{"%s":%s,%s"sign":"%s"}' % (key.encode(), data, serial.encode(), sign(data).encode())
