"""Daily draws upon real payments: committed to, shown, given once a day, and verified from what is published."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hutong.institution.sealing import SealingKeys
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.text import TextReason
from hutong.marketing.campaigns.award import AwardState
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import CampaignKind, CampaignTerms
from hutong.marketing.draws import public_log
from hutong.marketing.draws.draw import NUMBERS
from hutong.marketing.draws.draw_service import AHEAD_DAYS, DRAW, DrawService
from hutong.marketing.draws.reasons import DrawReason
from hutong.marketing.draws.record import CommitmentsTold, DayRecord
from hutong.marketing.draws.record_service import RecordService
from hutong.marketing.draws.terms import check_terms
from hutong.marketing.draws.verification import verify_day, verify_receipt
from hutong.runtime.shelf import warmed
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import DAY_S, Fair, House

KEY = b"\5" * 32
TODAY = date(2026, 1, 1)  # Where the world's clock begins: at eight in the morning in Shanghai.
TO_MIDNIGHT_S = 16 * 3600


class DrawHouse(House):
    """A house that gives daily draws."""

    def wire(self) -> None:
        super().wire()
        marketing = self.marketing
        sealing = SealingKeys((KEY,), self.node.randomness)
        self.draws = DrawService(self.node, sealing, marketing.campaigns, marketing.awards, marketing.calendar)
        marketing.subsidies.sources[DRAW] = self.draws
        marketing.campaigns.checks[CampaignKind.DRAW] = check_terms
        self.records = RecordService(self.node, self.draws)
        now(self.draws.start())

    def tick(self) -> None:
        super().tick()
        self.draws.tick()


class Town(Fair):
    """A fair where jing draws."""

    institution = DrawHouse

    def __init__(self, day: int = 100_000, turns: int = 1, **terms: Any) -> None:
        super().__init__()
        house = self.house("jing")
        assert isinstance(house, DrawHouse)
        self.plate = self.shop(self.wei)
        self.campaign = self.house("jing").campaign(
            house.sponsor(10 * day), 10 * day, kind=CampaignKind.DRAW, caps=Caps(day=day, times_day=turns), **terms
        )
        self.tick(1)

    @property
    def drawing(self) -> DrawHouse:
        house = self.house("jing")
        assert isinstance(house, DrawHouse)
        return house

    def spends(self, payer: Person, amount: int = 10_000) -> int:
        return self.pay(self.drawing, payer, self.plate, amount)[0].payer_discount

    def day(self, day: date = TODAY) -> DayRecord:
        return now(self.drawing.records.day(self.campaign.id, day))


def differences(record: DayRecord) -> list[str]:
    return [each.text for each in verify_day(record) if not each.holds]


def test_a_draw_is_shown_before_it_is_paid_with_and_given_once_a_day() -> None:
    town = Town()
    payer = town.drawing.user(1_000_000)
    quote = now(
        warmed(
            town.drawing.journal,
            lambda: town.drawing.payments.consults.quote(payer, town.drawing.terms(town.plate), 10_000),
        )
    )
    given = town.spends(payer)
    assert 10 <= given <= 3_000
    assert quote.discount == given
    assert town.spends(payer) == 0
    town.tick(TO_MIDNIGHT_S)
    assert town.spends(payer) > 0


def test_whatever_is_paid_and_whenever_the_draw_is_the_same() -> None:
    """Who lets a payment fail, or pays something else, or waits, draws nothing anew."""
    town = Town()
    poor = town.drawing.user(1)
    found = set()
    for amount in (5_000, 10_000, 19_999):
        payment, outcome = town.pay(town.drawing, poor, town.plate, amount)
        assert outcome is not None
        assert not outcome.completed
        found.add(payment.payer_discount)
        (award,) = town.drawing.awards(payment)
        assert award.state == AwardState.RELEASED
        town.tick(700)
    town.drawing.pay_in(poor.wallet_account, 100_000)
    found.add(town.spends(poor))
    assert len(found) == 1
    assert town.spends(poor) == 0


def test_who_opens_many_quotes_at_once_and_confirms_all_of_them_draws_once() -> None:
    """Bulk buying: each quote shows the draw, and the first payment that is confirmed takes it."""
    town = Town()
    payer, house = town.drawing.user(1_000_000), town.drawing
    quotes = [
        now(warmed(house.journal, lambda: house.payments.consults.quote(payer, house.terms(town.plate), 3_000)))
        for _ in range(8)
    ]
    assert len({quote.discount for quote in quotes}) == 1
    paid, said = 0, set()
    for quote in quotes:
        try:
            paid += house.pay(payer, house.order(quote, 3_000))[0][0].payer_discount
        except Refusal as refused:  # What was shown is not to be had any more: nothing is paid behind the payer's back.
            said.add(refused.reason.name)
    assert said <= {"DISCOUNT_GONE"}
    assert paid == quotes[0].discount > 0


def test_at_least_a_fen_is_paid() -> None:
    town = Town()
    assert town.spends(town.drawing.user(1_000), 2) == 1
    assert town.spends(town.drawing.user(1_000), 1) == 0


def test_a_refund_brings_back_the_money_and_no_second_draw() -> None:
    town = Town()
    payer = town.drawing.user(100_000)
    payment, _ = town.pay(town.drawing, payer, town.plate, 10_000)
    assert payment.payer_discount
    town.refund(town.wei, town.plate, payment, 10_000)
    assert town.drawing.left(town.campaign) == town.campaign.budget
    assert town.spends(payer) == 0


def test_where_no_cap_says_how_often_a_refund_brings_no_second_draw_either() -> None:
    """Once a day is the draw's own rule: it does not lean on the campaign's caps."""
    town = Town(turns=0)
    payer = town.drawing.user(100_000)
    payment, _ = town.pay(town.drawing, payer, town.plate, 10_000)
    town.refund(town.wei, town.plate, payment, 10_000)
    assert [payment.payer_discount > 0, town.spends(payer)] == [True, 0]
    town.restart("jing")
    assert town.spends(payer) == 0


def test_as_many_turns_as_published_each_with_a_draw_of_its_own() -> None:
    town = Town(turns=3)
    payer = town.drawing.user(1_000_000)
    given = [town.spends(payer) for _ in range(5)]
    assert all(given[:3])
    assert given[3:] == [0, 0]
    assert len(set(given[:3])) > 1


def test_a_turn_that_came_back_is_the_next_one() -> None:
    town = Town(turns=2)
    payer = town.drawing.user(1)
    released, _ = town.pay(town.drawing, payer, town.plate, 10_000)
    town.drawing.pay_in(payer.wallet_account, 1_000_000)
    assert town.spends(payer) == released.payer_discount
    assert town.spends(payer) > 0
    assert town.spends(payer) == 0


def test_a_day_is_verified_from_what_is_published_and_so_is_ones_own_draw() -> None:
    town = Town(day=20_000)
    people = [town.drawing.user(100_000) for _ in range(40)]
    for hour in range(15):
        for payer in people[hour * 2 : hour * 2 + 12]:
            town.spends(payer, 3_500)
        failed = town.drawing.user(1)
        town.spends(failed)
        town.tick(3_600 - 900)
        town.tick(900)
        if hour == 7:
            town.restart("jing")
            town.tick(1)
    assert town.day().draws == ()  # Its seed is not out.
    town.tick(3_700)
    record = town.day()
    assert differences(record) == []
    assert len(record.draws) > 40
    assert any(each.released_slot is not None for each in record.draws)
    own = now(town.drawing.records.own(people[0].id, 10))
    assert own[0].is_revealed
    assert all(each.holds for each in verify_receipt(own[0].receipt, record))
    wire = msgspec.json.decode(msgspec.json.encode(record), type=DayRecord)
    assert differences(wire) == []


def test_seeds_are_committed_to_a_month_ahead_and_stay_secret_until_their_day_is_over() -> None:
    town = Town()
    log = now(town.drawing.records.log(town.campaign.id, 0))
    (told,) = (each for each in log.entries if each.kind == public_log.COMMITMENTS)
    days = msgspec.json.decode(told.text, type=CommitmentsTold).days
    assert (days[0].day, len(days)) == (TODAY, 31)  # The campaign's thirty days begin in the morning.
    assert AHEAD_DAYS >= 30
    view = town.drawing.records.campaign(town.campaign.id)
    assert all(not each.seed for each in view.days)
    town.tick(TO_MIDNIGHT_S + 61)
    view = town.drawing.records.campaign(town.campaign.id)
    assert [each.day for each in view.days if each.seed] == [TODAY]
    assert {each.commitment for each in view.days} >= {each.commitment for each in days}


def test_secrets_at_rest_are_sealed() -> None:
    town = Town()
    town.tick(TO_MIDNIGHT_S + 61)
    record = town.day()
    seed = bytes.fromhex(record.log.entries[-1].told["seed"])
    rows = town.drawing.store.rows["draw_seeds"]
    assert all(seed not in row.sealed for _, row in rows)


def test_counts_and_taken_turns_are_the_same_after_a_restart() -> None:
    town = Town()
    payers = [town.drawing.user(100_000) for _ in range(5)]
    given = [town.spends(payer) for payer in payers]
    before = town.drawing.records.pacing(town.campaign.id)
    town.restart("jing")
    assert town.drawing.records.pacing(town.campaign.id) == before
    assert before.given == sum(given)
    assert [town.spends(payer) for payer in payers] == [0] * 5


def test_a_node_that_was_down_reveals_what_is_over_and_goes_on() -> None:
    town = Town()
    town.spends(town.drawing.user(100_000))
    town.clock.advance(seconds=3 * DAY_S)
    town.restart("jing")
    town.tick(1)
    assert differences(town.day()) == []
    assert town.spends(town.drawing.user(100_000)) > 0
    today = now(town.drawing.records.day(town.campaign.id, date(2026, 1, 4)))
    assert today.log.entries[0].kind == public_log.DAY


def test_every_day_can_be_verified_though_its_log_reveals_the_one_before_it() -> None:
    town = Town()
    for day in (TODAY, TODAY + timedelta(days=1)):
        town.spends(town.drawing.user(100_000))
        town.tick(DAY_S)
        assert differences(town.day(day)) == []


def test_a_clock_that_is_put_back_gives_nothing_in_a_slot_that_is_over() -> None:
    town = Town()
    poor = town.drawing.user(1)
    to_next_slot = 300 - town.clock.now_ns() // NS_PER_S % 300
    town.tick(to_next_slot + 1)
    town.clock.ns -= 3 * NS_PER_S
    assert town.spends(town.drawing.user(100_000)) == 0
    town.tick(3)
    assert town.spends(town.drawing.user(100_000)) > 0
    town.spends(poor)
    town.restart("jing")
    town.tick(DAY_S)
    assert differences(town.day()) == []


def test_a_draw_that_comes_back_while_the_clock_is_put_back_comes_back_in_the_slot_that_runs() -> None:
    town = Town()
    payment, _ = town.pay(town.drawing, town.drawing.user(100_000), town.plate, 10_000)
    (award,) = town.drawing.awards(payment)
    town.tick(600)
    before_ns = town.clock.now_ns() - 400 * NS_PER_S
    released = replace(award, state=AwardState.RELEASED.value, change=-award.amount, times=-1, decided_ns=before_ns)

    def release() -> None:
        town.drawing.marketing.awards.all.put(released)
        town.drawing.draws.released(released)

    town.drawing.do(release)
    given = town.drawing.draws.lived(town.campaign.id, TODAY.toordinal())
    assert given is not None
    before = dict(given.running.net)
    town.restart("jing")
    again = town.drawing.draws.lived(town.campaign.id, TODAY.toordinal())
    assert again is not None
    assert dict(again.running.net) == before
    town.tick(DAY_S)
    assert differences(town.day()) == []


def test_a_phrase_of_ones_own_counts_from_tomorrow() -> None:
    town = Town()
    payer = town.drawing.user(1_000_000)
    draws = town.drawing.draws
    row = now(warmed(town.drawing.journal, lambda: draws.say(payer.id, "开门大吉")))
    assert row.from_day == TODAY.toordinal() + 1
    assert draws.phrase(payer.id, TODAY.toordinal()) == ""
    assert draws.phrase(payer.id, TODAY.toordinal() + 1) == "开门大吉"
    town.spends(payer)
    town.tick(TO_MIDNIGHT_S)
    town.spends(payer)
    newest, first = now(town.drawing.records.own(payer.id, 10))
    assert (newest.receipt.phrase, first.receipt.phrase) == ("开门大吉", "")
    assert newest.receipt.token == first.receipt.token
    with pytest.raises(Refusal) as refused:
        draws.say(payer.id, "two\nlines")
    assert refused.value.reason is TextReason.TEXT_HAS_ODD_CHARACTERS


def test_a_days_budget_is_given_to_the_fen_and_not_beyond() -> None:
    town = Town(day=3_000)
    given = 0
    for _ in range(15):
        for _ in range(12):
            given += town.spends(town.drawing.user(100_000))
        town.tick(3_600)
    assert given == 3_000
    assert town.drawing.left(town.campaign) == town.campaign.budget - 3_000
    town.tick(3_700)
    assert differences(town.day()) == []


def test_a_campaign_that_ends_in_the_middle_of_its_day_still_reveals_it() -> None:
    town = Town()
    town.spends(town.drawing.user(100_000))
    town.drawing.do(lambda: town.drawing.marketing.campaigns.end(town.campaign.id))
    assert town.spends(town.drawing.user(100_000)) == 0
    town.tick(TO_MIDNIGHT_S + 61)
    assert differences(town.day()) == []


def test_a_paused_campaign_gives_nothing_and_goes_on_with_the_same_draws() -> None:
    town = Town()
    payer = town.drawing.user(100_000)
    campaigns = town.drawing.marketing.campaigns
    town.drawing.do(lambda: campaigns.pause(town.campaign.id))
    town.tick(400)
    assert town.spends(payer) == 0
    town.drawing.do(lambda: campaigns.begin(town.campaign.id))
    assert town.spends(payer) > 0


def test_other_terms_hold_from_the_next_day_that_is_not_published_yet() -> None:
    town = Town()
    small = {"distribution": {"bands": [{"weight": 1, "low": 7, "high": 7}]}}
    terms = CampaignTerms(caps=Caps(day=100_000), holdout_bps=0, more=small)
    town.drawing.do(lambda: town.drawing.marketing.campaigns.revise(town.campaign.id, terms))
    assert town.spends(town.drawing.user(100_000)) >= 10
    town.tick(TO_MIDNIGHT_S)
    assert town.spends(town.drawing.user(100_000)) == 7


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"distribution": {"bands": []}}, DrawReason.DISTRIBUTION_INVALID),
        ({"slot_s": 7}, DrawReason.DRAW_TERMS_INVALID),
        ({"hours": [1]}, DrawReason.DRAW_TERMS_INVALID),
        ({"odd": 1}, DrawReason.DRAW_TERMS_INVALID),
    ],
)
def test_terms_that_cannot_be_drawn_by_are_refused(more: dict[str, Any], reason: DrawReason) -> None:
    town = Town()
    with pytest.raises(Refusal) as refused:
        town.drawing.marketing.campaigns.revise(town.campaign.id, CampaignTerms(more=more))
    assert refused.value.reason is reason


def test_what_is_unknown_says_so() -> None:
    town = Town()
    with pytest.raises(Refusal) as refused:
        town.drawing.records.campaign(5)
    assert refused.value.reason is DrawReason.DRAW_CAMPAIGN_UNKNOWN
    with pytest.raises(Refusal) as refused:
        town.day(date(2030, 1, 1))
    assert refused.value.reason is DrawReason.DRAW_DAY_UNKNOWN


def test_pacing_shows_today_against_its_plan() -> None:
    town = Town()
    town.spends(town.drawing.user(100_000))
    view = town.drawing.records.pacing(town.campaign.id)
    assert view.budget == 100_000
    assert view.slots[-1].given == view.given > 0
    assert view.slots[-1].threshold == NUMBERS
    assert len(view.slots) == 8 * 12 + 1
