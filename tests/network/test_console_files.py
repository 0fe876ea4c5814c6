"""Files of the console over a real network: every payment that was asked for, and no text that is a formula."""

import csv
import io

import httpx
import openpyxl

from tests.network.street import NO_TLS, TIMEOUT_S, Street, Till, new_id
from tests.network.test_withdrawals import STAFF_PIN, owner_of


def signed_in(street: Street, till: Till) -> httpx.Client:
    """A browser of the merchant's owner."""
    owner_of(street, till)
    phone = till.get("/v1/staff")[0]["phone"]
    door, operator = street.stranger(till.node), street.operator(till.node)
    door.post("/v1/staff/codes", {"phone": phone})
    code = operator.get(f"/v1/operator/one-time-codes/{phone}")["code"]
    body = {"phone": phone, "device_id": new_id("dev"), "pin": STAFF_PIN, "code": code}
    token = door.post("/v1/staff/sessions", body)["token"]
    return httpx.Client(base_url=till.url, cookies={f"staff-{till.node}": token}, timeout=TIMEOUT_S, verify=NO_TLS)


def test_payments_leave_as_files_in_which_no_text_is_a_formula(street: Street) -> None:
    till, payer = street.till("wei"), street.payer("jing", 20_000)
    paid = [payer.pay(till.plate, amount)["payment_id"] for amount in (1_280, 4_999)]
    paid.append(payer.pay(till.request(3_000, remark="=1+1 两碗面")["code"], 3_000)["payment_id"])
    till.refund(paid[0], 300)
    other = payer.pay(street.till("wei").plate, 100)["payment_id"]
    with signed_in(street, till) as browser:
        answer = browser.get("/console/payments/export/csv", headers={"accept-language": "en"})
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [row["Payment number"] for row in rows] == paid
        assert [row["Amount"] for row in rows] == ["12.80", "49.99", "30.00"]
        assert [row["Given back"] for row in rows] == ["3.00", "0.00", "0.00"]
        assert rows[-1]["Remark"] == "'=1+1 两碗面"
        answer = browser.get("/console/payments/export/xlsx?state=REFUNDED", headers={"accept-language": "zh-CN"})
        lines = list(openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
        assert lines[0][0] == "收款编号"
        assert [line[0] for line in lines[1:]] == paid[:1]
        assert lines[1][9] == 12.8
        assert browser.get("/console/payments/export/pdf").status_code == 404
        assert browser.get(f"/console/payments/{other}").status_code == 404
        asked = browser.get("/console/payments?text=%25&first=2026-13-01")
        assert asked.status_code == 400
        assert browser.get("/console/payments?text=%25").text.count("/console/payments/pay_") == 0
