"""One run: the network and its people, from a seed. What goes wrong is in `trouble`, what people do in `acts`."""

import hashlib
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TextIO

from hutong.institution.payments.payment import Order
from hutong.kernel.clock import NS_PER_S, ManualClock
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.runtime.tables import Table
from hutong.scheme.messages import AnyMessage
from hutong.simulation.audit import SWITCH, Audit
from hutong.simulation.cast import Cast, Merchant, Person
from hutong.simulation.disk import Disk, DiskJournal
from hutong.simulation.faults import ANSWER_NS, CALM, COMMIT_NS, Fault, Plan
from hutong.simulation.line import Line
from hutong.simulation.loop import VirtualLoop
from hutong.simulation.marketing_audit import MarketingAudit
from hutong.simulation.offers import PACKET_LIFE_NS, Offers
from hutong.simulation.place import Life, Place, Software
from hutong.simulation.software import Telephone, begin_institution, begin_switch, institution_settings
from hutong.simulation.wire import LossyNetwork

INSTITUTIONS = {"jing": "28", "wei": "62", "yun": "31"}  # Each with the prefix of its payment codes.
BANK = "yun"
START_NS = 1_767_225_600 * NS_PER_S  # 2026-01-01 00:00 UTC: 8 o'clock in China.
TICK_NS = NS_PER_S // 2
TICK_HEALING_NS = 3 * NS_PER_S
TICK_OF_DAYS_NS = 300 * NS_PER_S
_MOMENTS = (  # Seconds from START_NS.
    *(3600, 4 * 3600, 7 * 3600),
    15 * 3600 - 700,  # The cut-off, 23 o'clock in China, comes while we run.
    16 * 3600 - 700,  # Midnight.
    364 * 86_400 + 16 * 3600 - 700,  # New year.
)

Act = Callable[["World"], Coroutine[Any, Any, str]]
Mix = Sequence[tuple[int, Act]]


@dataclass
class Counts:
    """What a run did."""

    acts: Counter[str] = field(default_factory=Counter)  # By act and how it ended.
    faults: Counter[Fault] = field(default_factory=Counter)


