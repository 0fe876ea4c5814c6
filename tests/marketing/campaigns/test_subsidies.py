"""A discount is a transfer from its sponsor's budget: set aside with the payment, and back with what is refunded."""

import pytest

from hutong.institution import chart
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.award import AwardState
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import CampaignState, Side
from hutong.marketing.campaigns.parties import PlaceFacts
from hutong.marketing.campaigns.views import award_view
from hutong.runtime.shelf import warmed
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import DAY_S, Fair, House, off

where = pytest.mark.parametrize("on_us", [True, False])


def seller(fair: Fair, *, on_us: bool) -> House:
    return fair.jing if on_us else fair.wei


@where
def test_a_campaign_pays_its_part_and_a_refund_brings_it_back(on_us: bool) -> None:
    fair = Fair()
    jing, shop = fair.jing, seller(fair, on_us=on_us)
    payer, plate = jing.user(100_000), fair.shop(shop)
    campaign = jing.campaign(jing.sponsor(10_000), 1_000, off(300, amount=">= 1000"))
    assert campaign.state == CampaignState.RUNNING
    payment, outcome = fair.pay(jing, payer, plate, 1_000)
    assert outcome is not None
    assert outcome.completed
    assert (payment.payer_discount, payment.paid) == (300, 700)
    assert jing.left(campaign) == 700
    assert jing.balance(payer.wallet_account) == 100_000 - 700
    (award,) = jing.awards(payment)
    assert (award.state, award.amount, award.row, award.version) == (AwardState.COMMITTED, 300, 1, 1)
    fair.refund(shop, plate, payment, 500)
    assert jing.left(campaign) == 700 + 150
    fair.refund(shop, plate, payment, 500)
    assert jing.left(campaign) == 1_000
    (award,) = jing.awards(payment)
    assert (award.returned, award.left) == (300, 0)
    assert jing.balance(payer.wallet_account) == 100_000
    assert fair.pay(jing, payer, plate, 999)[0].payer_discount == 0


@where
def test_two_campaigns_together_are_paid_by_way_of_what_was_awarded(on_us: bool) -> None:
    fair = Fair()
    jing, shop = fair.jing, seller(fair, on_us=on_us)
    payer, plate, sponsor = jing.user(100_000), fair.shop(shop), jing.sponsor(10_000)
    one, other = (jing.campaign(sponsor, 1_000, off(amount)) for amount in (300, 101))
    payment, _ = fair.pay(jing, payer, plate, 1_000)
    assert payment.payer_discount == 401
    assert payment.budget_account == jing.chart.awarded
    assert (jing.left(one), jing.left(other)) == (700, 899)
    assert jing.balance(jing.chart.awarded) == 0
    fair.refund(shop, plate, payment, 333)
    fair.refund(shop, plate, payment, 667)
    assert (jing.left(one), jing.left(other)) == (1_000, 1_000)
    assert jing.balance(jing.chart.awarded) == 0
    assert jing.balance(payer.wallet_account) == 100_000


@where
def test_money_sent_to_a_person_is_made_cheaper_only_where_a_row_names_that_channel(on_us: bool) -> None:
    """Two friends who send each other the same money would else empty every budget."""
    fair = Fair()
    jing, home = fair.jing, seller(fair, on_us=on_us)
    payer, friend, sponsor = jing.user(100_000), home.user(0), jing.sponsor(100_000)
    fair.register(home.node_id, f"url:https://{home.node_id}.example/p/")
    code = f"https://{home.node_id}.example/p/1"
    home.asks(user=friend, code=code)
    for side in Side:
        for house in (jing, fair.wei):
            house.campaign(house.sponsor(10_000, f"S-{side}"), 10_000, off(300), side=side)
    assert fair.quote(jing, payer, code, 1_000).discount == 0
    assert jing.terms(code, 1_000).payee_discount == 0
    payment, _ = fair.pay(jing, payer, code, 1_000)
    assert (payment.payer_discount, payment.payee_discount, payment.paid) == (0, 0, 1_000)
    jing.campaign(sponsor, 10_000, off(200, channel="'PERSON'"))
    assert fair.pay(jing, payer, code, 1_000)[0].payer_discount == 200


@where
def test_a_payment_that_does_not_come_about_leaves_every_budget_whole(on_us: bool) -> None:
    fair = Fair()
    jing, shop = fair.jing, seller(fair, on_us=on_us)
    payer, plate, sponsor = jing.user(100), fair.shop(shop), jing.sponsor(10_000)
    campaigns = [jing.campaign(sponsor, 500, off(amount), caps=Caps(times=1)) for amount in (300, 101)]
    for _ in range(2):
        payment, outcome = fair.pay(jing, payer, plate, 1_000)
        assert outcome is not None
        assert (outcome.completed, outcome.reason) == (False, "BALANCE_INSUFFICIENT")
        assert payment.payer_discount == 401  # Both times: what was released counts for nothing.
        assert [jing.left(each) for each in campaigns] == [500, 500]


