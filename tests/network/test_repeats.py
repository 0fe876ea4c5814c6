"""
Idempotency, endpoint by endpoint, as the OpenAPI has them: nothing that changes anything may be left out of the table.

The same id and content again is the same answer; other content under the same id is a CONFLICT that names the field.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.network.repeat_words import (
    ANSWER,
    COMPLAINTS,
    GATEWAYS,
    MARKETING,
    NOTHING,
    ON_PURPOSE,
    RECALLS,
    RENEWS,
    SPENT,
    STATE,
)
from tests.network.street import PIN, Client, Payer, Street, Till, decided, new_id
from tests.network.test_withdrawals import STAFF_PIN, owner_of

# What makes a repeat safe: the field with the caller's own id, or one of the words above.
INSTITUTION = {
    "DELETE /v1/bank-accounts/{bank_account_id}": STATE,
    "DELETE /v1/mandates/{mandate_id}": STATE,
    "DELETE /v1/sessions/current": SPENT,
    "DELETE /v1/webhooks/{webhook_id}": STATE,
    "POST /v1/bank-accounts": "bank_account_id",
    "POST /v1/charges": "reference",
    "POST /v1/codes/consult": NOTHING,
    "POST /v1/requests-to-pay/{to_pay_id}/quote": NOTHING,
    "POST /v1/devices/{device_id}/lost": STATE,
    "POST /v1/holds": STATE,
    "POST /v1/holds/{hold_id}/agree": ANSWER,
    "POST /v1/holds/{hold_id}/decline": ANSWER,
    "POST /v1/keys": "key_id",
    "POST /v1/keys/{key_id}/revoke": STATE,
    "POST /v1/keys/{key_id}/rotate": "rotation_id",
    "POST /v1/mandates": "grant_id",
    "POST /v1/merchant-applications": "application_id",
    "POST /v1/operator/merchant-applications/{application_id}/approve": STATE,
    "POST /v1/operator/merchant-applications/{application_id}/decline": STATE,
    "DELETE /v1/merchant/bank-accounts/{bank_account_id}": STATE,
    "POST /v1/merchant/bank-accounts": "bank_account_id",
    "POST /v1/merchant/withdrawals": "withdrawal_id",
    "POST /v1/operator/merchants": "reference",
    "POST /v1/operator/merchants/{merchant_id}/close": STATE,
    "POST /v1/operator/merchants/{merchant_id}/fees": "version",
    "POST /v1/operator/merchants/{merchant_id}/foreign-plates": "reference",
    "POST /v1/operator/merchants/{merchant_id}/keys": "key_id",
    "POST /v1/operator/merchants/{merchant_id}/resume": STATE,
    "POST /v1/operator/merchants/{merchant_id}/staff": "staff_id",
    "POST /v1/operator/merchants/{merchant_id}/suspend": STATE,
    "POST /v1/operator/pay-ins": "pay_in_id",
    "POST /v1/operator/stuck/nudge": ON_PURPOSE,
    "POST /v1/operator/users/{user_id}/erase": STATE,
    "POST /v1/operator/retained-identities/purge": STATE,
    "POST /v1/operator/safeguarding": STATE,  # Today's proof.
    "POST /v1/operator/reconciliations/{window}": ON_PURPOSE,  # Compared anew.
    "POST /v1/operator/cases/{case_id}/correct": STATE,
    "POST /v1/operator/cases/{case_id}/enquire": ON_PURPOSE,
    "POST /v1/operator/cases/{case_id}/explain": STATE,
    "POST /v1/operator/cases/{case_id}/settle": STATE,
    "DELETE /v1/operator/users/{user_id}/foreign-codes/{digits}": STATE,
    "POST /v1/operator/users/{user_id}/foreign-codes": STATE,
    "POST /v1/operator/users/{user_id}/devices/{device_id}/lost": STATE,
    "POST /v1/operator/users/{user_id}/freeze": STATE,
    "POST /v1/operator/users/{user_id}/tier": STATE,
    "POST /v1/operator/users/{user_id}/unfreeze": STATE,
    "POST /v1/payment-requests": "reference",
    "POST /v1/payment-requests/{request_id}/cancel": STATE,
    "POST /v1/payments": "payment_id",
    "POST /v1/personal-codes": "id",
    "POST /v1/personal-codes/{code_id}/deactivate": STATE,
    "PUT /v1/pin": SPENT,
    "POST /v1/pin/change": SPENT,
    "POST /v1/pin/reset": SPENT,
    "POST /v1/pin/tokens": NOTHING,
    "POST /v1/plates": "reference",
    "POST /v1/plates/{plate_id}/replace": "reference",
    "POST /v1/plates/{plate_id}/take-down": STATE,
    "POST /v1/refunds": "refund_id",
    "POST /v1/requests-to-pay/{to_pay_id}/approve": ANSWER,
    "POST /v1/requests-to-pay/{to_pay_id}/decline": ANSWER,
    "POST /v1/sessions": SPENT,
    "POST /v1/shops": "reference",
    "POST /v1/shops/{shop_id}/close": STATE,
    "POST /v1/staff": "staff_id",
    "POST /v1/staff/codes": ON_PURPOSE,
    "POST /v1/staff/me/choose/{member_id}": STATE,
    "POST /v1/staff/me/sign-out": STATE,
    "POST /v1/staff/pin": SPENT,
    "POST /v1/staff/sessions": SPENT,
    "POST /v1/staff/{member_id}/place": STATE,
    "POST /v1/staff/{member_id}/reset-pin": STATE,
    "POST /v1/staff/{member_id}/revoke": STATE,
    "POST /v1/top-ups": "top_up_id",
    "POST /v1/users": "registration_id",
    "POST /v1/users/codes": ON_PURPOSE,
    "POST /v1/users/me/close": STATE,
    "POST /v1/users/me/freeze": STATE,
    "POST /v1/users/me/unfreeze": STATE,
    "POST /v1/webhooks": "id",
    "POST /v1/webhooks/{webhook_id}/disable": STATE,
    "POST /v1/webhooks/{webhook_id}/enable": STATE,
    "POST /v1/webhooks/{webhook_id}/redeliver": ON_PURPOSE,
    "POST /v1/webhooks/{webhook_id}/rotate": ON_PURPOSE,  # A second within a day is refused; the secret can be read.
    "POST /v1/withdrawals": "payment_id",
}
OPERATORS = {
    "POST /v1/approvals": "approval_id",
    "POST /v1/approvals/{approval_id}/approve": ANSWER,
    "POST /v1/approvals/{approval_id}/decline": ANSWER,
    "DELETE /v1/operators/{name}": STATE,
    "POST /v1/operators/{name}/token": RENEWS,
    "PUT /v1/operators/{name}": RENEWS,
}
SWITCH = {
    "DELETE /v1/participants/{node}/forms": STATE,
    "DELETE /v1/participants/{node}/keys/{key_id}": STATE,
    "POST /v1/applications": STATE,
    "POST /v1/participants/{node}/admit": STATE,
    "POST /v1/participants/{node}/certificate": STATE,
    "POST /v1/participants/{node}/depart": STATE,
    "POST /v1/participants/{node}/keys/{key_id}/confirm": STATE,
    "POST /v1/participants/{node}/leave": STATE,
    "POST /v1/participants/{node}/reject": STATE,
    "POST /v1/participants/{node}/withdraw": STATE,
    "POST /v1/participants/{node}/cap": "change_id",
    "POST /v1/participants/{node}/forms": STATE,
    "POST /v1/participants/{node}/resume": STATE,
    "POST /v1/participants/{node}/suspend": STATE,
    "PUT /v1/fees/{version}": STATE,  # By the version in its path; other content is a conflict.
    "POST /v1/recalls": "recall_id",
    "POST /v1/stuck/nudge": ON_PURPOSE,
    "POST /v1/windows/{window}/close": STATE,
    "POST /v1/participants/{node}/reserve": "change_id",
    "POST /v1/settlement/invoices/{month}": STATE,  # By the month; what was due is tried again.
    "POST /v1/settlement/proofs": STATE,  # Today's.
    "POST /v1/windows/{window}/default": STATE,
    "POST /v1/windows/{window}/look-again": STATE,
    "PUT /v1/settlement/rules/{version}": STATE,
    "PUT /v1/participants/{node}": STATE,
    "PUT /v1/participants/{node}/keys/{key_id}": STATE,  # By the key's id, likewise.
    "PUT /v1/settlement/calendars/{version}": STATE,
}
WORDS = {STATE, SPENT, ANSWER, NOTHING, RENEWS, ON_PURPOSE}


@pytest.mark.parametrize(
    ("node", "table"), [("jing", INSTITUTION | RECALLS | COMPLAINTS | GATEWAYS | MARKETING), ("switch", SWITCH)]
)
def test_every_endpoint_that_changes_something_can_be_repeated(
    street: Street, node: str, table: dict[str, str]
) -> None:
    api = street.stranger(node).get("/docs/openapi.json")
    found = {
        f"{method.upper()} {path}": operation
        for path, item in api["paths"].items()
        for method, operation in item.items()
        if method in {"post", "put", "patch", "delete"}
    }
    assert set(found) == set(table | OPERATORS), "say in the table what makes a repeat of the endpoint safe"
    for name, operation in found.items():
        if (field := (table | OPERATORS)[name]) not in WORDS:
            assert field in _fields(api, operation), f"{name} has no field {field}"


def _fields(api: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    refs = [each["$ref"] for each in schema.get("oneOf", schema.get("anyOf", [schema])) if "$ref" in each]
    return {field for ref in refs for field in api["components"]["schemas"][ref.rpartition("/")[2]]["properties"]}


class Cast:
    """Everybody who may call: a payer with a bank account, a merchant's owner, the operators."""

    def __init__(self, street: Street) -> None:
        self.street = street
        self.payer = street.payer("jing", 100_000, pin=True, tier="III")
        self.till = street.till("jing")
        self.operator = street.operator("jing")
        self.scheme = street.operator("switch")
        saver = street.payer("yun", 50_000)
        mandate = saver.post("/v1/mandates", {"grantee": "jing", "daily_max": 10_000, "name": "钱包"})
        code = saver.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})
        self.bank = {"name": "储蓄", "mandate": mandate["text"], "code": code["text"]}
        sent = {"bank_account_id": new_id("bka"), **self.bank}
        self.account = self.payer.post("/v1/bank-accounts", sent)


