"""
What people do, one act each; `MIX` says how often. An act is a coroutine of the world that tells how it ended.

A new use case is a function here and a row in the table.
"""

from functools import partial
from typing import Any

from hutong.institution.payments.mandate import withdrawal_creditor
from hutong.institution.payments.payment import Order
from hutong.institution.payments.quotes import Quote
from hutong.institution.payments.refund import RefundOrder
from hutong.institution.payments.request_to_pay import ChargeState
from hutong.institution.recalls.recall import RecallOrder
from hutong.institution.requests.draft import RequestDraft
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency
from hutong.scheme.messages import Channel
from hutong.simulation.cast import Merchant, Person, payment_code
from hutong.simulation.line import SILENCE, Respond
from hutong.simulation.parts import pay_code, pin_token, said, small, some_merchant, somebody, think
from hutong.simulation.world import Mix, World
from hutong.switch.fees import FeeRule

PIN_FREE_PAYMENT_CODE = 100_000
RECENT = 50
_OVER_THE_TOP = 10**9


# Paying.


async def pay_plate(world: World) -> str:
    """A plate on a counter, of any merchant."""
    payer, merchant = somebody(world), some_merchant(world)
    return await pay_code(world, payer, merchant.plate, small(world), merchant)


async def pay_person(world: World) -> str:
    """A friend's personal code."""
    payer, payee = somebody(world), somebody(world)
    return await pay_code(world, payer, payee.code, small(world))


async def pay_request(world: World) -> str:
    """A dynamic code on a till's screen; at times two pay the same one, and at times it is cancelled meanwhile."""
    merchant = some_merchant(world)
    request = await _make_request(world, merchant, lifetime_s=world.chance.choice((None, None, 30)))
    if request is None:
        return "not asked"
    request_id, code = request
    payers = [somebody(world)]
    if world.chance.random() < 0.2:
        payers.append(somebody(world))
        world.beside(pay_code(world, payers[1], code, 0, merchant))
    if world.chance.random() < 0.1:
        await think(world, 5)
        world.beside(_cancel(world, merchant, request_id))
    if world.chance.random() < 0.1:
        await think(world, 60)  # Too late, perhaps.
    return await pay_code(world, payers[0], code, 0, merchant)


async def pay_wrong_amount(world: World) -> str:
    """A dynamic code, and an amount it does not ask for; an amount nobody has; none at all."""
    merchant, payer = some_merchant(world), somebody(world)
    if world.chance.random() < 0.5:
        return await pay_code(world, payer, merchant.plate, world.chance.choice((0, 49_999, _OVER_THE_TOP)), merchant)
    request = await _make_request(world, merchant)
    if request is None:
        return "not asked"
    return await pay_code(world, payer, request[1], world.chance.randint(1, 5_000), merchant, insist=True)


async def retry_with_other_content(world: World) -> str:
    """The id of an earlier payment, with another amount or by somebody else."""
    if not world.orders:
        return "nothing yet"
    payer, order = world.chance.choice(world.orders)
    other = Order(payment_id=order.payment_id, quote_id=order.quote_id, amount=(order.amount or 1) + 1)
    if world.chance.random() < 0.3:
        payer, other = somebody(world), order
    return said(await world.line.pay(payer, other))


async def retry(world: World) -> str:
    """An earlier payment, withdrawal, top-up, charge or refund once more, word for word."""
    if world.line.asked and world.chance.random() < 0.5:
        place, verb = world.chance.choice(world.line.asked[-RECENT:])
        answer = await world.line.ask(place, verb)
        return said(answer if isinstance(answer, Refusal | bool) or answer is SILENCE else "answered")
    if not world.orders:
        return "nothing yet"
    payer, order = world.chance.choice(world.orders[-RECENT:])
    return said(await world.line.pay(payer, order))


async def charge(world: World) -> str:
    """A till scans a payment code; above CNY 1,000 the payer is asked, and says yes, no or nothing."""
    merchant, payer = some_merchant(world), somebody(world)
    amount = world.chance.choice((300, 4_500, 9_900, 9_900, 120_000))
    skew_ns = world.chance.randint(-20, 10) * NS_PER_S  # Telephones are off, too.
    draft = RequestDraft(
        reference=f"C{world.mint():x}",
        amount=amount,
        channel=Channel.PAYMENT_CODE,
        payer_code=payment_code(payer, world.now_ns + skew_ns),
    )
    if amount > PIN_FREE_PAYMENT_CODE:
        world.beside(_approve(world, payer))

    def verb(institution: Any, respond: Respond) -> None:
        institution.tills.charge(merchant.key, draft, respond)

    world.line.asked.append((merchant.place, verb))
    answer = await world.line.ask(merchant.place, verb)
    if isinstance(answer, Refusal) or answer is SILENCE:
        return said(answer)
    if answer.state == ChargeState.PAID:
        world.audit.charge_told(merchant.place.node_id, answer.id)
    return str(answer.state)


