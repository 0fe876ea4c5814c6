"""
Settlement: how long it takes to close a window of very many payments, and what payments notice of it.

The switch alone is measured, with agents in its process that accept everything: on two cores, an institution would hide it.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from statistics import median

from hutong.app.host import Machine, NodeHost
from hutong.app.wiring import SWITCH_KINDS, switch_on
from hutong.bench.figures import Figures, percentile
from hutong.bench.scratch import Scratch
from hutong.kernel.clock import NS_PER_MS, SystemClock
from hutong.kernel.ids import IdMint, system_randomness
from hutong.kernel.money import Currency
from hutong.runtime.database import Database
from hutong.runtime.journal import durable
from hutong.scheme.messages import (
    AnyMessage,
    Channel,
    CreditTransfer,
    PaymentStatus,
    TransactionStatus,
    id_hex,
)
from hutong.switch import chart
from hutong.switch.node import SwitchNode
from hutong.switch.policy import ClearingPolicy
from hutong.switch.settlement.calendar import CalendarRules, calendar
from hutong.switch.settlement.rules import Fund
from hutong.switch.settlement.window import WindowState

NODES = ("jing", "wei", "zhi", "yun")
PAST_PAYMENTS = 1_000_000
_PAYERS = 128
_RESERVE = 10**12
_STEP = 100_000
_LOOK_S = 0.01
_LOOKS_MAX = 30_000
_ROUNDS = 5
# A window may be closed before its time while its date is today's: one for the past, and one for each round.
_CUT_OFFS = [f"23:{59 - minute}" for minute in reversed(range(_ROUNDS + 3))]
_CALENDAR = calendar("bench", "0001-01-01", CalendarRules(zone="UTC", cut_offs=_CUT_OFFS))

# Payments of 100 fen from jing to wei, as they would have left the rows: reserved and posted, two transfers each.
_CLEARED = """
INSERT INTO cleared_payment
SELECT $1 + 4 * n, id, id, 'jing', 'jing', 'wei', 100, 100, 0, 'CNY', 'free-1', $4, $4, convert_to(format(
    '{"MsgTp":"pacs.008","TxId":"%s","EndToEndId":"%s","InstdAmt":100,"Ccy":"CNY","IntrBkSttlmAmt":100,'
    '"CdtrDscntAmt":0,"IntrchgAmt":0,"SwtchChrgAmt":0,"FeeVrsn":"free-1","LclInstrm":"STATIC","MrchntCtgyCd":"5812",'
    '"DbtrAgt":"jing","CdtrAgt":"wei","DbtrNm":"*小明","DbtrRef":"%s","AccptncDtTm":0,"XpryDtTm":0,"RmtInf":""}',
    replace(id::text, '-', ''), replace(id::text, '-', ''), replace(id::text, '-', '')), 'UTF8')
FROM (SELECT n, (lpad(to_hex($5 + n / 1000), 12, '0') || lpad(to_hex(n), 18, '0') || '00')::uuid AS id
    FROM generate_series($2::bigint, $3::bigint) AS n) AS numbered"""
_DECIDED = """
INSERT INTO decision
SELECT $1 + 4 * n + 3, id, id, 'jing', 'ACSC', '', '', $6, $4, $7
FROM (SELECT n, (lpad(to_hex($5 + n / 1000), 12, '0') || lpad(to_hex(n), 18, '0') || '00')::uuid AS id
    FROM generate_series($2::bigint, $3::bigint) AS n) AS numbered"""
_MOVED = """
INSERT INTO transfer
SELECT $1 + 4 * n + step,
    (lpad(to_hex($5 + n / 1000), 12, '0') || lpad(to_hex(n), 18, '0') || CASE step WHEN 1 THEN '00' ELSE '40' END)::uuid,
    $6, $7,
    CASE step WHEN 1 THEN repeat('0', 32) ELSE lpad(to_hex($5 + n / 1000), 12, '0') || lpad(to_hex(n), 18, '0') || '00' END::uuid,
    (lpad(to_hex($5 + n / 1000), 12, '0') || lpad(to_hex(n), 18, '0') || '00')::uuid,
    lpad(to_hex(CASE step WHEN 1 THEN 100 ELSE 0 END), 32, '0')::uuid,
    lpad(to_hex(100 * (n + step - 1)), 32, '0')::uuid,
    lpad(to_hex(CASE step WHEN 1 THEN 100 ELSE 0 END), 32, '0')::uuid,
    lpad(to_hex($8 + 100 * (n + step - 1)), 32, '0')::uuid,
    $4 + 2 * n + step, 156, 0, 0, 10, CASE step WHEN 1 THEN 2 ELSE 4 END, 100, 0
