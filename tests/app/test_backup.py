"""A backup taken under load, a server that is killed, and the way back to a moment: what was answered by then is there."""

import asyncio
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hutong.audit.network import audit
from hutong.kernel.errors import Refusal
from hutong.runtime import backup
from hutong.runtime.address import Address
from hutong.runtime.backup import BackupReason, back_up, read_backup, read_time, restore
from hutong.runtime.database import Database
from hutong.runtime.embedded import EmbeddedPostgres
from hutong.runtime.settings import Settings
from tests.network.conftest import NetworkThread
from tests.network.street import Payer, Street, Till

NODES = ("switch", "jing", "wei", "zhi", "yun")


@dataclass
class Purse(threading.Thread):
    """Pays on, a fen at a time, and notes when each yes came."""

    payer: Payer
    till: Till
    answered: list[tuple[datetime, str]] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        while not self.enough.is_set():
            payment = self.payer.pay(self.till.plate, 1)
            if payment["state"] == "COMPLETED":
                self.answered.append((datetime.now(UTC), payment["payment_id"]))

    def until(self, more: int) -> None:
        wanted = len(self.answered) + more
        while len(self.answered) < wanted:
            time.sleep(0.01)


@dataclass
class Story:
    """What happened before the tests look."""

    backup: Path
    archive: Path
    moment: datetime
    before: set[str]
    after: set[str]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="hutong-backup-", dir="/tmp"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def story(place: Path) -> Story:
    server = EmbeddedPostgres(place / "first", archive=place / "archive")
    with server as address:
        network = NetworkThread(Settings(data_directory=place, ports=dict.fromkeys(NODES, 0)), address)
        network.start()
        assert network.up.wait(250)
        street = Street(network.doors, address.url)
        purse = Purse(street.payer("jing", 100_000), street.till("wei"))
        purse.start()
        purse.until(3)
        back_up(server, address, place / "backup", pg_bin=None)
        purse.until(3)
        moment = datetime.now(UTC)
        purse.until(3)
        purse.enough.set()
        purse.join(30)
        street.close()
        asyncio.run(_end_segment(address))
        pid = server.postmaster_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        network.loop.call_soon_threadsafe(network.stop.set)
        network.join(60)
    shutil.rmtree(place / "first")
    before = {payment for at, payment in purse.answered if at <= moment}
    after = {payment for at, payment in purse.answered if at > moment + timedelta(seconds=0.5)}
    return Story(place / "backup", place / "archive", moment, before, after)


async def _end_segment(address: Address) -> None:
    """Have the log kept up to here: as a minute would have brought about."""
    connection = await asyncpg.connect(address.url)
    segment = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
    ends_at = time.monotonic() + 60
    while await connection.fetchval("SELECT last_archived_wal FROM pg_stat_archiver") < segment:
        assert time.monotonic() < ends_at, "the log is not kept"
        await asyncio.sleep(0.05)
    await connection.close()


async def completed(address: Address) -> set[str]:
    """Payments that jing has as completed, as people write their ids."""
    from hutong.kernel.ids import id_text

    connection = await asyncpg.connect(address.url)
    rows = await connection.fetch("SELECT id FROM jing.payment_outcomes WHERE completed")
    await connection.close()
    return {id_text("pay", id_.int) for (id_,) in rows}


def test_a_network_is_brought_back_to_a_moment_and_nothing_answered_by_then_is_lost(story: Story, place: Path) -> None:
    server = EmbeddedPostgres(place / "moment")
    last = restore(story.backup, server, to=story.moment, archives=[story.archive])
    assert last is not None
    assert last <= story.moment
    with server as address:
        found = asyncio.run(completed(address))
        report = asyncio.run(audit([address])).report
    assert len(story.before) >= 6
    assert story.before <= found
    assert not found & story.after
    assert report.findings == []


def test_without_a_moment_everything_that_was_kept_comes_back(story: Story, place: Path) -> None:
    server = EmbeddedPostgres(place / "latest")
    restore(story.backup, server, to=None, archives=[story.archive])
    with server as address:
        assert story.before | story.after <= asyncio.run(completed(address))
        assert asyncio.run(audit([address])).report.findings == []


def test_what_is_there_is_not_written_over(story: Story, place: Path) -> None:
    (place / "taken" / "data").mkdir(parents=True)
    with pytest.raises(Refusal) as refused:
        restore(story.backup, EmbeddedPostgres(place / "taken"), to=None)
    assert refused.value.reason is BackupReason.RESTORE_OVER_DATA
    with EmbeddedPostgres(place / "moment") as address, pytest.raises(Refusal) as refused:
        back_up(EmbeddedPostgres(place / "moment"), address, story.backup, pg_bin=None)
    assert refused.value.reason is BackupReason.BACKUP_EXISTS


def test_a_moment_before_the_backup_is_refused(story: Story, place: Path) -> None:
    early = datetime.fromisoformat(read_backup(story.backup).ended_at) - timedelta(seconds=1)
    with pytest.raises(Refusal) as refused:
        restore(story.backup, EmbeddedPostgres(place / "early"), to=early, archives=[story.archive])
    assert refused.value.reason is BackupReason.RESTORE_BEFORE_BACKUP


def test_an_archive_that_does_not_reach_the_moment_is_refused_and_leaves_nothing(story: Story, place: Path) -> None:
    late = EmbeddedPostgres(place / "late")
    with pytest.raises(Refusal) as refused:
        restore(story.backup, late, to=story.moment + timedelta(days=1), archives=[story.archive])
    assert refused.value.reason is BackupReason.RESTORE_FAILED
    assert "recovery ended before configured recovery target was reached" in refused.value.facts["said"]
    assert not late.data.exists()


class Talkative(EmbeddedPostgres):
    """One that is started once more, and says a lot, before anybody reads why it gave up."""

    def start(self) -> Address:
        address = super().start()
        ends_at = time.monotonic() + 60
        while "exited with exit code 1" not in self.log.read_text() and time.monotonic() < ends_at:
            time.sleep(0.05)
        with self.log.open("a") as log:
            log.write("LOG:  starting PostgreSQL\n" * 300)
        return address


def test_why_a_restore_was_given_up_is_told_whatever_was_said_since(story: Story, place: Path) -> None:
    late = Talkative(place / "talkative")
    with pytest.raises(Refusal) as refused:
        restore(story.backup, late, to=story.moment + timedelta(days=1), archives=[story.archive])
    assert "recovery ended before configured recovery target was reached" in refused.value.facts["said"]


def test_a_server_that_gives_up_while_it_is_asked_has_not_recovered(
    story: Story, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = Database.connect

    async def connect_and_lose(self: Database) -> Any:
        connection = await connect(self)
        other = await connect(self)
        await other.execute(f"SELECT pg_terminate_backend({connection.get_server_pid()})")
        await other.close()
        return connection

    server = EmbeddedPostgres(place / "gone")
    restore(story.backup, server, to=None, archives=[story.archive])
    with server as address:
        assert asyncio.run(backup._has_recovered(address))
        monkeypatch.setattr(Database, "connect", connect_and_lose)
        assert not asyncio.run(backup._has_recovered(address))


def test_half_a_backup_is_none(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        restore(tmp_path, EmbeddedPostgres(tmp_path / "new"), to=None)
    assert refused.value.reason is BackupReason.BACKUP_UNREADABLE


@pytest.mark.parametrize("text", ["yesterday", "2026-11-23", "2026-11-23T08:30:00"])
def test_a_moment_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_time(text)
    assert refused.value.reason is BackupReason.RESTORE_TIME_MALFORMED
