"""
A closed loop in a process of its own: clients that send, wait for the answer and send again, counted behind a warm-up.

The process reads its plan from standard input and writes to standard output: a line when the warm-up is over, then what
happened since, as JSON.
"""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import uvloop

from hutong.bench.figures import percentile

_WARM = b"warm\n"


class Outcome(msgspec.Struct, frozen=True):
    """What happened behind the warm-up; latencies are milliseconds."""

    per_s: float
    p50_ms: float
    p99_ms: float
    completed: int
    cpu_s: float  # What the load itself took.
    others: dict[str, int]  # Answers that were not what was hoped for, by status and what they said.


@dataclass(slots=True)
class Count:
    """What came back so far."""

    completed: int = 0
    others: dict[str, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)


class Client(Protocol):
    """One connection: it ends by itself when its time is over."""

    ended: "asyncio.Future[None]"

    def send(self) -> None: ...


# Makes the clients of a load: when its warm-up ends is told, by the monotonic clock.
Clients = Callable[[Count, float], Sequence[Client]]


async def closed_loop(clients: Clients, warm_s: float, warm: Callable[[], None]) -> Outcome:
    """Have them all send until they end; `warm` is called when the warm-up is over."""
    count, warm_at = Count(), time.perf_counter() + warm_s
    sending = clients(count, warm_at)
    for client in sending:
        client.send()
    await asyncio.sleep(warm_at - time.perf_counter())
    warm()
    cpu_s = time.process_time()
    await asyncio.gather(*(client.ended for client in sending))
    took_s = time.perf_counter() - warm_at
    latencies = sorted(count.latencies_s)
    return Outcome(
        per_s=count.completed / took_s,
        p50_ms=1000 * percentile(latencies, 0.5),
        p99_ms=1000 * percentile(latencies, 0.99),
        completed=count.completed,
        cpu_s=time.process_time() - cpu_s,
        others=count.others,
    )


async def in_own_process(module: str, plan: bytes, warm: Callable[[], None]) -> Outcome:
    """Have `module` carry out a plan; its `main` is `carry_out`."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(plan)
        process.stdin.close()
        if await process.stdout.readline() == _WARM:
            warm()
        said = await process.stdout.read()
        if await process.wait():
            raise ChildProcessError("the load ended early; what it said stands above")
        return msgspec.json.decode(said, type=Outcome)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def carry_out(clients: Clients, warm_s: float) -> None:
    """The process's own part."""

    def warm() -> None:
        sys.stdout.buffer.write(_WARM)
        sys.stdout.buffer.flush()

    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(closed_loop(clients, warm_s, warm))))
