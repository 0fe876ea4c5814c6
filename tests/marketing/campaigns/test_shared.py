"""The operator and merchants pay for one campaign together: each merchant once it has agreed, by terms that then stand."""

from typing import Any

import pytest

from hutong.institution import chart
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.campaign import (
    Campaign,
    CampaignDraft,
    CampaignKind,
    CampaignState,
    CampaignTerms,
    Side,
)
from hutong.marketing.campaigns.rules import RuleTable
from hutong.marketing.campaigns.sponsor import Sponsor
from hutong.runtime.shelf import warmed
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import Fair, House, off

PART = 333  # Of 1,000, a third; the fen over is the other's, who is nearer to it.


class Shared:
    """An operator's campaign of 1,000, of which a merchant is asked to pay a third."""

    def __init__(self) -> None:
        self.fair = Fair()
        self.jing: House = self.fair.jing
        self.plate = self.fair.shop(self.jing)
        self.merchant = self.fair.shops[self.plate]
        self.payer = self.jing.user(100_000)
        self.city = self.jing.sponsor(10_000)
        self.shop: Sponsor = now(
            warmed(self.jing.journal, lambda: self.jing.marketing.sponsors.of_merchant(self.merchant, "早点铺"))
        )
        self.jing.journal.seal()
        self.campaign = self.jing.campaign([(self.shop, 1), (self.city, 2)], 1_000, off(100), begin=False)

    @property
    def campaigns(self) -> Any:
        return self.jing.marketing.campaigns

    def newest(self) -> Campaign:
        return self.jing.newest(self.campaign)

    def agree(self, merchant: int = 0, version: int = 1, *, agrees: bool = True) -> None:
        self.jing.do(lambda: self.campaigns.agree(self.campaign.id, merchant or self.merchant, version, agrees=agrees))

    def begin(self) -> None:
        self.jing.decide(lambda: self.campaigns.begin(self.campaign.id))

    def pays_in(self, amount: int = PART) -> None:
        """Out of what the merchant sold, as it has some."""
        self.fair.pay(self.jing, self.payer, self.plate, 2_000)
        refusals: list[Any] = []
        id_ = self.jing.node.mint.mint()
        self.jing.decide(lambda: self.jing.marketing.sponsors.deposit(id_, self.shop.id, amount, refusals.append))

    def budget(self) -> int:
        return self.jing.balance(chart.budget_account(self.shop.id))


def test_a_merchants_part_is_taken_when_it_agreed_and_comes_back_in_proportion() -> None:
    shared = Shared()
    assert shared.campaigns.asked(shared.newest()) == {shared.merchant: PART}
    shared.pays_in()
    with pytest.raises(Refusal, match="CAMPAIGN_NOT_AGREED: merchants=1"):
        shared.begin()
    assert (shared.newest().state, shared.budget()) == (CampaignState.DRAFT, PART)
    for _ in range(2):
        shared.agree()
    shared.begin()
    assert (shared.newest().state, shared.budget()) == (CampaignState.RUNNING, 0)
    assert shared.fair.pay(shared.jing, shared.payer, shared.plate, 1_000)[0].payer_discount == 100
    shared.jing.do(lambda: shared.campaigns.end(shared.campaign.id))
    assert shared.budget() == 300  # Of 900, as it came in.
    assert shared.jing.balance(chart.budget_account(shared.city.id)) == 10_000 - 667 + 600


def test_who_agreed_may_take_it_back_until_the_money_is_in() -> None:
    shared = Shared()
    shared.pays_in()
    shared.agree()
    shared.agree(agrees=False)
    with pytest.raises(Refusal, match="CAMPAIGN_NOT_AGREED"):
        shared.begin()
    shared.agree()
    shared.begin()
    for agrees in (True, False):
        if agrees:
            shared.agree()  # It is so.
        else:
            with pytest.raises(Refusal, match="CAMPAIGN_STATE_FORBIDS"):
                shared.agree(agrees=False)
    assert shared.newest().consents == {shared.merchant}


def test_a_merchant_agrees_to_the_terms_that_it_read_and_they_stand_once_its_money_is_in() -> None:
    shared = Shared()
    shared.pays_in()
    shared.agree()
    other = CampaignTerms(rules=RuleTable(rows=(off(50),)), holdout_bps=0)
    shared.jing.do(lambda: shared.campaigns.revise(shared.campaign.id, other))
    assert not shared.newest().consents, "who agreed to other terms has not agreed to these"
    with pytest.raises(Refusal, match="CAMPAIGN_REVISED_SINCE: version=2"):
        shared.agree(version=1)
    with pytest.raises(Refusal, match="CAMPAIGN_NOT_AGREED"):
        shared.begin()
    shared.agree(version=2)
    shared.begin()
    third = CampaignTerms(rules=RuleTable(rows=(off(1),)), holdout_bps=0)
    with pytest.raises(Refusal, match="CAMPAIGN_TERMS_AGREED"):
        shared.jing.do(lambda: shared.campaigns.revise(shared.campaign.id, third))
    assert shared.newest().version == 2


def test_whose_part_it_is_not_agrees_to_nothing() -> None:
    shared = Shared()
    with pytest.raises(Refusal, match="CAMPAIGN_UNKNOWN"):
        shared.agree(merchant=shared.jing.merchant())


def test_what_was_agreed_holds_after_a_restart() -> None:
    shared = Shared()
    shared.pays_in()
    shared.agree()
    shared.fair.restart("jing")
    assert shared.newest().consents == {shared.merchant}
    shared.begin()
    assert shared.newest().state == CampaignState.RUNNING


def test_a_merchants_own_campaign_is_paid_by_nobody_else() -> None:
    shared = Shared()
    draft = CampaignDraft(
        id=shared.jing.node.mint.mint(),
        name="立减",
        kind=CampaignKind.DISCOUNT,
        side=Side.PAYEE,
        sponsors=[(shared.shop.id, 1), (shared.city.id, 1)],
        budget=100,
        terms=CampaignTerms(rules=RuleTable(rows=(off(1),))),
        ends_ns=1 << 62,
        merchant_id=shared.merchant,
    )
    with pytest.raises(Refusal, match="SPONSOR_NOT_YOURS"):
        shared.jing.do(lambda: shared.campaigns.draft(draft))
