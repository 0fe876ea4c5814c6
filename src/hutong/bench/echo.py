"""The ceiling: the same HTTP server, in this process, sends the same load's bytes back and does nothing else."""

from collections.abc import Callable
from typing import Any

from hutong.bench.figures import Cpu, Figures
from hutong.bench.load import Payer, Plan, under_load
from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.runtime.http import HotRequest
from hutong.runtime.http_server import HttpServer

_CLIENTS = 256
_WARM_S = 0.5


async def measure(figures: Figures, *, seconds: float, progress: Callable[[str], None]) -> None:
    """Requests a second, and what one costs this process."""
    progress(f"echo, {_CLIENTS} clients")
    server = HttpServer("127.0.0.1", 0, {("POST", "/echo"): _echo}, nothing_else)
    await server.start()
    try:
        before = Cpu(())
        quote = id_text("quo", IdMint(SystemClock(), system_randomness()).mint())
        payers = [Payer(f"http://127.0.0.1:{server.port}", "t" * 64, quote)] * _CLIENTS

        def warm() -> None:
            nonlocal before
            before = before.look()

        outcome = await under_load(Plan(payers, seconds, _WARM_S, echo=True), warm)
    finally:
        await server.stop()
    figures.note(f"echo_c{_CLIENTS}_per_s", outcome.per_s)
    figures.note(f"echo_c{_CLIENTS}_p99_ms", outcome.p99_ms)
    figures.note(f"echo_c{_CLIENTS}_cpu_us", 1e6 * (before.look().own_s - before.own_s) / outcome.completed)


def _echo(request: HotRequest) -> None:
    request.respond(200, request.body)


async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that is only asked to start and to stop."""
    assert scope["type"] == "lifespan"
    for moment in ("startup", "shutdown"):
        assert (await receive())["type"] == f"lifespan.{moment}"
        await send({"type": f"lifespan.{moment}.complete"})
