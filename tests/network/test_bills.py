"""A merchant's bills over a real network: equal to the ledger to the fen, line by line."""

import csv
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.network.street import Street, Till


def rows(till: Till, day: str, name: str) -> list[dict[str, str]]:
    answer = till.ask("GET", f"/v1/merchant/bills/{day}/{name}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(answer.text.splitlines()))


def today() -> str:
    return datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()


def test_a_days_bills_equal_the_ledger(street: Street) -> None:
    till = street.till("wei", fee_bps=60)
    payers = [street.payer(node, 20_000) for node in ("jing", "wei")]  # Across and on us.
    before = today()
    paid = [payer.pay(till.plate, amount)["payment_id"] for payer in payers for amount in (1_000, 2_345)]
    request = till.request(700, remark='=1+1, "quoted"')
    paid.append(payers[0].pay(request["code"], 700)["payment_id"])
    refunds = [till.refund(paid[0], 300)["refund_id"], till.refund(paid[2], 1_000)["refund_id"]]
    day = today()
    if before != day:  # Midnight came between: what is compared is of one day.
        test_a_days_bills_equal_the_ledger(street)
        return

    totals = till.get(f"/v1/merchant/bills/{day}")
    assert (totals["payments"], totals["gross"], totals["refunds"], totals["refunded"]) == (5, 7_390, 2, 1_300)
    assert (totals["opening"], totals["closing"], totals["other"]) == (0, till.balance, 0)
    assert totals["net"] == till.balance
    assert totals["agrees"]
    assert not totals["complete"]

    trades = rows(till, day, "trades")
    assert [line["payment_id"] for line in trades if line["kind"] == "PAYMENT"] == paid
    assert [line["refund_id"] for line in trades if line["kind"] == "REFUND"] == refunds
    assert sum(int(line["net"]) for line in trades) == totals["net"]
    assert all(int(line["net"]) == int(line["gross"]) - int(line["fee"]) for line in trades[:5])
    (asked,) = [line for line in trades if line["payment_id"] == paid[-1]]
    assert asked["reference"] == request["reference"]
    assert {line["channel"] for line in trades} == {"STATIC", "DYNAMIC", ""}

    funds = rows(till, day, "funds")
    assert len(funds) == totals["lines"]
    balance = 0
    for line in funds:
        balance += int(line["in"]) - int(line["out"])
        assert int(line["balance"]) == balance
    assert balance == till.balance
    assert {line["payment_id"] for line in funds} == set(paid)


def test_a_day_that_has_not_begun_and_a_key_of_one_shop_are_refused(street: Street) -> None:
    till = street.till("jing")
    assert till.refused("/v1/merchant/bills/2199-01-01", method="GET")["reason"] == "DAY_NOT_BEGUN"
    assert till.refused("/v1/merchant/bills/2026-02-30", method="GET")["reason"] == "DAY_MALFORMED"
    assert till.get("/v1/merchant/bills/2020-01-01")["agrees"]
    assert rows(till, "2020-01-01", "trades") == []
