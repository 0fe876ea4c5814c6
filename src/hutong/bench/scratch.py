"""A place to measure in: a durable server of its own below a directory that goes away with it."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hutong.app.host import Machine, NodeHost
from hutong.runtime.address import Address
from hutong.runtime.database import Database
from hutong.runtime.embedded import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Scratch:
    """The server's address, its process, and where its files are."""

    address: Address
    postmaster_pid: int
    directory: Path


@contextmanager
def scratch_server(pg_bin: Path | None) -> Iterator[Scratch]:
    """A server with durability on, in a directory under the system's temporary one."""
    directory = Path(tempfile.mkdtemp(prefix="hutong-bench-"))
    directory.chmod(0o711)
    try:
        server = EmbeddedPostgres(directory / "postgres", pg_bin=pg_bin)
        with server as address:
            pid = server.postmaster_pid()
            assert pid is not None
            yield Scratch(address, pid, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Idle:
    """A node without software: the machine alone is measured."""

    def tick(self) -> None:
        pass


@asynccontextmanager
async def scratch_machine(scratch: Scratch, schema: str, *kinds: str) -> AsyncIterator[Machine]:
    """A journal and a ledger on a schema of their own, with the tables of what else is named."""
    found: list[Machine] = []

    async def build(machine: Machine, _stack: AsyncExitStack) -> Idle:
        found.append(machine)
        return Idle()

    host = NodeHost("bench", Database(scratch.address, schema), ("runtime", "ledger", *kinds), build)
    await host.start()
    try:
        yield found[0]
    finally:
        await host.stop()
