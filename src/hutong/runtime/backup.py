"""
Backups of the embedded server, taken while it works, and its return to any moment since.

A backup is a copy of the data (pg_basebackup, verified) in a directory of its own. With an archive of the write-ahead
log (`HUTONG_WAL_ARCHIVE`) it can be brought to any moment behind it, else to the moment it was taken. A server of your own
has better tools, `docs/operate.md` names them.
"""

import asyncio
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import msgspec

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime import binaries as pg
from hutong.runtime.address import Address
from hutong.runtime.binaries import Binaries
from hutong.runtime.database import Database, DatabaseUnavailable, unavailable_when_gone
from hutong.runtime.embedded import EmbeddedPostgres

_BASE, _FACTS, _PASSWORD = "base", "backup.json", "password"  # A file's name.
_RECOVERY = re.compile(r"(?m)^(restore_command|recovery_target\w*) = .*\n")
# A target that the archive does not reach, or a log that does not fit: the server would try again for ever.
_GIVEN_UP = re.compile(r"startup process \(PID \d+\) exited with exit code [1-9]")
_TAIL = 1_500
_LOOK_S = 0.2


class BackupReason(Reason):
    """Why there is no backup, or no way back to it."""

    BACKUP_FAILED = Kind.REFUSED, "NARR"
    BACKUP_EXISTS = Kind.CONFLICT, "NARR"
    BACKUP_OF_A_SERVER = Kind.REFUSED, "NARR"
    BACKUP_UNREADABLE = Kind.INVALID, "NARR"
    RESTORE_OVER_DATA = Kind.CONFLICT, "NARR"
    RESTORE_TIME_MALFORMED = Kind.INVALID, "NARR"
    RESTORE_BEFORE_BACKUP = Kind.REFUSED, "NARR"
    RESTORE_FAILED = Kind.REFUSED, "NARR"


class Backup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup's directory holds; its time is UTC, ISO 8601."""

    version: str  # The server's.
    ended_at: str  # From this moment on it can be restored.


def back_up(server: EmbeddedPostgres, address: Address, target: Path, *, pg_bin: Path | None) -> Backup:
    """
    Copy the running server's data to `target`, and check the copy against its manifest. Blocks; nodes go on.

    Refuses:  BACKUP_EXISTS; BACKUP_FAILED, in the words of pg_basebackup or pg_verifybackup.
    """
    if target.exists() and any(target.iterdir()):
        raise Refusal(BackupReason.BACKUP_EXISTS, directory=target)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    programs = pg.choose(pg_bin, major=int((server.data / "PG_VERSION").read_text()))
    base = target / _BASE
    command = ["pg_basebackup", f"--pgdata={base}", f"--host={address.host}", f"--port={address.port}"]
    command += [f"--username={address.user}", "--wal-method=stream", "--checkpoint=fast", "--no-password"]
    _run(programs, command, BackupReason.BACKUP_FAILED, password=address.password)
    _run(programs, ["pg_verifybackup", str(base)], BackupReason.BACKUP_FAILED)
    secret = target / _PASSWORD
    secret.touch(mode=0o600)
    secret.write_text(address.password)
    made = Backup(version=programs.version, ended_at=_text(_ended(base)))
    # Last: a directory without it is no whole backup.
    (target / _FACTS).write_bytes(msgspec.json.format(msgspec.json.encode(made)))
    return made


def read_backup(directory: Path) -> Backup:
    """What a directory holds. Refuses BACKUP_UNREADABLE."""
    try:
        return msgspec.json.decode((directory / _FACTS).read_bytes(), type=Backup)
    except (OSError, msgspec.DecodeError) as error:
        raise Refusal(BackupReason.BACKUP_UNREADABLE, directory=directory, said=str(error)) from error


