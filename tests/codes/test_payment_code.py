"""Payment codes: made offline, right for about a minute, never for anybody else."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.codes.payment_code import (
    DAY_GRACE_NS,
    EARLY_STEPS,
    LATE_STEPS,
    LENGTH,
    STEP_NS,
    Device,
    PaymentCodeGenerator,
    PaymentCodeIssuer,
    mint_seed,
    one_time_number,
)
from hutong.kernel.clock import NS_PER_DAY, NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import seeded_randomness

VECTORS = Path(__file__).parents[1] / "vectors"
RANDOM = seeded_randomness(7)
NOON_NS = 20_000 * NS_PER_DAY + 4 * NS_PER_HOUR  # In China, and the first nanosecond of a step.
MIDNIGHT_NS = 20_000 * NS_PER_DAY + 16 * NS_PER_HOUR  # In China.
ISSUER = PaymentCodeIssuer("28", bytes(range(32)))
ALICE, BOB = 1, 2
DEVICES = {
    ALICE: [Device(11, mint_seed(RANDOM)), Device(12, mint_seed(RANDOM))],
    BOB: [Device(21, mint_seed(RANDOM))],
}


def devices_of(user_number: int) -> Iterable[Device]:
    return DEVICES.get(user_number, ())


def phone(user_number: int, at_ns: int, number: int = 0, issuer: PaymentCodeIssuer = ISSUER) -> PaymentCodeGenerator:
    """A phone that fetched its head at `at_ns` and has been offline since."""
    return PaymentCodeGenerator(issuer.head(user_number, issuer.day(at_ns)), DEVICES[user_number][number].seed)


def answer(code: str, now_ns: int, issuer: PaymentCodeIssuer = ISSUER) -> str | tuple[int, int]:
    try:
        verified = issuer.verify(code, now_ns, devices_of)
    except Refusal as refusal:
        return refusal.reason.name
    assert now_ns < verified.expires_ns
    return verified.user_number, verified.device_id


def test_the_one_time_digits_are_those_of_rfc_6238() -> None:
    vectors = json.loads((VECTORS / "one_time_digits.json").read_text())
    for vector in vectors["vectors"]:
        assert f"{one_time_number(vectors['seed'].encode(), vector['time_s'] // 30, 8):08d}" == vector["digits"]


def test_phones_in_the_field_and_this_code_agree_for_ever() -> None:
    vectors = json.loads((VECTORS / "payment_code.json").read_text())
    issuer = PaymentCodeIssuer(vectors["prefix"], bytes.fromhex(vectors["master_key"]))
    for vector in vectors["vectors"]:
        head = issuer.head(vector["user_number"], issuer.day(vector["now_ns"]))
        seed = bytes.fromhex(vector["seed"])
        assert PaymentCodeGenerator(head, seed).generate(vector["now_ns"]) == vector["code"]


def test_a_phone_makes_codes_that_its_issuer_knows() -> None:
    code = phone(ALICE, NOON_NS).generate(NOON_NS)
    assert len(code) == LENGTH
    assert code.startswith("28")
    assert answer(code, NOON_NS) == (ALICE, 11)
    assert answer(phone(ALICE, NOON_NS, 1).generate(NOON_NS), NOON_NS) == (ALICE, 12)
    assert answer(phone(BOB, NOON_NS).generate(NOON_NS), NOON_NS) == (BOB, 21)


def test_a_code_lives_from_a_step_early_to_four_steps_late_and_no_nanosecond_longer() -> None:
    code = phone(ALICE, NOON_NS).generate(NOON_NS)
    first, end = NOON_NS - EARLY_STEPS * STEP_NS, NOON_NS + (LATE_STEPS + 1) * STEP_NS
    assert answer(code, first - 1) == "PAYMENT_CODE_WRONG"
    assert answer(code, first) == (ALICE, 11)
    assert answer(code, end - 1) == (ALICE, 11)
    assert answer(code, end) == "PAYMENT_CODE_EXPIRED"
    assert ISSUER.verify(code, NOON_NS, devices_of).expires_ns == end


def test_an_old_code_is_told_to_be_old_for_ten_minutes() -> None:
    code = phone(ALICE, NOON_NS).generate(NOON_NS)
    assert answer(code, NOON_NS + 40 * STEP_NS) == "PAYMENT_CODE_EXPIRED"
    assert answer(code, NOON_NS + 41 * STEP_NS) == "PAYMENT_CODE_WRONG"


@pytest.mark.parametrize(
    ("skew_s", "known"), [(-75, False), (-60, True), (-15, True), (0, True), (15, True), (30, False)]
)
def test_a_phone_whose_clock_is_off_by_less_than_a_step_can_pay(skew_s: int, *, known: bool) -> None:
    code = phone(ALICE, NOON_NS).generate(NOON_NS + skew_s * NS_PER_S)
    assert (answer(code, NOON_NS) == (ALICE, 11)) is known


def test_a_new_code_comes_every_step() -> None:
    shown = [phone(ALICE, NOON_NS).generate(NOON_NS + step * STEP_NS) for step in range(200)]
    assert len(set(shown)) == 200
    assert shown[0] == phone(ALICE, NOON_NS).generate(NOON_NS + STEP_NS - 1)


def test_yesterdays_head_serves_for_an_hour_and_tomorrows_not_before_its_time() -> None:
    before, after = MIDNIGHT_NS - STEP_NS, MIDNIGHT_NS
    yesterdays, todays = phone(ALICE, before), phone(ALICE, after)
    assert yesterdays.head != todays.head
    assert answer(yesterdays.generate(before), before) == (ALICE, 11)
    assert answer(yesterdays.generate(after), after) == (ALICE, 11)
    last = MIDNIGHT_NS + DAY_GRACE_NS - STEP_NS
    assert answer(yesterdays.generate(last), last) == (ALICE, 11)
    assert answer(yesterdays.generate(last + STEP_NS), last + STEP_NS) == "PAYMENT_CODE_WRONG"
    # A phone whose clock is a step fast changes its head a step early.
    assert answer(todays.generate(after), before) == (ALICE, 11)
    assert answer(todays.generate(before - STEP_NS), before - STEP_NS) == "PAYMENT_CODE_WRONG"


def test_digits_prove_nothing_behind_another_head() -> None:
    code = phone(ALICE, NOON_NS).generate(NOON_NS)
    bobs = phone(BOB, NOON_NS).head + code[11:]
    tomorrows = phone(ALICE, NOON_NS + NS_PER_DAY).head + code[11:]
    assert answer(bobs, NOON_NS) == answer(tomorrows, NOON_NS) == "PAYMENT_CODE_WRONG"


def test_each_wrong_digit_makes_a_wrong_code() -> None:
    code = phone(ALICE, NOON_NS).generate(NOON_NS)
    for at in range(2, LENGTH):
        wrong = code[:at] + str((int(code[at]) + 1) % 10) + code[at + 1 :]
        assert answer(wrong, NOON_NS) == "PAYMENT_CODE_WRONG"


def test_a_lost_device_is_revoked_alone() -> None:
    code = phone(ALICE, NOON_NS).generate(NOON_NS)
    with pytest.raises(Refusal):
        ISSUER.verify(code, NOON_NS, lambda user: devices_of(user) if user != ALICE else DEVICES[ALICE][1:])


@pytest.mark.parametrize(
    "code",
    [
        "",
        "2",
        "28" * 8,
        "28" * 10,
        "29" + "0" * 16,
        "28" + "٠" * 16,
        "28" + " " * 16,
        "28000000000000000é",
        "-28000000000000000",
    ],
)
def test_what_is_not_eighteen_digits_of_ours_is_malformed(code: str) -> None:
    assert answer(code, NOON_NS) == "PAYMENT_CODE_MALFORMED"


@settings(max_examples=100, deadline=None)
@given(
    st.text("0123456789", min_size=1, max_size=5),
    st.binary(min_size=32, max_size=32),
    st.integers(0, 10**19),
    st.data(),
)
def test_every_user_under_every_prefix_can_pay(prefix: str, key: bytes, now_ns: int, data: st.DataObject) -> None:
    issuer = PaymentCodeIssuer(prefix, key)
    user_number = data.draw(st.integers(0, issuer.user_number_max))
    device = Device(5, data.draw(st.binary(min_size=32, max_size=32)))
    code = PaymentCodeGenerator(issuer.head(user_number, issuer.day(now_ns)), device.seed).generate(now_ns)
    verified = issuer.verify(code, now_ns, lambda number: [device] if number == user_number else [])
    assert (verified.user_number, verified.device_id) == (user_number, 5)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=20) | st.text("0123456789", min_size=16, max_size=16).map(lambda tail: "28" + tail))
def test_no_guess_is_taken_for_a_code(code: str) -> None:
    assert answer(code, NOON_NS) in {"PAYMENT_CODE_MALFORMED", "PAYMENT_CODE_WRONG", "PAYMENT_CODE_EXPIRED"}
