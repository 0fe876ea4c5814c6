"""What a campaign's pages call its last day: the day it ends in, not the one whose midnight ends it."""

import re
from pathlib import Path

import hutong.web

_TEMPLATES = Path(hutong.web.__file__).parent / "templates"


def test_no_page_tells_the_day_behind_a_midnight_as_the_last() -> None:
    shown = {
        path.name: re.findall(r"ends_ns( - 1)?, form=", path.read_text(encoding="utf-8"))
        for path in _TEMPLATES.rglob("*.html")
    }
    told = {name: found for name, found in shown.items() if found}
    assert {"campaigns.html", "campaign_live.html", "offers.html"} <= set(told)
    assert [name for name, found in told.items() if "" in found] == []
