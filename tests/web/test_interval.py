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


def test_what_stands_at_an_edge_begins_or_ends_there_however_wide_its_letters_are() -> None:
    picture = drawn(Interval(-9_000, 10, 10_400, lambda value: f"{value:+}", "good", "<said>"))
    found = {
        text: (at, anchor)
        for at, anchor, text in re.findall(r'<text x="([^"]+)" [^>]*anchor="(\w+)">([^<]+)<', picture)
    }
    assert found["-9000"] == ("0.0", "start")
    assert found["+10400"] == ("240.0", "end")
    assert found["0"][1] == "middle"
