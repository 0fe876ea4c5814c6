"""Invoices say what was charged in a month, to the fen, and take what is due once; the switch proves its books daily."""

import csv

import pytest
from msgspec.structs import replace

from hutong.kernel.errors import Refusal
from hutong.switch.fees import FeeRule
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.report import INVOICE_COLUMNS, invoices_csv
from hutong.switch.settlement.rules import SettlementRules
from tests.switch.settlement.test_settlement import SCHEME, W1, Desk
from tests.switch.world import accepts, complete

MONTH = "2026-01"


async def traded() -> Desk:
    desk = Desk()
    await desk.boot()
    desk.admit("jing", "wei", cap=0)
    rules = SettlementRules(membership_fee_minor=150)
    desk.switch.settlement_rules.publish("fee", desk.clock.now_ns(), rules)
    desk.switch.admission.publish_fees("2026-1", desk.clock.now_ns(), [FeeRule(switch_fee_bps=10)])
    await desk.fund("jing", 10_000)
    payment = desk.payment(amount=4_000, switch_fee=4, settlement=3_996, fee_version="2026-1")
    complete(desk, payment)
    refund = desk.refund(payment, amount=1_000, settlement=999, switch_fee=1)
    desk.say("wei", refund)
    desk.say("jing", accepts(refund))
    assert desk.close() == "SETTLED"
    return desk


async def test_an_invoice_has_what_was_taken_per_payment_and_takes_the_membership_once() -> None:
    desk = await traded()
    with pytest.raises(Refusal) as refused:
        await desk.switch.invoices.issue(MONTH)
    assert refused.value.reason is SettlementReason.MONTH_NOT_SETTLED
    for _ in range(31):
        desk.pass_time(86_400)
    issued = {each.number: each for each in await desk.switch.invoices.issue(MONTH)}
    wei = issued[f"{MONTH}/wei/CNY"]
    lines = {line.what: (line.count, line.volume_minor, line.charged_minor) for line in wei.read_lines()}
    assert lines == {"2026-1": (1, 4_000, 4), "returns": (1, 1_000, -1), "membership": (1, 0, 150)}
    assert desk.switch.invoices.invoice(wei.number).state == "PAID"
    assert (await desk.reserve("wei"), await desk.reserve("jing"), await desk.reserve(SCHEME)) == (
        3_996 - 999 - 150,
        10_000 - 4_000 + 1_000 - 150,
        3 + 300,
    )
    assert (await desk.cap("wei"), await desk.headroom("wei")) == (2_847, 2_847)
    again = await desk.switch.invoices.issue(MONTH)
    assert {each.number for each in again} == issued.keys()
    assert await desk.reserve("wei") == 2_847
    assert "2026-1             1   40.00     0.04  taken per payment" in wei.text()
    await desk.crash()
    assert desk.switch.invoices.invoice(wei.number).state == "PAID"


async def test_invoices_as_csv_have_a_row_for_each_line_and_add_up() -> None:
    desk = await traded()
    for _ in range(31):
        desk.pass_time(86_400)
    issued = await desk.switch.invoices.issue(MONTH)
    text = invoices_csv(issued)
    rows = list(csv.DictReader(text.splitlines()))
    assert tuple(rows[0]) == INVOICE_COLUMNS
    assert [(row["what"], row["count"], row["volume"], row["charged"]) for row in rows if row["node"] == "wei"] == [
        ("2026-1", "1", "4000", "4"),
        ("returns", "1", "1000", "-1"),
        ("membership", "1", "0", "150"),
    ]
    for invoice in issued:
        of = [row for row in rows if row["number"] == invoice.number]
        assert {(row["month"], row["total"], row["due"], row["state"]) for row in of} == {
            (MONTH, str(invoice.total_minor), "150", "PAID")
        }
        assert sum(int(row["charged"]) for row in of) == invoice.total_minor
    (row,) = csv.DictReader(invoices_csv([replace(issued[0], lines="[]", total_minor=0)]).splitlines())
    assert (row["number"], row["what"], row["charged"], row["total"]) == (issued[0].number, "", "0", "0")


async def test_what_the_reserve_cannot_pay_stays_due() -> None:
    desk = await traded()
    await desk.take("wei", 2_900)
    for _ in range(31):
        desk.pass_time(86_400)
    number = f"{MONTH}/wei/CNY"
    await desk.switch.invoices.issue(MONTH)
    assert desk.switch.invoices.invoice(number).state == "DUE"
    await desk.fund("wei", 100)
    await desk.switch.invoices.issue(MONTH)
    assert desk.switch.invoices.invoice(number).state == "PAID"


async def test_the_switch_proves_its_books_each_day() -> None:
    desk = await traded()
    desk.pass_time(1)
    desk.pass_time(86_400)
    proofs = desk.switch.proofs.proofs()
    assert [(each.day, each.holds) for each in proofs] == [("2026-01-01", True), ("2026-01-02", True)]
    assert (proofs[-1].custody_minor, proofs[-1].reserves_minor) == (10_000, 10_000)
    assert desk.switch.windows.window(W1).state == "SETTLED"
