"""Reconciling over a real network: books that agree, and books that somebody damaged behind the node's back."""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hutong.kernel.ids import parse_id
from hutong.runtime.address import Address
from hutong.runtime.settings import Settings
from tests.network.conftest import NetworkThread, new_database
from tests.network.street import Client, Payer, Street, Till, new_id


@pytest.fixture(scope="module")
def alley(postgres: Address, run_directory: Path) -> Iterator[Street]:
    """A network of its own: what is damaged here, no auditor of the others shall find."""
    directory = run_directory / f"reconciliation-{os.getpid()}"
    directory.mkdir()
    address = new_database(postgres)
    nodes = ("switch", "jing", "wei", "zhi", "yun")
    network = NetworkThread(Settings(data_directory=directory, ports=dict.fromkeys(nodes, 0)), address)
    network.start()
    assert network.up.wait(250)
    if network.failed is not None:
        raise network.failed
    found = Street(network.doors, address.url)
    yield found
    found.close()
    network.end()
    shutil.rmtree(directory, ignore_errors=True)


def close_window(alley: Street) -> str:
    """Close the open window of the switch; its id."""
    switch = alley.operator("switch")
    window = str(next(each["window"] for each in switch.get("/v1/windows") if each["state"] == "OPEN"))
    switch.post(f"/v1/windows/{window.replace('/', '.')}/close")
    return window


def reconciled(operator: Client, window: str) -> dict[str, Any]:
    """Compare, and wait for the end."""
    path = f"/v1/operator/reconciliations/{window.replace('/', '.')}"
    found = operator.post(path)
    ends_at = time.monotonic() + 60
    while found["phase"] != "done" and time.monotonic() < ends_at:
        time.sleep(0.05)
        found = operator.get(path)
    assert found["phase"] == "done"
    return dict(found)


def open_cases(operator: Client, window: str) -> list[dict[str, Any]]:
    return list(operator.get(f"/v1/operator/reconciliations/{window.replace('/', '.')}/cases?only=OPEN"))


def damage(alley: Street, statement: str, *arguments: Any) -> None:
    """What no node does: change rows. Exactly one."""

    async def change() -> None:
        connection = await asyncpg.connect(alley.database_url)
        try:
            assert await connection.execute(statement, *arguments) in {"UPDATE 1", "DELETE 1"}
        finally:
            await connection.close()

    asyncio.run(change())


def uuid_of(payment_id: str) -> str:
    return f"{parse_id('pay', payment_id):032x}"


@dataclass
class Day:
    """What happened in one window before it was closed, and what was done to the rows behind the nodes' back."""

    window: str
    payer: Payer
    till: Till
    forgotten: str
    never_cleared: str


@pytest.fixture(scope="module")
def day(alley: Street) -> Day:
    payer, other, till = alley.payer("jing", 40_000), alley.payer("zhi", 40_000), alley.till("wei", fee_bps=60)
    first = other.pay(till.plate, 1_000)["payment_id"]
    till.refund(first, 400)
    request = till.request(300)
    assert other.pay(request["code"], 300)["state"] == "COMPLETED"
    assert payer.pay(till.plate, 2_500)["state"] == "COMPLETED"
    forgotten = payer.pay(till.plate, 1_000)["payment_id"]
    never_cleared = payer.pay(till.plate, 700)["payment_id"]
    id_ = uuid_of(forgotten)
    damage(alley, "UPDATE wei.receipt_outcomes SET completed = false WHERE id = $1::text::uuid", id_)
    damage(
        alley, "DELETE FROM wei.transfer WHERE user_data_128 = $1::text::uuid AND flags & 4 <> 0 AND amount = 994", id_
    )
    damage(alley, "DELETE FROM switch.decision WHERE payment_id = $1::text::uuid", uuid_of(never_cleared))
    return Day(close_window(alley), payer, till, forgotten, never_cleared)


def cases_by_line(operator: Client, window: str) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in open_cases(operator, window)}


def test_books_that_agree_match_line_by_line(alley: Street, day: Day) -> None:
    for node, lines in (("zhi", 3), ("yun", 0)):
        found = reconciled(alley.operator(node), day.window)
        assert (found["matched"], found["differing"], found["lines_there"]) == (lines, 0, lines)
        assert found["here"] == found["there"]
        assert open_cases(alley.operator(node), day.window) == []


