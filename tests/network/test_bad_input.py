"""The list of bad input, each over HTTP against running nodes: a no with a name, and afterwards nothing has moved."""

from typing import Any

import pytest

from tests.network.audit import Stillness, audit_when_quiet
from tests.network.street import PIN, Payer, Street, Till, decided, new_id, refusal

# Amounts that are no amounts, and how each is told so.
_AMOUNTS = {
    "zero": (0, "AMOUNT_NOT_POSITIVE"),
    "negative": (-1, "AMOUNT_NOT_POSITIVE"),
    "fractional fen": (100.5, "FIELD_INVALID"),
    "text": ("100", "FIELD_INVALID"),
    "a truth": (True, "FIELD_INVALID"),
    "beyond 63 bits": (2**63, "AMOUNT_OUT_OF_RANGE"),
    "beyond any number": (2**200, "AMOUNT_OUT_OF_RANGE"),
}


@pytest.fixture(scope="module")
def payer(street: Street) -> Payer:
    return street.payer("jing", 60_000, pin=True)


@pytest.fixture(scope="module")
def till(street: Street) -> Till:
    return street.till("wei")


@pytest.fixture(scope="module")
def paid(payer: Payer, till: Till) -> dict[str, Any]:
    """A completed payment of 10 yuan."""
    return payer.pay(till.plate, 1_000)


@pytest.fixture(scope="module")
def bank(street: Street) -> tuple[Payer, dict[str, Any]]:
    """A payer with a linked account, and that account."""
    saver, payer = street.payer("yun", 50_000), street.payer("jing", 20_000, pin=True)
    mandate = saver.post("/v1/mandates", {"grantee": "jing", "daily_max": 10_000, "name": "钱包"})
    code = saver.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})
    body = {"bank_account_id": new_id("bka"), "name": "储蓄", "mandate": mandate["text"], "code": code["text"]}
    return payer, payer.post("/v1/bank-accounts", body) | {"sent": body}


# Codes.


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("https://nobody.example/q/MCA1J76606RMSN", "CODE_NOT_RESOLVED"),
        ("https://wei.hutong.example/q/MCA1J76606RMSN", "CODE_NOT_RESOLVED"),
        ("https://jing.hutong.example/q/MCA1J76606RMSN", "CODE_UNKNOWN"),
        ("000201", "CRC_MISSING"),
        ("no code at all", "CODE_KIND_UNKNOWN"),
        ("", "FIELD_INVALID"),
        ("x" * 513, "FIELD_INVALID"),
        ("a\0b", "FIELD_INVALID"),
    ],
)
def test_an_unknown_code_is_refused(nothing_moves: None, payer: Payer, code: str, reason: str) -> None:
    assert payer.refused("/v1/codes/consult", {"code": code})["reason"] == reason


def test_a_payment_code_pays_once(street: Street, till: Till, stillness: Stillness) -> None:
    payer = street.payer("jing", 1_000)
    code = payer.payment_code()
    before = stillness.look()
    assert till.charge(code, 100)["state"] == "PAID"
    again = till.charge(code, 100)
    assert (again["state"], again["reason"]) == ("REJECTED", "PAYMENT_CODE_REUSED")
    assert payer.balance == 900
    assert stillness.look().figures != before.figures  # So what moves is seen.


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("310000000000000000", "PAYMENT_CODE_WRONG"),
        ("990000000000000000", "CODE_UNKNOWN"),
        ("31000000000000000", "CODE_UNKNOWN"),
        ("31000000000000000x", "CODE_KIND_UNKNOWN"),
    ],
)
def test_a_payment_code_that_is_none_is_refused(nothing_moves: None, till: Till, code: str, reason: str) -> None:
    charge = till.charge(code, 100)
    assert (charge["state"], charge["reason"]) == ("REJECTED", reason)


def test_an_expired_payment_code_is_refused(nothing_moves: None, payer: Payer, till: Till) -> None:
    charge = till.charge(payer.payment_code(minutes_ago=3), 100)
    assert (charge["state"], charge["reason"]) == ("REJECTED", "PAYMENT_CODE_EXPIRED")


