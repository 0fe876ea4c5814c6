"""Safety of money that merchants send people by campaigns, at every commit."""

from collections.abc import Callable
from typing import Any

from hutong.kernel.clock import NS_PER_DAY
from hutong.marketing.campaigns.award import AwardKind, AwardState
from hutong.simulation.audit import CHINA_NS, NodeView
from hutong.simulation.given import Given


class CashAudit:
    """The part of `MarketingAudit` that is about prizes."""

    def __init__(self, say: Callable[[Given, str], None], given: Callable[[NodeView], Given]) -> None:
        self._say = say
        self._given = given

    def prize(self, given: Given, row: Any) -> None:
        """One for each number, no more than the campaign says, in all and to one person."""
        if row.id in given.view.rows["cash_prizes"]:
            self._say(given, f"prize {row.id:032x} was given twice")
        campaign = given.view.rows["cash_campaigns"][row.campaign_id]
        prizes = given.prizes[row.campaign_id]
        if row.place != len(prizes) + 1 or row.place > campaign.count:
            self._say(given, f"prize {row.id:032x} is number {row.place} of {campaign.count}, behind {len(prizes)}")
        if row.number and any(each.number == row.number for each in prizes):
            self._say(given, f"cash campaign {campaign.id:032x} gave twice under the number {row.number}")
        total = sum(each.amount for each in prizes) + row.amount
        budget = given.view.rows["campaigns"][campaign.id].budget
        if total > budget or (row.place == campaign.count and total != budget) or row.amount < 1:
            self._say(given, f"cash campaign {campaign.id:032x} of {budget} gave {total} by {row.place}")
        self._check_frequency(given, campaign, [*(each for each in prizes if each.person_id == row.person_id), row])
        prizes.append(row)
        given.touched["prize", row.id] = None

    def _check_frequency(self, given: Given, campaign: Any, had: list[Any]) -> None:
        """By the days of the newest alone: whoever has too much has it on some day, or in all."""
        days = [(each.at_ns + CHINA_NS) // NS_PER_DAY for each in had]
        for rule in campaign.frequency.split("|"):
            so_often = {"D": days.count(days[-1]), "L": len(days)}.get(rule[0], 0)
            if so_often > int(rule[1:]):
                self._say(given, f"cash campaign {campaign.id:032x} gave one person {so_often} times, and says {rule}")

    def check(self, given: Given, id_: int) -> None:
        """Each prize is a reward that was paid, of its campaign and to its person."""
        prize, award = given.view.rows["cash_prizes"][id_], given.view.rows["all_awards"].get(id_)
        wanted = prize.campaign_id, prize.person_id, prize.amount, AwardKind.REWARD, AwardState.COMMITTED
        found = award and (award.campaign_id, award.person_id, award.left, award.kind, award.state)
        if found != wanted:
            self._say(given, f"prize {id_:032x} is {wanted}, and its award {found}")

    def told(self, view: NodeView, prize: Any) -> None:
        """A merchant was told that it gave somebody something (invariant 4)."""
        if prize.id not in view.rows["cash_prizes"]:
            self._say(self._given(view), f"somebody was told of prize {prize.id:032x}, which is not durable")
