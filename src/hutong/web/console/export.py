"""
Payments as a file for a spreadsheet: CSV and XLSX, in the reader's language, amounts in whole units with their decimals.

Rows come in batches and leave as they come; what is slow to write is written beside the loop. What somebody else wrote
into a cell begins no formula.
"""

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import IO, Protocol, TypeVar
from zoneinfo import ZoneInfo

import xlsxwriter
from litestar.response import Stream

from hutong.institution.bills.sale import Sale
from hutong.institution.payments.views import payment_id_text
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.money import currency_of, format_amount
from hutong.runtime.http import HttpReason
from hutong.runtime.pool import WorkerPool
from hutong.web.console.wording import channel_name, state_name
from hutong.web.language import Words
from hutong.web.page import HEADERS

Answer = TypeVar("Answer")
# A cell of somebody's text, or an amount as text: `12.80`.
Cell = str | Decimal
Rows = AsyncIterator[Sequence[Sequence[Cell]]]
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")
_PIECE = 1 << 16
_SHEET_ROWS_MAX = 1_000_000  # Excel takes 1,048,576.


class ExportReason(Reason):
    """Why there is no file."""

    EXPORT_BUSY = Kind.LIMITED, "NARR"  # Too much is being written already: ask again in a moment.


class Sheet(Protocol):
    """A file being written. Not from two threads at once."""

    def write(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        """Add rows; what of the file can leave already."""
        ...

    def end(self) -> IO[bytes]:
        """The rest of the file."""
        ...


class CsvSheet:
    """CSV (RFC 4180) with a byte order mark: without it Excel takes UTF-8 for something else."""

    media_type = "text/csv; charset=utf-8"

    def __init__(self, titles: Sequence[str]) -> None:
        self._head = "\ufeff" + _csv([titles])

    def write(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        head, self._head = self._head, ""
        return (head + _csv(rows)).encode()

    def end(self) -> IO[bytes]:
        return io.BytesIO(self._head.encode())


class XlsxSheet:
    """XLSX, row by row through a file: however many, few are in memory. Sheets follow each other where one is full."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles = titles
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # It lives as long as this.
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(self._file, options)
        self._bold = self._book.add_format({"bold": True})
        self._money = self._book.add_format({"num_format": "#,##0.00"})
        self._begin()

    def write(self, rows: Sequence[Sequence[Cell]]) -> bytes:
        for row in rows:
            if self._row > _SHEET_ROWS_MAX:
                self._begin()
            for column, cell in enumerate(row):
                if isinstance(cell, Decimal):
                    self._sheet.write_number(self._row, column, cell, self._money)
                else:
                    self._sheet.write_string(self._row, column, cell)
            self._row += 1
        return b""

    def end(self) -> IO[bytes]:
        self._book.close()
        self._file.seek(0)
        return self._file

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(self._titles) - 1, 18)
        for column, title in enumerate(self._titles):
            self._sheet.write_string(0, column, title, self._bold)
        self._row = 1


SHEETS: Mapping[str, type[CsvSheet] | type[XlsxSheet]] = {"csv": CsvSheet, "xlsx": XlsxSheet}


def exported(kind: str, name: str, titles: Sequence[str], rows: Rows, pool: WorkerPool) -> Stream:
    """The answer that is the file `name`, of a kind of `SHEETS`. Refuses ROUTE_UNKNOWN; EXPORT_BUSY."""
    if kind not in SHEETS:
        raise Refusal(HttpReason.ROUTE_UNKNOWN)
    check_room(pool)
    sheet = SHEETS[kind](titles)
    headers = HEADERS | {"content-disposition": f'attachment; filename="{name}.{kind}"'}
    return Stream(_written(sheet, rows, pool), media_type=sheet.media_type, headers=headers)


def check_room(pool: WorkerPool) -> None:
    """Refuses EXPORT_BUSY."""
    if pool.is_full:
        raise Refusal(ExportReason.EXPORT_BUSY)


async def _written(sheet: Sheet, rows: Rows, pool: WorkerPool) -> AsyncIterator[bytes]:
    async for batch in rows:
        piece = await _beside(pool, partial(sheet.write, batch))
        if piece:
            yield piece
    with await _beside(pool, sheet.end) as rest:
        while piece := rest.read(_PIECE):
            yield piece


async def _beside(pool: WorkerPool, work: Callable[[], Answer]) -> Answer:
    if pool.is_full:  # What was begun is finished: here, at the cost of a moment's wait for others.
        return work()
    return await pool.run(work)


def titles(_: Words) -> list[str]:
    """The heads of the columns of `row_of`."""
    return [
        _("Payment number"),
        _("Time"),
        _("State"),
        _("Shop"),
        _("Way"),
        _("Payer"),
        _("Payer's institution"),
        _("Your reference"),
        _("Remark"),
        _("Amount"),
        _("Discount by a sponsor"),
        _("Fee"),
        _("Given back"),
    ]


def row_of(_: Words, sale: Sale, shops: Mapping[int, str], zone: ZoneInfo, currency: str) -> list[Cell]:
    """One payment as a row."""
    kind = currency_of(currency)
    texts = [
        payment_id_text(sale.payment_id),
        _.time(sale.asked_ns, zone),
        state_name(_, sale.state),
        shops.get(sale.shop_id, ""),
        channel_name(_, sale.channel),
        sale.payer_name,
        sale.debtor_agent,
        sale.reference,
        sale.remark,
    ]
    amounts = (sale.gross, sale.discount, sale.fee, sale.refunded)
    return [*texts, *(Decimal(format_amount(amount, kind)) for amount in amounts)]


def _csv(rows: Sequence[Sequence[Cell]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([[_harmless(cell) for cell in row] for row in rows])
    return out.getvalue()


def _harmless(cell: Cell) -> str:
    """A text that a spreadsheet takes for a text."""
    if isinstance(cell, Decimal):
        return str(cell)
    return "'" + cell if cell.startswith(_FORMULA_BEGINS) else cell
