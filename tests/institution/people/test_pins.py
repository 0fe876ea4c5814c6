"""PINs: which are refused as weak, how often they may be guessed, and the tokens a right one gives."""

import asyncio
from typing import Any

import msgspec
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.pin import LOCKED_NS_BEHIND, WRONG_MAX, Pin, check_spelling, check_strength
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.tokens import PIN_TOKEN_LIFE_NS, TokenKeys
from hutong.kernel.errors import Refusal

PHONE = "+8613800138000"
PIN = "483915"
WRONG = "759204"
LOCKS = [(wrong, ns) for wrong, ns in enumerate(LOCKED_NS_BEHIND, 1) if ns]
KEYS = TokenKeys(b"k" * 32)


@pytest.mark.parametrize(
    ("pin", "weakness"),
    [
        ("111111", "repeats"),
        ("121212", "repeats"),
        ("123123", "repeats"),
        ("112233", "repeats"),
        ("111222", "repeats"),
        ("383383", "repeats"),
        ("338333", "repeats"),
        ("471174", "repeats"),
        ("123456", "runs"),
        ("654321", "runs"),
        ("890123", "runs"),
        ("135791", "runs"),
        ("147258", "runs"),
        ("900117", "date"),  # 17 January 1990.
        ("170190", "date"),
        ("011790", "date"),
        ("199004", "date"),  # April 1990.
        ("200229", "date"),  # A day that exists every fourth year.
        ("138001", "telephone number"),
        ("001380", "telephone number"),
        ("483915", ""),
        ("759204", ""),
        ("199513", ""),  # There is no thirteenth month, and no 51st day.
        ("973046", ""),
    ],
)
def test_a_pin_a_thief_would_try_first_is_refused(pin: str, weakness: str) -> None:
    if not weakness:
        check_strength(pin, PHONE)
        return
    with pytest.raises(Refusal, match=f"PIN_WEAK: weakness={weakness}"):
        check_strength(pin, PHONE)


def test_most_pins_are_not_weak() -> None:
    strong = 0
    for number in range(0, 10**6, 97):
        try:
            check_strength(f"{number:06d}", PHONE)
        except Refusal:
            continue
        strong += 1
    assert strong / len(range(0, 10**6, 97)) > 0.85


@given(st.text(max_size=8))
def test_a_pin_is_six_digits(text: str) -> None:
    try:
        check_spelling(text)
    except Refusal as no:
        assert no.reason is PeopleReason.PIN_MALFORMED  # noqa: PT017
    else:
        assert len(text) == 6
        assert set(text) <= set("0123456789")


@pytest.mark.parametrize(("wrong", "locked_ns"), LOCKS)
def test_a_lock_ends_at_its_time_and_no_earlier(wrong: int, locked_ns: int) -> None:
    pin = Pin(user_id=1, hash="", changed_ns=0)
    now_ns = 10**18
    for _ in range(wrong):
        pin.may_be_tried(now_ns)
        pin = pin.tried_wrong(now_ns)
        if pin.wrong < wrong:
            now_ns = max(now_ns, pin.locked_until_ns)
    assert pin.locked_until_ns == now_ns + locked_ns
    with pytest.raises(Refusal, match="PIN_LOCKED"):
        pin.may_be_tried(now_ns + locked_ns - 1)
    pin.may_be_tried(now_ns + locked_ns)


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 2))
def test_no_more_than_the_allowed_tries_ever_pass_in_a_row(tries: list[bool], patience: int) -> None:
    pin = Pin(user_id=1, hash="", changed_ns=0)
    now_ns, wrong_in_a_row = 0, 0
    for is_right in tries:
        now_ns = max(now_ns, pin.locked_until_ns) if patience else now_ns
        try:
            pin.may_be_tried(now_ns)
        except Refusal as no:
            assert no.reason in {PeopleReason.PIN_LOCKED, PeopleReason.PIN_BLOCKED}  # noqa: PT017
            continue
        pin = pin.tried_right(now_ns, pin.hash) if is_right else pin.tried_wrong(now_ns)
        wrong_in_a_row = 0 if is_right else wrong_in_a_row + 1
        assert pin.wrong == wrong_in_a_row
        assert wrong_in_a_row <= (WRONG_MAX if patience else 5)


def test_the_locks_grow_until_only_a_reset_helps() -> None:
    waits = [ns for _, ns in LOCKS]
    assert waits == sorted(waits)
    assert [wrong for wrong, _ in LOCKS] == [5, 6, 7, 8]
    assert WRONG_MAX == 9


async def _with_pin(town: Any) -> int:
    user_id, _ = await _with_pin_and_device(town)
    return user_id


