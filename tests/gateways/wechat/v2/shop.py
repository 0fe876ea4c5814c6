"""A merchant's software that speaks v2, written from the specification: it signs, posts, and checks what it is told."""

from typing import Any

from hutong.gateways.account import WechatAccount
from hutong.gateways.wechat.v2 import document
from hutong.gateways.wechat.v2.dialect import V2Dialect
from hutong.gateways.wechat.v2.signature import SignType, is_signed, sign
from hutong.institution.merchants.staff_key import StaffKey
from tests.gateways.street import House, Street
from tests.gateways.telling import in_order

NOTIFY_URL = "https://shop.example/notify"

ORDER = {
    "body": "牛肉面",
    "out_trade_no": "T-1",
    "total_fee": 1_200,
    "spbill_create_ip": "127.0.0.1",
    "notify_url": NOTIFY_URL,
    "trade_type": "NATIVE",
    "product_id": "noodles",
}


def dialect_of(house: House) -> V2Dialect:
    """The dialect that answers at a house."""
    found = [getattr(route, "__self__", None) for route in house.gateways.routes]
    return next(each for each in found if isinstance(each, V2Dialect))


async def open_shop(street: Street, sign_type: SignType = SignType.MD5) -> "V2Shop":
    """Another merchant at wei."""
    owner = await street.wei.merchant()
    account = await street.wei.account(owner)
    assert isinstance(account, WechatAccount)
    return V2Shop(street.wei, owner, account, sign_type)


class V2Shop:
    """One merchant at a house, by its number and its v2 key."""

    def __init__(self, house: House, owner: StaffKey, account: WechatAccount, sign_type: SignType) -> None:
        self.house = house
        self.owner = owner
        self.account = account
        self.sign_type = sign_type
        self.key = account.secrets.api_v2_key
        self.appid = account.facts.appids[0]
        self.names = {"appid": self.appid, "mch_id": account.row.number}

    def body(self, fields: dict[str, Any]) -> bytes:
        """A signed document. A field that is None is left out."""
        whole = self.names | {"nonce_str": "n0nce"} | fields
        if self.sign_type is not SignType.MD5:
            whole |= {"sign_type": self.sign_type.value}
        said = {name: str(value) for name, value in whole.items() if value is not None}
        return document.write(said | {"sign": sign(said, self.key, self.sign_type)})

    async def post(self, path: str, body: bytes) -> dict[str, str]:
        response = await self.house.client.post(path, content=body)
        assert response.status_code == 200
        return document.read(response.content)

    async def call(self, path: str, **fields: Any) -> dict[str, str]:
        """What the gateway says; what it says it has signed."""
        said = await self.post(path, self.body(fields))
        if said["return_code"] == "SUCCESS":
            assert is_signed(said, self.key, self.sign_type), said
        return said

    async def done(self, path: str, **fields: Any) -> dict[str, str]:
        """As `call`, of what goes well."""
        said = await self.call(path, **fields)
        assert (said["return_code"], said.get("result_code", "SUCCESS")) == ("SUCCESS", "SUCCESS"), said
        return said

    async def order(self, out_trade_no: str = "T-1", total_fee: int = 1_200, **fields: Any) -> dict[str, str]:
        """A native order."""
        told = ORDER | {"out_trade_no": out_trade_no, "total_fee": total_fee}
        return await self.done("/pay/unifiedorder", **(told | fields))

    async def state(self, out_trade_no: str = "T-1") -> str:
        """How an order stands."""
        return (await self.done("/pay/orderquery", out_trade_no=out_trade_no))["trade_state"]

    def micropay(self, auth_code: str, out_trade_no: str = "T-1", total_fee: int = 1_200) -> dict[str, Any]:
        """What is sent to collect by a payer's code."""
        return {
            "body": "牛肉面",
            "out_trade_no": out_trade_no,
            "total_fee": total_fee,
            "spbill_create_ip": "127.0.0.1",
            "auth_code": auth_code,
        }

    def told(self) -> list[tuple[str, dict[str, str]]]:
        """What this merchant is to be told, as it will be posted: where, and the document."""
        gateways = self.house.gateways
        postman = gateways.notifications.postmen["wechatpay-v2"]
        letters = []
        for row in in_order(gateways.notifications):
            if row.account_id == self.account.row.id and row.dialect == "wechatpay-v2":
                letter = postman.letter(row, postman.plain(row), self.house.world.clock.now_ns())
                letters.append((row.url, document.read(letter.body)))
        return letters
