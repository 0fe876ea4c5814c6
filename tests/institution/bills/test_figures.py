"""Days, figures and what is looked for among sales: plain values."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.bills.bill import DAYS_MAX, BillDay, Days, day_of, read_day
from hutong.institution.bills.figures import Figures, HourFigures, total, totals_by
from hutong.institution.bills.sale import SaleSearch
from hutong.kernel.clock import NS_PER_HOUR
from hutong.kernel.errors import Refusal

BEIJING, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HOURS = st.lists(
    st.builds(
        HourFigures,
        day=st.dates(date(2026, 1, 1), date(2026, 1, 5)),
        hour=st.integers(0, 23),
        shop_id=st.integers(0, 2),
        figures=st.builds(Figures, gross=st.integers(0, 99), net=st.integers(-99, 99), other=st.integers(-99, 99)),
    )
)


@given(HOURS)
def test_sums_by_anything_add_up_to_the_whole(hours: list[HourFigures]) -> None:
    whole = total(hours)
    assert whole.net == sum(each.figures.net for each in hours)
    for key in (lambda each: each.day, lambda each: each.hour, lambda each: each.shop_id):
        parts = totals_by(hours, key)
        assert sum(each.gross for each in parts.values()) == whole.gross
        assert sum(each.other for each in parts.values()) == whole.other


def test_days_are_those_of_the_zone_and_touch_each_other() -> None:
    march = Days.of(date(2026, 3, 1), date(2026, 3, 31), BERLIN)
    assert march.until_ns - march.from_ns == (31 * 24 - 1) * NS_PER_HOUR  # Summer time began.
    assert march.until_ns == Days.of(date(2026, 4, 1), date(2026, 4, 1), BERLIN).from_ns
    one = BillDay.read("2026-03-05", BEIJING, march.until_ns)
    assert (one.from_ns, one.until_ns) == (
        (days := Days.of(date(2026, 3, 5), date(2026, 3, 5), BEIJING)).from_ns,
        days.until_ns,
    )
    assert day_of(one.from_ns, BEIJING) == day_of(one.until_ns - 1, BEIJING) == one.day
    assert len(march.all) == 31


@pytest.mark.parametrize(
    ("first", "last", "reason"),
    [
        (date(2026, 3, 2), date(2026, 3, 1), "DAYS_REVERSED"),
        (date(2024, 1, 1), date(2024, 12, 31), ""),
        (date(2025, 1, 1), date(2026, 1, 2), "DAYS_TOO_MANY"),
    ],
)
def test_so_many_days_and_no_more(first: date, last: date, reason: str) -> None:
    if not reason:
        assert len(Days.of(first, last, BEIJING).all) == DAYS_MAX
        return
    with pytest.raises(Refusal) as refused:
        Days.of(first, last, BEIJING)
    assert refused.value.reason.name == reason


@pytest.mark.parametrize("text", ["", "2026-2-3", "2026-02-30", "20260203", "0001-01-01", "9999-01-01", "2026-02-03 "])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_day("first", text)
    assert refused.value.reason.name == "DAY_MALFORMED"
    assert refused.value.facts["field"] == "first"


def test_wildcards_of_a_text_are_letters() -> None:
    days = Days.of(date(2026, 3, 1), date(2026, 3, 1), BEIJING)
    assert SaleSearch(days=days, text="100%_\\").pattern == "%100\\%\\_\\\\%"
    assert SaleSearch(days=days).pattern == ""
