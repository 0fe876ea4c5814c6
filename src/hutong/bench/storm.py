"""
What a participant that goes wild costs the others: payments across institutions, a process per node, in calm and in storm.

The wild one is a participant of the switch like any other, with a key of its own. Of a payment in a hundred somebody
enquires, say: a storm is fifty times that. The storms: enquiries about payments that never were, consults of somebody's
plate, one signed envelope replayed again and again, and envelopes whose signature is wrong; the first two in envelopes
as a link would send them, every 10 ms, the last two one message to an envelope, on one connection. Calm is measured
before and after; each storm is told as a share of their mean.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.node_client import NodeClient
from hutong.app.processes import NodeProcess, running_processes
from hutong.app.up import schema_of
from hutong.bench.echo import nothing_else
from hutong.bench.figures import Figures
from hutong.bench.load import Payer, Plan, under_load
from hutong.bench.scratch import Scratch
from hutong.bench.stage import Place, set_stage
from hutong.kernel.clock import NS_PER_MS, SystemClock
from hutong.kernel.ids import IdMint, system_randomness
from hutong.runtime.database import Database
from hutong.runtime.http import HotRequest
from hutong.runtime.http_client import HttpAnswer, HttpConnection, HttpFailure
from hutong.runtime.http_server import HttpServer
from hutong.scheme.envelope import PATH, encode_envelope
from hutong.scheme.messages import AnyMessage, CodeConsult, StatusRequest, id_hex
from hutong.scheme.signature import SecretKey, Signer

ENQUIRED_SHARE = 0.01  # Of payments, in calm.
STORM = 50
_WILD = "wild"
_EVERY_S = 0.01
_WARM_S = 0.5
_FOR_EVER_NS = 2**62
_NODES = Network(nodes=tuple(spec for spec in DEMO_NETWORK.nodes if spec.node in {"switch", "jing", "wei"}))


async def measure(
    scratch: Scratch, figures: Figures, *, clients: Sequence[int], seconds: float, progress: Callable[[str], None]
) -> None:
    """Payments a second in calm, and in each storm."""
    progress("storm: starting the nodes")
    directory = Path(tempfile.mkdtemp(dir=scratch.directory))
    count = max(clients)
    with running_processes(directory, _NODES, scratch.address) as nodes:
        payers_at, payees_at = (Place(nodes[name].url, nodes[name].operator_token) for name in ("jing", "wei"))
        stage = await set_stage(payers_at, payees_at, count)
        payers = await stage.payers(stage.plate_there, count)
        async with _sink() as sink_url:
            wild = Wild(nodes["switch"], stage.plate_there)
            await wild.join(sink_url)
            calm = [await _paid(figures, "calm", payers, seconds, progress)]
            per_s = STORM * ENQUIRED_SHARE * calm[0]
            figures.note("storm_messages_per_s", per_s)
            in_storm: dict[str, float] = {}
            for name, blow in (
                ("enquiries", wild.enquiries),
                ("consults", wild.consults),
                ("replays", wild.replays),
                ("forgeries", wild.forgeries),
            ):
                storm = asyncio.create_task(blow(per_s))
                in_storm[name] = await _paid(figures, name, payers, seconds, progress)
                storm.cancel()
                with suppress(asyncio.CancelledError):
                    await storm
            calm.append(await _paid(figures, "calm_again", payers, seconds, progress))
            for name, paid in in_storm.items():
                figures.note(f"storm_{name}_to_calm", paid / (sum(calm) / len(calm)))
            for name, sent in wild.sent.items():
                figures.note(f"storm_{name}_sent_per_s", sent / (seconds + _WARM_S))
    for spec in _NODES.nodes:
        await Database(scratch.address, schema_of(spec.node)).drop()


class Wild:
    """A participant gone wild."""

    def __init__(self, switch: NodeProcess, plate: str) -> None:
        self._switch = switch
        self._plate = plate
        self._mint = IdMint(SystemClock(), system_randomness())
        self._key = SecretKey(f"{_WILD}-1", system_randomness().randbytes(32), 0, _FOR_EVER_NS)
        self._signer = Signer(_WILD, (self._key,), SystemClock(), system_randomness())
        self.sent: dict[str, int] = {}

    async def join(self, sink_url: str) -> None:
        """Be admitted, with a key, and an address where somebody takes the answers."""
        public = self._key.public()
        body = {
            "public_key": public.public_key.hex(),
            "valid_from_ms": 0,
            "valid_until_ms": SystemClock().now_ns() // NS_PER_MS + 3_600_000,
        }
        async with NodeClient(self._switch.url, self._switch.operator_token) as operator:
            await operator.put(f"/v1/participants/{_WILD}", {"name": "Wild", "url": sink_url})
            await operator.put(f"/v1/participants/{_WILD}/keys/{public.key_id}", body)

    async def enquiries(self, per_s: float) -> None:
        """About payments that never were."""
        await self._messages(
            "enquiries", per_s, lambda: StatusRequest(payment_id=id_hex(self._mint.mint()), originator=_WILD)
        )

    async def consults(self, per_s: float) -> None:
        """Of somebody's plate."""
        await self._messages(
            "consults",
            per_s,
            lambda: CodeConsult(consult_id=id_hex(self._mint.mint()), code=self._plate, debtor_agent=_WILD),
        )

    async def replays(self, per_s: float) -> None:
        """One good envelope, again and again."""
        body, headers = self._envelope([StatusRequest(payment_id=id_hex(self._mint.mint()), originator=_WILD)])
        await self._same("replays", per_s, body, headers)

    async def forgeries(self, per_s: float) -> None:
        """Another's body under this signature."""
        body, headers = self._envelope([StatusRequest(payment_id=id_hex(self._mint.mint()), originator=_WILD)])
        await self._same("forgeries", per_s, body.replace(_WILD.encode(), b"wily", 1), headers)

    async def _messages(self, name: str, per_s: float, make: Callable[[], AnyMessage]) -> None:
        connection = HttpConnection(self._switch.url, timeout_s=10)
        began_at, sent = time.perf_counter(), 0
        try:
            while True:
                due = int((time.perf_counter() - began_at) * per_s) - sent
                if due:
                    body, headers = self._envelope([make() for _ in range(min(due, 1000))])
                    await _send(connection, body, headers)
                    sent = self.sent[name] = sent + min(due, 1000)
                await asyncio.sleep(_EVERY_S)
        finally:
            connection.close()

    async def _same(self, name: str, per_s: float, body: bytes, headers: bytes) -> None:
        connection = HttpConnection(self._switch.url, timeout_s=10)
        began_at, sent = time.perf_counter(), 0
        try:
            while True:
                while sent < (time.perf_counter() - began_at) * per_s:
                    await _send(connection, body, headers)
                    sent = self.sent[name] = sent + 1
                await asyncio.sleep(_EVERY_S)
        finally:
            connection.close()

    def _envelope(self, messages: list[AnyMessage]) -> tuple[bytes, bytes]:
        body = encode_envelope(_WILD, "switch", messages)
        signed = self._signer.sign("switch", "POST", PATH, body)
        return body, b"".join(b"%b: %b\r\n" % pair for pair in signed.items()) + b"content-type: application/json\r\n"


async def _send(connection: HttpConnection, body: bytes, headers: bytes) -> None:
    answered: asyncio.Future[HttpAnswer | HttpFailure] = asyncio.get_running_loop().create_future()

    def take(answer: HttpAnswer | HttpFailure) -> None:
        if not answered.done():  # The storm is over.
            answered.set_result(answer)

    connection.send(b"POST", PATH.encode(), body, take, headers)
    await answered


async def _paid(
    figures: Figures, name: str, payers: list[Payer], seconds: float, progress: Callable[[str], None]
) -> float:
    progress(f"storm: {name}")
    outcome = await under_load(Plan(payers, seconds, _WARM_S), lambda: None)
    figures.note(f"storm_{name}_pay_per_s", outcome.per_s)
    figures.note(f"storm_{name}_pay_p99_ms", outcome.p99_ms)
    return outcome.per_s


class _sink:  # noqa: N801  # A context, and no more.
    """Where the wild one's answers go."""

    async def __aenter__(self) -> str:
        self._server = HttpServer("127.0.0.1", 0, {("POST", PATH): _taken}, nothing_else)
        await self._server.start()
        return f"http://127.0.0.1:{self._server.port}"

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()


def _taken(request: HotRequest) -> None:
    request.respond(202, b"")
