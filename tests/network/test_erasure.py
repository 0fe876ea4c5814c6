"""A person is forgotten, over HTTP and looked for in SQL: no row says the name or the number, and the books are what they were."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from hutong.app.up import schema_of
from hutong.operators.api import read_entry
from hutong.operators.audit_log import Chain
from tests.network.audit import audit_when_quiet
from tests.network.street import PIN, Payer, Street, Till, new_id

PHONE, NAME = "+8615912345678", "欧阳丹青"


def newcomer(street: Street) -> Payer:
    door, operator = street.stranger("jing"), street.operator("jing")
    door.post("/v1/users/codes", {"phone": PHONE})
    code = operator.get(f"/v1/operator/one-time-codes/{PHONE}")["code"]
    device_id = new_id("dev")
    body = {"phone": PHONE, "name": NAME, "code": code, "registration_id": device_id}
    signed = door.post("/v1/users", {**body, "device_id": device_id, "device_name": f"{NAME}的手机"})
    person = Payer(street.doors["jing"].url, signed["token"], "jing", signed["user"]["id"], device_id)
    street.clients.append(person)
    return person


def lives(street: Street, person: Payer, till: Till) -> None:
    """Everything that leaves traces: PIN, tier, codes, payments here and there and to the person, a linked bank."""
    operator = street.operator("jing")
    person.put("/v1/pin", {"pin": PIN})
    evidence = {"tier": "II", "evidence": "FACE_TO_FACE", "name": NAME}
    operator.post(f"/v1/operator/users/{person.user_id}/tier", evidence)
    operator.get(f"/v1/operator/users?phone={PHONE.replace('+', '%2B')}")
    street.pay_in(person, 1_000)
    code = person.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": NAME})["text"]
    friend = street.payer("wei", 500)
    assert friend.pay(code, 100)["state"] == "COMPLETED"
    saver = street.payer("yun", 5_000)
    mandate = saver.post("/v1/mandates", {"grantee": "jing", "daily_max": 10_000, "name": "钱包"})
    own = saver.post("/v1/personal-codes", {"id": new_id("pco"), "amount": 0, "remark": ""})["text"]
    link = {"bank_account_id": new_id("bka"), "name": NAME, "mandate": mandate["text"], "code": own}
    person.post("/v1/bank-accounts", link)
    person.post("/v1/mandates", {"grantee": "wei", "daily_max": 100, "name": NAME})
    assert person.pay(till.plate, 600)["state"] == "COMPLETED"
    assert person.pay(street.till("jing").plate, person.balance)["state"] == "COMPLETED"


async def _found(address: str, schema: str, *words: str) -> list[str]:
    """Tables and columns that hold one of the words: as text, and in bytes."""
    connection = await asyncpg.connect(address)
    found = []
    try:
        columns = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = $1", schema
        )
        for table, column in columns:
            for word in words:
                for spelled in (word, word.encode().hex()):
                    query = f'SELECT count(*) FROM "{schema}"."{table}" WHERE "{column}"::text LIKE $1'  # noqa: S608
                    if await connection.fetchval(query, f"%{spelled}%"):
                        found.append(f"{table}.{column}: {word}")
    finally:
        await connection.close()
    return found


@pytest.fixture(scope="module")
def search(street: Street) -> Callable[..., list[str]]:
    return lambda *words: asyncio.run(_found(street.database_url, schema_of("jing"), *words))


def test_a_person_is_forgotten_and_the_books_are_kept(street: Street, search: Callable[..., list[str]]) -> None:
    person, till, operator = newcomer(street), street.till("wei"), street.operator("jing")
    lives(street, person, till)
    path = f"/v1/operator/users/{person.user_id}"
    told: dict[str, Any] = person.get("/v1/users/me/export")["tables"]
    assert told["users"][-1]["name"] == NAME
    assert operator.get(f"{path}/export")["tables"]["payments"]
    assert "seed_sealed" not in told["devices"][0]
    assert operator.refused(f"{path}/erase", {"why": "asked for"})["reason"] == "USER_NOT_CLOSED"
    person.post("/v1/users/me/close", {"pin": PIN})
    before = audit_when_quiet(street.database_url)
    number = PHONE.removeprefix("+86")
    traces = search(number, NAME)
    assert len({trace.partition(".")[0] for trace in traces}) >= 6

    erased = operator.post(f"{path}/erase", {"why": "asked for"})
    assert search(number, NAME) == []
    assert operator.post(f"{path}/erase", {"why": "asked for"}) == erased
    after = audit_when_quiet(street.database_url)
    assert after.wrong == []
    assert after.figures == before.figures
    assert operator.get(path)["name"] == ""

    kept = operator.get(f"{path}/retained-identity")
    assert (kept["phone"], kept["name"]) == (PHONE, NAME)
    assert kept["kept_until_ms"] - erased["erased_at_ms"] > 9 * 365 * 86_400_000
    assert operator.post("/v1/operator/retained-identities/purge") == {"count": 0}


def test_the_number_is_free_again_and_the_audit_log_still_verifies(street: Street) -> None:
    page = street.operator("jing").get("/v1/audit-log?limit=1000")
    chain = Chain(page["node"])
    for told in page["entries"]:
        chain.take(read_entry(told))
    assert chain.erased >= 3  # The look-up by number, the code, the tier: whoever did them still stands there.