async def top_up(world: World) -> str:
    """Money in, from one's account at the bank."""
    person, top_up_id, amount = somebody(world), world.mint(), world.chance.randint(100, 60_000)
    if not person.bank_account_id:
        return "is the bank's own"

    def verb(institution: Any, respond: Respond) -> None:
        institution.payments.bank_link.top_up(person.user_id, top_up_id, person.bank_account_id, amount, respond)

    world.line.asked.append((person.place, verb))
    answer = await world.line.ask(person.place, verb)
    return said(answer) if isinstance(answer, Refusal) or answer is SILENCE else str(answer.state)


async def withdraw(world: World) -> str:
    """Money out, to one's account at the bank."""
    person, payment_id, amount = somebody(world), world.mint(), world.chance.randint(100, 40_000)
    if not person.bank_account_id:
        return "is the bank's own"
    token = await pin_token(world, person, payment_id, amount, withdrawal_creditor(person.bank_account_id))
    if not isinstance(token, str):
        return said(token)

    def verb(institution: Any, respond: Respond) -> None:
        answer = partial(world.line.paid, person.place, respond)
        link = institution.payments.bank_link
        asked = (person.user_id, payment_id, person.bank_account_id, amount, token, answer)
        withdrawing = partial(link.withdraw, *asked)
        institution.node.spawn(world.line.refused_or(withdrawing, respond))

    world.line.asked.append((person.place, verb))
    return said(await world.line.ask(person.place, verb))


async def pay_in(world: World) -> str:
    """Money that came from outside, as the operator notes it."""
    person, id_, amount = somebody(world), world.mint(), world.chance.randint(1, 50_000)

    def verb(institution: Any, respond: Respond) -> None:
        institution.payments.pay_in(id_, person.user_id, amount, respond)

    return said(await world.line.ask(person.place, verb) or "done")


# Giving back.


