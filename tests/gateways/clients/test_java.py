"""
What is printed and written for Java, as far as the JDK alone can tell: keys and stores load and match, the configuration parses.

Its vendors' clients are not driven: they come from a registry of another kind.
"""

import shutil
from pathlib import Path

import pytest

from tests.gateways.clients.printed import printed
from tests.gateways.clients.stage import PROGRAMS, Stage, environment

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("vendor", ["wechatpay", "alipay"])
def test_java_reads_what_an_account_comes_with(stage: Stage, vendor: str, tmp_path: Path) -> None:
    environment(vendor)
    java = shutil.which("java")
    if java is None or shutil.which("javac") is None:
        pytest.skip("waits for a JDK")
    given = printed(stage, vendor, "java", tmp_path / vendor)
    (given.directory / "printed.java").write_text(given.text)
    number, serial = given.account["number"], given.account["keys"][-1]["serial"]
    program = [java, str(PROGRAMS / "Keys.java"), str(given.directory), vendor, number, serial]
    assert stage.play(program, private=False)["done"]
