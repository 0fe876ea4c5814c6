"""Institutions and the real switch on memory journals, with a network between them that does as it is told."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hutong.institution import chart
from hutong.institution.chart import Chart
from hutong.institution.complaints.service import ComplaintDesk
from hutong.institution.holds.service import HoldDesk
from hutong.institution.payments.cashier import Cashier
from hutong.institution.payments.payment import Order, Outcome, Payment
from hutong.institution.payments.quotes import Quote, Terms
from hutong.institution.payments.service import PaymentService
from hutong.institution.policy.policy import shipped_policies
from hutong.institution.recalls.service import RecallDesk
from hutong.kernel.clock import ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.kernel.money import Currency
from hutong.ledger import recipes
from hutong.ledger.engines.postgres import JournaledLedger
from hutong.ledger.memory_repository import MemoryLedgerRepository
from hutong.ledger.rows import ACCOUNT
from hutong.ledger.transfer import Account
from hutong.runtime.journal import MemoryJournal
from hutong.runtime.node import NodeRuntime, run_now
from hutong.runtime.shelf import warmed
from hutong.runtime.tables import MemoryStore
from hutong.scheme.messages import AnyMessage, Channel
from hutong.switch import chart as switch_chart
from hutong.switch.fees import FeeRule
from hutong.switch.node import SwitchNode
from hutong.switch.policy import ClearingPolicy
from tests.institution.payments.neighbours import Asks, Neighbours, Person

T = TypeVar("T")
POLICIES = shipped_policies("cn", ZoneInfo("Asia/Shanghai"))
CNY = Currency.CNY


def now(errand: Coroutine[Any, Any, T]) -> T:
    """The result of an errand that waits for nothing."""
    answers: list[T] = []

    async def keep() -> None:
        answers.append(await errand)

    run_now(keep())
    return answers[0]


class Place:
    """One node's disk, and the node that runs on it now."""

    def __init__(self, world: "World", node_id: str, seed: int) -> None:
        self.world = world
        self.node_id = node_id
        self.store = MemoryStore()
        self.randomness = seeded_randomness(seed)
        self.boots = 0

    def runtime(self) -> NodeRuntime:
        """A fresh start on what is durable."""
        position = max((rows[-1][0] for rows in self.store.rows.values() if rows), default=0)
        self.journal = MemoryJournal(self.store, position=position, immediate=self.world.immediate)
        self.journal.post = lambda peer, messages: self.world.post(self.node_id, peer, messages)
        mint = IdMint(self.world.clock, self.randomness)
        self.ledger = JournaledLedger(self.world.clock, self.journal, MemoryLedgerRepository(self.store), run_now)
        now(self.ledger.start())
        self.boots += 1
        return NodeRuntime(self.node_id, self.world.clock, self.randomness, mint, self.journal, self.store, run_now)

    def accounts(self, *ids: int) -> list[Account]:
        return now(self.ledger.lookup_accounts(ids))

    def balance(self, account_id: int) -> int:
        """Credits less debits, posted."""
        (account,) = self.accounts(account_id)
        return account.credits_posted - account.debits_posted

    def balanced(self) -> bool:
        ids = {row.id for _, row in self.store.rows[ACCOUNT.name]} | set(self.ledger._books.accounts)
        accounts = self.accounts(*ids)
        return sum(a.debits_posted for a in accounts) == sum(a.credits_posted for a in accounts) and sum(
            a.debits_pending for a in accounts
        ) == sum(a.credits_pending for a in accounts)


