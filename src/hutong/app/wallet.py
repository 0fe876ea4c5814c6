"""What a wallet app on a phone does with its institution's API: sign in, show codes, read codes, pay."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from hutong.app.node_client import NodeClient, NodeSilent
from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import IdMint, id_text

_TRIES = 3


class Phone(msgspec.Struct, kw_only=True):
    """
    What a phone keeps: enough to sign requests with a session, and to make payment codes without a network.

    The seed is the phone's own secret; the institution's key never comes here.
    """

    device_id: str
    token: str = ""
    head_today: str = ""
    head_tomorrow: str = ""
    today_ends_at_ms: int = 0
    seed: str = ""  # Base64.

    def __repr__(self) -> str:
        return f"Phone({self.device_id})"

    def payment_code(self, now_ns: int) -> str:
        """A payment code (付款码), made here: no node is asked."""
        head = self.head_today if now_ns // NS_PER_MS < self.today_ends_at_ms else self.head_tomorrow
        return PaymentCodeGenerator(head, base64.b64decode(self.seed)).generate(now_ns)


class Wallet:
    """One user's wallet at one institution, on one phone."""

    def __init__(self, client: NodeClient, phone: Phone, mint: IdMint) -> None:
        self.client = client
        self.phone = phone
        self._mint = mint

    def new_id(self, prefix: str) -> str:
        """An id minted by the phone: kept before it is sent, so that asking again is safe."""
        return id_text(prefix, self._mint.mint())

    async def fetch_payment_code_keys(self) -> None:
        """Once a day: what payment codes are made from."""
        keys = await self.client.get("/v1/payment-codes/keys")
        for name in ("head_today", "head_tomorrow", "today_ends_at_ms", "seed"):
            setattr(self.phone, name, keys[name])

    async def quote(self, code: str, amount: int = 0) -> dict[str, Any]:
        """Whom a code pays, how much, and at what discount: what is shown before anybody confirms."""
        body: dict[str, Any] = {"code": code}
        if amount:
            body["amount"] = amount
        quote: dict[str, Any] = await self.client.post("/v1/quotes", body)
        return quote

    async def pay(self, quote: dict[str, Any], amount: int, pin: str = "", remark: str = "") -> dict[str, Any]:
        """Pay what was quoted, once: a lost answer is asked for again with the same id."""
        payment_id = self.new_id("pay")
        body = {"payment_id": payment_id, "quote_id": quote["quote_id"], "amount": amount, "remark": remark}
        if pin:
            asked = {"pin": pin, "payment_id": payment_id, "amount": amount, "creditor": quote["creditor"]}
            body["pin_token"] = (await self.client.post("/v1/pin/tokens", asked))["token"]
        return await self._again(lambda: self.client.post("/v1/payments", body))

    async def payment(self, payment_id: str) -> dict[str, Any]:
        """How a payment stands."""
        payment: dict[str, Any] = await self.client.get(f"/v1/payments/{payment_id}")
        return payment

    async def balance(self) -> int:
        """What can be paid with, in minor units."""
        balance: int = (await self.client.get("/v1/balance"))["available"]
        return balance

    async def _again(self, ask: Callable[[], Any]) -> dict[str, Any]:
        for tries_left in range(_TRIES - 1, -1, -1):
            try:
                answer: dict[str, Any] = await ask()
            except NodeSilent:
                if not tries_left:
                    raise
            else:
                return answer
        raise AssertionError
