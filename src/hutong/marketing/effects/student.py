"""Student's t: how far a mean of few may be off. From the incomplete beta function, by its continued fraction."""

from functools import lru_cache
from math import exp, lgamma, log, sqrt

_STEPS_MAX = 500
_TINY = 1e-300
_CLOSE = 1e-14


@lru_cache(1000)
def quantile(confidence: float, freedom: float) -> float:
    """What |t| stays below so often, with so many degrees of freedom: 0.95 and 10 is 2.228."""
    low, high = 0.0, 1.0
    while within(high, freedom) < confidence:
        high *= 2
    while high - low > _CLOSE * high:
        middle = (low + high) / 2
        if within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
        if middle in (low, high) and (low + high) / 2 == middle:
            break
    return (low + high) / 2


def within(t: float, freedom: float) -> float:
    """How often |t| is not above this."""
    return 1 - _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularised; of its two forms the one whose fraction converges quickly."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Lentz's way through the continued fraction."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for step in range(1, _STEPS_MAX):
        for part in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            d = 1 / _away(1 + part * d)
            c = _away(1 + part / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def margin(confidence: float, freedom: float, variance: float) -> float:
    """How far off an estimate of this variance may be."""
    return quantile(confidence, freedom) * sqrt(variance)