FROM generate_series($2::bigint, $3::bigint) AS n, generate_series(1, 2) AS step"""


class Clearing:
    """A living switch, and agents that pay each other through it as fast as it lets them."""

    def __init__(self, switch: SwitchNode, machine: Machine) -> None:
        self.switch = switch
        self.machine = machine
        self.completed = 0
        self.latencies_s: list[float] = []  # Since somebody last took them away.
        self._sent_at: dict[str, float] = {}
        self._mint = IdMint(SystemClock(), system_randomness())
        self._pairs = cycle([(debtor, creditor) for debtor in NODES for creditor in NODES if debtor != creditor])
        self._paying = False

    def post(self, peer: str, messages: list[AnyMessage]) -> None:
        """What the switch tells an agent: offers are accepted, and behind each completed payment comes another."""
        accepted: list[AnyMessage] = []
        ended = 0
        for message in messages:
            if isinstance(message, CreditTransfer):
                accepted.append(
                    PaymentStatus(
                        payment_id=message.payment_id,
                        originator=message.debtor_agent,
                        status=TransactionStatus.ACCEPTED,
                    )
                )
            elif isinstance(message, PaymentStatus) and message.originator == peer:
                self.latencies_s.append(time.perf_counter() - self._sent_at.pop(message.payment_id))
                ended += 1
        loop = asyncio.get_running_loop()
        if accepted:
            loop.call_soon(self.switch.receive, peer, accepted)
        self.completed += ended
        if self._paying:
            for _ in range(ended):
                loop.call_soon(self._pay)

    async def pay_for(self, seconds: float) -> float:
        """Payments a second."""
        if not self._paying:
            self._paying = True
            for _ in range(_PAYERS):
                self._pay()
        begun_at, begun = time.perf_counter(), self.completed
        await asyncio.sleep(seconds)
        return (self.completed - begun) / (time.perf_counter() - begun_at)

    async def stop(self) -> None:
        """Let what is under way end."""
        self._paying = False
        await asyncio.sleep(0.2)

    def _pay(self) -> None:
        debtor, creditor = next(self._pairs)
        now_ms = SystemClock().now_ns() // NS_PER_MS
        payment_id = id_hex(self._mint.mint())
        self._sent_at[payment_id] = time.perf_counter()
        payment = CreditTransfer(
            payment_id=payment_id,
            request_id=id_hex(self._mint.mint()),
            amount=100,
            currency="CNY",
            settlement=100,
            fee_version="free-1",
            channel=Channel.STATIC_CODE,
            mcc="5812",
            debtor_agent=debtor,
            creditor_agent=creditor,
            accepted_at_ms=now_ms,
            expires_at_ms=now_ms + 60_000,
        )
        self.switch.receive(debtor, [payment])


@asynccontextmanager
async def _living(database: Database) -> AsyncIterator[Clearing]:
    found: list[Clearing] = []

    async def build(machine: Machine, _stack: AsyncExitStack) -> SwitchNode:
        policy = ClearingPolicy(calendar=_CALENDAR)
        switch = switch_on(machine, policy)
        found.append(Clearing(switch, machine))
        machine.journal.post = found[0].post
        await switch.start()
        return switch

    host = NodeHost("switch", database, SWITCH_KINDS, build)
    await host.start()
    try:
        yield found[0]
    finally:
        await host.stop()


async def measure(
    scratch: Scratch, figures: Figures, *, seconds: float, past: int, progress: Callable[[str], None]
) -> None:
    """All figures of settlement."""
    database = Database(scratch.address, "bench_settlement")
    async with _living(database) as clearing:
        switch, node = clearing.switch, clearing.machine.node
        for each in NODES:
            switch.admission.admit(each, each, each.title(), "")
            funded = node.journal.promise()
            await switch.reserves.top_up(
                node.mint.mint(), each, Currency.CNY, _RESERVE, Fund.RESERVE, funded.set_result
            )
            assert await funded is None
        await durable(node.journal)
        window, day = switch.windows.at(node.clock.now_ns())
    await _write_past(database, past, window, day, progress)
    async with _living(database) as clearing:
        progress(f"settlement: payments, then closing a window of {past:,} while they go on")
        await clearing.pay_for(seconds / 2)  # Warm.
        before = await clearing.pay_for(seconds)
        switch = clearing.switch
        closed_at = time.perf_counter()
        paid = clearing.completed
        switch.windows.close(switch.windows.windows()[-1].window)
        clearing.machine.journal.seal()
        await _settled(clearing, window)
        took = time.perf_counter() - closed_at
        during = (clearing.completed - paid) / took
        # Settled is one thing; what a longer time with a window closing in it costs is another.
        whole = (clearing.completed - paid + await clearing.pay_for(seconds) * seconds) / (took + seconds)
        row = switch.windows.window(window)
        assert row.state == WindowState.SETTLED.value, row
        assert row.payments >= past
        progress(f"settlement: {_ROUNDS} rounds with and without closing a window of what was paid")
        rounds = await _in_turn(clearing, seconds / 2)
        await clearing.stop()
    figures.note("settle_close_s", took)
    figures.note("settle_without_per_s", before)
    figures.note("settle_while_closing_per_s", during)
    figures.note("settle_with_per_s", whole)
    for name, values in rounds.items():
        figures.note(f"settle_rounds_{name}", median(values))
    await database.drop()


async def _in_turn(clearing: Clearing, seconds: float) -> dict[str, list[float]]:
    """
    What running settlement costs payments: rounds without a close and with one of what both rounds paid, in turn.

    Rates and latencies of each round, and how long such a close takes.
    """
    rounds: dict[str, list[float]] = defaultdict(list)
    for _ in range(_ROUNDS):
        clearing.latencies_s.clear()
        rounds["without_per_s"].append(await clearing.pay_for(seconds))
        _note_latencies(clearing, rounds, "without")
        window = clearing.switch.windows.windows()[-1].window
        begun_at, paid = time.perf_counter(), clearing.completed
        clearing.switch.windows.close(window)
        clearing.machine.journal.seal()
        await _settled(clearing, window)
        rounds["close_s"].append(time.perf_counter() - begun_at)
        await clearing.pay_for(max(seconds - rounds["close_s"][-1], 0))
        rounds["with_per_s"].append((clearing.completed - paid) / (time.perf_counter() - begun_at))
        _note_latencies(clearing, rounds, "with")
    return rounds


def _note_latencies(clearing: Clearing, rounds: dict[str, list[float]], how: str) -> None:
    latencies, clearing.latencies_s = sorted(clearing.latencies_s), []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        rounds[f"{how}_{name}_ms"].append(1000 * percentile(latencies, share))


async def _settled(clearing: Clearing, window: str) -> None:
    """Look until the window is through."""
    over = {WindowState.SETTLED.value, WindowState.HALTED.value}
    for _ in range(_LOOKS_MAX):
        if clearing.switch.windows.window(window).state in over:
            return
        await asyncio.sleep(_LOOK_S)


async def _write_past(database: Database, past: int, window: str, day: str, progress: Callable[[str], None]) -> None:
    """Payments of the open window, as rows: what a day would have left."""
    jing, wei = (chart.position_account(node, Currency.CNY) for node in ("jing", "wei"))
    now_ns = SystemClock().now_ns()
    connection = await database.connect(statement_s=0)
    try:
        tables = ("account", "transfer", "settlement_entry", "settlement_window", "participant")
        newest = " UNION ALL ".join(f"SELECT max(position) AS position FROM {table}" for table in tables)  # noqa: S608
        first = 10 + await connection.fetchval(f"SELECT max(position) FROM ({newest}) AS newest")  # noqa: S608
        # Behind the node's own transfers in time, and before now: a millisecond for each thousand.
        began_ns = 1 + await connection.fetchval("SELECT max(timestamp) FROM transfer")
        began_ms = now_ns // NS_PER_MS - past // 1000 - 1
        for start in range(0, past, _STEP):
            progress(f"settlement: writing a past, {start:,} of {past:,} payments")
            numbers = (first, start, min(start + _STEP, past) - 1)
            await connection.execute(_CLEARED, *numbers, now_ns, began_ms)
            await connection.execute(_MOVED, *numbers, began_ns, began_ms, jing, wei, _RESERVE)
            await connection.execute(_DECIDED, *numbers, now_ns, began_ms, day, window)
        # As the ledger leaves one every so many rows: a restart reads what is behind it.
        last = first + 4 * past + 1
        await connection.execute(
            "INSERT INTO checkpoint (position, open_pending_position, timestamp) VALUES ($1, 0, $2)",
            last,
            began_ns + 2 * past + 3,
        )
        await connection.execute("ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