@pytest.fixture(scope="module")
def cast(street: Street) -> Cast:
    return Cast(street)


Case = tuple[Client, str, dict[str, Any], dict[str, Any]]  # Who, what, its body, and what is changed in it.


def _profile() -> dict[str, Any]:
    names = {"legal_name": "茶社有限公司", "name": "茶社", "latin_name": "Tea", "city": "北京", "latin_city": "Beijing"}
    return {**names, "reference": new_id("r"), "mcc": "5812", "fee_bps": 38}


def _payment(payer: Payer, till: Till) -> Case:
    body = payer.order(payer.quote(till.plate, 300), 300)
    return payer, "/v1/payments", body, {"amount": 301}


def _withdrawal(cast: Cast) -> Case:
    payment_id, account = new_id("pay"), cast.account
    token = cast.payer.pin_token(payment_id, 500, account["creditor"])
    body = {"payment_id": payment_id, "bank_account_id": account["bank_account_id"], "amount": 500, "pin_token": token}
    return cast.payer, "/v1/withdrawals", body, {"amount": 501}


def _merchant_withdrawal(cast: Cast) -> Case:
    cast.payer.pay(cast.till.plate, 600)
    linked = {"bank_account_id": new_id("mba"), "label": "对公账户", "code": cast.bank["code"]}
    account = cast.till.post("/v1/merchant/bank-accounts", linked)["bank_account_id"]
    body = {"withdrawal_id": new_id("pay"), "bank_account_id": account, "amount": 500}
    owner = {"owner_id": owner_of(cast.street, cast.till), "pin": STAFF_PIN}
    return cast.till, "/v1/merchant/withdrawals", {**body, **owner}, {"amount": 501}


