"""What the samples' marketing is to have left behind, asked of the APIs as those would who look at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hutong.app.node_client import NodeClient
from hutong.app.sample_offers import (
    AFTERNOON,
    BOOKMARK,
    CAKE,
    COUPONS,
    DAILY,
    FLOWERS_OFF,
    INVITING,
    JING,
    JOINED,
    OWN,
    PACKETS,
    PROMOTIONS,
    SLOW_OFF,
    SMALL_SHOPS,
    VOUCHERS,
)
from hutong.app.samples import CHEN, HAN, LI, Resident
from hutong.app.up import RunningNetwork
from hutong.kernel.clock import SystemClock, instant
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.marketing.draws.record import DayRecord, Receipt
from hutong.marketing.draws.verification import verify_day, verify_receipt
from hutong.marketing.effects.effect import UNITS_MIN

_ZONE = ZoneInfo("Asia/Shanghai")
_TOKENS: dict[str, str] = {}  # Of the one network that this is asked of, which is started twice.


@asynccontextmanager
async def signed_in(running: RunningNetwork, who: Resident) -> AsyncIterator[NodeClient]:
    """Somebody's wallet on a phone of its own, signed in once: another code would be texted a minute later."""
    node = running[who.node]
    if who.key not in _TOKENS:
        _TOKENS[who.key] = await _token(running, who)
    async with NodeClient(node.url, _TOKENS[who.key]) as wallet:
        yield wallet


async def _token(running: RunningNetwork, who: Resident) -> str:
    node = running[who.node]
    async with NodeClient(node.url) as door:
        await door.post("/v1/users/codes", {"phone": who.phone})
        sandbox = node.site.sandbox
        assert sandbox is not None
        device = id_text("dev", IdMint(SystemClock(), system_randomness()).mint())
        sent = {"phone": who.phone, "code": sandbox.one_time_code(who.phone), "device_id": device}
        return str((await door.post("/v1/sessions", {**sent, "device_name": "test"}))["token"])


@asynccontextmanager
async def operating(running: RunningNetwork, node: str) -> AsyncIterator[NodeClient]:
    async with NodeClient(running[node].url, running[node].operator_token) as desk:
        yield desk


async def campaigns(running: RunningNetwork) -> dict[str, dict[str, Any]]:
    """All there are at both institutions, by name: each once."""
    found: list[dict[str, Any]] = []
    for node in dict.fromkeys(each.node for each in PROMOTIONS):
        async with operating(running, node) as desk:
            found += await desk.get("/v1/operator/campaigns")
    names = [each["name"] for each in found]
    assert sorted(names) == sorted([OWN.name, *(each.name for each in PROMOTIONS)])
    return dict(zip(names, found, strict=True))


async def all_is_there(running: RunningNetwork) -> None:
    """Everything that a visitor is told to look at."""
    found = await campaigns(running)
    for each in found.values():
        assert each["state"] == "RUNNING", each
        assert each["given"] > 0, each
    await _effects_have_intervals(running, found[SMALL_SHOPS.name])
    await _yesterday_can_be_verified(running, found[DAILY.name])
    await _a_programme_is_to_be_joined(running, found[AFTERNOON.name], found[OWN.name])
    async with signed_in(running, LI) as li:
        await _coupons_are_of_several_kinds(li)
        await _one_friend_is_paid_for_and_one_waits(li)
        await _own_draw_holds(running, li, found[DAILY.name])
        await _packets_are_open_and_claimed(li)
    async with signed_in(running, CHEN) as chen:
        (given,) = await chen.get("/v1/me/coupons")
        assert (given["label"], given["state"], given["was_given"]) == (SLOW_OFF.name, "REDEEMED", True)
    async with signed_in(running, HAN) as han:
        (claimed,) = await han.get("/v1/me/red-packets", role="sent")
        assert (claimed["state"], claimed["claimed_count"]) == ("EMPTY", claimed["count"])
        assert claimed["seed"]


async def _effects_have_intervals(running: RunningNetwork, campaign: dict[str, Any]) -> None:
    async with operating(running, SMALL_SHOPS.node) as desk:
        effects = await desk.get(f"/v1/operator/campaigns/{campaign['campaign_id']}/effects")
        page = await desk.get(f"/v1/operator/campaigns/{campaign['campaign_id']}/awards", limit=200)
    payments = effects["payments"]
    assert min(payments["treated"], payments["held_out"]) >= UNITS_MIN
    assert payments["verdict"] == "MORE"
    assert payments["low"] < payments["difference"] < payments["high"]
    assert effects["amount"]["low"] < effects["amount"]["high"]
    assert len(effects["days"]) >= 5
    assert sum(each["given"] for each in effects["days"]) == effects["given"]
    assert len(page["awards"]) > UNITS_MIN
    shares = {each["proportion"] for each in campaign["sponsors"]}
    assert shares == {share for _, share in SMALL_SHOPS.sponsors}


