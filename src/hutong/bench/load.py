"""
The load: a process of its own, so many clients, each with one connection, one payment at a time.

Reads a plan from standard input and writes to standard output, both JSON: a line when the warm-up is over, a line on
what happened since. A payment counts when it was answered COMPLETED, which every node involved had made durable by
then.
"""

import asyncio
import sys
import time
from collections.abc import Callable

import msgspec

from hutong.bench.closed_loop import Count, Outcome, carry_out, in_own_process
from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.runtime.http_client import HttpAnswer, HttpConnection, HttpFailure

_PATH = b"/v1/payments"


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


class _Client:
    """Pays, waits for the answer, pays again, until the time is over."""

    def __init__(self, payer: Payer, plan: Plan, mint: IdMint, count: Count, ends_at: float, warm_at: float) -> None:
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

    def send(self) -> None:
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
        if now < self._ends_at or self._sent_at < self._warm_at:  # However slow the machine is, one of each is counted.
            self.send()
        else:
            self._connection.close()
            self.ended.set_result(None)


async def under_load(plan: Plan, warm: Callable[[], None]) -> Outcome:
    """Have the plan carried out by a process of its own."""
    return await in_own_process("hutong.bench.load", msgspec.json.encode(plan), warm)


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)

    def clients(count: Count, warm_at: float) -> list[_Client]:
        mint = IdMint(SystemClock(), system_randomness())
        return [_Client(payer, plan, mint, count, warm_at + plan.seconds, warm_at) for payer in plan.payers]

    carry_out(clients, plan.warm_s)


if __name__ == "__main__":
    main()