def restore(
    source: Path, server: EmbeddedPostgres, *, to: datetime | None, archives: Sequence[Path] = ()
) -> datetime | None:
    """
    Bring a backup back below `server.directory`, as it was at `to` (None: as late as the archives reach).

    The server ends stopped, with everything up to that moment and nothing behind it. Returns when the last thing it has
    was committed, None if nothing was since the backup. What is there is never written over.

    Refuses:  BACKUP_UNREADABLE, RESTORE_OVER_DATA, RESTORE_BEFORE_BACKUP; RESTORE_FAILED, with the end of the
              server's log: an archive that does not reach `to` is one reason.
    """
    backup = read_backup(source)
    if server.data.exists():
        raise Refusal(BackupReason.RESTORE_OVER_DATA, directory=server.data, do="move it away first, and keep it")
    if to is not None and to < datetime.fromisoformat(backup.ended_at):
        raise Refusal(BackupReason.RESTORE_BEFORE_BACKUP, to=_text(to), backup_ended_at=backup.ended_at)
    server.directory.mkdir(parents=True, exist_ok=True)
    fresh = server.directory / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(source / _BASE, fresh, symlinks=True)
    fresh.chmod(0o700)
    secret = server.directory / _PASSWORD
    secret.touch(mode=0o600)
    secret.write_text((source / _PASSWORD).read_text())
    own = fresh / "postgresql.auto.conf"
    settings = _RECOVERY.sub("", own.read_text())
    if archives:
        own.write_text(settings + _recovery(to, archives))
        (fresh / "recovery.signal").touch()
    _give(fresh, server)
    fresh.rename(server.data)
    try:
        last = _recover(server)
    except Refusal as refusal:
        server.stop()
        shutil.rmtree(server.data)  # Our own copy, which is good for nothing.
        raise Refusal(BackupReason.RESTORE_FAILED, **refusal.facts) from refusal
    finally:
        server.stop()
    (server.data / "postgresql.auto.conf").write_text(settings)
    return last


def read_time(text: str) -> datetime:
    """A moment as ISO 8601 with its zone (`2026-11-23T08:30:00+08:00`). Refuses RESTORE_TIME_MALFORMED."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refusal(BackupReason.RESTORE_TIME_MALFORMED, time=text, expected="2026-11-23T08:30:00+08:00")
    return moment


def _recovery(to: datetime | None, archives: Sequence[Path]) -> str:
    fetch = " || ".join(f'cp "{archive.resolve()}/%f" "%p"' for archive in archives)
    lines = [f"restore_command = '{fetch}'", "recovery_target_action = 'promote'"]
    lines.append(f"recovery_target_time = '{_text(to)}'" if to is not None else "recovery_target_timeline = 'latest'")
    return "".join(f"{line}\n" for line in lines)


def _recover(server: EmbeddedPostgres) -> datetime | None:
    """Start the server and wait until it has replayed what it is to; when the last thing in it was committed."""
    said_before = server.log.stat().st_size if server.log.exists() else 0
    while True:
        address = server.start()
        recovered = asyncio.run(_has_recovered(address))
        said = server.log.read_text(errors="replace")[said_before:]
        given_up = _GIVEN_UP.search(said)
        if given_up is not None:
            # Its reason is what it said last before; it may have been started again and said more since.
            reason = said[: given_up.end()][-_TAIL:]
            raise Refusal(BackupReason.RESTORE_FAILED, log=server.log, said=reason)
        if recovered:
            return _last_commit(said)
        time.sleep(_LOOK_S)


async def _has_recovered(address: Address) -> bool:
    """A server that recovers takes connections long before it is done."""
    try:
        connection = await Database(address, "public").connect()
        try:
            with unavailable_when_gone():
                return not await connection.fetchval("SELECT pg_is_in_recovery()")
        finally:
            await connection.close()
    except (DatabaseUnavailable, asyncpg.InterfaceError):
        # Not yet there, or it gave up before it answered: its log says why.
        return False


def _last_commit(said: str) -> datetime | None:
    """The server's own words for where recovery ended."""
    found = re.findall(r"last completed transaction was at log time (\S+ [0-9:.]+)", said)
    return datetime.fromisoformat(found[-1]).replace(tzinfo=UTC) if found else None


def _ended(base: Path) -> datetime:
    """When the copy was whole: from here on a restore is possible."""
    return datetime.fromtimestamp((base / "backup_manifest").stat().st_mtime, tz=UTC)


def _give(tree: Path, server: EmbeddedPostgres) -> None:
    """To the account the server runs as."""
    if server.account.uid == os.geteuid():
        return
    for path in (tree, *tree.rglob("*")):
        os.chown(path, server.account.uid, server.account.gid, follow_symlinks=False)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _run(programs: Binaries, command: list[str], otherwise: BackupReason, *, password: str = "") -> None:
    environment = {**os.environ, "PGPASSWORD": password} if password else None
    done = subprocess.run(
        [str(programs.directory / command[0]), *command[1:]],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refusal(otherwise, program=command[0], said=done.stdout.strip()[-_TAIL:])
