"""Members of staff: who lets them in, what they may do, and when they may no longer."""

from collections.abc import Iterator

import pytest

from hutong.institution.merchants.staff import IDLE_NS, StaffState
from hutong.institution.merchants.staff_key import Right, Role
from hutong.institution.people.one_time_code import Purpose
from hutong.runtime.pool import WorkerPool
from tests.institution.merchants.staff_room import CASHIER, MANAGER, OTHER_PIN, OWNER, PIN, StaffRoom, refused

HOUR_S = 3600


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(workers=1, waiting_max=8)
    yield pool
    pool.close()


@pytest.fixture
async def room(pool: WorkerPool) -> StaffRoom:
    room = StaffRoom(pool)
    await room.open()
    return room


async def test_an_operator_appoints_an_owner_who_invites_the_rest(room: StaffRoom) -> None:
    await room.ask(lambda: room.staff.appoint(room.merchant_id, "boss", "王老板", OWNER))
    begun, token = await room.staff.set_pin(OWNER, room.codes[OWNER, Purpose.STAFF_PIN], PIN, room.device)
    assert begun.member.role == Role.OWNER
    key = (await room.ask(lambda: room.staff.use(token))).key
    cashier = await room.invite(CASHIER, Role.CASHIER, room.shops[0].id, key)
    assert (cashier.state, cashier.changed_by) == (StaffState.INVITED, begun.member.id)
    assert await refused(room.come(CASHIER)) == "ONE_TIME_CODE_NEEDED"
    await room.staff.set_pin(CASHIER, room.codes[CASHIER, Purpose.STAFF_PIN], PIN, room.device)
    who, _ = await room.come(CASHIER)
    assert who.key.has_right(Right.CHARGE)
    assert not who.key.has_right(Right.REFUND)
    assert who.key.shop_id == room.shops[0].id


async def test_an_invitation_repeats_and_another_under_its_id_is_refused(room: StaffRoom) -> None:
    first = await room.invite(CASHIER, Role.CASHIER, id_="li")
    assert await room.invite(CASHIER, Role.CASHIER, id_="li") == first
    assert await refused(room.invite(CASHIER, Role.MANAGER, id_="li")) == "STAFF_TAKEN"
    assert await refused(room.invite(CASHIER, Role.CASHIER, id_="li-2")) == "STAFF_PHONE_TAKEN"


async def test_only_owners_of_the_whole_merchant_see_and_change_staff(room: StaffRoom) -> None:
    await room.hire(MANAGER, Role.MANAGER)
    who, _ = await room.come(MANAGER)
    assert await refused(room.invite(CASHIER, Role.CASHIER, key=who.key)) == "ROLE_MAY_NOT"
    assert await refused(room.ask(lambda: room.staff.staff(who.key))) == "ROLE_MAY_NOT"


async def test_another_merchants_staff_does_not_exist(room: StaffRoom) -> None:
    cashier = await room.hire(CASHIER, Role.CASHIER)
    _, other = await room.merchant("M-2")
    for act in (room.staff.reset_pin, room.staff.revoke):
        assert await refused(room.ask(lambda act=act: act(other, cashier.id))) == "STAFF_UNKNOWN"  # type: ignore[misc]
    assert await refused(room.ask(lambda: room.staff.place(other, cashier.id, Role.OWNER, 0))) == "STAFF_UNKNOWN"
    assert await refused(room.invite(MANAGER, Role.CASHIER, room.shops[0].id, other)) == "SHOP_UNKNOWN"
    assert await room.ask(lambda: room.staff.staff(other)) == []


async def test_nobody_takes_their_own_rights_away(room: StaffRoom) -> None:
    owner = await room.hire(OWNER, Role.OWNER)
    assert await refused(room.ask(lambda: room.staff.revoke(owner.key, owner.id))) == "STAFF_ONESELF"
    assert await refused(room.ask(lambda: room.staff.place(owner.key, owner.id, Role.READER, 0))) == "STAFF_ONESELF"