async def _with_pin_and_device(town: Any) -> tuple[int, int]:
    signed_in = await town.user()
    await town.people.pins.set_pin(signed_in.user.id, PIN)
    return signed_in.user.id, signed_in.device_id


async def test_a_right_pin_passes_and_a_wrong_one_says_how_many_tries_are_left(town: Any) -> None:
    user_id = await _with_pin(town)
    await town.people.pins.check(user_id, PIN)
    for left in (4, 3, 2, 1):
        with pytest.raises(Refusal, match=f"PIN_WRONG: tries_left={left}"):
            await town.people.pins.check(user_id, WRONG)
    await town.people.pins.check(user_id, PIN)  # The fourth wrong try in a row may be followed by a right one,
    with pytest.raises(Refusal, match="PIN_WRONG: tries_left=4"):  # and then counting begins anew.
        await town.people.pins.check(user_id, WRONG)


async def test_the_fifth_wrong_pin_locks_and_restarts_do_not_unlock(town: Any) -> None:
    user_id = await _with_pin(town)
    for _ in range(5):
        with pytest.raises(Refusal, match="PIN_WRONG"):
            await town.people.pins.check(user_id, WRONG)
        await town.restart()
    town.clock.advance(seconds=15 * 60 - 1)
    with pytest.raises(Refusal, match="PIN_LOCKED: retry_after_s=1"):
        await town.people.pins.check(user_id, PIN)
    town.clock.advance(seconds=1)
    await town.people.pins.check(user_id, PIN)
    assert [row.type for _, row in town.store.rows["events"]] == ["pin.changed", "pin.locked"]


async def test_behind_the_ninth_wrong_pin_only_a_reset_helps(town: Any) -> None:
    user_id, device_id = await _with_pin_and_device(town)
    for _ in range(WRONG_MAX):
        with pytest.raises(Refusal, match=r"PIN_WRONG|PIN_BLOCKED"):
            await town.people.pins.check(user_id, WRONG)
        town.clock.advance(seconds=86_400)
    with pytest.raises(Refusal, match="PIN_BLOCKED"):
        await town.people.pins.check(user_id, PIN)
    code = await town.code(purpose=Purpose.PIN_RESET)
    with pytest.raises(Refusal, match="ONE_TIME_CODE_WRONG"):
        await town.people.pins.reset_pin(user_id, device_id, f"{(int(code) + 1) % 10**6:06d}", WRONG)
    await town.people.pins.reset_pin(user_id, device_id, code, WRONG)
    await town.people.pins.check(user_id, WRONG)
    with pytest.raises(Refusal, match="ONE_TIME_CODE_USED"):
        await town.people.pins.reset_pin(user_id, device_id, code, PIN)


async def test_a_code_for_signing_in_resets_no_pin(town: Any) -> None:
    user_id, device_id = await _with_pin_and_device(town)
    town.clock.advance(seconds=60)
    code = await town.code()
    with pytest.raises(Refusal, match="ONE_TIME_CODE_EXPIRED"):
        await town.people.pins.reset_pin(user_id, device_id, code, WRONG)


async def test_a_new_phone_resets_no_pin_for_a_day(town: Any) -> None:
    user_id, first_id = await _with_pin_and_device(town)
    other = (await town.user("+8613900139000", "李雷")).device_id
    second_id = (await town.sign_in(town.mint.mint())).device_id
    added_ns = town.clock.now_ns()
    code = await town.code(purpose=Purpose.PIN_RESET)
    with pytest.raises(Refusal, match="DEVICE_TOO_NEW: retry_after_s=86400"):
        await town.people.pins.reset_pin(user_id, second_id, code, WRONG)
    with pytest.raises(Refusal, match="DEVICE_UNKNOWN"):
        await town.people.pins.reset_pin(user_id, other, code, WRONG)
    # Losing the first phone does not make the second any older.
    await town.ask(lambda: town.people.devices.report_lost(user_id, first_id))
    with pytest.raises(Refusal, match="DEVICE_LOST"):
        await town.people.pins.reset_pin(user_id, first_id, code, WRONG)
    town.clock.advance(ns=added_ns + 86_400 * 10**9 - 1 - town.clock.now_ns())
    code = await town.code(purpose=Purpose.PIN_RESET)
    with pytest.raises(Refusal, match="DEVICE_TOO_NEW: retry_after_s=1"):
        await town.people.pins.reset_pin(user_id, second_id, code, WRONG)
    town.clock.advance(ns=1)
    await town.people.pins.reset_pin(user_id, second_id, code, WRONG)
    await town.people.pins.check(user_id, WRONG)


