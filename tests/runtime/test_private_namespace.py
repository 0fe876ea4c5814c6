"""A private place: own loopback, own files, and outside nothing changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

INSIDE = """
import os, socket, sys
from pathlib import Path
from hutong.runtime import private_namespace
hosts, ours = Path("/etc/hosts"), Path(sys.argv[1])
private_namespace.enter()
private_namespace.put_over(hosts, ours)
assert hosts.read_text() == ours.read_text()
assert socket.gethostbyname("shop.example") == "127.0.0.1"
listening = socket.create_server(("127.0.0.1", 443))
calling = socket.create_connection(("shop.example", 443))
print(os.geteuid(), len(socket.if_nameindex()))
"""
SRC = Path(__file__).parents[2] / "src"


def go_inside(tmp_path: Path, *as_whom: str) -> subprocess.CompletedProcess[str]:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost shop.example\n")
    tmp_path.chmod(0o755)
    command = [*as_whom, sys.executable, "-c", INSIDE, str(hosts)]
    environment = os.environ | {"PYTHONPATH": str(SRC), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    if "NAMESPACES_FORBIDDEN" in done.stderr:
        pytest.skip(f"waits for a machine that allows namespaces: {done.stderr.splitlines()[-1]}")
    return done


def test_who_enters_has_own_names_and_every_port(tmp_path: Path) -> None:
    before = Path("/etc/hosts").read_bytes()
    done = go_inside(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(os.geteuid()), "1"]
    assert Path("/etc/hosts").read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="waits for root, to be somebody else")
def test_somebody_without_rights_enters_and_stays_who_they_are(tmp_path_factory: pytest.TempPathFactory) -> None:
    tmp_path = Path("/tmp") / f"hutong-namespace-{os.getpid()}"
    tmp_path.mkdir()
    try:
        if not os.access(sys.executable, os.X_OK):
            pytest.skip("waits for a Python that everybody may run")
        done = go_inside(tmp_path, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        if "Permission denied" in done.stderr or "No module named 'hutong'" in done.stderr:
            pytest.skip("waits for a Python and sources that everybody may read")
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["65534", "1"]
    finally:
        shutil.rmtree(tmp_path)


def test_what_a_machine_forbids_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said = """
from hutong.runtime import private_namespace
import threading, time
threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
import os
os.geteuid = lambda: 1
try:
    private_namespace.enter()
except Exception as refused:
    print(refused)
"""
    done = subprocess.run(
        [sys.executable, "-c", said],
        env=os.environ | {"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "NAMESPACES_FORBIDDEN" in done.stdout
    assert "EINVAL" in done.stdout or "EPERM" in done.stdout
