"""`hutong code`: pictures of codes, written and read, without any node."""

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from hutong.cli.output import AsJson, show_facts, show_json, stdout
from hutong.codes import scanned
from hutong.codes.merchant_presented import MerchantPresentedCode
from hutong.codes.picture import qr_png, qr_svg, qr_symbol, read_picture
from hutong.codes.printed_plate import Caption, PrintedPlate, plate_png, plate_svg
from hutong.codes.scanned import Scanned
from hutong.kernel.errors import Kind, Reason, Refusal

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")


class FileReason(Reason):
    """Why a file on the command line is of no use."""

    FILE_UNREADABLE = Kind.INVALID, "NARR"
    FILE_UNWRITABLE = Kind.INVALID, "NARR"
    FILE_SUFFIX_UNKNOWN = Kind.INVALID, "NARR"


def make(
    text: Annotated[str, Parameter(help="What the code says.")],
    /,
    *,
    out: Annotated[
        Path | None, Parameter(name=["--out", "-o"], help="A .png or .svg file; none: the terminal.")
    ] = None,
    plate: Annotated[str, Parameter(help="Make a plate for print under this name, in any script.")] = "",
    latin: Annotated[str, Parameter(help="The plate's name where no font has the other.")] = "",
    footer: Annotated[str, Parameter(help="A line at the bottom of the plate.")] = "",
    logo: Annotated[Path | None, Parameter(help="A picture for the middle of the plate.")] = None,
    json: AsJson = False,
) -> None:
    """Write a text as a QR code."""
    if out is None:
        if json:
            show_json({"text": text, "svg": qr_svg(text).decode()})
        else:
            stdout.out(_for_terminal(text), end="")
        return
    suffix = out.suffix.lower()
    if suffix not in {".png", ".svg"}:
        raise Refusal(FileReason.FILE_SUFFIX_UNKNOWN, file=out, known=".png, .svg")
    if plate:
        name = Caption(plate, latin or plate)
        printed = PrintedPlate(text, name, footer=footer, logo=None if logo is None else read_file(logo))
        data = plate_svg(printed) if suffix == ".svg" else plate_png(printed).png
    else:
        data = qr_svg(text) if suffix == ".svg" else qr_png(text)
    write_file(out, data)
    if json:
        show_json({"text": text, "file": str(out), "bytes": len(data)})
    else:
        stdout.print(f"{out}: {len(data)} bytes")


def read(
    source: Annotated[str, Parameter(help="A picture file, `-` for one on stdin, or the text of a code.")],
    /,
    *,
    json: AsJson = False,
) -> None:
    """Read a picture's codes, or a code's text, and say what each is."""
    found = [_described(_read(text)) for text in texts_of(source)]
    if json:
        show_json(found)
        return
    for code in found:
        show_facts("", ((name, value if isinstance(value, str) else _line(value)) for name, value in code.items()))


def _read(text: str) -> Scanned:
    """As `scanned.read`, whose no does not say what a picture said."""
    try:
        return scanned.read(text)
    except Refusal as refusal:
        raise Refusal(refusal.reason, **refusal.facts, text=text) from None


def texts_of(source: str) -> tuple[str, ...]:
    """The texts of the codes in a picture file, or the text itself."""
    if source == "-":
        return read_picture(sys.stdin.buffer.read())
    path = Path(source)
    if source.lower().endswith(_PICTURES) and "://" not in source:
        return read_picture(read_file(path))
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # A text too long for a name, or with a NUL in it.
        is_file = False
    return read_picture(read_file(path)) if is_file else (source,)


def read_file(path: Path) -> bytes:
    """Refuses FILE_UNREADABLE."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise Refusal(FileReason.FILE_UNREADABLE, file=path, said=_why(error)) from None


def write_file(path: Path, data: bytes) -> None:
    """Refuses FILE_UNWRITABLE."""
    try:
        path.write_bytes(data)
    except (OSError, ValueError) as error:
        raise Refusal(FileReason.FILE_UNWRITABLE, file=path, said=_why(error)) from None


def _why(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _for_terminal(text: str) -> str:
    """Two rows of modules a line, in half blocks."""
    rows = [list(row) for row in qr_symbol(text).matrix_iter(border=2)]
    if len(rows) % 2:
        rows.append([0] * len(rows[0]))
    halves = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}  # Light on dark, as terminals mostly are.
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = ("".join(halves[bool(up), bool(down)] for up, down in zip(*pair, strict=True)) for pair in pairs)
    return "\n".join(lines) + "\n"


def _described(code: Scanned) -> dict[str, Any]:
    content = code.content
    said: dict[str, Any] = {"text": code.text, "kind": type(content).__name__, "presented": code.presented.name}
    if isinstance(content, MerchantPresentedCode):
        amount = None if content.amount_minor is None else f"{content.amount_minor} minor units"
        names = {"name": content.name, "city": content.city, "mcc": content.mcc, "amount": amount}
        said |= {name: value for name, value in names.items() if value is not None}
        said |= {
            "currency": content.currency.alpha,
            "initiation": content.initiation.name if content.initiation else "",
        }
    said["content"] = msgspec.to_builtins(content, enc_hook=str)
    return said


def _line(value: Any) -> str:
    return msgspec.json.encode(value).decode()
