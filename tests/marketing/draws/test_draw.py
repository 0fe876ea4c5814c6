import json
from collections import Counter
from datetime import date
from fractions import Fraction
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.errors import Refusal
from hutong.marketing.draws import public_log
from hutong.marketing.draws.distribution import USUAL, Band, Distribution
from hutong.marketing.draws.draw import (
    NUMBERS,
    Draw,
    commitment_of,
    drawn,
    key_commitment_of,
    reference_of,
    token_of,
)
from hutong.marketing.draws.public_log import GENESIS, Entry
from hutong.marketing.draws.reasons import DrawReason
from tests.marketing.draws.chi_square import chi_square, critical, independence
from tests.marketing.draws.living import CAMPAIGN, DAY, SEED

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "draws.json").read_text())
MANY = 40_000
# People, here by number, and their draws of one day: what the statistics below are of.
SAMPLE = [drawn(SEED, USUAL, CAMPAIGN, DAY, f"{person:032x}", 1) for person in range(MANY)]


@pytest.mark.parametrize("row", VECTORS["draws"], ids=lambda row: f"{row['day']}/{row['phrase']}/{row['turn']}")
def test_draws_are_as_a_second_implementation_gives_them(row: dict[str, Any]) -> None:
    day, seed, campaign = date.fromisoformat(row["day"]), bytes.fromhex(row["seed"]), VECTORS["campaign"]
    distribution = Distribution(tuple(Band(*band) for band in VECTORS["bands"]))
    token = token_of(bytes.fromhex(VECTORS["key"]), campaign, int(row["person"], 16))
    assert token.hex() == row["token"]
    assert reference_of(campaign, day, token, row["phrase"]) == row["reference"]
    assert commitment_of(campaign, day, seed) == row["commitment"]
    found = drawn(seed, distribution, campaign, day, row["reference"], row["turn"])
    assert (found.amount, found.number) == (row["amount"], row["number"])


def test_the_log_is_chained_as_a_second_implementation_chains_it() -> None:
    assert key_commitment_of(VECTORS["campaign"], bytes.fromhex(VECTORS["key"])) == VECTORS["key_commitment"]
    entries = [Entry(**row) for row in VECTORS["log"]]
    assert [*public_log.breaks(VECTORS["campaign"], GENESIS, entries)] == []


@pytest.mark.parametrize("change", ["seed", "campaign", "day", "reference", "turn"])
def test_a_draw_depends_on_each_thing_that_it_is_of(change: str) -> None:
    of: dict[str, Any] = {"seed": SEED, "campaign": CAMPAIGN, "day": DAY, "reference": "a" * 32, "turn": 1}
    other = {
        "seed": b"\1" * 32,
        "campaign": CAMPAIGN + "1",
        "day": date(2026, 11, 24),
        "reference": "b" * 32,
        "turn": 2,
    }
    assert drawn(distribution=USUAL, **of) != drawn(distribution=USUAL, **{**of, change: other[change]})


@given(st.integers(2, 10**6), st.integers(0, 10**6), st.integers(1, 3_000))
def test_what_is_given_leaves_a_fen_to_pay_and_never_passes_the_draw_or_the_budget(
    to_pay: int, left: int, amount: int
) -> None:
    found = Draw(amount, 0).given(to_pay, left)
    assert 0 <= found <= min(amount, left)
    assert to_pay - found >= 1


def test_a_payment_of_one_fen_gets_nothing() -> None:
    assert Draw(3_000, 0).given(1, 10_000) == 0


def test_all_are_admitted_by_the_highest_threshold_and_nobody_by_zero() -> None:
    assert all(draw.is_admitted(NUMBERS) for draw in SAMPLE)
    assert not any(draw.is_admitted(0) for draw in SAMPLE)


