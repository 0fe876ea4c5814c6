"""Codes that a merchant brings for its own coupons: what they cost, and how many there may be."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from hutong.kernel.errors import Refusal
from hutong.marketing.coupons import till_service
from hutong.marketing.coupons.reasons import CouponReason
from tests.marketing.coupons.stall import FIVE_OFF, Stall


def letters(first: int, count: int) -> list[str]:
    return [f"CODE{number:08}" for number in range(first, first + count)]


def steps_of(act: Callable[[], Any]) -> int:
    """How many lines of Python ran."""
    count = 0

    def line(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


def opened() -> tuple[Stall, int]:
    stall = Stall()
    template_id = stall.mint.mint()
    stall.ask(lambda: stall.templates.create_for_till(template_id, 7, "早餐", FIVE_OFF, 100_000))
    return stall, template_id


def test_bringing_codes_costs_by_what_is_brought() -> None:
    stall, template_id = opened()

    def bring(first: int) -> int:
        return steps_of(lambda: stall.ask(lambda: stall.till.load(template_id, letters(first, 10))))

    stall.ask(lambda: stall.till.load(template_id, letters(0, 100)))
    few = bring(100)
    for first in range(1_000, 6_000, 1_000):
        stall.ask(lambda first=first: stall.till.load(template_id, letters(first, 1_000)))  # type: ignore[misc]
    assert bring(200) < 2 * few


def test_codes_that_were_there_are_told_apart_whenever_they_come_again() -> None:
    stall, template_id = opened()
    stall.ask(lambda: stall.till.load(template_id, letters(0, 5)))
    assert stall.ask(lambda: stall.till.load(template_id, letters(3, 4))) == (letters(5, 2), letters(3, 2))
    stall.restart()
    assert stall.ask(lambda: stall.till.load(template_id, letters(3, 5))) == (letters(7, 1), letters(3, 4))


@pytest.mark.parametrize("restarted", [False, True])
def test_so_many_codes_wait_for_somebody_and_no_more(monkeypatch: pytest.MonkeyPatch, *, restarted: bool) -> None:
    monkeypatch.setattr(till_service, "LOADED_MAX", 3)
    stall, template_id = opened()
    full = CouponReason.COUPON_CODES_TOO_MANY.name

    def bring(first: int) -> str:
        if restarted:
            stall.restart()
        try:
            stall.ask(lambda: stall.till.load(template_id, letters(first, 1)))
        except Refusal as refusal:
            return refusal.reason.name
        return "yes"

    assert [bring(number) for number in range(4)] == ["yes", "yes", "yes", full]
    stall.ask(lambda: stall.till.delete(template_id, letters(1, 1)[0]))
    assert [bring(number) for number in (4, 5)] == ["yes", full]
    claim_id = stall.mint.mint()
    sent = stall.ask(lambda: stall.till.send(claim_id, template_id, 10, "", sent_by=1, number="a"))
    assert sent.letters in letters(0, 5)
    assert [bring(number) for number in (5, 6)] == ["yes", full]
    claim_id = stall.mint.mint()
    stall.ask(lambda: stall.till.send(claim_id, template_id, 20, "ANOTHER0001", sent_by=1, number="b"))
    assert bring(6) == full, "a code of the merchant's own was nobody's to begin with"
