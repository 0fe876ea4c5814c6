"""Who asks why a payment costs what it costs is told of everything that fits it, and the sums agree with what is paid."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.institution.payments.cashier import Weighed
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.combination import Why
from hutong.marketing.campaigns.rules import RuleRow
from hutong.runtime.shelf import warmed
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import Fair, House, off


def explained(house: House, payer: Person, plate: str, amount: int) -> tuple[int, list[Weighed]]:
    """The discount, and what is said of it."""
    quote = now(
        warmed(
            house.journal,
            lambda: house.payments.consults.quote(payer, house.terms(plate), amount, explain=True),
        )
    )
    return quote.discount, list(quote.explained)


def told(weighed: list[Weighed]) -> list[tuple[int, int, str]]:
    return [(each.could_give, each.gives, each.why) for each in weighed]


def test_each_reason_that_a_campaign_may_have_is_said() -> None:
    fair = Fair()
    jing, plate = fair.jing, fair.shop(fair.wei)
    payer, sponsor = jing.user(100_000), jing.sponsor(100_000)
    jing.campaign(sponsor, 5_000, off(300), group="one of us")
    jing.campaign(sponsor, 5_000, off(200), group="one of us")
    jing.campaign(sponsor, 5_000, RuleRow(off=900, threshold=3_000))
    jing.campaign(sponsor, 5_000, off(250), exclusive=True)
    jing.campaign(sponsor, 5_000, off(100))
    jing.campaign(sponsor, 5_000, off(50, amount="> 9000"))  # Its rules do not fit: nothing is said of it.
    discount, weighed = explained(jing, payer, plate, 1_000)
    assert discount == 400
    assert told(weighed) == [
        (300, 300, Why.TAKEN),
        (100, 100, Why.TAKEN),
        (900, 0, Why.BELOW_THRESHOLD),
        (250, 0, Why.STANDS_ALONE),
        (200, 0, Why.GROUP_TAKEN),
    ]
    below, alone, group = weighed[2:]
    assert (below.threshold, below.missing, alone.together, group.instead) == (3_000, 2_000, 400, "立减")


def test_a_budget_that_is_spent_and_a_person_who_had_it_are_told_apart() -> None:
    fair = Fair()
    jing, plate = fair.jing, fair.shop(fair.wei)
    payer, other, sponsor = jing.user(100_000), jing.user(100_000), jing.sponsor(100_000)
    jing.campaign(sponsor, 5_000, off(300), caps=Caps(times=1))
    jing.campaign(sponsor, 250, off(200))
    fair.pay(jing, payer, plate, 1_000)
    assert explained(jing, payer, plate, 1_000) == (
        0,
        [
            Weighed(label="立减", source="campaign", could_give=0, gives=0, why=Why.PERSON_HAD_IT.value),
            Weighed(label="立减", source="campaign", could_give=0, gives=0, why=Why.BUDGET_SPENT.value),
        ],
    )
    discount, weighed = explained(jing, other, plate, 1_000)
    assert (discount, told(weighed)) == (300, [(300, 300, Why.TAKEN), (0, 0, Why.BUDGET_SPENT)])


def test_who_was_held_out_is_told_nothing_of_it() -> None:
    fair = Fair()
    jing, plate = fair.jing, fair.shop(fair.wei)
    payer = jing.user(100_000)
    jing.campaign(jing.sponsor(10_000), 5_000, off(300), holdout_bps=10_000)
    jing.campaign(jing.sponsor(10_000, "S-2"), 100, off(300), holdout_bps=10_000)
    assert explained(jing, payer, plate, 1_000) == (0, [])


def test_who_does_not_ask_is_told_nothing_and_nothing_is_set_aside_by_asking() -> None:
    fair = Fair()
    jing, plate = fair.jing, fair.shop(fair.wei)
    payer, campaign = jing.user(100_000), jing.campaign(jing.sponsor(10_000), 5_000, off(300))
    assert explained(jing, payer, plate, 1_000)[0] == 300
    assert jing.left(campaign) == 5_000
    quote = now(warmed(jing.journal, lambda: jing.payments.consults.quote(payer, jing.terms(plate), 1_000)))
    assert (quote.discount, quote.explained) == (300, ())


@given(
    rows=st.lists(
        st.tuples(
            st.integers(1, 1_200), st.sampled_from([0, 500, 900]), st.booleans(), st.sampled_from(["", "a", "b"])
        ),
        max_size=5,
    ),
    amount=st.integers(2, 1_200),
)
@settings(max_examples=25, deadline=None)
def test_what_is_said_to_be_given_is_what_is_given(rows: list[tuple[int, int, bool, str]], amount: int) -> None:
    fair = Fair()
    jing, plate = fair.jing, fair.shop(fair.wei)
    payer, sponsor = jing.user(100_000), jing.sponsor(100_000)
    for gives, threshold, exclusive, group in rows:
        jing.campaign(sponsor, 3_000, RuleRow(off=gives, threshold=threshold), exclusive=exclusive, group=group)
    discount, weighed = explained(jing, payer, plate, amount)
    assert sum(each.gives for each in weighed) == discount
    assert len(weighed) == len(rows)
    for each in weighed:
        assert bool(each.gives) == (each.why in {Why.TAKEN, Why.TAKEN_IN_PART})