class Institution(Place):
    """An institution's payments, with neighbours that keep their promises."""

    code_prefix = ""

    def __init__(self, world: "World", node_id: str, seed: int, cashier: Cashier | None = None) -> None:
        super().__init__(world, node_id, seed)
        self.users: dict[int, Person] = {}
        self.codes: dict[str, int] = {}
        self.shown: dict[str, int] = {}
        self.cashier = cashier
        self.boot()

    def boot(self) -> None:
        node = self.runtime()
        self.neighbours = Neighbours(node)
        self.neighbours.users, self.neighbours.codes = self.users, self.codes
        self.neighbours.shown = self.shown
        self.chart = Chart(self.node_id)
        self.payments = PaymentService(
            node,
            self.ledger,
            self.chart,
            POLICIES,
            self.neighbours,
            self.neighbours,
            self.neighbours,
            self.cashier,
            code_prefix=self.code_prefix,
        )
        self.node = node
        self.recalls = RecallDesk(self.payments, POLICIES, self.neighbours)
        self.complaints = ComplaintDesk(self.payments, POLICIES, self.neighbours)
        self.hold_desk = HoldDesk(
            self.payments, POLICIES, self.neighbours, self.neighbours, f"https://{self.node_id}.example"
        )
        self.wire()
        now(self.recalls.load())
        now(self.complaints.load())
        now(self.hold_desk.load())
        now(self.payments.start())
        self.recalls.resume()
        self.complaints.resume()
        now(self.hold_desk.resume())

    def wire(self) -> None:
        """What else hears of its payments, for who builds upon it."""

    def receive(self, sender: str, messages: list[AnyMessage]) -> None:
        self.payments.receive(sender, messages)

    def tick(self) -> None:
        self.payments.tick()
        self.recalls.tick()
        self.complaints.tick()
        self.hold_desk.tick()

    def user(self, balance: int = 0, tier: int = 3) -> Person:
        person = Person(self.node.mint.mint(), tier)
        self.users[person.id] = person
        self.ledger.create_accounts([chart.wallet(person.id)], _nothing)
        if balance:
            self.pay_in(person.wallet_account, balance)
        self.journal.seal()
        return person

    def pay_in(self, account: int, amount: int) -> None:
        transfer = recipes.top_up(
            self.node.mint.mint(), reserve=self.chart.reserve, account=account, amount=amount, ledger=156, code=30
        )
        self.ledger.create_transfers([transfer], _nothing)
        self.journal.seal()

    def pay_out(self, account: int, amount: int) -> None:
        transfer = recipes.withdraw(
            self.node.mint.mint(), reserve=self.chart.reserve, account=account, amount=amount, ledger=156, code=31
        )
        self.ledger.create_transfers([transfer], _nothing)
        self.journal.seal()

    def merchant(self) -> int:
        merchant_id = self.node.mint.mint()
        self.ledger.create_accounts([chart.merchant(merchant_id)], _nothing)
        self.journal.seal()
        return merchant_id

    def asks(self, merchant_id: int = 0, *, user: Person | None = None, code: str = "", **fields: Any) -> Asks:
        """Something that can be paid; static unless it has another channel."""
        kind = fields.pop("kind", Channel.PERSONAL_CODE.value if user else Channel.STATIC_CODE.value)
        asks = Asks(
            id=self.node.mint.mint(),
            account=user.wallet_account if user else chart.merchant_account(merchant_id),
            merchant_id=merchant_id,
            user_id=user.id if user else 0,
            kind=kind,
            is_static=kind in (Channel.STATIC_CODE.value, Channel.PERSONAL_CODE.value),
            **fields,
        )
        self.neighbours.asks.put(asks)
        self.journal.seal()
        self.codes[code or f"{self.node_id}:{asks.id}"] = asks.id
        return asks

    def quote(self, payer: Person, code: str, amount: int = 0) -> Quote:
        """Consult as a payer does; the network must be delivering."""
        return self.payments.consults.quote(payer, self.terms(code, amount), amount)

    def terms(self, code: str, amount: int = 0) -> Terms:
        """What the code's owner says of it, to a payer who typed this amount; refuses as the owner does."""
        consults = self.payments.consults
        terms = now(warmed(self.journal, lambda: consults._own_terms(code, amount)))
        if terms is None:
            answers: list[Any] = []
            consults.ask(code, answers.append, amount)
            self.journal.seal()
            self.journal.flush()
            self.world.settle()
            (answer,) = answers
            if isinstance(answer, Exception):
                raise answer
            terms = answer
        assert isinstance(terms, Terms)
        return terms

    def quotes(self, order: Order) -> Quote:
        """The quote of an order."""
        return self.payments.debtor._quotes._quotes[order.quote_id]

    def order(self, quote: Quote, amount: int = 0, **fields: Any) -> Order:
        return Order(payment_id=self.node.mint.mint(), quote_id=quote.id, amount=amount, **fields)

    def pay(self, payer: Person, order: Order) -> list[tuple[Payment, Outcome | None]]:
        """Give the order; what is answered, now or later, is in the list. Refusals are raised."""
        answers: list[tuple[Payment, Outcome | None]] = []
        self.decide(lambda: self.payments.debtor.pay(payer.id, order, lambda *answer: answers.append(answer)))
        return answers

    def decide(self, decision: Callable[[], None]) -> None:
        self.node.decide(decision)