async def test_many_tries_at_once_are_one_try(town: Any) -> None:
    user_id = await _with_pin(town)
    guesses = [f"{number:06d}" for number in range(40)]
    answers = await asyncio.gather(
        *(town.people.pins.check(user_id, guess) for guess in guesses), return_exceptions=True
    )
    reasons = [answer.reason for answer in answers if isinstance(answer, Refusal)]
    assert reasons.count(PeopleReason.PIN_WRONG) == 1
    assert reasons.count(PeopleReason.PIN_BUSY) == 39


async def test_what_does_not_fit_the_pool_is_turned_away(town: Any) -> None:
    user_ids = [(await town.user(f"+861380013{number:04d}")).user.id for number in range(12)]
    answers = await asyncio.gather(
        *(town.people.pins.set_pin(user_id, PIN) for user_id in user_ids), return_exceptions=True
    )
    busy = [answer for answer in answers if isinstance(answer, Refusal)]
    assert {answer.reason for answer in busy} == {PeopleReason.PIN_BUSY}
    assert len(busy) == 12 - 9  # One thread and eight who wait.


async def test_a_pin_is_set_once_and_changed_by_who_knows_it(town: Any) -> None:
    user_id = await _with_pin(town)
    with pytest.raises(Refusal, match="PIN_ALREADY_SET"):
        await town.people.pins.set_pin(user_id, WRONG)
    with pytest.raises(Refusal, match="PIN_WRONG"):
        await town.people.pins.change_pin(user_id, "864209", WRONG)
    with pytest.raises(Refusal, match="PIN_WEAK"):
        await town.people.pins.change_pin(user_id, PIN, "123456")
    await town.people.pins.change_pin(user_id, PIN, WRONG)
    await town.restart()
    await town.people.pins.check(user_id, WRONG)


async def test_a_wrong_try_is_told_only_when_it_is_durable(town: Any) -> None:
    user_id = await _with_pin(town)
    await town.restart()
    town.journal._immediate = False
    trying = asyncio.ensure_future(town.people.pins.check(user_id, WRONG))
    while not town.journal._rows:
        await asyncio.sleep(0.001)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not trying.done()
    town.journal.flush()
    with pytest.raises(Refusal, match="PIN_WRONG"):
        await trying


async def test_neither_a_pin_nor_anything_to_try_it_on_is_stored(town: Any) -> None:
    user_id = await _with_pin(town)
    (row,) = [row for _, row in town.store.rows["pins"]]
    assert row.hash.startswith("$argon2id$")
    assert PIN not in str(msgspec.structs.asdict(row))
    hasher = town.people.pins._keeper._hasher
    assert not _verifies(hasher, row.hash, PIN.encode())  # Without the pepper the hash tells nothing.
    assert town.people.pins._keeper._matching(row.hash, user_id, PIN) == 0
    assert town.people.pins._keeper._matching(row.hash, user_id + 256, PIN) is None  # Nor does it fit another user.


async def test_a_right_pin_is_hashed_anew_when_the_parameters_grew(town: Any) -> None:
    user_id = await _with_pin(town)
    town.people.pins._keeper._hasher = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    with pytest.raises(Refusal, match="PIN_WRONG"):
        await town.people.pins.check(user_id, WRONG)
    for _ in range(2):
        await town.people.pins.check(user_id, PIN)
    costs = [row.hash.split("$")[3] for _, row in town.store.rows["pins"]]
    assert costs == ["m=8,t=1,p=1", "m=8,t=1,p=1", "m=8,t=2,p=1"]


def _verifies(hasher: Any, hashed: str, secret: bytes) -> bool:
    try:
        return bool(hasher.verify(hashed, secret))
    except Exception:  # noqa: BLE001  # Whatever it says, it is no.
        return False


async def test_a_new_pepper_keeps_every_pin_and_is_taken_up_as_pins_are_typed(town: Any) -> None:
    user = (await town.user()).user
    await town.people.pins.set_pin(user.id, PIN)
    old = town.people.pins._keeper._peppers[0]
    first = town.people._repository.pins.get(user.id).hash
    town.people.pins._keeper._peppers = (b"n" * 32, old)
    with pytest.raises(Refusal, match="PIN_WRONG"):
        await town.people.pins.check(user.id, "483916")
    await town.people.pins.check(user.id, PIN)
    assert town.people._repository.pins.get(user.id).hash != first
    town.people.pins._keeper._peppers = (b"n" * 32,)
    await town.people.pins.check(user.id, PIN)


async def test_a_pin_token_is_for_one_payment(town: Any) -> None:
    user_id = await _with_pin(town)
    payment_id = town.mint.mint()
    token = await town.people.pin_token(user_id, PIN, payment_id, 1200, "面馆")
    now_ns = town.clock.now_ns()
    for _ in range(2):  # A retry shows it again.
        town.people.check_pin_token(token, user_id, payment_id, 1200, "面馆", now_ns)
        await town.restart()
    with pytest.raises(Refusal, match="PIN_WRONG"):
        await town.people.pin_token(user_id, WRONG, payment_id, 1200, "面馆")


