"""Signing in by PIN: on a device of the user's the PIN is enough, elsewhere the telephone is needed, too."""

from typing import Any

import pytest

from hutong.institution.people.device import DEVICES_MAX
from hutong.institution.people.one_time_code import WRONG_MAX
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.signed_in import SignedIn
from hutong.kernel.errors import Refusal

PHONE = "+8613800138000"
STRANGER = "+8613800138009"
PIN = "483915"
WRONG = "759204"


async def sign_in(town: Any, device_id: int, *, pin: str = PIN, code: str = "", phone: str = PHONE) -> SignedIn:
    signed_in: SignedIn = await town.people.sign_in_with_pin(
        phone=phone, pin=pin, code=code, device_id=device_id, device_name="browser"
    )
    return signed_in


async def reason_of(town: Any, device_id: int, **secrets: str) -> PeopleReason:
    with pytest.raises(Refusal) as no:
        await sign_in(town, device_id, **secrets)
    assert isinstance(no.value.reason, PeopleReason)
    return no.value.reason


async def known(town: Any) -> SignedIn:
    """A user with a PIN, on the first device."""
    signed_in: SignedIn = await town.user()
    await town.people.pins.set_pin(signed_in.user.id, PIN)
    return signed_in


async def test_the_pin_opens_a_device_of_the_users_and_ends_its_earlier_session(town: Any) -> None:
    first = await known(town)
    again = await sign_in(town, first.device_id)
    session = await town.ask(lambda: town.people.session(again.token))
    assert (session.user_id, session.device_id) == (first.user.id, first.device_id)
    with pytest.raises(Refusal, match="SESSION_UNKNOWN"):
        await town.ask(lambda: town.people.session(first.token))


async def test_a_new_device_needs_the_telephone_and_the_pin(town: Any) -> None:
    await known(town)
    town.clock.advance(seconds=60)
    device_id, code = town.mint.mint(), await town.code()
    assert await reason_of(town, device_id) is PeopleReason.ONE_TIME_CODE_NEEDED
    assert await reason_of(town, device_id, pin=WRONG, code=code) is PeopleReason.PIN_WRONG
    assert (await sign_in(town, device_id, code=code)).device_id == device_id
    assert await town.ask(lambda: town.people.knows_device(PHONE, device_id))
    # From now on it is the user's.
    await sign_in(town, device_id)


async def test_who_is_registered_is_told_to_nobody_without_the_telephone(town: Any) -> None:
    await known(town)
    device_id = town.mint.mint()
    for phone in (PHONE, STRANGER):
        assert await reason_of(town, device_id, phone=phone) is PeopleReason.ONE_TIME_CODE_NEEDED
        town.clock.advance(seconds=60)
        right = await town.code(phone)
        wrong = f"{(int(right) + 1) % 1_000_000:06d}"
        assert await reason_of(town, device_id, phone=phone, code=wrong) is PeopleReason.ONE_TIME_CODE_WRONG
        assert not await town.ask(lambda phone=phone: town.people.knows_device(phone, device_id))
    assert await reason_of(town, device_id, phone=STRANGER, code=right) is PeopleReason.USER_UNKNOWN


async def test_nobody_without_telephone_or_device_locks_a_pin(town: Any) -> None:
    user = (await known(town)).user
    town.clock.advance(seconds=60)
    right = await town.code()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(WRONG_MAX + 3):
        assert await reason_of(town, town.mint.mint(), pin=WRONG, code=wrong) is not PeopleReason.PIN_WRONG
    await town.people.pins.check(user.id, PIN)
    assert town.store.rows["pins"][-1][1].wrong == 0


async def test_wrong_pins_are_counted_as_for_paying_also_over_a_restart(town: Any) -> None:
    first = await known(town)
    for tries_left in (4, 3):
        with pytest.raises(Refusal, match=f"PIN_WRONG: tries_left={tries_left}"):
            await sign_in(town, first.device_id, pin=WRONG)
    await town.restart()
    with pytest.raises(Refusal, match="PIN_WRONG: tries_left=2"):
        await town.people.pins.check(first.user.id, WRONG)
    for _ in range(2):
        await reason_of(town, first.device_id, pin=WRONG)
    assert await reason_of(town, first.device_id) is PeopleReason.PIN_LOCKED


