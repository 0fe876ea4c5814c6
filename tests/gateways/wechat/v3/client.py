"""A merchant's software as the vendor's documentation describes it: signs what it sends, verifies what it hears."""

from typing import Any

import httpx
import msgspec

from hutong.gateways import keys
from hutong.gateways.account import GatewayKind, WechatAccount
from hutong.gateways.wechat.v3.authorization import SCHEME
from hutong.kernel.ids import id_text
from hutong.runtime.shelf import decided
from tests.gateways.hall import Hall
from tests.institution.merchants.shop_street import noodles
from tests.institution.payments.test_http import Phone

HEADERS = {"accept": "application/json", "user-agent": "merchant/1.0"}


class Answer:
    """What came back, once its signature was found right."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.body = response.content

    @property
    def json(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/json"
        read: dict[str, Any] = msgspec.json.decode(self.body)
        return read

    @property
    def code(self) -> str:
        return str(self.json["code"])


class Merchant:
    """One account's software. `serial` is what it asks the platform to sign with."""

    def __init__(self, hall: Hall, account: WechatAccount | None = None, *, serial: str = "") -> None:
        self.hall = hall
        self.account = account or hall.wechat
        self.serial = serial

    def authorization(self, method: str, target: str, body: bytes, **changes: str) -> str:
        now_s = str(self.hall.jing.clock.now_ns() // 10**9)
        told = {
            "mchid": self.account.row.number,
            "nonce_str": "593BEC0C930BF1AFEB40B4A08C8FB242",
            "timestamp": now_s,
            "serial_no": self.account.facts.keys[-1].serial,
        } | {name: value for name, value in changes.items() if name != "text"}
        text = f"{method}\n{target}\n{told['timestamp']}\n{told['nonce_str']}\n".encode() + body + b"\n"
        signature = keys.sign(self.hall.merchant_key, changes["text"].encode() if "text" in changes else text)
        pairs = ",".join(f'{name}="{value}"' for name, value in {"signature": signature, **told}.items())
        return f"{SCHEME} {pairs}"

    async def send(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        """Send what is signed already, or not at all, with these headers besides the usual."""
        sent = {name.replace("_", "-"): value for name, value in (HEADERS | headers).items()}
        return Answer(await self.hall.http.request(method, target, content=body, headers=sent))

    async def call(self, method: str, target: str, body: Any = None) -> Answer:
        """One call, signed; a 2xx must be signed back."""
        content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        more = {"wechatpay_serial": self.serial} if self.serial else {}
        answer = await self.send(
            method,
            target,
            content,
            authorization=self.authorization(method, target, content),
            content_type="application/json",
            **more,
        )
        if 200 <= answer.status < 300 and "wechatpay-signature" in answer.headers:
            self.verify(answer.headers, answer.body)
        elif 200 <= answer.status < 300:
            raise AssertionError("an answer that is not signed")
        return answer

    def verify(self, headers: Any, body: bytes) -> None:
        told = {name.lower(): value for name, value in dict(headers).items()}
        assert told["wechatpay-signature-type"] == SCHEME
        key = self.hall.gateways.platform.by_serial(told["wechatpay-serial"])
        assert key is not None
        text = f"{told['wechatpay-timestamp']}\n{told['wechatpay-nonce']}\n".encode() + body + b"\n"
        assert keys.verifies(keys.public_key(key.public_pem), told["wechatpay-signature"], text)

    async def get(self, target: str) -> Answer:
        return await self.call("GET", target)

    async def post(self, target: str, body: Any = None) -> Answer:
        return await self.call("POST", target, body)

    def order(self, number: str = "T20261122001", total: int = 1_280, **more: Any) -> dict[str, Any]:
        """The body of an order, with what a test changes of it."""
        return {
            "appid": self.account.facts.appids[0],
            "mchid": self.account.row.number,
            "description": "两碗面",
            "out_trade_no": number,
            "notify_url": "https://shop.example/paid",
            "amount": {"total": total, "currency": "CNY"},
        } | more

    @property
    def mchid(self) -> str:
        return self.account.row.number

    @property
    def appid(self) -> str:
        return self.account.facts.appids[0]


async def neighbour(hall: Hall, *partners: str) -> WechatAccount:
    """The account of another merchant, which lets these service providers act for it."""
    merchants, journal = hall.jing.institution.merchants, hall.jing.node.journal
    profile = noodles(reference="M-2", legal_name="北京鼓楼包子有限公司", name="鼓楼包子")
    merchant = await decided(journal, lambda: merchants.onboard(profile, 60))
    _, token = await decided(journal, lambda: merchants.issue_owner_key(merchant.id, "boss"))
    phone = Phone(hall.jing, id_text("mer", merchant.id), {"authorization": f"Bearer {token}"})
    account = await hall.account(GatewayKind.WECHATPAY, phone, partners=partners)
    assert isinstance(account, WechatAccount)
    return account
