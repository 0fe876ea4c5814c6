"""A merchant's figures over a real network: equal to the balances of its account to the fen, whatever happened to it."""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.network.street import Street, Till, new_id, until
from tests.network.test_recalls import dispute_of

FIELDS = ("payments", "gross", "fees", "refunds", "refunded", "fees_back", "net", "other")


def today() -> str:
    return datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()


def figures(till: Till) -> list[dict[str, int | str]]:
    """Of today, and of yesterday in case midnight comes between."""
    first = (datetime.now(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)).isoformat()
    return list(till.get(f"/v1/merchant/figures?first={first}&last={today()}"))


def sums(hours: list[dict[str, int | str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for hour in hours:
        found.update({field: int(hour[field]) for field in FIELDS})
    return found


def test_figures_equal_the_account_with_fees_refunds_and_a_dispute(street: Street) -> None:
    till = street.till("wei", fee_bps=60)
    shop = till.post("/v1/shops", {"reference": "s1", "name": "一店", "city": "北京", "latin_city": "Beijing"})
    table = till.post("/v1/plates", {"reference": "table", "shop_id": shop["shop_id"]})["text"]
    payers = [street.payer(node, 30_000) for node in ("jing", "wei")]  # Across and on us.
    paid = [payer.pay(code, amount) for payer in payers for code, amount in ((till.plate, 1_999), (table, 2_345))]
    till.refund(paid[0]["payment_id"], 301)
    till.refund(paid[3]["payment_id"], 2_345)
    now = sums(figures(till))
    assert (now["payments"], now["gross"], now["refunds"], now["refunded"]) == (4, 8_688, 2, 2_646)
    assert (now["net"], now["other"]) == (till.balance, 0)

    disputed = payers[0].pay(till.plate, 3_000)
    desk, wei = street.operator("jing"), street.operator("wei")
    recall = {"recall_id": new_id("rcl"), "payment_id": disputed["payment_id"], "reason": "FRAD", "remark": "x"}
    desk.post("/v1/operator/recalls", recall)
    dispute = dispute_of(wei, disputed)
    set_aside = sums(figures(till))
    assert set_aside["other"] == -dispute["blocked"]
    assert set_aside["net"] + set_aside["other"] == till.balance
    wei.post(f"/v1/operator/disputes/{dispute['dispute_id']}/accept", {"amount": 1_000})
    path = f"/v1/operator/recalls/{recall['recall_id']}"
    assert until(lambda: desk.get(path), lambda seen: seen["state"] == "RETURNED")["accepted"] == 1_000
    ended = sums(figures(till))
    assert ended["net"] + ended["other"] == till.balance
    bill = till.get(f"/v1/merchant/bills/{today()}")
    assert bill["agrees"]
    assert till.balance == bill["opening"] + bill["net"] + bill["other"]


def test_a_key_of_one_shop_sees_that_shops_figures_alone(street: Street) -> None:
    till, payer = street.till("wei"), street.payer("wei", 10_000)
    shop = till.post("/v1/shops", {"reference": "s1", "name": "一店", "city": "北京", "latin_city": "Beijing"})[
        "shop_id"
    ]
    table = till.post("/v1/plates", {"reference": "table", "shop_id": shop})["text"]
    payer.pay(till.plate, 1_000)
    payer.pay(table, 2_000)
    key = till.post("/v1/keys", {"role": "READER", "name": "r", "shop_id": shop})["token"]
    reader = Till(till.url, key, "wei")
    street.clients.append(reader)
    assert {hour.get("shop_id", "") for hour in figures(till)} == {"", shop}
    seen = figures(reader)
    assert {hour["shop_id"] for hour in seen} == {shop}
    assert sums(seen)["gross"] == 2_000


def test_days_that_are_none_are_refused(street: Street) -> None:
    till = street.till("jing")
    for first, last, reason in (
        ("2026-02-30", "2026-03-01", "DAY_MALFORMED"),
        ("2026-03-02", "2026-03-01", "DAYS_REVERSED"),
        ("2020-01-01", "2026-03-01", "DAYS_TOO_MANY"),
    ):
        path = f"/v1/merchant/figures?first={first}&last={last}"
        assert till.refused(path, method="GET")["reason"] == reason
    assert till.get("/v1/merchant/figures?first=2020-01-01&last=2020-01-31") == []