async def test_who_has_no_pin_yet_comes_in_by_the_code_also_on_a_known_device(town: Any) -> None:
    first = await town.user()
    assert await reason_of(town, first.device_id, pin="") is PeopleReason.ONE_TIME_CODE_NEEDED
    town.clock.advance(seconds=60)
    again = await sign_in(town, first.device_id, pin="", code=await town.code())
    assert again.user.id == first.user.id


async def test_a_lost_device_is_a_strangers(town: Any) -> None:
    first = await known(town)
    await town.ask(lambda: town.people.devices.report_lost(first.user.id, first.device_id))
    assert await reason_of(town, first.device_id) is PeopleReason.ONE_TIME_CODE_NEEDED
    town.clock.advance(seconds=60)
    assert await reason_of(town, first.device_id, code=await town.code()) is PeopleReason.DEVICE_LOST


async def test_another_users_device_is_a_strangers(town: Any) -> None:
    first = await known(town)
    other = await town.user(phone=STRANGER, name="李雷")
    assert await reason_of(town, other.device_id) is PeopleReason.ONE_TIME_CODE_NEEDED
    town.clock.advance(seconds=60)
    assert await reason_of(town, other.device_id, code=await town.code()) is PeopleReason.DEVICE_TAKEN
    assert first.user.id != other.user.id


async def test_a_code_lets_one_device_in(town: Any) -> None:
    await known(town)
    town.clock.advance(seconds=60)
    code = await town.code()
    await sign_in(town, town.mint.mint(), code=code)
    assert await reason_of(town, town.mint.mint(), code=code) is PeopleReason.ONE_TIME_CODE_USED


async def test_there_is_room_for_so_many_devices(town: Any) -> None:
    await known(town)
    for _ in range(DEVICES_MAX - 1):
        town.clock.advance(seconds=60)
        await sign_in(town, town.mint.mint(), code=await town.code())
    town.clock.advance(seconds=60)
    assert await reason_of(town, town.mint.mint(), code=await town.code()) is PeopleReason.DEVICES_TOO_MANY


async def test_a_device_is_signed_out_from_another_and_stays_the_users(town: Any) -> None:
    first = await known(town)
    town.clock.advance(seconds=60)
    second = await sign_in(town, town.mint.mint(), code=await town.code())
    devices = town.people.devices
    assert set(await town.ask(lambda: devices.signed_in(first.user.id))) == {first.device_id, second.device_id}
    for _ in range(2):
        await town.ask(lambda: devices.sign_out_device(first.user.id, second.device_id))
    with pytest.raises(Refusal, match="SESSION_UNKNOWN"):
        await town.ask(lambda: town.people.session(second.token))
    assert set(await town.ask(lambda: devices.signed_in(first.user.id))) == {first.device_id}
    await sign_in(town, second.device_id)
    with pytest.raises(Refusal, match="DEVICE_UNKNOWN"):
        await town.ask(lambda: devices.sign_out_device(first.user.id + 1, second.device_id))


async def test_who_forgot_the_pin_comes_in_by_the_code_on_a_device_of_theirs_alone(town: Any) -> None:
    first = await known(town)
    town.clock.advance(seconds=60)
    code = await town.code()

    def come(device_id: int, phone: str, code: str) -> Any:
        forgetful = town.people.sign_in_forgetful
        return town.ask(lambda: forgetful(phone=phone, code=code, device_id=device_id, device_name="browser"))

    with pytest.raises(Refusal, match="DEVICE_UNKNOWN"):
        await come(town.mint.mint(), PHONE, code)
    with pytest.raises(Refusal, match="DEVICE_UNKNOWN"):
        await come(first.device_id, STRANGER, await town.code(STRANGER))
    signed_in = await come(first.device_id, PHONE, code)
    assert (await town.ask(lambda: town.people.session(signed_in.token))).user_id == first.user.id
    with pytest.raises(Refusal, match="SESSION_UNKNOWN"):
        await town.ask(lambda: town.people.session(first.token))
