"""`hutong conform` as its user meets it: what it lists, prepares, refuses and reports."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hutong.cli.main import run
from hutong.conformance.case import CASES
from hutong.conformance.run import Subject
from tests.conformance.subjects import free_port, tiny


def test_it_lists_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["conform", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {case["id"] for case in listed} == {case.id for case in CASES}


def test_it_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["conform"]) == 1
    assert "SIDE_MISSING" in capsys.readouterr().err


def test_what_it_prepares_stays_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["conform", "--switch", "http://127.0.0.1:1", "--prepare", "--json"]
    told = []
    for _ in range(2):
        assert run([*command, "--identity", str(tmp_path / "kit.json")]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert len(told[0]) == 4
    assert (tmp_path / "kit.json").stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """A participant that takes any version."""
    changes = {'require(h["version"] == "1", "VER': 'require(True, "VER'}
    with tiny(tmp_path_factory.mktemp("broken") / "tiny", changes, wallet=False) as subject:
        yield subject


@pytest.mark.parametrize("suffix", ["xml", "json", "txt"])
def test_a_failure_is_reported_and_leaves_with_1(
    broken: Subject, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    report, identity = tmp_path / f"report.{suffix}", tmp_path / "kit.json"
    identity.write_text(json.dumps({"secret": broken.identity.secret, "mark": broken.identity.mark}))
    (key_id, public), *_ = broken.peer.keys.items()
    command = ["conform", "--participant", broken.peer.url, "--node", "tiny", "--key", f"{key_id}:{public.hex()}"]
    command += ["--identity", str(identity), "--listen", f"127.0.0.1:{free_port()}", "--report", str(report)]
    assert run([*command, "--only", "PE-VERSION", "--only", "PE-KEY"]) == 1
    said = capsys.readouterr().out
    assert "1 passed, 1 failed" in said
    assert "versioning.md" in said, "the sentence it proves"
    text = report.read_text()
    assert "PE-VERSION" in text
    if suffix == "xml":
        assert ET.fromstring(text).attrib["failures"] == "1"  # noqa: S314  # We wrote it.
