"""
Red packets: one that many people open at once, again and again, over HTTP.

Every claimant opens every packet, in the same order, so nearly all are at the same packet at any moment: each claim takes the
next share of the same account, and its row, its transfer and its notice are durable before it is answered.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator

import msgspec

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.node_client import NodeClient
from hutong.app.up import running_network
from hutong.bench.closed_loop import Count, Outcome, carry_out, in_own_process
from hutong.bench.figures import Cpu, Figures
from hutong.bench.sampler import Sampler
from hutong.bench.scratch import Scratch
from hutong.bench.stage import Place, set_stage
from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.runtime.http_client import HttpAnswer, HttpConnection, HttpFailure
from hutong.runtime.settings import Settings

_NODE = "jing"
_NODES = Network(nodes=tuple(spec for spec in DEMO_NETWORK.nodes if spec.node in {"switch", _NODE}))
_PATH = b"/v1/me/red-packets/claims"
_PACKETS_EACH = 400  # Of one sender, within the limits of a day.


class Plan(msgspec.Struct, frozen=True):
    """Who opens what: each connection is some claimants, one claim at a time."""

    url: str
    claimants: list[list[str]]  # Tokens, by connection.
    links: list[str]
    warm_s: float


class _Client:
    """Opens every packet for each of its claimants."""

    def __init__(self, plan: Plan, tokens: list[str], count: Count, warm_at: float) -> None:
        self._connection = HttpConnection(plan.url, timeout_s=30)
        self._claims = _claims(plan.links, tokens)
        self._count = count
        self._warm_at = warm_at
        self._sent_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self) -> None:
        following = next(self._claims, None)
        if following is None:
            self._connection.close()
            self.ended.set_result(None)
            return
        self._sent_at = time.perf_counter()
        headers, body = following
        self._connection.send(b"POST", _PATH, body, self._answered, headers)

    def _answered(self, answer: HttpAnswer | HttpFailure) -> None:
        if self._sent_at >= self._warm_at:
            if isinstance(answer, HttpAnswer) and answer.status == 200:
                self._count.completed += 1
                self._count.latencies_s.append(time.perf_counter() - self._sent_at)
            else:
                said = f"{answer.status} {answer.body[:120]!r}" if isinstance(answer, HttpAnswer) else str(answer)
                self._count.others[said] = self._count.others.get(said, 0) + 1
        self.send()


async def measure(
    scratch: Scratch,
    figures: Figures,
    *,
    claimants: int,
    packets: int,
    clients: int,
    warm_s: float,
    progress: Callable[[str], None],
) -> None:
    """Claims of hot packets, with this process and the database under observation."""
    progress("packets: bringing up an institution")
    settings = Settings(data_directory=scratch.directory / "packets", ports={})
    async with running_network(settings, _NODES, scratch.address) as network:
        place = Place(network[_NODE].url, network[_NODE].operator_token)
        progress(f"packets: {claimants} claimants")
        senders = -(-packets // _PACKETS_EACH)
        stage = await set_stage(place, place, claimants + senders)
        links = [
            await _filled(place.url, stage.tokens[claimants + number // _PACKETS_EACH], claimants)
            for number in range(packets)
        ]
        groups = [stage.tokens[first:claimants:clients] for first in range(min(clients, claimants))]
        progress(f"packets: {packets} packets for each, {clients} clients")
        sampler, before = Sampler(), Cpu((scratch.postmaster_pid,))

        def warm() -> None:
            nonlocal before
            before = before.look()
            sampler.start()

        try:
            plan = Plan(place.url, groups, links, warm_s)
            outcome = await in_own_process("hutong.bench.packets", msgspec.json.encode(plan), warm)
        finally:
            sampler.stop()
        _note(figures, outcome, before, before.look(), sampler)


def _note(figures: Figures, outcome: Outcome, before: Cpu, after: Cpu, sampler: Sampler) -> None:
    if not outcome.completed:
        raise RuntimeError(f"nothing was claimed: {outcome.others}")
    name = "packet_claims"
    figures.note(f"{name}_per_s", outcome.per_s)
    figures.note(f"{name}_p50_ms", outcome.p50_ms)
    figures.note(f"{name}_p99_ms", outcome.p99_ms)
    figures.note(f"{name}_not_completed", sum(outcome.others.values()))
    python_us = 1e6 * (after.own_s - before.own_s) / outcome.completed
    figures.note(f"{name}_nodes_cpu_us", python_us)
    for part, share in sampler.shares().items():
        figures.note(f"{name}_{part}_cpu_us", share * python_us)
    figures.note(f"{name}_database_cpu_us", 1e6 * (after.others_s - before.others_s) / outcome.completed)
    figures.note(f"{name}_load_cpu_us", 1e6 * outcome.cpu_s / outcome.completed)


async def _filled(url: str, token: str, count: int) -> str:
    """A packet with a fen for each."""
    mint = IdMint(SystemClock(), system_randomness())
    body = {"packet_id": id_text("rpk", mint.mint()), "kind": "LUCKY", "amount": count, "count": count}
    async with NodeClient(url, token) as sender:
        return str((await sender.post("/v1/me/red-packets", body))["link"])


def _claims(links: list[str], tokens: list[str]) -> Iterator[tuple[bytes, bytes]]:
    for link in links:
        body = msgspec.json.encode({"link": link})
        for token in tokens:
            yield f"authorization: Bearer {token}\r\ncontent-type: application/json\r\n".encode(), body


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)

    def clients(count: Count, warm_at: float) -> list[_Client]:
        return [_Client(plan, tokens, count, warm_at) for tokens in plan.claimants]

    carry_out(clients, plan.warm_s)


if __name__ == "__main__":
    main()
