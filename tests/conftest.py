"""
What every domain's tests share: a patient hypothesis, a real PostgreSQL, and a fresh schema in it.

One server serves the whole run. Under pytest-xdist the workers share it: who comes first starts it, who comes later
adopts it, and it stops when the last one lets go.
"""

import asyncio
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from hutong.runtime.address import Address
from hutong.runtime.database import Database
from hutong.runtime.embedded import EmbeddedPostgres

# Two busy cores are no reason to fail, so no deadline, and nobody asks how fast examples are made; a failure prints what replays it.
settings.register_profile("hutong", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hutong")

_DIRECTORY = "TEST_DIRECTORY_OF_HUTONG"  # Not HUTONG_...: settings refuse what they do not know.
_schemas = count()
_TESTS = Path(__file__).parent
_FIRST = (
    "bench/test_suite.py",
    "network/test_claims.py",
    "app/test_demo.py",
    "network/test_faults.py",
    "runtime/test_embedded.py",
    "cli/test_start.py",
    "app/test_sample_life.py",
    "app/test_up.py",
    "network/test_lifecycle.py",
    "app/test_backup.py",
    "cli/test_network.py",
    "simulation/test_simulation.py",
)
_LAST = ("network/", "gateways/clients/", "browser/")
# Of those that come last the longest first, so that the workers end together.
_LONG = (
    "browser/test_till.py",
    "browser/test_console.py",
    "browser/test_institution_desk.py",
    "browser/test_wallet_marketing.py",
    "browser/test_walk.py",
    "browser/test_wallet_people.py",
    "browser/test_wallet_paying.py",
    "browser/test_campaigns.py",
    "browser/test_campaign_forms.py",
    "browser/test_effects.py",
    "browser/test_stories.py",
    "browser/test_coupon_codes.py",
    "browser/test_complaints.py",
    "browser/test_switch_desk.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-schemas", action="store_true", help="write what the migrations make to tests/runtime/schemas"
    )
    parser.addoption("--write-docs", action="store_true", help="write the tables of the documentation that code has")


def pytest_configure(config: pytest.Config) -> None:
    """Name the run's directory, once: workers inherit the environment of the process that starts them."""
    if _DIRECTORY not in os.environ:
        # Short and below /tmp: pytest's own directories are closed to the account the server runs as.
        directory = tempfile.mkdtemp(prefix="hutong-tests-", dir="/tmp")
        os.environ[_DIRECTORY] = directory
        config.add_cleanup(lambda: _forget(directory))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    What takes long begins: a worker that began it last would be alone with it at the end. What shares a network for the
    whole run comes last: from its first test on the network is up, and takes a worker's time.
    """
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[int, int]:
    path = item.path.relative_to(_TESTS).as_posix()
    if path in _FIRST:
        return _FIRST.index(path), 0
    late = (number for number, folder in enumerate(_LAST, 1) if path.startswith(folder))
    return len(_FIRST) + next(late, 0), _LONG.index(path) if path in _LONG else len(_LONG)


def pytest_collection_finish() -> None:
    """
    What was imported is there for good, and worlds in memory are many small objects: the collector looks less often, and not at
    the former. A fifth of the processor's time was its. What was left open is found all the same: pytest collects at the end.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    if sys.dont_write_bytecode:
        # Nobody wants it beside the sources. Kept with the run, the nodes that tests start compile it once, not each.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(os.environ[_DIRECTORY], "bytecode"))


def _forget(directory: str) -> None:
    del os.environ[_DIRECTORY]
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def run_directory() -> Path:
    """A directory of this test run that any account may pass through; removed at its end."""
    directory = Path(os.environ[_DIRECTORY])
    directory.chmod(0o711)
    return directory


@pytest.fixture(scope="session")
def postgres(run_directory: Path) -> Iterator[Address]:
    """
    A real server; `PG_BIN` chooses which, as in life.

    It leaves it to the kernel when to write to disk: processes are killed here, and machines are not. Where a disk is part of
    what is proved (faults, backups, the embedded server), a test starts a server of its own, which waits for it.
    """
    pg_bin = Path(os.environ["PG_BIN"]) if os.environ.get("PG_BIN") else None
    with EmbeddedPostgres(run_directory / "postgres", pg_bin=pg_bin, fsync=False) as address:
        yield address


@pytest.fixture
def database(postgres: Address) -> Iterator[Database]:
    """A schema nobody else uses, empty; gone after the test."""
    fresh = Database(postgres, f"test_{os.getpid()}_{next(_schemas)}")
    asyncio.run(fresh.create())
    yield fresh
    asyncio.run(fresh.drop())
