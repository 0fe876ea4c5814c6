"""One switch on a journal that is durable when the test says so, and what it tells its participants."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from hutong.kernel.clock import NS_PER_MS, ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.kernel.money import Currency
from hutong.ledger.engines.postgres import JournaledLedger
from hutong.ledger.memory_repository import MemoryLedgerRepository
from hutong.ledger.transfer import Account, TransferStatus
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.tables import MemoryStore
from hutong.scheme.messages import (
    AnyMessage,
    Channel,
    CreditTransfer,
    PaymentReturn,
    PaymentStatus,
    StatusRequest,
    TransactionStatus,
    id_hex,
)
from hutong.switch import chart
from hutong.switch.node import SwitchNode
from hutong.switch.payment import originator_of, own_id
from hutong.switch.policy import ClearingPolicy

CNY = Currency.CNY
CAP = 100_000
Errand = Coroutine[Any, Any, None]


class World:
    """The switch, its durable rows, and everybody's letters from it."""

    def __init__(self, policy: ClearingPolicy | None = None, *, immediate: bool = True) -> None:
        self.clock = ManualClock()
        self.mint = IdMint(self.clock, seeded_randomness(7))
        self.store = MemoryStore()
        self.policy = policy or ClearingPolicy()
        self.letters: list[tuple[str, AnyMessage]] = []
        self.immediate = immediate
        self.cap_answers: list[TransferStatus] = []

    async def boot(self, spawn: Callable[[Errand], None] = run_now) -> None:
        """Start the switch from its durable rows."""
        position = max((rows[-1][0] for rows in self.store.rows.values() if rows), default=0)
        self.journal = MemoryJournal(self.store, position=position, immediate=self.immediate)
        self.journal.post = self._post
        node = NodeRuntime("switch", self.clock, seeded_randomness(1), self.mint, self.journal, self.store, spawn)
        ledger = JournaledLedger(self.clock, self.journal, MemoryLedgerRepository(self.store), spawn)
        await ledger.start()
        self.switch = SwitchNode(node, ledger, self.policy)
        await self.switch.start()
        self.journal.flush()

    async def crash(self, spawn: Callable[[Errand], None] = run_now) -> None:
        """Lose what is not durable, and start again."""
        self.journal.crash()
        await self.boot(spawn)

    def admit(self, *nodes: str, cap: int = CAP) -> None:
        """Let institutions take part, each with a net debit cap."""
        for node in nodes:
            self.switch.admission.admit(node, node, node.title(), "")
            if cap:
                self.grant(node, cap)
        self.journal.seal()

    def grant(self, node: str, amount: int) -> None:
        self.switch.admission.grant_cap(self.mint.mint(), node, CNY, amount, self.cap_answers.append)
        self.journal.seal()

    def lower(self, node: str, amount: int) -> None:
        self.switch.admission.lower_cap(self.mint.mint(), node, CNY, amount, self.cap_answers.append)
        self.journal.seal()

    def say(self, sender: str, *messages: AnyMessage) -> list[tuple[str, AnyMessage]]:
        """What the switch tells everybody on hearing this; nothing yet unless it is immediately durable."""
        self.letters.clear()
        self.switch.receive(sender, messages)
        return list(self.letters)

    def pass_time(self, seconds: int) -> list[tuple[str, AnyMessage]]:
        self.letters.clear()
        self.clock.advance(seconds=seconds)
        self.switch.tick()
        return list(self.letters)

    def flush(self) -> list[tuple[str, AnyMessage]]:
        """Make everything durable, and hear what leaves with it."""
        self.letters.clear()
        while not self.journal.quiet:
            self.journal.flush()
        return list(self.letters)

    async def position(self, node: str) -> Account:
        return await self.account(chart.position_account(node, CNY))

    async def account(self, account_id: int) -> Account:
        (account,) = await self.switch.ledger.lookup_accounts([account_id])
        return account

    async def headroom(self, node: str) -> int:
        """How much more the node may pay."""
        position = await self.position(node)
        return position.credits_posted - position.debits_posted - position.debits_pending

    def now_ms(self, seconds: int = 0) -> int:
        return self.clock.now_ns() // NS_PER_MS + seconds * 1000

    def payment(self, **changes: Any) -> CreditTransfer:
        """A payment of 1,000 fen from jing to wei, with what the test cares about changed."""
        amount = changes.get("amount", 1_000)
        facts: dict[str, Any] = {
            "payment_id": id_hex(self.mint.mint()),
            "request_id": id_hex(self.mint.mint()),
            "amount": amount,
            "currency": "CNY",
            "settlement": amount,
            "fee_version": "free-1",
            "channel": Channel.STATIC_CODE,
            "mcc": "5812",
            "debtor_agent": "jing",
            "creditor_agent": "wei",
            "accepted_at_ms": self.now_ms(),
            "expires_at_ms": self.now_ms(30),
        }
        return CreditTransfer(**(facts | changes))

    def refund(self, payment: CreditTransfer, **changes: Any) -> PaymentReturn:
        """A whole return of `payment`, with what the test cares about changed."""
        facts: dict[str, Any] = {
            "return_id": id_hex(self.mint.mint()),
            "payment_id": payment.payment_id,
            "amount": payment.amount,
            "currency": payment.currency,
            "settlement": payment.settlement,
            "creditor_discount": payment.creditor_discount,
            "interchange": payment.interchange,
            "switch_fee": payment.switch_fee,
            "debtor_agent": payment.debtor_agent,
            "creditor_agent": payment.creditor_agent,
            "accepted_at_ms": self.now_ms(),
            "expires_at_ms": self.now_ms(30),
        }
        return PaymentReturn(**(facts | changes))

    def _post(self, peer: str, messages: list[AnyMessage]) -> None:
        self.letters += [(peer, message) for message in messages]


