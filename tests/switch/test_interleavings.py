"""The switch under whatever order of messages, repeats, losses, suspensions and crashes a seed comes up with."""

import msgspec
import pytest

from hutong.kernel.ids import SeededRandomness, seeded_randomness
from hutong.scheme.messages import CreditTransfer, PaymentReturn, PaymentStatus, TransactionStatus, id_hex
from hutong.switch.fees import FeeRule
from hutong.switch.payment import originator_of, own_id
from hutong.switch.repository import PAYMENTS
from tests.switch.world import CAP, World, accepts, books_balance, enquiry, rejects

NODES = ("jing", "wei", "zhi")
STEPS = 150
FINAL = {TransactionStatus.COMPLETED, TransactionStatus.REJECTED}
Key = tuple[str, str]


class Storm:
    """What was sent, and what was told: the switch may never contradict itself."""

    def __init__(self, world: World, chance: SeededRandomness) -> None:
        self.world = world
        self.chance = chance
        self.sent: dict[Key, CreditTransfer | PaymentReturn] = {}
        self.told: dict[Key, TransactionStatus] = {}
        self.fee_version = "free-1"

    def hear(self) -> None:
        """Take what became durable."""
        for _, message in self.world.flush():
            if (
                isinstance(message, PaymentStatus)
                and message.status in FINAL
                and not message.reason_name.startswith("SAME")
            ):
                key = message.originator, message.payment_id
                assert self.told.setdefault(key, message.status) is message.status, "yes and no to one payment"

    def act(self) -> None:
        """One thing that happens in a network."""
        world, chance = self.world, self.chance
        match chance.randrange(16):
            case 0 | 1 | 2:
                debtor, creditor = chance.sample(NODES, 2)
                amount = chance.choice((1, 999, 40_000))
                fee = amount // 100 if self.fee_version != "free-1" else 0
                self.send(
                    world.payment(
                        debtor_agent=debtor,
                        creditor_agent=creditor,
                        amount=amount,
                        settlement=amount - fee,
                        switch_fee=fee,
                        fee_version=self.fee_version,
                    )
                )
            case 3:
                completed = [key for key, status in self.told.items() if status is TransactionStatus.COMPLETED]
                payments = [self.sent[key] for key in completed if isinstance(self.sent.get(key), CreditTransfer)]
                if payments:
                    payment = chance.choice(payments)
                    assert isinstance(payment, CreditTransfer)
                    part = chance.randrange(1, payment.settlement + 2)
                    self.send(world.refund(payment, amount=part, settlement=part, switch_fee=0))
            case 4 | 5 | 6 | 12 | 13:
                if self.sent:
                    instruction = self.any(open_only=chance.random() < 0.8)
                    asked = instruction.creditor_agent
                    if isinstance(instruction, PaymentReturn):
                        asked = instruction.debtor_agent
                    answer = chance.choice((accepts, accepts, rejects))(instruction)
                    world.say(chance.choice((asked, asked, *NODES)), answer)
            case 7:
                if self.sent:
                    world.say(chance.choice(NODES), enquiry(self.any()))
            case 8:
                if self.sent:
                    again = self.any()
                    if chance.random() < 0.2:
                        again = msgspec.structs.replace(again, amount=again.amount + 1, settlement=again.settlement + 1)
                    world.say(originator_of(again), again)
            case 9:
                world.pass_time(chance.choice((0, 1, 1, 1, 1, 1, 1, 31)))
            case 10:
                admission = world.switch.admission
                verb = admission.suspend if chance.random() < 0.1 else admission.resume
                verb(chance.choice(NODES))
            case _:
                self.hear()

    def send(self, instruction: CreditTransfer | PaymentReturn) -> None:
        self.sent[originator_of(instruction), own_id(instruction)] = instruction
        self.world.say(originator_of(instruction), instruction)

    def any(self, *, open_only: bool = False) -> CreditTransfer | PaymentReturn:
        """Something that was sent; if told, of what nobody heard a decision yet."""
        undecided = [instruction for key, instruction in self.sent.items() if key not in self.told]
        return self.chance.choice(undecided if open_only and undecided else list(self.sent.values()))

    async def crash(self) -> None:
        """What was told before stays true; what was not is open again."""
        await self.world.crash()

    async def heal(self) -> None:
        """After a while of quiet everything is decided, on the ledger as in words."""
        self.hear()
        self.world.pass_time(60)
        self.hear()
        for instruction in self.sent.values():
            self.world.say(originator_of(instruction), enquiry(instruction))
        self.hear()
        assert self.told.keys() >= self.sent.keys()
        assert not self.world.switch.clearing.undecided
        for node in NODES:
            assert await self.world.headroom(node) == CAP + self.net(node), node

    def net(self, node: str) -> int:
        """What completed payments and returns brought and took, as the switch first took them down."""
        net = 0
        for _, row in self.world.store.rows[PAYMENTS.name]:
            if self.told[row.originator, id_hex(row.payment_id)] is TransactionStatus.COMPLETED:
                # The switch fee is paid with a payment, and comes back with a return.
                with_fee = row.settlement_minor + row.switch_fee_minor
                net += (with_fee if row.is_return else row.settlement_minor) * (node == row.paid_agent)
                net -= (row.settlement_minor if row.is_return else with_fee) * (node == row.paying_agent)
        return net


@pytest.mark.parametrize("seed", range(40))
async def test_the_switch_never_contradicts_itself_and_its_books_always_balance(seed: int) -> None:
    world = World(immediate=False)
    await world.boot()
    world.admit(*NODES)
    storm = Storm(world, seeded_randomness(seed))
    if seed % 2:
        world.switch.admission.publish_fees("2026-1", world.clock.now_ns(), [FeeRule(switch_fee_bps=100)])
        storm.fee_version = "2026-1"
    world.flush()
    for _ in range(STEPS):
        if storm.chance.random() < 0.03:
            await storm.crash()
        else:
            storm.act()
    await storm.heal()
    await books_balance(world)
