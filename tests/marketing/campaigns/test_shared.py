"""The operator and merchants pay for one campaign together: each merchant once it has agreed, by terms that then stand."""

from typing import Any

import pytest
from msgspec import json, structs

from hutong.institution import chart
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.campaign import (
    Agreement,
    Campaign,
    CampaignDraft,
    CampaignKind,
    CampaignState,
    CampaignTerms,
    Side,
)
from hutong.marketing.campaigns.rules import RuleTable
from hutong.marketing.campaigns.sponsor import Sponsor
from hutong.marketing.campaigns.sponsor_key_service import SponsorKeyService
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

    def keys(self) -> SponsorKeyService:
        return SponsorKeyService(self.jing.node, self.jing.marketing.sponsors, b"p" * 32)

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
    with pytest.raises(Refusal, match="CAMPAIGN_NOT_AGREED: sponsors=1"):
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


def test_a_key_is_good_and_its_holders_yes_holds_after_a_restart() -> None:
    shared = Shared()
    shared.pays_in()
    shared.agree()
    _, token = now(warmed(shared.jing.journal, lambda: shared.keys().issue(shared.city.id, "市政府")))
    shared.jing.journal.seal()
    shared.fair.restart("jing")
    assert shared.keys().key(token).sponsor_id == shared.city.id
    with pytest.raises(Refusal, match="CAMPAIGN_NOT_AGREED: sponsors=1"):
        shared.begin()
    shared.agree(shared.city.id)
    shared.fair.restart("jing")
    assert shared.newest().consents == {shared.merchant, shared.city.id}
    shared.begin()
    assert shared.newest().state == CampaignState.RUNNING


def test_agreements_that_were_written_with_the_id_alone_are_read() -> None:
    shared = Shared()
    shared.agree()
    (agreed,) = shared.newest().agreements
    assert agreed.at_ns > 0
    before = structs.replace(shared.newest(), agreed=json.encode([f"{shared.merchant:032x}"]))
    assert before.consents == {shared.merchant}
    again = before.with_consent(shared.city.id, 7, 9, agrees=True)
    assert set(again.agreements) == {Agreement(shared.merchant), Agreement(shared.city.id, 7, 9)}


def test_what_each_sponsor_bears_is_what_it_would_not_have_back() -> None:
    """At every fen that can be left: to the fen of what is given, never less than nothing, and just so when the campaign ends."""
    shared = Shared()
    shared.pays_in()
    shared.agree()
    shared.begin()
    running = shared.newest()
    assert [running.borne(left) for left in (1_000, 999, 0)] == [[0, 0], [0, 1], [333, 667]]
    for first in (1_000, 700, 123):
        given_back = running.giving_back(1_000 - first, 1) if first < 1_000 else running
        for left in range(first + 1):
            borne = given_back.borne(left)
            assert sum(borne) == first - left
            assert min(borne) >= 0
            ended = given_back.giving_back(left, 2) if left else given_back
            backs = [back for back, _ in ended.back] or [0, 0]
            assert [part - back for part, back in zip((333, 667), backs, strict=True)] == borne


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
