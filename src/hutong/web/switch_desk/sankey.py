"""The flow between institutions, drawn: who pays at the left, who is paid at the right, as broad as the money between them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from hutong.switch.settlement.flow_service import Stream
from hutong.web.language import Words, phrase

STREAMS_MAX = 40
COLOURS = 8
_CAPTION = phrase("Who pays whom: %(amount)s; payments and returns: %(count)s")
_HINT = phrase("%(source)s to %(target)s: %(amount)s, %(count)s")
_BAR = 10
_GAP = 14
_THIN = 1.5
_LETTERS_MAX = 14


@dataclass(frozen=True, slots=True)
class _Shape:
    """A picture for a narrow or a wide place: where the two columns stand, and whether names fit outside them."""

    name: str
    width: int
    height: int
    inset: int


_SHAPES = (_Shape("narrow", 340, 300, 4), _Shape("wide", 760, 340, 150))


@dataclass(slots=True)
class _Column:
    """The bars of one side: each as high as its streams, one below the other."""

    x: float
    sums: Counter[str]
    tops: dict[str, float]
    taken: Counter[str]  # How much of each bar has ribbons already.


def sankey(said: Words, streams: Sequence[Stream], names: Mapping[str, str]) -> Markup:
    """The picture, twice: the page shows the one that fits. All streams are of one currency."""
    shown = streams[:STREAMS_MAX]
    currency = shown[0].currency
    nodes = sorted({node for each in streams for node in (each.source, each.target)})
    colour = {node: index % COLOURS for index, node in enumerate(nodes)}
    total, count = sum(each.amount_minor for each in streams), sum(each.count for each in streams)
    text = escape(said(_CAPTION, amount=said.money(total, currency), count=f"{count:,}"))
    drawn = (
        f'<svg class="chart sankey {shape.name}" viewBox="0 0 {shape.width} {shape.height}" role="img" '
        f'aria-label="{text}">{"".join(_drawn(said, shape, shown, names, colour))}</svg>'
        for shape in _SHAPES
    )
    return Markup(f'<figure class="figure"><figcaption>{text}</figcaption>{"".join(drawn)}</figure>')  # noqa: S704  # Escaped.


def _drawn(
    said: Words, shape: _Shape, streams: Sequence[Stream], names: Mapping[str, str], colour: Mapping[str, int]
) -> list[str]:
    total = sum(each.amount_minor for each in streams)
    left = _column(shape, streams, lambda each: each.source, shape.inset)
    right = _column(shape, streams, lambda each: each.target, shape.width - shape.inset - _BAR)
    most = max(len(left.sums), len(right.sums))
    scale = (shape.height - _GAP * (most + 1)) / total
    for column in (left, right):
        free = shape.height - scale * total - _GAP * (len(column.sums) - 1)
        top = free / 2
        for node, minor in column.sums.most_common():
            column.tops[node] = top
            top += minor * scale + _GAP
    parts = [_ribbon(said, each, left, right, scale, names, colour[each.source]) for each in streams]
    for column, anchor, step in ((left, "end", -6), (right, "start", _BAR + 6)):
        for node, minor in column.sums.items():
            high = max(minor * scale, _THIN)
            parts.append(
                f'<rect class="c{colour[node]}" x="{column.x}" y="{column.tops[node]:.1f}" width="{_BAR}" '
                f'height="{high:.1f}" rx="2"/>'
            )
            parts += _labels(said, shape, column, node, anchor, step, names, streams[0].currency, high)
    return parts


def _column(shape: _Shape, streams: Sequence[Stream], end: Callable[[Stream], str], x: float) -> _Column:
    assert shape.width > x
    sums: Counter[str] = Counter()
    for each in streams:
        sums[end(each)] += each.amount_minor
    return _Column(x, sums, {}, Counter())


def _ribbon(
    said: Words,
    stream: Stream,
    left: _Column,
    right: _Column,
    scale: float,
    names: Mapping[str, str],
    colour: int,
) -> str:
    high = max(stream.amount_minor * scale, _THIN)
    y1 = left.tops[stream.source] + left.taken[stream.source] * scale + high / 2
    y2 = right.tops[stream.target] + right.taken[stream.target] * scale + high / 2
    left.taken[stream.source] += stream.amount_minor
    right.taken[stream.target] += stream.amount_minor
    x1, x2 = left.x + _BAR, right.x
    middle = (x1 + x2) / 2
    hint = said(
        _HINT,
        source=names.get(stream.source, stream.source),
        target=names.get(stream.target, stream.target),
        amount=said.money(stream.amount_minor, stream.currency),
        count=f"{stream.count:,}",
    )
    return (
        f'<path class="ribbon r{colour}" stroke-width="{high:.1f}" '
        f'd="M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}">'
        f"<title>{escape(hint)}</title></path>"
    )


def _labels(
    said: Words,
    shape: _Shape,
    column: _Column,
    node: str,
    anchor: str,
    step: int,
    names: Mapping[str, str],
    currency: str,
    high: float,
) -> list[str]:
    """A bar's name and sum: outside where there is room, else on the ribbons."""
    if shape.name == "narrow":
        anchor, step = ("start", _BAR + 5) if anchor == "end" else ("end", -5)
    name = names.get(node, node) if shape.name == "wide" else node
    name = name if len(name) <= _LETTERS_MAX else name[: _LETTERS_MAX - 1] + "…"
    x, y = column.x + step, column.tops[node] + high / 2
    amount = said.money(column.sums[node], currency)
    return [
        f'<text class="name" x="{x:.1f}" y="{y - 1:.1f}" text-anchor="{anchor}">{escape(name)}</text>',
        f'<text x="{x:.1f}" y="{y + 14:.1f}" text-anchor="{anchor}">{escape(amount)}</text>',
    ]