async def refund(world: World) -> str:
    """A part of a payment, most of it, all of it, or more than it was; at times twice at once."""
    if not world.sales:
        return "nothing yet"
    merchant, payment_id, gross = world.chance.choice(world.sales[-200:])
    amount = world.chance.choice((1, gross // 3 or 1, gross // 2 or 1, gross, gross, gross + 1))
    orders = [RefundOrder(refund_id=world.mint(), payment_id=payment_id, amount=amount)]
    if world.chance.random() < 0.3:
        orders.append(RefundOrder(refund_id=world.mint(), payment_id=payment_id, amount=gross // 2 or 1))
        world.beside(world.line.refund(merchant, orders[1]))
    return said(await world.line.refund(merchant, orders[0]))


async def recall(world: World) -> str:
    """The payer's institution asks a payment back, for fraud or by mistake."""
    if not world.orders:
        return "nothing yet"
    payer, order = world.chance.choice(world.orders[-RECENT:])
    wanted = RecallOrder(
        recall_id=world.mint(),
        payment_id=order.payment_id,
        reason=world.chance.choice(("FRAD", "DUPL")),
        amount=world.chance.choice((0, 0, 30)),
    )
    return said(await world.line.decide(payer.place, lambda node: node.recalls.recalls.open("operator", wanted)))


async def answer_dispute(world: World) -> str:
    """The payee's institution gives back what is asked, or a part of it, or nothing."""
    place = world.chance.choice(world.institutions)
    cases = await world.line.decide(
        place, lambda node: [case.id for case in node.recalls.disputes.disputes.everything() if case.is_open]
    )
    if not isinstance(cases, list) or not cases:
        return "no case"
    id_, how = world.chance.choice(cases), world.chance.randrange(3)

    def answer(node: Any) -> Any:
        disputes = node.recalls.disputes
        return disputes.reject("operator", id_, "CUST") if how == 0 else disputes.accept("operator", id_, 0)

    return said(await world.line.decide(place, answer))


# Operators.


async def change_cap(world: World) -> str:
    """A net debit cap goes up, or down by what is unused."""
    node_id = world.chance.choice(world.institutions).node_id
    id_, amount = world.mint(), world.chance.randint(1, 2_000_000)
    goes_up = world.chance.random() < 0.6

    def verb(switch: Any, respond: Respond) -> None:
        change = switch.admission.grant_cap if goes_up else switch.admission.lower_cap
        change(id_, node_id, Currency.CNY, amount, then=lambda status: _after(switch, respond, status))

    answer = await world.line.ask(world.switch, verb)
    return said(answer) if isinstance(answer, Refusal | str) else answer.name


async def close_window(world: World) -> str:
    """The open settlement window closes before its time, while payments go on."""

    def close(switch: Any) -> Any:
        return switch.windows.close(switch.windows.windows()[-1].window)

    return said(await world.line.decide(world.switch, close))


async def suspend_participant(world: World) -> str:
    """An institution is suspended for a while; what is reserved is still decided."""
    node_id = world.chance.choice(world.institutions).node_id
    await world.line.decide(world.switch, lambda switch: switch.admission.suspend(node_id))
    await think(world, 20)
    return said(await world.line.decide(world.switch, lambda switch: switch.admission.resume(node_id)))


async def suspend_merchant(world: World) -> str:
    """A merchant is suspended for a while."""
    merchant = some_merchant(world)
    await world.line.decide(merchant.place, lambda node: node.merchants.suspend(merchant.merchant_id))
    await think(world, 20)
    return said(await world.line.decide(merchant.place, lambda node: node.merchants.resume(merchant.merchant_id)))


async def freeze_person(world: World) -> str:
    """A user is frozen for a while, by the operator or by themselves."""
    person, operator = somebody(world), world.chance.choice(("", "operator"))
    await world.line.decide(person.place, lambda node: node.people.freeze(person.user_id, "to see", operator=operator))
    await think(world, 20)
    return said(
        await world.line.decide(
            person.place, lambda node: node.people.unfreeze(person.user_id, "seen", operator=operator)
        )
    )


async def change_fees(world: World) -> str:
    """The scheme publishes a schedule; a merchant's fee changes."""
    version = f"v{world.mint():x}"[:35]
    starts_ns = world.now_ns + 30 * NS_PER_S
    rules = [FeeRule(interchange_bps=world.chance.randint(0, 30), switch_fee_bps=world.chance.randint(0, 8))]
    return said(
        await world.line.decide(world.switch, lambda switch: switch.admission.publish_fees(version, starts_ns, rules))
    )


# Its parts.


async def _make_request(world: World, merchant: Merchant, lifetime_s: int | None = None) -> tuple[int, str] | None:
    draft = RequestDraft(reference=f"R{world.mint():x}", amount=world.chance.randint(1, 9_000), lifetime_s=lifetime_s)
    request = await world.line.decide(merchant.place, lambda node: node.requests.create(merchant.key, draft))
    if isinstance(request, Refusal) or request is SILENCE:
        return None
    text = await world.line.decide(merchant.place, lambda node: node.requests.texts(request)[0])
    return (request.id, text) if text.startswith("https:") else None


async def _cancel(world: World, merchant: Merchant, request_id: int) -> Any:
    return await world.line.decide(merchant.place, lambda node: node.requests.cancel(merchant.key, request_id))


async def _approve(world: World, payer: Person) -> Any:
    """Look for tills that wait for us; yes, mostly."""
    for _ in range(4):
        await think(world, 5)
        waiting = await world.line.ask_errand(
            payer.place, lambda node: node.payments.to_pays.waiting(payer.user_id), tries=2
        )
        for row in waiting if isinstance(waiting, list) else ():
            if world.chance.random() < 0.2:
                await world.line.decide(payer.place, partial(_decline, payer, row.id))
                continue
            token = await pin_token(world, payer, row.payment_id, row.amount, row.terms.creditor)
            # Some wallets show the price before, and what became of it meanwhile is refused by name.
            shows = world.chance.random() < 0.5
            quote = await world.line.decide(payer.place, partial(_quoted, payer, row.id)) if shows else None
            if isinstance(token, str):
                quote_id = quote.id if isinstance(quote, Quote) else 0
                await world.line.ask(payer.place, partial(_approve_row, world, payer, row.id, token, quote_id))
    return None


def _quoted(payer: Person, id_: int, node: Any) -> Any:
    return node.payments.to_pays.quote(payer.user_id, id_)


def _approve_row(world: World, payer: Person, id_: int, token: str, quote_id: int, node: Any, respond: Respond) -> None:
    answer = partial(world.line.paid, payer.place, respond)
    node.payments.to_pays.approve(payer.user_id, id_, token, answer, quote_id=quote_id)


def _decline(payer: Person, id_: int, node: Any) -> Any:
    return node.payments.to_pays.decline(payer.user_id, id_)


def _after(switch: Any, respond: Respond, answer: Any) -> None:
    switch.node.journal.effect(partial(respond, answer))


MIX: Mix = (  # Of a thousand acts.
    (300, pay_plate),
    (120, pay_person),
    (140, pay_request),
    (110, charge),
    (50, top_up),
    (40, withdraw),
    (110, refund),
    (40, retry),
    (25, retry_with_other_content),
    (25, pay_wrong_amount),
    (15, pay_in),
    (10, change_cap),
    (20, recall),
    (20, answer_dispute),
    (5, close_window),
    (3, suspend_participant),
    (3, suspend_merchant),
    (6, freeze_person),
    (3, change_fees),
)
