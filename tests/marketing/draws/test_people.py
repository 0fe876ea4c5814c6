"""What thousands of people draw of the service, at any hour and amount: as published, and by nothing but chance."""

from fractions import Fraction

from hutong.institution.payments.cashier import Occasion
from hutong.kernel.clock import NS_PER_S
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import CampaignKind
from hutong.marketing.draws.distribution import USUAL
from hutong.marketing.draws.draw_service import DrawFacts
from hutong.scheme.messages import Channel
from tests.marketing.draws.chi_square import chi_square, critical, independence
from tests.marketing.draws.test_draw_service import TO_MIDNIGHT_S, Town

PEOPLE = 6_000
HOURS = 8  # Of the sixteen that are left of the day.
AMOUNTS = (3_001, 10_000, 90_000)  # None is less than the highest draw.
BANDS = 3  # The others come up too seldom to be told from chance one by one.


class Day:
    """A day on which all come once, at an hour and with an amount that have nothing to do with who they are."""

    def __init__(self) -> None:
        self.town = Town(day=100_000_000)
        self.campaigns = [self.town.campaign]
        self.drawn: list[tuple[int, int, int, DrawFacts]] = []  # Person, hour, amount, and what came of it.
        mint, began_ns = self.town.drawing.node.mint, self.town.clock.now_ns()
        people = [mint.mint() for _ in range(PEOPLE)]
        for hour in range(HOURS):
            self.town.tick(TO_MIDNIGHT_S // HOURS if hour else 1)
            assert self.town.clock.now_ns() < began_ns + TO_MIDNIGHT_S * NS_PER_S
            for person in range(hour, PEOPLE, HOURS):
                amount = AMOUNTS[person // HOURS % len(AMOUNTS)]
                self.drawn.append((person, hour, amount, self.draw(people[person], amount)))
        self.people = people

    def draw(self, payer_id: int, amount: int) -> DrawFacts:
        """What the service offers somebody now."""
        occasion = Occasion(
            payer_id=payer_id,
            debtor_agent="jing",
            creditor_agent="wei",
            request_id=1,
            mcc="5812",
            channel=Channel.STATIC_CODE,
            amount=amount,
            currency="CNY",
            now_ns=self.town.clock.now_ns(),
        )
        (benefit,) = self.town.drawing.draws.benefits(occasion, self.campaigns)
        facts = DrawFacts(**benefit.facts)
        assert benefit.amount == facts.drawn
        return facts


def test_what_people_draw_is_as_published_and_depends_on_no_person_hour_or_amount() -> None:
    day = Day()
    bands = [_band(facts.drawn) for _, _, _, facts in day.drawn]
    counts = [bands.count(band) for band in range(len(USUAL.bands))]
    few = [sum(counts[BANDS:])]
    expected = [Fraction(PEOPLE * band.weight, USUAL.weight) for band in USUAL.bands]
    assert chi_square(counts[:BANDS] + few, [*expected[:BANDS], sum(expected[BANDS:], Fraction(0))]) < critical(BANDS)
    by_hour, by_amount = _table(HOURS), _table(len(AMOUNTS))
    by_age = _table(4)  # Who registered first has the smaller id.
    for (person, hour, amount, _), band in zip(day.drawn, bands, strict=True):
        if band < BANDS:
            by_hour[hour][band] += 1
            by_amount[AMOUNTS.index(amount)][band] += 1
            by_age[person * 4 // PEOPLE][band] += 1
    for table in (by_hour, by_amount, by_age):
        assert independence(table) < critical((len(table) - 1) * (BANDS - 1))


def test_whoever_waits_or_pays_otherwise_is_offered_the_same() -> None:
    day = Day()
    for person, _, amount, facts in day.drawn[:300]:  # Of the first hour: it is the last now.
        again = day.draw(day.people[person], sum(AMOUNTS) - amount)
        assert (again.drawn, again.number, again.reference) == (facts.drawn, facts.number, facts.reference)


def test_no_two_days_and_no_two_campaigns_have_a_seed_or_commitment_in_common() -> None:
    town = Town()
    town.drawing.campaign(town.drawing.sponsor(100_000, "S-2"), 100_000, kind=CampaignKind.DRAW, caps=Caps(times_day=1))
    town.tick(1)
    seeds = town.drawing.draws.seeds.everything()
    assert len(seeds) > 60
    assert len({seed.commitment for seed in seeds}) == len(seeds)
    assert len({town.drawing.draws._sealing.unseal(seed.sealed, seed.label) for seed in seeds}) == len(seeds)


def _band(amount: int) -> int:
    return next(at for at, band in enumerate(USUAL.bands) if amount <= band.high)


def _table(rows: int) -> list[list[int]]:
    return [[0] * BANDS for _ in range(rows)]
