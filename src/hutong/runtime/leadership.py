"""
One writer per node: who may commit, and how a newcomer makes sure that nobody else does.

The connection that commits holds an advisory lock for as long as it lives, so two writers never begin together.
Every commit also checks the epoch it was given, so that a writer whose lock is gone without its knowledge (its
connection was cut on the server's side, the database failed over, or the process was paused meanwhile) can't write.

Nor can it read what its successor writes: what is fetched becomes part of what is decided. Every connection that reads for
a writer shares a second lock for as long as it lives, and begins by checking the epoch. A newcomer ends them all, and
writes nothing before the last one is gone.
"""

from dataclasses import dataclass
from typing import LiteralString

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.pgwire import ServerError, WireConnection

_WRITER: LiteralString = "hashtextextended('hutong writer ' || current_schema(), 0)"
_READERS: LiteralString = "hashtextextended('hutong readers ' || current_schema(), 0)"
_PATIENCE: LiteralString = "3s"  # The server needs a moment to see that a killed writer's connection is gone.
_LOCK_NOT_AVAILABLE = "55P03"
_LOCK: LiteralString = f"SET lock_timeout = '{_PATIENCE}'; SELECT pg_advisory_lock({_WRITER}); SET lock_timeout = '10s'"
_READERS_GONE: LiteralString = (
    f"SET lock_timeout = '{_PATIENCE}'; SELECT pg_advisory_lock({_READERS}); SELECT pg_advisory_unlock({_READERS});"
    " SET lock_timeout = '10s'"
)
# Waits for a commit of the last writer that is still under way: it ends before we read what is there.
_NEXT_EPOCH: LiteralString = "UPDATE writer SET epoch = epoch + 1, taken_at = now() RETURNING epoch"
_EPOCH: LiteralString = "SELECT epoch FROM writer"
_TABLES: LiteralString = """
SELECT quote_ident(c.relname) FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'position' AND a.atttypid = 'bigint'::regtype
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""


def _terminate(key: LiteralString) -> LiteralString:
    """Made of constants."""
    return f"""
SELECT pid, pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid <> pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32 | objid::bigint) = {key}"""


class LeadershipReason(Reason):
    """Why we are not the node's writer."""

    WRITER_ALREADY_RUNS = Kind.CONFLICT, "NARR"
    WRITER_TAKEN_OVER = Kind.CONFLICT, "NARR"


@dataclass(frozen=True, slots=True)
class Leadership:
    """What a new writer starts from: its epoch, and the last position in any table."""

    epoch: int
    position: int

    @property
    def check(self) -> str:
        """The statement that fails, by a division by zero, unless this epoch still holds; it holds the row meanwhile."""
        return f"SELECT 1 / coalesce((SELECT (epoch = {self.epoch})::int FROM writer FOR SHARE), 0)"

    @property
    def reading(self) -> str:
        """What a connection that reads for this epoch begins with; it fails, by a division by zero, once that is over."""
        # In this order: who has the lock before a newcomer asks for it is ended by it, and who has it after sees its epoch.
        return f"SELECT pg_advisory_lock_shared({_READERS}); {self.check}"


async def lead(connection: WireConnection, *, take_over: bool, led: int | None = None) -> Leadership:
    """
    Become the node's writer on this connection.

    With `take_over` another writer's backend is ended first: it is for an operator who knows that the other one hangs, and
    never for a restart by itself, or two nodes would throw each other out for ever. `led` is the epoch this process led
    before: if there has been a later one, the node is another process's.

    Refuses:  WRITER_ALREADY_RUNS, WRITER_TAKEN_OVER.
    """
    if led is not None:
        rows = await connection.query(_EPOCH)
        if int(rows[0][0] or 0) > led:
            raise Refusal(LeadershipReason.WRITER_TAKEN_OVER, epoch=rows[0][0], led=led)
    if take_over:
        await connection.query(_terminate(_WRITER))
    try:
        await connection.query(_LOCK)
        rows = await connection.query(_NEXT_EPOCH)
        await connection.query(_terminate(_READERS))
        await connection.query(_READERS_GONE)
    except ServerError as error:
        if error.sqlstate == _LOCK_NOT_AVAILABLE:
            raise Refusal(
                LeadershipReason.WRITER_ALREADY_RUNS,
                do="another process serves this node: stop it, or take the node over (serve --take-over)",
            ) from error
        raise
    assert rows, "migrations made the row"
    return Leadership(epoch=int(rows[0][0] or 0), position=await _last_position(connection))


async def _last_position(connection: WireConnection) -> int:
    """The newest row of all: each table has its position first and as its key, so this reads one entry per table."""
    tables = [row[0] for row in await connection.query(_TABLES)]
    if not tables:
        return 0
    # The names are the catalogue's, quoted by it.
    newest = " UNION ALL ".join(f"SELECT max(position) AS newest FROM {table}" for table in tables)
    rows = await connection.query(f"SELECT coalesce(max(newest), 0) FROM ({newest}) AS tables")
    return int(rows[0][0] or 0)
