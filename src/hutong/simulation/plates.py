"""Plates of merchants that take something off: a payer types an amount, thinks again, and pays; what was shown is what is paid."""

from typing import Any

from hutong.institution.payments.payment import PAYMENT_OUTCOMES, PAYMENTS, Order, claimant
from hutong.institution.payments.quotes import Quote
from hutong.institution.payments.receipt import RECEIPT_OUTCOMES, RECEIPTS
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.award import ALL_AWARDS, Award
from hutong.simulation.cast import Person
from hutong.simulation.place import Place
from hutong.simulation.world import World

_AMOUNTS = (1, 3, 4, 7, 99, 250, 520, 1_300, 2_999)
_THINKS_S = 4


async def change_ones_mind(world: World) -> str:
    """A plate, looked at without an amount and with two; either amount is paid, by any of the three quotes."""
    chance = world.chance
    payer, merchant = chance.choice(world.cast.people), chance.choice(world.cast.merchants)
    first, second = chance.choice(_AMOUNTS), chance.choice(_AMOUNTS)
    quotes = []
    for amount in (0, first, second):
        quote = await _look(world, payer, merchant.plate, amount)
        if isinstance(quote, Quote):
            quotes.append(quote)
            await world.loop.wait(chance.randrange(_THINKS_S * NS_PER_S))
    if not quotes:
        return "not shown"
    quote, amount = chance.choice(quotes), chance.choice((first, second))
    order = Order(payment_id=world.mint(), quote_id=quote.id, amount=amount)
    world.orders.append((payer, order))
    answer = await world.line.pay(payer, order)
    if answer is True:
        world.sales.append((merchant, order.payment_id, amount))
        return _as_shown(world, payer, quote, order)
    if isinstance(answer, Refusal):
        return answer.reason.name
    return "rejected" if answer is False else str(answer)


async def _look(world: World, payer: Person, plate: str, amount: int) -> Any:
    return await world.line.ask_errand(
        payer.place, lambda node: node.payments.consults.consult(payer.user_id, plate, amount), tries=2
    )


def _as_shown(world: World, payer: Person, quote: Quote, order: Order) -> str:
    terms = quote.terms
    if terms.payee_discount and order.amount != terms.discounted:
        world.audit.say(f"payment {order.payment_id:032x} of {order.amount} has the discount of {terms.discounted}")
    paid = {row.id: row.paid for _, row in payer.place.disk.rows[PAYMENTS.name]}[order.payment_id]
    if paid != order.amount - quote.discount - terms.payee_discount:
        world.audit.say(f"payment {order.payment_id:032x} took {paid}, and its payer was shown another sum")
    return "completed, for less" if terms.payee_discount else "completed"


def check_plates(world: World) -> None:
    """What was taken off what merchants are paid is awards of theirs, for whoever was paid; and of nobody else."""
    for place in world.institutions:
        for said in _wrong(place):
            world.audit.say(f"{place.node_id}: {said}")


def _wrong(place: Place) -> list[str]:
    awards: dict[int, Award] = {row.id: row for _, row in place.disk.rows[ALL_AWARDS.name]}
    given: dict[int, int] = {}
    for award in awards.values():
        left = award.amount if award.left or award.returned else 0
        given[award.payment_id] = given.get(award.payment_id, 0) + left
    wrong = []
    for who, id_, off in _taken_off(place):
        has = given.get(claimant(who, id_), 0)
        if has != off:
            wrong.append(f"payment {id_:032x} of {who} had {off} taken off, and its awards are {has}")
    return wrong


def _taken_off(place: Place) -> list[tuple[str, int, int]]:
    """Of every payment to a merchant here: whose, its id, and what was taken off; nothing, if it was rejected."""
    rows = place.disk.rows
    completed = {
        table: {row.id for _, row in rows[table] if row.completed}
        for table in (PAYMENT_OUTCOMES.name, RECEIPT_OUTCOMES.name)
    }
    found = [
        (row.debtor_agent, row.id, row.payee_discount if row.id in completed[RECEIPT_OUTCOMES.name] else 0)
        for _, row in rows[RECEIPTS.name]
    ]
    found += [
        (place.node_id, row.id, row.payee_discount if row.id in completed[PAYMENT_OUTCOMES.name] else 0)
        for _, row in rows[PAYMENTS.name]
        if row.creditor_agent == place.node_id
    ]
    return found
