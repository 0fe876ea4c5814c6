"""Plates on paper: every page scans, in A6 and on a sheet, and says who is paid."""

import io
from pathlib import Path

import pypdfium2
import pytest

from hutong.codes import font
from hutong.codes.picture import read_picture
from hutong.codes.plate_pdf import A4_MM, A6_MM, plates_pdf
from hutong.codes.printed_plate import Caption, Issuer, PrintedPlate, plate_png, plate_svg
from hutong.kernel.errors import Refusal

NAME = Caption("老张兰州拉面馆", "Lao Zhang Noodles")
ISSUER = Issuer("wei 微", "微", "#0b6e4f")


def plate(number: int = 0, name: Caption = NAME) -> PrintedPlate:
    code = f"https://wei.example/q/M4T9ABCDEFGH{number:02}"
    return PrintedPlate(code, name, footer=f"桌 {number}", issuer=ISSUER)


def pictures(pdf: bytes, scale: float = 2) -> list[bytes]:
    """The pages as a printer would put them on paper, in PNG."""
    found = []
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            out = io.BytesIO()
            page.render(scale=scale).to_pil().save(out, "PNG")
            found.append(out.getvalue())
    return found


def test_a_plate_is_one_page_of_a6_and_scans() -> None:
    pdf = plates_pdf([plate()])
    with pypdfium2.PdfDocument(pdf) as document:
        assert [round(side / 72 * 25.4) for side in document[0].get_size()] == [*A6_MM]
    (picture,) = pictures(pdf)
    assert read_picture(picture) == (plate().code,)


def test_five_plates_are_two_sheets_of_a4_and_every_one_scans() -> None:
    pdf = plates_pdf([plate(number) for number in range(5)], sheet=True)
    with pypdfium2.PdfDocument(pdf) as document:
        assert [round(side / 72 * 25.4) for side in document[0].get_size()] == [*A4_MM]
    first, second = pictures(pdf)
    assert {*read_picture(first)} == {plate(number).code for number in range(4)}
    assert {*read_picture(second)} == {plate(4).code}


def test_both_languages_and_the_issuer_are_on_it() -> None:
    if font.font_file("老张") is None:
        pytest.skip("waits for a Chinese font: the package pylopdf-fonts-zh-cn, or the system's")
    with pypdfium2.PdfDocument(plates_pdf([plate()])) as document:
        text = document[0].get_textpage().get_text_range()
    for said in (
        "扫码付款",
        "Scan to pay",
        "老张兰州拉面馆",
        "Lao Zhang Noodles",
        "任何钱包都能付款",
        "wei 微",
        "桌 0",
    ):
        assert said in text
    svg = plate_svg(plate()).decode()
    assert all(said in svg for said in ("扫码付款", "Scan to pay", "任何钱包都能付款", "wei 微", "#0b6e4f"))
    assert read_picture(plate_png(plate()).png) == (plate().code,)


def test_without_any_font_the_latin_lines_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font, "_installed", tuple)
    with pypdfium2.PdfDocument(plates_pdf([plate()])) as document:
        text = document[0].get_textpage().get_text_range()
    assert "Lao Zhang Noodles" in text
    assert "Scan to pay" in text


def test_a_long_name_stays_on_the_paper() -> None:
    (picture,) = pictures(plates_pdf([plate(name=Caption("面" * 60, "N"))]))
    assert read_picture(picture)


def test_a_chosen_font_that_is_none_does_no_harm(tmp_path: Path) -> None:
    wrong = tmp_path / "font.ttf"
    wrong.write_bytes(b"no font")
    assert read_picture(pictures(plates_pdf([plate()], font=wrong))[0])


def test_what_is_no_code_is_refused() -> None:
    with pytest.raises(Refusal):
        plates_pdf([PrintedPlate("x" * 5000, Caption("a", "a"))])
