"""
Effects and their intervals.

The golden values are of statsmodels 0.15.0 (`CompareMeans.tconfint_diff(usevar="unequal")`) and SciPy 1.17.1
(`scipy.stats.ttest_ind(equal_var=False).confidence_interval()`, `scipy.stats.t.ppf`), which agree, on 2026-11-22.
"""

from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.ids import seeded_randomness
from hutong.marketing.effects.effect import UNITS_MIN, Sample, Verdict, effect
from hutong.marketing.effects.student import quantile, within


@pytest.mark.parametrize(
    ("confidence", "freedom", "expected"),
    [
        (0.95, 2, 4.302652729749462),
        (0.95, 10, 2.228138851986274),
        (0.95, 29.5, 2.043724966772122),
        (0.95, 1000, 1.9623390808264083),
        (0.99, 4.25, 4.424306015374943),
        (0.95, 123456.0, 1.9599832002451867),
        (0.5, 7, 0.7111417780817866),
    ],
)
def test_quantiles_of_students_t(confidence: float, freedom: float, expected: float) -> None:
    assert quantile(confidence, freedom) == pytest.approx(expected, rel=1e-9)


def test_with_many_degrees_of_freedom_it_is_the_normal_distribution() -> None:
    assert quantile(0.95, 1e9) == pytest.approx(NormalDist().inv_cdf(0.975), rel=1e-6)


@given(st.floats(0.5, 0.999), st.floats(1, 1e5))
def test_a_quantile_is_where_so_much_lies_within(confidence: float, freedom: float) -> None:
    assert within(quantile(confidence, freedom), freedom) == pytest.approx(confidence, abs=1e-9)


@pytest.mark.parametrize(
    ("treated", "held_out", "difference", "low", "high", "verdict"),
    [
        ((40, 6, 1), (35, 5, 3), -350.0, -829.8069826585776, 129.8069826585776, Verdict.NOT_SEEN),
        ((1900, 7, 1), (100, 6, 5), 679.473684, 299.16583660939705, 1059.7815318116554, Verdict.MORE),
        ((500, 3001, 11), (60, 1201, 13), 884083.333333, 766628.1361860187, 1001538.5304806478, Verdict.MORE),
        ((60, 1201, 13), (500, 3001, 11), -884083.333333, -1001538.5304806478, -766628.1361860187, Verdict.LESS),
    ],
)
def test_intervals_are_welchs(
    treated: tuple[int, int, int],
    held_out: tuple[int, int, int],
    difference: float,
    low: float,
    high: float,
    verdict: Verdict,
) -> None:
    found = effect(Sample.of(values(*treated)), Sample.of(values(*held_out)))
    assert (found.difference, found.low, found.high) == (round(difference), round(low), round(high))
    assert found.verdict is verdict


def values(many: int, below: int, by: int) -> list[int]:
    """Numbers that look like chance and are the same everywhere."""
    return [(each * each * by + each * 7) % below for each in range(many)]


@pytest.mark.parametrize("few", [0, 1, UNITS_MIN - 1])
def test_of_too_few_nothing_is_said(few: int) -> None:
    found = effect(Sample.of(values(5_000, 7, 1)), Sample.of(values(few, 5, 3)))
    assert found.verdict is Verdict.TOO_FEW
    assert (found.difference, found.low, found.high, found.extra) == (0, 0, 0, 0)
    assert (found.treated, found.held_out) == (5_000, few)


def test_where_all_are_alike_nothing_is_said_of_chance() -> None:
    assert effect(Sample.of([1] * 99), Sample.of([1] * 99)).verdict is Verdict.TOO_FEW


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Four hundred campaigns that do nothing: about twenty seem to do something."""
    randomness = seeded_randomness(6)
    wrong = 0
    for _ in range(400):
        treated = Sample.of(randomness.randrange(4) for _ in range(150))
        held_out = Sample.of(randomness.randrange(4) for _ in range(40))
        wrong += effect(treated, held_out).verdict is not Verdict.NOT_SEEN
    assert 8 <= wrong <= 34


def test_what_all_treated_did_more_is_the_difference_times_all_of_them() -> None:
    found = effect(Sample.of([3, 5] * 100), Sample.of([1, 3] * 50))
    assert (found.treated_mean, found.held_out_mean, found.difference, found.extra) == (4_000, 2_000, 2_000, 400)
