"""Bodies, paths and headers from chance, at every endpoint that takes them: a named no or a harmless yes, never a 500."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.network.audit import audit_when_quiet
from tests.network.street import Client, Street, Till, new_id

_QUICK = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

_TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "\0", "\u202e", "\ud83d\ude00", "CNY", "PAYMENT_CODE", "STATIC", "balance", "-1", "1e9"]),
    st.builds(new_id, st.sampled_from(["pay", "rfd", "quo", "usr", "top", "bka", "mdt", "req"])),
)
_NUMBERS = st.one_of(st.integers(), st.integers(-2, 2), st.floats(), st.sampled_from([2**31, 2**63, 2**64, 2**127]))
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def clients(street: Street) -> dict[str, Client]:
    """One of each kind of caller, without money: whatever they manage to say, nothing can move."""
    return {
        "payer": street.payer("jing", pin=True),
        "till": street.till("jing"),
        "operator": street.operator("jing"),
        "switch": street.operator("switch"),
        "stranger": street.stranger("jing"),
    }


# Who, where, and a body that is nearly right.
_POSTS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "payer",
        "/v1/payments",
        {"payment_id": "", "quote_id": "", "amount": 1, "currency": "CNY", "remark": "", "pin_token": ""},
    ),
    ("payer", "/v1/codes/consult", {"code": "https://wei.hutong.example/q/M", "amount": 1}),
    ("payer", "/v1/withdrawals", {"payment_id": "", "bank_account_id": "", "amount": 1, "pin_token": ""}),
    ("payer", "/v1/top-ups", {"top_up_id": "", "bank_account_id": "", "amount": 1}),
    ("payer", "/v1/bank-accounts", {"bank_account_id": "", "name": "x", "mandate": "mandate:yun:x", "code": ""}),
    ("payer", "/v1/mandates", {"grantee": "wei", "daily_max": 1, "name": ""}),
    ("payer", "/v1/personal-codes", {"id": "", "amount": 1, "currency": "CNY", "remark": ""}),
    ("payer", "/v1/pin/change", {"pin": "", "new_pin": ""}),
    ("till", "/v1/charges", {"reference": "r", "amount": 1, "way": "PAYMENT_CODE", "payer_code": "3", "remark": ""}),
    (
        "till",
        "/v1/payment-requests",
        {"reference": "r", "amount": 1, "currency": "CNY", "lifetime_s": 60, "shop_id": ""},
    ),
    ("till", "/v1/refunds", {"refund_id": "", "payment_id": "", "amount": 1, "remark": ""}),
    ("till", "/v1/shops", {"reference": "s", "name": "x", "city": "x", "latin_city": ""}),
    ("till", "/v1/plates", {"reference": "p", "shop_id": ""}),
    (
        "operator",
        "/v1/operator/merchants",
        {"reference": "m", "legal_name": "x", "name": "x", "city": "x", "mcc": "5812", "fee_bps": 1},
    ),
    ("operator", "/v1/operator/merchants/{}/fees", {"version": 2, "fee_bps": 1, "applies_from_ms": 2**62}),
    ("till", "/v1/webhooks", {"id": "", "url": "https://shop.example/x", "types": []}),
    ("operator", "/v1/operator/pay-ins", {"pay_in_id": "", "user_id": "", "amount": 1}),
    ("switch", "/v1/participants/zhi/cap", {"change_id": "", "change": "LOWER", "amount": 1, "currency": "CNY"}),
    ("switch", "/v1/participants/zhi/forms", {"form": "url:https://x.example/", "consented_by": ""}),
    ("switch", "/v1/fees/v9", {"starts_at_ms": 2**53, "rules": []}),
    ("switch", "/v1/participants/zhi/keys/k9", {"public_key": "0" * 64, "valid_from_ms": 0, "valid_until_ms": 2**53}),
    ("stranger", "/v1/users/codes", {"phone": "1", "purpose": "SIGN_IN"}),
    (
        "stranger",
        "/v1/users",
        {"phone": "1", "name": "x", "code": "1", "registration_id": "r", "device_id": "", "device_name": "x"},
    ),
]


@pytest.fixture(scope="module", autouse=True)
def nothing_moves_at_all(street: Street) -> Any:
    before = audit_when_quiet(street.database_url)
    yield
    after = audit_when_quiet(street.database_url)
    assert after.wrong == before.wrong == []
    caps = {key for key, balance in after.figures.items() if before.figures.get(key) != balance}
    assert {schema for schema, _ in caps} <= {"switch"}  # Its operator may change a cap.


def _sound(response: httpx.Response) -> None:
    assert response.status_code < 500, (response.request.content[:500], response.text)
    if response.status_code >= 400:
        problem = response.json()
        assert set(problem) == {"reason", "kind", "code", "message", "facts"}, response.text


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


@pytest.mark.parametrize(("who", "path", "nearly"), _POSTS, ids=[path for _, path, _ in _POSTS])
@_QUICK
@given(data=st.data())
def test_a_body_from_chance_is_refused_by_name(
    clients: dict[str, Client], who: str, path: str, nearly: dict[str, Any], data: st.DataObject
) -> None:
    changed = data.draw(st.dictionaries(st.sampled_from(sorted(nearly)) | st.text(max_size=5), _VALUES, max_size=3))
    dropped = data.draw(st.sets(st.sampled_from(sorted(nearly)), max_size=1))
    ids = {field: new_id(_PREFIX[field]) for field in nearly if field in _PREFIX}
    body = {field: value for field, value in (nearly | ids | changed).items() if field not in dropped}
    content = data.draw(
        st.just(_json(body)) | st.just(_json(body)) | st.binary(max_size=60) | st.builds(_json, _VALUES)
    )
    till = clients["till"]
    assert isinstance(till, Till)
    headers = {"content-type": "application/json"}
    method = "PUT" if path.startswith("/v1/fees") or "/keys/" in path else "POST"
    _sound(clients[who].http.request(method, path.format(till.merchant_id), content=content, headers=headers))


_PREFIX = {
    "payment_id": "pay",
    "quote_id": "quo",
    "bank_account_id": "bka",
    "top_up_id": "top",
    "id": "pco",
    "refund_id": "rfd",
    "pay_in_id": "pin",
    "user_id": "usr",
    "change_id": "cap",
    "device_id": "dev",
}
_GETS = [
    ("payer", "/v1/payments/{}"),
    ("payer", "/v1/payments?cursor={}"),
    ("payer", "/v1/statement?limit={}"),
    ("payer", "/v1/balance?at_ms={}"),
    ("payer", "/v1/top-ups/{}"),
    ("till", "/v1/charges/{}"),
    ("till", "/v1/refunds/{}"),
    ("till", "/v1/payment-requests?reference={}"),
    ("till", "/v1/payment-requests?cursor={}"),
    ("till", "/v1/merchant/balance?at_ms={}"),
    ("operator", "/v1/operator/users?phone={}"),
    ("operator", "/v1/operator/merchants?reference={}"),
    ("switch", "/v1/payments/jing/{}"),
    ("switch", "/v1/participants/{}"),
    ("switch", "/v1/directory?code={}"),
    ("switch", "/v1/positions?currency={}"),
]


@pytest.mark.parametrize(("who", "path"), _GETS, ids=[path for _, path in _GETS])
@_QUICK
@given(text=st.one_of(_TEXTS, st.integers().map(str), st.sampled_from([str(2**63), str(-(2**63)), "1" * 400])))
def test_a_path_from_chance_is_refused_by_name(clients: dict[str, Client], who: str, path: str, text: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
    _sound(clients[who].http.get(path.format(quoted)))