def test_amounts_come_up_as_published() -> None:
    counts = Counter(USUAL.bands.index(_band(draw.amount)) for draw in SAMPLE)
    expected = [Fraction(MANY * band.weight, USUAL.weight) for band in USUAL.bands]
    assert chi_square([counts[at] for at in range(len(expected))], expected) < critical(len(expected) - 1)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_within_a_band_each_amount_is_alike(at: int) -> None:
    band = USUAL.bands[at]
    counts = Counter(draw.amount for draw in SAMPLE if _band(draw.amount) == band)
    span = range(band.low, band.high + 1)
    expected = [Fraction(counts.total(), len(span))] * len(span)
    assert chi_square([counts[amount] for amount in span], expected) < critical(len(span) - 1)


def test_the_mean_of_many_is_the_published_mean() -> None:
    mean = Fraction(sum(draw.amount for draw in SAMPLE), MANY)
    square = sum(
        band.weight * Fraction(sum(amount**2 for amount in range(band.low, band.high + 1)), band.high - band.low + 1)
        for band in USUAL.bands
    )
    variance = square / USUAL.weight - USUAL.mean**2
    assert abs(mean - USUAL.mean) < 4 * sqrt(variance / MANY)


def test_numbers_are_alike_and_say_nothing_about_amounts() -> None:
    """A threshold lets in people, not amounts: ten ranges of numbers against the first three bands."""
    table = [[0] * 3 for _ in range(10)]
    for draw in SAMPLE:
        at = USUAL.bands.index(_band(draw.amount))
        if at < 3:
            table[draw.number * 10 // NUMBERS][at] += 1
    assert independence(table) < critical(9 * 2)
    rows = [sum(row) for row in table]
    assert chi_square(rows, [Fraction(sum(rows), 10)] * 10) < critical(9)


def test_what_a_person_draws_says_nothing_about_the_person_or_the_next_day() -> None:
    """Two days of the same people, and the halves of them who came first and last: nothing to be seen."""
    tomorrow = [drawn(b"\7" * 32, USUAL, CAMPAIGN, date(2026, 11, 24), f"{person:032x}", 1) for person in range(MANY)]
    days = [[0] * 3 for _ in range(3)]
    halves = [[0] * 3 for _ in range(2)]
    for person, (now, then) in enumerate(zip(SAMPLE, tomorrow, strict=True)):
        first, second = (USUAL.bands.index(_band(draw.amount)) for draw in (now, then))
        if first < 3 and second < 3:
            days[first][second] += 1
            halves[person * 2 // MANY][first] += 1
    assert independence(days) < critical(4)
    assert independence(halves) < critical(2)


@pytest.mark.parametrize(
    ("bands", "field"),
    [
        ((), None),
        ((Band(0, 1, 2),), "weight"),
        ((Band(1, 0, 2),), "low"),
        ((Band(1, 3, 2),), "low"),
        ((Band(1, 1, 5), Band(1, 5, 9)), "low"),
        ((Band(1, 1, 10**9),), "low"),
    ],
)
def test_a_distribution_that_is_none_is_refused(bands: tuple[Band, ...], field: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        Distribution(bands).check()
    assert refused.value.reason is DrawReason.DISTRIBUTION_INVALID
    assert refused.value.facts.get("field") == field


def test_the_usual_distribution_goes_up_to_thirty_yuan() -> None:
    USUAL.check()
    assert USUAL.highest == 3_000
    assert USUAL.bands[0].low >= 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_each_band_has_exactly_its_weight_of_all_tickets(weights: list[int]) -> None:
    """Statistics do not see one ticket of ten thousand in another band: this does."""
    bands = tuple(Band(weight, 10 * at + 1, 10 * at + 9) for at, weight in enumerate(weights))
    all_tickets = sum(weights)
    found = Counter(Distribution(bands).band_at(ticket, all_tickets) for ticket in range(all_tickets))
    assert [found[band] for band in bands] == weights


@given(st.integers(0, 2**96 - 1))
def test_every_chance_has_a_band(chance: int) -> None:
    assert USUAL.band_at(chance, 2**96) in USUAL.bands


def _band(amount: int) -> Band:
    (found,) = (band for band in USUAL.bands if band.low <= amount <= band.high)
    return found
