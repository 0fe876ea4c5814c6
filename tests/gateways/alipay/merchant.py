"""A merchant's software, as small as can be: it signs what it asks, and believes nothing it cannot verify."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx

from hutong.gateways import keys
from hutong.gateways.account import AlipayAccount
from hutong.gateways.alipay import cipher
from hutong.gateways.alipay.parameters import canonical, encode
from hutong.gateways.platform import KeyUse
from tests.gateways.hall import Hall

V3 = "ALIPAY-SHA256withRSA"


class Merchant:
    """Calls the hall's Alipay account, or another's."""

    def __init__(self, hall: Hall, account: AlipayAccount | None = None) -> None:
        self.hall = hall
        self.account = account or hall.alipay
        self.app_id = self.account.row.number
        self.aes_key = self.account.secrets.aes_key
        self.platform = keys.public_key(hall.gateways.platform.current(KeyUse.ALIPAY).public_pem)

    def parameters(self, method: str, content: dict[str, Any] | None = None, **more: str) -> dict[str, str]:
        """Signed; what is passed as empty is left out."""
        values = {
            "app_id": self.app_id,
            "method": method,
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": "2026-01-01 08:00:00",
            "version": "1.0",
            **({} if content is None else {"biz_content": json.dumps(content, ensure_ascii=False)}),
        } | more
        values = {name: value for name, value in values.items() if value}
        if "sign" not in more:
            codec = values.get("charset", "utf-8")
            text = canonical(encode(values, codec if codec in {"gbk", "utf-8"} else "utf-8"), without=(b"sign",))
            by = keys.sign_sha1 if values.get("sign_type") == "RSA" else keys.sign
            values["sign"] = by(self.hall.merchant_key, text)
        return values

    async def send(self, values: dict[str, str]) -> httpx.Response:
        codec = values.get("charset", "utf-8")
        body = urlencode(values, encoding=codec if codec in {"gbk", "utf-8"} else "utf-8").encode()
        form = {"content-type": "application/x-www-form-urlencoded"}
        return await self.hall.http.post("/gateway.do", content=body, headers=form)

    async def ask(self, method: str, content: dict[str, Any] | None = None, **more: str) -> dict[str, Any]:
        """What the method answers, once it has been verified."""
        answer = await self.send(self.parameters(method, content, **more))
        key = method.replace(".", "_") + "_response"
        return self.verified(answer, key, sha1=more.get("sign_type") == "RSA", codec=more.get("charset", "utf-8"))

    def verified(self, answer: httpx.Response, key: str, *, sha1: bool = False, codec: str = "utf-8") -> dict[str, Any]:
        """The object under `key`: its bytes are found by searching the text, as clients do."""
        assert answer.status_code == 200
        head = b'{"%s":' % key.encode()
        assert answer.content.startswith(head), answer.content
        rest = answer.content[len(head) :]
        signed, _, tail = rest.rpartition(b',"sign":"')
        signature = tail.removesuffix(b'"}').decode()
        signed = signed.partition(b',"alipay_cert_sn":"')[0]
        assert keys.verifies(self.platform, signature, signed, sha1=sha1), answer.content
        if signed.startswith(b'"'):
            signed = cipher.decrypt(signed.strip(b'"').decode(), self.aes_key)
        found: dict[str, Any] = json.loads(signed.decode(codec))
        return found

    async def rest(self, verb: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        """The v3 dialect."""
        content = json.dumps(body).encode() if body is not None else b""
        return await self.hall.http.request(
            verb, path, content=content, headers={**self.authorization(verb, path, content), **headers}
        )

    def authorization(
        self, verb: str, path: str, content: bytes = b"", *, text: str = "", token: str = ""
    ) -> dict[str, str]:
        now_ms = self.hall.jing.clock.now_ns() // 1_000_000
        text = text or f"app_id={self.app_id},nonce=n-1,timestamp={now_ms}"
        lines = [text.encode(), verb.encode(), path.encode(), content, *([token.encode()] if token else [])]
        signature = keys.sign(self.hall.merchant_key, b"\n".join(lines) + b"\n")
        return {"authorization": f"{V3} {text},sign={signature}", **({"alipay-app-auth-token": token} if token else {})}

    def verified_rest(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        told = answer.headers
        text = f"{told['alipay-timestamp']}\n{told['alipay-nonce']}\n{answer.text}\n"
        assert keys.verifies(self.platform, told["alipay-signature"], text.encode())
        found: dict[str, Any] = json.loads(answer.text)
        return found
