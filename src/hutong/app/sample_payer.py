"""Somebody with a wallet and money, to pay what merchants' software asks for in a network for trying out."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from hutong.app.node_client import NodeClient, NodeRefused
from hutong.app.wallet import Phone, Wallet
from hutong.codes.payment_code import STEP_NS
from hutong.kernel.clock import NS_PER_MS, NS_PER_S, ManualClock
from hutong.kernel.ids import IdMint, system_randomness

PIN, WRONG_PIN = "483915", "000000"
NAME = "过路人"
_PHONE = "+861370000{number:04}"
_PURSE_MINOR = 5_000_000  # Filled up to this when less than a tenth is left.


class _Kept(msgspec.Struct, kw_only=True):
    """Who it is at one institution, kept between commands."""

    token: str
    user_id: str
    device: Phone
    shown_step: int = 0  # Of the last payment code: each is good once.

    def __repr__(self) -> str:
        return f"_Kept({self.user_id})"


@dataclass(frozen=True, slots=True)
class SamplePayer:
    """One at one institution. `operator` is the institution's: who lets people in and pays their money in."""

    wallet: Wallet
    operator: NodeClient
    kept: _Kept
    file: Path
    now_ns: int

    async def fill(self, amount: int) -> None:
        """Have enough for `amount`."""
        if await self.wallet.balance() < max(amount, _PURSE_MINOR // 10):
            body = {
                "pay_in_id": self.wallet.new_id("pin"),
                "user_id": self.kept.user_id,
                "amount": max(amount, _PURSE_MINOR),
            }
            await self.operator.post("/v1/operator/pay-ins", body)

    async def payment_code(self) -> str:
        """What a till may scan now: another one each time, for which it may have to wait a while."""
        await self.fill(0)
        await self.wallet.fetch_payment_code_keys()
        step = max(self.now_ns // STEP_NS, self.kept.shown_step + 1)
        # A till takes the code of a phone whose clock is a little fast.
        await asyncio.sleep(max(0, (step - 1) * STEP_NS - self.now_ns) / NS_PER_S)
        self.kept.shown_step = step
        _keep(self.file, self.kept)
        return self.wallet.phone.payment_code(step * STEP_NS)

    async def decline(self, waiting: dict[str, Any]) -> dict[str, Any]:
        """Say no to a till that scanned the payment code."""
        path = f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/decline"
        answer: dict[str, Any] = await self.wallet.client.post(path)
        return answer


async def sample_payer(
    directory: Path, url: str, node: str, operator: NodeClient, *, number: int = 1, tier: str = "III"
) -> SamplePayer:
    """One of those at this node: registered when first asked for, and known as well as `tier` says. Refuses what the node refuses."""
    now_ns = (await operator.get("/v1/sandbox/clock"))["now_ms"] * NS_PER_MS
    mint = IdMint(ManualClock(now_ns), system_randomness())
    file = directory / f"payer-{node}-{number}.json"
    kept = msgspec.json.decode(file.read_bytes(), type=_Kept) if file.exists() else None
    if kept is not None:
        client = NodeClient(url, kept.token)
        try:
            await client.get("/v1/users/me")
        except NodeRefused:
            await client.close()  # Another network's, or signed out since.
            kept = None
    if kept is None:
        phone = _PHONE.format(number=number)
        kept = await _registered(url, operator, phone, Wallet(operator, Phone(device_id=""), mint).new_id("dev"), tier)
        client = NodeClient(url, kept.token)
        _keep(file, kept)
    return SamplePayer(Wallet(client, kept.device, mint), operator, kept, file, now_ns)


def _keep(file: Path, kept: _Kept) -> None:
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(msgspec.json.encode(kept))


async def _registered(url: str, operator: NodeClient, phone: str, device_id: str, tier: str) -> _Kept:
    async with NodeClient(url) as door:
        await door.post("/v1/users/codes", {"phone": phone})
        code = (await operator.get(f"/v1/operator/one-time-codes/{quote(phone, safe='')}"))["code"]
        sent = {"phone": phone, "code": code, "device_id": device_id, "device_name": "gateway"}
        try:
            signed = await door.post("/v1/users", {**sent, "name": NAME, "registration_id": device_id})
        except NodeRefused as refused:
            if refused.reason != "PHONE_TAKEN":
                raise
            signed = await door.post("/v1/sessions", sent)  # Only what was kept of them here is gone.
    user_id = signed["user"]["id"]
    known = {"tier": tier, "evidence": "FACE_TO_FACE", "name": NAME}
    await _unless("TIER_NOT_RAISED", operator, f"/v1/operator/users/{user_id}/tier", known)
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
