"""What this machine has and lacks for a database: facts for `hutong doctor`, which only prints them."""

from dataclasses import dataclass
from pathlib import Path

from hutong.kernel.errors import Refusal
from hutong.runtime import binaries as pg
from hutong.runtime.embedded import EmbeddedPostgres


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that holds or does not; `get` says how to come by it."""

    name: str
    holds: bool
    says: str
    get: str = ""


def embedded_facts(directory: Path, pg_bin: Path | None) -> list[Fact]:
    """Whether an embedded PostgreSQL could run below `directory`. Nothing is made or started."""
    servers = pg.find_all(pg_bin)
    listed = "; ".join(f"{server.version} in {server.directory} ({server.origin})" for server in servers)
    facts = [Fact("postgresql", bool(servers), listed or f"no PostgreSQL >= {pg.MAJOR_MIN} found", pg.HOW_TO_GET)]
    try:
        embedded = EmbeddedPostgres(directory, pg_bin=pg_bin)
    except Refusal as refusal:
        return [*facts, Fact("account", holds=False, says=str(refusal), get="adduser --system postgres")]
    facts.append(Fact("account", holds=True, says=f"the server runs as {embedded.account.name}"))
    closed = pg.closed_directory(embedded.data, embedded.account)
    says = f"{closed} is closed to {embedded.account.name}" if closed else str(embedded.directory)
    facts.append(Fact("directory", closed is None, says, "a data directory outside of it, such as /var/lib/hutong"))
    pid = embedded.postmaster_pid()
    facts.append(Fact("server", holds=True, says=f"runs as process {pid}" if pid else "does not run now"))
    return facts
