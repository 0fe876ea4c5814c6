from pathlib import Path

import msgspec
import pytest

from hutong.cli.main import run
from tests.marketing.draws.test_verification import honest


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A day's record and one receipt of it, as they are published."""
    record, receipt = honest()
    day, own = tmp_path / "day.json", tmp_path / "receipt.json"
    day.write_bytes(msgspec.json.encode(record))
    own.write_bytes(msgspec.json.encode(receipt))
    return str(day), str(own)


def test_a_day_as_published_is_verified(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["draw", "verify", files[0]]) == 0
    assert "Yes" in capsys.readouterr().out


def test_a_day_that_is_not_over_is_not_called_wrong(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    record = Path(files[0])
    told = msgspec.json.decode(record.read_bytes())
    told["log"]["entries"] = [each for each in told["log"]["entries"] if each["kind"] != "reveal"]
    record.write_bytes(msgspec.json.encode(told | {"draws": []}))
    for more in ([], ["--receipt", files[1]]):
        assert run(["draw", "verify", files[0], *more]) == 1
        said = capsys.readouterr()
        assert "differ" not in said.out
        assert said.err.startswith("hutong: DRAW_SEED_NOT_REVEALED: day=")


def test_ones_own_draw_is_verified(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["draw", "verify", files[0], "--receipt", files[1], "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["verified"] is True


def test_what_differs_is_said(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    own = Path(files[1])
    told = msgspec.json.decode(own.read_bytes())
    own.write_bytes(msgspec.json.encode(told | {"drawn": told["drawn"] + 1}))
    assert run(["draw", "verify", files[0], "--receipt", files[1]]) == 1
    said = capsys.readouterr().out
    assert f"published {told['drawn'] + 1}, found {told['drawn']}" in said


def test_a_file_that_is_no_record_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = tmp_path / "odd.json"
    odd.write_text("[]")
    assert run(["draw", "verify", str(odd)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("hutong: DRAW_RECORD_MALFORMED")
    assert said.count("\n") == 1
