"""`hutong audit`, and what else an operator does beside running nodes."""

import asyncio
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from cyclopts import Parameter
from msgspec import to_builtins

from hutong.cli.connection import settings
from hutong.cli.output import AsJson, count_of, show_facts, show_json, show_rows, stdout

if TYPE_CHECKING:
    from hutong.audit.finding import Report
    from hutong.runtime.settings import Settings

_SHOWN = 20


def audit(
    *,
    database: Annotated[
        list[str] | None,
        Parameter(help="Databases to read, one or more URLs; default: the one of the settings, else the embedded one."),
    ] = None,
    overdue: Annotated[int, Parameter(help="Seconds after which what is still undecided is wrong.")] = 900,
    json: AsJson = False,
) -> int:
    """
    Recompute every invariant from the database itself, read-only, beside running nodes; 1 when something is wrong.

    It trusts no node: it reads one snapshot, adds everything up by itself, and tells what is under way apart.
    """
    from hutong.app.up import database_server
    from hutong.audit.network import audit as audit_all
    from hutong.runtime.address import parse_address

    with _AuditProgress(silent=json) as progress:
        if database:
            found = asyncio.run(
                audit_all([parse_address(url) for url in database], overdue_s=overdue, progress=progress)
            )
        else:
            with database_server(settings()) as address:
                found = asyncio.run(audit_all([address], overdue_s=overdue, progress=progress))
    if json:
        show_json(_report_json(found.report))
    else:
        _show_report(found.report)
    return 0 if found.report.is_clean else 1


def backup(
    directory: Annotated[Path, Parameter(help="Where it goes: a directory that is new or empty.")],
    /,
    *,
    json: AsJson = False,
) -> None:
    """Copy the embedded database as it works, and check the copy. Secrets are not in it: keep them elsewhere."""
    from hutong.app.up import embedded_server
    from hutong.runtime.backup import back_up

    known = _embedded()
    server = embedded_server(known)
    with server as address:
        made = back_up(server, address, directory, pg_bin=known.pg_bin)
    if json:
        show_json({"directory": str(directory), **to_builtins(made)})
    else:
        stdout.print(
            f"{directory} can be restored to {made.ended_at}, and with an archive of the log to any later moment."
        )


def restore(
    directory: Annotated[Path, Parameter(help="A backup's directory.")],
    /,
    *,
    to: Annotated[str, Parameter(help="The moment, as 2026-11-23T08:30:00+08:00; default: as late as it goes.")] = "",
    archive: Annotated[
        list[Path] | None, Parameter(help="Where the log was kept, one or more; default: HUTONG_WAL_ARCHIVE.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Bring a backup of the embedded database back to a moment, where there is none. Start nodes only when it is done."""
    from hutong.app.up import embedded_server
    from hutong.runtime.backup import read_time
    from hutong.runtime.backup import restore as restore_backup

    known = _embedded()
    archives = archive or ([known.wal_archive] if known.wal_archive is not None else [])
    # What is restored must not write into the archive it is read from until it is known to be right.
    server = embedded_server(replace(known, wal_archive=None))
    last = restore_backup(directory, server, to=read_time(to) if to else None, archives=archives)
    if json:
        show_json({"directory": str(server.data), "last_commit_at": last.isoformat() if last else ""})
        return
    stdout.print(f"Restored to {server.data}." + (f" The last commit in it is of {last.isoformat()}." if last else ""))
    stdout.print("Now: hutong audit; then read docs/operate.md, Backups and restores, before any node starts.")


def _embedded() -> "Settings":
    from hutong.kernel.errors import Refusal
    from hutong.runtime.backup import BackupReason

    known = settings()
    if known.database is not None:
        raise Refusal(BackupReason.BACKUP_OF_A_SERVER, do="use your server's own tools, such as pgBackRest")
    return known


class _AuditProgress:
    """A bar on standard error; nothing where scripts listen."""

    def __init__(self, *, silent: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=silent)
        self._task = self._bar.add_task("auditing", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, rows: int) -> None:
        self._bar.update(self._task, total=rows)

    def at(self, what: str) -> None:
        self._bar.update(self._task, description=f"auditing {what}")

    def advance(self, rows: int) -> None:
        self._bar.advance(self._task, rows)


def _report_json(report: "Report") -> dict[str, Any]:
    return {
        "clean": report.is_clean,
        "findings": [asdict(finding) for finding in report.findings],
        "not_told": [
            {"node": node, "invariant": invariant, "count": count}
            for (node, invariant), count in report.not_told.items()
        ],
        "under_way": [asdict(each) for each in report.under_way],
        "not_seen": report.not_seen,
        "looked_at": report.looked_at,
    }


def _show_report(report: "Report") -> None:
    rows = [(node, str(counted["accounts"]), str(counted["transfers"])) for node, counted in report.looked_at.items()]
    show_rows("", ("node", "accounts", "transfers"), rows, numbers=("accounts", "transfers"))
    if report.not_seen:
        stdout.print("Not in these databases, so not compared: " + ", ".join(report.not_seen))
    if report.under_way:
        stdout.print(f"{len(report.under_way)} under way, which is not wrong:")
        show_facts("", [(each.node, f"{each.what} {each.id}") for each in report.under_way[:_SHOWN]])
    if report.is_clean:
        stdout.print("Nothing is wrong.")
        return
    stdout.print(f"{count_of(len(report.findings) + report.not_told.total(), 'finding')}:")
    for finding in report.findings:
        stdout.print(f"  {finding}  (invariant {finding.invariant})", markup=False)
    for (node, invariant), count in report.not_told.items():
        stdout.print(f"  {node}: {count} more like these  (invariant {invariant})", markup=False)