async def _yesterday_can_be_verified(running: RunningNetwork, campaign: dict[str, Any]) -> None:
    yesterday = instant(SystemClock().now_ns()).astimezone(_ZONE).date() - timedelta(days=1)
    async with NodeClient(running[DAILY.node].url) as anybody:
        path = f"/v1/draws/{campaign['campaign_id']}/days/{yesterday}"
        record = msgspec.convert(await anybody.get(path), DayRecord)
    findings = verify_day(record)
    assert [each.text for each in findings if not each.holds] == []
    assert len(record.draws) >= 2


async def _own_draw_holds(running: RunningNetwork, li: NodeClient, campaign: dict[str, Any]) -> None:
    newest = (await li.get("/v1/me/draws"))[0]
    assert newest["is_revealed"]
    receipt = msgspec.convert(newest["receipt"], Receipt)
    async with NodeClient(running[DAILY.node].url) as anybody:
        path = f"/v1/draws/{campaign['campaign_id']}/days/{receipt.day}"
        record = msgspec.convert(await anybody.get(path), DayRecord)
    assert [each.text for each in verify_receipt(receipt, record) if not each.holds] == []


async def _a_programme_is_to_be_joined(running: RunningNetwork, programme: dict[str, Any], own: dict[str, Any]) -> None:
    assert programme["given_times"] == 3 * len(JOINED)
    async with operating(running, OWN.stall.node) as desk:
        keys = f"/v1/operator/merchants/{own['merchant_id']}/keys"
        token = (await desk.post(keys, {"name": "test"}))["token"]
    async with NodeClient(running[OWN.stall.node].url, token) as till:
        (open_,) = await till.get("/v1/merchant/programmes")
        assert (open_["name"], open_["joined"], open_["merchants"]) == (AFTERNOON.name, False, len(JOINED))
        takings = {each["name"]: each for each in await till.get("/v1/merchant/takings")}
    assert set(takings) == {OWN.name, SMALL_SHOPS.name}
    assert takings[OWN.name]["is_own"]
    assert all(each["given"] for each in takings.values())


async def _coupons_are_of_several_kinds(li: NodeClient) -> None:
    mine = {each["label"]: each for each in await li.get("/v1/me/coupons")}
    assert {name: each["state"] for name, each in mine.items()} == {
        SLOW_OFF.name: "REDEEMED",
        FLOWERS_OFF.name: "AVAILABLE",
        CAKE.name: "AVAILABLE",
    }
    left_ms = mine[FLOWERS_OFF.name]["valid_until_ms"] - SystemClock().now_ns() // 1_000_000
    assert 0 < left_ms <= 86_400_000
    assert [each["label"] for each in await li.get("/v1/me/coupons/offers")] == [BOOKMARK.name]
    assert [each["name"] for each in await li.get("/v1/me/offers")] == [DAILY.name, COUPONS.name, INVITING.name]


async def _one_friend_is_paid_for_and_one_waits(li: NodeClient) -> None:
    (inviting,) = (await li.get("/v1/me/invitations"))["campaigns"]
    assert [each["state"] for each in inviting["friends"]] == ["PAID", "HELD"]
    assert inviting["earned"] > 0
    assert inviting["held"] > 0


async def _packets_are_open_and_claimed(li: NodeClient) -> None:
    _, lucky, for_one = PACKETS
    (sent,) = await li.get("/v1/me/red-packets", role="sent")
    assert (sent["greeting"], sent["state"], sent["claimed_count"]) == (lucky.greeting, "OPEN", len(lucky.opened_by))
    (waiting,) = await li.get("/v1/me/red-packets", role="waiting")
    assert (waiting["greeting"], waiting["state"]) == (for_one.greeting, "OPEN")
    (got,) = await li.get("/v1/me/red-packets/claims")
    assert (got["state"], got["institution"]) == ("PAID", HAN.node)


async def packets_and_coupons_are_no_more(running: RunningNetwork) -> None:
    """Behind a second life: nothing of it was made twice."""
    async with signed_in(running, LI) as li:
        assert len(await li.get("/v1/me/red-packets", role="sent")) == 1
        assert len(await li.get("/v1/me/red-packets", role="waiting")) == 1
        assert len(await li.get("/v1/me/coupons")) == 3
    async with signed_in(running, HAN) as han:
        assert len(await han.get("/v1/me/red-packets", role="sent")) == 1
    async with operating(running, COUPONS.node) as desk:
        assert len(await desk.get("/v1/operator/coupon-templates")) == len(VOUCHERS)
        (sponsor,) = await desk.get("/v1/operator/sponsors")
        budgets = sum(each.budget_minor for each in PROMOTIONS if each.node == JING.node)
        assert sponsor["balance"] == JING.deposit_minor - budgets
