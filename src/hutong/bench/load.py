"""
The load: a process of its own, so many clients, each with one connection, one payment at a time.

Reads a plan from standard input and writes to standard output, both JSON: a line when the warm-up is over, a line on
what happened since. A payment counts when it was answered COMPLETED, which every node involved had made durable by
then.
"""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import uvloop

from hutong.bench.figures import percentile
from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.runtime.http_client import HttpAnswer, HttpConnection, HttpFailure

_PATH = b"/v1/payments"
_WARM = b"warm\n"


class Payer(msgspec.Struct, frozen=True):
    """One client: where it pays, as whom, and the quote it pays again and again."""

    url: str
    token: str
    quote: str


class Plan(msgspec.Struct, frozen=True):
    """What is to be done. With `echo` the same bytes go to a handler that only sends them back."""

    payers: list[Payer]
    seconds: float
    warm_s: float
    echo: bool = False
    amount: int = 1


class Outcome(msgspec.Struct, frozen=True):
    """What happened behind the warm-up; latencies are milliseconds."""

    per_s: float
    p50_ms: float
    p99_ms: float
    completed: int
    cpu_s: float  # What the load itself took.
    others: dict[str, int]  # Answers that were not a completed payment, by status and reason.


@dataclass(slots=True)
class _Count:
    completed: int = 0
    others: dict[str, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)


class _Client:
    """Pays, waits for the answer, pays again, until the time is over."""

    def __init__(self, payer: Payer, plan: Plan, mint: IdMint, count: _Count, ends_at: float, warm_at: float) -> None:
        self._connection = HttpConnection(payer.url, timeout_s=30)
        self._headers = f"authorization: Bearer {payer.token}\r\ncontent-type: application/json\r\n".encode()
        self._tail = f'","quote_id":"{payer.quote}","amount":{plan.amount}}}'.encode()
        self._path = b"/echo" if plan.echo else _PATH
        self._mint = mint
        self._count = count
        self._ends_at = ends_at
        self._warm_at = warm_at
        self._sent_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def pay(self) -> None:
        self._sent_at = time.perf_counter()
        body = b'{"payment_id":"%b%b' % (id_text("pay", self._mint.mint()).encode(), self._tail)
        self._connection.send(b"POST", self._path, body, self._answered, self._headers)

    def _answered(self, answer: HttpAnswer | HttpFailure) -> None:
        now = time.perf_counter()
        if self._sent_at >= self._warm_at:
            if isinstance(answer, HttpAnswer) and answer.status == 200:
                self._count.completed += 1
                self._count.latencies_s.append(now - self._sent_at)
            else:
                said = f"{answer.status} {answer.body[:120]!r}" if isinstance(answer, HttpAnswer) else str(answer)
                self._count.others[said] = self._count.others.get(said, 0) + 1
        if now < self._ends_at:
            self.pay()
        else:
            self._connection.close()
            self.ended.set_result(None)


async def run(plan: Plan, warm: Callable[[], None]) -> Outcome:
    """Carry the plan out; `warm` is called when the warm-up is over."""
    count = _Count()
    mint = IdMint(SystemClock(), system_randomness())
    warm_at = time.perf_counter() + plan.warm_s
    ends_at = warm_at + plan.seconds
    clients = [_Client(payer, plan, mint, count, ends_at, warm_at) for payer in plan.payers]
    for client in clients:
        client.pay()
    await asyncio.sleep(warm_at - time.perf_counter())
    warm()
    cpu_s = time.process_time()
    await asyncio.gather(*(client.ended for client in clients))
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


async def under_load(plan: Plan, warm: Callable[[], None]) -> Outcome:
    """Have the plan carried out by a process of its own."""
    command = (sys.executable, "-m", "hutong.bench.load")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.json.encode(plan))
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


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)

    def warm() -> None:
        sys.stdout.buffer.write(_WARM)
        sys.stdout.buffer.flush()

    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(plan, warm))))


if __name__ == "__main__":
    main()