def _refund(cast: Cast) -> Case:
    paid = cast.payer.pay(cast.till.plate, 400)
    body = {"refund_id": new_id("rfd"), "payment_id": paid["payment_id"], "amount": 30}
    return cast.till, "/v1/refunds", body, {"amount": 31}


def _top_up(cast: Cast) -> Case:
    body = {"top_up_id": new_id("top"), "bank_account_id": cast.account["bank_account_id"], "amount": 700}
    return cast.payer, "/v1/top-ups", body, {"amount": 701}


def _charge(cast: Cast) -> Case:
    body = {"reference": new_id("r"), "amount": 200, "way": "PAYMENT_CODE", "payer_code": cast.payer.payment_code()}
    return cast.till, "/v1/charges", body, {"amount": 201}


def _replacement(cast: Cast) -> Case:
    plates = [cast.till.post("/v1/plates", {"reference": new_id("r")})["plate_id"] for _ in range(2)]
    body = {"reference": new_id("r")}
    return cast.till, f"/v1/plates/{plates[0]}/replace", body, {"path": f"/v1/plates/{plates[1]}/replace"}


CASES: dict[str, Callable[[Cast], Case]] = {
    "POST /v1/bank-accounts": lambda cast: (
        cast.payer,
        "/v1/bank-accounts",
        {"bank_account_id": new_id("bka"), **cast.bank},
        {"name": "别的"},
    ),
    "POST /v1/charges": _charge,
    "POST /v1/keys": lambda cast: (
        cast.till,
        "/v1/keys",
        {"name": "till 2", "role": "CASHIER", "key_id": new_id("r")},
        {"role": "OWNER"},
    ),
    "POST /v1/mandates": lambda cast: (
        cast.payer,
        "/v1/mandates",
        {"grantee": "wei", "daily_max": 100, "grant_id": new_id("r")},
        {"daily_max": 101},
    ),
    "POST /v1/merchant/bank-accounts": lambda cast: (
        cast.till,
        "/v1/merchant/bank-accounts",
        {"bank_account_id": new_id("mba"), "label": "对公账户", "code": cast.bank["code"]},
        {"label": "别的"},
    ),
    "POST /v1/merchant/withdrawals": _merchant_withdrawal,
    "POST /v1/operator/merchants": lambda cast: (cast.operator, "/v1/operator/merchants", _profile(), {"mcc": "5814"}),
    "POST /v1/operator/merchants/{merchant_id}/fees": lambda cast: (
        cast.operator,
        f"/v1/operator/merchants/{cast.till.merchant_id}/fees",
        {"version": 2, "fee_bps": 39},
        {"fee_bps": 40},
    ),
    "POST /v1/operator/merchants/{merchant_id}/foreign-plates": lambda cast: (
        cast.operator,
        f"/v1/operator/merchants/{cast.till.merchant_id}/foreign-plates",
        {"reference": new_id("r"), "text": f"https://old.example/{new_id('r')}"},
        {"text": f"https://old.example/{new_id('r')}"},
    ),
    "POST /v1/operator/merchants/{merchant_id}/keys": lambda cast: (
        cast.operator,
        f"/v1/operator/merchants/{cast.till.merchant_id}/keys",
        {"name": "second", "key_id": new_id("r")},
        {"name": "third"},
    ),
    "POST /v1/operator/merchants/{merchant_id}/staff": lambda cast: (
        cast.operator,
        f"/v1/operator/merchants/{cast.till.merchant_id}/staff",
        {"staff_id": new_id("r"), "name": "店主", "phone": "+8615700000002"},
        {"name": "别人"},
    ),
    "POST /v1/merchant-applications": lambda cast: (
        cast.operator,
        "/v1/merchant-applications",
        {
            "application_id": new_id("apl"),
            "legal_name": "北京胡同面馆有限公司",
            "licence": "91110101MA01ABCD2X",
            "name": "NOODLES",
            "city": "BEIJING",
            "mcc": "5812",
            "contact_name": "店主",
            "contact_phone": "+8615700000004",
        },
        {"city": "SHANGHAI"},
    ),
    "POST /v1/staff": lambda cast: (
        cast.till,
        "/v1/staff",
        {"staff_id": new_id("r"), "name": "小陈", "phone": "+8615700000003", "role": "CASHIER"},
        {"role": "MANAGER"},
    ),
    "POST /v1/approvals": lambda cast: (
        cast.scheme,
        "/v1/approvals",
        {
            "approval_id": new_id("apr"),
            "kind": "cap.change",
            "subject": "jing",
            "facts": {"change": "GRANT", "amount": 100},
            "reason": "more trade",
        },
        {"reason": "less trade"},
    ),
    "POST /v1/operator/pay-ins": lambda cast: (
        cast.operator,
        "/v1/operator/pay-ins",
        {"pay_in_id": new_id("pin"), "user_id": cast.payer.user_id, "amount": 10},
        {"amount": 11},
    ),
    "POST /v1/payment-requests": lambda cast: (
        cast.till,
        "/v1/payment-requests",
        {"reference": new_id("r"), "amount": 100},
        {"amount": 101},
    ),
    "POST /v1/payments": lambda cast: _payment(cast.payer, cast.till),
    "POST /v1/personal-codes": lambda cast: (
        cast.payer,
        "/v1/personal-codes",
        {"id": new_id("pco"), "amount": 5, "remark": ""},
        {"amount": 6},
    ),
    "POST /v1/plates": lambda cast: (
        cast.till,
        "/v1/plates",
        {"reference": new_id("r")},
        {
            "shop_id": cast.till.post(
                "/v1/shops", {"reference": new_id("r"), "name": "东店", "city": "北京", "latin_city": "Beijing"}
            )["shop_id"]
        },
    ),
    "POST /v1/plates/{plate_id}/replace": _replacement,
    "POST /v1/refunds": _refund,
    "POST /v1/shops": lambda cast: (
        cast.till,
        "/v1/shops",
        {"reference": new_id("r"), "name": "东店", "city": "北京", "latin_city": "Beijing"},
        {"name": "西店"},
    ),
    "POST /v1/top-ups": _top_up,
    "POST /v1/webhooks": lambda cast: (
        cast.till,
        "/v1/webhooks",
        {"id": new_id("whk"), "url": "https://shop.example/hook"},
        {"url": "https://shop.example/other"},
    ),
    "POST /v1/withdrawals": _withdrawal,
    "POST /v1/participants/{node}/reserve": lambda cast: (
        cast.scheme,
        "/v1/participants/jing/reserve",
        {"change_id": new_id("rsv"), "change": "TOP_UP", "amount": 100, "currency": "CNY"},
        {"amount": 101},
    ),
    "POST /v1/participants/{node}/cap": lambda cast: (
        cast.scheme,
        "/v1/participants/jing/cap",
        {"change_id": new_id("cap"), "change": "GRANT", "amount": 100, "currency": "CNY"},
        {"amount": 101},
    ),
}
# These have an id and a test of their own, where what they need is at hand.
ELSEWHERE = {"POST /v1/users", "POST /v1/keys/{key_id}/rotate", "POST /v1/recalls"}