def test_a_payment_we_forgot_is_booked_to_suspense_and_settled(alley: Street, day: Day) -> None:
    wei = alley.operator("wei")
    found = reconciled(wei, day.window)
    # The other is what the switch forgot: of that our books are right, and the case is closed with a word.
    assert (found["differing"], found["matched"]) == (2, 4)
    cases = cases_by_line(wei, day.window)
    other, case = cases[uuid_of(day.never_cleared)], cases[uuid_of(day.forgotten)]
    assert wei.post(f"/v1/operator/cases/{other['case_id']}/explain", {"note": "换机"})["state"] == "EXPLAINED"
    assert (case["kind"], case["standing"], case["proposal"]) == ("MISSING_HERE", "REJECTED", "BOOK_TO_SUSPENSE")
    assert (case["here"], case["there"], case["correction"]) == (None, 1_000, 1_000)
    path = f"/v1/operator/cases/{case['case_id']}"
    assert wei.refused(f"{path}/settle", {"with": "differences"})["reason"] == "NOTHING_IN_SUSPENSE"
    assert wei.refused(f"{path}/enquire")["reason"] == "CORRECTION_NOT_PROPOSED"
    for _ in range(2):  # Asked twice, booked once.
        assert wei.post(f"{path}/correct")["state"] == "CORRECTED"
    # The fee's transfer is still there: together with the correction, six fen too much is booked now.
    assert reconciled(wei, day.window)["differing"] == 2
    (case,) = open_cases(wei, day.window)
    assert (case["kind"], case["here"], case["there"], case["correction"]) == ("AMOUNT_DIFFERS", 1_006, 1_000, -6)
    assert wei.post(f"{path}/correct")["state"] == "CORRECTED"
    found = reconciled(wei, day.window)
    assert (found["differing"], open_cases(wei, day.window)) == (1, [])  # Explained stays explained.
    before = day.till.balance
    assert wei.post(f"{path}/settle", {"with": "differences"})["state"] == "SETTLED"
    assert day.till.balance == before


def test_a_payment_the_switch_never_cleared_is_taken_back(alley: Street, day: Day) -> None:
    jing, before = alley.operator("jing"), day.payer.balance
    assert reconciled(jing, day.window)["differing"] == 1
    (case,) = open_cases(jing, day.window)
    assert (case["kind"], case["here"], case["there"], case["correction"]) == ("MISSING_THERE", 700, None, 700)
    path, subject = f"/v1/operator/cases/{case['case_id']}", case["case_id"]
    second = second_operator(alley, "jing")
    proposed = propose(jing, "reconciliation.correct", subject)
    assert jing.refused(f"{proposed}/approve")["reason"] == "APPROVAL_NEEDS_ANOTHER_OPERATOR"
    assert jing.get(path)["state"] == "OPEN"
    assert ended(second, proposed) == ("DONE", "")
    assert (jing.get(path)["state"], jing.get(path)["changed_by"]) == ("CORRECTED", "operator, bo")
    assert reconciled(jing, day.window)["differing"] == 0
    # What the ledger refuses has failed, and the case may be settled otherwise.
    nobody = propose(jing, "reconciliation.settle", subject, account=new_id("usr"))
    assert ended(second, nobody) == ("FAILED", "CORRECTION_REFUSED")
    assert ended(second, propose(jing, "reconciliation.settle", subject, account=day.payer.user_id)) == ("DONE", "")
    assert jing.get(path)["state"] == "SETTLED"
    assert day.payer.balance == before + 700
    assert jing.refused(f"{path}/explain", {"note": "已经处理"})["reason"] == "CASE_IS_CLOSED"
    late = {"approval_id": new_id("apr"), "kind": "reconciliation.correct", "subject": subject, "facts": {}}
    assert jing.refused("/v1/approvals", late | {"reason": "再来一次"})["reason"] == "CASE_IS_CLOSED"


def second_operator(alley: Street, node: str) -> Client:
    """Another operator of the node, by a token of their own."""
    first = alley.operator(node)
    return alley._known(Client(first.url, first.put("/v1/operators/bo", {"role": "OPERATOR"})["token"]))


def propose(operator: Client, kind: str, subject: str, **facts: str) -> str:
    """The path of a proposal that waits for another operator."""
    id_ = new_id("apr")
    body = {"approval_id": id_, "kind": kind, "subject": subject, "facts": facts, "reason": "对账差错"}
    assert operator.post("/v1/approvals", body)["state"] == "PROPOSED"
    return f"/v1/approvals/{id_}"


def ended(operator: Client, path: str) -> tuple[str, str]:
    """Approve, and how it ended."""
    found = operator.post(f"{path}/approve")
    ends_at = time.monotonic() + 60
    while found["state"] == "APPROVED" and time.monotonic() < ends_at:
        time.sleep(0.05)
        found = operator.get(path)
    return found["state"], found["outcome"]


def test_an_open_window_and_an_unknown_one_are_refused(alley: Street) -> None:
    jing = alley.operator("jing")
    assert jing.refused("/v1/operator/reconciliations/2020-01-01.1", method="GET")["reason"] == "NOT_RECONCILED_YET"
    assert jing.refused("/v1/operator/reconciliations/yesterday")["reason"] == "WINDOW_MALFORMED"
    path = "/v1/operator/reconciliations/2020-01-01.1"
    jing.post(path)
    ends_at = time.monotonic() + 60
    while (answer := jing.ask("GET", path)).is_success and time.monotonic() < ends_at:
        time.sleep(0.05)
    assert answer.json()["reason"] == "WINDOW_UNKNOWN"
