"""How an institution shows itself: its name and its colour, readable on light and on dark ground."""

from dataclasses import dataclass
from functools import cached_property

_WHITE, _BLACK = (255, 255, 255), (20, 20, 22)
# The sunk grounds of the kit: text stands on those, too.
_LIGHT_GROUND, _DARK_GROUND = (236, 236, 240), (38, 38, 43)
# WCAG 2.2, 1.4.3: text against its ground; with some room, since grounds are tinted.
_CONTRAST_MIN_PERCENT = 480
_STEPS = 40

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Brand:
    """A node as people know it. `colour` is `#rrggbb`; what text can't be read in is made darker or lighter."""

    node: str
    name: str
    colour: str

    @property
    def initial(self) -> str:
        """The letter of its mark: the first Chinese character of the name, else its first letter."""
        chinese = [letter for letter in self.name if "\u4e00" <= letter <= "\u9fff"]
        return (chinese or [letter for letter in self.name if letter.isalnum()] or ["互"])[0]

    @cached_property
    def on_paper(self) -> str:
        """Its colour, dark enough for white letters."""
        return _text(_readable(self._own, _LIGHT_GROUND, _BLACK))

    @cached_property
    def css(self) -> str:
        """The style sheet that sets this brand's colours, for both grounds."""
        light, dark = _readable(self._own, _LIGHT_GROUND, _BLACK), _readable(self._own, _DARK_GROUND, _WHITE)
        rule = ":root{{--brand:{brand};--on-brand:{on}}}".format
        return (
            rule(brand=_text(light), on=_text(_on(light)))
            + "@media(prefers-color-scheme:dark){"
            + rule(brand=_text(dark), on=_text(_on(dark)))
            + "}"
        )

    @property
    def _own(self) -> Colour:
        return int(self.colour[1:3], 16), int(self.colour[3:5], 16), int(self.colour[5:7], 16)


def contrast_percent(one: Colour, other: Colour) -> int:
    """A hundred times the contrast ratio of WCAG 2.2."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 500) * 100 // (darker + 500)


def _readable(colour: Colour, ground: Colour, towards: Colour) -> Colour:
    """The nearest mixture with `towards` that can be read on `ground`."""
    mixed = colour
    for step in range(_STEPS + 1):
        red, green, blue = ((c * (_STEPS - step) + t * step) // _STEPS for c, t in zip(colour, towards, strict=True))
        mixed = (red, green, blue)
        if contrast_percent(mixed, ground) >= _CONTRAST_MIN_PERCENT:
            break
    return mixed


def _on(colour: Colour) -> Colour:
    return max((_WHITE, _BLACK), key=lambda text: contrast_percent(text, colour))


def _luminance(colour: Colour) -> int:
    """Relative luminance of sRGB in ten-thousandths; the curve is taken as 2.2, near enough to choose a shade by."""
    red, green, blue = (int((channel / 255) ** 2.2 * 10_000) for channel in colour)
    return (2126 * red + 7152 * green + 722 * blue) // 10_000


def _text(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
