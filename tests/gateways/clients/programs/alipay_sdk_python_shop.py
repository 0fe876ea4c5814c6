"""A shop on alipay-sdk-python (PyPI, the vendor's own); what its stories have in common."""

import http.client
import json
from typing import Any
from urllib.parse import parse_qsl

from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.util import WebUtils
from alipay.aop.api.util.SignatureUtils import get_sign_content, verify_with_rsa
from story import ACCOUNT, BASE_URL, MADE, Callbacks

public = (ACCOUNT / "alipay_public_key.txt").read_text()
app_id = MADE["account"]["number"]


def accept(_headers: dict[str, str], body: bytes) -> tuple[Any, int, bytes]:
    told = dict(parse_qsl(body.decode(), keep_blank_values=True))
    signed = {name: value for name, value in told.items() if name not in {"sign", "sign_type"}}
    assert verify_with_rsa(public, get_sign_content(signed).encode(), told["sign"])
    return told, 200, b"success"


callbacks = Callbacks(accept)
if BASE_URL:
    # It takes no port in an address: this is where it makes its connections.
    at = BASE_URL.partition("://")[2]
    WebUtils.get_http_connection = lambda _url, query, timeout: (
        f"/gateway.do?{query}",
        http.client.HTTPConnection(at, timeout=timeout),
    )


def made_for(**other: Any) -> Any:
    """A client: `other` is what it has otherwise than it should."""
    config = AlipayClientConfig()
    config.app_id = app_id
    config.app_private_key = (ACCOUNT / "app_private_key_pkcs1.txt").read_text()
    config.alipay_public_key = public
    for name, value in other.items():
        setattr(config, name, value)
    return DefaultAlipayClient(config)


client = made_for()
seen: set[str] = set()  # Every code that was refused with.


def ask(request: Any, **content: Any) -> dict[str, Any]:
    """What a method of JSON answers."""
    made = request()
    made.biz_content = content
    if "notify_url" in dir(made):
        made.notify_url = callbacks.url
    return dict(json.loads(client.execute(made)))


def good(answer: dict[str, Any], code: str = "10000") -> dict[str, Any]:
    assert answer["code"] == code, answer
    return answer


def refused(answer: dict[str, Any], sub_code: str, code: str = "40004") -> None:
    assert (answer["code"], answer["sub_code"]) == (code, sub_code), answer
    seen.add(sub_code)
