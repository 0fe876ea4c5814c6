"""The merchants' API, whole: every route once as it should be used, and with every wrong key."""

import asyncio
from typing import Any

import httpx
import pytest
from litestar import Litestar

from hutong.codes.picture import read_picture
from hutong.institution.merchants.api import merchant_routes
from hutong.institution.requests.api import request_routes
from hutong.operators.audit_log import AuditLog
from hutong.operators.guard import Guard, operator_guard
from hutong.operators.service import Operators
from hutong.runtime.http_app import make_app
from hutong.runtime.node import NodeRuntime
from tests.institution.merchants.shop_street import ShopStreet

OPERATOR = "operator-token"
NOODLES = {
    "reference": "M-1",
    "legal_name": "北京胡同面馆有限公司",
    "name": "胡同面馆",
    "latin_name": "HUTONG NOODLES",
    "city": "北京",
    "latin_city": "BEIJING",
    "mcc": "5812",
    "fee_bps": 60,
}
SHOP = {"reference": "S-1", "name": "鼓楼店", "city": "北京", "latin_city": "BEIJING"}


def operators_of(node: NodeRuntime, *, two_person: bool = False) -> Operators:
    return Operators(node, AuditLog(node), {"root": OPERATOR}, two_person=two_person)


def operator_only(node: NodeRuntime) -> Guard:
    return operator_guard(node, operators_of(node), reads_noted=True)


