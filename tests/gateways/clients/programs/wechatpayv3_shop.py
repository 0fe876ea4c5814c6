"""A shop on wechatpayv3 (PyPI), trusting the platform's public key; what its stories have in common."""

import json
from typing import Any

from story import ACCOUNT, BASE_URL, MADE, Callbacks
from wechatpayv3 import WeChatPay, WeChatPayType

account, secrets, platform = MADE["account"], MADE["secrets"], MADE["platform"]
mchid, appid = account["number"], account["appids"][0]


def accept(headers: dict[str, str], body: bytes) -> tuple[Any, int, bytes]:
    told = shop.callback(headers, body)
    return told, 200 if told else 500, b"{}"


callbacks = Callbacks(accept)


def made_for(*, partner: bool = False, **other: Any) -> Any:
    """A client: `other` is what it has otherwise than it should."""
    given = {
        "wechatpay_type": WeChatPayType.NATIVE,
        "mchid": mchid,
        "private_key": (ACCOUNT / "apiclient_key.pem").read_text(),
        "cert_serial_no": account["keys"][-1]["serial"],
        "appid": appid,
        "apiv3_key": secrets["api_v3_key"],
        "notify_url": callbacks.url,
        "public_key": platform["public_key"],
        "public_key_id": platform["public_key_id"],
        "partner_mode": partner,
    }
    made = WeChatPay(**given | other)
    made._core._gate_way = BASE_URL or made._core._gate_way
    return made


shop = made_for()
seen: set[str] = set()  # Every code that was refused with.


def good(answer: tuple[int, str], status: int = 200) -> Any:
    """The body of an answer that must have this status."""
    code, body = answer
    assert code == status, answer
    return json.loads(body) if body else {}


def refused(answer: tuple[int, str], status: int, code: str, message: str = "") -> Any:
    """What it says of a no, which must be this one."""
    told = good(answer, status)
    assert told["code"] == code, (code, told)
    assert message in told["message"], (message, told)
    seen.add(code)
    return told
