"""Guessing is limited, per acquirer and handle, and per acquirer."""

import pytest

from hutong.codes.guesses import PER_ACQUIRER, PER_HANDLE, Allowance, GuessLimiter
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S
from hutong.kernel.errors import Refusal

NOW_NS = 10**18
HEAD = "28513947026"


def may_guess(limiter: GuessLimiter, acquirer: str, code: str, now_ns: int) -> bool:
    try:
        limiter.check(acquirer, code, now_ns)
    except Refusal as refusal:
        return refusal.reason.name != "PAYMENT_CODE_GUESSES_EXHAUSTED"
    return True


def test_the_fifth_miss_of_a_handle_may_be_made_and_a_sixth_may_not() -> None:
    limiter = GuessLimiter()
    for number in range(PER_HANDLE.burst):
        assert may_guess(limiter, "wei", HEAD + f"{number:07d}", NOW_NS)
        limiter.note_wrong("wei", HEAD + f"{number:07d}", NOW_NS)
    assert not may_guess(limiter, "wei", HEAD + "9999999", NOW_NS)
    assert not may_guess(limiter, "wei", HEAD + "9999999", NOW_NS + PER_HANDLE.interval_ns - 1)
    assert may_guess(limiter, "wei", HEAD + "9999999", NOW_NS + PER_HANDLE.interval_ns)


def test_guessing_at_one_acquirer_locks_nobody_out_at_another() -> None:
    limiter = GuessLimiter()
    for number in range(PER_HANDLE.burst):
        limiter.note_wrong("wei", HEAD + f"{number:07d}", NOW_NS)
    assert may_guess(limiter, "zhi", HEAD + "0000000", NOW_NS)
    assert may_guess(limiter, "wei", "28513947027" + "0000000", NOW_NS)


def test_a_handle_is_missed_at_most_ten_times_a_day() -> None:
    limiter = GuessLimiter()
    missed = 0
    for minute in range(24 * 60):
        now_ns = NOW_NS + minute * 60 * NS_PER_S
        while may_guess(limiter, "wei", HEAD + "0000000", now_ns):
            limiter.note_wrong("wei", HEAD + "0000000", now_ns)
            missed += 1
    assert missed == PER_HANDLE.burst + NS_PER_DAY // PER_HANDLE.interval_ns - 1


def test_an_acquirer_that_guesses_at_many_handles_is_limited_too() -> None:
    limiter = GuessLimiter()
    for number in range(PER_ACQUIRER.burst):
        assert may_guess(limiter, "wei", f"28{number:09d}0000000", NOW_NS)
        limiter.note_wrong("wei", f"28{number:09d}0000000", NOW_NS)
    assert not may_guess(limiter, "wei", "289999999990000000", NOW_NS)
    assert may_guess(limiter, "zhi", "289999999990000000", NOW_NS)
    assert may_guess(limiter, "wei", "289999999990000000", NOW_NS + PER_ACQUIRER.interval_ns)


def test_the_refusal_says_when_to_come_back() -> None:
    limiter = GuessLimiter(Allowance(1, 90 * NS_PER_S))
    limiter.note_wrong("wei", HEAD + "0000000", NOW_NS)
    with pytest.raises(Refusal) as refused:
        limiter.check("wei", HEAD + "0000001", NOW_NS + 1)
    retry_after_s = refused.value.facts["retry_after_s"]
    assert retry_after_s == 90
    limiter.check("wei", HEAD + "0000001", NOW_NS + 1 + retry_after_s * NS_PER_S)


def test_memory_is_given_back_when_misses_are_made_good() -> None:
    limiter = GuessLimiter(Allowance(5, NS_PER_S), Allowance(100, NS_PER_S))
    for number in range(20_000):
        limiter.note_wrong("wei", f"28{number:09d}0000000", NOW_NS + number * NS_PER_S)
    assert len(limiter) < 2048
