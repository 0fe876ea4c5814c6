"""What institutions say to each other of their merchants, while operators change their minds: whoever gave money on it has it in writing."""

from functools import partial
from typing import Any

from msgspec import json

from hutong.institution.payments.payment import PAYMENTS
from hutong.marketing.campaigns.award import ALL_AWARDS, MERCHANT_SAID
from hutong.marketing.campaigns.campaign import CAMPAIGNS
from hutong.marketing.campaigns.parties import SMALL, elsewhere
from hutong.marketing.campaigns.trait import STATEMENTS, TraitOf
from hutong.scheme.messages import MerchantFacts
from hutong.simulation.parts import pay_code, said, small, some_merchant, somebody
from hutong.simulation.place import Place
from hutong.simulation.world import World

_WORDS = ((), (SMALL,), (SMALL, "old-town"), ("old-town",))


async def say_of_merchant(world: World) -> str:
    """An operator says what a merchant is from now on; at times while somebody pays there."""
    merchant, words, shares = some_merchant(world), world.chance.choice(_WORDS), world.chance.random() < 0.5
    if world.chance.random() < 0.5:
        payer, amount = somebody(world), small(world)
        world.beside(pay_code(world, payer, merchant.plate, amount, merchant), "pay_meanwhile")
    shared = [each for each in words if shares]
    answer = await world.line.decide(merchant.place, partial(_say, merchant.merchant_id, list(words), shared))
    return "small" if answer is True else "not small" if answer is False else said(answer)


def _say(merchant_id: int, words: list[str], shared: list[str], node: Any) -> bool:
    return SMALL in node.marketing.parties.say(TraitOf.MERCHANT, merchant_id, words, "", shared).told


def check_said(world: World) -> None:
    """Whatever an award was given on that another institution said is in that one's rows, and it fits the campaign's rules."""
    written = {place.node_id: _written(place) for place in world.institutions}
    for place in world.institutions:
        for award_id, agent, facts, asks_small in _heard(place):
            if facts is None:
                world.audit.say(
                    f"{place.node_id}: award {award_id:032x} is for a merchant of {agent}, which said nothing"
                )
            elif json.encode(facts) not in written[agent]:
                world.audit.say(f"{place.node_id}: award {award_id:032x} is for what {agent} has no row of")
            elif asks_small not in (None, elsewhere(agent, facts).small):
                world.audit.say(
                    f"{place.node_id}: award {award_id:032x} is for a merchant that {agent} says is another"
                )


def _written(place: Place) -> set[bytes]:
    return {row.said for _, row in place.disk.rows[STATEMENTS.name]}


def _heard(place: Place) -> list[tuple[int, str, MerchantFacts | None, bool | None]]:
    """Of every award for a payment to another institution that a rule about merchants decided: what was said, and what is asked."""
    rows = place.disk.rows
    campaigns = {(row.id, row.version): row for _, row in rows[CAMPAIGNS.name]}
    agents = {row.id: row.creditor_agent for _, row in rows[PAYMENTS.name]}
    found = []
    for _, award in rows[ALL_AWARDS.name]:
        campaign = campaigns.get((award.campaign_id, award.version))
        agent = agents.get(award.payment_id, place.node_id)
        if campaign is None or not award.row or agent == place.node_id:
            continue
        condition = campaign.told.rules.rows[award.row - 1].when.get("small")
        if condition is not None or MERCHANT_SAID in award.told:
            told = award.told.get(MERCHANT_SAID)
            facts = json.decode(json.encode(told), type=MerchantFacts) if told is not None else None
            found.append((award.id, agent, facts, None if condition is None else condition == "true"))
    return found
