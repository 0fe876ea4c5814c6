"""
What is printed and written for Java, as far as the JDK alone can tell: keys and stores load and match, the configuration parses.

Its vendors' clients are not driven: they come from a registry of another kind.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateways.clients.conftest import PROGRAMS, Stage, environment

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("vendor", ["wechatpay", "alipay"])
def test_java_reads_what_an_account_comes_with(stage: Stage, vendor: str, tmp_path: Path) -> None:
    environment(vendor)
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None:
        pytest.skip("waits for a JDK")
    out = tmp_path / vendor
    command = [sys.executable, "-m", "hutong", "gateway", "merchant", "create", "--for", vendor, "--client", "java"]
    made = subprocess.run(
        [*command, "--out", str(out)], env=stage.environ, capture_output=True, text=True, check=True, timeout=180
    )
    printed = made.stdout.partition("\nJava\n")[2].partition("\nPay as somebody")[0]
    assert "new " in printed, made.stdout
    (out / "printed.java").write_text(printed)
    account = json.loads((out / "account.json").read_text())["account"]
    program = [java, str(PROGRAMS / "Keys.java"), str(out), vendor, account["number"], account["keys"][-1]["serial"]]
    assert stage.play(program, private=False)["done"]
