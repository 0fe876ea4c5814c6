"""The lucky split is what `docs/red-packets.md` says: exact sums, exact chances, the same in every place, and open to check."""

import hashlib
from collections import Counter
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.ids import seeded_randomness
from hutong.marketing.red_packets.split import SplitKind, commitment, shares

LUCKY = SplitKind.LUCKY
DRAWS = 20_000
# The 0.9999 quantiles of chi-squared, by degrees of freedom: with seeds that never change, a test that passes once passes.
CHI_SQUARED = {8: 31.83, 11: 37.37, 35: 74.93}


def seed(number: int) -> bytes:
    return seeded_randomness(number).randbytes(32)


def drawn(amount: int, count: int, draws: int = DRAWS) -> list[list[int]]:
    return [shares(LUCKY, amount, count, number << 8, seed(number)) for number in range(draws)]


def chi_squared(found: Counter[int], expected: dict[int, float]) -> float:
    assert set(found) <= set(expected)
    return sum((found[each] - chance) ** 2 / chance for each, chance in expected.items())


@given(st.integers(1, 400), st.integers(0, 10**7), st.binary(min_size=32, max_size=32), st.integers(0, 2**128 - 1))
def test_the_shares_add_up_and_each_is_at_least_a_fen(count: int, over: int, chance: bytes, packet_id: int) -> None:
    found = shares(LUCKY, count + over, count, packet_id, chance)
    assert (sum(found), len(found)) == (count + over, count)
    assert min(found) >= 1
    assert found == shares(LUCKY, count + over, count, packet_id, chance)


def test_every_way_to_split_is_as_likely() -> None:
    """Of 10 fen among 3 there are 36 ways."""
    found = Counter(map(tuple, drawn(10, 3)))
    assert len(found) == comb(9, 2) == 36
    ways = dict.fromkeys(found, DRAWS / 36)
    assert sum((found[way] - chance) ** 2 / chance for way, chance in ways.items()) < CHI_SQUARED[35]


@pytest.mark.parametrize("place", range(4))
def test_every_place_in_the_queue_has_the_published_chances(place: int) -> None:
    amount, count = 12, 4
    found = Counter(each[place] for each in drawn(amount, count))
    chances = {
        worth: DRAWS * comb(amount - worth - 1, count - 2) / comb(amount - 1, count - 1)
        for worth in range(1, amount - count + 2)
    }
    assert round(sum(chances.values())) == DRAWS
    assert chi_squared(found, chances) < CHI_SQUARED[8]


def test_no_place_is_better_and_none_tells_of_another_by_its_order() -> None:
    """Of 100 yuan among 5: means alike, and first above last as often as below."""
    found = drawn(10_000, 5, 4_000)
    means = [sum(each[place] for each in found) / len(found) for place in range(5)]
    # A share's deviation is about its mean, 2000: of 4000 draws the mean deviates by 32; four of those are a lot.
    assert all(abs(mean - 2_000) < 4 * 2_000 / len(found) ** 0.5 for mean in means)
    above = sum(each[0] > each[4] for each in found)
    assert abs(above - len(found) / 2) < 4 * (len(found) / 4) ** 0.5


def test_the_split_depends_on_the_seed_and_the_packet_alone() -> None:
    same = shares(LUCKY, 8_888, 8, 256, seed(1))
    assert shares(LUCKY, 8_888, 8, 512, seed(1)) != same
    assert shares(LUCKY, 8_888, 8, 256, seed(2)) != same


def test_a_program_written_from_the_page_finds_the_same() -> None:
    """The six steps of `docs/red-packets.md`, written down anew."""
    for number in range(50):
        chance, id_ = seed(number), (number * 7 + 1) << 64
        amount, count = 500 + 37 * number, 1 + number
        head = b"hutong red packet split 1" + id_.to_bytes(16, "big") + chance
        words = []
        for block in range(100):
            digest = hashlib.sha256(head + block.to_bytes(8, "big")).digest()
            words += [int.from_bytes(digest[at : at + 8], "big") for at in (0, 8, 16, 24)]
        cuts: set[int] = set()
        for last in range(amount - count + 1, amount):
            while (word := words.pop(0)) >= 2**64 - 2**64 % last:
                pass
            cuts.add(last if 1 + word % last in cuts else 1 + word % last)
        ends = [0, *sorted(cuts), amount]
        assert shares(LUCKY, amount, count, id_, chance) == [ends[at + 1] - ends[at] for at in range(count)]
        told = hashlib.sha256(b"hutong red packet commitment 1" + id_.to_bytes(16, "big") + chance).digest()
        assert commitment(id_, chance) == told


def test_golden_vectors() -> None:
    """Made with the first version of this code: what was promised under a commitment must stay so."""
    packet_id = 0x0193_5B3A_0000_1234_5678_9ABC_DEF0_1200
    chance = bytes(range(32))
    assert shares(LUCKY, 8_888, 6, packet_id, chance) == GOLDEN_SHARES
    assert commitment(packet_id, chance).hex() == GOLDEN_COMMITMENT


GOLDEN_SHARES = [334, 144, 776, 33, 2337, 5264]
GOLDEN_COMMITMENT = "c27fc3b00aed11ee5d1fb4966a329ec4aa1a3aa53ed87efb8be22beaa385889e"
