"""Campaigns in the simulated network: found on the first day, steered meanwhile, and added up when all is over."""

from functools import partial
from typing import TYPE_CHECKING, Any

from hutong.institution import chart
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.award import AWARDS, Award, AwardState
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import CampaignDraft, CampaignKind, CampaignTerms, Side
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.marketing.campaigns.sponsor import SponsorKind, SponsorProfile
from hutong.runtime.shelf import decided
from hutong.simulation.place import Place

if TYPE_CHECKING:
    from hutong.simulation.world import World

PAID_IN = 20_000
_LASTS_NS = 30 * 86_400 * NS_PER_S
# Two of one sponsor, one of them at a fen a time; one with its own days; one at our merchants, for whoever pays.
_CAMPAIGNS: tuple[tuple[int, Side, Caps, RuleRow], ...] = (
    (3_001, Side.PAYER, Caps(person_day=400, day=1_500), RuleRow(off=99, when={"amount": ">= 200"})),
    (97, Side.PAYER, Caps(), RuleRow(off=1)),
    (2_000, Side.PAYER, Caps(times_day=2, place=700), RuleRow(bps=1_500, max=150, when={"small": "false"})),
    (1_777, Side.PAYEE, Caps(day=900), RuleRow(bps=700, max=120)),
    (555, Side.PAYEE, Caps(), RuleRow(off=3)),
)


async def found_campaigns(world: "World") -> None:
    """Each institution's sponsor pays in, and its campaigns begin."""
    for place in world.institutions:
        marketing, journal = place.software.marketing, place.software.node.journal
        profile = SponsorProfile(reference="S", kind=SponsorKind.OUTSIDE, name="消费节")
        sponsor = await decided(journal, partial(marketing.sponsors.register, profile))
        deposit = partial(marketing.sponsors.deposit, world.mint(), sponsor.id, PAID_IN, _deaf)
        await decided(journal, deposit)
        for budget, side, caps, row in _CAMPAIGNS:
            terms = CampaignTerms(rules=RuleTable(rows=(row,)), caps=caps, partial=True, holdout_bps=1_000)
            draft = CampaignDraft(
                id=world.mint(),
                name="立减",
                kind=CampaignKind.DISCOUNT,
                side=side,
                sponsors=[(sponsor.id, 1)],
                budget=budget,
                terms=terms,
                ends_ns=place.clock.now_ns() + _LASTS_NS,
            )
            await decided(journal, partial(marketing.campaigns.draft, draft))
            await decided(journal, partial(marketing.campaigns.begin, draft.id))


async def steer_campaign(world: "World") -> str:
    """An operator pauses a campaign, lets it go on, or ends it and begins another like it."""
    place = world.chance.choice(world.institutions)
    verb = world.chance.choice(("pause", "begin", "begin", "begin", "end"))
    pick = world.chance.random()

    def steer(node: Any) -> Any:
        campaigns = node.marketing.campaigns.everything()
        return getattr(node.marketing.campaigns, verb)(campaigns[int(pick * len(campaigns))].id)

    answer = await world.line.decide(place, steer)
    return answer.reason.name if isinstance(answer, Refusal) else verb


def check_campaigns(world: "World") -> None:
    """No budget a fen over, at any moment; rows, counters and ledger say the same; nothing is reserved for ever (invariant 7)."""
    for place in world.institutions:
        for said in _wrong(place, world.audit.nodes[place.node_id].books.accounts):
            world.audit.say(f"{place.node_id}: {said}")


def _wrong(place: Place, accounts: Any) -> list[str]:
    campaigns = {each.id: each for each in place.software.marketing.campaigns.everything()}
    totals, days = dict.fromkeys(campaigns, 0), dict.fromkeys(((0, 0),), 0)
    newest: dict[int, Award] = {}
    wrong: list[str] = []
    for _, row in place.disk.rows[AWARDS.name]:
        newest[row.id] = row
        campaign = campaigns[row.campaign_id]
        totals[row.campaign_id] += row.change
        key = row.campaign_id, row.day
        days[key] = days.get(key, 0) + row.change
        if totals[row.campaign_id] > campaign.funded:
            wrong.append(f"campaign {campaign.id:032x} gave {totals[row.campaign_id]} of {campaign.funded}")
        if campaign.told.caps.day and days[key] > campaign.told.caps.day:
            wrong.append(f"campaign {campaign.id:032x} gave {days[key]} on one day")
    wrong += [f"award {id_:032x} is still reserved" for id_, row in newest.items() if row.state == AwardState.RESERVED]
    for id_, campaign in campaigns.items():
        has = accounts[chart.campaign_account(id_)].credit
        if has != campaign.funded - campaign.given_back - totals[id_]:
            wrong.append(f"campaign {id_:032x} has {has}: {campaign.funded}, {campaign.given_back}, {totals[id_]}")
        counted = place.software.marketing.campaigns.spent[id_].total
        if counted != totals[id_]:
            wrong.append(f"campaign {id_:032x} counted {counted}, and its rows say {totals[id_]}")
    return wrong


def _deaf(_refusal: Any) -> None:
    pass
