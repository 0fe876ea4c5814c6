from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hutong.kernel.errors import KernelReason, Refusal
from hutong.kernel.money import (
    BPS,
    MINOR_MAX,
    Currency,
    Money,
    currency_of,
    fen,
    format_amount,
    parse_amount,
    share_bps,
    split,
)

CURRENCIES = st.sampled_from(Currency)
AMOUNTS = st.integers(0, MINOR_MAX)
WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=20).filter(any)


@given(AMOUNTS, WEIGHTS)
def test_shares_add_up_to_the_whole(minor: int, weights: list[int]) -> None:
    parts = split(minor, weights)
    assert len(parts) == len(weights)
    assert sum(parts) == minor
    assert min(parts) >= 0


@given(WEIGHTS, st.data())
def test_no_share_exceeds_its_weight_when_there_is_enough_for_all(weights: list[int], data: st.DataObject) -> None:
    minor = data.draw(st.integers(0, sum(weights)))
    assert all(part <= weight for part, weight in zip(split(minor, weights), weights, strict=True))


@given(AMOUNTS, WEIGHTS)
def test_a_share_is_less_than_one_minor_unit_from_its_proportion(minor: int, weights: list[int]) -> None:
    total = sum(weights)
    for part, weight in zip(split(minor, weights), weights, strict=True):
        assert abs(part - Fraction(minor * weight, total)) < 1
        assert weight > 0 or part == 0


@pytest.mark.parametrize(
    ("minor", "weights", "parts"),
    [
        (100, [1], [100]),
        (100, [1, 1, 1], [34, 33, 33]),  # The earlier part is served first.
        (101, [1, 1, 1], [34, 34, 33]),
        (10, [0, 3, 7], [0, 3, 7]),
        (1, [1, 2], [0, 1]),  # The larger remainder goes before the earlier part.
        (0, [5, 5], [0, 0]),
        (5, [2, 2, 2], [2, 2, 1]),
    ],
)
def test_the_minor_units_left_over_go_out_by_a_fixed_rule(minor: int, weights: list[int], parts: list[int]) -> None:
    assert split(minor, weights) == parts


@pytest.mark.parametrize(("minor", "weights"), [(1, []), (1, [0, 0]), (-1, [1]), (1, [2, -1])])
def test_splitting_nonsense_is_our_bug(minor: int, weights: list[int]) -> None:
    with pytest.raises(AssertionError):
        split(minor, weights)


@given(AMOUNTS, CURRENCIES)
@example(0, Currency.VND)
@example(MINOR_MAX, Currency.CNY)
def test_an_amount_reads_back_as_it_was_written(minor: int, currency: Currency) -> None:
    assert parse_amount(format_amount(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (0, Currency.CNY, "0.00"),
        (1, Currency.CNY, "0.01"),
        (1050, Currency.CNY, "10.50"),
        (1050, Currency.VND, "1050"),
        (MINOR_MAX, Currency.CNY, "92233720368547758.07"),
    ],
)
def test_an_amount_is_written_with_exactly_its_currencys_decimals(minor: int, currency: Currency, text: str) -> None:
    assert format_amount(minor, currency) == text


@pytest.mark.parametrize(
    ("text", "minor"),
    [("10", 1000), ("10.", 1000), ("10.5", 1050), ("10.50", 1050), ("010.50", 1050), ("0", 0)],
)
def test_an_amount_may_be_written_short(text: str, minor: int) -> None:
    assert parse_amount(text, Currency.CNY) == minor


@pytest.mark.parametrize(
    ("text", "currency", "reason"),
    [
        *(
            (text, Currency.CNY, KernelReason.AMOUNT_MALFORMED)
            for text in ["", ".", ".5", "-1", "+1", "1e3", "1,000", " 1", "1 ", "1_0", "0x1", "NaN", "1.2.3", "1.-2"]
        ),
        ("１", Currency.CNY, KernelReason.AMOUNT_MALFORMED),  # A full-width digit.
        ("1.²", Currency.CNY, KernelReason.AMOUNT_MALFORMED),
        ("1\n", Currency.CNY, KernelReason.AMOUNT_MALFORMED),
        ("1.005", Currency.CNY, KernelReason.AMOUNT_HAS_TOO_MANY_DECIMALS),
        ("1.0", Currency.VND, KernelReason.AMOUNT_HAS_TOO_MANY_DECIMALS),
        ("92233720368547758.08", Currency.CNY, KernelReason.AMOUNT_OUT_OF_RANGE),
        ("9" * 5000, Currency.CNY, KernelReason.AMOUNT_OUT_OF_RANGE),  # Past the digits int() would read.
        ("9223372036854775808", Currency.VND, KernelReason.AMOUNT_OUT_OF_RANGE),
    ],
)
def test_a_wrong_amount_is_refused_by_name(text: str, currency: Currency, reason: KernelReason) -> None:
    with pytest.raises(Refusal) as refused:
        parse_amount(text, currency)
    assert refused.value.reason is reason


@given(st.text(alphabet=st.characters(), max_size=60) | st.text(alphabet="0123456789.", max_size=60), CURRENCIES)
def test_no_text_raises_anything_but_a_refusal(text: str, currency: Currency) -> None:
    try:
        minor = parse_amount(text, currency)
    except Refusal:
        return
    assert 0 <= minor <= MINOR_MAX


@pytest.mark.parametrize("currency", Currency)
def test_a_currency_is_known_by_both_its_codes(currency: Currency) -> None:
    assert currency_of(currency.alpha) is currency
    assert currency_of(currency.numeric) is currency
    assert currency.ledger == currency.numeric


def test_no_two_currencies_share_a_ledger() -> None:
    assert len({currency.ledger for currency in Currency}) == len(Currency)


@pytest.mark.parametrize("code", ["XXX", "cny", "156", "", 0, 999, -156, True])
def test_an_unknown_currency_is_refused(code: str | int) -> None:
    with pytest.raises(Refusal) as refused:
        currency_of(code)
    assert refused.value.reason is KernelReason.CURRENCY_UNKNOWN


@pytest.mark.parametrize(
    ("minor", "bps", "share"),
    [(10_000, 38, 38), (100, 38, 0), (132, 38, 1), (131, 38, 0), (1, 5_000, 1), (1, 4_999, 0), (7, BPS, 7), (7, 0, 0)],
)
def test_basis_points_round_half_up(minor: int, bps: int, share: int) -> None:
    assert share_bps(minor, bps) == share


@given(AMOUNTS, st.integers(0, BPS))
def test_a_share_never_exceeds_the_whole(minor: int, bps: int) -> None:
    assert 0 <= share_bps(minor, bps) <= minor


def test_money_says_its_amount_and_currency() -> None:
    assert str(fen(1050)) == "10.50 CNY"
    assert str(Money(1050, Currency.JPY)) == "1050 JPY"


@pytest.mark.parametrize("minor", [-1, 2**127, True, 1.0])
def test_money_that_is_no_count_is_our_bug(minor: int) -> None:
    with pytest.raises(AssertionError):
        fen(minor)
