"""
Charts drawn on the server: bars and lines as SVG, with an axis, a legend, and the same figures as a table.

No script and no style of their own: colours are the page's (`kit.css`), so they are right in the dark, too. Each chart is
drawn twice, narrow and wide, and the page shows the one that its letters can be read in.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from hutong.kernel.money import currency_of
from hutong.web.language import Words, phrase

_TABLE = phrase("As a table")
_HIGHEST = phrase("%(caption)s. Highest: %(value)s, %(label)s.")
_NOTHING = phrase("%(caption)s. Nothing yet.")
_NARROW, _WIDE = (340, 190), (760, 230)
_TOP, _RIGHT, _BOTTOM = 12, 8, 24
_LETTER = 6.6  # Of the axis: its letters are 11 high.
_TICKS = 5
_BROAD_MAX = 72  # Of a label's bars: one day alone is no wall.
_GAP_SHARE = 0.3  # Of a label's place, between its bars and the next one's.
_CLASSES = ("", " other", " third")
Shown = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of figure: a value for each of the chart's labels."""

    name: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: at most three series over the same labels. `shown` writes a value, `tick` one at the axis."""

    caption: str
    labels: Sequence[str]
    series: Sequence[Series]
    shown: Shown = str
    tick: Shown = str

    def __post_init__(self) -> None:
        assert 1 <= len(self.series) <= len(_CLASSES)
        assert all(len(each.values) == len(self.labels) for each in self.series)


def money_chart(
    said: Words, caption: str, labels: Sequence[str], series: Sequence[Series], currency: str = "CNY"
) -> Chart:
    """A chart of minor units of a currency: to the fen in the table, in whole units at the axis where they are whole."""
    one = 10 ** currency_of(currency).digits

    def tick(minor: int) -> str:
        text = said.money(minor, currency)
        return text.partition(".")[0] if not minor % one else text

    return Chart(caption, labels, series, shown=lambda minor: said.money(minor, currency), tick=tick)


def bars(said: Words, chart: Chart) -> Markup:
    """Bars, those of a label beside each other."""
    return _figure(said, chart, _bars)


def lines(said: Words, chart: Chart) -> Markup:
    """Lines over the labels; one label alone is a dot."""
    return _figure(said, chart, _lines)


class _Axes:
    """Where a value and a label are in a picture of this size."""

    def __init__(self, chart: Chart, size: tuple[int, int]) -> None:
        self.width, self.height = size
        values = [value for series in chart.series for value in series.values]
        self.ticks = ticks(min(0, *values, 0), max(0, *values, 0))
        self.left = 8 + _LETTER * max(len(chart.tick(tick)) for tick in self.ticks)
        self.place = (self.width - self.left - _RIGHT) / max(1, len(chart.labels))

    def y(self, value: int) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return _TOP + (self.height - _TOP - _BOTTOM) * (high - value) / (high - low)

    def x(self, index: int) -> float:
        """The middle of a label's place."""
        return self.left + self.place * (index + 0.5)


def ticks(low: int, high: int) -> list[int]:
    """About five round numbers from `low` or under to `high` or above: 1, 2 or 5 times a power of ten apart."""
    span = max(high - low, 1)
    step = 1
    while span > step * _TICKS:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    first, last = low // step, -(-high // step)
    return [step * each for each in range(first, max(last, first + 1) + 1)]


def _figure(said: Words, chart: Chart, marks: Callable[[Chart, _Axes], Iterator[str]]) -> Markup:
    text = escape(_alternative(said, chart))
    drawn = "".join(
        f'<svg class="chart {shape}" viewBox="0 0 {size[0]} {size[1]}" role="img" aria-label="{text}">'
        f"{''.join([*_frame(chart, axes := _Axes(chart, size)), *marks(chart, axes)])}</svg>"
        for shape, size in (("narrow", _NARROW), ("wide", _WIDE))
    )
    parts = [f'<figure class="figure"><figcaption>{escape(chart.caption)}</figcaption>', drawn]
    if len(chart.series) > 1:
        names = (
            f'<li><i class="swatch{of}"></i>{escape(series.name)}</li>'
            for series, of in zip(chart.series, _CLASSES, strict=False)
        )
        parts.append(f'<ul class="legend">{"".join(names)}</ul>')
    parts += [_table(said, chart), "</figure>"]
    return Markup("".join(parts))  # noqa: S704  # Every text of it went through `escape`.


