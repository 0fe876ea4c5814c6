"""The table of metrics in the documentation is the one of the code."""

import re
from pathlib import Path

import pytest

from hutong.app.metrics import ALL_METRICS, metrics_table
from hutong.runtime.figures import Buckets, Outcomes
from hutong.runtime.metrics import NS, exposition

DOCS = Path(__file__).parents[2] / "docs/operate.md"
_TABLE = re.compile(r"(<!-- metrics: [^\n]*-->\n).*(<!-- end of metrics -->)", re.DOTALL)


def test_the_documented_table_is_current(request: pytest.FixtureRequest) -> None:
    text = DOCS.read_text(encoding="utf-8")
    current = _TABLE.sub(lambda found: found[1] + metrics_table() + found[2], text)
    if request.config.getoption("--write-docs"):
        DOCS.write_text(current, encoding="utf-8")
    assert text == current, "run pytest tests/app/test_metrics.py --write-docs"


def test_names_follow_the_conventions_of_prometheus() -> None:
    for metric in ALL_METRICS:
        assert metric.name.startswith("hutong_")
        assert metric.name.endswith("_total") is (metric.kind.value == "counter"), metric.name
        assert metric.help.endswith("."), metric.name


def test_a_bucket_ends_where_it_says() -> None:
    times = Buckets.of_times()
    for value in (-5, 0, 65_535, 65_536, NS, 10_000 * NS):
        times.observe(value)
    found = dict(times.cumulative(NS))
    ends = [float(end) for end in found]
    assert ends == sorted(ends)
    counts = list(found.values())
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (3, 4, 5, 6)
    assert times.total == 65_535 + 65_536 + NS + 10_000 * NS


def test_counts_are_buckets_of_whole_numbers() -> None:
    rows = Buckets.of_counts()
    for value in (1, 2, 3, 4, 2_000_000):
        rows.observe(value)
    found = rows.cumulative()
    assert found[:4] == [("0", 0), ("1", 1), ("3", 3), ("7", 4)]
    assert found[-1] == ("+Inf", 5)


def test_reasons_that_peers_make_up_do_not_fill_memory() -> None:
    figures = Outcomes()
    for number in range(1_000):
        figures.ended(number, 0, 1, completed=False, reason=f"MADE_UP_{number}")
    assert len(figures.rejected) == 201
    assert figures.rejected["OTHER"] == 800


async def test_both_formats_are_spoken() -> None:
    text, content_type = await exposition([], "text/plain")
    assert b"process_cpu_seconds_total" in text
    assert content_type.startswith("text/plain")
    text, content_type = await exposition([], "application/openmetrics-text; version=1.0.0")
    assert text.endswith(b"# EOF\n")
    assert content_type.startswith("application/openmetrics-text")
