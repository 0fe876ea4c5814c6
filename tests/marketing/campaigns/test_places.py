"""The budget of a city or shop counts what was given there earlier on the day on which the terms got it."""

import asyncio
from collections.abc import Set as AbstractSet
from typing import Any

import pytest

from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.award_repository import GivenAt, ScannedAwardTotals
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import Campaign, CampaignTerms, Side
from hutong.marketing.campaigns.parties import PlaceFacts
from hutong.marketing.campaigns.rules import RuleTable
from hutong.marketing.campaigns.subsidy import Subsidy
from hutong.runtime.shelf import warmed
from tests.marketing.campaigns.fair import DAY_S, Fair, House, off

BY_CITY, BY_SHOP = Caps(place=250), Caps(place=250, place_is="shop")


class Telling(House):
    tells = True


class Town(Fair):
    """Two shops in one city, and one in another, all where the campaign is: 100 off each payment."""

    institution: type[House] = Telling

    def __init__(self, side: Side = Side.PAYER, **told: Any) -> None:
        super().__init__(**told)
        self.plates = {
            name: self.stall(self.jing, city) for name, city in (("a", "上海"), ("b", "上海"), ("c", "北京"))
        }
        self.campaign = self.jing.campaign(self.jing.sponsor(9_000), 9_000, off(100), side=side, partial=True)

    def stall(self, house: House, city: str) -> str:
        plate = self.shop(house)
        merchant = self.shops[plate]
        house.parties.is_(merchant, PlaceFacts(city, id_text("mer", merchant), small=False))
        return plate

    def revise(self, caps: Caps, by: Campaign | None = None) -> None:
        campaigns = self.jing.marketing.campaigns
        terms = CampaignTerms(rules=RuleTable(rows=(off(100),)), caps=caps, holdout_bps=0, partial=True)
        self.jing.do(lambda: campaigns.revise((by or self.campaign).id, terms))

    def off(self, *names: str) -> list[int]:
        """What a payment at each gets."""
        found = []
        for name in names:
            payment, outcome = self.pay(self.jing, self.jing.user(10_000), self.plates[name], 1_000)
            assert outcome is not None
            assert outcome.completed
            found.append(payment.payer_discount + payment.payee_discount)
        return found


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("side", Side)
def test_what_was_given_before_a_place_had_a_budget_counts_towards_it(side: Side, restarts: bool) -> None:
    town = Town(side)

    def again() -> None:
        if restarts:
            town.restart("jing")

    assert town.off("a", "b", "c") == [100, 100, 100]
    town.revise(BY_CITY)
    again()
    assert town.off("a", "b", "c", "c") == [50, 0, 100, 50]
    town.revise(BY_SHOP)  # What the city's budget noted, too: `a` had 150, `b` 100 and `c` 250.
    again()
    assert town.off("a", "a", "b", "b", "c") == [100, 0, 100, 50, 0]
    again()
    town.revise(BY_CITY)
    again()
    assert town.off("a", "c") == [0, 0]
    town.revise(Caps(place=700))  # More of the same: 上海 had 500, 北京 250.
    again()
    assert town.off("a", "b", "b", "c") == [100, 100, 0, 100]
    town.revise(Caps())
    assert town.off("a", "c") == [100, 100]
    town.tick(DAY_S)
    town.revise(BY_SHOP)
    again()
    assert town.off("a", "a", "a", "c") == [100, 100, 50, 100]
    town.tick(DAY_S)
    again()
    assert town.off("a", "a", "a") == [100, 100, 50]


def test_what_comes_back_counts_where_its_terms_knew_the_place() -> None:
    town = Town()
    first, _ = town.pay(town.jing, town.jing.user(10_000), town.plates["a"], 1_000)
    town.revise(BY_SHOP)
    second, _ = town.pay(town.jing, town.jing.user(10_000), town.plates["a"], 1_000)
    assert (first.payer_discount, second.payer_discount) == (100, 100)
    for payment in (first, second):
        town.refund(town.jing, town.plates["a"], payment, 1_000)
    for _ in range(2):
        town.restart("jing")
        assert town.jing.newest(town.campaign).version == 2
    assert town.off("a", "a") == [100, 50]


def test_what_was_given_where_nobody_had_to_know_counts_wherever_it_may_have_been() -> None:
    """At another institution's shop: its city, and which of that one's shops it is, were not noted."""
    town = Town()
    town.plates |= {"d": town.stall(town.wei, "上海"), "e": town.stall(town.wei, "广州")}
    assert town.off("d", "a") == [100, 100]
    town.revise(BY_CITY)
    assert town.off("a", "e", "e", "c", "c") == [50, 100, 50, 100, 50]
    town.tick(DAY_S)
    town.revise(Caps())
    assert town.off("d", "a") == [100, 100]
    town.revise(BY_SHOP)
    assert town.off("e", "e", "a", "a") == [100, 50, 100, 50]
    town.restart("jing")
    assert town.off("e", "a", "c") == [0, 0, 100]


def test_nothing_is_given_out_of_a_places_budget_until_what_was_given_before_is_durable() -> None:
    town = Town()
    jing, journal = town.jing, town.jing.journal
    assert town.off("a", "a") == [100, 100]
    payer = jing.user(10_000)

    def shown(name: str) -> int:
        return town.quote(jing, payer, town.plates[name], 1_000).discount

    journal._immediate = False
    town.revise(BY_SHOP)
    assert (shown("a"), shown("c")) == (0, 0)
    journal.flush()
    assert (shown("a"), shown("c")) == (50, 100)
    journal._immediate = True
    assert not jing.marketing.places.waiting
    assert town.off("a", "a", "c") == [50, 0, 100]


class _Slow(ScannedAwardTotals):
    """A database that takes its time, and is away for the first who ask."""

    def __init__(self, town: Town, away: int) -> None:
        super().__init__(town.jing.store)
        self.asked, self.away = 0, away

    async def given_on(self, campaign_id: int, day: int, but: AbstractSet[int]) -> list[GivenAt]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.asked <= self.away:
            raise ConnectionError
        return await super().given_on(campaign_id, day, but)


@pytest.mark.parametrize("away", [0, 1])
def test_payments_that_ask_at_the_same_time_wait_for_one_count(away: int) -> None:
    town = Town()
    assert town.off("a") == [100]
    town.revise(BY_SHOP)
    places = town.jing.marketing.places
    places._totals = slow = _Slow(town, away)

    async def all_at_once() -> list[Any]:
        asking = (warmed(town.jing.journal, lambda: places.is_counted(town.campaign.id)) for _ in range(50))
        return await asyncio.gather(*asking, return_exceptions=True)

    answers = asyncio.run(all_at_once())
    assert sum(each is True for each in answers) == 50 - away
    assert slow.asked == 1 + away
    assert town.off("a", "a") == [100, 50]


def test_what_nobody_asks_of_keeps_no_other_offer_from_being_kept() -> None:
    """A campaign that is paused, or over, and got a budget of each place: its count waits for a payment that never comes."""
    town = Town()
    other = town.jing.campaign(town.jing.sponsor(9_000), 9_000, off(50))
    town.jing.do(lambda: town.jing.marketing.campaigns.pause(other.id))
    town.revise(BY_SHOP, other)
    assert town.jing.marketing.places.waiting
    shown = town.quote(town.jing, town.jing.user(10_000), town.plates["a"], 1_000).shown
    assert shown is not None
    assert isinstance(shown[1], Subsidy)
    assert shown[1].offered is not None
