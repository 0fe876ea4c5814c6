"""Complaints over a real network and a real PostgreSQL, through the REST API alone; afterwards the auditor finds nothing wrong."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.network.audit import audit_when_quiet
from tests.network.street import Client, Street, comes_to, new_id, until


@pytest.fixture(autouse=True)
def audited(street: Street) -> Iterator[None]:
    yield
    assert audit_when_quiet(street.database_url).wrong == []


def only(merchant: Client) -> dict[str, Any]:
    (complaint,) = until(lambda: merchant.get("/v1/merchant/complaints?open_only=true"), bool)
    return dict(complaint)


@pytest.mark.parametrize("node", ["jing", "wei"])
def test_a_payer_complains_a_merchant_answers_refunds_and_completes(street: Street, node: str) -> None:
    payer, merchant = street.payer(node, 10_000), street.till("wei")
    payment = payer.pay(merchant.plate, 3_000)
    id_ = new_id("grv")
    said = {
        "complaint_id": id_,
        "payment_id": payment["payment_id"],
        "kind": "RFND",
        "text": "面是凉的",
        "amount": 1_000,
    }
    assert payer.post("/v1/complaints", said)["state"] == "SENDING"
    complaint = only(merchant)
    path = f"/v1/merchant/complaints/{complaint['complaint_id']}"
    assert (complaint["asked"], complaint["debtor_agent"]) == (1_000, node)
    merchant.post(f"{path}/say", {"act_id": new_id("act"), "text": "抱歉"})
    assert merchant.refused(f"{path}/approve", {"act_id": new_id("act"), "amount": 3_001})["facts"]["left"] == 3_000
    merchant.post(f"{path}/approve", {"act_id": new_id("act"), "text": "退您", "amount": 1_000})
    until(lambda: merchant.get(path), lambda seen: seen.get("refunded") == 1_000)
    merchant.post(f"{path}/complete", {"act_id": new_id("act")})
    mine = f"/v1/complaints/{id_}"
    seen = until(lambda: payer.get(mine), lambda seen: seen["state"] == "PRCD")
    assert [turn["act"] for turn in seen["turns"]] == ["OPEN", "SAYS", "APRV", "RFND", "CMPL"]
    comes_to(lambda: payer.balance, 10_000 - 2_000)
    payer.post(f"{mine}/continue", {"act_id": new_id("act"), "text": "还有汤"})
    assert until(lambda: merchant.get(path), lambda seen: seen["state"] == "PDNG")["times"] == 2
    until(lambda: payer.get(mine), lambda seen: not seen.get("sending"))
    payer.post(f"{mine}/withdraw", {"act_id": new_id("act")})
    assert until(lambda: merchant.get(path), lambda seen: seen["state"] == "PRCD")["ended"] == "WTHD"
    desk = street.operator("wei")
    assert complaint["complaint_id"] in [each["complaint_id"] for each in desk.get("/v1/operator/complaints")]
    other = street.payer(node)
    assert other.refused(mine, method="GET")["reason"] == "COMPLAINT_UNKNOWN"
    assert street.till("wei").refused(path, method="GET")["reason"] == "COMPLAINT_UNKNOWN"
