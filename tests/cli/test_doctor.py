"""`hutong doctor`: what it finds on a good machine, and that each lack has a remedy."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from hutong.cli.main import run
from hutong.runtime.address import Address


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("HUTONG_CONFIG", "HUTONG_DATABASE_URL", "PG_BIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUTONG_DATA_DIRECTORY", str(tmp_path / "data"))
    return monkeypatch


def findings(capsys: pytest.CaptureFixture[str], code: int) -> dict[str, dict[str, str]]:
    assert run(["doctor", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] is (code == 0)
    return {finding["about"]: finding for finding in told["findings"]}


@pytest.mark.usefixtures("machine")
def test_everything_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    found = findings(capsys, 0)
    assert found.keys() >= {
        *("Python", "Python packages", "PostgreSQL", "its account", "data directory", "disk", "ports"),
        *("pictures", "Chinese font", "clock", "open files"),
    }
    assert run(["doctor"]) == 0
    assert "hutong up" in capsys.readouterr().out


def test_a_missing_server_is_said_with_how_to_get_one(
    machine: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.setenv("PG_BIN", str(tmp_path))
    missing = findings(capsys, 1)["PostgreSQL"]
    assert missing["state"] == "missing"
    assert "apt-get install postgresql" in missing["remedy"]


def test_a_database_of_ones_own_is_asked(
    machine: pytest.MonkeyPatch, postgres: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.setenv("HUTONG_DATABASE_URL", postgres.url)
    assert "a server of yours" in findings(capsys, 0)["PostgreSQL"]["found"]
    for wrong, why in _wrong(postgres).items():
        machine.setenv("HUTONG_DATABASE_URL", wrong)
        missing = findings(capsys, 1)["PostgreSQL"]
        assert (missing["state"], why in missing["found"]) == ("missing", True), missing


def _wrong(postgres: Address) -> dict[str, str]:
    """Addresses that are not to be used, and what is said of each."""
    return {
        replace(postgres, password="not this").url: "password authentication failed",
        replace(postgres, database="nowhere").url: "does not exist",
        replace(postgres, host="127.0.0.1", port=1).url: "127.0.0.1:1: the database can't be reached",
    }


def test_a_data_directory_that_cannot_be_is_said(
    machine: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    machine.setenv("HUTONG_DATA_DIRECTORY", str(tmp_path / "file" / "data"))
    assert findings(capsys, 1)["data directory"]["state"] == "missing"


def test_a_taken_port_is_named(machine: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        machine.setenv("HUTONG_PORT_JING", str(port))
        found = findings(capsys, 0)["ports"]
    assert found["state"] == "weak"
    assert f"{port} (jing)" in found["found"]


def test_every_lack_has_a_remedy(
    machine: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.setenv("PG_BIN", str(tmp_path))
    for finding in findings(capsys, 1).values():
        assert bool(finding["remedy"]) == (finding["state"] != "ok"), finding


def test_wrong_settings_are_one_line(machine: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    machine.setenv("HUTONG_PROT", "1")
    assert run(["doctor"]) == 1
    assert capsys.readouterr().err.startswith("hutong: SETTING_UNKNOWN: setting=prot")
