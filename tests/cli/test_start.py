"""What keeps a network from starting is one clear line and exit code 1."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from hutong.cli.main import run
from hutong.runtime.address import Address
from hutong.runtime.embedded import EmbeddedPostgres
from tests.network.conftest import new_database

ROOT = Path(__file__).parents[2]
NODES = ("switch", "jing", "wei", "zhi", "yun")
Up = Callable[..., "subprocess.Popen[str]"]
_WAITS_S = 200  # For processes, on a machine with much else to do.
pytestmark = pytest.mark.timeout(2 * _WAITS_S)


@pytest.fixture
def directory() -> Iterator[Path]:
    """Short and open to pass, for PostgreSQL's own account."""
    made = Path(tempfile.mkdtemp(prefix="hutong-start-", dir="/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def up(directory: Path) -> Iterator[Up]:
    """`hutong up` on any free ports, unless told others; killed after the test if it still runs."""
    started = []

    def up(*arguments: str, **told: str) -> "subprocess.Popen[str]":
        environment = {f"HUTONG_PORT_{node.upper()}": "0" for node in NODES}
        environment |= {"HUTONG_DATA_DIRECTORY": str(directory / "data"), "PYTHONPATH": str(ROOT / "src")}
        process = subprocess.Popen(
            [sys.executable, "-m", "hutong", "up", *arguments],
            env={**os.environ, "COLUMNS": "200", **environment, **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield up
    for process in started:
        process.kill()
        process.communicate()


def refused(process: "subprocess.Popen[str]") -> str:
    """The one line with which it gave up."""
    out, err = process.communicate(timeout=_WAITS_S)
    assert (process.returncode, out, err.count("\n"), err.endswith("\n")) == (1, "", 1, True), (out, err)
    return err


def test_a_taken_port_is_said_with_its_node(up: Up, postgres: Address) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused(up(HUTONG_PORT_SWITCH=port, HUTONG_DATABASE_URL=postgres.url))
    assert said.startswith(f"hutong: ADDRESS_NOT_FREE: node=switch, address=127.0.0.1:{port}, said=[Errno 98]")
    assert "HUTONG_PORT_SWITCH" in said


def test_a_second_network_on_the_same_data_is_refused_and_the_first_stays(up: Up) -> None:
    first = up("--no-samples")
    assert first.stdout is not None
    shown = ""
    while "Ctrl-C stops" not in shown:
        line = first.stdout.readline()
        assert line, first.communicate()
        shown += line
    said = refused(up())
    assert said.startswith("hutong: WRITER_ALREADY_RUNS: do=another process serves this node")
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=_WAITS_S)
    assert (first.returncode, err) == (0, "")
    assert "The data stays in" in out


@pytest.fixture
def gives_up(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """`hutong up` in this process, which takes a fifth of the time: the one line with which it gives up."""

    def gives_up(**told: str) -> str:
        environment = {f"HUTONG_PORT_{node.upper()}": "0" for node in NODES}
        for name, value in (environment | {"HUTONG_DATA_DIRECTORY": str(directory / "data")} | told).items():
            monkeypatch.setenv(name, value)
        assert run(["up"]) == 1
        out, err = capsys.readouterr()
        assert (out, err.count("\n"), err.endswith("\n")) == ("", 1, True), (out, err)
        return err

    return gives_up


def test_a_wrong_database_url_is_said_with_why(gives_up: Callable[..., str], postgres: Address) -> None:
    wrong = {
        "mysql://nobody@127.0.0.1/x": "DATABASE_URL_MALFORMED: part=scheme",
        replace(postgres, host="127.0.0.1", port=1).url: "DATABASE_UNAVAILABLE: said=127.0.0.1:1: ",
        replace(postgres, password="not this").url: "DATABASE_REFUSED: ",
        replace(postgres, database="nowhere").url: "DATABASE_REFUSED: ",
    }
    for url, reason in wrong.items():
        assert gives_up(HUTONG_DATABASE_URL=url).startswith(f"hutong: {reason}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_data_directory_of_somebody_else_is_refused(gives_up: Callable[..., str], directory: Path) -> None:
    theirs = directory / "data/postgres"
    theirs.mkdir(parents=True)
    os.chown(theirs, EmbeddedPostgres(theirs).account.uid, -1)
    assert gives_up().startswith(f"hutong: DIRECTORY_OF_SOMEBODY_ELSE: directory={theirs}")


def test_who_interrupts_the_moving_in_ends_cleanly_and_the_next_start_goes_on(up: Up, postgres: Address) -> None:
    address = new_database(postgres)
    for number, moved_in in ((signal.SIGINT, "wei.merchants"), (signal.SIGTERM, "jing.merchants")):
        process = up(HUTONG_DATABASE_URL=address.url)
        asyncio.run(_one_is_in(address, moved_in))
        process.send_signal(number)
        out, err = process.communicate(timeout=_WAITS_S)
        assert (process.returncode, err) == (0, "")
        assert "Open" not in out
        assert "The data stays in" in out


async def _one_is_in(address: Address, table: str) -> None:
    connection = await asyncpg.connect(address.url)
    ends_at = time.monotonic() + _WAITS_S
    try:
        while time.monotonic() < ends_at:
            if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", table) and await connection.fetchval(
                f"SELECT EXISTS (SELECT FROM {table})"  # noqa: S608
            ):
                return
            await asyncio.sleep(0.02)
    finally:
        await connection.close()
    raise AssertionError(table)
