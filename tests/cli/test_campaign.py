"""What campaigns' commands understand before they ask any node."""

from datetime import UTC, datetime

import pytest

from hutong.cli.campaign import _midnight_ns, _moment_ns, _when
from hutong.cli.main import run
from hutong.kernel.clock import NS_PER_S, instant
from hutong.marketing.campaigns.rules import RuleRow, RuleTable

CREATE = ["campaign", "create", "立减", "--by", "city", "--budget", "10", "--off", "1", "--node", "jing"]


def test_a_campaign_begins_when_it_says_and_ends_at_a_midnight() -> None:
    begins = _moment_ns("2026-11-24T08:00+08:00")
    assert instant(begins) == datetime(2026, 11, 24, tzinfo=UTC)
    for days in (1, 31):
        ends = instant(_midnight_ns(begins, days)).astimezone()
        assert (ends.hour, ends.minute, ends.second) == (0, 0, 0)
        assert (ends.date() - instant(begins).astimezone().date()).days == days
    assert _moment_ns("2026-11-24") % NS_PER_S == 0


@pytest.mark.parametrize(
    ("more", "says"),
    [(["--starts", "tomorrow"], "MOMENT_UNREADABLE"), (["--a-city", "5", "--a-shop", "5"], "ONE_PLACE_ONLY")],
)
def test_what_is_not_understood_is_one_clear_line(
    more: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*CREATE, *more]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"hutong: {says}")
    assert err.count("\n") == 1


def test_where_a_campaign_is_for_is_said_as_rules_say_it() -> None:
    when = _when("10", {"city": ("上海", "苏州"), "shop": ("wei/shp_1",), "tag": ()}, small=True)
    assert when == {"amount": ">= 1000", "small": "true", "city": "'上海', '苏州'", "shop": "'wei/shp_1'"}
    RuleTable(rows=(RuleRow(off=1, when=when),)).check()
    assert _when("", {"city": ()}, small=False) == {}