class Switch(Place):
    def __init__(self, world: "World", seed: int) -> None:
        super().__init__(world, "switch", seed)
        self.boot()

    def boot(self) -> None:
        self.node = self.runtime()
        self.switch = SwitchNode(self.node, self.ledger, ClearingPolicy())
        now(self.switch.start())
        self.journal.seal()

    def receive(self, sender: str, messages: list[AnyMessage]) -> None:
        self.switch.receive(sender, messages)

    def tick(self) -> None:
        self.switch.tick()

    def admit(self, node_id: str, cap: int = 100_000_000) -> None:
        admission = self.switch.admission
        admission.admit(node_id, node_id, node_id, "")
        admission.grant_cap(self.node.mint.mint(), node_id, CNY, cap, _nothing)
        self.journal.seal()

    def position(self, node_id: str) -> int:
        """What the node's position is worth over its cap."""
        return self.balance(switch_chart.position_account(node_id, CNY))


class World:
    """
    The network. With `immediate`, a message is delivered when it is sent; else everything waits: rows for a flush,
    messages in `letters` for whoever delivers, loses or repeats them.
    """

    institution: type[Institution] = Institution
    clock_type: type[ManualClock] = ManualClock

    def __init__(self, *names: str, seed: int = 0, immediate: bool = True, cap: int = 100_000_000) -> None:
        self.clock = self.clock_type()
        self.immediate = immediate
        self.random = seeded_randomness(seed)
        self.letters: list[tuple[str, str, AnyMessage]] = []
        self.posting = False
        self.switch = Switch(self, seed)
        self.places: dict[str, Place] = {"switch": self.switch}
        for i, name in enumerate(names):
            self.places[name] = self.institution(self, name, seed * 100 + i + 1)
            self.switch.admit(name, cap)
        self.flush()

    def __getitem__(self, name: str) -> Institution:
        place = self.places[name]
        assert isinstance(place, Institution)
        return place

    def fees(self, interchange_bps: int, switch_fee_bps: int) -> None:
        rules = [FeeRule(interchange_bps=interchange_bps, switch_fee_bps=switch_fee_bps)]
        self.switch.switch.admission.publish_fees("v2", self.clock.now_ns(), rules)
        self.switch.journal.seal()

    def register(self, node_id: str, form: str) -> None:
        self.switch.switch.admission.register_form(node_id, form)
        self.switch.journal.seal()

    def post(self, sender: str, peer: str, messages: list[AnyMessage]) -> None:
        self.letters += [(sender, peer, message) for message in messages]
        if self.immediate and not self.posting:
            self.settle()

    def deliver(self, letter: tuple[str, str, AnyMessage]) -> None:
        sender, peer, message = letter
        self.places[peer].receive(sender, [message])  # type: ignore[attr-defined]

    def settle(self) -> None:
        """Deliver everything, once and in order, until nothing is under way."""
        self.posting = True
        try:
            while self.letters:
                self.deliver(self.letters.pop(0))
                if not self.immediate:
                    self.flush()
        finally:
            self.posting = False

    def flush(self) -> None:
        for place in self.places.values():
            place.journal.seal()
            place.journal.flush()

    def tick(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)
        for place in self.places.values():
            place.tick()  # type: ignore[attr-defined]
            place.journal.seal()

    def restart(self, name: str) -> None:
        """Kill a node: what was not flushed is gone, and so is everything in memory."""
        place = self.places[name]
        place.journal.crash()
        place.boot()  # type: ignore[attr-defined]


def _nothing(_statuses: Any) -> None:
    pass
