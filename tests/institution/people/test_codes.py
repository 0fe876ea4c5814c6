"""Payment codes are claimed once, guessed seldom; personal codes lead to their user."""

from typing import Any

import pytest

from hutong.codes.payment_code import STEP_NS, PaymentCodeGenerator
from hutong.codes.plate import read_plate
from hutong.institution.people.payment_code import PaymentCodeHolder
from hutong.institution.people.personal_code import CODES_MAX
from hutong.institution.people.signed_in import SignedIn
from hutong.kernel.errors import Refusal

PHONE = "+8613800138000"


async def _generator(town: Any, signed_in: SignedIn) -> PaymentCodeGenerator:
    keys = await town.ask(lambda: town.people.codes.payment_code_keys(signed_in.user.id, signed_in.device_id))
    return PaymentCodeGenerator(keys.head_today, keys.seed)


async def _claim(town: Any, code: str, charge_id: int, acquirer: str = "wei") -> Any:
    return await town.ask(lambda: town.people.claim_payment_code(code, charge_id, acquirer))


async def test_a_code_made_offline_is_claimed_by_one_charge(town: Any) -> None:
    await town.user("+8613900139000", "李雷")
    signed_in = await town.user()
    code = (await _generator(town, signed_in)).generate(town.clock.now_ns())
    for _ in range(2):  # The same charge again is a retry, across a restart too.
        holder = await _claim(town, code, 256)
        assert (holder.user_id, holder.device_id) == (signed_in.user.id, signed_in.device_id)
        await town.restart()
    assert len(town.store.rows["payment_code_claims"]) == 1
    for charge_id, acquirer in ((512, "wei"), (256, "zhi")):
        with pytest.raises(Refusal, match="PAYMENT_CODE_REUSED"):
            await _claim(town, code, charge_id, acquirer)


async def test_each_device_makes_its_own_codes(town: Any) -> None:
    first = await town.user()
    second = await town.sign_in(town.mint.mint())
    for number, signed_in in enumerate((first, second), 1):
        code = (await _generator(town, signed_in)).generate(town.clock.now_ns())
        assert (await _claim(town, code, number << 8)).device_id == signed_in.device_id


async def test_a_code_lives_about_a_minute(town: Any) -> None:
    generator = await _generator(town, await town.user())
    town.clock.advance(ns=-town.clock.now_ns() % STEP_NS)
    code = generator.generate(town.clock.now_ns())
    town.clock.advance(ns=5 * STEP_NS - 1)
    await _claim(town, code, 256)
    town.clock.advance(ns=1)
    with pytest.raises(Refusal, match="PAYMENT_CODE_EXPIRED"):
        await _claim(town, code, 512)


async def test_heads_change_with_the_day_and_tomorrows_is_known_today(town: Any) -> None:
    signed_in = await town.user()
    user_id, device_id = signed_in.user.id, signed_in.device_id
    today = await town.ask(lambda: town.people.codes.payment_code_keys(user_id, device_id))
    wait_ns = today.today_ends_ns - town.clock.now_ns()
    assert 0 < wait_ns <= 86_400 * 10**9
    town.clock.advance(ns=wait_ns - 1)
    assert await town.ask(lambda: town.people.codes.payment_code_keys(user_id, device_id)) == today
    town.clock.advance(ns=1)
    tomorrow = await town.ask(lambda: town.people.codes.payment_code_keys(user_id, device_id))
    assert tomorrow.head_today == today.head_tomorrow != today.head_today
    assert tomorrow.seed == today.seed


async def test_the_code_of_a_lost_device_is_wrong(town: Any) -> None:
    signed_in = await town.user()
    generator = await _generator(town, signed_in)
    await town.ask(lambda: town.people.devices.report_lost(signed_in.user.id, signed_in.device_id))
    with pytest.raises(Refusal, match="PAYMENT_CODE_WRONG"):
        await _claim(town, generator.generate(town.clock.now_ns()), 256)


async def test_a_frozen_users_code_is_refused_and_not_used_up(town: Any) -> None:
    signed_in = await town.user()
    code = (await _generator(town, signed_in)).generate(town.clock.now_ns())
    await town.ask(lambda: town.people.freeze(signed_in.user.id, "phone lost"))
    with pytest.raises(Refusal, match="USER_FROZEN"):
        await _claim(town, code, 256)
    await town.ask(lambda: town.people.unfreeze(signed_in.user.id, "found"))
    await _claim(town, code, 512)


async def test_an_acquirer_guesses_a_handle_five_times_and_restarts_do_not_help(town: Any) -> None:
    generator = await _generator(town, await town.user())
    right = generator.generate(town.clock.now_ns())
    guesses = [generator.head + f"{number:07d}" for number in range(20)]
    for guess in guesses[:5]:
        with pytest.raises(Refusal, match="PAYMENT_CODE_WRONG"):
            await _claim(town, guess, 256)
        await town.restart()
    with pytest.raises(Refusal, match="PAYMENT_CODE_GUESSES_EXHAUSTED"):
        await _claim(town, right, 256)
    assert await _claim(town, right, 256, "zhi")  # Another acquirer's tills go on.


@pytest.mark.parametrize("code", ["", "31", "3" * 7, "1" * 33, "31" + "x" * 16, "３" * 18])
async def test_what_is_no_code_of_ours_is_malformed_and_no_guess(town: Any, code: str) -> None:
    for _ in range(10):
        with pytest.raises(Refusal, match="PAYMENT_CODE_MALFORMED"):
            await _claim(town, code, 256)
    assert town.store.rows["payment_code_misses"] == []