def test_budgets_hold_to_the_last_fen_at_every_level() -> None:
    fair = Fair()
    jing = fair.jing
    plate, sponsor = fair.shop(fair.wei), jing.sponsor(10_000)

    def given(caps: Caps, budget: int = 5_000, people: int = 1, days: int = 1) -> list[int]:
        campaign = jing.campaign(sponsor, budget, off(100), caps=caps, partial=True)
        found = []
        for _ in range(days):
            for payer in [jing.user(100_000) for _ in range(people)]:
                found += [fair.pay(jing, payer, plate, 1_000)[0].payer_discount for _ in range(3)]
            fair.tick(DAY_S)
        jing.decide(lambda: _end(jing, campaign.id))
        assert jing.left(campaign) == 0
        return found

    def _end(house: House, id_: int) -> None:
        house.marketing.campaigns.end(id_)

    assert given(Caps(), budget=201) == [100, 100, 1]
    assert given(Caps(day=150), days=2) == [100, 50, 0, 100, 50, 0]
    assert given(Caps(person=150), people=2) == [100, 50, 0, 100, 50, 0]
    assert given(Caps(times_day=1), people=2, days=2) == [100, 0, 0] * 4
    assert given(Caps(person_day=250, day=300), people=2) == [100, 100, 50, 50, 0, 0]
    assert jing.balance(chart.budget_account(sponsor.id)) == 10_000 - 201 - 300 - 300 - 400 - 300


@pytest.mark.parametrize("side", Side)
def test_a_citys_and_a_shops_budget_of_a_day_holds_to_the_last_fen(side: Side) -> None:
    """Two shops in one city share what the city has; a shop has its own; tomorrow there is as much again."""
    fair = Fair()
    jing = fair.jing
    here, there, far = (fair.shop(jing) for _ in range(3))
    for plate, city, shop in ((here, "上海", "s1"), (there, "上海", "s2"), (far, "北京", "s3")):
        jing.parties.places[fair.shops[plate]] = PlaceFacts(city, shop=shop)

    def given(caps: Caps, *plates: str) -> list[int]:
        campaign = jing.campaign(jing.sponsor(5_000), 5_000, off(100), caps=caps, partial=True, side=side)
        found = []
        for day in range(2):
            for plate in plates:
                payment, _ = fair.pay(jing, jing.user(100_000), plate, 1_000)
                found.append(payment.payer_discount + payment.payee_discount)
            fair.tick(DAY_S)
            if not day:
                fair.restart("jing")
        jing.do(lambda: jing.marketing.campaigns.end(campaign.id))
        return found

    assert given(Caps(place=150), here, there, here, far, far, far) == [100, 50, 0, 100, 50, 0] * 2
    by_shop = Caps(place=150, place_is="shop")
    assert given(by_shop, here, here, here, there, there, far) == [100, 50, 0, 100, 50, 100] * 2
    assert given(Caps(place=150, day=220), here, there, far, far) == [100, 50, 70, 0] * 2


def test_what_was_given_is_counted_again_after_a_restart() -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(100_000), fair.shop(fair.wei)
    campaign = jing.campaign(jing.sponsor(1_000), 250, off(100), caps=Caps(person=150), partial=True)
    assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 100
    fair.restart("jing")
    assert jing.marketing.campaigns.spent[campaign.id].total == 100
    assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 50
    fair.restart("jing")
    assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 0
    assert fair.pay(jing, jing.user(10_000), plate, 1_000)[0].payer_discount == 100
    assert jing.left(campaign) == 0


def test_a_merchants_campaign_reaches_whoever_pays_from_anywhere() -> None:
    fair = Fair()
    jing, wei = fair.jing, fair.wei
    plate = fair.shop(wei, amount=1_000)  # Who asks for a price has to say of what.
    campaign = wei.campaign(wei.sponsor(10_000), 1_000, off(200), side=Side.PAYEE)
    for house in (jing, wei):
        payer = house.user(100_000)
        payment, outcome = fair.pay(house, payer, plate, 1_000)
        assert outcome is not None
        assert outcome.completed
        assert (payment.payee_discount, house.balance(payer.wallet_account)) == (200, 100_000 - 800)
        fair.refund(wei, plate, payment, 500)
    assert wei.left(campaign) == 1_000 - 200


def test_an_ended_campaign_gives_back_what_is_left_and_what_comes_back_later() -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(100_000), fair.shop(fair.wei)
    one, other = jing.sponsor(1_000, "one"), jing.sponsor(1_000, "other")
    campaign = jing.campaign([(one, 2), (other, 1)], 1_000, off(100))
    assert [jing.balance(chart.budget_account(each.id)) for each in (one, other)] == [333, 667]
    payment, _ = fair.pay(jing, payer, plate, 1_000)
    jing.do(lambda: jing.marketing.campaigns.end(campaign.id))
    assert jing.left(campaign) == 0
    assert [jing.balance(chart.budget_account(each.id)) for each in (one, other)] == [933, 967]
    fair.refund(fair.wei, plate, payment, 1_000)
    assert jing.left(campaign) == 100
    fair.restart("jing")
    fair.tick(1)
    assert jing.left(campaign) == 0
    assert [jing.balance(chart.budget_account(each.id)) for each in (one, other)] == [1_000, 1_000]
    assert fair.pay(jing, payer, plate, 1_000)[0].payer_discount == 0


