"""What is in deploy/: units that systemd accepts, an image that runs as nobody in particular, alerts on metrics that exist."""

import configparser
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import yaml

from hutong.app.metrics import ALL_METRICS
from hutong.app.systemd import tell

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "hutong@.service"
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictSUIDSGID": "yes",
    "MemoryDenyWriteExecute": "yes",
    "CapabilityBoundingSet": "",
    "Type": "notify",
    "Restart": "always",
    "User": "hutong",
}


def test_the_unit_gives_a_node_no_more_than_it_needs() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # Its names are as they are written.
    unit.read(UNIT)
    service = dict(unit["Service"])
    assert {name: service[name] for name in HARDENED} == HARDENED
    assert "serve %i --network" in service["ExecStart"]


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("waits for systemd-analyze")
    text = re.sub(r"file:\S+", "man:true", UNIT.read_text()).replace("/opt/hutong/bin/hutong", "/bin/true")
    unit = tmp_path / "hutong@jing.service"
    unit.write_text(text)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        "--threshold=20",
        str(unit),
    ]  # Of 100: 1.2 of 10 as written.
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_image_is_pinned_small_and_runs_as_an_account_of_its_own() -> None:
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    assert [what for name, what in steps if name == "FROM"] == ["${PYTHON} AS build", "${PYTHON}"]
    installs = [what for name, what in steps if name == "RUN" and "pip install" in what]
    assert all("--require-hashes" in what or "--no-index" in what for what in installs)
    last = steps[max(index for index, step in enumerate(steps) if step[0] == "FROM") :]
    names = [name for name, _ in last]
    assert ["USER", "hutong"] in last
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert any(name == "HEALTHCHECK" and "/health/ready" in what for name, what in last)
    for name, what in steps:
        if name == "COPY" and "--from" not in what:
            assert all((ROOT / source).exists() for source in what.split()[:-1]), what
        assert name != "ADD"


def test_alerts_are_on_metrics_that_exist_and_lead_to_the_runbook() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text())
    known = {metric.name for metric in ALL_METRICS}
    manual = (ROOT / "docs/operate.md").read_text()
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-")
        for line in re.findall(r"(?m)^#+ (.+)$", manual)
    }
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(alerts) == len({rule["alert"] for rule in alerts}) > 10
    for rule in alerts:
        used = {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"hutong_\w+", rule["expr"])}
        assert used <= known, rule["alert"]
        assert used or "up{" in rule["expr"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        runbook = rule["annotations"].get("runbook", "")
        assert not runbook or runbook.removeprefix("docs/operate.md#") in anchors, runbook


def test_a_node_tells_systemd_how_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        tell("READY=1")
        assert listening.recv(100) == b"READY=1"
    tell("WATCHDOG=1")  # Nobody listens any more.
    monkeypatch.delenv("NOTIFY_SOCKET")
    tell("READY=1")