async def books_balance(world: World) -> None:
    """Invariants 1 and 2: the positions are the caps granted less the scheme's income, whatever happened."""
    positions = [await world.position(each.node_id) for each in world.switch.admission.participants()]
    caps = await world.account(chart.caps_account(CNY))
    income = await world.account(chart.income_account(CNY))
    balances = sum(position.credits_posted - position.debits_posted for position in positions)
    granted = caps.debits_posted - caps.credits_posted
    for each in world.switch.admission.participants():
        behind_reserve = await world.account(chart.reserve_caps_account(each.node_id, CNY))
        granted += behind_reserve.debits_posted - behind_reserve.credits_posted
    assert balances == granted - (income.credits_posted - income.debits_posted)
    assert all(position.debits_posted + position.debits_pending <= position.credits_posted for position in positions)
    pending = sum(position.debits_pending for position in positions) + income.debits_pending
    assert pending == sum(position.credits_pending for position in positions) + income.credits_pending
    assert bool(pending) == any(payment.settlement_minor for payment in world.switch.clearing.undecided.values())


def complete(world: World, payment: CreditTransfer) -> None:
    """Have a payment offered and accepted."""
    assert told(world.say(payment.debtor_agent, payment)) == [(payment.creditor_agent, "pacs.008")]
    assert told(world.say(payment.creditor_agent, accepts(payment)))[0] == (payment.debtor_agent, "ACSC")


def accepts(instruction: CreditTransfer | PaymentReturn) -> PaymentStatus:
    """The asked agent's pacs.002 ACSP."""
    return answer(instruction, TransactionStatus.ACCEPTED)


def rejects(instruction: CreditTransfer | PaymentReturn, name: str = "", code: str = "") -> PaymentStatus:
    """The asked agent's pacs.002 RJCT."""
    return msgspec.structs.replace(answer(instruction, TransactionStatus.REJECTED), reason=code, reason_name=name)


def answer(instruction: CreditTransfer | PaymentReturn, status: TransactionStatus) -> PaymentStatus:
    return PaymentStatus(payment_id=own_id(instruction), originator=originator_of(instruction), status=status)


def enquiry(instruction: CreditTransfer | PaymentReturn) -> StatusRequest:
    """A pacs.028 about it."""
    about = answer(instruction, TransactionStatus.PENDING)
    return StatusRequest(payment_id=about.payment_id, originator=about.originator)


def told(letters: list[tuple[str, AnyMessage]]) -> list[tuple[str, str]]:
    """The letters in short: to whom, and which message, with a status's code and reason."""
    return [(peer, _short(message)) for peer, message in letters]


def _short(message: AnyMessage) -> str:
    if isinstance(message, PaymentStatus):
        return f"{message.status.value} {message.reason_name}".strip()
    return message.__struct_config__.tag if isinstance(message.__struct_config__.tag, str) else ""
