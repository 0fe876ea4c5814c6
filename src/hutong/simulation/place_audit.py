"""
What each city and shop was given on a day, wherever its budget came from: where a payment was is read off the payment, and never
off the award, which notes no place unless its terms had a budget of it.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from hutong.marketing.campaigns.award import AwardKind
from hutong.marketing.campaigns.budget import Caps
from hutong.simulation.given import Given


class PlaceAudit:
    """Of one network; what it finds is said by `say`."""

    def __init__(self, say: Callable[[Given, str], None]) -> None:
        self._say = say
        self._caps: dict[tuple[int, int], Caps] = {}  # By campaign and version of its terms.
        self._given: dict[tuple[int, int, str, Any], int] = defaultdict(int)  # By campaign, day, sort and place.
        self._counted: dict[int, int] = {}  # By award: what of it is in these sums.

    def campaign(self, row: Any) -> None:
        """A version was kept."""
        self._caps[row.id, row.version] = row.told.caps

    def check(self, given: Given, id_: int) -> None:
        """An award was kept: its place had room for it by the terms that gave it, whenever they got their budget of places."""
        award = given.view.rows["all_awards"][id_]
        paid, _, _ = given.paid(award.payment_id)
        if award.kind != AwardKind.DISCOUNT or paid is None or not paid.merchant_id:
            return  # Of those who sell elsewhere no row here says where.
        was = self._counted.get(id_)
        self._counted[id_] = award.left
        city = given.view.rows["merchants"][paid.merchant_id].city
        if paid.shop_id:
            city = given.view.rows["shops"][paid.shop_id].city
        caps = self._caps[award.campaign_id, award.version]
        for sort, place in (("city", city), ("shop", paid.shop_id or paid.merchant_id)):
            key = award.campaign_id, award.day, sort, place
            self._given[key] += award.left - (was or 0)
            if was is None and caps.place_is == sort and self._given[key] > caps.place > 0:
                where = place if isinstance(place, str) else f"{place:032x}"
                self._say(
                    given, f"campaign {award.campaign_id:032x} gave {self._given[key]} of {caps.place} at {where}"
                )
