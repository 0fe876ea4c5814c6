"""A sponsor that is no merchant comes with a key of its own: it sees what its money does, and is asked before more of it goes."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from hutong.marketing.campaigns.sponsor_key import SPONSOR_KEYS
from hutong.runtime.pool import WorkerPool
from tests.institution.payments.test_http import OPERATOR, Jing, Phone
from tests.marketing.campaigns.test_api import draft, new_id, operator, plate
from tests.marketing.coupons.bazaar import FIVE_OFF

BREAKFAST = {"rules": {"rows": [{"when": {"amount": ">= 1000", "age_days": "< 900"}, "off": 100}]}, "holdout_bps": 0}


class Hall:
    """A city that pays in, and the key it holds."""

    def __init__(self, jing: Jing, id_: str) -> None:
        self.jing = jing
        self.id = id_
        self.token = ""

    async def issue(self, key_id: str = "", status: int = 201) -> Any:
        body = {"name": "市政府", "key_id": key_id}
        told = await operator(self.jing, "POST", f"/sponsors/{self.id}/keys", body, status)
        self.token = told.get("token") or self.token
        return told

    async def says(self, method: str, path: str, status: int = 200, body: Any = None, token: str = "") -> Any:
        headers = {"authorization": f"Bearer {token or self.token}"}
        return await self.jing.said(method, f"/v1/sponsor{path}", status, body, headers=headers)


@pytest.fixture
async def jing() -> AsyncIterator[Jing]:
    pool = WorkerPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        jing = Jing(pool)
        await jing.start(stack)
        yield jing


async def hall(jing: Jing, reference: str, amount: int = 1_000) -> Hall:
    body = {"reference": reference, "kind": "OUTSIDE", "name": f"消费节 {reference}"}
    told = await operator(jing, "POST", "/sponsors", body, 201)
    deposit = {"deposit_id": new_id(jing, "dep"), "amount": amount}
    await operator(jing, "POST", f"/sponsors/{told['sponsor_id']}/deposits", deposit)
    return Hall(jing, told["sponsor_id"])


async def drafted(jing: Jing, *shares: tuple[Hall, int], **fields: Any) -> str:
    sponsors = [{"sponsor_id": each.id, "proportion": proportion} for each, proportion in shares]
    made = await operator(jing, "POST", "/campaigns", draft(jing, sponsors=sponsors, **fields), 201)
    return str(made["campaign_id"])


async def pays(payer: Phone, code: str, amount: int = 1_000) -> str:
    quote = await payer.post("/v1/codes/consult", 200, {"code": code, "amount": amount})
    paid = {"payment_id": payer.new_id("pay"), "quote_id": quote["quote_id"], "amount": amount}
    await payer.post("/v1/payments", 200, paid)
    return str(paid["payment_id"])


async def test_a_key_is_shown_once_found_again_by_its_callers_id_and_kept_nowhere(jing: Jing) -> None:
    city = await hall(jing, "city")
    told = await city.issue("desk-1")
    assert told["token"].startswith(f"{told['key']['key_id']}_")
    assert await city.issue("desk-1") == told  # The answer may have been lost: for ten minutes it is told again.
    taken = await operator(jing, "POST", f"/sponsors/{city.id}/keys", {"name": "别人", "key_id": "desk-1"}, 409)
    assert (taken["reason"], taken["facts"]["field"]) == ("SPONSOR_KEY_TAKEN", "name")
    jing.clock.advance(seconds=601)
    assert (await city.issue("desk-1"))["token"] == ""
    (listed,) = await operator(jing, "GET", f"/sponsors/{city.id}/keys")
    assert listed == told["key"]
    assert (await city.says("GET", "/budget"))["balance"] == 1_000
    rows = await jing.node.store.scan(SPONSOR_KEYS)
    secret = told["token"].rpartition("_")[2]
    assert rows
    assert secret not in str(rows)
    noted = await jing.said("GET", "/v1/audit-log?limit=1000", 200, headers=OPERATOR)
    assert "POST /v1/operator/sponsors/{sponsor_id}/keys" in str(noted)
    assert secret not in str(noted)


async def test_every_issue_without_an_id_is_another_key_and_each_ends_for_itself(jing: Jing) -> None:
    city, other = await hall(jing, "city"), await hall(jing, "other")
    first, second = await city.issue(), await city.issue()
    assert first["token"] != second["token"]
    key_id = first["key"]["key_id"]
    unknown = await operator(jing, "POST", f"/sponsors/{other.id}/keys/{key_id}/revoke", {}, 404)
    assert unknown["reason"] == "SPONSOR_KEY_UNKNOWN"
    for _ in range(2):
        revoked = await operator(jing, "POST", f"/sponsors/{city.id}/keys/{key_id}/revoke", {})
        assert revoked["is_good"] is False
    assert (await city.says("GET", "/budget", 401, token=first["token"]))["reason"] == "KEY_REVOKED"
    assert (await city.says("GET", "/budget", token=second["token"]))["sponsor_id"] == city.id
    assert [each["is_good"] for each in await city.says("GET", "/keys")] == [False, True]


async def test_a_merchant_has_staff_keys_and_needs_none_of_these(jing: Jing) -> None:
    shop = await jing.merchant()
    own = await shop.get("/v1/merchant/budget")
    await shop.post("/v1/merchant/campaigns", 201, draft(jing))
    refused = await operator(jing, "POST", f"/sponsors/{own['sponsor_id']}/keys", {"name": "boss"}, 422)
    assert refused["reason"] == "SPONSOR_HAS_STAFF"
    refused = await operator(jing, "POST", f"/sponsors/{new_id(jing, 'spn')}/keys", {"name": "nobody"}, 404)
    assert refused["reason"] == "SPONSOR_UNKNOWN"


async def test_who_holds_a_key_renews_it_so_that_nobody_else_has_seen_it(jing: Jing) -> None:
    city, other = await hall(jing, "city"), await hall(jing, "other")
    told, others = await city.issue("desk-1"), await other.issue()
    path = f"/keys/{told['key']['key_id']}"
    for act in ("rotate", "revoke"):
        theirs = f"/keys/{others['key']['key_id']}/{act}"
        assert (await city.says("POST", theirs, 404, {}))["reason"] == "SPONSOR_KEY_UNKNOWN"
    jing.clock.advance(seconds=1)
    renewed = await city.says("POST", f"{path}/rotate", 200, {"rotation_id": "2026-11"})
    assert (await city.says("GET", "/budget", 401))["reason"] == "KEY_NOT_ACCEPTED"
    assert (await city.issue("desk-1"))["token"] == "", "the operator is not shown what the sponsor made"
    city.token = renewed["token"]
    assert await city.says("POST", f"{path}/rotate", 200, {"rotation_id": "2026-11"}) == renewed
    again = await city.says("POST", f"{path}/rotate", 200, {})
    assert again["token"] not in {told["token"], renewed["token"]}
    ended = await city.says("POST", f"{path}/revoke", 200, {}, again["token"])
    assert ended["is_good"] is False
    assert (await city.says("GET", "/budget", 401, token=again["token"]))["reason"] == "KEY_REVOKED"


async def test_nobody_but_who_pays_sees_or_says_anything(jing: Jing) -> None:
    """Invariant 8, at every address that the API has for sponsors: none is left out, for they are read off its description."""
    city, other = await hall(jing, "city"), await hall(jing, "other")
    revoked, told = await city.issue(), await city.issue()
    await other.issue()
    await operator(jing, "POST", f"/sponsors/{city.id}/keys/{revoked['key']['key_id']}/revoke", {})
    payer, shop = await jing.user("+8613800138000", 1_000), await jing.merchant()
    campaign_id = await drafted(jing, (city, 1))
    described = await jing.said("GET", "/docs/openapi.json", 200)
    asked = [
        (method, re.sub(r"^/v1/sponsor", "", path))
        for path, methods in described["paths"].items()
        for method in methods
        if path.startswith("/v1/sponsor/")
    ]
    assert len(asked) > 10
    tokens = {
        "a person": payer.headers["authorization"],
        "a merchant": shop.headers["authorization"],
        "an operator": OPERATOR["authorization"],
        "an ended key": f"Bearer {revoked['token']}",
        "its id alone": f"Bearer {told['key']['key_id']}",
        "a forged secret": f"Bearer {told['key']['key_id']}_{'A' * 43}",
        "another's secret": f"Bearer {told['key']['key_id']}_{other.token.rpartition('_')[2]}",
    }
    for method, path in asked:
        filled = path.format(campaign_id=campaign_id, key_id=told["key"]["key_id"])
        query = "?version=1" if path.endswith(("agree", "decline")) else ""
        for whose, token in tokens.items():
            headers = {"authorization": token}
            no = await jing.said(method.upper(), f"/v1/sponsor{filled}{query}", 401, headers=headers)
            assert no["reason"] in {"KEY_NOT_ACCEPTED", "KEY_REVOKED"}, (whose, path)
        assert (await jing.said(method.upper(), f"/v1/sponsor{filled}{query}", 401))["reason"] == "TOKEN_MISSING"
        if "{" in path:
            no = await other.says(method.upper(), f"{filled}{query}", 404)
            assert no["reason"] in {"CAMPAIGN_UNKNOWN", "SPONSOR_KEY_UNKNOWN"}, path
    assert await other.says("GET", "/campaigns") == []
    assert [each["campaign_id"] for each in await city.says("GET", "/campaigns")] == [campaign_id]
    headers = {"authorization": f"Bearer {city.token}"}
    for elsewhere in ("/v1/merchant/budget", "/v1/operator/sponsors", "/v1/balance"):
        assert (await jing.client.get(elsewhere, headers=headers)).status_code == 401
    own = (await shop.post("/v1/merchant/campaigns", 201, draft(jing)))["campaign_id"]
    assert (await city.says("GET", f"/campaigns/{own}", 404))["reason"] == "CAMPAIGN_UNKNOWN"
    assert (await city.says("GET", f"/campaigns/{own}/effects", 404))["reason"] == "CAMPAIGN_UNKNOWN"


async def test_who_holds_a_key_is_asked_before_its_money_goes_and_its_terms_stand(jing: Jing) -> None:
    city = await hall(jing, "city")
    id_ = await drafted(jing, (city, 1), budget=400)
    assert "waits_for" not in await operator(
        jing, "GET", f"/campaigns/{id_}"
    )  # The operator noted the money, and says.
    await city.issue()
    assert (await operator(jing, "GET", f"/campaigns/{id_}"))["waits_for"] == [city.id]
    refused = await operator(jing, "POST", f"/campaigns/{id_}/start", status=422)
    assert (refused["reason"], refused["facts"]) == ("CAMPAIGN_NOT_AGREED", {"sponsors": 1})
    (asked,) = await city.says("GET", "/campaigns")
    assert (asked["part"], asked["asked"], asked["agreed"], asked["version"]) == (400, True, False, 1)
    assert (await city.says("POST", f"/campaigns/{id_}/agree?version=2", 409))["reason"] == "CAMPAIGN_REVISED_SINCE"
    for verb, agreed in (("agree", True), ("decline", False), ("agree", True)):
        for _ in range(2):
            assert (await city.says("POST", f"/campaigns/{id_}/{verb}?version=1"))["agreed"] is agreed
    other = draft(jing)["terms"] | {"priority": 1}
    assert "waits_for" in await operator(jing, "PUT", f"/campaigns/{id_}/terms", other)
    assert (await operator(jing, "POST", f"/campaigns/{id_}/start", status=422))["reason"] == "CAMPAIGN_NOT_AGREED"
    await city.says("POST", f"/campaigns/{id_}/agree?version=2")
    told = await city.says("GET", f"/campaigns/{id_}")
    (key,) = await city.says("GET", "/keys")
    now_ms = jing.clock.now_ns() // 1_000_000
    assert (told["agreed_key_id"], told["agreed_at_ms"]) == (
        key["key_id"],
        now_ms,
    )  # Who might say they did not can look.
    agreed = (await operator(jing, "GET", f"/campaigns/{id_}"))["agreed"]
    assert agreed == [{"who": city.id, "at_ms": now_ms, "key_id": key["key_id"]}]
    assert [each["version"] for each in await city.says("GET", f"/campaigns/{id_}/versions")] == [1, 2]
    assert (await operator(jing, "POST", f"/campaigns/{id_}/start"))["state"] == "RUNNING"
    refused = await city.says("POST", f"/campaigns/{id_}/decline?version=2", 422)
    assert (refused["reason"], refused["facts"]["state"]) == ("CAMPAIGN_STATE_FORBIDS", "RUNNING")
    for key in await city.says("GET", "/keys"):
        await operator(jing, "POST", f"/sponsors/{city.id}/keys/{key['key_id']}/revoke", {})
    refused = await operator(jing, "PUT", f"/campaigns/{id_}/terms", draft(jing)["terms"] | {"priority": 2}, 422)
    assert refused["reason"] == "CAMPAIGN_TERMS_AGREED", "who agreed has agreed, also when the key is no more"


async def test_where_no_good_key_is_the_operator_says_as_before(jing: Jing) -> None:
    city = await hall(jing, "city")
    told = await city.issue()
    id_ = await drafted(jing, (city, 1), budget=400)
    assert (await operator(jing, "POST", f"/campaigns/{id_}/start", status=422))["reason"] == "CAMPAIGN_NOT_AGREED"
    await operator(jing, "POST", f"/sponsors/{city.id}/keys/{told['key']['key_id']}/revoke", {})
    assert (await operator(jing, "POST", f"/campaigns/{id_}/start"))["state"] == "RUNNING"
    await operator(jing, "PUT", f"/campaigns/{id_}/terms", draft(jing)["terms"] | {"priority": 2})
    await city.issue()  # From now on it is asked: what runs on its money runs by these terms.
    refused = await operator(jing, "PUT", f"/campaigns/{id_}/terms", draft(jing)["terms"], 422)
    assert refused["reason"] == "CAMPAIGN_TERMS_AGREED"


async def test_a_sponsor_sees_where_its_money_is_to_the_fen_and_nothing_of_people(jing: Jing) -> None:
    payer, shop = await jing.user("+8613800138000", 100_000), await jing.merchant()
    code = await plate(shop)
    city, brand = await hall(jing, "city"), await hall(jing, "brand")
    await city.issue()
    id_ = await drafted(jing, (city, 1), (brand, 2), budget=1_000, terms=BREAKFAST)
    await city.says("POST", f"/campaigns/{id_}/agree?version=1")
    await operator(jing, "POST", f"/campaigns/{id_}/start")
    payment_id = await pays(payer, code)
    shown = await city.says("GET", f"/campaigns/{id_}")
    told = ("part", "given_part", "back_part", "budget", "given", "given_times", "left")
    assert [shown[name] for name in told] == [333, 33, 0, 1_000, 100, 1, 900]
    (award,) = (await city.says("GET", f"/campaigns/{id_}/awards"))["awards"]
    (whole,) = (await operator(jing, "GET", f"/campaigns/{id_}/awards"))["awards"]
    assert (whole["person_id"], whole["row"]) == (payer.id, 1)
    assert award == {name: whole[name] for name in award}
    assert set(whole) - set(award) == {"campaign_id", "person_id", "row"}
    assert (award["payment_id"], award["amount"], award["state"]) == (payment_id, 100, "COMMITTED")
    jing.marketing.tick()  # Who met it is written down a moment later.
    jing.clock.advance(seconds=1)
    theirs = await operator(jing, "GET", f"/campaigns/{id_}/effects")
    assert await city.says("GET", f"/campaigns/{id_}/effects") == theirs
    assert (theirs["given"], theirs["new_payers"], theirs["cost_per_new_payer"]) == (100, 1, 100)
    assert (await city.says("GET", "/budget"))["balance"] == 667
    await operator(jing, "POST", f"/campaigns/{id_}/end")
    shown = await city.says("GET", f"/campaigns/{id_}")
    assert [shown[name] for name in told] == [333, 33, 300, 1_000, 100, 1, 0]
    moved = await city.says("GET", "/budget/movements")
    assert [(each["kind"], each["amount"], each.get("campaign_id", "")) for each in moved["movements"]] == [
        ("GIVEN_BACK", 300, id_),
        ("FUNDED", 333, id_),
        ("DEPOSIT", 1_000, ""),
    ]
    assert await operator(jing, "GET", f"/sponsors/{city.id}/movements") == moved
    first = await city.says("GET", "/budget/movements?limit=2")
    rest = await city.says("GET", f"/budget/movements?limit=2&cursor={first['next_cursor']}")
    assert first["movements"] + rest["movements"] == moved["movements"]
    assert rest["next_cursor"] is None
    everything = str([await city.says("GET", path) for path in await _reads(jing, id_)])
    for name in (payer.id, payer.id[4:], "王小明", "13800138000", brand.id, "brand", shop.id):
        assert name not in everything


async def _reads(jing: Jing, campaign_id: str) -> list[str]:
    described = await jing.said("GET", "/docs/openapi.json", 200)
    return [
        path.removeprefix("/v1/sponsor").format(campaign_id=campaign_id)
        for path, methods in described["paths"].items()
        if path.startswith("/v1/sponsor/") and "get" in methods
    ]


async def test_whoever_pays_for_coupons_reads_what_they_promise(jing: Jing) -> None:
    shop = await jing.merchant()
    city, brand = await hall(jing, "city"), await hall(jing, "brand")
    await city.issue()
    await brand.issue()
    sponsors = [{"sponsor_id": city.id, "proportion": 1}, {"merchant_id": shop.id, "proportion": 1}]
    body = draft(jing, sponsors=sponsors, kind="COUPON", terms={"holdout_bps": 0})
    id_ = (await operator(jing, "POST", "/campaigns", body, 201))["campaign_id"]
    assert await city.says("GET", f"/campaigns/{id_}/coupons") == []
    coupon = {
        "template_id": new_id(jing, "ctp"),
        "campaign_id": id_,
        "name": "满十减一",
        "stock": 10,
        "terms": FIVE_OFF,
    }
    made = await operator(jing, "POST", "/coupon-templates", coupon, 201)
    assert await city.says("GET", f"/campaigns/{id_}/coupons") == [made]
    assert await shop.get(f"/v1/merchant/shared-campaigns/{id_}/coupons") == [made]
    assert (await brand.says("GET", f"/campaigns/{id_}/coupons", 404))["reason"] == "CAMPAIGN_UNKNOWN"
    alone = await drafted(jing, (brand, 1))
    assert (await shop.get(f"/v1/merchant/shared-campaigns/{alone}/coupons", 404))["reason"] == "CAMPAIGN_UNKNOWN"


async def test_looking_changes_nothing(jing: Jing) -> None:
    city = await hall(jing, "city")
    await city.issue()
    id_ = await drafted(jing, (city, 1))
    position = jing.node.journal.position
    for path in await _reads(jing, id_):
        await city.says("GET", path)
    assert jing.node.journal.position == position


async def test_a_merchant_sees_what_the_campaign_it_shares_brought_and_no_other_does(jing: Jing) -> None:
    payer, shop = await jing.user("+8613800138000", 100_000), await jing.merchant()
    code = await plate(shop)
    await pays(payer, code, 9_000)
    await shop.post("/v1/merchant/budget/deposits", 200, {"deposit_id": new_id(jing, "dep"), "amount": 250})
    city = await hall(jing, "city")
    shares = [{"merchant_id": shop.id, "proportion": 1}, {"sponsor_id": city.id, "proportion": 3}]
    made = await operator(jing, "POST", "/campaigns", draft(jing, sponsors=shares), 201)
    id_ = made["campaign_id"]
    mine = f"/v1/merchant/shared-campaigns/{id_}"
    await shop.post(f"{mine}/agree?version=1", 200, {})
    await operator(jing, "POST", f"/campaigns/{id_}/start")
    await pays(payer, code)
    assert await shop.get(f"{mine}/effects") == await operator(jing, "GET", f"/campaigns/{id_}/effects")
    shown = await shop.get(mine)
    assert [shown[name] for name in ("part", "given_part", "given", "left")] == [250, 25, 100, 900]
    kinds = [each["kind"] for each in (await shop.get("/v1/merchant/budget/movements"))["movements"]]
    assert kinds == ["FUNDED", "DEPOSIT"]
    alone = await drafted(jing, (city, 1), budget=100)
    for path in ("", "/effects"):
        assert (await shop.get(f"/v1/merchant/shared-campaigns/{alone}{path}", 404))["reason"] == "CAMPAIGN_UNKNOWN"
