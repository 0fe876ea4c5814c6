"""Inviting over a real network: from the operator's campaign to the reward on the inviter's statement, and an appeal."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.network.audit import audit_when_quiet
from tests.network.street import Client, Payer, Street, new_id

TERMS = {
    "steps": [{"friends": 1, "total": 800}, {"friends": 2, "total": 1_800}],
    "hold_hours": 0,
    "weights": {"SAME_SHOP": 0, "SHARED_FUNDING": 1_000},
}


def campaign(street: Street, **terms: Any) -> str:
    """A campaign of jing's that rewards inviting."""
    operator, campaign_id = street.operator("jing"), new_id("cmp")
    body = {"reference": new_id("s"), "kind": "INSTITUTION", "name": "胡同钱包"}
    sponsor = operator.post("/v1/operator/sponsors", body)["sponsor_id"]
    operator.post(f"/v1/operator/sponsors/{sponsor}/deposits", {"deposit_id": new_id("dep"), "amount": 100_000})
    draft: dict[str, Any] = {
        "campaign_id": campaign_id,
        "name": "邀请有礼",
        "kind": "INVITE",
        "sponsors": [{"sponsor_id": sponsor}],
        "budget": 50_000,
        "terms": {"more": TERMS | terms, "holdout_bps": 0},
        "ends_at_ms": int(time.time() * 1000) + 86_400_000,
    }
    operator.post("/v1/operator/campaigns", draft)
    operator.post(f"/v1/operator/campaigns/{campaign_id}/start")
    return campaign_id


def friend(street: Street, code: str, bank: Payer | None = None) -> Payer:
    """Somebody who came by a code: known well enough, with an account at a bank and some money."""
    payer = street.payer("jing", 5_000, tier="II", invitation=code)
    street.link_bank(payer, bank)
    return payer


def within(look: Callable[[], Any], seconds: float = 60) -> Any:
    """What it finds, as soon as it finds something."""
    ends_at = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < ends_at:
        time.sleep(0.1)
    return found


def states(client: Client) -> list[str]:
    (found,) = [each for each in client.get("/v1/me/invitations")["campaigns"] if each["friends"]]
    return [each["state"] for each in found["friends"]]


def test_an_invited_friend_pays_and_the_inviter_is_rewarded_or_told_why_not(street: Street) -> None:
    campaign_id = campaign(street)
    operator, inviter, till = street.operator("jing"), street.payer("jing"), street.till("wei")
    invited = inviter.post("/v1/me/invitations", {"campaign_id": campaign_id})
    assert inviter.post("/v1/me/invitations", {"campaign_id": campaign_id}) == invited
    assert invited["link"].endswith(f"/i/{invited['code']}")
    told = street.stranger("jing").get(f"/v1/invitations/{invited['code']}")
    to_do = {"tier_min": 2, "amount_min": 500, "until_ms": 0, "qualify_days": 30}
    assert told == {"code": invited["code"], "invited_by": "*小明", "campaign": "邀请有礼", "to_do": to_do}
    page = street.stranger("jing").http.get(f"/i/{invited['code']}")
    assert page.status_code == 200
    assert "*小明" in page.text

    account = street.payer("yun")
    first = friend(street, invited["link"], account)
    assert first.get("/v1/me/invitations")["invited_by"] == "*小明"
    assert states(inviter) == ["JOINED"]
    first.pay(till.plate, 1_000)
    assert within(lambda: inviter.balance) == 800
    assert states(inviter) == ["PAID"]
    assert [line["kind"] for line in inviter.get("/v1/statement")["lines"]] == ["REWARD"]

    second = friend(street, invited["code"], account)  # The same account at the bank.
    second.pay(till.plate, 1_000)
    assert within(lambda: states(inviter)[1] == "REFUSED")
    (mine,) = [each for each in inviter.get("/v1/me/invitations")["campaigns"] if each["friends"]]
    refused = mine["friends"][1]
    assert (refused["name"], refused["reason"], refused["amount"]) == ("*小明", "COLLUSION_SUSPECTED", 0)
    assert "SHARED_FUNDING" not in str(mine)
    _appealed(street, operator, inviter, refused["referral_id"], campaign_id)
    assert inviter.balance == 1_800
    assert audit_when_quiet(street.database_url).wrong == []


def _appealed(street: Street, operator: Client, inviter: Payer, referral_id: str, campaign_id: str) -> None:
    path = f"/v1/me/invitations/{referral_id}/appeal"
    assert street.payer("jing").refused(path, {"words": "mine"})["reason"] == "REFERRAL_UNKNOWN"
    for _ in range(2):
        assert inviter.post(path, {"words": "他是我弟弟"})["state"] == "APPEALED"
    (shown,) = [
        each
        for each in operator.get(f"/v1/operator/invitations/appeals?campaign_id={campaign_id}")
        if each["referral_id"] == referral_id
    ]
    assert [each["name"] for each in shown["signals"]] == ["SHARED_FUNDING"]
    for _ in range(2):
        granted = operator.post(f"/v1/operator/invitations/{referral_id}/grant", {"remark": "一家人"})
    assert (granted["state"], granted["reward"]) == ("PAID", 1_000)
    figures = operator.get(f"/v1/operator/invitations/campaigns/{campaign_id}")
    assert (figures["friends"], figures["paid"], figures["states"]) == (2, 1_800, {"PAID": 2})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"code": "0000000000"}, "INVITATION_UNKNOWN"),
        ({"code": "x"}, "INVITATION_UNKNOWN"),
        ({}, "FIELD_INVALID"),
    ],
)
def test_a_code_that_is_none_is_refused_by_name(street: Street, body: dict[str, Any], reason: str) -> None:
    assert street.payer("jing").refused("/v1/me/invitations/accept", body)["reason"] == reason


def test_terms_that_make_no_sense_are_refused_when_they_are_written_down(street: Street) -> None:
    with pytest.raises(AssertionError, match="INVITATION_TERMS_INVALID"):
        campaign(street, steps=[])
