"""The embedded server's postgresql.conf and pg_hba.conf: what we set, and why."""

import os
from pathlib import Path

_MIB = 2**20

ACCESS_RULES = """\
# Written by hutong at every start. Passwords over the Unix socket, and no other way in: no line, no entry.
local all         all scram-sha-256
local replication all scram-sha-256
"""

_SETTINGS = """\
# Written by hutong at every start; what an operator changes with ALTER SYSTEM wins over it.

# Only over the socket, in a directory closed to others.
listen_addresses = ''
unix_socket_directories = '{sockets}'
password_encryption = 'scram-sha-256'
max_connections = 200

# An answer "accepted" is a row on disk.
fsync = {fsync}
synchronous_commit = on
full_page_writes = on

# A sixteenth of memory: rows are appended and read soon or never, and the system caches files well.
shared_buffers = '{shared_buffers_mib}MB'
maintenance_work_mem = '256MB'

# Many appended rows are much log. Few, slow checkpoints keep it from being written twice (full page images), and
# recycled segments save making new ones. Recovery reads at most max_wal_size.
max_wal_size = '4GB'
min_wal_size = '1GB'
checkpoint_timeout = '15min'
checkpoint_completion_target = 0.9
wal_buffers = '16MB'
# Processor time is scarcer than disk here, and appended rows cause few full page images.
wal_compression = off
# The journal groups commits by itself: waiting for more would only add delay.
commit_delay = 0
# The watchdog starts a server that crashed: whole, and in one place.
restart_after_crash = off
# So that pg_basebackup works, and an operator can archive the log or run a replica.
wal_level = 'replica'

# Append-only tables leave nothing dead. They are still to be analysed and frozen, in steps that stay small next to
# the table; the fixed part keeps busy small tables from being vacuumed every minute.
autovacuum_max_workers = 2
autovacuum_vacuum_insert_threshold = 500000
autovacuum_vacuum_insert_scale_factor = 0.1
autovacuum_analyze_threshold = 10000
autovacuum_analyze_scale_factor = 0.05

# Short queries: compiling them costs more than running them. A report must not take both processors from payments,
# and /dev/shm is small in containers.
jit = off
max_parallel_workers_per_gather = 0

timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] %u '
log_checkpoints = off
# SQLSTATEs and positions are enough; a statement in the log could show somebody's data.
log_min_error_statement = panic
"""


_ARCHIVE = """
# Each finished segment of the log is kept, whole and on disk before it has its name. The same segment again (the server
# died before it noted that it was kept) is no error; another under its name is. At least one a minute, so that a
# machine that burns takes no more than that with it.
archive_mode = on
archive_timeout = '60s'
archive_command = '{command}'
"""
_KEEP = (
    'test -f "{to}/%f" && cmp -s "%p" "{to}/%f" || '
    '(test ! -f "{to}/%f" && cp "%p" "{to}/%f.new" && sync "{to}/%f.new" && mv "{to}/%f.new" "{to}/%f")'
)


def server_settings(*, sockets: Path, fsync: bool, archive: Path | None = None) -> str:
    """The text of postgresql.conf for this machine; with `archive`, the log is kept there."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    shared_buffers_mib = min(max(memory // 16 // _MIB, 128), 1024)
    quoted = str(sockets).replace("'", "''")
    text = _SETTINGS.format(sockets=quoted, fsync="on" if fsync else "off", shared_buffers_mib=shared_buffers_mib)
    if archive is not None:
        text += _ARCHIVE.format(command=_KEEP.format(to=archive).replace("'", "''"))
    return text