Binding = tuple[int, int, int, str]
BINDING = st.tuples(
    st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1), st.integers(0, 2**63 - 1), st.text(max_size=20)
)


@given(BINDING, BINDING)
def test_a_pin_token_passes_for_what_it_was_made_for_and_nothing_else(made: Binding, shown: Binding) -> None:
    token = KEYS.pin_token(*made, 0)
    if made == shown:
        KEYS.check_pin_token(token, *shown, 0)
        return
    with pytest.raises(Refusal, match="PIN_TOKEN_WRONG"):
        KEYS.check_pin_token(token, *shown, 0)
    for at in range(4):
        parts: Any = [shown[i] if i == at else made[i] for i in range(4)]
        mixed: Binding = tuple(parts)
        if mixed != made:
            with pytest.raises(Refusal, match="PIN_TOKEN_WRONG"):
                KEYS.check_pin_token(token, *mixed, 0)


def test_every_changed_letter_of_a_pin_token_is_found() -> None:
    token = KEYS.pin_token(1, 2, 3, "m", 10**18)
    for at, letter in enumerate(token):
        for other in "A", "b", "9", "-", "=", "\ud800":
            if other != letter:
                with pytest.raises(Refusal, match=r"PIN_TOKEN_(WRONG|MALFORMED)"):
                    KEYS.check_pin_token(token[:at] + other + token[at + 1 :], 1, 2, 3, "m", 10**18)
    with pytest.raises(Refusal, match="PIN_TOKEN_WRONG"):
        TokenKeys(b"o" * 32).check_pin_token(token, 1, 2, 3, "m", 10**18)


@given(st.text(max_size=60))
def test_no_text_passes_as_a_pin_token(text: str) -> None:
    with pytest.raises(Refusal, match=r"PIN_TOKEN_(WRONG|MALFORMED)"):
        KEYS.check_pin_token(text, 1, 2, 3, "m", 0)


def test_a_pin_token_ends_at_its_time_and_no_earlier() -> None:
    token = KEYS.pin_token(1, 2, 3, "m", 10**18)
    KEYS.check_pin_token(token, 1, 2, 3, "m", 10**18 + PIN_TOKEN_LIFE_NS - 1)
    with pytest.raises(Refusal, match="PIN_TOKEN_EXPIRED"):
        KEYS.check_pin_token(token, 1, 2, 3, "m", 10**18 + PIN_TOKEN_LIFE_NS)


async def test_naming_the_old_phone_makes_a_new_one_no_older(town: Any) -> None:
    """Who stole the number sees the old phone's id in the list of devices, and signs in under it."""
    user_id, first_id = await _with_pin_and_device(town)
    town.clock.advance(seconds=90 * 86_400)
    thief = await town.sign_in(town.mint.mint())
    (_, thiefs) = await town.ask(lambda: town.people.devices.devices(user_id))
    assert thiefs.id == thief.device_id
    before = await town.ask(lambda: town.people.codes.payment_code_keys(user_id, first_id))
    for gone in (False, True):  # A new phone reported lost has been there all the same.
        if gone:
            await town.ask(lambda: town.people.devices.report_lost(user_id, thief.device_id))
        assert (await town.sign_in(first_id)).device_id == first_id
        town.clock.advance(seconds=60)
        code = await town.code(purpose=Purpose.PIN_RESET)
        with pytest.raises(Refusal, match="DEVICE_TOO_NEW"):
            await town.people.pins.reset_pin(user_id, first_id, code, WRONG)
    after = await town.ask(lambda: town.people.codes.payment_code_keys(user_id, first_id))
    assert after.seed != before.seed  # Or the thief would go on making the old phone's codes.
    types = [event.type for _, event in (await town.people._notices.feed(user_id, 0, limit=500)).events]
    assert types.count("device.signed_in") == 2
    town.clock.advance(seconds=86_400)
    code = await town.code(purpose=Purpose.PIN_RESET)
    await town.people.pins.reset_pin(user_id, first_id, code, WRONG)


async def test_the_only_phone_signs_in_again_and_resets_its_pin_at_once(town: Any) -> None:
    user_id, first_id = await _with_pin_and_device(town)
    town.clock.advance(seconds=90 * 86_400)
    await town.sign_in(first_id)
    code = await town.code(purpose=Purpose.PIN_RESET)
    await town.people.pins.reset_pin(user_id, first_id, code, WRONG)
