"""A daily draw and a merchant's own campaign over a real network: published, given, counted off PostgreSQL's rows."""

from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hutong.cli.main import run
from tests.network.street import Client, Street, Till, comes_to, draft_campaign, new_id, until

DAY_MS = 86_400_000


def test_a_draw_is_published_given_and_counted(
    street: Street, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = street.operator("jing")
    # Nearly all of the day's budget is for its first hour: whenever this runs, there is enough left of the plan.
    more = {"hours": [1_000_000] + [1] * 23}
    id_ = _begun(desk, "DRAW", "PAYER", {"caps": {"day": 20_000}, "holdout_bps": 0, "more": more})
    public = street.stranger("jing")
    shown = until(lambda: public.ask("GET", f"/v1/draws/{id_}"), lambda found: found.status_code == 200).json()
    assert shown["terms"]["budget"] == 20_000
    try:
        payers = [street.payer("jing", 30_000) for _ in range(3)]
        tills = [street.till("wei"), street.till("jing")]
        paid = [payer.pay(tills[at % 2].plate, 5_000) for at, payer in enumerate(payers)]
        given = sum(5_000 - each["paid"] for each in paid)
        assert given >= 30
        assert payers[0].pay(tills[0].plate, 5_000)["paid"] == 5_000
        (own,) = payers[0].get("/v1/me/draws")
        assert own["receipt"]["given"] == 5_000 - paid[0]["paid"]
        path = f"/v1/operator/campaigns/{id_}"
        assert desk.get(f"{path}/pacing")["given"] == given
        effects = until(lambda: desk.get(f"{path}/effects"), lambda found: found["payments"]["treated"] == 3)
        assert (effects["given"], effects["new_payers"], effects["payments"]["treated_mean"]) == (given, 3, 1_333)
        assert effects["repeat_bps"] == 3_333
        (takings,) = tills[1].get("/v1/merchant/takings")
        assert (takings["payments"], takings["amount"], takings["is_own"]) == (1, 5_000, False)
        assert takings["given"] == 5_000 - paid[1]["paid"]
        _given_back(desk, path, tills, paid)
    finally:
        desk.post(f"{path}/end")
    # Its day is not over: there is no seed yet, and the verifier says so of an otherwise sound record.
    record = tmp_path / "day.json"
    day = own["receipt"]["day"]
    assert run(["draw", "show", id_, "--url", public.url]) == 0
    assert shown["days"][0]["commitment"] in capsys.readouterr().out
    assert run(["draw", "show", id_, day, "--url", public.url, "--save", str(record)]) == 0
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(msgspec.json.encode(own["receipt"]))
    capsys.readouterr()
    assert run(["draw", "verify", str(record), "--receipt", str(receipt)]) == 1
    said = capsys.readouterr()
    assert "DRAW_SEED_NOT_REVEALED" in said.err
    assert "differs" not in said.out


def _given_back(desk: Client, path: str, tills: list[Till], paid: list[dict[str, Any]]) -> None:
    """All of one payment, at a till here, and a part of one at a till elsewhere: a payer less, and figures less by that."""
    assert tills[1].refund(paid[1]["payment_id"], 5_000)["state"] == "COMPLETED"
    assert tills[0].refund(paid[0]["payment_id"], 2_000)["state"] == "COMPLETED"
    effects = until(lambda: desk.get(f"{path}/effects"), lambda found: found["amount"]["treated_mean"] == 4_333_333)
    assert (effects["payments"]["treated_mean"], effects["gross_payments"]["treated_mean"]) == (1_000, 1_333)
    assert effects["gross_amount"]["treated_mean"] == 6_666_667
    assert (effects["new_payers"], effects["cost_per_new_payer"]) == (2, -(-effects["given"] // 2))
    (takings,) = tills[1].get("/v1/merchant/takings")
    assert (takings["amount"], takings["refunded"], takings["returned"]) == (5_000, 5_000, takings["given"])


def test_a_merchant_reads_what_itsown_campaign_brought(street: Street) -> None:
    till, payers = street.till("wei", 0), [street.payer(node, 30_000) for node in ("jing", "wei")]
    payers[0].pay(till.plate, 5_000)
    till.post("/v1/merchant/budget/deposits", {"deposit_id": new_id("dep"), "amount": 2_000})
    body = draft_campaign(terms={"rules": {"rows": [{"off": 100}]}, "holdout_bps": 0}, budget=2_000)
    id_ = till.post("/v1/merchant/campaigns", body)["campaign_id"]
    till.post(f"/v1/merchant/campaigns/{id_}/start", {})
    for payer in payers:
        code = till.post("/v1/payment-requests", {"reference": payer.user_id, "amount": 3_000})["code"]
        assert payer.pay(code, 3_000)["paid"] == 2_900
    found = until(
        lambda: till.get(f"/v1/merchant/campaigns/{id_}/effects"), lambda seen: seen["payments"]["treated"] == 1
    )
    assert (found["unit"], found["given"], found["times"]) == ("shop_hour", 200, 2)
    assert found["payments"]["treated_mean"] >= 2_000
    (takings,) = till.get("/v1/merchant/takings")
    assert takings == {
        "campaign_id": id_,
        "name": "立减",
        "is_own": True,
        "payments": 2,
        "amount": 6_000,
        "refunded": 0,
        "given": 200,
        "returned": 0,
    }
    stranger = street.till("wei")
    assert stranger.refused(f"/v1/merchant/campaigns/{id_}/effects", method="GET")["reason"] == "CAMPAIGN_UNKNOWN"


def test_a_merchants_own_discount_on_its_plate_is_shown_paid_and_given_back_from_any_wallet(street: Street) -> None:
    till, payers = street.till("wei", 0), [street.payer(node, 30_000) for node in ("jing", "wei")]
    assert not payers[0].quote(till.plate)["asks_amount"]
    till_id = street.own_campaign(till, {"rows": [{"bps": 1_000, "max": 500, "when": {"amount": ">= 1000"}}]})
    for payer in payers:
        first = payer.quote(till.plate)
        assert (first["amount"], first["payee_discount"], first["asks_amount"]) == (0, 0, True)
        quote = payer.quote(till.plate, 3_000)
        assert (quote["amount"], quote["payee_discount"]) == (0, 300)
        wrong = payer.refused("/v1/payments", payer.order(quote, 3_001))
        assert (wrong["reason"], wrong["facts"]["quoted"]) == ("QUOTED_FOR_ANOTHER_AMOUNT", 3_000)
        paid = payer.give(payer.order(quote, 3_000))
        assert (paid["state"], paid["paid"], payer.balance) == ("COMPLETED", 2_700, 27_300)
        assert till.refund(paid["payment_id"], 1_000)["state"] == "COMPLETED"
        comes_to(partial(getattr, payer, "balance"), 28_200)
    (takings,) = until(lambda: till.get("/v1/merchant/takings"), lambda seen: seen[0]["returned"] == 200)
    assert (
        takings["campaign_id"],
        takings["payments"],
        takings["refunded"],
        takings["given"],
        takings["returned"],
    ) == (
        till_id,
        2,
        2_000,
        600,
        200,
    )


def _begun(desk: Client, kind: str, side: str, terms: dict[str, Any]) -> str:
    sponsor = desk.post(
        "/v1/operator/sponsors", {"reference": new_id("ref"), "kind": "INSTITUTION", "name": "互通消费节"}
    )
    path = f"/v1/operator/sponsors/{sponsor['sponsor_id']}"
    desk.post(f"{path}/deposits", {"deposit_id": new_id("dep"), "amount": 100_000})
    sponsors = [{"sponsor_id": sponsor["sponsor_id"]}]
    body = draft_campaign(kind=kind, side=side, sponsors=sponsors, terms=terms, budget=100_000)
    made: str = desk.post("/v1/operator/campaigns", body)["campaign_id"]
    assert desk.post(f"/v1/operator/campaigns/{made}/start")["state"] == "RUNNING"
    return made
