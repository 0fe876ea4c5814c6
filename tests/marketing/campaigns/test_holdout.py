"""Every campaign holds a group out, and writes down once to whom it was there: what it brought can be seen."""

from statistics import NormalDist

from hutong.kernel.ids import seeded_randomness
from hutong.marketing.campaigns.award import EXPOSURES, Exposure
from hutong.marketing.campaigns.campaign import HELD_OUT, HOLDOUT_BPS, TREATED, Campaign, CampaignTerms, Side
from tests.marketing.campaigns.fair import Fair, House, off

HALF = 5_000


def exposures(house: House) -> list[Exposure]:
    return [row for _, row in house.store.rows[EXPOSURES.name]]


def test_by_default_one_in_twenty_gets_nothing() -> None:
    assert CampaignTerms().holdout_bps == HOLDOUT_BPS == 500


def test_who_is_held_out_gets_nothing_and_both_groups_are_noted_once() -> None:
    fair = Fair()
    jing = fair.jing
    plate = fair.shop(fair.wei)
    campaign = jing.campaign(jing.sponsor(100_000), 50_000, off(100), holdout_bps=HALF)
    people = [jing.user(10_000) for _ in range(20)]
    arms = {person.id: campaign.arm(person.id) for person in people}
    assert set(arms.values()) == {TREATED, HELD_OUT}
    for _ in range(2):
        for person in people:
            payment, _ = fair.pay(jing, person, plate, 500)
            assert payment.payer_discount == (100 if arms[person.id] == TREATED else 0)
        fair.tick(1)
        fair.restart("jing")
    noted = exposures(jing)
    assert {row.unit_id: row.arm for row in noted} == arms
    assert len(noted) == len(people)


def test_who_does_not_fit_the_rules_is_in_no_group() -> None:
    fair = Fair()
    jing = fair.jing
    jing.campaign(jing.sponsor(100_000), 50_000, off(100, amount=">= 1000"))
    fair.pay(jing, jing.user(10_000), fair.shop(fair.wei), 999)
    fair.tick(1)
    assert exposures(jing) == []


def test_on_the_payees_side_hours_of_a_shop_are_held_out() -> None:
    fair = Fair()
    wei = fair.wei
    plate = fair.shop(wei, amount=1_000)
    campaign = wei.campaign(wei.sponsor(100_000), 50_000, off(100), side=Side.PAYEE, holdout_bps=HALF)
    given = []
    for _ in range(24):
        payer = wei.user(10_000)
        given += [fair.pay(wei, payer, plate, 1_000)[0].payee_discount for _ in range(2)]
        fair.tick(3600)
    assert given[::2] == given[1::2]
    assert set(given) == {0, 100}
    noted = exposures(wei)
    assert len(noted) == 24
    assert sum(row.arm == TREATED for row in noted) * 2 == sum(amount > 0 for amount in given)
    assert wei.left(campaign) == 50_000 - sum(given)


def made(seed: int, holdout_bps: int) -> Campaign:
    fair_chance = seeded_randomness(seed)
    fields = dict.fromkeys(Campaign.__struct_fields__, 0) | {"salt": fair_chance.randbytes(16)}
    terms = b'{"holdout_bps":%d}' % holdout_bps
    return Campaign(**(fields | {"terms": terms}))  # type: ignore[arg-type]


def test_groups_are_as_large_as_said_and_those_of_two_campaigns_are_independent() -> None:
    chance = seeded_randomness(7)
    people = [chance.getrandbits(128) for _ in range(20_000)]
    one, other = made(1, 500), made(2, 500)
    out = [one.is_held_out(person) for person in people]
    out_of_other = [other.is_held_out(person) for person in people]
    both = [a and b for a, b in zip(out, out_of_other, strict=True)]
    for found, expected in ((out, 0.05), (out_of_other, 0.05), (both, 0.0025)):
        sigma = (expected * (1 - expected) / len(people)) ** 0.5
        z = abs(sum(found) / len(people) - expected) / sigma
        assert z < NormalDist().inv_cdf(1 - 1e-6)
    assert [one.is_held_out(person) for person in people] == out
