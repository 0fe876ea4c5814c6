"""A shopping festival: what an institution's campaigns give its people, of each kind one, at prices that no other test asks."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.network.street import Client, Street, new_id

AT = "[4100..4199]"  # What a payment must come to, so that other tests' payments cost what they say.
PRICE = 4_150
DAY_MS = 86_400_000
STEPS = [{"friends": 1, "total": 800}, {"friends": 2, "total": 1_800}]
INVITING = {"steps": STEPS, "hold_hours": 0, "weights": {"SAME_SHOP": 0, "SHARED_FUNDING": 1_000}}


@dataclass
class Festival:
    """Campaigns of one institution, by kind, and templates of coupons by name."""

    desk: Client
    sponsor: str = ""
    campaigns: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)

    def runs(self, kind: str, name: str, **terms: Any) -> str:
        """One that nobody is held out of."""
        draft = {
            "campaign_id": new_id("cmp"),
            "name": name,
            "kind": kind,
            "sponsors": [{"sponsor_id": self.sponsor}],
            "budget": 50_000,
            "terms": {"holdout_bps": 0} | terms,
            "ends_at_ms": int(time.time() * 1000) + 5 * DAY_MS,
        }
        made: str = self.desk.post("/v1/operator/campaigns", draft)["campaign_id"]
        assert self.desk.post(f"/v1/operator/campaigns/{made}/start")["state"] == "RUNNING"
        self.campaigns[kind] = made
        return made

    def offers(self, name: str, stock: int = 100, **terms: Any) -> str:
        """Coupons on offer."""
        body = {
            "template_id": new_id("ctp"),
            "campaign_id": self.campaigns["COUPON"],
            "name": name,
            "terms": {"validity": {"days": 5}} | terms,
            "stock": stock,
        }
        made: str = self.desk.post("/v1/operator/coupon-templates", body)["template_id"]
        self.templates[name] = made
        return made

    def end(self) -> None:
        """Nobody is given anything any more."""
        for campaign_id in self.campaigns.values():
            self.desk.post(f"/v1/operator/campaigns/{campaign_id}/end")


def festival(street: Street, node: str) -> Festival:
    """Money off, a daily draw, three coupons and rewards for inviting."""
    desk = street.operator(node)
    sponsor = {"reference": new_id("ref"), "kind": "INSTITUTION", "name": "城市消费节"}
    made = Festival(desk, desk.post("/v1/operator/sponsors", sponsor)["sponsor_id"])
    paid_in = {"deposit_id": new_id("dep"), "amount": 500_000}
    desk.post(f"/v1/operator/sponsors/{made.sponsor}/deposits", paid_in)
    made.runs("DISCOUNT", "小店立减", rules={"rows": [{"when": {"amount": AT}, "off": 100}]})
    # Nearly all of the day's budget is for its first hour: whenever this runs, there is enough left of the plan.
    more = {"hours": [1_000_000] + [1] * 23}
    made.runs("DRAW", "天天减", rules={"rows": [{"when": {"amount": AT}}]}, caps={"day": 20_000}, more=more)
    made.runs("COUPON", "早餐券")
    made.offers("满20减5", kind="AMOUNT_OFF", amount_off=500, threshold=2_000, transferable=True)
    made.offers("八折券", kind="PERCENT_OFF", percent_off_bps=2_000, cap=300, stacking={"exclusive": True})
    made.offers("满100减20", kind="AMOUNT_OFF", amount_off=2_000, threshold=10_000)
    made.runs("INVITE", "邀请有礼", more=INVITING)
    return made
