"""Operators: who may do what, and that nobody else may."""

import pytest

from hutong.kernel.errors import Refusal
from hutong.operators.operator import Role
from tests.operators.office import FIRST, Office

PAINT = {"colour": "red"}


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("VIEWER", {"look"}),
        ("OPERATOR", {"look", "paint"}),
        ("ADMIN", {"look", "paint", "appoint"}),
    ],
)
async def test_a_role_says_what_an_operator_may_do(office: Office, role: str, may: set[str]) -> None:
    token = await office.appoint("li", role)
    asked = {
        "look": ("GET", "/v1/things/door", None, 200),
        "paint": ("POST", "/v1/things/door", PAINT, 201),
        "appoint": ("PUT", "/v1/operators/wang", {"role": "VIEWER"}, 200),
    }
    for what, (method, path, body, status) in asked.items():
        answer = await office.call(method, path, status if what in may else 403, body, token)
        if what not in may:
            assert answer["reason"] == "OPERATOR_MAY_NOT"


async def test_a_token_is_told_once_and_nowhere_kept(office: Office) -> None:
    token = await office.appoint("li", "OPERATOR")
    assert len(token) == len("op_") + 64
    assert token not in repr(office.store.rows)
    assert token not in repr(await office.call("GET", "/v1/operators", 200))
    assert (await office.call("GET", "/v1/operators/me", 200, token=token))["name"] == "li"


async def test_a_renewed_token_ends_the_old_one_also_over_a_restart(office: Office) -> None:
    old = await office.appoint("li", "OPERATOR")
    new = (await office.call("POST", "/v1/operators/li/token", 201))["token"]
    for _ in range(2):
        assert (await office.call("GET", "/v1/operators/me", 401, token=old))["reason"] == "OPERATOR_UNKNOWN"
        assert (await office.call("GET", "/v1/operators/me", 200, token=new))["role"] == "OPERATOR"
        office.restart()


async def test_the_first_operator_can_be_dismissed_once_there_is_another_admin(office: Office) -> None:
    assert (await office.call("DELETE", "/v1/operators/root", 422))["reason"] == "LAST_ADMIN"
    assert (await office.call("PUT", "/v1/operators/root", 422, {"role": "VIEWER"}))["reason"] == "LAST_ADMIN"
    admin = await office.appoint("li", "ADMIN")
    await office.call("DELETE", "/v1/operators/root", 204, token=admin)
    office.restart()
    await office.call("GET", "/v1/operators/me", 401, token=FIRST)
    assert (await office.call("DELETE", "/v1/operators/root", 404, token=admin))["reason"] == "NO_SUCH_OPERATOR"
    assert (await office.call("DELETE", "/v1/operators/li", 422, token=admin))["reason"] == "LAST_ADMIN"


@pytest.mark.parametrize("token", ["x", "op_", "op_first ", "op_firsu", "ü"])
async def test_another_token_lets_nobody_in(office: Office, token: str) -> None:
    with pytest.raises(Refusal, match="OPERATOR_UNKNOWN"):
        await office.ask(lambda: office.operators.operator(token))


@pytest.mark.parametrize("name", ["", "Li", "li wang", "../root", "l" * 33, "李"])
async def test_a_name_is_plain(office: Office, name: str) -> None:
    with pytest.raises(Refusal, match="OPERATOR_NAME_MALFORMED"):
        await office.ask(lambda: office.operators.appoint(name, Role.VIEWER, "root"))
