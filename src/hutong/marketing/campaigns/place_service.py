"""
What the budget of a city or shop has to count that was given before it was one: earlier on the day on which the terms got it.

Awards of before note no place, or one of the other sort. Where each was is in their payments' rows: they are read once, when the
first payment asks behind the change, or behind a restart. It follows from rows alone, so both times it is the same.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec

from hutong.marketing.campaigns.award_repository import AwardTotals, GivenAt
from hutong.marketing.campaigns.budget import Before, Caps
from hutong.marketing.campaigns.campaign import CAMPAIGNS, Campaign, CampaignState
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.parties import NOWHERE, Parties, PlaceFacts, elsewhere
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Cold, warmed
from hutong.scheme.messages import MerchantFacts

_OVER = frozenset({CampaignState.DRAFT.value, CampaignState.ENDED.value})  # Gives nothing, or gave nothing yet.


class Opening(NamedTuple):
    """That a campaign's places are to be counted anew: of which day, and behind which of the journal's positions."""

    campaign_id: int
    day: int
    position: int


class PlaceService:
    """Nothing is given out of a place's budget until what it has given before is counted."""

    def __init__(
        self,
        node: NodeRuntime,
        campaigns: CampaignService,
        totals: AwardTotals,
        parties: Parties,
        day_of: Callable[[int], int],
    ) -> None:
        self._node = node
        self._campaigns = campaigns
        self._totals = totals
        self._parties = parties
        self._day_of = day_of
        self.waiting: dict[int, Opening] = {}  # By campaign.
        self._counting: dict[Opening, asyncio.Event] = {}
        campaigns.on_revised.append(self._revised)

    async def start(self) -> None:
        """Find the campaigns whose places have a budget since today."""
        today = self._today()
        asked = [each for each in self._campaigns.everything() if each.version > 1 and _sort(each.told.caps)]
        ids = [each.id for each in asked if each.state not in _OVER]
        versions: dict[int, list[Campaign]] = {}
        for _, row in await self._node.store.find(CAMPAIGNS, "id", ids):
            versions.setdefault(row.id, []).append(row)
        for id_, rows in versions.items():
            since = _since(rows)
            if since.version > 1 and self._day_of(since.changed_ns) == today:
                self.waiting[id_] = Opening(id_, today, 0)

    def is_counted(self, campaign_id: int) -> bool:
        """
        Whether a campaign that has a budget of each place has counted what it gave before. May raise `Cold`.

        False: its terms have just changed, and what was given until then may not be durable yet.
        """
        opening = self.waiting.get(campaign_id)
        if opening is None:
            return True
        if self._today() != opening.day:
            del self.waiting[campaign_id]  # Another day has begun, and nothing was given on it before.
            return True
        if self._node.journal.durable_position < opening.position:
            return False
        raise Cold(partial(self._count_once, opening))

    @property
    def is_any_held_back(self) -> bool:
        """Whether some budget gives nothing, for what was given before is not durable yet: what is offered meanwhile is of that moment."""
        return any(each.position > self._node.journal.durable_position for each in self.waiting.values())

    def _revised(self, before: Campaign, campaign: Campaign) -> None:
        """Other terms, in the decision that writes them down."""
        sort = _sort(campaign.told.caps)
        if sort == _sort(before.told.caps):
            return
        self._campaigns.spent[campaign.id].before = None
        self.waiting.pop(campaign.id, None)
        if sort and campaign.state not in _OVER:
            self.waiting[campaign.id] = Opening(campaign.id, self._today(), self._node.journal.position)

    async def _count_once(self, opening: Opening) -> None:
        """Every payment that asks meanwhile waits for the one count, and counts only if that failed."""
        counting = self._counting.get(opening)
        if counting is not None:
            await counting.wait()
            return
        counting = self._counting[opening] = asyncio.Event()
        try:
            await self._count(opening)
        finally:
            del self._counting[opening]
            counting.set()

    async def _count(self, opening: Opening) -> None:
        caps = self._campaigns.campaign(opening.campaign_id).told.caps
        rows = await self._node.store.find(CAMPAIGNS, "id", [opening.campaign_id])
        same = {row.version for _, row in rows if _sort(row.told.caps) == _sort(caps)}
        places: dict[str, int] = {}
        unknown = 0
        for given in await self._totals.given_on(opening.campaign_id, opening.day, same):
            facts = await warmed(self._node.journal, partial(self._place, given))
            if facts is None:
                unknown += given.change
            else:
                place = caps.place_of(facts)
                places[place] = places.get(place, 0) + given.change
        if (
            self.waiting.get(opening.campaign_id) is opening
        ):  # Else somebody was quicker, or the terms are others again.
            by_city = caps.place_is == "city"
            self._campaigns.spent[opening.campaign_id].before = Before(opening.day, places, unknown, by_city)
            del self.waiting[opening.campaign_id]

    def _place(self, given: GivenAt) -> PlaceFacts | None:
        """None: at a merchant of another institution, and nobody noted which. May raise `Cold`."""
        if given.merchant_id:
            return self._parties.place(given.merchant_id, given.shop_id)
        if given.agent == self._node.node_id:
            return NOWHERE  # A person of ours.
        if given.said:
            return elsewhere(given.agent, msgspec.json.decode(given.said, type=MerchantFacts))
        return None

    def _today(self) -> int:
        return self._day_of(self._node.clock.now_ns())


def _sort(caps: Caps) -> str:
    """Of what places the terms have a budget; empty: of none."""
    return caps.place_is if caps.place else ""


def _since(rows: list[Campaign]) -> Campaign:
    """The first version of a campaign since which its places are what they are now."""
    since = rows[-1]
    for row in reversed(rows):
        if _sort(row.told.caps) != _sort(rows[-1].told.caps):
            break
        since = row
    return since
