"""Somebody with a wallet and money, to pay what merchants' software asks for in a network for trying out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from hutong.app.node_client import NodeClient, NodeRefused
from hutong.app.wallet import Phone, Wallet
from hutong.kernel.clock import NS_PER_MS, ManualClock
from hutong.kernel.ids import IdMint, system_randomness

PIN, WRONG_PIN = "483915", "000000"
NAME = "过路人"
_PHONE = "+8613700000001"
_PURSE_MINOR = 5_000_000  # Filled up to this when less than a tenth is left.


class _Kept(msgspec.Struct, kw_only=True):
    """Who it is at one institution, kept between commands."""

    token: str
    user_id: str
    device: Phone

    def __repr__(self) -> str:
        return f"_Kept({self.user_id})"


@dataclass(frozen=True, slots=True)
class SamplePayer:
    """One at one institution. `operator` is the institution's: who lets people in and pays their money in."""

    wallet: Wallet
    operator: NodeClient
    user_id: str
    now_ns: int

    async def fill(self, amount: int) -> None:
        """Have enough for `amount`."""
        if await self.wallet.balance() < max(amount, _PURSE_MINOR // 10):
            body = {
                "pay_in_id": self.wallet.new_id("pin"),
                "user_id": self.user_id,
                "amount": max(amount, _PURSE_MINOR),
            }
            await self.operator.post("/v1/operator/pay-ins", body)

    async def payment_code(self) -> str:
        """What a till may scan now."""
        await self.fill(0)
        await self.wallet.fetch_payment_code_keys()
        return self.wallet.phone.payment_code(self.now_ns)

    async def decline(self, waiting: dict[str, Any]) -> dict[str, Any]:
        """Say no to a till that scanned the payment code."""
        path = f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/decline"
        answer: dict[str, Any] = await self.wallet.client.post(path)
        return answer


async def sample_payer(directory: Path, url: str, node: str, operator: NodeClient) -> SamplePayer:
    """The one at this node: registered when first asked for. Refuses what the node refuses."""
    now_ns = (await operator.get("/v1/sandbox/clock"))["now_ms"] * NS_PER_MS
    mint = IdMint(ManualClock(now_ns), system_randomness())
    file = directory / f"payer-{node}.json"
    kept = msgspec.json.decode(file.read_bytes(), type=_Kept) if file.exists() else None
    if kept is not None:
        client = NodeClient(url, kept.token)
        try:
            await client.get("/v1/users/me")
        except NodeRefused:
            await client.close()  # Another network's, or signed out since.
            kept = None
    if kept is None:
        kept = await _registered(url, operator, Wallet(operator, Phone(device_id=""), mint).new_id("dev"))
        client = NodeClient(url, kept.token)
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(msgspec.json.encode(kept))
    return SamplePayer(Wallet(client, kept.device, mint), operator, kept.user_id, now_ns)


async def _registered(url: str, operator: NodeClient, device_id: str) -> _Kept:
    async with NodeClient(url) as door:
        await door.post("/v1/users/codes", {"phone": _PHONE})
        code = (await operator.get(f"/v1/operator/one-time-codes/{quote(_PHONE, safe='')}"))["code"]
        sent = {"phone": _PHONE, "code": code, "device_id": device_id, "device_name": "gateway"}
        signed = await door.post("/v1/users", {**sent, "name": NAME, "registration_id": device_id})
    user_id = signed["user"]["id"]
    tier = {"tier": "III", "evidence": "FACE_TO_FACE", "name": NAME}
    await _unless("TIER_NOT_RAISED", operator, f"/v1/operator/users/{user_id}/tier", tier)
    async with NodeClient(url, signed["token"]) as own:
        try:
            await own.put("/v1/pin", {"pin": PIN})
        except NodeRefused as refused:
            if refused.reason != "PIN_ALREADY_SET":
                raise
    return _Kept(token=signed["token"], user_id=user_id, device=Phone(device_id=device_id))


async def _unless(reason: str, operator: NodeClient, path: str, body: dict[str, Any]) -> None:
    try:
        await operator.post(path, body)
    except NodeRefused as refused:
        if refused.reason != reason:
            raise
