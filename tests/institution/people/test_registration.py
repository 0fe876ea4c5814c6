"""Registering, signing in, sessions and devices."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.people.device import DEVICES_MAX, SESSION_LIFE_NS
from hutong.institution.people.one_time_code import LIFE_NS, SENT_MAX, WRONG_MAX, Purpose
from hutong.institution.people.phone import masked_phone, parse_phone
from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal

PHONE = "+8613800138000"


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800138000", "+8613800138000"),
        ("+8613800138000", "+8613800138000"),
        ("+85291234567", "+85291234567"),
        ("+855123456789", "+855123456789"),
        ("12800138000", None),  # No mobile number begins so.
        ("1380013800", None),
        ("138001380000", None),
        ("+86", None),
        ("+861080013800", None),  # A fixed line: no code reaches it.
        ("+0123456789", None),
        ("+1234567890123456", None),
        ("１３８００１３８０００", None),  # Full-width digits.
        ("138 0013 8000", None),
        ("", None),
        ("13800138000\n", None),
    ],
)
def test_a_telephone_number_is_e164_or_a_chinese_mobile_number(text: str, phone: str | None) -> None:
    if phone is not None:
        assert parse_phone(text) == phone
        return
    with pytest.raises(Refusal) as no:
        parse_phone(text)
    assert no.value.reason is PeopleReason.PHONE_MALFORMED


@given(st.text(max_size=20))
def test_no_text_gets_anything_but_a_number_or_a_refusal(text: str) -> None:
    try:
        assert parse_phone(parse_phone(text)) == parse_phone(text)
    except Refusal as no:
        assert no.reason is PeopleReason.PHONE_MALFORMED  # noqa: PT017


def test_a_masked_number_shows_the_ends_alone() -> None:
    assert masked_phone(PHONE) == "+86138****8000"


@pytest.mark.parametrize("name", ["", "   ", "a\0b", "a\u202eb", "x" * 71, "\ud800", "a\nb", " a"])
async def test_a_name_nobody_can_read_is_refused(town: Any, name: str) -> None:
    with pytest.raises(Refusal, match="field=name"):
        await town.user(name=name)


async def test_a_new_user_has_tier_one_a_wallet_and_a_session(town: Any) -> None:
    signed_in = await town.user()
    user = signed_in.user
    assert (user.tier, user.evidence, user.phone, user.number) == (1, "PHONE", PHONE, 1)
    assert town.wallets == [user.wallet_account]
    session = await town.ask(lambda: town.people.session(signed_in.token))
    assert (session.user_id, session.device_id) == (user.id, signed_in.device_id)
    assert signed_in.token.encode() not in b"".join(str(row).encode() for row in town.store.rows["sessions"])


async def test_registering_again_gives_the_same_user_and_ends_the_first_session(town: Any) -> None:
    code = await town.code()
    device_id = town.mint.mint()

    def register(name: str = "王小明", registration_id: str = "r1") -> Any:
        return town.people.register(
            phone=PHONE,
            name=name,
            code=code,
            registration_id=registration_id,
            device_id=device_id,
            device_name="phone",
        )

    first = await town.ask(register)
    await town.restart()
    again = await town.ask(register)
    assert again.user == first.user
    assert len(set(town.wallets)) == 1  # A start opens again what was opened lately.
    assert (await town.ask(lambda: town.people.session(again.token))).device_id == device_id
    with pytest.raises(Refusal, match="SESSION_UNKNOWN"):
        await town.ask(lambda: town.people.session(first.token))
    with pytest.raises(Refusal, match="REGISTERED_OTHERWISE: field=name"):
        await town.ask(lambda: register(name="李雷"))
    with pytest.raises(Refusal, match="ONE_TIME_CODE_USED"):
        await town.ask(lambda: register(registration_id="r2"))


async def test_a_telephone_number_has_one_user(town: Any) -> None:
    await town.user()
    town.clock.advance(seconds=60)
    code = await town.code()
    with pytest.raises(Refusal, match="PHONE_TAKEN"):
        await town.ask(
            lambda: town.people.register(
                phone=PHONE,
                name="李雷",
                code=code,
                registration_id="r2",
                device_id=town.mint.mint(),
                device_name="phone",
            )
        )


async def test_a_code_is_good_for_five_tries_and_five_minutes(town: Any) -> None:
    await town.user()
    town.clock.advance(seconds=60)
    code = await town.code()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    device_id = town.mint.mint()

    def sign_in(shown: str) -> Any:
        return town.people.sign_in(phone=PHONE, code=shown, device_id=device_id, device_name="x")

    for left in range(WRONG_MAX - 1, 0, -1):
        with pytest.raises(Refusal, match=f"ONE_TIME_CODE_WRONG: tries_left={left}"):
            await town.ask(lambda: sign_in(wrong))
        await town.restart()  # The count survives.
    with pytest.raises(Refusal, match="tries_left=0"):
        await town.ask(lambda: sign_in(wrong))
    with pytest.raises(Refusal, match="ONE_TIME_CODE_EXPIRED"):
        await town.ask(lambda: sign_in(code))
    town.clock.advance(seconds=60)
    code = await town.code()
    town.clock.advance(ns=LIFE_NS - 1)
    await town.ask(lambda: sign_in(code))
    town.clock.advance(ns=1)
    with pytest.raises(Refusal, match="ONE_TIME_CODE_EXPIRED"):
        await town.ask(lambda: sign_in(code))


async def test_codes_are_sent_once_a_minute_and_ten_times_a_day(town: Any) -> None:
    for sent in range(1, SENT_MAX + 1):
        await town.code()
        with pytest.raises(Refusal, match="retry_after_s=60" if sent < SENT_MAX else "retry_after_s=85860"):
            await town.code()
        town.clock.advance(seconds=60)
    await town.restart()
    with pytest.raises(Refusal, match=f"retry_after_s={86_400 - 60 * SENT_MAX}"):
        await town.code()
    await town.code(purpose=Purpose.PIN_RESET)  # Counted apart.
    town.clock.advance(seconds=86_400 - 60 * SENT_MAX)
    await town.code()
    assert town.telephones.count == SENT_MAX + 2


async def test_nobody_spends_our_messages_by_naming_many_numbers(town: Any) -> None:
    for number in range(300):
        await town.code(f"+86138{number:08d}")
    with pytest.raises(Refusal, match="CODE_REQUESTS_EXHAUSTED"):
        await town.code("+8613900000000")
    assert town.telephones.count == 300
    town.clock.advance(seconds=1)
    await town.code("+8613900000000")


async def test_a_code_leaves_only_when_it_is_durable(town: Any) -> None:
    town.journal._immediate = False
    with pytest.raises(Exception, match="not in memory") as cold:
        town.people.request_code(PHONE, Purpose.SIGN_IN)
    await cold.value.load()  # type: ignore[attr-defined]
    town.people.request_code(PHONE, Purpose.SIGN_IN)
    assert town.telephones.count == 0
    town.journal.flush()
    assert town.telephones.count == 1


async def test_signing_in_never_tells_strangers_who_is_registered(town: Any) -> None:
    code = await town.code()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    with pytest.raises(Refusal, match="ONE_TIME_CODE_WRONG"):
        await town.ask(
            lambda: town.people.sign_in(phone=PHONE, code=wrong, device_id=town.mint.mint(), device_name="x")
        )
    with pytest.raises(Refusal, match="USER_UNKNOWN"):
        await town.ask(lambda: town.people.sign_in(phone=PHONE, code=code, device_id=town.mint.mint(), device_name="x"))


async def test_a_session_ends_at_its_time_and_no_earlier(town: Any) -> None:
    signed_in = await town.user()
    town.clock.advance(ns=SESSION_LIFE_NS - 1)
    assert await town.ask(lambda: town.people.session(signed_in.token))
    town.clock.advance(ns=1)
    with pytest.raises(Refusal, match="SESSION_EXPIRED"):
        await town.ask(lambda: town.people.session(signed_in.token))


@pytest.mark.parametrize("token", ["", "ses_", "ses_" + "A" * 43, "\ud800", "x" * 10_000])
async def test_a_made_up_token_is_nobody(town: Any, token: str) -> None:
    await town.user()
    with pytest.raises(Refusal, match="SESSION_UNKNOWN"):
        await town.ask(lambda: town.people.session(token))


async def test_signing_out_ends_the_session_at_once_and_for_good(town: Any) -> None:
    signed_in = await town.user()
    session = await town.ask(lambda: town.people.session(signed_in.token))
    for _ in range(2):
        await town.ask(lambda: town.people.devices.sign_out(session))
    for _ in range(2):
        with pytest.raises(Refusal, match="SESSION_UNKNOWN"):
            await town.ask(lambda: town.people.session(signed_in.token))
        await town.restart()


async def test_a_lost_device_is_nobody_from_then_on(town: Any) -> None:
    first = await town.user()
    second = await town.sign_in(town.mint.mint())
    user_id = first.user.id
    for _ in range(2):
        lost = await town.ask(lambda: town.people.devices.report_lost(user_id, first.device_id))
        assert not lost.is_active
        assert lost.seed_sealed == b""
    for _ in range(2):
        with pytest.raises(Refusal, match="SESSION_UNKNOWN"):
            await town.ask(lambda: town.people.session(first.token))
        with pytest.raises(Refusal, match="DEVICE_LOST"):
            await town.ask(lambda: town.people.codes.payment_code_keys(user_id, first.device_id))
        assert await town.ask(lambda: town.people.session(second.token))
        await town.restart()
    with pytest.raises(Refusal, match="DEVICE_LOST"):
        await town.sign_in(first.device_id)


async def test_nobody_touches_somebody_elses_device(town: Any) -> None:
    mine = await town.user()
    other = await town.user("+8613900139000", "李雷")
    with pytest.raises(Refusal, match="DEVICE_UNKNOWN"):
        await town.ask(lambda: town.people.devices.report_lost(other.user.id, mine.device_id))
    with pytest.raises(Refusal, match="DEVICE_UNKNOWN"):
        await town.ask(lambda: town.people.codes.payment_code_keys(other.user.id, mine.device_id))
    with pytest.raises(Refusal, match="DEVICE_TAKEN"):
        await town.sign_in(mine.device_id, "+8613900139000")


async def test_a_user_has_five_devices_and_no_sixth_until_one_is_lost(town: Any) -> None:
    first = await town.user()
    for _ in range(DEVICES_MAX - 1):
        await town.sign_in(town.mint.mint())
    with pytest.raises(Refusal, match="DEVICES_TOO_MANY"):
        await town.sign_in(town.mint.mint())
    await town.ask(lambda: town.people.devices.report_lost(first.user.id, first.device_id))
    await town.sign_in(town.mint.mint())


async def test_a_device_id_from_the_future_is_refused(town: Any) -> None:
    await town.user()
    now_ms = town.clock.now_ns() // 1_000_000 + 60_000  # `sign_in` waits a minute first.
    await town.sign_in(now_ms + 60_000 << 80)
    with pytest.raises(Refusal, match="ID_FROM_THE_FUTURE"):
        await town.sign_in(now_ms + 120_001 << 80)


async def test_the_operators_token_alone_makes_an_operator(town: Any) -> None:
    assert town.people.operator("op_a-long-token") == "duty"
    for token in ("", "op_a-long-toke", "op_a-long-token ", "duty", "\ud800"):
        with pytest.raises(Refusal, match="OPERATOR_UNKNOWN"):
            town.people.operator(token)


def test_the_constants_say_what_they_mean() -> None:
    assert LIFE_NS == 5 * 60 * NS_PER_S