async def test_a_new_device_needs_a_code_and_a_known_one_the_pin_alone(room: StaffRoom) -> None:
    await room.hire(CASHIER, Role.CASHIER)
    await room.come(CASHIER)
    other = room.mint.mint()
    assert await refused(room.come(CASHIER, device_id=other)) == "ONE_TIME_CODE_NEEDED"
    code = await room.code(CASHIER, Purpose.STAFF_SIGN_IN)
    assert await refused(room.come(CASHIER, OTHER_PIN, other, code)) == "PIN_WRONG"
    await room.come(CASHIER, PIN, other, code)  # A wrong PIN used the code not up.
    await room.come(CASHIER, PIN, other)
    assert await refused(room.come(CASHIER, PIN, room.mint.mint(), code)) == "ONE_TIME_CODE_USED"


async def test_nobody_learns_who_is_staff_or_locks_a_pin_from_elsewhere(room: StaffRoom) -> None:
    await room.hire(CASHIER, Role.CASHIER)
    elsewhere = room.mint.mint()
    for phone in (CASHIER, MANAGER):
        for _ in range(10):
            assert await refused(room.come(phone, OTHER_PIN, elsewhere)) == "ONE_TIME_CODE_NEEDED"
    await room.come(CASHIER)


async def test_wrong_tries_lock_and_the_lock_survives_a_restart(room: StaffRoom) -> None:
    await room.hire(CASHIER, Role.CASHIER)
    for _ in range(5):
        assert await refused(room.come(CASHIER, OTHER_PIN)) == "PIN_WRONG"
    await room.restart()
    assert await refused(room.come(CASHIER)) == "PIN_LOCKED"
    told = [event.type for _, event in (await room.notices.feed(room.merchant_id, 0, limit=50)).events]
    assert told.count("staff.pin_locked") == 1


async def test_a_session_ends_when_nobody_uses_it_for_twelve_hours(room: StaffRoom) -> None:
    await room.hire(CASHIER, Role.CASHIER)
    _, token = await room.come(CASHIER)
    for _ in range(3):
        room.clock.advance(seconds=11 * HOUR_S)
        await room.ask(lambda: room.staff.use(token))
    room.clock.advance(seconds=11 * HOUR_S)
    await room.ask(lambda: room.staff.signed_in(token))  # A look of the page's own keeps nobody signed in.
    room.clock.advance(seconds=HOUR_S)
    assert IDLE_NS == 12 * HOUR_S * 1_000_000_000
    assert await refused(room.ask(lambda: room.staff.use(token))) == "SESSION_EXPIRED"


async def test_signing_out_ends_the_session_alone(room: StaffRoom) -> None:
    await room.hire(CASHIER, Role.CASHIER)
    _, token = await room.come(CASHIER)
    _, other = await room.come(CASHIER)
    await room.ask(lambda: room.staff.sign_out(token))
    await room.ask(lambda: room.staff.sign_out(token))
    assert await refused(room.ask(lambda: room.staff.use(token))) == "SESSION_UNKNOWN"
    await room.ask(lambda: room.staff.use(other))
    await room.come(CASHIER)  # The device stays known.


async def test_a_revoked_member_is_out_at_once(room: StaffRoom) -> None:
    cashier = await room.hire(CASHIER, Role.CASHIER)
    _, token = await room.come(CASHIER)
    revoked = await room.ask(lambda: room.staff.revoke(room.owner, cashier.id))
    assert revoked.state == StaffState.REVOKED
    assert await room.ask(lambda: room.staff.revoke(room.owner, cashier.id)) == revoked
    await room.restart()
    assert await refused(room.ask(lambda: room.staff.use(token))) == "SESSION_UNKNOWN"
    assert await refused(room.come(CASHIER)) == "ONE_TIME_CODE_NEEDED"
    assert await refused(room.ask(lambda: room.staff.place(room.owner, cashier.id, Role.OWNER, 0))) == "STAFF_REVOKED"
    await room.invite(CASHIER, Role.CASHIER, id_="again")


async def test_a_reset_pin_is_good_no_longer_and_the_telephone_chooses_another(room: StaffRoom) -> None:
    cashier = await room.hire(CASHIER, Role.CASHIER)
    _, token = await room.come(CASHIER)
    room.clock.advance(seconds=60)
    await room.ask(lambda: room.staff.reset_pin(room.owner, cashier.id))
    assert await refused(room.ask(lambda: room.staff.use(token))) == "SESSION_UNKNOWN"
    assert await refused(room.come(CASHIER)) == "ONE_TIME_CODE_NEEDED"
    await room.staff.set_pin(CASHIER, room.codes[CASHIER, Purpose.STAFF_PIN], OTHER_PIN, room.device)
    assert await refused(room.come(CASHIER)) == "PIN_WRONG"
    await room.come(CASHIER, OTHER_PIN)


