"""The clock of a network for trying out goes forward, and goes on from there."""

from pathlib import Path

from hutong.app.sandbox_clock import SandboxClock
from hutong.kernel.clock import NS_PER_S, ManualClock

NOON_NS = 1_700_000_000 * NS_PER_S


def test_it_goes_forward_and_tells_so_and_goes_on_from_there(tmp_path: Path) -> None:
    machine = ManualClock(NOON_NS)
    clock = SandboxClock(tmp_path, machine)
    told: list[int] = []
    clock.moved.append(lambda: told.append(clock.now_ns()))
    assert clock.now_ns() == NOON_NS
    clock.put_forward(7200)
    assert told == [NOON_NS + 7200 * NS_PER_S]
    again = SandboxClock(tmp_path, machine)
    assert again.now_ns() == clock.now_ns()
    assert (again.view().ahead_s, again.view().now) == (7200, "2023-11-15T08:13:20+08:00")
