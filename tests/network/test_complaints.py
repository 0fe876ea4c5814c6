"""Complaints over a real network and a real PostgreSQL, through the REST API alone; afterwards the auditor finds nothing wrong."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from hutong.institution.complaints.picture_file import picture_file
from tests.institution.complaints.drawn import jpeg, noise
from tests.network.audit import audit_when_quiet
from tests.network.street import Client, Street, comes_to, new_id, until


@pytest.fixture(autouse=True)
def audited(street: Street) -> Iterator[None]:
    yield
    assert audit_when_quiet(street.database_url).wrong == []


def given(client: Client, path: str, data: bytes) -> str:
    """Give a picture; its name."""
    return str(client.post(path, {"content": b64encode(data).decode()})["picture"])


def picture(client: Client, path: str, name: str) -> bytes:
    """A picture of a complaint, once it has come."""
    found = until(lambda: client.ask("GET", f"{path}/pictures/{name}"), lambda answer: answer.status_code == 200)
    return b64decode(found.json()["content"])


def only(merchant: Client) -> dict[str, Any]:
    (complaint,) = until(lambda: merchant.get("/v1/merchant/complaints?open_only=true"), bool)
    return dict(complaint)


@pytest.mark.parametrize("node", ["jing", "wei"])
def test_a_payer_complains_a_merchant_answers_refunds_and_completes(street: Street, node: str) -> None:
    payer, merchant = street.payer(node, 10_000), street.till("wei")
    payment = payer.pay(merchant.plate, 3_000)
    id_ = new_id("grv")
    photo, slip = jpeg(orientation=6), noise(5, 1_500_000)
    said = {
        "complaint_id": id_,
        "payment_id": payment["payment_id"],
        "kind": "RFND",
        "text": "面是凉的",
        "amount": 1_000,
        "pictures": [given(payer, "/v1/complaints/pictures", photo)],
    }
    assert payer.post("/v1/complaints", said)["state"] == "SENDING"
    complaint = only(merchant)
    path = f"/v1/merchant/complaints/{complaint['complaint_id']}"
    assert (complaint["asked"], complaint["debtor_agent"]) == (1_000, node)
    shown = [given(merchant, "/v1/merchant/complaints/pictures", slip)]
    merchant.post(f"{path}/say", {"act_id": new_id("act"), "text": "抱歉", "pictures": shown})
    assert merchant.refused(f"{path}/approve", {"act_id": new_id("act"), "amount": 3_001})["facts"]["left"] == 3_000
    merchant.post(f"{path}/approve", {"act_id": new_id("act"), "text": "退您", "amount": 1_000})
    until(lambda: merchant.get(path), lambda seen: seen.get("refunded") == 1_000)
    assert picture(merchant, path, said["pictures"][0]) == picture_file(photo).content
    merchant.post(f"{path}/complete", {"act_id": new_id("act")})
    mine = f"/v1/complaints/{id_}"
    seen = until(lambda: payer.get(mine), lambda seen: seen["state"] == "PRCD")
    assert [turn["act"] for turn in seen["turns"]] == ["OPEN", "SAYS", "APRV", "RFND", "CMPL"]
    assert picture(payer, mine, shown[0]) == slip
    assert payer.refused(f"{mine}/pictures/{'5' * 64}", method="GET")["reason"] == "PICTURE_UNKNOWN"
    comes_to(lambda: payer.balance, 10_000 - 2_000)
    payer.post(f"{mine}/continue", {"act_id": new_id("act"), "text": "还有汤"})
    assert until(lambda: merchant.get(path), lambda seen: seen["state"] == "PDNG")["times"] == 2
    until(lambda: payer.get(mine), lambda seen: not seen.get("sending"))
    payer.post(f"{mine}/withdraw", {"act_id": new_id("act")})
    assert until(lambda: merchant.get(path), lambda seen: seen["state"] == "PRCD")["ended"] == "WTHD"
    desk = street.operator("wei")
    assert complaint["complaint_id"] in [each["complaint_id"] for each in desk.get("/v1/operator/complaints")]
    theirs = f"/v1/operator/complaints/{complaint['complaint_id']}"
    assert picture(desk, theirs, said["pictures"][0]) == picture(payer, mine, said["pictures"][0])
    other = street.payer(node)
    assert other.refused(f"{mine}/pictures/{shown[0]}", method="GET")["reason"] == "COMPLAINT_UNKNOWN"
    assert other.refused(mine, method="GET")["reason"] == "COMPLAINT_UNKNOWN"
    assert street.till("wei").refused(path, method="GET")["reason"] == "COMPLAINT_UNKNOWN"


WRONG = [
    ({"content": "not base64!"}, "FIELD_INVALID"),
    ({"content": ""}, "PICTURE_NOT_RECOGNISED"),
    ({"content": b64encode(b"<svg onload='alert(1)'>").decode()}, "PICTURE_NOT_RECOGNISED"),
    ({"content": b64encode(bytes(2 * 1024 * 1024 + 3)).decode()}, "FIELD_INVALID"),
    ({"content": b64encode(bytes(2 * 1024 * 1024 + 1)).decode()}, "PICTURE_TOO_BIG"),
    ({}, "FIELD_INVALID"),
]


@pytest.mark.parametrize(("body", "reason"), WRONG)
def test_what_is_no_picture_is_refused_by_name(street: Street, body: dict[str, str], reason: str) -> None:
    for caller, path in ((street.payer("jing"), "/v1/complaints"), (street.till("jing"), "/v1/merchant/complaints")):
        assert caller.refused(f"{path}/pictures", body)["reason"] == reason
