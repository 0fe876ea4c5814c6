"""How far counts are from what was published, and how far that happens once in a thousand times."""

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt


def chi_square(counts: Sequence[int], expected: Sequence[Fraction]) -> Fraction:
    """Of counts against what was to be expected."""
    return sum(((count - each) ** 2 / each for count, each in zip(counts, expected, strict=True)), Fraction(0))


def independence(table: Sequence[Sequence[int]]) -> Fraction:
    """Of a table against rows and columns that say nothing about each other."""
    rows, columns = [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)]
    expected = [[Fraction(row * column, sum(rows)) for column in columns] for row in rows]
    return sum((chi_square(*each) for each in zip(table, expected, strict=True)), Fraction(0))


def critical(freedom: int) -> float:
    """What chi-square passes once in a thousand times (Wilson and Hilferty's approximation)."""
    part = 2 / (9 * freedom)
    return freedom * (1 - part + 3.0902 * sqrt(part)) ** 3
