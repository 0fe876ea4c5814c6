"""
Nodes of an earlier commit beside nodes of this one, really running, and each upgraded while the others are not.

It takes the repository's history: `make rolling`, with `ROLLING_FROM` for another commit or tag.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hutong
from hutong.app.processes import NodeProcess, prepare
from hutong.runtime.address import Address
from tests.network.audit import audit_when_quiet
from tests.network.conftest import new_database
from tests.network.street import Door, Street
from tests.network.test_messages import NETWORK

ROOT = Path(__file__).parents[2]
FROM = os.environ.get("ROLLING_FROM", "")
# Settings that came after the first commit anybody may upgrade from: it refuses what it does not know.
_NEWER_SETTINGS = ("HUTONG_SHOW_CODES",)

pytestmark = pytest.mark.skipif(not FROM, reason="waits for ROLLING_FROM, a commit to upgrade from: make rolling")


@pytest.fixture(scope="module")
def old_source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    tree = tmp_path_factory.mktemp("rolling") / "old"
    subprocess.run(["git", "worktree", "add", "--detach", str(tree), FROM], cwd=ROOT, check=True, capture_output=True)
    yield tree / "src"
    subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True, capture_output=True)


def runs(node: NodeProcess, source: Path) -> None:
    """Have this node run the code of a checkout from now on."""
    node.stop()
    node.environment["PYTHONPATH"] = str(source)
    for setting in _NEWER_SETTINGS:
        node.environment.pop(setting, None)
        if source == Path(hutong.__file__).parents[1]:
            node.environment[setting] = "true"
    node.start()
    node.until_ready()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("order", [("switch", "jing", "wei"), ("wei", "jing", "switch")], ids=["switch first", "last"])
def test_nodes_are_upgraded_one_by_one_while_people_pay(
    order: tuple[str, ...], old_source: Path, postgres: Address, run_directory: Path
) -> None:
    directory = run_directory / f"rolling-{os.getpid()}-{order[0]}"
    directory.mkdir()
    address = new_database(postgres)
    nodes = prepare(directory, NETWORK, address)
    assert all(node.command[0] == sys.executable for node in nodes.values())
    try:
        for name in ("switch", "jing", "wei"):
            runs(nodes[name], old_source)
        street = Street({name: Door(node.url, node.operator_token) for name, node in nodes.items()}, address.url)
        payers = [street.payer("jing", 50_000), street.payer("wei", 50_000)]
        tills = [street.till("wei"), street.till("jing")]
        paid: list[tuple[int, str]] = []

        def everybody_pays() -> None:
            for number, (payer, till) in enumerate(zip(payers, tills, strict=True)):
                payment = payer.pay(till.plate, 300)
                assert payment["state"] == "COMPLETED", payment
                paid.append((number, payment["payment_id"]))
            # What was paid under the old code is returned under the mixture.
            number, payment_id = paid[0]
            assert tills[number].refund(payment_id, 10)["state"] == "COMPLETED"

        everybody_pays()
        for name in order:
            runs(nodes[name], Path(hutong.__file__).parents[1])
            everybody_pays()
        street.close()
    finally:
        for node in reversed(nodes.values()):
            node.stop()
    assert audit_when_quiet(address.url).wrong == []
