"""The line between a client and its institution: requests and answers get lost, and the client asks again."""

from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from hutong.institution.payments.payment import Order
from hutong.institution.payments.refund import RefundOrder
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import SeededRandomness
from hutong.runtime.journal import JournalHalted, durable
from hutong.simulation.audit import Audit
from hutong.simulation.cast import Merchant, Person
from hutong.simulation.faults import WIRE_NS, Fault, Plan
from hutong.simulation.loop import VirtualLoop
from hutong.simulation.place import Life, Place

WAIT_NS = 8 * NS_PER_S
TRIES_MAX = 6
UNDECIDED, SILENCE = "undecided", "silence"

Respond = Callable[[Any], None]
Verb = Callable[[Any, Respond], None]  # Of a node's software: decides, and responds when that is durable.
Errand = Callable[[Any], Coroutine[Any, Any, Any]]


class Line:
    """How clients reach nodes. An answer is a value, a `Refusal`, or SILENCE after all tries."""

    def __init__(
        self, loop: VirtualLoop, chance: SeededRandomness, plan: Plan, faults: Counter[Fault], audit: Audit
    ) -> None:
        self.plan = plan
        self.asked: list[tuple[Place, Verb]] = []  # What was asked for under an id of one's own, to be asked again.
        self._loop = loop
        self._chance = chance
        self._faults = faults
        self._audit = audit

    async def ask(self, place: Place, verb: Verb, *, tries: int = TRIES_MAX) -> Any:
        """Ask until there is an answer that is one; the same verb each time, so the same ids."""
        loop, answer = self._loop, SILENCE
        for attempt in range(tries):
            answered = loop.create_future()
            self._send(place, verb, partial(_set, answered))
            loop.after(WAIT_NS << attempt // 2, partial(_set, answered, SILENCE))
            answer = await answered
            if answer is not SILENCE and answer is not UNDECIDED:
                return answer
        return answer

    async def ask_errand(self, place: Place, errand: Errand, *, tries: int = TRIES_MAX) -> Any:
        """As `ask`, of something that itself waits."""

        def verb(software: Any, respond: Respond) -> None:
            life = place.life
            assert life is not None
            software.node.spawn(self._run(life, partial(errand, software), respond))

        return await self.ask(place, verb, tries=tries)

    async def decide(self, place: Place, decision: Callable[[Any], Any]) -> Any:
        """As `ask`, of a decision whose result is the answer."""

        def verb(software: Any, respond: Respond) -> None:
            answer = decision(software)
            software.node.journal.effect(partial(respond, answer))

        return await self.ask(place, verb)

    async def pay(self, payer: Person, order: Order) -> Any:
        """Whether a payment completed, as its payer is told; or SILENCE, or the refusal."""

        def verb(institution: Any, respond: Respond) -> None:
            session = institution.people.session(payer.token)
            answer = partial(self.paid, payer.place, respond)
            institution.payments.debtor.pay(session.user_id, order, answer)

        return await self.ask(payer.place, verb)

    async def refund(self, merchant: Merchant, order: RefundOrder) -> Any:
        """As `pay`."""

        def verb(institution: Any, respond: Respond) -> None:
            answer = partial(self._refunded, merchant.place, respond)
            institution.payments.refunds.refund(merchant.merchant_id, order, answer)

        self.asked.append((merchant.place, verb))
        return await self.ask(merchant.place, verb)

    def paid(self, place: Place, respond: Respond, payment: Any, outcome: Any) -> None:
        """What a node answers about a payment, on its way to the client."""
        self._told(place, "payment_outcomes", respond, payment, outcome)

    async def refused_or(self, errand: Callable[[], Coroutine[Any, Any, None]], respond: Respond) -> None:
        """An errand that answers by itself, or refuses."""
        try:
            await errand()
        except Refusal as refusal:
            respond(refusal)

    def _refunded(self, place: Place, respond: Respond, refund: Any, outcome: Any) -> None:
        self._told(place, "refund_outcomes", respond, refund, outcome)

    def _told(self, place: Place, table: str, respond: Respond, thing: Any, outcome: Any) -> None:
        if outcome is None:
            respond(UNDECIDED)
            return
        self._audit.told(place.node_id, table, thing.id, completed=outcome.completed)
        respond(outcome.completed)

    # On the way.

    def _send(self, place: Place, verb: Verb, answered: Respond) -> None:
        self._carry(partial(self._arrive, place, verb, answered))

    def _carry(self, run: Callable[[], None]) -> None:
        if self.plan.client_loss and self._chance.random() < self.plan.client_loss:
            self._faults[Fault.CLIENT_LOSS] += 1
            return
        self._loop.after(self._chance.randint(*WIRE_NS), run)

    def _arrive(self, place: Place, verb: Verb, answered: Respond) -> None:
        life = place.life
        if life is None or not place.is_up:
            return  # Nobody listens there.

        def respond(answer: Any) -> None:
            self._carry(partial(answered, answer))

        def decision() -> None:
            try:
                verb(place.software, respond)
            except Refusal as refusal:
                # As an edge does: what a no stands on may not be durable yet.
                life.journal.effect(partial(respond, refusal))

        with suppress(JournalHalted):  # It is about to start again.
            life.node.decide(decision, partial(self._failed, respond))

    def _failed(self, respond: Respond, error: Exception) -> None:
        if isinstance(error, Refusal):
            respond(error)
        elif not isinstance(error, JournalHalted):
            raise error

    async def _run(self, life: Life, errand: Callable[[], Coroutine[Any, Any, Any]], respond: Respond) -> None:
        try:
            answer = await errand()
        except Refusal as refusal:
            answer = refusal
        await durable(life.journal)
        respond(answer)


def _set(answered: Any, answer: Any) -> None:
    if not answered.done():
        answered.set_result(answer)