class Api:
    """A client of one node's merchant API, in this process."""

    def __init__(self, street: ShopStreet, *, two_person: bool = False) -> None:
        self.street = street
        approvals = operators_of(street.node, two_person=two_person).approvals
        self.app: Litestar = make_app(
            [
                *merchant_routes(street.node, street.merchants, street.plates, approvals, operator_only(street.node)),
                request_routes(street.node, street.merchants, street.requests, street.requests.create),
            ],
            title="jing",
            version="1",
        )

    def call(self, method: str, path: str, token: str = "", **options: Any) -> httpx.Response:
        async def called() -> httpx.Response:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            transport = httpx.ASGITransport(self.app)  # type: ignore[arg-type]  # Litestar names the same call more narrowly.
            async with httpx.AsyncClient(transport=transport, base_url="http://jing.example") as client:
                return await client.request(method, path, headers=headers, **options)

        return asyncio.run(called())

    def post(self, path: str, body: object = None, token: str = "", status: int = 201) -> Any:
        answer = self.call("POST", path, token, json=body) if body is not None else self.call("POST", path, token)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, token: str = "", status: int = 200, **params: Any) -> Any:
        answer = self.call("GET", path, token, params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def merchant(self, reference: str) -> tuple[dict[str, Any], str]:
        """A merchant and its owner's token."""
        merchant = self.post("/v1/operator/merchants", NOODLES | {"reference": reference}, OPERATOR)
        issued = self.post(f"/v1/operator/merchants/{merchant['merchant_id']}/keys", {"name": "boss"}, OPERATOR)
        return merchant, issued["token"]


@pytest.fixture
def api() -> Api:
    return Api(ShopStreet())


def test_a_merchant_goes_all_the_way_from_onboarding_to_a_cancelled_request(api: Api) -> None:
    merchant, token = api.merchant("M-1")
    id_ = merchant["merchant_id"]
    assert (merchant["name"], merchant["status"], merchant["fee_bps"]) == ("胡同面馆", "ACTIVE", 60)
    assert api.get("/v1/operator/merchants", OPERATOR, reference="M-1") == merchant
    assert api.get(f"/v1/operator/merchants/{id_}", OPERATOR) == merchant
    assert api.get("/v1/merchant", token) == merchant
    shop = api.post("/v1/shops", SHOP, token)
    assert api.get("/v1/shops", token) == [shop]
    assert api.get(f"/v1/shops/{shop['shop_id']}", token) == shop
    till = api.post("/v1/keys", {"name": "till", "role": "CASHIER", "shop_id": shop["shop_id"]}, token)
    assert [key["name"] for key in api.get("/v1/keys", token)] == ["boss", "till"]
    request = api.post("/v1/payment-requests", {"reference": "order-1", "amount": 1200}, till["token"])
    assert (request["state"], request["shop_id"]) == ("OPEN", shop["shop_id"])
    assert api.post("/v1/payment-requests", {"reference": "order-1", "amount": 1200}, till["token"]) == request
    path = f"/v1/payment-requests/{request['request_id']}"
    nothing: dict[str, Any] = {"requests": [], "next_cursor": None}
    assert api.get("/v1/payment-requests", token, cursor=request["request_id"]) == nothing
    assert api.get(path, token) == request
    assert api.get("/v1/payment-requests", token, reference="order-1")["requests"] == [request]
    assert api.get("/v1/payment-requests", token, limit=1) == {
        "requests": [request],
        "next_cursor": request["request_id"],
    }
    assert api.call("GET", f"{path}/code.svg", token).content.startswith(b"<?xml")
    assert api.post(f"{path}/cancel", None, till["token"], 200)["state"] == "CANCELLED"
    rotated = api.post(f"/v1/keys/{till['key']['key_id']}/rotate", None, token, 200)
    assert api.get("/v1/merchant", till["token"], 401)["reason"] == "KEY_NOT_ACCEPTED"
    assert not api.post(f"/v1/keys/{till['key']['key_id']}/revoke", None, token, 200)["is_good"]
    assert api.get("/v1/merchant", rotated["token"], 401)["reason"] == "KEY_REVOKED"
    assert api.post(f"/v1/shops/{shop['shop_id']}/close", None, token, 200)["is_open"] is False
    fee = api.post(f"/v1/operator/merchants/{id_}/fees", {"version": 2, "fee_bps": 38}, OPERATOR)
    assert [fee["version"] for fee in api.get(f"/v1/operator/merchants/{id_}/fees", OPERATOR)] == [1, 2]
    assert (fee["fee_bps"], api.get("/v1/merchant", token)["fee_bps"]) == (38, 38)
    for verb, status in (("suspend", "SUSPENDED"), ("resume", "ACTIVE"), ("close", "CLOSED")):
        assert api.post(f"/v1/operator/merchants/{id_}/{verb}", None, OPERATOR, 200)["status"] == status


def test_a_plate_is_hung_printed_read_back_replaced_and_taken_down(api: Api) -> None:
    merchant, token = api.merchant("M-1")
    plate = api.post("/v1/plates", {"reference": "table 1"}, token)
    path = f"/v1/plates/{plate['plate_id']}"
    assert api.get(path, token) == plate
    assert api.get("/v1/plates", token) == {"plates": [plate], "next_cursor": None}
    png = api.call("GET", f"{path}/print.png", token)
    assert png.headers["content-type"] == "image/png"
    assert read_picture(png.content) == (plate["text"],)
    assert plate["text"].startswith("https://jing.example/q/M")
    assert api.call("GET", f"{path}/print.svg", token).content.startswith(b"<svg")
    new = api.post(f"{path}/replace", {"reference": "table 1, new"}, token)
    assert api.get(path, token)["replaced_by"] == new["plate_id"]
    assert api.get(f"{path}/print.png", token, 422)["reason"] == "CODE_INACTIVE"
    # After a restart nothing is in memory: what an answer shows is loaded apart from the decision.
    api.street.restart()
    api = Api(api.street)
    assert api.post(f"/v1/plates/{new['plate_id']}/take-down", None, token, 200)["is_active"] is False
    body = {"reference": "old", "text": "https://qr.old-wallet.example/1"}
    foreign = api.post(f"/v1/operator/merchants/{merchant['merchant_id']}/foreign-plates", body, OPERATOR)
    assert (foreign["origin"], foreign["text"]) == ("FOREIGN", "https://qr.old-wallet.example/1")
    refusal = api.get(f"/v1/plates/{foreign['plate_id']}/print.png", token, 422)
    assert refusal["reason"] == "PLATE_NOT_PRINTED_HERE"


def test_a_charge_goes_to_whoever_charges(api: Api) -> None:
    _, token = api.merchant("M-1")
    body = {"reference": "order-1", "amount": 5, "way": "PAYMENT_CODE", "payer_code": "281234567890123456"}
    request = api.post("/v1/payment-requests", body, token)
    assert (request["channel"], request["code"]) == ("PYMTCD", "")
    refusal = api.get(f"/v1/payment-requests/{request['request_id']}/code.svg", token, 422)
    assert refusal["reason"] == "REQUEST_SHOWS_NO_CODE"


def routes(api: Api) -> list[tuple[str, str]]:
    """Every route of the merchants' API, with ids that nothing has."""
    ids = {"merchant_id": "mer", "shop_id": "shp", "key_id": "key", "plate_id": "plt", "request_id": "req"}
    found = []
    for path, item in api.get("/docs/openapi.json")["paths"].items():
        filled = path
        for name, prefix in ids.items():
            filled = filled.replace(f"{{{name}}}", f"{prefix}_{'0' * 25}1")
        found += [(method.upper(), filled) for method in item if path.startswith("/v1/")]
    return found


def test_every_route_refuses_whoever_has_no_key_or_another_s(api: Api) -> None:
    _, token = api.merchant("M-1")
    before = api.street.journal.position
    found = routes(api)
    assert len(found) >= 30
    for method, path in found:
        assert api.call(method, path, json={}).json()["reason"] == "TOKEN_MISSING", path
        for wrong in ("sk_nonsense", "x", token if "/operator/" in path else OPERATOR, token[:-1]):
            answer = api.call(method, path, wrong, json={})
            reason = "OPERATOR_UNKNOWN" if "/operator/" in path else "KEY_NOT_ACCEPTED"
            assert (answer.status_code, answer.json()["reason"]) == (401, reason), (path, wrong)
    assert api.street.journal.position == before


def test_a_stranger_s_key_finds_nothing_of_another_merchant_s_on_any_route(api: Api) -> None:
    _, token = api.merchant("M-1")
    _, stranger = api.merchant("M-2")
    shop = api.post("/v1/shops", SHOP, token)["shop_id"]
    key = api.post("/v1/keys", {"name": "till", "role": "CASHIER"}, token)["key"]["key_id"]
    plate = api.post("/v1/plates", {"reference": "table 1"}, token)["plate_id"]
    request = api.post("/v1/payment-requests", {"reference": "order-1", "amount": 1200}, token)["request_id"]
    before = api.street.journal.position
    bodies = {"replace": {"reference": "x"}}
    tried = 0
    for method, path in routes(api):
        filled = path
        for prefix, id_ in (("shp", shop), ("key", key), ("plt", plate), ("req", request)):
            filled = filled.replace(f"{prefix}_{'0' * 25}1", id_)
        if filled != path and "/operator/" not in path:
            answer = api.call(method, filled, stranger, json=bodies.get(path.rpartition("/")[2]))
            assert answer.status_code == 404, (filled, answer.text)
            tried += 1
    assert tried >= 12
    for path, name, cursor in (("/v1/plates", "plates", plate), ("/v1/payment-requests", "requests", request)):
        assert api.get(path, stranger)[name] == []
        assert api.get(path, stranger, 404, cursor=cursor)["kind"] == "NOT_FOUND"
    assert api.get("/v1/shops", stranger) == []
    body = {"reference": "x", "amount": 1, "shop_id": shop}
    assert api.post("/v1/payment-requests", body, stranger, 404)["reason"] == "SHOP_UNKNOWN"
    assert api.street.journal.position == before


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        ({}, "FIELD_INVALID", "$"),
        ({"reference": "o", "amount": 12.5}, "FIELD_INVALID", "amount"),
        ({"reference": "o", "amount": True}, "FIELD_INVALID", "amount"),
        ({"reference": "o", "amount": None}, "FIELD_INVALID", "amount"),
        ({"reference": "o", "amount": 10**30}, None, None),
        ({"reference": "o", "amount": 0}, "AMOUNT_OUT_OF_LIMITS", "amount"),
        ({"reference": "o", "amount": -1}, "AMOUNT_OUT_OF_LIMITS", "amount"),
        ({"reference": "o\0", "amount": 1}, "FIELD_INVALID", "$"),
        ({"reference": "o", "amount": 1, "remark": "\u202eevil"}, "TEXT_HAS_ODD_CHARACTERS", "remark"),
        ({"reference": "o", "amount": 1, "remark": "x" * 100_000}, "TEXT_TOO_LONG", "remark"),
        ({"reference": "o", "amount": 1, "shop_id": "mer_1"}, "ID_OF_OTHER_KIND", None),
        ({"reference": "o", "amount": 1, "shop_id": "shp_\0"}, "FIELD_INVALID", "$"),
        ({"reference": "o", "amount": 1, "way": "STATIC"}, "FIELD_INVALID", "way"),
        ({"reference": "o", "amount": 1, "lifetime_s": 10**20}, None, None),
        ({"reference": "o", "amount": 1, "surprise": 1}, "FIELD_INVALID", "$"),
    ],
)
def test_bad_bodies_are_refused_by_name_and_write_nothing(
    api: Api, body: dict[str, Any], reason: str | None, field: str | None
) -> None:
    _, token = api.merchant("M-1")
    before = api.street.journal.position
    answer = api.call("POST", "/v1/payment-requests", token, json=body)
    assert answer.status_code in {400, 422}, answer.text
    said = answer.json()
    if reason is not None:
        assert said["reason"] == reason, said
    if field is not None:
        assert said["facts"]["field"] == field, said
    assert api.street.journal.position == before


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"reference": "\\ud800", "amount": 1}', b"[]", b"null"])
def test_bodies_that_are_no_json_are_refused_by_name(api: Api, raw: bytes) -> None:
    _, token = api.merchant("M-1")
    answer = api.call("POST", "/v1/payment-requests", token, content=raw)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/payment-requests/req_1",
        "/v1/payment-requests/%00",
        "/v1/plates/plt_%F0%9F%8D%9C",
        "/v1/shops/key_01JD3V7M8Y5ZK2Q4R6T8W0X1A0",
        "/v1/payment-requests?limit=0",
        "/v1/payment-requests?limit=201",
        "/v1/payment-requests?limit=x",
        "/v1/payment-requests?cursor=-1",
        "/v1/payment-requests?cursor=plt_01JD3V7M8Y5ZK2Q4R6T8W0X1A0",
        "/v1/plates?cursor=",
        "/v1/plates?cursor=99999999999999999999999999",
    ],
)
def test_bad_ids_and_cursors_are_refused_by_name(api: Api, path: str) -> None:
    _, token = api.merchant("M-1")
    answer = api.call("GET", path, token)
    assert answer.status_code == 400, answer.text
    assert answer.json()["kind"] == "INVALID"


def test_the_description_has_an_example_of_everything_that_can_be_made(api: Api) -> None:
    described = api.get("/docs/openapi.json")
    for path, item in described["paths"].items():
        for method, operation in item.items():
            assert operation.get("description") or operation.get("summary"), (method, path)


def test_where_it_takes_two_people_one_suspends_no_merchant() -> None:
    api = Api(ShopStreet(), two_person=True)
    merchant, _ = api.merchant("M-1")
    for verb in ("suspend", "resume", "close"):
        no = api.post(f"/v1/operator/merchants/{merchant['merchant_id']}/{verb}", None, OPERATOR, status=422)
        assert (no["reason"], no["facts"]["propose"]) == ("TWO_PEOPLE_NEEDED", f"merchant.{verb}")
