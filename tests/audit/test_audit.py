"""The auditor finds nothing in sound books, and each way in which rows can be wrong; nodes that work are no reason."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import pytest

from hutong.audit.network import Audit, AuditReason, audit, audit_nodes
from hutong.audit.snapshot import nodes_of
from hutong.cli.main import run
from hutong.kernel.errors import Refusal
from hutong.runtime.address import Address, parse_address
from hutong.runtime.settings import Settings
from tests.network.audit import audit_when_quiet
from tests.network.conftest import NetworkThread, new_database
from tests.network.street import Street, decided, new_id

NODES = ("switch", "jing", "wei", "zhi", "yun")
NOBODY = "'00000000-0000-0000-0000-000000000000'"
# The first of what was completed across from jing to wei, and what belongs to it.
ACROSS = f"(SELECT id FROM jing.payments WHERE payee_account = {NOBODY} ORDER BY position LIMIT 1)"
ON_US = f"(SELECT id FROM jing.payments WHERE payee_account <> {NOBODY} ORDER BY position LIMIT 1)"


@pytest.fixture(scope="module")
def books(postgres: Address, run_directory: Path) -> Iterator[str]:
    """A network that did everything once and was stopped: its database."""
    address, directory = new_database(postgres), run_directory / f"audited-{os.getpid()}"
    directory.mkdir()
    network = NetworkThread(Settings(data_directory=directory, ports=dict.fromkeys(NODES, 0)), address)
    network.start()
    assert network.up.wait(250)
    street = Street(network.doors, address.url)
    payer, friend = street.payer("jing", 100_000), street.payer("wei")
    till, ours = street.till("wei"), street.till("jing")
    paid = payer.pay(till.plate, 5_000)
    decided(lambda: till.refund(paid["payment_id"], 1_200))
    paid = payer.pay(ours.plate, 3_000)
    decided(lambda: ours.refund(paid["payment_id"], 3_000))
    payer.pay(till.request(700)["code"], 700)
    till.charge(payer.payment_code(), 900)
    payer.pay(friend.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})["text"], 400)
    packet = {"packet_id": new_id("rpk"), "kind": "EQUAL", "amount": 300, "count": 3}
    link = payer.post("/v1/me/red-packets", packet)["link"]
    for _ in range(2):
        street.payer("jing").post("/v1/me/red-packets/claims", {"link": link})
    assert audit_when_quiet(address.url).wrong == []
    street.close()
    network.end()
    yield address.url
    shutil.rmtree(directory)


@dataclass(frozen=True)
class Damage:
    """What is done to the rows, and how the audit must name it: where, which invariant, which words."""

    name: str
    sql: str
    node: str
    invariant: int
    says: str


DAMAGES = [
    Damage(
        "a red packet is said to hold more",
        "UPDATE jing.red_packets SET amount = amount + 3",
        "jing", 7, "red packet is OPEN of 303: 300 came",
    ),
    Damage(
        "a claim of a red packet is doubled",
        "UPDATE jing.red_packet_claims SET number = 0",
        "jing", 7, "red packet is OPEN of 300",
    ),
    Damage(
        "a claim of a red packet is forgotten",
        "DELETE FROM jing.red_packet_claims WHERE number = 1",
        "jing", 7, "200 was claimed here, 0 went back, 100 is inside; claims of 100",
    ),
    Damage(
        "a hold is made up",
        "INSERT INTO jing.holds SELECT max(position) + 1, gen_random_uuid(), gen_random_uuid(), 'wei', 'inn', 'deposit', gen_random_uuid(),"
        " 'x', gen_random_uuid(), true, 500, 'CNY', 100, 0, 0, 'HELD', '', '', 3, 1, 20000, 1, 1, 1, 1 FROM jing.payments",
        "jing", 7, "hold is HELD of 500, 100 taken and 0 released: 0 came, 0 went, and 0 was paid",
    ),
    Damage(
        "an amount is raised",
        f"UPDATE jing.transfer SET amount = amount + 1 WHERE user_data_128 = {ON_US} AND code = 12",
        "jing", 10, "left balances",
    ),
    Damage(
        "a balance in a row is changed",
        "UPDATE wei.transfer SET credits_posted = '00000000-0000-0000-0000-0000000f0000'"
        " WHERE position = (SELECT max(position) FROM wei.transfer)",
        "wei", 10, "left balances",
    ),
    Damage(
        "a balance in the row of a post is changed",
        "UPDATE switch.transfer SET debits_pending = '00000000-0000-0000-0000-000000000001'"
        " WHERE position = (SELECT max(position) FROM switch.transfer)",
        "switch", 10, "left balances",
    ),
    Damage(
        "a transfer is deleted",
        "DELETE FROM jing.transfer WHERE position = (SELECT min(position) FROM jing.transfer WHERE code = 30)",
        "jing", 7, "overdraws",
    ),
    Damage(
        "a transfer names no account",
        "UPDATE zhi.account SET id = gen_random_uuid(); UPDATE wei.transfer SET debit_account_id = gen_random_uuid()"
        " WHERE position = (SELECT max(position) FROM wei.transfer WHERE flags & 14 = 0 OR flags & 2 <> 0)",
        "wei", 1, "names an account that does not exist",
    ),
    Damage(
        "ledgers are joined",
        "UPDATE jing.transfer SET ledger = 840 WHERE position = (SELECT max(position) FROM jing.transfer)",
        "jing", 1, "joins ledgers",
    ),
    Damage(
        "a transfer is moved in time",
        "UPDATE wei.transfer SET timestamp = timestamp - 3600000000000"
        " WHERE position = (SELECT max(position) FROM wei.transfer)",
        "wei", 10, "out of time",
    ),
    Damage(
        "an amount is no amount",
        "UPDATE jing.transfer SET amount = 0.5 WHERE position = (SELECT max(position) FROM jing.transfer)",
        "jing", 1, "an amount that is none",
    ),
    Damage(
        "more is taken out of an account than is in it",
        "UPDATE jing.account SET flags = 4 WHERE code = 1101",
        "jing", 7, "takes more out than is in",
    ),
    Damage(
        "a pending transfer is resolved twice",
        "DROP INDEX jing.transfer_resolves_once; INSERT INTO jing.transfer SELECT (SELECT max(position) + 1 FROM"
        " jing.transfer), gen_random_uuid(), debit_account_id, credit_account_id, pending_id, user_data_128,"
        " debits_pending, debits_posted, credits_pending, credits_posted, timestamp + 3600000000000, ledger,"
        " user_data_32, timeout, code, flags, amount, user_data_64 FROM jing.transfer WHERE flags & 4 <> 0 LIMIT 1",
        "jing", 3, "was resolved 2 times",
    ),
    Damage(
        "a payment's money moves twice",
        "INSERT INTO jing.transfer SELECT (SELECT max(position) + 1 FROM jing.transfer), gen_random_uuid(),"
        " debit_account_id, credit_account_id, pending_id, user_data_128, debits_pending, debits_posted,"
        " credits_pending, credits_posted, timestamp + 3600000000000, ledger, user_data_32, timeout, code, 0, amount,"
        f" user_data_64 FROM jing.transfer WHERE flags & 4 <> 0 AND user_data_128 = {ACROSS} LIMIT 1",
        "jing", 3, "came to clearing, not",
    ),
    Damage(
        "an id is there twice",
        "ALTER TABLE wei.account DROP CONSTRAINT account_once;"
        " INSERT INTO wei.account SELECT (SELECT max(position) + 1 FROM wei.account), id, user_data_128, timestamp,"
        " ledger, user_data_32, code, flags, user_data_64 FROM wei.account LIMIT 1",
        "wei", 3, "account: there 2 times",
    ),
    Damage(
        "a payment is decided twice",
        "ALTER TABLE switch.decision DROP CONSTRAINT decision_once; INSERT INTO switch.decision SELECT"
        " (SELECT max(position) + 1 FROM switch.decision), id, payment_id, originator, status, reason_code,"
        " reason_name, settles_on, decided_ns FROM switch.decision LIMIT 1",
        "switch", 3, "decision: there 2 times",
    ),
    Damage(
        "a refused id was used",
        "INSERT INTO jing.burned_id SELECT 1000000, id, timestamp, 54 FROM jing.transfer LIMIT 1",
        "jing", 3, "an id that was refused",
    ),
    Damage(
        "a decision is reversed",
        f"UPDATE switch.decision SET status = 'RJCT' WHERE payment_id = {ACROSS}",
        "jing", 5, "completed is True, the switch says RJCT",
    ),
    Damage(
        "a rejection is told as a yes",
        f"UPDATE wei.receipt_outcomes SET completed = false WHERE id = {ACROSS}",
        "wei", 5, "completed is False, the switch says ACSC",
    ),
    Damage(
        "a receipt is lost",
        f"DELETE FROM wei.receipts WHERE id = {ACROSS}",
        "wei", 5, "completed at the switch, and is unknown here",
    ),
    Damage(
        "a payment is lost by who sent it",
        f"DELETE FROM jing.payments WHERE id = {ACROSS}",
        "switch", 5, "comes from jing, which knows nothing of it",
    ),
    Damage(
        "an outcome has no payment",
        f"DELETE FROM jing.payments WHERE id = {ON_US}",
        "jing", 3, "an outcome of what was never admitted",
    ),
    Damage(
        "the switch lost a payment",
        f"DELETE FROM switch.cleared_payment WHERE payment_id = {ACROSS};"
        f" DELETE FROM switch.decision WHERE payment_id = {ACROSS}",
        "jing", 5, "the switch says nothing",
    ),
    Damage(
        "the switch moved another amount",
        f"UPDATE jing.payments SET gross = gross - 1 WHERE id = {ACROSS}",
        "jing", 3, "the switch moved",
    ),
    Damage(
        "a payment is kept under another's id",
        f"UPDATE switch.cleared_payment SET id = gen_random_uuid() WHERE payment_id = {ACROSS}",
        "switch", 3, "kept under another payment's id",
    ),
    Damage(
        "a post at the switch is undone",
        "DELETE FROM switch.transfer WHERE flags & 4 <> 0 AND user_data_128 ="
        f" (SELECT id FROM switch.cleared_payment WHERE payment_id = {ACROSS})",
        "wei", 2, "its clearing account says",
    ),
    Damage(
        "a hold outlives its decision",
        f"DELETE FROM jing.transfer WHERE flags & 4 <> 0 AND user_data_128 = {ACROSS}",
        "jing", 5, "is still pending",
    ),
    Damage(
        "an outcome is lost and nobody asks",
        f"DELETE FROM jing.payment_outcomes WHERE id = {ACROSS};"
        " UPDATE jing.payments SET created_ns = created_ns - 86400000000000",
        "jing", 5, "undecided since",
    ),
    Damage(
        "a payment on us moved other money",
        f"UPDATE jing.payments SET gross = gross + 1 WHERE id = {ON_US}",
        "jing", 3, "payment on us",
    ),
    Damage(
        "refunds exceed a payment",
        "UPDATE wei.refunds SET gross = 6000",
        "wei", 6, "exceed a payment of 5000",
    ),
    Damage(
        "a part of a refund exceeds its payment's",
        "UPDATE jing.refunds SET fee = fee + 1",
        "jing", 6, "or a part of it",
    ),
    Damage(
        "returns exceed a payment",
        "UPDATE jing.returns SET gross = 6000",
        "jing", 6, "returns of 6000 exceed a payment of 5000",
    ),
    Damage(
        "a paid request is open again",
        "UPDATE wei.payment_requests SET state = 'OPEN', claimed_by = "
        f"{NOBODY} WHERE state = 'PAID'",
        "wei", 3, "request is OPEN, paid 1 times",
    ),
    Damage(
        "a request is claimed by nobody",
        "DELETE FROM wei.payment_requests WHERE state = 'PAID'",
        "wei", 3, "request is CLAIMED",
    ),
    Damage(
        "a reference stands for two requests",
        "UPDATE wei.payment_requests SET reference_key = '00000000-0000-0000-0000-000000000007'",
        "wei", 3, "under one reference",
    ),
    Damage(
        "a refund is made twice",
        "UPDATE jing.refunds SET merchant_id = merchant_id; INSERT INTO jing.refunds SELECT 1000001,"
        " gen_random_uuid(), refund_id, merchant_id, shop_id, payment_id, debtor_agent, on_us, account, payer_account,"
        " payer_user_id, budget_account, sponsor_account, currency, gross, payer_discount, payee_discount, fee,"
        " interchange, switch_fee, remark, created_ns, expires_ns FROM jing.refunds",
        "jing", 3, "2 refunds of one merchant under one id",
    ),
    Damage(
        "news was not told",
        "DELETE FROM wei.events WHERE type = 'payment.completed'",
        "wei", 4, "payment.completed happened 3 times, and was told 0",
    ),
    Damage(
        "a payment does not count towards the year",
        f"UPDATE jing.payments SET spent_year = spent_year - gross WHERE id = {ON_US}",
        "jing", 7, "used in the year",
    ),
    Damage(
        "a day's counter starts again",
        f"UPDATE jing.payments SET spent_static = 0, spent_unverified = 0, spent_verified = 0 WHERE id = {ON_US}",
        "jing", 7, "the row says",
    ),
    Damage(
        "what was rejected is counted on",
        f"UPDATE jing.payment_outcomes SET completed = false WHERE id = {ON_US}",
        "jing", 7, "payments come to",
    ),
    Damage(
        "more is given back than was rejected",
        "INSERT INTO jing.spending SELECT max(position) + 1, gen_random_uuid(), user_id, max(created_ns), 0, 0, 0, 0"
        " FROM jing.payments GROUP BY user_id",
        "jing", 7, "the row says {0,0,0,0}",
    ),
    Damage(
        "more is owed than there is",
        "UPDATE jing.account SET code = 9001 WHERE code IN (1001, 1102)",
        "jing", 2, "owes",
    ),
]  # fmt: skip


async def audited(url: str, damage: str, overdue_s: int = 900) -> Audit:
    """The audit of what is damaged in a transaction that never ends well."""
    connection = await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(damage)
        found = await audit_nodes(await nodes_of(connection), overdue_s=overdue_s)
        await transaction.rollback()
        return found
    finally:
        await connection.close()


@pytest.mark.parametrize("damage", [pytest.param(damage, id=damage.name) for damage in DAMAGES])
async def test_damage_is_found(books: str, damage: Damage) -> None:
    found = await audited(books, damage.sql)
    told = [finding for finding in found.report.findings if damage.says in finding.text]
    assert [(each.node, each.invariant) for each in told][:1] == [(damage.node, damage.invariant)], [
        str(each) for each in found.report.findings
    ]


async def test_sound_books_give_no_findings_and_are_only_read(books: str) -> None:
    found = await audit([parse_address(books)])
    assert found.report.findings == []
    assert found.report.under_way == []
    assert set(found.books) == set(NODES)
    assert found.report.looked_at["jing"]["transfers"] > 10
    connection = await asyncpg.connect(books)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        assert {node.name for node in await nodes_of(connection)} == set(NODES)
    await connection.close()


async def test_what_is_under_way_is_told_apart_and_becomes_wrong_with_age(books: str) -> None:
    # As if wei had yet to hear the decision: its holds are open, and its clearing account lacks the payment.
    told = f"""
        DELETE FROM wei.receipt_outcomes WHERE id = {ACROSS};
        DELETE FROM wei.events WHERE type = 'payment.completed';
        DELETE FROM wei.refunds; DELETE FROM wei.refund_outcomes"""
    found = await audited(books, told)
    (under_way,) = [each for each in found.report.under_way if each.what == "receipt"]
    assert under_way.node == "wei"
    assert not [each for each in found.report.findings if "undecided" in each.text]
    found = await audited(books, told, overdue_s=0)
    assert [each.node for each in found.report.findings if "undecided since" in each.text] == ["wei"]


async def test_many_findings_of_one_kind_are_counted(books: str) -> None:
    found = await audited(
        books,
        "INSERT INTO jing.burned_id SELECT 1000000 + position, id, timestamp, 54 FROM jing.transfer;"
        "INSERT INTO jing.payment_outcomes SELECT 2000000 + n, gen_random_uuid(), true, '', '', 0"
        " FROM generate_series(1, 300) AS n",
    )
    assert len([each for each in found.report.findings if each.node == "jing" and each.invariant == 3]) == 200
    assert found.report.not_told["jing", 3] > 100


def test_the_command_says_what_is_wrong_and_fails(books: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--database", books]) == 0
    assert "Nothing is wrong" in capsys.readouterr().out
    copied = asyncio.run(copy_of(books))
    assert run(["audit", "--database", copied]) == 1
    told = capsys.readouterr().out
    assert "is RJCT, and posted" in told
    assert "(invariant 3)" in told
    assert run(["audit", "--json", "--database", copied]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["clean"] is False
    assert {"switch", "jing"} <= {finding["node"] for finding in report["findings"]}
    assert run(["audit", "--database", "postgresql://nobody@127.0.0.1:1/nothing"]) == 1
    assert "DATABASE_UNAVAILABLE" in capsys.readouterr().err


async def copy_of(url: str) -> str:
    """The same books with one decision reversed."""
    address = parse_address(url)
    connection = await asyncpg.connect(replace(address, database="postgres").url)
    await connection.execute(f"CREATE DATABASE {address.database}_copy TEMPLATE {address.database}")
    await connection.close()
    copy = replace(address, database=f"{address.database}_copy")
    connection = await asyncpg.connect(copy.url)
    await connection.execute(f"UPDATE switch.decision SET status = 'RJCT' WHERE payment_id = {ACROSS}")
    await connection.close()
    return copy.url


async def test_a_database_without_nodes_is_refused(postgres: Address) -> None:
    with pytest.raises(Refusal) as refused:
        await audit([await asyncio.to_thread(new_database, postgres)])
    assert refused.value.reason is AuditReason.NO_NODES_FOUND


async def test_one_node_in_two_databases_is_refused(books: str) -> None:
    with pytest.raises(Refusal) as refused:
        await audit([parse_address(books), parse_address(books)])
    assert refused.value.reason is AuditReason.NODE_TWICE