# Amounts.


@pytest.mark.parametrize("what", _AMOUNTS)
def test_an_amount_that_is_none_is_refused(nothing_moves: None, payer: Payer, till: Till, what: str) -> None:
    amount, reason = _AMOUNTS[what]
    quote = payer.quote(till.plate)
    refused = payer.refused("/v1/payments", payer.order(quote, amount))  # type: ignore[arg-type]
    assert refused["reason"] == reason
    assert "amount" in refused["facts"]["field"]


@pytest.mark.parametrize("what", _AMOUNTS)
def test_an_amount_that_is_none_is_refused_wherever_one_is_taken(
    street: Street,
    nothing_moves: None,
    paid: dict[str, Any],
    till: Till,
    bank: tuple[Payer, dict[str, Any]],
    what: str,
) -> None:
    payer, account = bank
    amount, _ = _AMOUNTS[what]
    ids = {"bank_account_id": account["bank_account_id"], "amount": amount}
    till.refused("/v1/refunds", {"refund_id": new_id("rfd"), "payment_id": paid["payment_id"], "amount": amount})
    till.refused("/v1/payment-requests", {"reference": new_id("r"), "amount": amount})
    code = "310000000000000000"
    charge = {"reference": new_id("r"), "amount": amount, "way": "PAYMENT_CODE", "payer_code": code}
    till.refused("/v1/charges", charge)
    payer.refused("/v1/top-ups", ids | {"top_up_id": new_id("top")})
    payer.refused("/v1/withdrawals", ids | {"payment_id": new_id("pay")})
    payer.refused("/v1/mandates", {"grantee": "jing", "daily_max": amount, "name": "x"})
    if amount != 0:
        payer.refused("/v1/personal-codes", {"id": new_id("pco"), "amount": amount, "remark": ""})
    pay_in = {"pay_in_id": new_id("pin"), "user_id": payer.user_id, "amount": amount}
    street.operator("jing").refused("/v1/operator/pay-ins", pay_in)
    cap = {"change_id": new_id("cap"), "change": "GRANT", "amount": amount}
    street.operator("switch").refused("/v1/participants/jing/cap", cap)


def test_limits_are_reached_and_not_passed(street: Street, till: Till) -> None:
    """Tier I: 20,000 fen without a PIN, 50,000 a day to static codes, 100,000 a year in all."""
    payer = street.payer("jing", 200_000, pin=True)
    quote = payer.quote(till.plate)
    assert payer.refused("/v1/payments", payer.order(quote, 20_001))["reason"] == "PIN_NEEDED"
    assert payer.refused("/v1/payments", payer.order(quote, 50_001, pin=True))["reason"] == "DAILY_LIMIT_EXCEEDED"
    assert payer.pay(till.plate, 50_000, pin=True)["state"] == "COMPLETED"
    assert payer.refused("/v1/payments", payer.order(quote, 1))["reason"] == "DAILY_LIMIT_EXCEEDED"
    request = till.request(50_001)
    quote = payer.quote(request["code"])
    refused = payer.refused("/v1/payments", payer.order(quote, 50_001, pin=True))
    assert refused["reason"] == "ANNUAL_LIMIT_EXCEEDED"
    request = till.request(50_000)
    assert payer.pay(request["code"], 50_000, pin=True)["state"] == "COMPLETED"
    assert payer.balance == 100_000


# PINs and tokens.