async def test_another_place_counts_at_once(room: StaffRoom) -> None:
    cashier = await room.hire(CASHIER, Role.CASHIER)
    _, token = await room.come(CASHIER)
    await room.ask(lambda: room.staff.place(room.owner, cashier.id, Role.MANAGER, room.shops[1].id))
    who = await room.ask(lambda: room.staff.use(token))
    assert (who.key.role, who.key.shop_id) == (Role.MANAGER, room.shops[1].id)


async def test_staff_of_two_merchants_has_one_pin_and_chooses(room: StaffRoom) -> None:
    here = await room.hire(CASHIER, Role.CASHIER)
    other_id, other = await room.merchant("M-2")
    there = await room.hire(CASHIER, Role.MANAGER, key=other, pin=OTHER_PIN)
    who, token = await room.come(CASHIER, OTHER_PIN)
    assert who.member.id == here.id
    assert {each.id for each in await room.ask(lambda: room.staff.workplaces(who))} == {here.id, there.id}
    await room.ask(lambda: room.staff.choose(who, there.id))
    assert (await room.ask(lambda: room.staff.use(token))).key.merchant_id == other_id
    stranger = await room.hire(MANAGER, Role.MANAGER)
    assert await refused(room.ask(lambda: room.staff.choose(who, stranger.id))) == "STAFF_UNKNOWN"


async def test_one_merchants_reset_leaves_the_other_alone(room: StaffRoom) -> None:
    here = await room.hire(CASHIER, Role.CASHIER)
    other_id, other = await room.merchant("M-2")
    await room.hire(CASHIER, Role.MANAGER, key=other)
    room.clock.advance(seconds=60)
    await room.ask(lambda: room.staff.reset_pin(room.owner, here.id))
    code = await room.code(CASHIER, Purpose.STAFF_SIGN_IN)  # The device was one of the merchant's that asks for it.
    who, _ = await room.come(CASHIER, code=code)
    assert who.key.merchant_id == other_id


async def test_a_manager_of_the_shop_approves_with_the_pin_and_nobody_else(room: StaffRoom) -> None:
    shop, elsewhere = room.shops
    cashier = await room.hire(CASHIER, Role.CASHIER, shop.id)
    manager = await room.hire(MANAGER, Role.MANAGER, shop.id)
    other = await room.hire(OWNER, Role.MANAGER, elsewhere.id)
    approvers = await room.ask(lambda: room.staff.approvers(cashier.key, Right.REFUND))
    assert [each.id for each in approvers] == [manager.id]
    assert (await room.staff.approve(cashier.key, manager.id, PIN, Right.REFUND)).id == manager.id
    assert await refused(room.staff.approve(cashier.key, manager.id, OTHER_PIN, Right.REFUND)) == "PIN_WRONG"
    for nobody in (other.id, cashier.id, room.mint.mint()):
        assert await refused(room.staff.approve(cashier.key, nobody, PIN, Right.REFUND)) == "STAFF_MAY_NOT_APPROVE"


async def test_a_session_stands_where_a_key_does(room: StaffRoom) -> None:
    owner = await room.hire(OWNER, Role.OWNER)
    _, token = await room.come(OWNER)
    assert (await room.ask(lambda: room.merchants.key(token))).id == owner.id
    await room.ask(lambda: room.staff.revoke(room.owner, owner.id))
    assert await refused(room.ask(lambda: room.merchants.key(token))) == "SESSION_UNKNOWN"


@pytest.mark.parametrize("token", ["", "stf_", "stf_" + "a" * 43, "stf_" + "é" * 43, "ses_" + "a" * 43, "x" * 10_000])
async def test_what_is_no_token_is_nobodys(room: StaffRoom, token: str) -> None:
    assert await refused(room.ask(lambda: room.staff.use(token))) == "SESSION_UNKNOWN"


async def test_no_token_pin_or_code_is_kept(room: StaffRoom) -> None:
    await room.hire(CASHIER, Role.CASHIER)
    _, token = await room.come(CASHIER)
    kept = repr(room.store.rows)
    assert token not in kept
    assert token.removeprefix("stf_") not in kept
    assert PIN not in kept
    assert room.codes[CASHIER, Purpose.STAFF_PIN] not in kept
