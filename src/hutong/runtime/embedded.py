"""
A PostgreSQL server of hutong's own, below one directory.

Promise: `start` gives the address of a running server, whether it had to be made, started or only found; no
server outlives the last process that uses it, however that died; a server that crashes is started again; and
nothing outside the directory is touched (but a directory in /tmp, when the path is too deep for a socket).

How it lives: every user of the server holds a shared lock on `users.lock`. `runtime.watchdog` runs the server
and waits for the exclusive lock. `start.lock` lets one process at a time find out what is there.

Who gets in: only over the Unix socket, which lies in a directory closed to others, and with a password (scram) kept
beside it. Nothing listens on TCP.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import system_randomness
from hutong.runtime import binaries as pg
from hutong.runtime.address import Address, socket_length_fits
from hutong.runtime.binaries import Account, Binaries, PostgresReason
from hutong.runtime.server_settings import ACCESS_RULES, server_settings

USER = "hutong"
DATABASE = "postgres"  # The one initdb makes; a node's tables are in a schema of its own.
_PROC = Path("/proc/self/cwd")  # Where a process tells its directory; elsewhere its number must do.
_READY_S = 300  # Recovery after a crash may have much to replay.
_STOP_S = 90
_LOG_TAIL = 15
_LOG_BYTES_MAX = 10_000_000
_POLL_S = 0.02


class EmbeddedPostgres:
    """One server below `directory`; a context manager, or `start` and `stop`. Its calls block: use them off the loop."""

    def __init__(
        self, directory: Path, *, pg_bin: Path | None = None, fsync: bool = True, archive: Path | None = None
    ) -> None:
        self.directory = directory.resolve()
        self.account = pg.unprivileged_account()
        self._pg_bin = pg_bin
        self._fsync = fsync
        self._archive = (
            archive.resolve() if archive is not None else None
        )  # Where its log is kept; counts at its start.
        self._users: int | None = None
        self.data = self.directory / "data"
        self.log = self.directory / "postgres.log"
        deep = not socket_length_fits(self.directory / "run")
        # /tmp by name: TMPDIR may be deep, too, and every command must find the same place.
        digest = hashlib.blake2b(bytes(self.directory), digest_size=6).hexdigest()
        self.sockets = Path(f"/tmp/hutong-{digest}") if deep else self.directory / "run"  # noqa: S108

    def __enter__(self) -> Address:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> Address:
        """
        A running server's address: adopted if it runs, started if not, made if there is none.

        Refuses:  a `PostgresReason`, with what to do or the end of the server's log.
        Repeats:  the same address; a server that was stopped by hand meanwhile is started again.
        """
        self._make_directories()
        with self._starting():
            if self._users is None:
                self._users = self._open_lock("users.lock")
                # Waits while a watchdog holds it to stop the server: then we start a new one.
                fcntl.flock(self._users, fcntl.LOCK_SH)
            try:
                launched = self._lock_is_free("alive.lock")
                if launched:
                    self._launch()
                self._await_ready(launched=launched)
            except BaseException:
                self._let_go()
                raise
        return self.address()

    def stop(self) -> None:
        """Stop using the server; when nobody else does, wait until it has shut down."""
        if self._users is None:
            return
        with self._starting():
            self._let_go()
            probe = self._open_lock("users.lock")
            try:
                last = _try_lock(probe, fcntl.LOCK_EX)
                # Neither lock to be had: the watchdog was quicker, and is stopping the server.
                stopping = last or not _try_lock(probe, fcntl.LOCK_SH)
            finally:
                os.close(probe)
            if stopping:
                self._until(lambda: self._lock_is_free("alive.lock"), _STOP_S, PostgresReason.DID_NOT_STOP)

    def address(self) -> Address:
        """How to get in, once it runs."""
        password = (self.directory / "password").read_text()
        return Address(host=str(self.sockets), port=5432, user=USER, database=DATABASE, password=password)

    def postmaster_pid(self) -> int | None:
        """The process that is this directory's server, if one runs."""
        facts = self._postmaster_facts()
        return int(facts[0]) if facts and self._is_our_server(int(facts[0])) else None

    # What is there

    def _make_directories(self) -> None:
        account = self.account
        if os.geteuid() == 0 and self.data.exists():
            owner = self.data.stat()  # Made by whoever it was made by: a system's accounts may have changed since.
            self.account = account = Account(account.name, owner.st_uid, owner.st_gid)
        for path in reversed([self.directory, *self.directory.parents]):
            if not path.exists():
                path.mkdir(exist_ok=True)  # Somebody else may be starting the same server.
                path.chmod(0o755)  # Whatever the umask: what we make here, the server's account may pass.
        if self.directory.stat().st_uid != os.geteuid():
            raise Refusal(PostgresReason.DIRECTORY_OF_SOMEBODY_ELSE, directory=self.directory)
        if account.uid != os.geteuid():
            # The server's account passes through; what is secret in here is closed by itself.
            self.directory.chmod(stat.S_IMODE(self.directory.stat().st_mode) | stat.S_IXOTH)
            closed = pg.closed_directory(self.data, account)
            if closed is not None:
                hint = "give another data directory, outside of it, such as /var/lib/hutong"
                raise Refusal(PostgresReason.DIRECTORY_CLOSED, directory=closed, to=account.name, do=hint)
        self._make_socket_directory()
        for name in ("start.lock", "users.lock", "alive.lock", self.log.name):
            (self.directory / name).touch(mode=0o600)

    def _make_socket_directory(self) -> None:
        """A directory for the socket, closed to everybody else; in /tmp somebody may have been there before us."""
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        facts = self.sockets.lstat()
        if facts.st_uid == os.geteuid() != self.account.uid:
            os.chown(self.sockets, self.account.uid, self.account.gid, follow_symlinks=False)
            facts = self.sockets.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != self.account.uid or facts.st_mode & 0o077:
            raise Refusal(PostgresReason.DIRECTORY_OF_SOMEBODY_ELSE, directory=self.sockets)

    def _postmaster_facts(self) -> list[str] | None:
        """The lines of `postmaster.pid`: pid, data directory, start, port, socket directory, address, memory, state."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        return lines if lines and lines[0].strip().isdecimal() else None

    def _is_our_server(self, pid: int) -> bool:
        """Whether that process is the server of our data; a number alone may have gone to another process."""
        try:
            if _PROC.exists():
                return Path(f"/proc/{pid}/cwd").readlink() == self.data
            os.kill(pid, 0)
        except OSError:
            return False
        return True

    # Starting

    def _launch(self) -> None:
        self._stop_stray()
        made_by = self.data / "PG_VERSION"
        major = int(made_by.read_text()) if made_by.exists() else None
        server = pg.reachable(pg.choose(self._pg_bin, major=major), self.account, self.directory)
        if major is None:
            self._initdb(server)
        if self._archive is not None:
            self._make_archive(self._archive)
        settings = server_settings(sockets=self.sockets, fsync=self._fsync, archive=self._archive)
        (self.directory / "postgresql.conf").write_text(settings)
        (self.directory / "pg_hba.conf").write_text(ACCESS_RULES)
        for name in ("postgresql.conf", "pg_hba.conf"):
            (self.directory / name).chmod(0o644)  # The server's account reads them; they hold no secret.
        locks = [str(self.directory / "users.lock"), str(self.directory / "alive.lock")]
        who = [str(self.account.uid), str(self.account.gid)]
        command = [str(server.directory / "postgres"), "-D", str(self.data)]
        command += [f"--config_file={self.directory}/postgresql.conf", f"--hba_file={self.directory}/pg_hba.conf"]
        program = Path(__file__).with_name("watchdog.py")
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES_MAX:
            self.log.rename(self.log.with_suffix(".log.1"))
        with self._log_file() as log:
            # A session of its own: Ctrl-C at the terminal is for us, and must not stop the database under us.
            subprocess.run(  # Our own program.
                [sys.executable, "-I", "-S", str(program), *locks, *who, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                check=False,
            )

    def _make_archive(self, archive: Path) -> None:
        """A directory that the server's account may write to."""
        if any(each in str(archive) for each in "\"'%$`\\\n"):
            raise Refusal(PostgresReason.DIRECTORY_NAME_UNFIT, directory=archive)  # It stands in a shell's command.
        archive.mkdir(mode=0o700, parents=True, exist_ok=True)
        if archive.stat().st_uid == os.geteuid() != self.account.uid:
            os.chown(archive, self.account.uid, self.account.gid)
        closed = pg.closed_directory(archive / "segment", self.account)
        if closed is not None:
            raise Refusal(PostgresReason.DIRECTORY_CLOSED, directory=closed, to=self.account.name)

    def _initdb(self, server: Binaries) -> None:
        """Make the data: in a directory that gets its name when it is complete, so that half of it is never used."""
        fresh = self.directory / "data.new"
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(mode=0o700)
        password = system_randomness().randbytes(24).hex()
        secret = self.directory / "password"
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(password)
        _make_durable(secret)
        with tempfile.TemporaryFile() as told:
            told.write(password.encode() + b"\n")
            told.flush()
            if self.account.uid != os.geteuid():
                os.chown(fresh, self.account.uid, self.account.gid)
                os.fchown(told.fileno(), self.account.uid, self.account.gid)
            # Text sorts by its bytes (C), which is fast and the same everywhere; letters are still Unicode's.
            command = [str(server.directory / "initdb"), "-D", str(fresh), f"--username={USER}", "--no-instructions"]
            command += ["--encoding=UTF8", "--locale=C.UTF-8", "--lc-collate=C", "--lc-messages=C", "--data-checksums"]
            command += [] if self._fsync else ["--no-sync"]
            command += ["--auth=scram-sha-256", f"--pwfile=/dev/fd/{told.fileno()}"]
            done = subprocess.run(  # The server's own initdb.
                command,
                pass_fds=[told.fileno()],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                **self._identity(),
            )
        with self._log_file() as log:
            log.write(done.stdout.encode())
        if done.returncode != 0:
            raise Refusal(PostgresReason.INITDB_FAILED, log=self.log, said=_tail(done.stdout))
        fresh.rename(self.data)
        # Before the first row is: a power cut must not give complete data its old name back.
        _make_durable(self.directory)

    def _identity(self) -> dict[str, Any]:
        """For a child: the account it runs as, when we are root."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}

    def _await_ready(self, *, launched: bool) -> None:
        def ready() -> bool:
            nonlocal launched
            facts = self._postmaster_facts()
            if facts and len(facts) > 7 and facts[7].strip() == "ready" and self._is_our_server(int(facts[0])):
                return True
            if self._lock_is_free("alive.lock"):
                if launched:
                    raise Refusal(PostgresReason.DID_NOT_START, log=self.log, said=self._log_tail())
                # What we found running was about to end: its server had been stopped by hand.
                launched = True
                self._launch()
            return False

        self._until(ready, _READY_S, PostgresReason.DID_NOT_START)

    def _stop_stray(self) -> None:
        """Stop a server without a watchdog: somebody killed it where a server can't ask to die with its parent."""
        pid = self.postmaster_pid()
        if pid is not None:
            os.kill(pid, signal.SIGINT)
            self._until(lambda: self.postmaster_pid() is None, _STOP_S, PostgresReason.DID_NOT_STOP)
        elif self._postmaster_facts() is not None:
            # Nobody's: left by a crash. Were its number another process's by now, PostgreSQL would refuse to start.
            (self.data / "postmaster.pid").unlink()

    # Locks and log

    @contextmanager
    def _starting(self) -> Iterator[None]:
        turn = self._open_lock("start.lock")
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield
        finally:
            os.close(turn)

    def _open_lock(self, name: str) -> int:
        return os.open(self.directory / name, os.O_RDWR | os.O_CLOEXEC)

    def _lock_is_free(self, name: str) -> bool:
        probe = self._open_lock(name)
        try:
            return _try_lock(probe, fcntl.LOCK_EX)
        finally:
            os.close(probe)

    def _let_go(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def _log_file(self) -> FileIO:
        return self.log.open("ab", buffering=0)

    def _log_tail(self) -> str:
        return _tail(self.log.read_text(errors="replace"))

    def _until(self, condition: Callable[[], bool], timeout_s: int, otherwise: PostgresReason) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise Refusal(otherwise, after_s=timeout_s, log=self.log, said=self._log_tail())
            time.sleep(_POLL_S)


def _try_lock(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_durable(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_LOG_TAIL:])
