"""Charts say what they show: in the picture, in words, and in a table to the fen; nothing in them is style or script."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.web.chart import Chart, Series, bars, lines, money_chart, ticks
from hutong.web.language import LANGUAGES, words

VALUES = st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=31)
_INLINE = re.compile(r"\sstyle=|<style|<script|\son\w+=")


def chart(*values: int, caption: str = "Sales") -> Chart:
    labels = [f"{index}" for index in range(len(values))]
    return money_chart(words("en"), caption, labels, [Series("Paid", values)])


def drawn(figure: str) -> ET.Element:
    return ET.fromstring(figure)  # noqa: S314  # Our own.


@given(VALUES)
def test_every_figure_is_drawn_within_the_picture(values: list[int]) -> None:
    for draw in (bars, lines):
        figure = drawn(draw(words("en"), chart(*values)))
        for svg in figure.iter("svg"):
            width, height = (int(each) for each in svg.attrib["viewBox"].split()[2:])
            for rect in svg.iter("rect"):
                x, y, wide, high = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
                assert 0 <= x <= x + wide <= width
                assert 0 <= y <= y + high <= height
            for dot in svg.iter("circle"):
                assert 0 <= float(dot.attrib["cx"]) <= width
                assert 0 <= float(dot.attrib["cy"]) <= height


@given(VALUES)
def test_the_table_has_every_figure_to_the_fen(values: list[int]) -> None:
    figure = drawn(bars(words("en"), chart(*values)))
    told = [cell.text for cell in figure.iter("td") if cell.text]
    assert told == [words("en").money(value) for value in values]


@given(st.integers(-(10**15), 0), st.integers(0, 10**15))
def test_ticks_are_few_and_reach_around_all_values(low: int, high: int) -> None:
    found = ticks(low, high)
    assert found[0] <= low <= high <= found[-1]
    assert 0 in found
    assert 2 <= len(found) <= 8
    assert len({after - before for before, after in pairwise(found)}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chart_is_told_in_words(language: str) -> None:
    said = words(language)
    assert "¥12.80" in str(bars(said, chart(100, 1280, 30))).partition("</svg>")[0].partition("aria-label")[2][:80]
    assert said("As a table") in bars(said, chart(1))
    assert said("%(caption)s. Nothing yet.", caption="Sales") in bars(said, chart(0, 0))


def test_what_people_wrote_is_text_and_nothing_is_inline() -> None:
    hostile = Chart('<b onclick="x">', ["</svg><script>"], [Series("<i>", [1]), Series('"', [2])])
    for draw in (bars, lines):
        page = draw(words("en"), hostile)
        drawn(page)
        assert "<script" not in page
        assert not _INLINE.search(re.sub(r"&lt;.*?&gt;", "", page))


def test_several_series_have_a_legend() -> None:
    two = Chart("c", ["1"], [Series("Paid", [1]), Series("Given back", [2])])
    assert '<ul class="legend">' in bars(words("en"), two)
    assert '<ul class="legend">' not in bars(words("en"), chart(1))


def test_a_chart_of_no_days_is_empty_and_sound() -> None:
    drawn(lines(words("en"), chart()))