def test_a_wrong_pin_locks_out(street: Street, till: Till, nothing_moves: None) -> None:
    payer = street.payer("jing", pin=True)
    quote = payer.quote(till.plate)
    asked = {"pin": "111222", "payment_id": new_id("pay"), "amount": 1, "creditor": quote["creditor"]}
    left = [payer.refused("/v1/pin/tokens", asked)["facts"]["tries_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert payer.refused("/v1/pin/tokens", asked)["reason"] == "PIN_LOCKED"
    assert payer.refused("/v1/pin/tokens", asked | {"pin": PIN})["reason"] == "PIN_LOCKED"


def test_a_pin_token_is_for_one_payment(nothing_moves: None, payer: Payer, till: Till) -> None:
    quote = payer.quote(till.plate)
    order = payer.order(quote, 30_000, pin=True)
    for other in ({"amount": 30_001}, {"payment_id": new_id("pay")}, {"pin_token": order["pin_token"][:-4] + "AAAA"}):
        refused = payer.refused("/v1/payments", order | other)
        assert refused["reason"] in {"PIN_TOKEN_WRONG", "PIN_TOKEN_MALFORMED"}


@pytest.mark.parametrize("token", ["x", "ses_unknown", "é", "a" * 5000])
def test_who_is_not_known_is_refused(street: Street, nothing_moves: None, token: str) -> None:
    stranger = street.stranger("jing")
    headers = {b"authorization": b"Bearer " + token.encode()}
    for method, path in (("POST", "/v1/payments"), ("POST", "/v1/codes/consult"), ("GET", "/v1/balance")):
        body: dict[str, Any] | None = None if method == "GET" else {}
        problem = refusal(stranger.http.request(method, path, json=body, headers=headers))
        assert problem["kind"] == "NOT_ALLOWED"


# Balances, caps, currencies, participants.


def test_what_is_not_there_is_not_paid(street: Street, till: Till, nothing_moves: None) -> None:
    payer = street.payer("jing")
    for shop in (till, street.till("jing")):
        refused = payer.refused("/v1/payments", payer.order(payer.quote(shop.plate), 1))
        assert (refused["reason"], refused["facts"]["state"]) == ("BALANCE_INSUFFICIENT", "REJECTED")


def test_the_cap_is_reached_exactly_and_not_passed_by_a_fen(street: Street, till: Till) -> None:
    payer = street.payer("zhi", 10_000)
    before = street.cap_of("zhi")
    street.change_cap("zhi", "LOWER", before["headroom"] - 500)
    try:
        assert street.cap_of("zhi")["headroom"] == 500
        quote = payer.quote(till.plate)
        refused = payer.refused("/v1/payments", payer.order(quote, 501))
        assert refused["reason"] == "NET_DEBIT_CAP_EXCEEDED"
        assert payer.pay(till.plate, 500)["state"] == "COMPLETED"
        assert street.cap_of("zhi")["headroom"] == 0
        assert payer.refused("/v1/payments", payer.order(quote, 1))["reason"] == "NET_DEBIT_CAP_EXCEEDED"
        assert payer.balance == 9_500
    finally:
        street.change_cap("zhi", "GRANT", before["headroom"])
    assert audit_when_quiet(street.database_url).wrong == []


def test_another_currency_is_refused(street: Street, nothing_moves: None, payer: Payer, till: Till) -> None:
    order = payer.order(payer.quote(till.plate), 100, currency="USD")
    assert payer.refused("/v1/payments", order)["reason"] == "CURRENCY_DIFFERS"
    request = {"reference": new_id("r"), "amount": 100, "currency": "USD"}
    assert till.refused("/v1/payment-requests", request)["reason"] == "CURRENCY_DIFFERS"
    assert till.refused("/v1/payment-requests", request | {"currency": "XXZ"})["reason"] == "CURRENCY_UNKNOWN"
    cap = {"change_id": new_id("cap"), "change": "GRANT", "amount": 1, "currency": "USD"}
    street.operator("switch").refused("/v1/participants/jing/cap", cap)


def test_a_participant_suspended_between_quote_and_payment_is_not_paid(street: Street, payer: Payer) -> None:
    till, switch = street.till("zhi"), street.operator("switch")
    quote = payer.quote(till.plate)
    before = payer.balance
    switch.post("/v1/participants/zhi/suspend")
    try:
        refused = payer.refused("/v1/payments", payer.order(quote, 100))
        assert refused["reason"] == "PARTICIPANT_SUSPENDED"
        payer.refused("/v1/codes/consult", {"code": till.plate})
    finally:
        switch.post("/v1/participants/zhi/resume")
    assert payer.balance == before
    assert payer.pay(till.plate, 100)["state"] == "COMPLETED"


def test_a_payer_asked_before_the_suspension_cannot_agree_behind_it(street: Street) -> None:
    payer, till, switch = (
        street.payer("jing", 200_000, pin=True, tier="II"),
        street.till("zhi"),
        street.operator("switch"),
    )
    body = {"reference": new_id("r"), "amount": 110_000, "way": "PAYMENT_CODE", "payer_code": payer.payment_code()}
    assert till.post("/v1/charges", body)["state"] == "WAITING"
    (waiting,) = payer.get("/v1/requests-to-pay")
    token = payer.pin_token(waiting["payment_id"], 110_000, waiting["creditor"])
    switch.post("/v1/participants/zhi/suspend")
    try:
        path = f"/v1/requests-to-pay/{waiting['request_to_pay_id']}/approve"
        assert payer.refused(path, {"pin_token": token})["reason"] == "PARTICIPANT_SUSPENDED"
    finally:
        switch.post("/v1/participants/zhi/resume")
    assert payer.balance == 200_000


# Refunds.


def test_a_refund_above_the_remainder_is_refused(payer: Payer, till: Till) -> None:
    payment_id = payer.pay(till.plate, 1_000)["payment_id"]
    body = {"refund_id": new_id("rfd"), "payment_id": payment_id, "amount": 1_001}
    assert till.refused("/v1/refunds", body)["reason"] == "REFUND_EXCEEDS_REMAINDER"
    assert till.refund(payment_id, 999)["state"] == "COMPLETED"
    refused = till.refused("/v1/refunds", {"refund_id": new_id("rfd"), "payment_id": payment_id, "amount": 2})
    assert (refused["reason"], refused["facts"]["left"]) == ("REFUND_EXCEEDS_REMAINDER", 1)
    assert till.refund(payment_id, 1)["state"] == "COMPLETED"


def test_a_refund_of_a_refund_is_refused(payer: Payer, till: Till) -> None:
    refund = till.refund(payer.pay(till.plate, 1_000)["payment_id"], 400)
    body = {"refund_id": new_id("rfd"), "payment_id": refund["refund_id"], "amount": 100}
    assert till.refused("/v1/refunds", body)["reason"] == "ID_OF_OTHER_KIND"
    body["payment_id"] = refund["refund_id"].replace("rfd", "pay")
    assert till.refused("/v1/refunds", body)["reason"] == "REFUND_OF_A_REFUND"


def test_somebody_elses_payment_is_not_refunded(
    street: Street, nothing_moves: None, paid: dict[str, Any], payer: Payer
) -> None:
    for other in (street.till("wei"), street.till("jing")):
        body = {"refund_id": new_id("rfd"), "payment_id": paid["payment_id"], "amount": 1}
        assert other.refused("/v1/refunds", body)["reason"] == "PAYMENT_UNKNOWN"
    payer.refused("/v1/refunds", {"refund_id": new_id("rfd"), "payment_id": paid["payment_id"], "amount": 1})
    stranger = street.payer("jing")
    problem = stranger.refused(f"/v1/payments/{paid['payment_id']}", method="GET")
    assert problem["reason"] == "PAYMENT_UNKNOWN"


def test_a_rejected_payment_is_not_refunded(street: Street, till: Till, nothing_moves: None) -> None:
    payer, shop = street.payer("jing"), street.till("jing")
    order = payer.order(payer.quote(shop.plate), 100)
    payer.refused("/v1/payments", order)
    body = {"refund_id": new_id("rfd"), "payment_id": order["payment_id"], "amount": 1}
    assert shop.refused("/v1/refunds", body)["reason"] in {"PAYMENT_NOT_COMPLETED", "PAYMENT_UNKNOWN"}


# The same id with other content.


def _conflict(client: Any, path: str, body: dict[str, Any], **others: Any) -> None:
    """Sent once; again it is answered alike; with each other content it is a conflict that names the field."""
    waits = path != "/v1/payment-requests"  # Which are open until somebody pays.
    first = decided(lambda: {"state": "", **client.post(path, body)}, within_s=20 * waits)
    again = client.post(path, body)
    moving = {"token", "expires_at_ms", "changed_at_ms"}
    assert {k: v for k, v in again.items() if k not in {*moving, "state"}} == {
        k: v for k, v in first.items() if k not in {*moving, "state"}
    }
    for field, value in others.items():
        refused = client.refused(path, body | {field: value})
        assert (refused["kind"], refused["facts"].get("field")) == ("CONFLICT", field), (field, refused)


def test_a_payment_id_names_one_payment(street: Street, payer: Payer, till: Till) -> None:
    order = payer.order(payer.quote(till.plate), 100, remark="一")
    other = payer.quote(till.plate)["quote_id"]
    _conflict(payer, "/v1/payments", order, amount=101, quote_id=other, remark="二", currency="USD", funding="card")
    somebody = street.payer("jing", 1_000)
    body = order | {"quote_id": somebody.quote(till.plate)["quote_id"]}
    refused = somebody.refused("/v1/payments", body)
    assert (refused["reason"], refused["facts"]) == ("ID_TAKEN", {"field": "payment_id"})
    assert somebody.balance == 1_000


def test_a_refund_id_names_one_refund(payer: Payer, till: Till, paid: dict[str, Any]) -> None:
    payment_id = payer.pay(till.plate, 500)["payment_id"]
    body = {"refund_id": new_id("rfd"), "payment_id": payment_id, "amount": 100, "remark": "退"}
    _conflict(till, "/v1/refunds", body, amount=101, payment_id=paid["payment_id"], remark="x")


def test_a_reference_names_one_request(till: Till) -> None:
    body = {"reference": new_id("r"), "amount": 100, "remark": "面"}
    _conflict(till, "/v1/payment-requests", body, amount=101, remark="饭", lifetime_s=60)


def test_a_reference_names_one_charge(street: Street, till: Till) -> None:
    payer = street.payer("jing", 1_000)
    body = {"reference": new_id("r"), "amount": 100, "way": "PAYMENT_CODE", "payer_code": payer.payment_code()}
    _conflict(till, "/v1/charges", body, amount=101, remark="饭", payer_code="310000000000000000")
    assert payer.balance == 900


def test_ids_of_money_from_and_to_a_bank_name_one_thing(bank: tuple[Payer, dict[str, Any]]) -> None:
    payer, account = bank
    _conflict(payer, "/v1/bank-accounts", account["sent"], name="支票", code="https://yun.hutong.example/q/x")
    linked = {"bank_account_id": account["bank_account_id"], "amount": 100}
    second = payer.post("/v1/bank-accounts", account["sent"] | {"bank_account_id": new_id("bka")})["bank_account_id"]
    _conflict(payer, "/v1/top-ups", linked | {"top_up_id": new_id("top")}, amount=101, bank_account_id=second)
    body = linked | {"payment_id": new_id("pay")}
    body["pin_token"] = payer.pin_token(body["payment_id"], 100, account["creditor"])
    _conflict(payer, "/v1/withdrawals", body, amount=101, bank_account_id=second)


def test_ids_of_codes_and_money_paid_in_name_one_thing(street: Street) -> None:
    payer, other = street.payer("jing"), street.payer("jing")
    code = {"id": new_id("pco"), "amount": 100, "remark": "一"}
    _conflict(payer, "/v1/personal-codes", code, amount=101, remark="二")
    body = {"pay_in_id": new_id("pin"), "user_id": payer.user_id, "amount": 100}
    _conflict(street.operator("jing"), "/v1/operator/pay-ins", body, amount=101, user_id=other.user_id)
    assert (payer.balance, other.balance) == (100, 0)


def test_references_of_merchants_shops_and_plates_name_one_thing(street: Street, till: Till) -> None:
    operator = street.operator("wei")
    profile = {"reference": new_id("m"), "legal_name": "甲有限公司", "name": "甲", "latin_name": "Jia", "city": "北京"}
    merchant = {**profile, "latin_city": "Beijing", "mcc": "5812", "fee_bps": 60}
    _conflict(operator, "/v1/operator/merchants", merchant, name="乙", mcc="5411", fee_bps=61)
    shop = {"reference": new_id("s"), "name": "东门店", "city": "北京", "latin_city": "Beijing"}
    _conflict(till, "/v1/shops", shop, name="西门店", city="上海")
    shop_id = till.post("/v1/shops", shop)["shop_id"]
    _conflict(till, "/v1/plates", {"reference": new_id("p")}, shop_id=shop_id)
    path = f"/v1/operator/merchants/{till.merchant_id}/foreign-plates"
    foreign = {"reference": new_id("p"), "text": f"https://qr.weipay.example/{new_id('x')}"}
    _conflict(operator, path, foreign, text="https://qr.weipay.example/other", shop_id=shop_id)


def test_a_cap_change_names_one_change(street: Street) -> None:
    body = {"change_id": new_id("cap"), "change": "GRANT", "amount": 100}
    switch, path = street.operator("switch"), "/v1/participants/zhi/cap"
    switch.post(path, body)
    before = street.cap_of("zhi")["cap"]
    switch.post(path, body)
    for other in ({"amount": 101}, {"change": "LOWER"}):
        assert switch.refused(path, body | other)["kind"] == "CONFLICT"
    assert switch.refused("/v1/participants/jing/cap", body)["kind"] == "CONFLICT"
    assert street.cap_of("zhi")["cap"] == before


# Bodies.


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"payment_id": 1}',
        b'{"code": "\xff"}',
        b'{"payment_id": "\xff"}',
        b"[" * 10_000,
    ],
)
@pytest.mark.parametrize("path", ["/v1/payments", "/v1/codes/consult", "/v1/withdrawals"])
def test_a_malformed_body_is_refused(nothing_moves: None, payer: Payer, path: str, body: bytes) -> None:
    response = payer.http.post(path, content=body, headers={"content-type": "application/json"})
    assert refusal(response)["kind"] == "INVALID"


