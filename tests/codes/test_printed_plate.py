"""Plates for print: readable with a logo in the middle, and honest about what no font can write."""

import io
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from hutong.codes import font
from hutong.codes.picture import read_picture
from hutong.codes.printed_plate import Caption, PrintedPlate, plate_png, plate_svg
from hutong.kernel.errors import Refusal

PLATE = "https://jing.example/q/M4T9ABCDEFGHJA"
NAME = Caption("老张兰州拉面馆", "Lao Zhang Noodles")


def logo(width: int = 300, height: int = 200, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "#cc2200").save(out, kind)
    return out.getvalue()


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without any font but Pillow's own."""
    monkeypatch.setattr(font, "_installed", tuple)


def turned(png: bytes, angle: int) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).rotate(angle, expand=True, fillcolor="grey").resize((500, 500)).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("mark", [None, logo(), logo(200, 900, "JPEG"), logo(1, 1)])
def test_a_printed_plate_is_read_with_and_without_a_logo(mark: bytes | None) -> None:
    drawn = plate_png(PrintedPlate(PLATE, NAME, footer="M4T9 ABCD EFGH JA", logo=mark))
    assert read_picture(drawn.png) == (PLATE,)
    assert read_picture(turned(drawn.png, 30)) == (PLATE,)


@pytest.mark.usefixtures("no_fonts")
def test_without_a_font_the_latin_name_is_drawn_and_said() -> None:
    assert plate_png(PrintedPlate(PLATE, NAME)).name == "Lao Zhang Noodles"


def test_with_a_chinese_font_the_chinese_name_is_drawn() -> None:
    if font.font_for(NAME.text, 40) is None:
        pytest.skip("waits for a Chinese font: the package pylopdf-fonts-zh-cn, or the system's")
    assert plate_png(PrintedPlate(PLATE, NAME)).name == NAME.text


@pytest.mark.usefixtures("no_fonts")
def test_a_chosen_font_that_is_none_does_no_harm(tmp_path: Path) -> None:
    wrong = tmp_path / "font.ttf"
    wrong.write_bytes(b"no font")
    assert plate_png(PrintedPlate(PLATE, NAME), font=wrong).name == "Lao Zhang Noodles"


@pytest.mark.usefixtures("no_fonts")
def test_a_name_that_nothing_can_draw_leaves_the_code_readable() -> None:
    assert read_picture(plate_png(PrintedPlate(PLATE, Caption("老张", "老张"))).png) == (PLATE,)


def test_a_long_name_is_made_to_fit() -> None:
    drawn = plate_png(PrintedPlate(PLATE, Caption("W" * 60, "W")))
    edge = Image.open(io.BytesIO(drawn.png)).convert("L").crop((0, 1050, 20, 1300))
    assert edge.getextrema() == (255, 255)
    assert drawn.name.startswith("WWWWWWWWWWWWWWWWWW")
    assert drawn.name.endswith("W...")
    assert plate_png(PrintedPlate(PLATE, Caption("W" * 20, "W"))).name == "W" * 20


@pytest.mark.parametrize("mark", [None, logo()])
def test_the_svg_plate_carries_the_names_as_text(mark: bytes | None) -> None:
    svg = plate_svg(PrintedPlate(PLATE, Caption("老张 & <面>", "Zhang"), logo=mark))
    root = ET.fromstring(svg)  # noqa: S314  # It is ours.
    assert "老张 & <面>" in [element.text for element in root.iter() if element.tag.endswith("text")]
    assert len([element for element in root.iter() if element.tag.endswith("image")]) == (mark is not None)


@pytest.mark.parametrize(
    ("name", "mark", "code", "reason"),
    [
        (NAME, b"no picture", PLATE, "PICTURE_UNREADABLE"),
        (Caption("a\x00b", "x"), None, PLATE, "CODE_HAS_CONTROL_CHARACTERS"),
        (NAME, None, "x" * 5000, "CODE_TOO_LONG"),
    ],
)
def test_what_cannot_be_printed_is_refused(name: Caption, mark: bytes | None, code: str, reason: str) -> None:
    for draw in (plate_png, plate_svg):
        with pytest.raises(Refusal) as refused:
            draw(PrintedPlate(code, name, logo=mark))
        assert refused.value.reason.name == reason
