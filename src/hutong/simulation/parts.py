"""What acts are made of: who does it, how long they think, how one pays."""

from typing import Any

from hutong.institution.payments.payment import Order
from hutong.institution.payments.quotes import Quote
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.simulation.cast import PIN, Merchant, Person
from hutong.simulation.world import World

PIN_FREE = 20_000
_SMALL = (*(1, 7, 50, 99, 130, 250, 333, 520, 777, 1_300) * 3, 2_999, 7_777, 21_000)


async def pay_code(
    world: World,
    payer: Person,
    code: str,
    amount: int,
    merchant: Merchant | None = None,
    *,
    insist: bool = False,
    chosen: tuple[int, ...] | None = None,
) -> str:
    """
    Consult, confirm with the PIN where it is needed, and pay.

    `insist` on an amount the code does not ask for; `chosen` are the coupons to use, None whatever is best.
    """
    quote = await world.line.ask_errand(
        payer.place, lambda node: node.payments.consults.consult(payer.user_id, code, amount, chosen), tries=3
    )
    if not isinstance(quote, Quote):
        return said(quote)
    await think(world, 3)
    gross = quote.terms.amount or amount
    payment_id, token = world.mint(), ""
    if gross > PIN_FREE:
        token = await pin_token(world, payer, payment_id, gross, quote.terms.creditor)
        if not isinstance(token, str):
            return said(token)
    order = Order(
        payment_id=payment_id,
        quote_id=quote.id,
        amount=amount if insist or not quote.terms.amount else 0,
        pin_token=token,
    )
    world.orders.append((payer, order))
    answer = await world.line.pay(payer, order)
    if answer is True and merchant is not None:
        world.sales.append((merchant, payment_id, gross))
    return said(answer)


async def pin_token(world: World, person: Person, payment_id: int, amount: int, creditor: str) -> Any:
    """What typing the PIN gives, mostly; some mistype it."""
    typed = PIN if world.chance.random() < 0.98 else "000001"
    return await world.line.ask_errand(
        person.place,
        lambda node: node.people.pin_token(person.user_id, typed, payment_id, amount, creditor),
        tries=2,
    )


async def think(world: World, seconds_max: int) -> None:
    """Take some time."""
    await world.loop.wait(world.chance.randrange(seconds_max * NS_PER_S))


def somebody(world: World) -> Person:
    """Anybody who lives here."""
    return world.chance.choice(world.cast.people)


def some_merchant(world: World) -> Merchant:
    """Any shop."""
    return world.chance.choice(world.cast.merchants)


def small(world: World) -> int:
    """What people pay at a counter."""
    return world.chance.choice(_SMALL)


def said(answer: Any) -> str:
    """How an act ended."""
    match answer:
        case Refusal():
            return answer.reason.name
        case bool():
            return "completed" if answer else "rejected"
        case str():
            return answer
        case _:
            return "done"