def _alternative(said: Words, chart: Chart) -> str:
    first = chart.series[0].values
    if not any(first):
        return said(_NOTHING, caption=chart.caption)
    highest = max(range(len(first)), key=first.__getitem__)
    return said(_HIGHEST, caption=chart.caption, value=chart.shown(first[highest]), label=chart.labels[highest])


def _frame(chart: Chart, axes: _Axes) -> Iterator[str]:
    right = axes.width - _RIGHT
    for tick in axes.ticks:
        y = axes.y(tick)
        shape = "axis" if tick == 0 else "grid"
        yield f'<path class="{shape}" d="M{axes.left:.0f} {y:.1f}H{right}"/>'
        yield f'<text x="{axes.left - 5:.0f}" y="{y + 4:.1f}" text-anchor="end">{escape(chart.tick(tick))}</text>'
    longest = max((_breadth(label) for label in chart.labels), default=0)
    every = max(1, -(-int(longest + 6) // max(1, int(axes.place))))
    for index in range(0, len(chart.labels), every):
        label = escape(chart.labels[index])
        yield f'<text x="{axes.x(index):.1f}" y="{axes.height - 6}" text-anchor="middle">{label}</text>'


def _breadth(label: str) -> float:
    return sum(_LETTER if letter.isascii() else 11 for letter in label)


def _bars(chart: Chart, axes: _Axes) -> Iterator[str]:
    broad = min(axes.place * (1 - _GAP_SHARE), _BROAD_MAX) / len(chart.series)
    zero = axes.y(0)
    for at, (series, of) in enumerate(zip(chart.series, _CLASSES, strict=False)):
        for index, value in enumerate(series.values):
            if value:
                x = axes.x(index) - broad * len(chart.series) / 2 + broad * at
                y = axes.y(value)
                high = max(abs(zero - y), 1)  # The smallest is seen, too.
                yield (
                    f'<rect class="bar{of}" x="{x:.1f}" y="{min(y, zero - 1) if value > 0 else zero:.1f}" '
                    f'width="{broad:.1f}" height="{high:.1f}" rx="1.5">{_hint(chart, series, index)}</rect>'
                )


def _lines(chart: Chart, axes: _Axes) -> Iterator[str]:
    for series, of in zip(chart.series, _CLASSES, strict=False):
        points = [f"{axes.x(index):.1f} {axes.y(value):.1f}" for index, value in enumerate(series.values)]
        if points:
            yield f'<path class="line{of}" d="M{"L".join(points)}"/>'
        for index, value in enumerate(series.values):
            yield (
                f'<circle class="dot{of}" cx="{axes.x(index):.1f}" cy="{axes.y(value):.1f}" r="2.5">'
                f"{_hint(chart, series, index)}</circle>"
            )


def _hint(chart: Chart, series: Series, index: int) -> str:
    return f"<title>{escape(chart.labels[index])}: {escape(chart.shown(series.values[index]))}</title>"


def _table(said: Words, chart: Chart) -> str:
    head = "".join(f'<th scope="col" class="num">{escape(series.name)}</th>' for series in chart.series)
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(f'<td class="num">{escape(chart.shown(series.values[index]))}</td>' for series in chart.series)
        + "</tr>"
        for index, label in enumerate(chart.labels)
    )
    return (
        f'<details class="figures"><summary>{escape(said(_TABLE))}</summary><div class="table" tabindex="0" '
        f'role="region" aria-label="{escape(chart.caption)}"><table><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )
