"""A subsidy for small merchants, over a real network: given by the payer's institution at merchants of another one, which says who is small."""

from functools import partial
from typing import Any

import pytest

from tests.network.street import Client, Street, Till, comes_to, decided, draft_campaign, new_id


def test_small_merchants_of_another_institution_are_subsidised(street: Street) -> None:
    small, large, ours = street.till("wei"), street.till("wei"), street.till("jing")
    _say(street, small, ["small", "old-town"], ["old-town"])
    _say(street, large, ["old-town"])
    _say(street, ours, ["small"])
    payer, stranger = street.payer("jing", 100_000), street.payer("wei", 100_000)
    desk = street.operator("jing")
    rows = [{"when": {"small": "true"}, "off": 300}, {"when": {"tag": "'old-town'"}, "off": 200}]
    campaign = _begun(desk, rows)
    try:
        quote = payer.quote(small.plate, 2_000)
        assert (quote["discount"], quote["discount_label"]) == (300, "立减")
        paid = payer.give(payer.order(quote, 2_000))
        assert (paid["state"], paid["paid"]) == ("COMPLETED", 1_700)
        assert payer.pay(large.plate, 2_000)["paid"] == 2_000, "its operator shares no word of it"
        assert payer.pay(ours.plate, 2_000)["paid"] == 1_700
        assert stranger.pay(small.plate, 2_000)["paid"] == 2_000, "a campaign is for its own people"
        assert small.charge(payer.payment_code(), 1_000)["state"] == "PAID"
        comes_to(partial(getattr, payer, "balance"), 100_000 - 1_700 - 2_000 - 1_700 - 700)
        assert small.refund(paid["payment_id"], 1_000)["state"] == "COMPLETED"
        comes_to(partial(getattr, payer, "balance"), 100_000 - 1_700 - 2_000 - 1_700 - 700 + 850)
        assert [each.get("facts") for each in payer.get("/v1/me/awards")] == [None] * 3, "that is for institutions"
        # From the next time somebody asks on, it is what its operator says now.
        _say(street, small, [])
        assert payer.pay(small.plate, 2_000)["paid"] == 2_000
        _say(street, large, ["old-town"], ["old-town"])
        assert payer.pay(large.plate, 2_000)["paid"] == 1_800
        awards = desk.get(f"/v1/operator/campaigns/{campaign}/awards")["awards"]
        told = {each["award_id"]: each["facts"]["merchant_said"] for each in awards if each.get("facts")}
        assert sorted((each["SmllInd"], tuple(each.get("Wrds", ()))) for each in told.values()) == [
            (False, ("old-town",)),
            (True, ("old-town",)),
            (True, ("old-town",)),
        ]
    finally:
        desk.post(f"/v1/operator/campaigns/{campaign}/end")


def test_one_shop_of_another_institution_is_named_by_what_it_said_before(street: Street) -> None:
    chosen, other = street.till("wei"), street.till("wei")
    payer, desk = street.payer("jing", 100_000), street.operator("jing")
    campaign = _begun(desk, [{"when": {"merchant": f"'wei/{chosen.merchant_id}'"}, "off": 250}])
    try:
        assert [payer.pay(each.plate, 2_000)["paid"] for each in (chosen, other)] == [1_750, 2_000]
    finally:
        desk.post(f"/v1/operator/campaigns/{campaign}/end")


@pytest.mark.parametrize("node", ["jing", "wei"])
def test_a_merchants_own_discount_is_given_where_it_scans_a_code_of_any_wallet(street: Street, node: str) -> None:
    till = street.till("wei")
    campaign = street.own_campaign(till, {"rows": [{"off": 150, "when": {"amount": ">= 1000"}}]})
    payer, careful, frugal = (street.payer(node, 200_000, pin=True, tier="III") for _ in range(3))
    charged = till.charge(payer.payment_code(), 2_000)
    assert (charged["state"], charged["amount"], charged["payee_discount"]) == ("PAID", 2_000, 150)
    comes_to(partial(getattr, payer, "balance"), 200_000 - 1_850)
    asked = till.charge(careful.payment_code(), 150_000)
    assert (asked["state"], asked["payee_discount"]) == ("WAITING", 150)
    (waiting,) = careful.get("/v1/requests-to-pay")
    assert (waiting["amount"], waiting["payee_discount"]) == (150_000, 150)
    priced = careful.post(f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/quote", {})
    assert (priced["amount"], priced["payee_discount"], priced["creditor"]) == (150_000, 150, waiting["creditor"])
    token = careful.pin_token(waiting["payment_id"], waiting["amount"], waiting["creditor"])
    path = f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/approve"
    paid = decided(lambda: careful.post(path, {"pin_token": token, "quote_id": priced["quote_id"]}))
    assert (paid["state"], paid["paid"]) == ("COMPLETED", 149_850)
    assert till.charge(frugal.payment_code(), 999)["payee_discount"] == 0
    balances = [partial(getattr, each, "balance") for each in (careful, frugal)]
    for balance, left in zip(balances, (200_000 - 149_850, 200_000 - 999), strict=True):
        comes_to(balance, left)
    assert till.get(f"/v1/merchant/campaigns/{campaign}")["left"] == 2_000 - 300
    assert till.refund(paid["payment_id"], 150_000)["state"] == "COMPLETED"
    comes_to(lambda: till.get(f"/v1/merchant/campaigns/{campaign}")["left"], 2_000 - 150)
    till.post(f"/v1/merchant/campaigns/{campaign}/end", {})


def _say(street: Street, till: Till, words: list[str], shared: list[str] | None = None) -> None:
    path = f"/v1/operator/merchants/{till.merchant_id}/tags"
    body = {"words": words} | ({"shared": shared} if shared else {})
    assert street.operator(till.node).put(path, body) == body | {"words": sorted(words)}


def _begun(desk: Client, rows: list[dict[str, Any]]) -> str:
    sponsor = desk.post(
        "/v1/operator/sponsors", {"reference": new_id("ref"), "kind": "OUTSIDE", "name": "小微商户补贴"}
    )["sponsor_id"]
    desk.post(f"/v1/operator/sponsors/{sponsor}/deposits", {"deposit_id": new_id("dep"), "amount": 100_000})
    terms = {"rules": {"rows": rows}, "holdout_bps": 0}
    body = draft_campaign(
        kind="DISCOUNT", side="PAYER", sponsors=[{"sponsor_id": sponsor}], terms=terms, budget=100_000
    )
    made: str = desk.post("/v1/operator/campaigns", body)["campaign_id"]
    assert desk.post(f"/v1/operator/campaigns/{made}/start")["state"] == "RUNNING"
    return made
