"""Programmes: merchants join what institutions give, and leave again, while people pay there."""

from functools import partial
from typing import Any

from hutong.marketing.campaigns.campaign import Campaign
from hutong.marketing.campaigns.enrolment import enrolment_id
from hutong.simulation.cast import Merchant
from hutong.simulation.parts import pay_code, said, small, some_merchant, somebody
from hutong.simulation.world import World


async def join_programme(world: World) -> str:
    """A merchant takes part with one tap, or no longer; at times both at once, at times while somebody pays there."""
    merchant, pick, joins = some_merchant(world), world.chance.random(), world.chance.random() < 0.6
    found = await world.line.decide(merchant.place, lambda node: node.marketing.programmes.open())
    if not isinstance(found, list) or not found:
        return said(found) if found else "none is open"
    programme = found[int(pick * len(found))]
    if world.chance.random() < 0.2:
        world.beside(_tap(world, merchant, programme, joins=not joins))
    if world.chance.random() < 0.5:
        payer, amount = somebody(world), small(world)
        world.beside(pay_code(world, payer, merchant.plate, amount, merchant), "pay_meanwhile")
    return await _tap(world, merchant, programme, joins=joins)


async def _tap(world: World, merchant: Merchant, programme: Campaign, *, joins: bool) -> str:
    answer = await world.line.decide(merchant.place, partial(_change, programme.id, merchant.merchant_id, joins=joins))
    if not isinstance(answer, Campaign):
        return said(answer)
    kept = world.audit.nodes[merchant.place.node_id].rows["enrolments"]
    if joins and enrolment_id(programme.id, merchant.merchant_id) not in kept:
        world.audit.say(f"merchant {merchant.merchant_id:032x} was told that it has joined, and that is not durable")
    return "joined" if joins else "left"


def _change(programme_id: int, merchant_id: int, node: Any, *, joins: bool) -> Any:
    programmes = node.marketing.programmes
    return (programmes.join if joins else programmes.leave)(programme_id, merchant_id)


def check_programmes(world: World) -> None:
    """Who takes part is who the rows say, in every life: no merchant has to tap twice."""
    for place in world.institutions:
        given = world.marketing_audit.of(world.audit.nodes[place.node_id])
        programmes, merchants = place.software.marketing.programmes, given.view.rows["merchants"]
        for campaign_id in given.view.rows["campaigns"]:
            joined = given.members.of(campaign_id)
            here = {id_ for id_ in merchants if programmes.has_joined(campaign_id, id_)}
            if here != joined or programmes.count(campaign_id) != len(joined):
                world.audit.say(
                    f"{place.node_id}: of programme {campaign_id:032x} are {len(here)}, and {len(joined)} joined"
                )