def test_a_body_too_large_is_refused(nothing_moves: None, payer: Payer) -> None:
    response = payer.http.post("/v1/payments", content=b" " * ((1 << 20) + 1))
    assert (response.status_code, refusal(response)["reason"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("text", ["x" * 141, "a\0b", "a\nb", "\u202e"])
def test_a_text_nobody_may_see_is_refused(nothing_moves: None, payer: Payer, till: Till, text: str) -> None:
    order = payer.order(payer.quote(till.plate), 100, remark=text)
    problem = payer.refused("/v1/payments", order)
    assert problem["kind"] == "INVALID"


@pytest.mark.parametrize(
    "id_", ["pay_", "pay_0", "pay_01M80QG6B6CTPKGFG0M6Y5ZFGU", "rfd_01M80QG6B6CTPKGFG0M6Y5ZFG0", "x", ""]
)
def test_an_id_that_is_none_is_refused(nothing_moves: None, payer: Payer, till: Till, id_: str) -> None:
    order = payer.order(payer.quote(till.plate), 100) | {"payment_id": id_}
    assert payer.refused("/v1/payments", order)["reason"] in {"ID_MALFORMED", "ID_OF_OTHER_KIND"}


def test_an_id_from_the_future_is_refused(nothing_moves: None, payer: Payer, till: Till) -> None:
    order = payer.order(payer.quote(till.plate), 100) | {"payment_id": "pay_7ZZZZZZZZZCTPKGFG0M6Y5ZFG0"}
    assert payer.refused("/v1/payments", order)["reason"] == "ID_FROM_THE_FUTURE"
