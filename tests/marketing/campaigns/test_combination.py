"""The best combination of benefits: against every subset in every order, and against its own rules."""

from itertools import combinations, pairwise, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.kernel.ids import seeded_randomness
from hutong.marketing.campaigns.benefit import Benefit
from hutong.marketing.campaigns.combination import WORK_MAX, Combination, Why, best_combination


def _benefit(amount: int, **told: object) -> Benefit:
    return Benefit(campaign_id=1, label="off", source="coupon", amount=amount, **told)  # type: ignore[arg-type]


def _fits(amount: int, order: tuple[Benefit, ...]) -> int:
    """What these give in this order, or -1 if they may not be applied so."""
    groups = [benefit.group for benefit in order if benefit.group]
    if len(groups) != len(set(groups)) or (len(order) > 1 and any(benefit.exclusive for benefit in order)):
        return -1
    left = amount
    for benefit in order:
        if benefit.threshold > left or left <= 1:
            return -1
        left -= min(benefit.amount, left - 1)
    return amount - left


def _best_of_all(amount: int, benefits: list[Benefit]) -> int:
    """By trying everything: any subset, in any order that the priorities allow."""
    best = 0
    for size in range(1, len(benefits) + 1):
        for chosen in combinations(benefits, size):
            for order in permutations(chosen):
                if all(first.priority >= then.priority for first, then in pairwise(order)):
                    best = max(best, _fits(amount, order))
    return best


BENEFITS = st.builds(
    Benefit,
    campaign_id=st.just(1),
    label=st.just("off"),
    source=st.just("coupon"),
    amount=st.integers(0, 12),
    threshold=st.sampled_from([0, 0, 1, 5, 8, 10, 12, 20]),
    priority=st.integers(-1, 1),
    exclusive=st.sampled_from([False, False, False, True]),
    group=st.sampled_from(["", "", "a", "b"]),
)


def _check_rules(amount: int, combination: Combination) -> None:
    assert combination.amount == sum(benefit.amount for benefit in combination.chosen)
    assert combination.amount < max(amount, 1)
    assert all(benefit.amount > 0 for benefit in combination.chosen)
    if combination.chosen:
        assert _fits(amount, combination.chosen) == combination.amount
    assert all(first.priority >= then.priority for first, then in pairwise(combination.chosen))


@settings(max_examples=400)
@given(st.integers(0, 30), st.lists(BENEFITS, max_size=5))
def test_nothing_gives_the_payer_more_than_the_best(amount: int, benefits: list[Benefit]) -> None:
    combination = best_combination(amount, benefits)
    _check_rules(amount, combination)
    assert combination.proved
    assert combination.amount == _best_of_all(amount, benefits)


@given(st.integers(0, 30), st.lists(BENEFITS, max_size=6))
def test_nothing_is_spent_that_adds_nothing(amount: int, benefits: list[Benefit]) -> None:
    chosen = best_combination(amount, benefits).chosen
    total = sum(benefit.amount for benefit in chosen)
    for one in chosen:
        without = tuple(benefit for benefit in chosen if benefit is not one)
        assert sum(benefit.amount for benefit in without) < total


@given(st.integers(0, 30), st.lists(BENEFITS, max_size=6))
def test_each_is_explained_with_what_it_gives(amount: int, benefits: list[Benefit]) -> None:
    combination = best_combination(amount, benefits)
    told = combination.explained
    assert [each["could_give"] for each in told] == [benefit.amount for benefit in benefits]
    assert sum(each["gives"] for each in told) == combination.amount
    for each, benefit in zip(told, benefits, strict=True):
        taken = each["why"] in {Why.TAKEN, Why.TAKEN_IN_PART}
        assert taken == (each["gives"] > 0)
        if each["why"] == Why.BELOW_THRESHOLD:
            assert benefit.threshold == amount + each["missing"]
        if each["why"] == Why.BELOW_THRESHOLD_THEN:
            assert each["left"] < benefit.threshold <= amount