def test_every_endpoint_with_a_callers_id_is_tried() -> None:
    with_id = {name for name, why in (INSTITUTION | SWITCH | OPERATORS).items() if why not in WORDS}
    assert with_id - ELSEWHERE == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_same_again_is_the_same_answer_and_other_content_a_conflict_that_names_the_field(
    street: Street, cast: Cast, name: str
) -> None:
    caller, path, body, change = CASES[name](cast)
    first = _answer(caller, path, body)
    assert _answer(caller, path, body) == first
    changed = {key: value for key, value in change.items() if key != "path"}
    refused = caller.refused(change.get("path", path), body | changed)
    assert refused["kind"] == "CONFLICT", refused
    assert refused["facts"]["field"] in set(change) | {"plate_id"}, refused


def _answer(caller: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What is answered once it is decided, but for how a position stands just now."""
    undecided = path.removeprefix("/v1/") in {
        "payments",
        "charges",
        "refunds",
        "top-ups",
        "withdrawals",
        "merchant/withdrawals",
    }
    answer = decided(lambda: caller.post(path, body)) if undecided else caller.post(path, body)
    return {key: value for key, value in answer.items() if key != "position"}


def test_a_registration_and_a_rotation_are_repeated_under_their_ids(street: Street, cast: Cast) -> None:
    door, operator, phone = street.stranger("jing"), street.operator("jing"), "+8615700000001"
    door.post("/v1/users/codes", {"phone": phone})
    code = operator.get(f"/v1/operator/one-time-codes/{phone}")["code"]
    body = {"phone": phone, "name": "李四", "code": code, "registration_id": "r-1", "device_id": new_id("dev")}
    body["device_name"] = "手机"
    users = [door.post("/v1/users", body)["user"] for _ in range(2)]
    assert users[0] == users[1]
    assert door.refused("/v1/users", body | {"name": "王五"})["facts"]["field"] == "name"

    key = cast.till.post("/v1/keys", {"name": "till 3", "role": "CASHIER"})["key"]
    path = f"/v1/keys/{key['key_id']}/rotate"
    rotated = cast.till.post(path, {"rotation_id": "1"})
    assert cast.till.post(path, {"rotation_id": "1"}) == rotated
    assert cast.till.post(path)["token"] not in {rotated["token"], ""}


def test_what_sets_a_state_sets_it_again(street: Street, cast: Cast) -> None:
    scheme, payer, till = cast.scheme, street.payer("jing"), street.till("jing")
    merchant, user = f"/v1/operator/merchants/{till.merchant_id}", f"/v1/operator/users/{payer.user_id}"
    plate = till.post("/v1/plates", {"reference": "2"})["plate_id"]
    shop = till.post("/v1/shops", {"reference": "2", "name": "东店", "city": "北京", "latin_city": "Beijing"})[
        "shop_id"
    ]
    request = till.post("/v1/payment-requests", {"reference": "2", "amount": 1})["request_id"]
    hook = till.post("/v1/webhooks", {"id": new_id("whk"), "url": "https://shop.example/hook"})["id"]
    code = payer.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})["id"]
    key = till.post("/v1/keys", {"name": "till 4", "role": "CASHIER"})["key"]["key_id"]
    invited = {"staff_id": "2", "name": "李娜", "phone": "+8613977000003", "role": "CASHIER"}
    member = till.post("/v1/staff", invited)["member_id"]
    fees = {"starts_at_ms": 4_000_000_000_000, "rules": []}
    states: list[tuple[Client, str, str, Any]] = [
        (till, "POST", f"/v1/staff/{member}/place", {"role": "MANAGER"}),
        (till, "POST", f"/v1/staff/{member}/reset-pin", None),
        (till, "POST", f"/v1/staff/{member}/revoke", None),
        (scheme, "PUT", "/v1/participants/spare", {"name": "Spare", "participant": "spare", "url": ""}),
        (scheme, "POST", "/v1/participants/spare/forms", {"form": "url:https://spare.example/"}),
        (scheme, "POST", "/v1/participants/spare/suspend", None),
        (scheme, "POST", "/v1/participants/spare/resume", None),
        (scheme, "PUT", "/v1/fees/far-2096", fees),
        (cast.operator, "POST", f"{user}/tier", {"tier": "III", "evidence": "FACE_TO_FACE", "name": "王小明"}),
        (cast.operator, "POST", f"{user}/foreign-codes", {"digits": "2861" + "7" * 16}),
        (cast.operator, "DELETE", f"{user}/foreign-codes/2861{'7' * 16}", None),
        (cast.operator, "POST", f"{user}/freeze", {"why": "lost"}),
        (cast.operator, "POST", f"{user}/unfreeze", {"why": "found"}),
        (payer, "POST", f"/v1/personal-codes/{code}/deactivate", None),
        (payer, "PUT", "/v1/pin", {"pin": PIN}),
        (payer, "POST", "/v1/users/me/freeze", {"why": "lost"}),
        (payer, "POST", "/v1/users/me/unfreeze", {"why": "found", "pin": PIN}),
        (till, "POST", f"/v1/payment-requests/{request}/cancel", None),
        (till, "POST", f"/v1/plates/{plate}/take-down", None),
        (till, "POST", f"/v1/shops/{shop}/close", None),
        (till, "POST", f"/v1/webhooks/{hook}/disable", None),
        (till, "POST", f"/v1/webhooks/{hook}/enable", None),
        (till, "POST", f"/v1/keys/{key}/revoke", None),
        (cast.operator, "POST", f"{merchant}/suspend", None),
        (cast.operator, "POST", f"{merchant}/resume", None),
        (cast.operator, "POST", f"{merchant}/close", None),
    ]
    for caller, method, path, body in states:
        answers = [caller.ask(method, path, body) for _ in range(2)]
        if path == "/v1/pin":  # Who has one changes it with it: a second first PIN is refused by name.
            assert answers[1].json()["reason"] == "PIN_ALREADY_SET"
            continue
        assert all(answer.is_success for answer in answers), (path, answers[1].text)
        assert answers[0].content == answers[1].content, path
    refused = scheme.refused("/v1/fees/far-2096", fees | {"starts_at_ms": 4_000_000_000_001}, method="PUT")
    assert (refused["kind"], refused["facts"]["field"]) == ("CONFLICT", "starts_at_ms")
