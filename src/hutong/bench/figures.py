"""What was measured: named figures, and what they were measured on."""

import os
import platform
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import hutong


class Progress(Protocol):
    """Hears what begins, in a line, or nothing; and how much is done of how much, where that is known."""

    def __call__(self, said: str, done: int = 0, of: int = 0, /) -> None: ...


@dataclass(slots=True)
class Figures:
    """Names and numbers, in the order they were measured; one flat object for scripts."""

    values: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        """Keep one figure; three significant digits are all such a measurement has."""
        self.values[name] = float(f"{value:.4g}")


def machine_facts() -> dict[str, str | int]:
    """What the figures depend on, besides the code."""
    return {
        "hutong": hutong.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 0,
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def percentile(sorted_values: list[float], share: float) -> float:
    """The value below which `share` of them lie; of none, 0."""
    if not sorted_values:
        return 0.0
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


@dataclass(slots=True)
class Cpu:
    """Processor seconds of this process and of a group of others, between two looks."""

    others: tuple[int, ...]
    at_s: float = 0.0
    own_s: float = 0.0
    others_s: float = 0.0

    def look(self) -> "Cpu":
        """Now."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return Cpu(self.others, time.perf_counter(), usage.ru_utime + usage.ru_stime, cpu_seconds(self.others))


def cpu_seconds(pids: tuple[int, ...]) -> float:
    """User and system time of these processes and their children, the ended ones too; 0 where /proc is missing."""
    ticks = 0
    for pid in pids:
        for process in (pid, *_children(pid)):
            try:
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            # proc(5): utime, stime, and of children waited for, cutime and cstime.
            ticks += sum(int(value) for value in fields[11 : 15 if process == pid else 13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
