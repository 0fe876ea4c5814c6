"""
Notifications: a node tells a thousand receivers, of which every twentieth reads and never answers.

Each letter is encrypted and signed as WeChat Pay's are (AES-256-GCM, RSA of 2048 bits); each news and each try is a row
in the journal; nothing else runs at the node. First at a steady rate, for the time from the news to its being taken;
then with more news than can be told, for how many can.
"""

import asyncio
import base64
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hutong.bench.figures import Cpu, Figures, percentile
from hutong.bench.receivers import address
from hutong.bench.scratch import Scratch, scratch_machine
from hutong.gateways import keys
from hutong.gateways.notification import GatewayNotification, GatewayTry, Letter, News, NotificationState
from hutong.gateways.notification_lanes import Places
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.notification_worker import NotificationWorker
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.ids import system_randomness
from hutong.runtime.database import Database
from hutong.runtime.node import NodeRuntime
from hutong.runtime.outbound import HttpPoster

RECEIVERS, DEAD_EVERY = 1000, 20
STEADY_PER_S, MORE_PER_S = 500, 4000
_WARM_S = 2.0
_EVERY_S = 0.01
_DIALECT = "bench"
_SCHEMA = "bench_telling"
_PLAIN = {
    "mchid": "1600000000",
    "appid": "wx0123456789abcdef",
    "trade_type": "NATIVE",
    "trade_state": "SUCCESS",
    "trade_state_desc": "支付成功",
    "bank_type": "OTHERS",
    "attach": "",
    "success_time": "2026-11-22T12:00:00+08:00",
    "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
    "amount": {"total": 1280, "payer_total": 1280, "currency": "CNY", "payer_currency": "CNY"},
}


class _Postman:
    """Signs and encrypts as WeChat Pay's protocol has it."""

    schedule_s = (15, 15, 30, 180, 600)
    timeout_s = 5.0

    def __init__(self) -> None:
        self._key = keys.new_key()
        self._randomness = system_randomness()
        self._aead = AESGCM(b"0123456789abcdef0123456789abcdef")
        self.signing_s = 0.0  # Processor time of the threads that sign.

    def waits_s(self, plain: bytes) -> tuple[int, ...]:  # noqa: ARG002  # Whatever it is.
        return self.schedule_s

    def plain(self, notification: GatewayNotification) -> bytes:
        return msgspec.json.encode({**_PLAIN, "out_trade_no": str(notification.subject_id)})

    def letter(self, notification: GatewayNotification, plain: bytes, now_ns: int) -> Letter:
        nonce = self._randomness.randbytes(6).hex()
        sealed = base64.b64encode(self._aead.encrypt(nonce.encode(), plain, b"transaction")).decode()
        resource = {"algorithm": "AEAD_AES_256_GCM", "ciphertext": sealed, "nonce": nonce}
        body = msgspec.json.encode({"id": f"{notification.id:032x}", "resource": resource})
        signed = f"{now_ns // NS_PER_S}\n{nonce}\n".encode() + body + b"\n"
        began_s = time.thread_time()
        signature = keys.sign(self._key, signed)
        self.signing_s += time.thread_time() - began_s
        headers = {
            "content-type": "application/json",
            "wechatpay-nonce": nonce,
            "wechatpay-timestamp": str(now_ns // NS_PER_S),
            "wechatpay-signature": signature,
            "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048",
        }
        return Letter(headers, body)

    def taken(self, status: int, _body: bytes) -> bool:
        return status == 200


class _Counting(NotificationService):
    """Counts what was taken, and how long after the news."""

    def __init__(self, node: NodeRuntime) -> None:
        super().__init__(node)
        self.taken = 0
        self.delays_s: list[float] = []

    def log(self, made: GatewayTry) -> None:
        if made.state == NotificationState.TAKEN:
            self.taken += 1
            news = self.notification(made.notification_id)
            self.delays_s.append((made.at_ns + made.took_ns - news.at_ns) / NS_PER_S)
        super().log(made)


async def measure(scratch: Scratch, figures: Figures, *, seconds: float, progress: Callable[[str], None]) -> None:
    """Notifications a second, and what one costs."""
    async with _receivers() as port:
        for name, per_s in (("steady", STEADY_PER_S), ("most", MORE_PER_S)):
            progress(f"notifications: {RECEIVERS} receivers, {name}")
            await _tell(scratch, figures, f"told_{name}", port, per_s, seconds)
            await Database(scratch.address, _SCHEMA).drop()


async def _tell(scratch: Scratch, figures: Figures, name: str, port: int, per_s: int, seconds: float) -> None:
    poster = HttpPoster(private_allowed=True, connections_max=2 * Places().all)
    async with scratch_machine(scratch, _SCHEMA, "institution") as machine:
        service = _Counting(machine.node)
        postman = service.postmen[_DIALECT] = _Postman()
        await service.start()
        worker = NotificationWorker(machine.node, service, poster)
        running = asyncio.create_task(worker.run())
        try:
            news = asyncio.create_task(_news(machine.node, service, port, per_s))
            await asyncio.sleep(_WARM_S)
            before, count, loop_s = Cpu((scratch.postmaster_pid,)).look(), service.taken, time.thread_time()
            service.delays_s.clear()
            postman.signing_s = 0.0
            await asyncio.sleep(seconds)
            loop_s = time.thread_time() - loop_s
            after, taken, signing_s = before.look(), service.taken - count, postman.signing_s
            news.cancel()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await poster.close()
    if not taken:
        raise RuntimeError(f"{name}: nothing was taken")
    figures.note(f"{name}_per_s", taken / (after.at_s - before.at_s))
    delays = sorted(service.delays_s)
    figures.note(f"{name}_p50_ms", 1000 * percentile(delays, 0.5))
    figures.note(f"{name}_p99_ms", 1000 * percentile(delays, 0.99))
    figures.note(f"{name}_loop_cpu_us", 1e6 * loop_s / taken)
    figures.note(f"{name}_RSA_cpu_us", 1e6 * signing_s / taken)
    figures.note(f"{name}_node_cpu_us", 1e6 * (after.own_s - before.own_s) / taken)
    figures.note(f"{name}_database_cpu_us", 1e6 * (after.others_s - before.others_s) / taken)


async def _news(node: NodeRuntime, service: NotificationService, port: int, per_s: int) -> None:
    """Something for everybody in turn, for ever; a merchant each."""
    began, made = time.perf_counter(), 0
    while True:
        waiting = service.taken if isinstance(service, _Counting) else 0
        due = min(int((time.perf_counter() - began) * per_s), waiting + 20_000)
        for number in range(made, due):
            receiver = number * 7 % RECEIVERS
            url = f"http://{address(receiver, DEAD_EVERY)}:{port}/notify"
            service.add(receiver, _DIALECT, News.PAID, number, url)
        made = max(made, due)
        node.journal.seal()
        await asyncio.sleep(_EVERY_S)


@asynccontextmanager
async def _receivers() -> AsyncIterator[int]:
    """Their port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hutong.bench.receivers", stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()
