"""A hotel whose software speaks Alipay's protocol: it holds deposits by the payment codes that guests show."""

import json
import time
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from hutong.gateways import keys
from hutong.gateways.alipay.parameters import canonical, encode
from tests.network.street import Street, Till, new_id

_FREEZE = "alipay.fund.auth.order.freeze"


@dataclass
class Hotel:
    """One merchant's account at its institution's gateway."""

    till: Till
    key: RSAPrivateKey
    app_id: str

    def freeze(self, code: str, yuan: str) -> str:
        """Ask to hold a deposit; how that stands."""
        content = {
            "auth_code": code,
            "auth_code_type": "bar_code",
            "out_order_no": new_id("r"),
            "out_request_no": new_id("r"),
            "order_title": "押金",
            "amount": yuan,
            "product_code": "PREAUTH_PAY",
        }
        values = {
            "app_id": self.app_id,
            "method": _FREEZE,
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": time.strftime("%Y-%m-%d %H:%M:%S"),
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False),
        }
        values["sign"] = keys.sign(self.key, canonical(encode(values, "utf-8"), without=(b"sign",)))
        answer: dict[str, Any] = self.till.http.post("/gateway.do", data=values).json()
        told = answer["alipay_fund_auth_order_freeze_response"]
        assert told["code"] in {"10000", "10003"}, told
        return str(told.get("status", "INIT"))


def hotel(street: Street, node: str) -> Hotel:
    """A new merchant, with an account for its software."""
    till, key = street.till(node), keys.new_key()
    public = keys.public_pem(key.public_key())
    body = {"account_id": new_id("gwa"), "kind": "alipay", "name": "hotel", "public_key": public}
    made = till.post("/v1/gateway-accounts", body)
    return Hotel(till, key, made["account"]["number"])
