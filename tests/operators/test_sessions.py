"""Sessions of the desk: how they begin, and everything that ends them."""

import pytest

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.operators.operator import OperatorReason, Role
from hutong.operators.session import IDLE_S, LIFE_S, OPERATOR_SESSIONS
from tests.operators.office import FIRST, Office


@pytest.fixture
def office() -> Office:
    return Office()


async def signed_in(office: Office, token: str) -> str:
    return (await office.ask(lambda: office.operators.sessions.begin(token)))[1]


async def who(office: Office, session: str, *, awake: bool = True) -> str:
    return (await office.ask(lambda: office.operators.sessions.operator(session, awake=awake))).name


async def is_over(office: Office, session: str) -> bool:
    try:
        return not await who(office, session)
    except Refusal as refusal:
        return refusal.reason is OperatorReason.SESSION_EXPIRED


async def test_an_operator_is_known_by_the_session_also_behind_a_restart(office: Office) -> None:
    session = await signed_in(office, FIRST)
    assert await who(office, session) == "root"
    office.restart()
    assert await who(office, session) == "root"


async def test_nothing_that_is_kept_lets_anybody_in(office: Office) -> None:
    session = await signed_in(office, FIRST)
    (row,) = (row for _, row in office.store.rows[OPERATOR_SESSIONS.name])
    assert session not in repr(row)
    assert FIRST not in repr(row)
    assert await is_over(office, row.id.hex())


async def test_a_stranger_begins_no_session(office: Office) -> None:
    with pytest.raises(Refusal, match="OPERATOR_UNKNOWN"):
        await signed_in(office, "op_nobody")


async def test_a_session_that_is_used_lives_on_and_an_idle_one_ends(office: Office) -> None:
    session = await signed_in(office, FIRST)
    for _ in range(3):
        office.clock.advance(ns=(IDLE_S - 1) * NS_PER_S)
        assert not await is_over(office, session)
    office.clock.advance(ns=IDLE_S * NS_PER_S)
    assert await is_over(office, session)


async def test_an_open_page_that_asks_by_itself_keeps_nobody_signed_in(office: Office) -> None:
    session = await signed_in(office, FIRST)
    for _ in range(2):
        office.clock.advance(ns=(IDLE_S // 2) * NS_PER_S - 1)
        assert await who(office, session, awake=False) == "root"
    office.clock.advance(ns=2)
    assert await is_over(office, session)


async def test_no_session_outlives_a_day_of_work(office: Office) -> None:
    session = await signed_in(office, FIRST)
    for _ in range(LIFE_S // 600 - 1):
        office.clock.advance(ns=600 * NS_PER_S)
        assert not await is_over(office, session)
    office.clock.advance(ns=600 * NS_PER_S)
    assert await is_over(office, session)


async def test_being_used_is_written_down_once_a_minute_at_most(office: Office) -> None:
    session = await signed_in(office, FIRST)
    for _ in range(120):
        office.clock.advance(ns=NS_PER_S)
        await who(office, session)
    assert len(office.store.rows[OPERATOR_SESSIONS.name]) == 3


async def test_who_signs_out_is_signed_out_for_good(office: Office) -> None:
    session = await signed_in(office, FIRST)
    await office.ask(lambda: office.operators.sessions.end(session))
    assert await is_over(office, session)
    office.restart()
    assert await is_over(office, session)


@pytest.mark.parametrize("what", ["renewed", "dismissed", "another role"])
async def test_a_session_ends_with_the_token_it_was_begun_with(office: Office, what: str) -> None:
    session = await signed_in(office, await office.appoint("li", "OPERATOR"))
    other = await signed_in(office, FIRST)
    if what == "renewed":
        await office.ask(lambda: office.operators.renew_token("li", "root"))
    elif what == "dismissed":
        await office.ask(lambda: office.operators.dismiss("li", "root"))
    else:
        await office.ask(lambda: office.operators.appoint("li", Role.VIEWER, "root"))
    assert await is_over(office, session)
    assert not await is_over(office, other)


async def test_the_first_operator_is_named_once_by_who_has_the_secret(office: Office) -> None:
    with pytest.raises(Refusal, match="OPERATOR_UNKNOWN"):
        await office.ask(lambda: office.operators.name_first("op_guessed", "li"))
    with pytest.raises(Refusal, match="OPERATOR_NAME_TAKEN"):
        await office.ask(lambda: office.operators.name_first(FIRST, "root"))
    operator, token = await office.ask(lambda: office.operators.name_first(FIRST, "li"))
    assert (operator.role, operator.changed_by) == ("ADMIN", "root")
    assert (await office.ask(lambda: office.operators.operator(token))).name == "li"
    with pytest.raises(Refusal, match="FIRST_OPERATOR_NAMED"):
        await office.ask(lambda: office.operators.name_first(FIRST, "wang"))
