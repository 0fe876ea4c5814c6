"""
Regulars at small shops: many small payments, by the same services that the API asks, without a request for each.

An hour of a shop that takes something off brings a second customer more often than one that does not: that is what the
campaign's figures find.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from hutong.app.sample_means import Means
from hutong.app.sample_offers import (
    COUNTERS,
    JOINED,
    REGULARS,
    TEA_CLOCK,
    TEA_DAYS,
    TEA_PRICE,
    VISIT_CLOCKS,
    VISIT_DAYS,
    Counter,
    Regular,
)
from hutong.institution.payments.api import PaymentEdge
from hutong.institution.payments.payment import Order
from hutong.kernel.ids import parse_id

# Whether one more comes: where it is cheaper, and where it is not; so far apart that a week of chance seldom hides it.
_OFTEN, _SELDOM = (1, 1, 0), (0, 0, 0, 0, 0, 0, 0, 0, 0, 1)


class Visits:
    """What regulars pay, by the hour."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._users: dict[str, int] = {}

    async def come(self, regular: Regular) -> None:
        """Register, and pay something in over the counter."""
        door, means = self._means.client(regular.node), self._means
        device = means.id_of("dev", regular.phone)
        await door.post("/v1/users/codes", {"phone": regular.phone})
        sandbox = means.network[regular.node].site.sandbox
        assert sandbox is not None, "samples are for networks for trying out"
        sent = {"phone": regular.phone, "code": sandbox.one_time_code(regular.phone), "device_id": device}
        registered = {**sent, "name": regular.name, "registration_id": device, "device_name": f"{regular.name}的手机"}
        user_id = (await door.post("/v1/users", registered))["user"]["id"]
        self._users[regular.node] = parse_id("usr", user_id)
        paid_in = {"pay_in_id": means.id_of("pin", regular.phone), "user_id": user_id, "amount": regular.paid_in_minor}
        await means.operator(regular.node).post("/v1/operator/pay-ins", paid_in)

    def happenings(self) -> Iterator[tuple[int, Callable[[], Awaitable[Any]]]]:
        """When, and what then."""
        of = self._means.clock.of
        for day in VISIT_DAYS:
            for turn, clock in enumerate(VISIT_CLOCKS):
                yield of(day, clock), partial(self._hour, day * len(VISIT_CLOCKS) + turn)
        for day in TEA_DAYS:
            yield of(day, TEA_CLOCK), partial(self._tea, day)

    async def _hour(self, turn: int) -> None:
        await asyncio.gather(*(self._at(counter, turn, place) for place, counter in enumerate(COUNTERS)))

    async def _at(self, counter: Counter, turn: int, place: int) -> None:
        """One comes; then perhaps one more."""
        price, number = counter.prices[turn % len(counter.prices)], turn + place
        is_cheaper = await self._pay(REGULARS[number % len(REGULARS)], counter.stall.key, price)
        habit = _OFTEN if is_cheaper else _SELDOM
        if habit[turn % len(habit)]:
            await self._pay(REGULARS[(number + 1) % len(REGULARS)], counter.stall.key, price)

    async def _tea(self, day: int) -> None:
        for place, stall in enumerate(JOINED):
            await self._pay(REGULARS[(day + place) % len(REGULARS)], stall.key, TEA_PRICE)

    async def _pay(self, regular: Regular, shop: str, amount: int) -> bool:
        """Pay what the plate on its counter asks for; whether the shop took something off."""
        institution, user_id = self._means.network[regular.node].site.node, self._users[regular.node]
        payments = institution.payments
        edge = PaymentEdge(payments, institution.people, institution.tills, institution.counter)
        quote = await payments.consults.consult(user_id, self._means.plates[shop], amount)
        order = Order(payment_id=self._means.mint.mint(), quote_id=quote.id, amount=amount)
        await edge.concluded(lambda answer: payments.debtor.pay(user_id, order, answer))
        return bool(quote.terms.payee_discount > 0)