def test_a_sponsor_that_has_not_enough_leaves_a_draft() -> None:
    fair = Fair()
    jing = fair.jing
    rich, poor = jing.sponsor(1_000, "rich"), jing.sponsor(499, "poor")
    campaign = jing.campaign([(rich, 1), (poor, 1)], 1_000, off(1))
    assert (campaign.state, campaign.reason) == (CampaignState.DRAFT, "SPONSOR_BUDGET_INSUFFICIENT")
    assert jing.balance(chart.budget_account(rich.id)) == 1_000
    jing.sponsor(1, "poor")
    jing.decide(lambda: jing.marketing.campaigns.begin(campaign.id))
    assert jing.newest(campaign).state == CampaignState.RUNNING
    assert jing.left(campaign) == 1_000


def test_a_reward_is_set_aside_then_paid_or_refused() -> None:
    fair = Fair()
    jing = fair.jing
    person = jing.user()
    campaign = jing.campaign(jing.sponsor(1_000), 250, off(1), caps=Caps(person=150))
    awards = jing.marketing.awards
    first, second = jing.node.mint.mint(), jing.node.mint.mint()

    def hold(award_id: int, amount: int) -> None:
        awards.hold(award_id, campaign.id, person.id, amount, "invite", {"step": 1})

    for _ in range(2):
        jing.decide(lambda: hold(first, 100))
    with pytest.raises(Refusal, match="BUDGET_EXHAUSTED: level=person, left=50"):
        jing.decide(lambda: hold(second, 51))
    jing.decide(lambda: hold(second, 50))
    assert (jing.left(campaign), jing.balance(jing.chart.awarded)) == (100, 150)
    for _ in range(2):
        jing.do(lambda: awards.pay(first))
        jing.do(lambda: awards.refuse(second, "SHARED_DEVICE"))
    assert (jing.left(campaign), jing.balance(jing.chart.awarded)) == (150, 0)
    assert jing.balance(person.wallet_account) == 100
    with pytest.raises(Refusal, match="AWARD_DECIDED"):
        jing.do(lambda: awards.refuse(first, "LATE"))


def test_what_is_for_new_ones_is_given_once_however_many_prices_were_asked() -> None:
    fair = Fair()
    jing = fair.jing
    payer, sponsor = jing.user(100_000), jing.sponsor(10_000)
    jing.campaign(sponsor, 5_000, off(100, new="true"))
    plates = [fair.shop(fair.wei), fair.shop(fair.wei)]
    quotes = [
        now(warmed(jing.journal, lambda p=plate: jing.payments.consults.quote(payer, jing.terms(p), 500)))  # type: ignore[misc]
        for plate in plates
    ]
    assert [quote.discount for quote in quotes] == [100, 100]
    ((payment, _),) = jing.pay(payer, jing.order(quotes[0], 500))
    assert payment.payer_discount == 100
    with pytest.raises(Refusal, match="DISCOUNT_GONE"):
        jing.pay(payer, jing.order(quotes[1], 500))


def test_what_was_shown_is_given_though_something_better_came_and_not_once_its_budget_is_gone() -> None:
    fair = Fair()
    jing = fair.jing
    plate, sponsor = fair.shop(fair.wei), jing.sponsor(10_000)
    campaign = jing.campaign(sponsor, 150, off(100))
    first, second = jing.user(10_000), jing.user(10_000)
    terms = jing.terms(plate)
    quotes = [
        now(warmed(jing.journal, lambda p=payer: jing.payments.consults.quote(p, terms, 500)))  # type: ignore[misc]
        for payer in (first, second)
    ]
    jing.pay(first, jing.order(quotes[0], 500))
    with pytest.raises(Refusal, match="DISCOUNT_GONE"):
        jing.pay(second, jing.order(quotes[1], 500))
    assert jing.left(campaign) == 50


@where
def test_what_a_merchants_side_gave_leads_to_the_payment_as_its_payer_knows_it(on_us: bool) -> None:
    fair = Fair()
    shop = fair.wei
    payer, plate = (shop if on_us else fair.jing).user(100_000), fair.shop(shop)
    campaign = shop.campaign(shop.sponsor(10_000), 1_000, off(300), side=Side.PAYEE)
    payment, _ = fair.pay(shop if on_us else fair.jing, payer, plate, 1_000)
    fair.refund(shop, plate, payment, 100)
    versions = now(shop.marketing.awards.page(campaign.id, None, 9))
    shown = [award_view(award) for _, award in versions]
    assert {each.payment_id for each in shown} == {id_text("pay", payment.id)}
    assert {each.award_id for each in shown} == {shown[0].award_id}
    assert shown[0].returned == 30
