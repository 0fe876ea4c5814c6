"""A merchant's withdrawals over a real network: once, within the limits, with an owner's PIN, and equal on both ledgers."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from tests.network.audit import audit_when_quiet
from tests.network.street import Payer, Street, Till, comes_to, decided, new_id

STAFF_PIN = "284917"
_numbers = count()


@dataclass
class Counter:
    """A merchant of wei's with money on its account, its owner, and its bank."""

    till: Till
    owner_id: str
    customer: Payer
    account_id: str

    def body(self, amount: int, **more: Any) -> dict[str, Any]:
        asked = {"withdrawal_id": new_id("pay"), "bank_account_id": self.account_id, "amount": amount}
        return {**asked, "owner_id": self.owner_id, "pin": STAFF_PIN, **more}

    def withdraw(self, body: dict[str, Any]) -> dict[str, Any]:
        return decided(lambda: self.till.post("/v1/merchant/withdrawals", body))


def owner_of(street: Street, till: Till) -> str:
    """The first owner of a merchant, who has chosen a PIN."""
    phone = f"+86136{next(_numbers):08d}"
    operator = street.operator(till.node)
    body = {"staff_id": "owner", "name": "王老板", "phone": phone}
    member = operator.post(f"/v1/operator/merchants/{till.merchant_id}/staff", body)
    code = operator.get(f"/v1/operator/one-time-codes/{phone}")["code"]
    door = street.stranger(till.node)
    door.post("/v1/staff/pin", {"phone": phone, "device_id": new_id("dev"), "pin": STAFF_PIN, "code": code})
    return str(member["member_id"])


def counter(street: Street) -> Counter:
    till, customer = street.till("wei", fee_bps=60), street.payer("yun")
    street.payer("jing", 20_000).pay(till.plate, 10_000)
    code = customer.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})["text"]
    asked = {"bank_account_id": new_id("mba"), "label": "对公账户", "code": code}
    account = till.post("/v1/merchant/bank-accounts", asked)
    assert account["bank"] == "yun"
    assert "小明" in account["holder"]
    return Counter(till, owner_of(street, till), customer, account["bank_account_id"])


@pytest.fixture(scope="module")
def at(street: Street) -> Iterator[Counter]:
    yield counter(street)
    assert audit_when_quiet(street.database_url).wrong == []


def test_what_is_withdrawn_is_at_the_bank_once_however_often_it_is_asked(at: Counter) -> None:
    before, there = at.till.balance, at.customer.balance
    body = at.body(2_500)
    first = at.withdraw(body)
    assert first["state"] == "COMPLETED"
    assert at.withdraw(body) == first
    comes_to(lambda: (at.till.balance, at.customer.balance), (before - 2_500, there + 2_500))
    assert at.till.get(f"/v1/merchant/withdrawals/{first['withdrawal_id']}") == first
    assert first in at.till.get("/v1/merchant/withdrawals")
    refused = at.till.refused("/v1/merchant/withdrawals", {**body, "amount": 2_501})
    assert (refused["reason"], refused["facts"]["field"]) == ("ID_TAKEN", "amount")
    line = at.till.get("/v1/merchant/statement")["lines"][0]
    assert (line["kind"], line["direction"], line["amount"]) == ("WITHDRAWAL", "OUT", 2_500)
    news = [each["event"]["type"] for each in at.till.get("/v1/events")["events"]]
    assert news.count("withdrawal.completed") == news.count("payment.completed")


def test_more_than_the_balance_is_rejected_and_moves_nothing(at: Counter) -> None:
    before = at.till.balance
    ended = at.withdraw(at.body(before + 1))
    assert (ended["state"], ended["reason"]) == ("REJECTED", "BALANCE_INSUFFICIENT")
    assert at.till.balance == before


def test_limits_and_pins_and_roles_are_held(street: Street, at: Counter) -> None:
    path, before = "/v1/merchant/withdrawals", at.till.balance
    assert at.till.refused(path, at.body(99))["reason"] == "WITHDRAWAL_TOO_SMALL"
    assert at.till.refused(path, at.body(50_000_001))["reason"] == "WITHDRAWAL_LIMIT_EXCEEDED"
    assert at.till.refused(path, at.body(0))["reason"] == "AMOUNT_NOT_POSITIVE"
    assert at.till.refused(path, at.body(1_000, pin="111222"))["reason"] == "PIN_WRONG"
    other = counter(street)
    assert at.till.refused(path, at.body(1_000, owner_id=other.owner_id))["reason"] == "STAFF_MAY_NOT_APPROVE"
    assert at.till.refused(path, at.body(1_000, bank_account_id=other.account_id))["reason"] == "BANK_ACCOUNT_UNKNOWN"
    key = at.till.post("/v1/keys", {"role": "CASHIER", "name": "till"})["token"]
    cashier = Till(at.till.url, key, "wei")
    street.clients.append(cashier)
    assert cashier.refused(path, at.body(1_000))["reason"] in {"ROLE_MAY_NOT", "STAFF_MAY_NOT_APPROVE"}
    assert cashier.refused("/v1/merchant/bank-accounts", method="GET")["reason"] == "ROLE_MAY_NOT"
    assert at.till.balance == before


def test_only_an_account_at_a_bank_elsewhere_is_linked(street: Street, at: Counter) -> None:
    here = street.payer("wei").post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})["text"]
    fixed = at.customer.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 500, "remark": ""})["text"]
    for code, reason in (
        (here, "BANK_IS_THIS_INSTITUTION"),
        (fixed, "BANK_CODE_NOT_AN_ACCOUNT"),
        (street.till("jing").plate, "BANK_CODE_NOT_AN_ACCOUNT"),
    ):
        asked = {"bank_account_id": new_id("mba"), "label": "x", "code": code}
        assert at.till.refused("/v1/merchant/bank-accounts", asked)["reason"] == reason


def test_nothing_goes_to_an_account_that_was_forgotten(street: Street) -> None:
    at = counter(street)
    at.till.http.request("DELETE", f"/v1/merchant/bank-accounts/{at.account_id}").raise_for_status()
    assert at.till.get("/v1/merchant/bank-accounts") == []
    assert at.till.refused("/v1/merchant/withdrawals", at.body(1_000))["reason"] == "BANK_ACCOUNT_UNLINKED"
