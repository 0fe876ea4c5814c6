"""What campaigns cost and brought, from real payments: equal to the ledger to the fen."""

from collections import Counter

from hutong.institution import chart
from hutong.kernel.clock import ManualClock
from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.campaign import TREATED, Side
from hutong.marketing.effects.effect import Verdict
from hutong.marketing.effects.effect_service import EffectService
from hutong.marketing.effects.repository import ScannedEffectRows
from hutong.marketing.effects.views import EffectsView
from tests.institution.payments.test_payment_codes import CODE, Till
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import Fair, House, off


def effects(house: House) -> EffectService:
    return EffectService(house.node, house.marketing.campaigns, ScannedEffectRows(house.store, house.node_id))


def shown(fair: Fair, house: House, campaign_id: int) -> EffectsView:
    fair.tick(1)  # Who met a campaign is noted beside the payments.
    return now(effects(house).of_campaign(campaign_id))


def test_a_sponsors_figures_equal_the_ledger_with_refunds_and_failures() -> None:
    fair = Fair()
    jing = fair.jing
    plate = fair.shop(fair.wei)
    campaign = jing.campaign(jing.sponsor(50_000), 50_000, off(300))
    people = [jing.user(50_000) for _ in range(6)]
    first, _ = fair.pay(jing, people[0], plate, 2_000)
    for payer in people[1:]:
        fair.pay(jing, payer, plate, 1_000)
    fair.pay(jing, people[1], plate, 1_000)
    fair.pay(jing, jing.user(1), plate, 1_000)  # It fails: nothing was paid, and nothing given.
    fair.refund(fair.wei, plate, first, 1_000)
    found = shown(fair, jing, campaign.id)
    assert found.given == 7 * 300 - 150
    assert jing.left(campaign) == found.left == campaign.budget - found.given
    assert sum(day.given for day in found.days) == found.given
    assert found.payments.treated == 7
    assert found.payments.treated_mean == 1_000  # Seven payments of seven people, one of whom has paid nothing.
    assert found.gross_amount.treated_mean == round(1000 * (2_000 + 6 * 1_000) / 7)
    assert found.amount.treated_mean == round(1000 * (1_000 + 6 * 1_000) / 7)
    assert (found.new_payers, found.cost_per_new_payer) == (6, -(-found.given // 6))
    assert found.repeat_bps == 10_000 // 6
    assert found.payments.verdict is Verdict.TOO_FEW


class Ticking(ManualClock):
    """Time goes on while somebody decides, as it does."""

    def now_ns(self) -> int:
        self.ns += 1
        return self.ns


class TickingFair(Fair):
    clock_type = Ticking


def test_who_meets_a_campaign_in_the_first_payment_itself_is_new_by_it() -> None:
    """Who shows a payment code saw no price before: the campaign is met in the decision that pays."""
    fair = TickingFair()
    jing = fair.jing
    fair.register("jing", "digits:62:18")
    jing.code_prefix = "62"
    fair.restart("jing")
    payer = jing.user(50_000)
    jing.shown[CODE] = payer.id
    campaign = jing.campaign(jing.sponsor(50_000), 50_000, off(300))
    Till(fair, jing, fair.wei, payer, fair.wei.merchant()).charge(2_000)
    assert jing.balance(payer.wallet_account) == 50_000 - 1_700
    found = shown(fair, jing, campaign.id)
    assert (found.new_payers, found.cost_per_new_payer, found.payments.treated_mean) == (1, 300, 1_000)


def test_the_plan_begins_when_the_campaign_does_and_not_with_its_draft() -> None:
    fair = Fair()
    jing = fair.jing
    campaign = jing.campaign(jing.sponsor(30_000), 30_000, off(300), begin=False)
    fair.tick(10 * 86_400)
    assert shown(fair, jing, campaign.id).planned == 0
    jing.decide(lambda: jing.marketing.campaigns.begin(campaign.id))
    assert abs(shown(fair, jing, campaign.id).planned) < 10
    fair.tick(10 * 86_400)
    assert abs(shown(fair, jing, campaign.id).planned - 15_000) < 10


def test_who_had_paid_before_is_not_new() -> None:
    fair = Fair()
    jing = fair.jing
    plate, payer = fair.shop(fair.wei), jing.user(50_000)
    fair.pay(jing, payer, plate, 1_000)
    fair.tick(60)
    campaign = jing.campaign(jing.sponsor(50_000), 50_000, off(300))
    fair.pay(jing, payer, plate, 1_000)
    found = shown(fair, jing, campaign.id)
    assert (found.new_payers, found.cost_per_new_payer, found.payments.treated_mean) == (0, None, 1_000)


def test_what_is_refunded_is_neither_a_payment_nor_an_amount_nor_a_new_payer() -> None:
    """Bought at a shop here, and at one elsewhere: the one is given back by a refund, the other by a return."""
    fair = Fair()
    jing = fair.jing
    plates = {fair.wei: fair.shop(fair.wei), jing: fair.shop(jing)}
    campaign = jing.campaign(jing.sponsor(50_000), 50_000, off(300))
    for house, plate in plates.items():
        whole, kept = jing.user(50_000), jing.user(50_000)
        payment, _ = fair.pay(jing, whole, plate, 2_000)
        fair.refund(house, plate, payment, 500)
        fair.refund(house, plate, payment, 1_500)
        fair.pay(jing, whole, plate, 1_000)  # It was not the first.
        payment, _ = fair.pay(jing, kept, plate, 2_000)
        fair.refund(house, plate, payment, 500)
    found = shown(fair, jing, campaign.id)
    assert (found.gross_payments.treated_mean, found.payments.treated_mean) == (1_500, 1_000)
    assert (found.gross_amount.treated_mean, found.amount.treated_mean) == (2_500_000, 1_250_000)
    assert (found.new_payers, found.cost_per_new_payer) == (2, -(-found.given // 2))
    assert found.given == 2 * (300 + 300 - 75)
    assert found.repeat_bps == 0, "who was given all of one back has paid once"


def test_who_was_only_shown_a_price_is_nobody_that_the_campaign_brought() -> None:
    fair = Fair()
    jing = fair.jing
    plate, payer = fair.shop(fair.wei), jing.user(50_000)
    campaign = jing.campaign(jing.sponsor(50_000), 50_000, off(300))
    assert fair.quote(jing, payer, plate, 1_000).discount == 300
    jing.do(lambda: jing.marketing.campaigns.pause(campaign.id))
    fair.pay(jing, payer, plate, 1_000)
    jing.do(lambda: jing.marketing.campaigns.begin(campaign.id))
    fair.pay(jing, payer, plate, 1_000)
    found = shown(fair, jing, campaign.id)
    assert (found.given, found.payments.treated, found.payments.treated_mean) == (300, 1, 2_000)
    assert (found.new_payers, found.cost_per_new_payer) == (0, None)


def test_who_was_held_out_is_nobody_that_the_campaign_brought() -> None:
    fair = Fair()
    jing = fair.jing
    plate = fair.shop(fair.wei)
    campaign = jing.campaign(jing.sponsor(50_000), 50_000, off(100), holdout_bps=5_000)
    people = [jing.user(50_000) for _ in range(20)]
    for payer in people:
        fair.pay(jing, payer, plate, 1_000)
    treated = sum(campaign.arm(payer.id) == TREATED for payer in people)
    assert 0 < treated < 20
    assert shown(fair, jing, campaign.id).new_payers == treated


def test_another_campaigns_award_brings_nobody_to_this_one() -> None:
    fair = Fair()
    jing = fair.jing
    plate, payer = fair.shop(fair.wei), jing.user(50_000)
    sponsor = jing.sponsor(50_000)
    less = jing.campaign(sponsor, 10_000, off(100), exclusive=True)
    more = jing.campaign(sponsor, 10_000, off(300), exclusive=True)
    fair.pay(jing, payer, plate, 1_000)
    assert [shown(fair, jing, each.id).new_payers for each in (less, more)] == [0, 1]


def test_hours_are_less_what_was_refunded_in_them() -> None:
    fair = Fair()
    wei = fair.wei
    plate = fair.shop(wei, amount=1_000)
    merchant = fair.shops[plate]
    campaign = wei.campaign(wei.sponsor(100_000), 100_000, off(100), side=Side.PAYEE)
    for house in (fair.jing, wei):
        for refunded in (0, 300, 1_000):
            payment, _ = fair.pay(house, house.user(50_000), plate, 1_000)
            if refunded:
                fair.refund(wei, plate, payment, refunded)
    found = shown(fair, wei, campaign.id)
    assert (found.gross_payments.treated_mean, found.payments.treated_mean) == (6_000, 4_000)
    assert (found.gross_amount.treated_mean, found.amount.treated_mean) == (6_000_000, 3_400_000)
    assert (found.new_payers, found.cost_per_new_payer) == (0, None)
    (takings,) = now(effects(wei).of_merchant(merchant))
    assert (takings.payments, takings.amount, takings.refunded) == (6, 6_000, 2_600)
    assert (takings.given, takings.returned) == (600, 260)


def test_people_who_pay_more_because_of_it_are_seen_against_those_held_out() -> None:
    """Whoever gets something off comes twice in three cases of four; who gets nothing once."""
    fair = Fair()
    jing = fair.jing
    plate = fair.shop(fair.wei)
    campaign = jing.campaign(jing.sponsor(500_000), 500_000, off(100), holdout_bps=3_000)
    for number in range(120):
        payer = jing.user(50_000)
        fair.pay(jing, payer, plate, 1_000)
        if campaign.arm(payer.id) == TREATED and number % 4:
            fair.pay(jing, payer, plate, 1_000)
    found = shown(fair, jing, campaign.id)
    assert found.payments.treated + found.payments.held_out == 120
    assert found.payments.held_out_mean == 1_000
    assert found.payments.verdict is Verdict.MORE
    assert found.payments.low > 0
    assert found.payments.extra == _twice(jing)
    assert found.given == 100 * jing.marketing.campaigns.spent[campaign.id].times


def test_hours_of_shops_are_the_units_where_nobody_knows_who_pays() -> None:
    fair = Fair()
    wei = fair.wei
    plate = fair.shop(wei, amount=1_000)
    merchant = fair.shops[plate]
    campaign = wei.campaign(wei.sponsor(100_000), 100_000, off(100), side=Side.PAYEE, holdout_bps=4_000)
    for _ in range(10):
        for house in (fair.jing, wei):
            fair.pay(house, house.user(50_000), plate, 1_000)
        fair.tick(3_600)
    found = shown(fair, wei, campaign.id)
    assert found.unit == "shop_hour"
    assert found.payments.treated + found.payments.held_out == 10
    assert {found.payments.treated_mean, found.payments.held_out_mean} == {2_000}
    assert found.amount.treated_mean == 2_000_000
    (takings,) = now(effects(wei).of_merchant(merchant))
    assert (takings.payments, takings.amount) == (2 * found.payments.treated, 2_000 * found.payments.treated)
    assert takings.given == found.given == campaign.budget - wei.balance(chart.campaign_account(campaign.id))
    assert takings.campaign_id == id_text("cmp", campaign.id)


def _twice(house: House) -> int:
    """How many paid twice."""
    counts = Counter(payment.user_id for _, payment in house.store.rows["payments"])
    return sum(many > 1 for many in counts.values())
