"""A switch on a real PostgreSQL, and participants that pay each other for as long as they are let."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from hutong.app.host import Machine, NodeHost
from hutong.app.wiring import SWITCH_KINDS, switch_on
from hutong.kernel.clock import NS_PER_MS, SystemClock, instant
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.kernel.money import Currency
from hutong.runtime.database import Database
from hutong.scheme.messages import (
    AnyMessage,
    Channel,
    CreditTransfer,
    PaymentStatus,
    TransactionStatus,
    id_hex,
)
from hutong.switch.node import SwitchNode
from hutong.switch.policy import ClearingPolicy
from hutong.switch.settlement.calendar import CalendarRules, SettlementCalendar, calendar

NODES = ("jing", "wei", "zhi")


def every_minute() -> SettlementCalendar:
    """
    A window may be closed before its time while its date is today's: with so many, as often as one likes.

    They are those of the last hour of a day that is never the one it is: where it is morning by now.
    """
    zone = "UTC" if instant(SystemClock().now_ns()).hour < 12 else "Etc/GMT+12"
    cut_offs = [f"23:{minute:02d}" for minute in range(12, 60)]
    return calendar("minutes", "0001-01-01", CalendarRules(zone=zone, cut_offs=cut_offs))


@dataclass
class Stage:
    """One living switch."""

    switch: SwitchNode
    machine: Machine
    completed: dict[str, str] = field(default_factory=dict)  # By payment id, the window both were told.
    _sent: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    _mint: IdMint = field(default_factory=lambda: IdMint(SystemClock(), seeded_randomness(3)))

    def post(self, peer: str, messages: list[AnyMessage]) -> None:
        """Every agent accepts what it is offered."""
        for message in messages:
            if isinstance(message, CreditTransfer):
                accepted = PaymentStatus(
                    payment_id=message.payment_id,
                    originator=message.debtor_agent,
                    status=TransactionStatus.ACCEPTED,
                )
                asyncio.get_running_loop().call_soon(self.switch.receive, peer, [accepted])
            elif isinstance(message, PaymentStatus):
                assert message.status is TransactionStatus.COMPLETED, message
                known = self.completed.setdefault(message.payment_id, message.window)
                assert known == message.window
                done = self._sent.pop(message.payment_id, None)
                if done is not None:
                    done.set_result(None)

    async def pay(self, chance: random.Random) -> None:
        """One payment between two nodes, until its debtor agent has heard."""
        debtor, creditor = chance.sample(NODES, 2)
        amount = chance.randrange(1, 1_000)
        now_ms = SystemClock().now_ns() // NS_PER_MS
        payment = CreditTransfer(
            payment_id=id_hex(self._mint.mint()),
            request_id=id_hex(self._mint.mint()),
            amount=amount,
            currency="CNY",
            settlement=amount,
            fee_version="free-1",
            channel=Channel.STATIC_CODE,
            mcc="5812",
            debtor_agent=debtor,
            creditor_agent=creditor,
            accepted_at_ms=now_ms,
            expires_at_ms=now_ms + 30_000,
        )
        done = self._sent[payment.payment_id] = asyncio.get_running_loop().create_future()
        self.switch.receive(debtor, [payment])
        await done

    async def load(self, payers: int, until: asyncio.Event) -> None:
        """So many at a time, one after the other, until told to stop."""

        async def payer(seed: int) -> None:
            chance = random.Random(seed)
            while not until.is_set():
                await self.pay(chance)

        await asyncio.gather(*(payer(seed) for seed in range(payers)))


@asynccontextmanager
async def stage(database: Database) -> AsyncIterator[Stage]:
    """A switch that lives, with participants of ample caps."""
    found: list[Stage] = []

    async def build(machine: Machine, _stack: AsyncExitStack) -> SwitchNode:
        policy = ClearingPolicy(calendar=every_minute())
        switch = switch_on(machine, policy)
        living = Stage(switch, machine)
        machine.journal.post = living.post
        await switch.start()
        for node in NODES:
            switch.admission.admit(node, node, node.title(), "")
            switch.admission.grant_cap(machine.node.mint.mint(), node, Currency.CNY, 10**12, lambda _: None)
        machine.journal.seal()
        found.append(living)
        return switch

    host = NodeHost("switch", database, SWITCH_KINDS, build)
    await host.start()
    try:
        yield found[0]
    finally:
        await host.stop()
