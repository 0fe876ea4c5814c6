"""What a wallet app on a phone does with its institution's API: sign in, show codes, read codes, pay."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from hutong.app.node_client import NodeClient, NodeSilent
from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import IdMint, id_text

_TRIES = 20
_PAUSE_S = 0.25
_UNDECIDED = frozenset({"PENDING", "OPEN", "CLAIMED", "ASKED"})


class Phone(msgspec.Struct, kw_only=True):
    """
    What a phone keeps to make payment codes without a network.

    The seed is the phone's own secret; the institution's key never comes here.
    """

    device_id: str
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
        quote: dict[str, Any] = await self.client.post("/v1/codes/consult", {"code": code, "amount": amount})
        return quote

    async def pay(
        self, quote: dict[str, Any], amount: int, *, pin: str = "", remark: str = "", payment_id: str = ""
    ) -> dict[str, Any]:
        """
        Pay what was quoted, once: with the same `payment_id` it can be asked for as often as need be.

        While nothing is decided, or no answer came, it is asked for again for a while; then the answer says so.
        """
        payment_id = payment_id or self.new_id("pay")
        body = {"payment_id": payment_id, "quote_id": quote["quote_id"], "amount": amount, "remark": remark}
        if pin:
            body["pin_token"] = await self.pin_token(pin, payment_id, amount, quote["creditor"])
        return await decided(lambda: self.client.post("/v1/payments", body))

    async def pin_token(self, pin: str, payment_id: str, amount: int, creditor: str) -> str:
        """That the PIN was typed for this one payment."""
        asked = {"pin": pin, "payment_id": payment_id, "amount": amount, "creditor": creditor}
        return str((await self.client.post("/v1/pin/tokens", asked))["token"])

    async def payment(self, payment_id: str) -> dict[str, Any]:
        """How a payment stands."""
        payment: dict[str, Any] = await self.client.get(f"/v1/payments/{payment_id}")
        return payment

    async def waiting(self) -> list[dict[str, Any]]:
        """What waits for a yes or a no: a till scanned a payment code, and the PIN is needed."""
        waiting: list[dict[str, Any]] = await self.client.get("/v1/requests-to-pay")
        return waiting

    async def priced(self, waiting: dict[str, Any]) -> dict[str, Any]:
        """What it costs now, with what either side takes off: a quote."""
        path = f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/quote"
        quote: dict[str, Any] = await self.client.post(path, {})
        return quote

    async def approve(self, waiting: dict[str, Any], pin: str, quote_id: str = "") -> dict[str, Any]:
        """Say yes to it, at the price of the quote if there is one."""
        token = await self.pin_token(pin, waiting["payment_id"], waiting["amount"], waiting["creditor"])
        path = f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/approve"
        return await decided(lambda: self.client.post(path, {"pin_token": token, "quote_id": quote_id}))

    async def link_bank(self, name: str, mandate: str, code: str = "") -> dict[str, Any]:
        """Link an account at a bank: by its mandate money comes, by its personal code money goes."""
        body = {"bank_account_id": self.new_id("bka"), "name": name, "mandate": mandate, "code": code}
        linked: dict[str, Any] = await self.client.post("/v1/bank-accounts", body)
        return linked

    async def top_up(self, bank_account_id: str, amount: int) -> dict[str, Any]:
        """Bring money from a linked account."""
        body = {"top_up_id": self.new_id("top"), "bank_account_id": bank_account_id, "amount": amount}
        return await decided(lambda: self.client.post("/v1/top-ups", body))

    async def balance(self) -> int:
        """What can be paid with, in minor units."""
        balance: int = (await self.client.get("/v1/balance"))["balance"]
        return balance


async def decided(ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Ask the same again while it is undecided or nobody answers, a few times; then how it stands, or `NodeSilent`."""
    for tries_left in range(_TRIES - 1, -1, -1):
        try:
            answer = await ask()
        except NodeSilent:
            if not tries_left:
                raise
        else:
            if not tries_left or answer["state"] not in _UNDECIDED:
                return answer
        await asyncio.sleep(_PAUSE_S)
    raise AssertionError
