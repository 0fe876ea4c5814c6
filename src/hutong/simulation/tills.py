"""Merchants' own coupons: sent with a code, taken at the till, given back, ended. No payment is made cheaper by them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hutong.kernel.errors import Refusal
from hutong.marketing.coupons.template import ClaimLimits, CouponKind, CouponTerms
from hutong.marketing.coupons.validity import Validity
from hutong.runtime.shelf import decided
from hutong.simulation.line import SILENCE, Respond
from hutong.simulation.parts import said
from hutong.simulation.place import Place
from hutong.simulation.world import World

_STOCK, _LOADED = 25, 8  # Coupons of each merchant, and codes that it has brought for them.
_LETTERS = 12  # So many codes does a merchant make up, some of them again.
_RECENT = 6
_WHAT = (*["send"] * 4, *["take"] * 6, *["give_back"] * 2, "bind", "void", "delete")


async def found_tills(world: World) -> None:
    """A merchant of each institution has coupons of its own, some of whose codes it has brought."""
    terms = CouponTerms(
        kind=CouponKind.AMOUNT_OFF,
        amount_off=60,
        validity=Validity(days=7),
        limits=ClaimLimits(per_person=9, per_device=0),
    )
    for place in world.institutions:
        merchant = next(each for each in world.cast.merchants if each.place is place)
        coupons, journal, id_ = place.software.marketing.coupons, place.software.node.journal, world.mint()
        create = partial(coupons.templates.create_for_till, id_, merchant.merchant_id, "面馆的券", terms, _STOCK)
        await decided(journal, create)
        await decided(journal, partial(coupons.till.load, id_, [f"L{number}" for number in range(_LOADED)]))
        world.offers.at_tills.append((place, id_))


async def coupon_at_till(world: World) -> str:
    """A merchant's software sends one, or two tills read one and the same code at once; or it is given back, or ended."""
    place, template_id = world.chance.choice(world.offers.at_tills)
    what = world.chance.choice(_WHAT)
    if what == "send":
        return await _send(world, place, template_id)
    known = [letters for at, letters in world.offers.till_codes[-_RECENT * 3 :] if at == template_id]
    if what == "delete" or not known:
        letters = f"L{world.chance.randrange(_LOADED)}"
        return said(await _once(world, place, lambda node: _till(node).delete(template_id, letters)))
    letters = world.chance.choice(known[-_RECENT:])
    if what != "take":
        return said(await _once(world, place, lambda node: _change(node, what, template_id, letters)))
    if world.chance.random() < 0.3:
        world.beside(_take(world, place, template_id, letters))
    return await _take(world, place, template_id, letters)


async def _send(world: World, place: Place, template_id: int) -> str:
    claim_id, person = world.mint(), world.chance.choice([each for each in world.cast.people if each.place is place])
    letters = f"M{world.chance.randrange(_LETTERS)}" if world.chance.random() < 0.5 else ""

    def send(node: Any) -> Any:
        return _till(node).send(claim_id, template_id, person.user_id, letters, sent_by=1, number=f"{claim_id:x}")

    answer = await _once(world, place, send)
    if isinstance(answer, Refusal) or answer is SILENCE:
        return said(answer)
    world.offers.till_codes.append((template_id, answer.letters))
    return "sent"


async def _take(world: World, place: Place, template_id: int, letters: str) -> str:
    number = f"{world.mint():x}"

    def take(node: Any) -> Any:
        return _till(node).take(_till(node).code(template_id, letters), number, order_no="", paid_for="")

    answer = await _once(world, place, take)
    if isinstance(answer, Refusal) or answer is SILENCE:
        return said(answer)
    world.marketing_audit.coupons.told_taken(world.audit.nodes[place.node_id], answer[0].id, number)
    return "taken"


def _change(node: Any, what: str, template_id: int, letters: str) -> Any:
    till = _till(node)
    code = till.code(template_id, letters)
    match what:
        case "bind":
            return till.bind(code, "O1")
        case "give_back":
            return till.give_back(code, "G1")
        case _:
            assert what == "void"
            return till.void(code, "V1", "")


def _till(node: Any) -> Any:
    return node.marketing.coupons.till


async def _once(world: World, place: Place, decision: Callable[[Any], Any]) -> Any:
    """Asked for once: it is the gateway that answers the same again under the same number."""

    def verb(node: Any, respond: Respond) -> None:
        answer = decision(node)
        node.node.journal.effect(partial(respond, answer))

    return await world.line.ask(place, verb, tries=1)