@settings(max_examples=30)
@given(st.integers(1, 50_000), st.randoms(use_true_random=False), st.sampled_from([0, 0, 3_000, 10_000]))
def test_many_candidates_keep_the_rules(amount: int, random: object, threshold: int) -> None:
    draw = random.randint  # type: ignore[attr-defined]
    benefits = [
        _benefit(
            draw(1, 3_000),
            threshold=draw(0, threshold),
            priority=draw(0, 2),
            group=f"g{draw(0, 5)}" if draw(0, 1) else "",
        )
        for _ in range(200)
    ]
    combination = best_combination(amount, benefits)
    _check_rules(amount, combination)
    greatest = max((_fits(amount, (benefit,)) for benefit in benefits), default=0)
    assert combination.amount >= greatest


def test_thirty_off_a_hundred_goes_with_five_off_in_the_order_that_lets_both() -> None:
    thirty = _benefit(3_000, threshold=10_000)
    five = _benefit(500, threshold=7_000)
    combination = best_combination(10_000, [five, thirty])
    assert combination.chosen == (thirty, five)
    assert combination.amount == 3_500


def test_a_higher_priority_comes_first_even_where_that_costs_the_other() -> None:
    thirty = _benefit(3_000, threshold=10_000)
    five = _benefit(500, priority=1)
    combination = best_combination(10_000, [five, thirty])
    assert combination.chosen == (thirty,)
    assert [each["why"] for each in combination.explained] == [Why.GIVES_LESS, Why.TAKEN]


def test_one_fen_is_left_to_pay() -> None:
    combination = best_combination(500, [_benefit(400), _benefit(400)])
    assert combination.amount == 499
    assert [each["why"] for each in combination.explained] == [Why.TAKEN, Why.TAKEN_IN_PART]
    assert [each["gives"] for each in combination.explained] == [400, 99]


def test_a_payment_of_one_fen_gets_nothing() -> None:
    combination = best_combination(1, [_benefit(400)])
    assert combination.amount == 0
    assert combination.explained[0]["why"] == Why.GIVES_NOTHING


def test_what_stands_alone_is_taken_where_it_gives_as_much_as_the_rest_together() -> None:
    alone, one, two = _benefit(300, exclusive=True), _benefit(100), _benefit(200)
    combination = best_combination(1_000, [one, alone, two])
    assert combination.chosen == (alone,)
    told = combination.explained
    assert [each["why"] for each in told] == [Why.OTHER_STANDS_ALONE, Why.TAKEN, Why.OTHER_STANDS_ALONE]
    assert best_combination(1_000, [one, alone, two, _benefit(1)]).amount == 301


def test_of_a_group_the_better_one_is_taken_and_the_other_hears_which() -> None:
    small, large = _benefit(100, group="daily", source_id=7), _benefit(200, group="daily", source_id=8)
    told = best_combination(1_000, [small, large]).explained
    assert told[0]["why"] == Why.GROUP_TAKEN
    assert told[0]["by_source_id"] == 8


def test_where_nothing_more_is_left_the_spare_one_is_not_spent() -> None:
    combination = best_combination(200, [_benefit(50), _benefit(199)])
    assert [benefit.amount for benefit in combination.chosen] == [199]
    assert combination.explained[0]["why"] == Why.NOTHING_LEFT


def test_a_knapsack_beyond_bounds_is_answered_and_says_that_it_is_not_proved() -> None:
    random = seeded_randomness(6)
    benefits = [
        _benefit(random.randint(1_000, 99_999) * 2, threshold=9_999_999 - random.randint(0, 400_000))
        for _ in range(WORK_MAX // 8)
    ]
    combination = best_combination(10_000_000, benefits)
    _check_rules(10_000_000, combination)
    assert combination.amount > 0


@given(st.integers(2, 30), st.lists(BENEFITS, max_size=5))
def test_more_offers_never_give_less(amount: int, benefits: list[Benefit]) -> None:
    more = best_combination(amount, [*benefits, _benefit(3)])
    assert more.amount >= best_combination(amount, benefits).amount


def test_a_draw_that_gives_less_beside_others_says_of_what() -> None:
    """Whoever checks it has to find that no more could be paid of it."""
    coupon = _benefit(700, priority=1)
    draw = Benefit(campaign_id=2, label="draw", source="draw", amount=500, facts={"drawn": 500, "to_pay": 1_000})
    _, given = best_combination(1_000, [draw, coupon]).chosen
    assert (given.amount, given.facts) == (299, {"drawn": 500, "to_pay": 300})
    (whole,) = best_combination(1_000, [draw]).chosen
    assert whole.facts["to_pay"] == 1_000
