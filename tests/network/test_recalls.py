"""Recalls over a real network and a real PostgreSQL, through the REST API alone; afterwards the auditor finds nothing wrong."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.network.audit import audit_when_quiet
from tests.network.street import Client, Payer, Street, new_id, until


@pytest.fixture(autouse=True)
def audited(street: Street) -> Iterator[None]:
    yield
    assert audit_when_quiet(street.database_url).wrong == []


def person_paid(street: Street, node: str, amount: int) -> tuple[Payer, Payer, dict[str, Any]]:
    """A payer at jing, a payee somewhere, and a completed payment between them."""
    payer, payee = street.payer("jing", 20_000), street.payer(node)
    code = payee.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})
    return payer, payee, payer.pay(code["text"], amount)


def report(payment: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"recall_id": new_id("rcl"), "payment_id": payment["payment_id"], "reason": "FRAD", **more}


def dispute_of(operator: Client, payment: dict[str, Any]) -> dict[str, Any]:
    """The open case of a payment, once its money is set aside."""

    def look() -> list[dict[str, Any]]:
        found = operator.get("/v1/operator/disputes?open_only=true")
        return [each for each in found if each["payment_id"] == payment["payment_id"] and each["state"] == "OPEN"]

    (dispute,) = until(look, bool)
    return dict(dispute)


@pytest.mark.parametrize("node", ["wei", "jing"])
def test_a_payer_reports_fraud_the_desk_agrees_the_payee_consents_and_the_money_is_back(
    street: Street, node: str
) -> None:
    payer, payee, payment = person_paid(street, node, 5_000)
    asked = report(payment, remark="冒充客服")
    assert payer.post("/v1/recalls", asked)["state"] == "REPORTED"
    desk, other = street.operator("jing"), street.operator(node)
    desk.post(f"/v1/operator/recalls/{asked['recall_id']}/approve")
    dispute = dispute_of(other, payment)
    assert (dispute["blocked"], dispute["user_id"], payee.balance) == (5_000, payee.user_id, 0)
    (seen,) = payee.get("/v1/disputes")
    assert "remark" not in seen
    consent = f"/v1/disputes/{dispute['dispute_id']}/consent"
    assert payee.post(consent, {"remark": "还他"})["stance"] == "CONSENTS"
    assert payer.refused(consent, {})["reason"] == "DISPUTE_UNKNOWN"
    other.post(f"/v1/operator/disputes/{dispute['dispute_id']}/accept", {})
    path = f"/v1/recalls/{asked['recall_id']}"
    ended = until(lambda: payer.get(path), lambda seen: seen["state"] == "RETURNED")
    assert (ended["state"], ended["accepted"], payer.balance) == ("RETURNED", 5_000, 20_000)
    news = [each["event"]["type"] for each in payee.get("/v1/events")["events"]]
    assert {"dispute.opened", "dispute.returned"} <= set(news)


def test_what_is_left_comes_back_and_the_rest_is_seen_where_it_went(street: Street) -> None:
    payer, mule, payment = person_paid(street, "wei", 6_000)
    friend = street.payer("zhi")
    code = friend.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})
    mule.pay(code["text"], 4_500)
    desk, wei = street.operator("jing"), street.operator("wei")
    opened = desk.post("/v1/operator/recalls", report(payment))
    dispute = dispute_of(wei, payment)
    assert dispute["blocked"] == 1_500
    refused = wei.refused(f"/v1/operator/disputes/{dispute['dispute_id']}/accept", {"amount": 1_501})
    assert (refused["reason"], refused["facts"]["at_most"]) == ("DISPUTED_AMOUNT_NOT_THERE", 1_500)
    wei.post(f"/v1/operator/disputes/{dispute['dispute_id']}/accept", {})
    path = f"/v1/operator/recalls/{opened['recall_id']}"
    assert until(lambda: desk.get(path), lambda seen: seen["state"] == "RETURNED")["accepted"] == 1_500
    assert payer.balance == 20_000 - 4_500
    for trace in (
        desk.get(f"/v1/operator/traces/{payment['payment_id']}"),
        street.operator("switch").get(f"/v1/traces/jing/{payment['payment_id']}"),
    ):
        assert trace["whole"]
        steps = {(hop["source"].partition(":")[0], hop["kind"], hop["amount"]) for hop in trace["hops"]}
        assert steps == {
            ("wei", "PAYMENT", 4_500),
            ("wei", "DISPUTED", 1_500),
            ("wei", "RETURNED", 1_500),
            ("zhi", "KEPT", 4_500),
        }
        assert mule.user_id not in str(trace)
    own = wei.get(f"/v1/operator/traces/{payment['payment_id']}")
    assert own["people"][own["holder"]] == mule.user_id


def test_a_merchant_objects_and_the_operator_rejects(street: Street) -> None:
    payer, till = street.payer("jing", 5_000), street.till("wei", fee_bps=60)
    payment = payer.pay(till.plate, 5_000)
    desk, wei = street.operator("jing"), street.operator("wei")
    opened = desk.post("/v1/operator/recalls", report(payment, reason="DUPL"))
    dispute = dispute_of(wei, payment)
    assert till.balance == 0
    objects = f"/v1/merchant/disputes/{dispute['dispute_id']}/object"
    assert till.post(objects, {"remark": "货已发"})["stance"] == "OBJECTS"
    wei.post(f"/v1/operator/disputes/{dispute['dispute_id']}/reject", {"code": "CUST"})
    path = f"/v1/operator/recalls/{opened['recall_id']}"
    ended = until(lambda: desk.get(path), lambda seen: seen["state"] == "REJECTED")
    assert (ended["answer_code"], ended["answer_name"]) == ("CUST", "PAYEE_OBJECTED")
    assert until(lambda: till.balance, lambda balance: balance == 4_970) == 4_970
    (row,) = [each for each in street.operator("switch").get("/v1/recalls") if each["recall_id"] == opened["recall_id"]]
    assert (row["status"], row["asker"], row["answer_code"]) == ("RJCR", "jing", "CUST")
    assert [line["kind"] for line in till.get("/v1/merchant/statement")["lines"]][:2] == ["DISPUTED", "DISPUTED"]


def test_a_legal_order_of_the_switch_brings_money_back_without_the_payers_institution(street: Street) -> None:
    payer, _, payment = person_paid(street, "wei", 3_000)
    switch, wei = street.operator("switch"), street.operator("wei")
    body = report(payment, originator="jing", remark="(2026) 京01 执 7 号")
    assert switch.post("/v1/recalls", body)["status"] == "ASKED"
    dispute = dispute_of(wei, payment)
    assert dispute["asker"] == "switch"
    wei.post(f"/v1/operator/disputes/{dispute['dispute_id']}/accept", {"amount": 1_000})
    assert until(lambda: payer.balance, lambda balance: balance == 18_000) == 18_000
    seen = until(lambda: switch.get(f"/v1/recalls/switch/{body['recall_id']}"), lambda seen: seen["status"] == "PECR")
    assert (seen["status"], seen["accepted"], seen["operator"]) == ("PECR", 1_000, "operator")


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/v1/recalls", {"recall_id": "x", "payment_id": "pay_x", "reason": "FRAD"}, "ID_OF_OTHER_KIND"),
        ("/v1/recalls", {"recall_id": new_id("rcl"), "payment_id": new_id("pay"), "reason": "FRAD"}, "PAYMENT_UNKNOWN"),
        ("/v1/recalls", {"recall_id": new_id("rcl"), "payment_id": new_id("pay"), "reason": "WHY"}, "FIELD_INVALID"),
        ("/v1/disputes/dsp_01JZ8Q5V7XN8E2M4T9B3K6C000/object", {}, "DISPUTE_UNKNOWN"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(street: Street, path: str, body: Any, reason: str) -> None:
    payer = street.payer("jing")
    refused = payer.refused(path, body)
    assert refused["reason"] == reason
