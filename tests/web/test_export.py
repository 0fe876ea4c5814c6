"""Files for spreadsheets: what somebody wrote is a text in them, amounts are exact, and long ones go on in another sheet."""

import csv
import io
from decimal import Decimal

import openpyxl
import pytest

from hutong.web.console import export
from hutong.web.console.export import Cell, CsvSheet, XlsxSheet

TITLES = ["名称", "Amount"]
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "http://a.example", "0012", "", 'a "b", c\nd']


def rows_of(*texts: str) -> list[list[Cell]]:
    return [[text, Decimal("12.80")] for text in texts]


def test_no_text_in_csv_begins_a_formula() -> None:
    sheet = CsvSheet(TITLES)
    data = sheet.write(rows_of(*HOSTILE[:5])) + sheet.write(rows_of(*HOSTILE[5:])) + sheet.end().read()
    head, *lines = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert head == TITLES
    assert [line[0] for line in lines] == [f"'{text}" for text in HOSTILE[:6]] + HOSTILE[6:]
    assert {line[1] for line in lines} == {"12.80"}


def test_a_csv_without_rows_has_its_head() -> None:
    sheet = CsvSheet(TITLES)
    assert sheet.write([]) + sheet.end().read() == "\ufeff名称,Amount\r\n".encode()


def test_texts_in_xlsx_are_texts_and_amounts_numbers() -> None:
    sheet = XlsxSheet(TITLES)
    for text in HOSTILE:
        assert sheet.write(rows_of(text)) == b""
    with sheet.end() as file:
        book = openpyxl.load_workbook(file)
    lines = list(book.worksheets[0].iter_rows(min_row=2))
    assert [(line[0].value or "").replace("_x000D_", "\r") for line in lines] == HOSTILE
    assert all(line[0].data_type in {"s", "n"} for line in lines)
    assert all(line[0].hyperlink is None for line in lines)
    assert {line[1].value for line in lines} == {12.8}
    assert all(line[1].data_type == "n" for line in lines)


def test_a_full_sheet_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_SHEET_ROWS_MAX", 3)
    sheet = XlsxSheet(TITLES)
    sheet.write(rows_of(*(str(number) for number in range(7))))
    with sheet.end() as file:
        book = openpyxl.load_workbook(file)
    assert [each.max_row for each in book.worksheets] == [4, 4, 2]
    assert [cell for each in book.worksheets for (cell,) in each.iter_rows(min_row=2, max_col=1, values_only=True)] == [
        str(number) for number in range(7)
    ]
