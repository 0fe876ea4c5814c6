"""An interval drawn on the server: where a difference lies, against nothing at all, as SVG in the page's own colours."""

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH, _HEIGHT, _SIDE = 240, 44, 8
_LINE, _TEXT = 14, 38
_LETTER = 6.6  # Letters are 11 high.


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference and the ends of its interval; `shown` writes them, `tag` is `good`, `bad` or empty."""

    low: int
    difference: int
    high: int
    shown: Callable[[int], str]
    tag: str
    said: str  # All of it as a sentence.


def drawn(interval: Interval) -> Markup:
    """A bar from end to end with a dot for what is most likely, over a line that is nothing."""
    least, most = min(interval.low, 0), max(interval.high, 0)

    def x(value: int) -> float:
        return _SIDE + (_WIDTH - 2 * _SIDE) * (value - least) / max(most - least, 1)

    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(interval.said)}"'
    parts = [
        f'<svg class="chart interval {interval.tag}" {box}>',
        f'<path class="grid" d="M{_SIDE} {_LINE}H{_WIDTH - _SIDE}"/>',
        f'<path class="axis" d="M{x(0):.1f} 2V{2 * _LINE - 2}"/>',
        f'<path class="span" d="M{x(interval.low):.1f} {_LINE}H{x(interval.high):.1f}"/>',
        f'<circle class="dot" cx="{x(interval.difference):.1f}" cy="{_LINE}" r="4.5"/>',
        *_labels(interval, x),
        "</svg>",
    ]
    return Markup("".join(parts))  # noqa: S704  # Every text of it went through `escape`.


def _labels(interval: Interval, x: Callable[[int], float]) -> list[str]:
    """Nothing, then the end that is farther from it, then the other: as far as there is room for them."""
    taken: list[tuple[float, float]] = []
    found = []
    for value in (0, *sorted((interval.low, interval.high), key=lambda end: -abs(end))):
        text = interval.shown(value) if value else "0"
        half = _LETTER * len(text) / 2
        middle = min(max(x(value), half), _WIDTH - half)
        if all(middle + half + 4 < left or right < middle - half - 4 for left, right in taken):
            taken.append((middle - half, middle + half))
            # At an edge it begins or ends there: how wide letters are is the font's affair, and none may be cut off.
            at, anchor = middle, "middle"
            if middle == half:
                at, anchor = 0, "start"
            elif middle == _WIDTH - half:
                at, anchor = _WIDTH, "end"
            found.append(f'<text x="{at:.1f}" y="{_TEXT}" text-anchor="{anchor}">{escape(text)}</text>')
    return found
