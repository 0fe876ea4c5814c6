"""Daily draws as a stranger, a payer and an operator meet them over HTTP."""

from pathlib import Path
from typing import Any

import msgspec

from hutong.cli.main import run
from tests.institution.payments.test_http import Jing
from tests.marketing.campaigns.test_api import DAY_MS, draft, jing, new_id, operator, plate, sponsor

__all__ = ["jing"]


async def drawing(jing: Jing) -> str:
    """A campaign of draws that runs, with its first gate published."""
    ends = jing.clock.now_ns() // 1_000_000 + 7 * DAY_MS
    body = draft(
        jing,
        name="天天减",
        kind="DRAW",
        sponsors=[{"sponsor_id": await sponsor(jing, 100_000)}],
        budget=100_000,
        terms={"caps": {"day": 20_000}, "holdout_bps": 0},
        ends_at_ms=ends,
    )
    made = await operator(jing, "POST", "/campaigns", body, 201)
    started = await operator(jing, "POST", f"/campaigns/{made['campaign_id']}/start")
    assert started["state"] == "RUNNING"
    tick(jing, 1)
    id_: str = made["campaign_id"]
    return id_


def tick(jing: Jing, seconds: int) -> None:
    jing.clock.advance(seconds=seconds)
    jing.institution.tick()


async def test_a_payer_is_shown_the_draw_pays_with_it_and_verifies_it_after_the_day(jing: Jing, tmp_path: Path) -> None:
    id_ = await drawing(jing)
    payer, merchant = await jing.user("+8613800138000", 100_000), await jing.merchant()
    code = await plate(merchant)
    quote = await payer.post("/v1/codes/consult", 200, {"code": code, "amount": 10_000})
    assert quote["discount"] >= 10
    assert quote["discount_parts"][0]["label"] == "天天减"
    body = {"payment_id": new_id(jing, "pay"), "quote_id": quote["quote_id"], "amount": 10_000}
    paid = await payer.post("/v1/payments", 200, body)
    assert paid["paid"] == 10_000 - quote["discount"]
    (own,) = await payer.get("/v1/me/draws")
    assert (own["payment_id"], own["receipt"]["given"], own["is_revealed"]) == (
        body["payment_id"],
        quote["discount"],
        False,
    )
    told = await operator(jing, "GET", f"/campaigns/{id_}/pacing")
    assert (told["given"], told["budget"]) == (quote["discount"], 20_000)
    tick(jing, 17 * 3600)
    (own,) = await payer.get("/v1/me/draws")
    assert own["is_revealed"]
    record, receipt = tmp_path / "day.json", tmp_path / "receipt.json"
    record.write_bytes(msgspec.json.encode(await stranger(jing, f"/{id_}/days/2026-01-01")))
    receipt.write_bytes(msgspec.json.encode(own["receipt"]))
    assert run(["draw", "verify", str(record)]) == 0
    assert run(["draw", "verify", str(record), "--receipt", str(receipt)]) == 0


async def test_what_is_published_is_for_everybody(jing: Jing) -> None:
    id_ = await drawing(jing)
    (shown,) = await stranger(jing, "")
    assert shown == await stranger(jing, f"/{id_}")
    assert shown["terms"]["distribution"]["bands"][-1]["high"] == 3_000
    log = await stranger(jing, f"/{id_}/log")
    assert [each["kind"] for each in log["entries"]] == ["commitments", "day", "slot", "slot"]
    assert log["entries"][-1]["hash"] == shown["head"]
    rest = await stranger(jing, f"/{id_}/log?after=2")
    assert (rest["before"], len(rest["entries"])) == (log["entries"][1]["hash"], 2)
    assert (await stranger(jing, f"/{new_id(jing, 'cmp')}", 404))["reason"] == "DRAW_CAMPAIGN_UNKNOWN"
    assert (await stranger(jing, f"/{id_}/days/2025-12-31", 404))["reason"] == "DRAW_DAY_UNKNOWN"


async def test_a_phrase_of_ones_own_is_kept_for_tomorrow(jing: Jing) -> None:
    payer = await jing.user("+8613800138000")
    for _ in range(2):
        told = await payer.put("/v1/me/draws/phrase", 200, {"phrase": "开门大吉"})
        assert told == {"phrase": "开门大吉", "from_day": "2026-01-02"}
    refused = await payer.put("/v1/me/draws/phrase", 400, {"phrase": "x" * 65})
    assert (refused["reason"], refused["facts"]["field"]) == ("TEXT_TOO_LONG", "phrase")


async def stranger(jing: Jing, path: str, status: int = 200) -> Any:
    return await jing.said("GET", f"/v1/draws{path}", status)
