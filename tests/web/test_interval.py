"""Intervals as drawn: what is nothing, and as much of the ends as there is room for."""

import re

import pytest

from hutong.web.interval import Interval, drawn


def labels(low: int, difference: int, high: int) -> list[str]:
    interval = Interval(low, difference, high, lambda value: f"{value:+}", "good", "<said>")
    return sorted(re.findall(r">([^<>]+)</text>", drawn(interval)))


@pytest.mark.parametrize(
    ("low", "high", "seen"),
    [
        (50, 100, ["+100", "+50", "0"]),
        (-100, -50, ["-100", "-50", "0"]),
        (-100, 100, ["+100", "-100", "0"]),
        (98, 100, ["+100", "0"]),  # The nearer end would be written over the farther.
        (-1, 100, ["+100", "0"]),
        (0, 0, ["0"]),
    ],
)
def test_as_many_ends_are_named_as_there_is_room_for(low: int, high: int, seen: list[str]) -> None:
    assert labels(low, (low + high) // 2, high) == seen


def test_the_picture_says_what_it_shows_and_nothing_in_it_is_markup() -> None:
    picture = drawn(Interval(1, 2, 3, str, "bad", '"<b>'))
    assert 'aria-label="&#34;&lt;b&gt;"' in picture
    assert "<b>" not in picture
