"""Fee schedules: which one a payment that was quoted a while ago is charged by."""

import pytest

from hutong.switch.fees import NO_FEES, FeeSchedule, quoted_under, schedule_at

FIRST, SECOND, THIRD = (FeeSchedule(f"v{number}", number * 100, "[]") for number in (1, 2, 3))
ALL = [THIRD, FIRST, SECOND]


@pytest.mark.parametrize(
    ("now_ns", "version"), [(99, NO_FEES.version), (100, "v1"), (199, "v1"), (200, "v2"), (900, "v3")]
)
def test_the_latest_schedule_to_have_started_is_in_force(now_ns: int, version: str) -> None:
    assert schedule_at(ALL, now_ns).version == version


@pytest.mark.parametrize(
    ("version", "since_ns", "now_ns", "holds"),
    [
        ("v3", 350, 400, True),
        ("v2", 250, 350, True),  # Replaced at 300, within the time of grace.
        ("v2", 300, 350, True),
        ("v2", 301, 350, False),
        ("v1", 150, 350, True),  # Two schedules ago, and still within it.
        ("v1", 201, 350, False),
        (NO_FEES.version, 50, 350, True),
        (NO_FEES.version, 101, 350, False),
        ("v3", 0, 299, False),  # Not begun yet.
        ("never published", 0, 900, False),
    ],
)
def test_a_quote_holds_while_its_schedule_was_in_force_within_the_time_of_grace(
    version: str, since_ns: int, now_ns: int, *, holds: bool
) -> None:
    found = quoted_under(ALL, version, since_ns, now_ns)
    assert (found is not None) is holds
    assert found is None or found.version == version
