"""The demo, whole: it ends well only if all of it is true."""

from pathlib import Path

import pytest

from hutong.cli.main import run


@pytest.mark.timeout(180)
def test_everything_the_demo_claims_is_true(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(["demo", "--directory", str(tmp_path)])
    out = capsys.readouterr().out
    assert found == 0, out
    assert "claims were checked and are true" in out
    assert len(list((tmp_path / "pictures").iterdir())) >= 9
