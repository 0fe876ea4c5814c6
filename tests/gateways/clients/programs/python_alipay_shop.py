"""A shop on python-alipay-sdk (PyPI), with certificates; what its stories have in common."""

from typing import Any
from urllib.parse import parse_qsl

from alipay import DCAliPay
from story import ACCOUNT, BASE_URL, MADE, Callbacks, number, pay

app_id = MADE["account"]["number"]


def accept(_headers: dict[str, str], body: bytes) -> tuple[Any, int, bytes]:
    told = dict(parse_qsl(body.decode(), keep_blank_values=True))
    sign = told.pop("sign")
    return (told, 200, b"success") if shop.verify(dict(told), sign) else (None, 200, b"failure")


callbacks = Callbacks(accept)


def made_for(**other: Any) -> Any:
    """A client: `other` is what it has otherwise than it should."""
    given = {
        "appid": app_id,
        "app_notify_url": callbacks.url,
        "app_private_key_string": (ACCOUNT / "app_private_key.pem").read_text(),
        "app_public_key_cert_string": (ACCOUNT / "app_cert.crt").read_text(),
        "alipay_public_key_cert_string": (ACCOUNT / "alipay_cert.crt").read_text(),
        "alipay_root_cert_string": (ACCOUNT / "alipay_root_cert.crt").read_text(),
    }
    return pointed(DCAliPay(**given | other))


def pointed(made: Any) -> Any:
    """Where it calls."""
    if BASE_URL:
        made._gateway = f"{BASE_URL}/gateway.do"
    return made


shop = made_for()
seen: set[str] = set()  # Every code that was refused with.


def good(answer: dict[str, Any], code: str = "10000") -> dict[str, Any]:
    assert answer["code"] == code, answer
    return answer


def refused(answer: dict[str, Any], sub_code: str, code: str = "40004") -> None:
    assert (answer["code"], answer["sub_code"]) == (code, sub_code), answer
    seen.add(sub_code)


def paid(amount: str, **more: Any) -> str:
    """An order that somebody paid; its trade_no."""
    mine = number()
    pay(good(shop.api_alipay_trade_precreate("货", mine, amount, **more))["qr_code"])
    while (told := callbacks.next())["out_trade_no"] != mine:
        pass  # Of what was given back.
    return str(told["trade_no"])
