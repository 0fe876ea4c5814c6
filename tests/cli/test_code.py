"""`hutong code`, and how every command says no."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hutong import __version__
from hutong.cli.main import run
from hutong.codes.picture import qr_png, read_picture

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
PLATE = "https://wei.hutong.example/q/M7BJFE582T6J6T"
Captured = pytest.CaptureFixture[str]


def said(captured: Captured) -> tuple[str, str]:
    out, err = captured.readouterr()
    return out, err


@pytest.mark.parametrize("options", [[], ["--plate", "胡同面馆", "--latin", "Noodles", "--footer", "互通"]])
def test_what_is_made_can_be_read(tmp_path: Path, capsys: Captured, options: list[str]) -> None:
    picture = tmp_path / "plate.png"
    assert run(["code", "make", PLATE, "--out", str(picture), *options]) == 0
    assert str(picture) in said(capsys)[0]
    assert read_picture(picture.read_bytes()) == (PLATE,)
    assert run(["code", "read", str(picture), "--json"]) == 0
    (found,) = json.loads(said(capsys)[0])
    assert (found["text"], found["kind"], found["presented"]) == (PLATE, "Link", "BY_MERCHANT")


def test_a_text_is_read_as_a_code_too(capsys: Captured) -> None:
    assert run(["code", "read", "314567890123456789", "--json"]) == 0
    (found,) = json.loads(said(capsys)[0])
    assert (found["kind"], found["presented"]) == ("Digits", "BY_CONSUMER")


def test_a_merchant_presented_payload_says_who_and_how_much(capsys: Captured) -> None:
    from hutong.codes.additional_data import Template
    from hutong.codes.merchant_presented import MerchantPresentedCode, build
    from hutong.kernel.money import Currency

    code = MerchantPresentedCode(
        accounts=(Template("26", "COM.WEIPAY", (("01", "88"),)),),
        currency=Currency.CNY,
        country="CN",
        mcc="5812",
        name="Noodles",
        city="Beijing",
        amount_minor=1250,
    )
    assert run(["code", "read", build(code)]) == 0
    out = said(capsys)[0]
    assert "Noodles" in out
    assert "1250 minor units" in out


def test_without_a_file_the_code_is_drawn_in_the_terminal(capsys: Captured) -> None:
    assert run(["code", "make", PLATE]) == 0
    assert "▀" in said(capsys)[0]
    assert run(["code", "make", PLATE, "--json"]) == 0
    assert json.loads(said(capsys)[0])["svg"].startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["code", "read", "missing.png"], "FILE_UNREADABLE"),
        (["code", "read", "hello"], "CODE_KIND_UNKNOWN"),
        (["code", "read", "x" * 5000], "CODE_KIND_UNKNOWN"),
        (["code", "read", __file__], "PICTURE_UNREADABLE"),
        (["code", "make", "x", "--out", "x.pdf"], "FILE_SUFFIX_UNKNOWN"),
        (["code", "make", "x", "--out", "/nowhere/x.png"], "FILE_UNWRITABLE"),
        (["code", "make", "x" * 5000], "CODE_TOO_LONG"),
    ],
)
def test_a_no_is_one_line_with_its_name(capsys: Captured, arguments: list[str], reason: str) -> None:
    assert run(arguments) == 1
    out, err = said(capsys)
    assert out == ""
    assert err.startswith(f"hutong: {reason}")
    assert err.count("\n") == 1
    assert run([*arguments, "--json"]) == 1
    assert json.loads(said(capsys)[1])["reason"] == reason


@pytest.mark.parametrize("arguments", [["cod"], ["code", "mak"], ["code", "read"], ["code", "read", "x", "--colour"]])
def test_a_wrong_command_line_is_one_line_and_exit_code_2(capsys: Captured, arguments: list[str]) -> None:
    assert run(arguments) == 2
    out, err = said(capsys)
    assert out == ""
    assert err.startswith("hutong: ")
    assert err.count("\n") == 1


def test_every_command_has_help(capsys: Captured) -> None:
    from hutong.cli.main import _COMMANDS

    names = [name for rows in _COMMANDS.values() for name, _, _ in rows]
    assert {"code", "participant", "code make", "participant cap"} <= set(names)
    for name in names:
        assert run([*name.split(), "--help"]) == 0
        assert "Usage: hutong" in said(capsys)[0]


HEAVY = ("asyncpg", "duckdb", "httpx", "litestar", "numpy", "uvicorn", "zen", "zxingcpp")


def test_the_version_and_the_help_load_nothing_heavy() -> None:
    script = "import sys; from hutong.cli.main import run; run(['--help']); print(*sorted(sys.modules))"
    command = [sys.executable, "-c", script]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT).stdout
    assert "payment-code" in shown
    assert not set(HEAVY) & set(shown.splitlines()[-1].split())
    command = [sys.executable, "-m", "hutong", "--version"]
    assert (
        subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT).stdout.strip()
        == __version__
    )


def test_help_imports_no_domain() -> None:
    program = "import sys; from hutong.cli.main import run; run(['--help']); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    loaded = shown.stdout.splitlines()[-1].split()
    assert not [name for name in loaded if name.split(".")[0] in {"httpx", "litestar", "asyncpg", "PIL", "msgspec"}]


def test_what_the_machine_refuses_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HUTONG_DATA_DIRECTORY", str(tmp_path / "file" / "data"))
    assert run(["up"]) == 1
    err = said(capsys)[1]
    assert err.startswith("hutong: MACHINE_REFUSED: said=")
    assert err.count("\n") == 1


def test_what_no_reader_knows_is_shown_and_moves_no_cursor(tmp_path: Path, capsys: Captured) -> None:
    picture = tmp_path / "unknown.png"
    picture.write_bytes(qr_png("what\x1b[2J\nis this"))
    assert run(["code", "read", str(picture)]) == 1
    assert said(capsys)[1] == "hutong: CODE_KIND_UNKNOWN: offset=0, text=what [2J is this\n"


def test_completion_is_installed_for_the_shell(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "HOME": str(tmp_path), "SHELL": "/bin/bash"}
    command = [sys.executable, "-m", "hutong", "--install-completion"]
    subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    written = [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert any("payment-code" in text for text in written)
