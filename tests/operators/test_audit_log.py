"""The audit log: everything an operator does is in it, and nothing of it can be changed unnoticed."""

import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.errors import Refusal
from hutong.operators.audit_log import AUDIT_LOG, EMPTY, AuditEntry, AuditReason, Head
from hutong.runtime.journal import JournalHalted
from tests.operators.office import THINGS, Office, verified

RED = {"colour": "red", "pin": "483915"}


@pytest.fixture
async def office() -> Office:
    return Office()


async def busy(office: Office) -> list[AuditEntry]:
    for name in ("door", "wall", "roof"):
        await office.call("POST", f"/v1/things/{name}", 201, RED)
    return office.rows()


async def test_an_act_is_noted_with_who_what_on_what_and_when(office: Office) -> None:
    token = await office.appoint("li", "OPERATOR")
    await office.call("POST", "/v1/things/door?why=rust", 201, RED, token)
    entry = office.rows()[-1]
    assert (entry.actor, entry.subject, entry.outcome) == ("li", "door", "DONE")
    assert entry.action == "POST /v1/things/{name}"
    assert json.loads(entry.facts) == {"query": "why=rust", "body": {"colour": "red", "pin": "(hidden)"}}
    assert entry.at_ns == office.clock.now_ns()


async def test_an_act_and_its_entry_are_one_commit(office: Office) -> None:
    """What was decided is in the row before the entry, in the same decision: they are durable together or not at all."""
    await office.call("POST", "/v1/things/door", 201, RED)
    (position, _), (noted, _) = office.store.rows[THINGS.name][-1], office.store.rows[AUDIT_LOG.name][-1]
    assert noted == position + 1
    office.journal.crash()
    with pytest.raises(JournalHalted):
        await office.ask(lambda: office.audit.note("root", "x", "", {}))


async def test_a_refusal_and_a_look_are_noted_too(office: Office) -> None:
    viewer = await office.appoint("li", "VIEWER")
    await office.call("POST", "/v1/things/door", 422, {"colour": "sunday"})
    await office.call("POST", "/v1/things/door", 403, RED, viewer)
    await office.call("GET", "/v1/things/door", 200, token=viewer)
    told = [(entry.actor, entry.action[:4].strip(), entry.outcome) for entry in office.rows()[-3:]]
    assert told == [("root", "POST", "NOT_ON_SUNDAYS"), ("li", "POST", "OPERATOR_MAY_NOT"), ("li", "GET", "DONE")]


async def test_the_chain_goes_on_behind_a_restart(office: Office) -> None:
    await busy(office)
    office.restart()
    await busy(office)
    entries = await office.log()
    assert [entry.number for entry in entries] == list(range(1, 8))  # Six acts, and the look at the log itself.
    head = await office.call("GET", "/v1/audit-log/head", 200)
    assert verified(office.rows()) == Head(head["number"], bytes.fromhex(head["hash"]))


async def test_a_stranger_verifies_the_chain_from_the_words_alone(office: Office) -> None:
    await busy(office)
    previous = "0" * 64
    for told in (await office.call("GET", "/v1/audit-log", 200))["entries"]:
        digest = hashlib.sha256(bytes.fromhex(told["salt"]) + told["facts"].encode()).hexdigest()
        named = [told[name] for name in ("number", "at_ns", "actor", "action", "subject", "outcome")]
        line = json.dumps([*named[:2], "jing", *named[2:], digest, previous], separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(b"hutong-audit-log/1\n" + line.encode()).hexdigest()
        assert previous == told["hash"]


@pytest.mark.parametrize("field", AuditEntry.__struct_fields__)
@pytest.mark.parametrize("place", [0, 1, 2])
async def test_no_field_can_be_changed(office: Office, field: str, place: int) -> None:
    entries = await busy(office)
    was = getattr(entries[place], field)
    changed = was + 1 if isinstance(was, int) else was[:-1] + (b"\x01" if isinstance(was, bytes) else "~")
    entries[place] = msgspec.structs.replace(entries[place], **{field: changed})
    assert_broken(entries, at=place + 1)


@pytest.mark.parametrize("change", ["left out", "swapped", "doubled"])
async def test_no_entry_can_be_left_out_or_moved(office: Office, change: str) -> None:
    first, second, third = await busy(office)
    changed = {"left out": [first, third], "swapped": [first, third, second], "doubled": [first, second, second, third]}
    assert_broken(changed[change], at=2 if change != "doubled" else 3)


async def test_a_log_that_was_cut_or_written_anew_fails_at_an_anchor(office: Office) -> None:
    entries = await busy(office)
    anchor = verified(entries)
    assert verified(entries, anchor) == anchor
    assert_broken(entries[:2], anchor, at=3)
    # Whoever may write to the database makes a whole new chain: it verifies, but for the anchor.
    forged = [entries[0]]
    for entry in entries[1:]:
        renamed = msgspec.structs.replace(entry, actor="nobody", previous=forged[-1].hash)
        forged.append(msgspec.structs.replace(renamed, hash=renamed.expected_hash("jing")))
    verified(forged)
    assert_broken(forged, anchor, at=3)


async def test_erased_facts_leave_a_chain_that_verifies(office: Office) -> None:
    entries = await busy(office)
    entries[1] = msgspec.structs.replace(entries[1], facts="", salt=b"")
    assert verified(entries).number == 3
    entries[1] = msgspec.structs.replace(entries[1], facts="{}")
    assert_broken(entries, at=2)


async def test_a_log_is_one_nodes(office: Office) -> None:
    (entry, *_) = await busy(office)
    assert entry.hash != entry.expected_hash("wei")
    assert verified([]) == EMPTY


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda v: st.lists(v, max_size=3))
)
async def test_any_facts_can_be_noted(facts: object) -> None:
    office = Office()
    await office.audit.start()
    await office.ask(lambda: office.audit.note("root", "act", "it", facts))
    verified(office.rows())


async def test_facts_that_are_too_long_are_kept_as_their_digest(office: Office) -> None:
    await office.call("POST", "/v1/things/door", 201, {"colour": "x" * 20_000})
    assert set(json.loads(office.rows()[-1].facts)) == {"bytes", "sha256"}


def assert_broken(entries: list[AuditEntry], *anchors: Head, at: int) -> None:
    with pytest.raises(Refusal) as refused:
        verified(entries, *anchors)
    assert refused.value.reason is AuditReason.AUDIT_LOG_BROKEN
    assert refused.value.facts["number"] == at