class World:
    """Everything there is, and the events that make it live."""

    def __init__(
        self, seed: int, plan: Plan, mix: Mix, trace: TextIO | None = None, *, marketing: bool = False
    ) -> None:
        self.seed = seed
        self.has_marketing = marketing
        self.plan = CALM  # What goes wrong now; `plan_ahead` when everybody has moved in.
        self.plan_ahead = plan
        self.counts = Counts()
        self.chance = seeded_randomness(seed)
        self.loop = VirtualLoop(  # type: ignore[abstract]  # What no node of ours asks of a loop is missing.
            ManualClock(START_NS + self.chance.choice(_MOMENTS) * NS_PER_S)
        )
        self.audit = Audit()
        self.marketing_audit = MarketingAudit(self.audit)
        self.offers = Offers()
        self.audit.on_wrong = self._stop
        self.loop.failed = self.audit.say
        self.telephone = Telephone()
        self.network = LossyNetwork(self.loop, self.chance, CALM, self.counts.faults, self._heard)
        self.line = Line(self.loop, self.chance, CALM, self.counts.faults, self.audit)
        self.cast = Cast()
        self.open_acts = 0
        self.is_over = False  # Whether all that waited for its time has had it.
        self.orders: list[tuple[Person, Order]] = []  # What was ordered, to be tried again.
        self.sales: list[tuple[Merchant, int, int]] = []  # What was paid, to be refunded: to whom, its id, how much.
        self.on_durable: Callable[[Place], None] = lambda _: None
        self.on_boot: Callable[[Place], None] = lambda _: None
        self.journal_type = DiskJournal
        self._mix = mix
        self._weights = [weight for weight, _ in mix]
        self._acts = [act for _, act in mix]
        self._mint = IdMint(self.loop.clock, self.chance)
        self._digest = hashlib.blake2b(digest_size=16)
        self._trace = trace
        self._tick_ns = TICK_NS
        self.began_ns = self.now_ns
        self.places: dict[str, Place] = {}
        self._add(SWITCH, begin_switch)
        for node_id, prefix in INSTITUTIONS.items():
            settings = institution_settings(node_id, prefix)
            life_ns = PACKET_LIFE_NS[node_id] if marketing else 0
            begin = partial(begin_institution, settings=settings, telephone=self.telephone, packet_life_ns=life_ns)
            self._add(node_id, begin)

    @property
    def now_ns(self) -> int:
        return self.loop.clock.ns

    @property
    def switch(self) -> Place:
        return self.places[SWITCH]

    @property
    def institutions(self) -> list[Place]:
        return [place for node_id, place in self.places.items() if node_id != SWITCH]

    @property
    def bank(self) -> Place:
        return self.places[BANK]

    @property
    def digest(self) -> str:
        """Of all that happened until now."""
        return self._digest.hexdigest()

    def mint(self) -> int:
        """An id as a client mints it."""
        return self._mint.mint()

    def note(self, said: str) -> None:
        """Put something into the trace."""
        line = f"{self.now_ns} {said}\n"
        self._digest.update(line.encode())
        if self._trace is not None:
            self._trace.write(line)

    # Its life.

    def boot(self) -> None:
        """Start everything, for the first time."""
        for number, place in enumerate(self.places.values()):
            place.boot()
            self.loop.after(number * TICK_NS // len(self.places), partial(self._tick, place))
        self.loop.run_until(self.now_ns + NS_PER_S)

    def begin_acts(self, every_ns: int, until_ns: int) -> None:
        """People act now and then, until a time, whatever became of what they did before."""

        def next_act() -> None:
            if self.now_ns < until_ns:
                (act,) = self.chance.choices(self._acts, self._weights)
                self.beside(act(self), act.__name__)
                self.loop.after(int(self.chance.expovariate(1) * every_ns), next_act)

        next_act()

    def follow(self, plan: Plan) -> None:
        """From now on so much goes wrong: with nodes, between them, and between them and their clients."""
        self.plan = self.network.plan = self.line.plan = plan

    def calm(self) -> None:
        """From now on nothing goes wrong: what was wrong is mended by whoever made it so."""
        self.follow(CALM)
        self.network.heal()
        self._tick_ns = TICK_HEALING_NS

    def let_time_go(self) -> None:
        """From now on nodes look at the clock now and then: for a whole day to go by."""
        self.is_over = True
        self._tick_ns = TICK_OF_DAYS_NS

    def crash(self, place: Place, *, unheard: bool = False) -> None:
        """Kill a node; a commit on its way to the disk lands, or does not."""
        assert place.life is not None
        journal = place.life.journal
        fault, lands = Fault.CRASH, False
        if unheard:
            fault = Fault.CRASH_UNHEARD
        elif journal.under_way:
            lands = self.chance.random() < 0.5
            fault = Fault.CRASH_LANDED if lands else Fault.CRASH_LOSING
        elif not journal.quiet:
            fault = Fault.CRASH_LOSING
        self.counts.faults[fault] += 1
        self.note(f"{place.node_id} dies: {fault.value}")
        self.network.leave(place.node_id)
        place.crash(lands=lands)

    def restart(self, place: Place) -> None:
        """Start a node again from its disk, with nothing lost: no fault, and not counted as one."""
        self.network.leave(place.node_id)
        place.crash()
        place.boot()

    def beside(self, errand: Coroutine[Any, Any, Any], name: str = "") -> None:
        """What somebody does at the same time; under a name it is counted."""
        self.open_acts += 1
        self.loop.create_task(self._counted(errand, name))

    async def _counted(self, errand: Coroutine[Any, Any, Any], name: str) -> None:
        try:
            ended = await errand
            if name:
                self.counts.acts[f"{name}: {ended}"] += 1
        except Exception as error:  # noqa: BLE001  # Whatever a client meets that is no answer is a violation.
            self.audit.say(f"{name or errand} met {error!r}")
        finally:
            self.open_acts -= 1

    def _tick(self, place: Place) -> None:
        self.loop.after(self._tick_ns, partial(self._tick, place))
        if place.is_up:
            place.software.tick()
            assert place.life is not None
            place.life.ledger.expire()
            place.life.journal.seal()

    # Its places.

    def _add(self, node_id: str, begin: Callable[[Life], Coroutine[Any, Any, Software]]) -> None:
        disk = Disk(self.loop, self._look_up_wait, partial(self._kept, node_id))
        disk.on_commit = partial(self.marketing_audit.committed, node_id)
        self.audit.add(node_id)
        self.places[node_id] = Place(
            node_id,
            self.loop,
            disk,
            seed=self.seed * 1000 + len(self.places),
            begin=partial(self._begin, begin),
            journal=self._journal,
            failed=lambda said: self.audit.say(f"{node_id}: {said}"),
        )

    async def _begin(self, begin: Callable[[Life], Coroutine[Any, Any, Software]], life: Life) -> Software:
        node_id = life.node.node_id
        life.journal.post = self.network.post(node_id)
        software = await begin(life)
        place = self.places[node_id]
        if not life.is_over:
            place.software = software
            self.on_boot(place)
            self.network.join(node_id, software.receive)
            self.note(f"{node_id} is up")
        return software

    def _journal(self, place: Place, position: int) -> DiskJournal:
        journal = self.journal_type(
            place.disk, self.loop, position=position, commit=self._commit_wait, answer=self._answer_wait
        )
        journal.on_durable = lambda: self.on_durable(place)
        return journal

    def _commit_wait(self) -> int:
        plan = self.plan
        if plan.slow_commit and self.chance.random() < plan.slow_commit:
            self.counts.faults[Fault.SLOW_DISK] += 1
            return self.chance.randint(COMMIT_NS[1], plan.slow_commit_ns_max)
        return self.chance.randint(*COMMIT_NS)

    def _answer_wait(self) -> int:
        return self.chance.randint(*ANSWER_NS)

    def _look_up_wait(self) -> int:
        plan = self.plan
        if plan.slow_look_up and self.chance.random() < plan.slow_look_up:
            self.counts.faults[Fault.SLOW_LOOK_UP] += 1
            return self.chance.randint(NS_PER_S // 1000, plan.slow_look_up_ns_max)
        return 0

    # What is seen of it.

    def _stop(self) -> None:
        self.loop.stopped = True

    def _kept(self, node_id: str, table: Table[Any], position: int, row: Any) -> None:
        self._digest.update(table.pack(position, row))
        if self._trace is not None:
            self._trace.write(f"{self.now_ns} {node_id} keeps {table.name} {position} {row}\n")
        self.audit.kept(node_id, table, position, row)

    def _heard(self, sender: str, peer: str, messages: list[AnyMessage]) -> None:
        if self._trace is not None:
            for message in messages:
                self._trace.write(f"{self.now_ns} {sender} to {peer}: {message}\n")
        self.note(f"{sender} to {peer}: {len(messages)}")
        self.audit.heard(sender, peer, messages)