async def test_a_number_of_another_system_leads_to_its_user_who_is_to_be_asked(town: Any) -> None:
    user, other = (await town.user()).user, (await town.user("+8613800138001")).user
    codes = town.people.codes
    bound = await town.ask(lambda: codes.bind_foreign_code(user.id, "28610123456789012345"))
    await town.restart()
    codes = town.people.codes
    assert await town.ask(lambda: codes.bind_foreign_code(user.id, bound.digits)) == bound
    with pytest.raises(Refusal, match="FOREIGN_CODE_TAKEN"):
        await town.ask(lambda: codes.bind_foreign_code(other.id, bound.digits))
    for charge_id in (256, 512):  # It never changes, so it is used up by nobody.
        assert await _claim(town, bound.digits, charge_id) == PaymentCodeHolder(user.id, 0, is_to_be_asked=True)
    for guess in range(5):
        with pytest.raises(Refusal, match="PAYMENT_CODE_WRONG"):
            await _claim(town, f"2861012345678{guess:07d}", 768)
    await town.ask(lambda: town.people.freeze(user.id, "lost"))
    with pytest.raises(Refusal, match="USER_FROZEN"):
        await _claim(town, bound.digits, 1024, "zhi")
    for _ in range(2):
        assert not (await town.ask(lambda: codes.unbind_foreign_code(user.id, bound.digits))).active
    with pytest.raises(Refusal, match="PAYMENT_CODE_WRONG"):
        await _claim(town, bound.digits, 1024, "zhi")
    with pytest.raises(Refusal, match="FOREIGN_CODE_UNKNOWN"):
        await town.ask(lambda: codes.unbind_foreign_code(other.id, bound.digits))
    assert (await town.ask(lambda: codes.bind_foreign_code(other.id, bound.digits))).user_id == other.id


@pytest.mark.parametrize("digits", ["", "1234567", "1" * 33, "12345678x", "31" + "0" * 16, "１２３４５６７８"])
async def test_what_is_no_number_of_another_system_is_bound_to_nobody(town: Any, digits: str) -> None:
    user = (await town.user()).user
    with pytest.raises(Refusal, match="FOREIGN_CODE_MALFORMED"):
        await town.ask(lambda: town.people.codes.bind_foreign_code(user.id, digits))


async def test_a_personal_code_leads_to_its_user(town: Any) -> None:
    user = (await town.user()).user
    code_id = town.mint.mint()

    def make(amount: int = 1200, remark: str = "wedding", currency: str = "CNY") -> Any:
        return town.people.codes.make_personal_code(user.id, code_id, amount=amount, remark=remark, currency=currency)

    made = await town.ask(make)
    await town.restart()
    assert await town.ask(make) == made
    plate = read_plate(town.people.codes.plate_text(made))
    assert plate.base == "https://jing.example"
    assert await town.ask(lambda: town.people.codes.personal_code_on(plate.id)) == made
    assert await town.ask(lambda: town.people.personal_code(code_id)) == made
    for differs, other in {"amount": {"amount": 1}, "remark": {"remark": ""}, "currency": {"currency": "HKD"}}.items():
        with pytest.raises(Refusal, match=f"PERSONAL_CODE_TAKEN: field={differs}"):
            await town.ask(lambda other=other: make(**other))
    for amount in (-1, 2**63):
        with pytest.raises(Refusal, match="AMOUNT_OUT_OF_RANGE"):
            await town.ask(lambda amount=amount: make(amount=amount))


async def test_a_deactivated_personal_code_stays_so(town: Any) -> None:
    user = (await town.user()).user
    code = await town.ask(lambda: town.people.codes.make_personal_code(user.id, 256))
    for _ in range(2):
        await town.ask(lambda: town.people.codes.deactivate_personal_code(user.id, code.id))
        await town.restart()
    assert not (await town.ask(lambda: town.people.personal_code(code.id))).active
    assert [code.active for code in await town.ask(lambda: town.people.codes.personal_codes(user.id))] == [False]


async def test_nobody_touches_somebody_elses_personal_code(town: Any) -> None:
    user = (await town.user()).user
    other = (await town.user("+8613900139000", "李雷")).user
    code = await town.ask(lambda: town.people.codes.make_personal_code(user.id, 256))
    with pytest.raises(Refusal, match="PERSONAL_CODE_UNKNOWN"):
        await town.ask(lambda: town.people.codes.deactivate_personal_code(other.id, code.id))
    with pytest.raises(Refusal, match="PERSONAL_CODE_TAKEN: field=id"):
        await town.ask(lambda: town.people.codes.make_personal_code(other.id, code.id))
    assert await town.ask(lambda: town.people.codes.personal_codes(other.id)) == []


async def test_a_user_has_a_hundred_personal_codes_and_no_more(town: Any) -> None:
    user = (await town.user()).user
    for number in range(1, CODES_MAX + 1):
        await town.ask(lambda number=number: town.people.codes.make_personal_code(user.id, number << 8))
    with pytest.raises(Refusal, match="PERSONAL_CODES_TOO_MANY"):
        await town.ask(lambda: town.people.codes.make_personal_code(user.id, 1 << 20))
    await town.ask(lambda: town.people.codes.deactivate_personal_code(user.id, 256))
    await town.ask(lambda: town.people.codes.make_personal_code(user.id, 1 << 20))
